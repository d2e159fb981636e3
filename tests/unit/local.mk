if BUILD_TESTS
check_PROGRAMS += tests/unit/test_base
tests_unit_test_base_SOURCES = tests/unit/test_base.c
tests_unit_test_base_LDADD = libunit.la libsfprov.la
TESTS += tests/unit/test_base

# a store in a directory of its own, for the programs below
scratch = tests/unit/scratch.c tests/unit/scratch.h

check_PROGRAMS += tests/unit/test_store \
	tests/unit/test_store_delivery \
	tests/unit/test_store_file \
	tests/unit/test_store_read
tests_unit_test_store_SOURCES = tests/unit/test_store.c $(scratch)
tests_unit_test_store_LDADD = libunit.la libsfprov.la
tests_unit_test_store_delivery_SOURCES = tests/unit/test_store_delivery.c $(scratch)
tests_unit_test_store_delivery_LDADD = libunit.la libsfprov.la
tests_unit_test_store_file_SOURCES = tests/unit/test_store_file.c $(scratch)
tests_unit_test_store_file_LDADD = libunit.la libsfprov.la
tests_unit_test_store_read_SOURCES = tests/unit/test_store_read.c $(scratch)
tests_unit_test_store_read_LDADD = libunit.la libsfprov.la
TESTS += tests/unit/test_store \
	tests/unit/test_store_delivery \
	tests/unit/test_store_file \
	tests/unit/test_store_read
endif
