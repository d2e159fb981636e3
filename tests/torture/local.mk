# The connector in one program with the simulated org, and a shim under both: see README.md. In `make
# check` a part of it, by `make soak` all.
EXTRA_DIST += tests/torture/README.md

if BUILD_TESTS
check_LTLIBRARIES += libtorture.la
libtorture_la_SOURCES = $(sfprov_la_SOURCES) \
	tests/torture/loss.c tests/torture/loss.h \
	tests/torture/shim.c tests/torture/shim.h \
	tests/torture/world.c tests/torture/world.h
libtorture_la_CFLAGS = $(AM_CFLAGS)
libtorture_la_LIBADD = libsfprov.la liborg.la $(JSONC_LIBS)

torture_programs = tests/torture/crash
check_PROGRAMS += $(torture_programs)
# the shim's definitions must be seen by the shared libraries
tests_torture_crash_SOURCES = tests/torture/crash.c
tests_torture_crash_LDADD = libtorture.la
tests_torture_crash_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic
if !SANITIZERS
TESTS += $(torture_programs)
endif
endif

.PHONY: soak
soak: all
	$(MAKE) $(AM_MAKEFLAGS) $(torture_programs)
	tests/torture/crash 1
