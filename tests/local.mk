# How `make check` runs its tests. Scripts and programs find sources and the build by srcdir and
# top_builddir; a Python host needs the sanitizer's runtime before anything else.
# Who takes longer hangs: there are machines that need ten times as long as others for the same.
HANG_S = 1200
TEST_EXTENSIONS = .py .sh
if SANITIZERS
PYTHON_PRELOAD = LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)" \
	ASAN_OPTIONS="$$ASAN_OPTIONS:detect_leaks=0"
endif
PY_LOG_COMPILER = env $(PYTHON_PRELOAD) timeout $(HANG_S) python3
SH_LOG_COMPILER = timeout $(HANG_S) sh
LOG_COMPILER = timeout $(HANG_S)
AM_TESTS_ENVIRONMENT = \
	srcdir='$(abs_top_srcdir)'; export srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	CC='$(CC)'; export CC; CXX='g++'; export CXX; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	ASAN_OPTIONS=quarantine_size_mb=16; export ASAN_OPTIONS; \
	UBSAN_OPTIONS=print_stacktrace=1; export UBSAN_OPTIONS;
dist_check_SCRIPTS += tests/tally.sh
EXTRA_DIST += tests/count.sh

# When all have run: no secret of theirs stands in what they wrote (tests/e2e/canary.py). That it would be
# seen, test_canary.py shows.
check-local: check-TESTS
	@PYTHONDONTWRITEBYTECODE=1 python3 $(srcdir)/tests/e2e/canary.py tests
EXTRA_DIST += tests/installed/check.sh tests/installed/adapters.sh

if BUILD_TESTS
check_LTLIBRARIES += libunit.la
libunit_la_SOURCES = tests/unit/unit.c tests/unit/unit.h
libunit_la_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
libunit_la_LIBADD = $(CUNIT_LIBS)
endif
include tests/org/local.mk
include tests/guards/local.mk
include tests/bench/local.mk
# before the rest: with `make -j` what takes long begins early
include tests/torture/local.mk
include tests/e2e/local.mk
include tests/unit/local.mk
include tests/servers/local.mk
include tests/fuzz/local.mk
include tests/gate/local.mk
include tests/mutants/local.mk
