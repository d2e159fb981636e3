libsfprov_la_SOURCES += \
	plugin/scim/bounds.c plugin/scim/bounds.h \
	plugin/scim/filter.c plugin/scim/filter.h \
	plugin/scim/parts.h \
	plugin/scim/patch.c plugin/scim/patch.h \
	plugin/scim/known.c \
	plugin/scim/path.c plugin/scim/path.h \
	plugin/scim/put.c plugin/scim/put.h

EXTRA_DIST += tests/golden/patch

if BUILD_TESTS
check_PROGRAMS += tests/unit/test_scim
tests_unit_test_scim_SOURCES = tests/unit/test_scim.c
tests_unit_test_scim_LDADD = libunit.la libsfprov.la
TESTS += tests/unit/test_scim
endif
