# Measured by `make bench`: nothing asserts on time. smoke.py, a part of `make check`, sees that they work.
noinst_PROGRAMS += tests/bench/bench_accept
tests_bench_bench_accept_SOURCES = tests/bench/bench_accept.c tests/bench/size.h
tests_bench_bench_accept_LDADD = libsfprov.la $(SQLITE_LIBS)
noinst_PROGRAMS += tests/bench/bench_scale
tests_bench_bench_scale_SOURCES = tests/bench/bench_scale.c
tests_bench_bench_scale_LDADD = libsfprov.la
EXTRA_DIST += tests/bench/run
if BUILD_TESTS
noinst_PROGRAMS += tests/bench/bench_deliver
tests_bench_bench_deliver_SOURCES = tests/bench/bench_deliver.c \
	tests/bench/canned.c tests/bench/canned.h
tests_bench_bench_deliver_LDADD = liborg.la libsfprov.la -lssl $(CRYPTO_LIBS) -ldl
dist_check_SCRIPTS += tests/bench/smoke.py
if !SANITIZERS
TESTS += tests/bench/smoke.py
endif
endif
