if BUILD_TESTS
check_LTLIBRARIES += libunit.la
libunit_la_SOURCES = tests/unit/unit.c tests/unit/unit.h
libunit_la_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
libunit_la_LIBADD = $(CUNIT_LIBS)
endif
include tests/org/local.mk
include tests/guards/local.mk
include tests/bench/local.mk
