libsfprov_la_SOURCES += \
	plugin/salesforce/address.c plugin/salesforce/address.h \
	plugin/salesforce/answer.c plugin/salesforce/answer.h \
	plugin/salesforce/batch.c \
	plugin/salesforce/call.h \
	plugin/salesforce/http.c plugin/salesforce/http.h \
	plugin/salesforce/http_trace.c plugin/salesforce/http_trace.h \
	plugin/salesforce/http_origin.c \
	plugin/salesforce/facts.c \
	plugin/salesforce/ids.c \
	plugin/salesforce/jwt.c plugin/salesforce/jwt.h \
	plugin/salesforce/kept.c plugin/salesforce/kept.h \
	plugin/salesforce/oauth.c plugin/salesforce/oauth.h \
	plugin/salesforce/oauth_approve.c \
	plugin/salesforce/oauth_form.c plugin/salesforce/oauth_form.h \
	plugin/salesforce/outcome.c plugin/salesforce/outcome.h \
	plugin/salesforce/password.c \
	plugin/salesforce/session.c plugin/salesforce/session.h \
	plugin/salesforce/sigpipe.c plugin/salesforce/sigpipe.h \
	plugin/salesforce/unpack.c plugin/salesforce/unpack.h \
	plugin/salesforce/users.c

if BUILD_TESTS
check_PROGRAMS += \
	tests/unit/test_outcome \
	tests/unit/test_salesforce \
	tests/unit/test_salesforce_address \
	tests/unit/test_salesforce_hostile \
	tests/unit/test_salesforce_http \
	tests/unit/test_salesforce_limits \
	tests/unit/test_salesforce_unpack \
	tests/unit/test_salesforce_users
tests_unit_test_outcome_SOURCES = tests/unit/test_outcome.c
tests_unit_test_outcome_LDADD = libunit.la libsfprov.la
tests_unit_test_salesforce_SOURCES = tests/unit/test_salesforce.c \
	tests/unit/loopback.c tests/unit/loopback.h tests/unit/batches.h tests/unit/salesforce_session.h
tests_unit_test_salesforce_LDADD = libunit.la libsfprov.la
tests_unit_test_salesforce_address_SOURCES = tests/unit/test_salesforce_address.c
tests_unit_test_salesforce_address_LDADD = libunit.la libsfprov.la
tests_unit_test_salesforce_hostile_SOURCES = tests/unit/test_salesforce_hostile.c \
	tests/unit/loopback.c tests/unit/loopback.h tests/unit/salesforce_session.h
tests_unit_test_salesforce_hostile_LDADD = libunit.la libsfprov.la $(ZLIB_LIBS)
tests_unit_test_salesforce_http_SOURCES = tests/unit/test_salesforce_http.c \
	tests/unit/loopback.c tests/unit/loopback.h tests/unit/salesforce_session.h
tests_unit_test_salesforce_http_LDADD = libunit.la libsfprov.la
tests_unit_test_salesforce_limits_SOURCES = tests/unit/test_salesforce_limits.c \
	tests/unit/loopback.c tests/unit/loopback.h tests/unit/salesforce_session.h
tests_unit_test_salesforce_limits_LDADD = libunit.la libsfprov.la
tests_unit_test_salesforce_unpack_SOURCES = tests/unit/test_salesforce_unpack.c \
	tests/unit/loopback.c tests/unit/loopback.h tests/unit/salesforce_session.h
tests_unit_test_salesforce_unpack_LDADD = libunit.la libsfprov.la
tests_unit_test_salesforce_unpack_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic
tests_unit_test_salesforce_users_SOURCES = tests/unit/test_salesforce_users.c \
	tests/unit/loopback.c tests/unit/loopback.h tests/unit/salesforce_session.h
tests_unit_test_salesforce_users_LDADD = libunit.la libsfprov.la
TESTS += \
	tests/unit/test_outcome \
	tests/unit/test_salesforce \
	tests/unit/test_salesforce_address \
	tests/unit/test_salesforce_hostile \
	tests/unit/test_salesforce_http \
	tests/unit/test_salesforce_limits \
	tests/unit/test_salesforce_unpack \
	tests/unit/test_salesforce_users
endif
