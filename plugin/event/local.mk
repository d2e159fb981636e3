libsfprov_la_SOURCES += \
	plugin/event/event.c plugin/event/event.h \
	plugin/event/fold.c \
	plugin/event/password.c plugin/event/password.h

EXTRA_DIST += tests/golden/event

if BUILD_TESTS
check_PROGRAMS += tests/unit/test_event tests/unit/test_event_golden tests/unit/test_event_password
tests_unit_test_event_SOURCES = tests/unit/test_event.c
tests_unit_test_event_LDADD = libunit.la libsfprov.la
tests_unit_test_event_golden_SOURCES = tests/unit/test_event_golden.c
tests_unit_test_event_golden_LDADD = libunit.la libsfprov.la
tests_unit_test_event_password_SOURCES = tests/unit/test_event_password.c
tests_unit_test_event_password_LDADD = libunit.la libsfprov.la
TESTS += tests/unit/test_event tests/unit/test_event_golden tests/unit/test_event_password
endif
