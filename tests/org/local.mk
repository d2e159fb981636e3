# The simulated Salesforce org. It shares no code with the plugin's rooms, so that a rule of
# Salesforce that is misunderstood there is not misunderstood here as well.
if BUILD_TESTS
check_LTLIBRARIES += liborg.la
liborg_la_SOURCES = \
	tests/org/address.c tests/org/address.h \
	tests/org/api.c tests/org/api.h \
	tests/org/api_batch.c \
	tests/org/api_body.c \
	tests/org/api_collections.c \
	tests/org/api_composite.c \
	tests/org/api_external.c \
	tests/org/api_password.c \
	tests/org/api_query.c \
	tests/org/api_resources.c \
	tests/org/api_rows.c \
	tests/org/calls.c tests/org/calls.h \
	tests/org/control.c \
	tests/org/describe.c \
	tests/org/exchange.c tests/org/exchange.h \
	tests/org/facts.c tests/org/facts.h \
	tests/org/faults.c tests/org/faults.h \
	tests/org/gzip.c tests/org/gzip.h \
	tests/org/ids.c tests/org/ids.h \
	tests/org/json_read.c tests/org/json_read.h \
	tests/org/oauth.c tests/org/oauth.h \
	tests/org/oauth_app.c \
	tests/org/oauth_code.c \
	tests/org/oauth_grants.c \
	tests/org/oauth_jwt.c \
	tests/org/org.c tests/org/org.h \
	tests/org/record_write.c \
	tests/org/rows.c \
	tests/org/rules.c tests/org/rules.h \
	tests/org/setup_rules.c \
	tests/org/server.c tests/org/server.h \
	tests/org/sim.c tests/org/sim.h \
	tests/org/soql.h \
	tests/org/soql_check.c \
	tests/org/soql_dates.c \
	tests/org/soql_parse.c \
	tests/org/soql_run.c \
	tests/org/text.c tests/org/text.h \
	tests/org/tls.c tests/org/tls.h \
	tests/org/user_rules.c \
	tests/org/user_write.c
liborg_la_CFLAGS = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS) $(ZLIB_CFLAGS)
liborg_la_LIBADD = $(MICROHTTPD_LIBS) $(ZLIB_LIBS) $(CRYPTO_LIBS) $(JSONC_LIBS) -lm

check_PROGRAMS += tests/org/sfprov-org
tests_org_sfprov_org_SOURCES = tests/org/main.c
tests_org_sfprov_org_LDADD = liborg.la $(JSONC_LIBS)

check_PROGRAMS += tests/unit/test_org tests/unit/test_org_collections tests/unit/test_org_soql \
	tests/unit/test_org_api tests/unit/test_org_setup tests/unit/test_org_composite \
	tests/unit/test_org_options tests/unit/test_org_sim tests/unit/test_salesforce_flows \
	tests/unit/test_salesforce_tls
tests_unit_test_org_setup_SOURCES = tests/unit/test_org_setup.c tests/unit/ask.c tests/unit/ask.h
tests_unit_test_org_setup_LDADD = libunit.la liborg.la $(JSONC_LIBS)
tests_unit_test_org_composite_SOURCES = tests/unit/test_org_composite.c tests/unit/ask.c \
	tests/unit/ask.h
tests_unit_test_org_composite_LDADD = libunit.la liborg.la $(JSONC_LIBS)
tests_unit_test_org_options_SOURCES = tests/unit/test_org_options.c tests/unit/ask.c \
	tests/unit/ask.h
tests_unit_test_org_options_LDADD = libunit.la liborg.la $(JSONC_LIBS)
tests_unit_test_org_SOURCES = tests/unit/test_org.c tests/unit/ask.c tests/unit/ask.h
tests_unit_test_org_LDADD = libunit.la liborg.la $(JSONC_LIBS)
tests_unit_test_org_collections_SOURCES = tests/unit/test_org_collections.c tests/unit/ask.c \
	tests/unit/ask.h
tests_unit_test_org_collections_LDADD = libunit.la liborg.la $(JSONC_LIBS)
tests_unit_test_org_soql_SOURCES = tests/unit/test_org_soql.c tests/unit/ask.c tests/unit/ask.h
tests_unit_test_org_soql_LDADD = libunit.la liborg.la $(JSONC_LIBS)
tests_unit_test_org_api_SOURCES = tests/unit/test_org_api.c tests/unit/ask.c tests/unit/ask.h
tests_unit_test_org_api_LDADD = libunit.la liborg.la $(JSONC_LIBS)
tests_unit_test_org_sim_SOURCES = tests/unit/test_org_sim.c
tests_unit_test_org_sim_LDADD = libunit.la liborg.la $(JSONC_LIBS)
# the plugin's client against an org of its own process: the one program of both sides
tests_unit_test_salesforce_flows_SOURCES = tests/unit/test_salesforce_flows.c
tests_unit_test_salesforce_flows_LDADD = libunit.la libsfprov.la liborg.la $(CRYPTO_LIBS)
tests_unit_test_salesforce_tls_SOURCES = tests/unit/test_salesforce_tls.c \
	tests/unit/loopback.c tests/unit/loopback.h tests/unit/salesforce_session.h
tests_unit_test_salesforce_tls_LDADD = libunit.la libsfprov.la liborg.la
TESTS += tests/unit/test_org tests/unit/test_org_collections tests/unit/test_org_soql \
	tests/unit/test_org_api tests/unit/test_org_setup tests/unit/test_org_composite \
	tests/unit/test_org_options tests/unit/test_org_sim tests/unit/test_salesforce_flows \
	tests/unit/test_salesforce_tls
endif
