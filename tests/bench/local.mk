# Measured by `make bench`, never part of a test: nothing asserts on time.
noinst_PROGRAMS += tests/bench/bench_accept
tests_bench_bench_accept_SOURCES = tests/bench/bench_accept.c
tests_bench_bench_accept_LDADD = libsfprov.la $(SQLITE_LIBS)
EXTRA_DIST += tests/bench/run
