if BUILD_TESTS
check_PROGRAMS += tests/unit/test_base
tests_unit_test_base_SOURCES = tests/unit/test_base.c
tests_unit_test_base_LDADD = libunit.la libsfprov.la
TESTS += tests/unit/test_base
endif
