libsfprov_la_SOURCES += \
	patterns/collisions.c patterns/collisions.h \
	patterns/pattern.c patterns/pattern.h \
	patterns/username.c patterns/username.h

noinst_PROGRAMS += tests/bench/bench_patterns
tests_bench_bench_patterns_SOURCES = tests/bench/bench_patterns.c
tests_bench_bench_patterns_LDADD = libsfprov.la

if BUILD_TESTS
check_PROGRAMS += tests/unit/test_patterns tests/unit/test_patterns_properties
tests_unit_test_patterns_SOURCES = tests/unit/test_patterns.c
tests_unit_test_patterns_LDADD = libunit.la libsfprov.la
tests_unit_test_patterns_properties_SOURCES = tests/unit/test_patterns_properties.c
tests_unit_test_patterns_properties_LDADD = libunit.la libsfprov.la
TESTS += tests/unit/test_patterns tests/unit/test_patterns_properties
endif
