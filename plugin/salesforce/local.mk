libsfprov_la_SOURCES += \
	plugin/salesforce/answer.c plugin/salesforce/answer.h \
	plugin/salesforce/call.h \
	plugin/salesforce/http.c plugin/salesforce/http.h \
	plugin/salesforce/ids.c \
	plugin/salesforce/outcome.c plugin/salesforce/outcome.h \
	plugin/salesforce/session.c plugin/salesforce/session.h \
	plugin/salesforce/users.c

if BUILD_TESTS
check_PROGRAMS += tests/unit/test_outcome
tests_unit_test_outcome_SOURCES = tests/unit/test_outcome.c
tests_unit_test_outcome_LDADD = libunit.la libsfprov.la
TESTS += tests/unit/test_outcome
endif
