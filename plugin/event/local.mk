libsfprov_la_SOURCES += \
	plugin/event/event.c plugin/event/event.h \
	plugin/event/fold.c \
	plugin/event/password.c plugin/event/password.h

if BUILD_TESTS
check_PROGRAMS += tests/unit/test_event
tests_unit_test_event_SOURCES = tests/unit/test_event.c
tests_unit_test_event_LDADD = libunit.la libsfprov.la
TESTS += tests/unit/test_event
endif
