libsfprov_la_SOURCES += \
	schema/address.c schema/address.h \
	schema/alias.c schema/alias.h \
	schema/faults.c schema/faults.h \
	schema/fields.c schema/fields.h \
	schema/fields_check.c schema/fields_check.h \
	schema/fields_describe.c \
	schema/fields_effective.c \
	schema/fields_table.c schema/fields_table.h \
	schema/letters.c schema/letters.h \
	schema/locale.c schema/locale.h \
	schema/mapping.c schema/mapping.h \
	schema/mapping_compile.c schema/mapping_rule.h \
	schema/mapping_value.c \
	schema/user_fields.c schema/user_fields.h

# Made from the table of connector fields, and committed: test_fields fails when they differ.
EXTRA_DIST += docs/sfprov.sample.json docs/man/fields.mdoc.inc docs/mapping.md

if BUILD_TESTS
check_PROGRAMS += tests/unit/test_fields tests/unit/test_mapping
tests_unit_test_fields_SOURCES = tests/unit/test_fields.c
tests_unit_test_fields_LDADD = libunit.la libsfprov.la
tests_unit_test_mapping_SOURCES = tests/unit/test_mapping.c
tests_unit_test_mapping_LDADD = libunit.la libsfprov.la
TESTS += tests/unit/test_fields tests/unit/test_mapping

fields-docs: tests/unit/test_fields
	tests/unit/test_fields --print-sample >$(srcdir)/docs/sfprov.sample.json
	tests/unit/test_fields --print-mdoc >$(srcdir)/docs/man/fields.mdoc.inc
endif
