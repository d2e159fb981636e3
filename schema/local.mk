libsfprov_la_SOURCES += \
	schema/address.c schema/address.h \
	schema/alias.c schema/alias.h \
	schema/faults.c schema/faults.h \
	schema/fields.c schema/fields.h \
	schema/fields_check.c schema/fields_check.h \
	schema/fields_describe.c \
	schema/fields_effective.c \
	schema/fields_login.c \
	schema/fields_table.c schema/fields_table.h \
	schema/letters.c schema/letters.h \
	schema/locale.c schema/locale.h \
	schema/mapping.c schema/mapping.h \
	schema/mapping_compile.c schema/mapping_rule.h \
	schema/mapping_draft.c schema/mapping_draft.h \
	schema/mapping_step.c schema/mapping_step.h \
	schema/mapping_term.c schema/mapping_term.h \
	schema/mapping_value.c \
	schema/moment.c schema/moment.h \
	schema/names.c schema/names.h \
	schema/number.c schema/number.h \
	schema/regex.c schema/regex.h \
	schema/scope.c schema/scope.h \
	schema/user_fields.c schema/user_fields.h

# Made from the table of connector fields, and committed: test_fields fails when they differ.
EXTRA_DIST += tests/golden/mapping docs/sfprov.sample.json docs/man/fields.mdoc.inc \
	docs/mapping.md docs/scope.md

if BUILD_TESTS
schema_tests = tests/unit/test_fields tests/unit/test_fields_login tests/unit/test_addresses tests/unit/test_mapping \
	tests/unit/test_mapping_rules tests/unit/test_mapping_golden tests/unit/test_letters \
	tests/unit/test_scope
check_PROGRAMS += $(schema_tests)
TESTS += $(schema_tests)
tests_unit_test_fields_SOURCES = tests/unit/test_fields.c tests/unit/fields_run.h
tests_unit_test_fields_LDADD = libunit.la libsfprov.la
tests_unit_test_fields_login_SOURCES = tests/unit/test_fields_login.c tests/unit/fields_run.h
tests_unit_test_fields_login_LDADD = libunit.la libsfprov.la
tests_unit_test_addresses_SOURCES = tests/unit/test_addresses.c tests/unit/fields_run.h
tests_unit_test_addresses_LDADD = libunit.la libsfprov.la
tests_unit_test_mapping_SOURCES = tests/unit/test_mapping.c tests/unit/mapping_json.h
tests_unit_test_mapping_LDADD = libunit.la libsfprov.la
tests_unit_test_mapping_rules_SOURCES = tests/unit/test_mapping_rules.c tests/unit/mapping_json.h
tests_unit_test_mapping_rules_LDADD = libunit.la libsfprov.la
tests_unit_test_mapping_golden_SOURCES = tests/unit/test_mapping_golden.c \
	tests/unit/mapping_json.h
tests_unit_test_mapping_golden_LDADD = libunit.la libsfprov.la
tests_unit_test_letters_SOURCES = tests/unit/test_letters.c tests/unit/mapping_json.h
tests_unit_test_letters_LDADD = libunit.la libsfprov.la
tests_unit_test_scope_SOURCES = tests/unit/test_scope.c
tests_unit_test_scope_LDADD = libunit.la libsfprov.la

# Makes the committed files anew from the table.
fields-docs: tests/unit/test_fields
	tests/unit/test_fields --print-sample >$(srcdir)/docs/sfprov.sample.json
	tests/unit/test_fields --print-mdoc >$(srcdir)/docs/man/fields.mdoc.inc
endif
