# The connector in one program with the simulated org, and a shim under both: see README.md. In `make
# check` a part of it; `make soak` runs
# all of it, the model for SOAK_SECONDS from SOAK_SEED on, and the memory of the servers (tests/servers).
EXTRA_DIST += tests/torture/README.md tests/torture/sanitized.sh

if BUILD_TESTS
check_LTLIBRARIES += libtorture.la
libtorture_la_SOURCES = $(sfprov_la_SOURCES) \
	tests/torture/life.c tests/torture/life.h \
	tests/torture/loss.c tests/torture/loss.h \
	tests/torture/shim.c tests/torture/shim.h \
	tests/torture/struck.c \
	tests/torture/watch.c tests/torture/watch.h \
	tests/torture/world.c tests/torture/world.h
libtorture_la_CFLAGS = $(AM_CFLAGS)
libtorture_la_LIBADD = libsfprov.la liborg.la $(JSONC_LIBS)

torture_programs = tests/torture/crash tests/torture/faults tests/torture/log tests/torture/model
check_PROGRAMS += $(torture_programs)
# the shim's definitions must be seen by the shared libraries
tests_torture_crash_SOURCES = tests/torture/crash.c tests/torture/beside.c tests/torture/beside.h
tests_torture_crash_LDADD = libtorture.la
tests_torture_crash_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic
tests_torture_faults_SOURCES = tests/torture/faults.c
tests_torture_faults_LDADD = libtorture.la
tests_torture_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic
tests_torture_log_SOURCES = tests/torture/log.c
tests_torture_log_LDADD = libtorture.la $(SQLITE_LIBS)
tests_torture_log_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic
tests_torture_model_SOURCES = tests/torture/model.c
tests_torture_model_LDADD = libtorture.la
tests_torture_model_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic
if SANITIZERS
TESTS += tests/torture/sanitized.sh
else
TESTS += $(torture_programs)
endif
endif

SOAK_SECONDS = 3600
SOAK_SEED = 1000
.PHONY: soak
soak: all
	$(MAKE) $(AM_MAKEFLAGS) $(torture_programs)
	tests/torture/model $(SOAK_SEED) 0 $(SOAK_SECONDS)
	tests/torture/log $(SOAK_SEED) 0 $(SOAK_SECONDS)
	tests/torture/faults "" 1 200 1
	tests/torture/crash 1
	$(MAKE) $(AM_MAKEFLAGS) soak-servers
