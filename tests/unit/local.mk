if BUILD_TESTS
check_PROGRAMS += \
	tests/unit/test_base \
	tests/unit/test_codes \
	tests/unit/test_leavers \
	tests/unit/test_names_chain \
	tests/unit/test_metrics \
	tests/unit/test_org_names \
	tests/unit/test_plan \
	tests/unit/test_policy \
	tests/unit/test_preview \
	tests/unit/test_refusals \
	tests/unit/test_resync \
	tests/unit/test_resync_death \
	tests/unit/test_seal \
	tests/unit/test_secret_ref \
	tests/unit/test_snapshot \
	tests/unit/test_store \
	tests/unit/test_store_delivery \
	tests/unit/test_store_file \
	tests/unit/test_store_read \
	tests/unit/test_store_history \
	tests/unit/test_store_log \
	tests/unit/test_store_news \
	tests/unit/test_store_retention \
	tests/unit/test_store_schema \
	tests/unit/test_value \
	tests/unit/test_watch
tests_unit_test_base_SOURCES = tests/unit/test_base.c
tests_unit_test_base_LDADD = libunit.la libsfprov.la
tests_unit_test_watch_SOURCES = tests/unit/test_watch.c tests/torture/watch.c tests/torture/watch.h
tests_unit_test_watch_LDADD = libunit.la libsfprov.la
tests_unit_test_value_SOURCES = tests/unit/test_value.c tests/unit/values.h
tests_unit_test_value_LDADD = libunit.la libsfprov.la
tests_unit_test_codes_SOURCES = tests/unit/test_codes.c
tests_unit_test_codes_LDADD = libunit.la libsfprov.la
tests_unit_test_org_names_SOURCES = tests/unit/test_org_names.c tests/unit/mapping_json.h
tests_unit_test_org_names_LDADD = libunit.la libsfprov.la
tests_unit_test_leavers_SOURCES = tests/unit/test_leavers.c tests/unit/situation.h
tests_unit_test_leavers_LDADD = libunit.la libsfprov.la
tests_unit_test_metrics_SOURCES = tests/unit/test_metrics.c
tests_unit_test_metrics_LDADD = libunit.la libsfprov.la
tests_unit_test_plan_SOURCES = tests/unit/test_plan.c tests/unit/situation.h
tests_unit_test_plan_LDADD = libunit.la libsfprov.la
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c
tests_unit_test_policy_LDADD = libunit.la libsfprov.la
tests_unit_test_refusals_SOURCES = tests/unit/test_refusals.c
tests_unit_test_refusals_LDADD = libunit.la libsfprov.la
tests_unit_test_resync_SOURCES = tests/unit/test_resync.c
tests_unit_test_resync_LDADD = libunit.la libsfprov.la
tests_unit_test_resync_death_SOURCES = tests/unit/test_resync_death.c
tests_unit_test_resync_death_LDADD = libunit.la libsfprov.la
tests_unit_test_seal_SOURCES = tests/unit/test_seal.c
tests_unit_test_seal_LDADD = libunit.la libsfprov.la
tests_unit_test_secret_ref_SOURCES = tests/unit/test_secret_ref.c
tests_unit_test_secret_ref_LDADD = libunit.la libsfprov.la

# these work on a store in a directory of its own
scratch = tests/unit/scratch.c tests/unit/scratch.h
tests_unit_test_names_chain_SOURCES = tests/unit/test_names_chain.c $(scratch)
tests_unit_test_names_chain_LDADD = libunit.la libsfprov.la
tests_unit_test_preview_SOURCES = tests/unit/test_preview.c $(scratch)
tests_unit_test_preview_LDADD = libunit.la libsfprov.la
tests_unit_test_snapshot_SOURCES = tests/unit/test_snapshot.c $(scratch)
tests_unit_test_snapshot_LDADD = libunit.la libsfprov.la
tests_unit_test_store_SOURCES = tests/unit/test_store.c $(scratch)
tests_unit_test_store_LDADD = libunit.la libsfprov.la
tests_unit_test_store_delivery_SOURCES = tests/unit/test_store_delivery.c $(scratch)
tests_unit_test_store_delivery_LDADD = libunit.la libsfprov.la
tests_unit_test_store_file_SOURCES = tests/unit/test_store_file.c $(scratch)
tests_unit_test_store_file_LDADD = libunit.la libsfprov.la
tests_unit_test_store_read_SOURCES = tests/unit/test_store_read.c $(scratch)
tests_unit_test_store_read_LDADD = libunit.la libsfprov.la
tests_unit_test_store_history_SOURCES = tests/unit/test_store_history.c $(scratch)
tests_unit_test_store_history_LDADD = libunit.la libsfprov.la
tests_unit_test_store_log_SOURCES = tests/unit/test_store_log.c $(scratch)
tests_unit_test_store_log_LDADD = libunit.la libsfprov.la $(SQLITE_LIBS)
tests_unit_test_store_news_SOURCES = tests/unit/test_store_news.c $(scratch)
tests_unit_test_store_news_LDADD = libunit.la libsfprov.la
tests_unit_test_store_retention_SOURCES = tests/unit/test_store_retention.c $(scratch)
tests_unit_test_store_retention_LDADD = libunit.la libsfprov.la
tests_unit_test_store_schema_SOURCES = tests/unit/test_store_schema.c $(scratch)
tests_unit_test_store_schema_LDADD = libunit.la libsfprov.la

TESTS += \
	tests/unit/test_base \
	tests/unit/test_codes \
	tests/unit/test_leavers \
	tests/unit/test_names_chain \
	tests/unit/test_metrics \
	tests/unit/test_org_names \
	tests/unit/test_plan \
	tests/unit/test_policy \
	tests/unit/test_preview \
	tests/unit/test_refusals \
	tests/unit/test_resync \
	tests/unit/test_resync_death \
	tests/unit/test_seal \
	tests/unit/test_secret_ref \
	tests/unit/test_snapshot \
	tests/unit/test_store \
	tests/unit/test_store_delivery \
	tests/unit/test_store_file \
	tests/unit/test_store_read \
	tests/unit/test_store_history \
	tests/unit/test_store_log \
	tests/unit/test_store_news \
	tests/unit/test_store_retention \
	tests/unit/test_store_schema \
	tests/unit/test_value \
	tests/unit/test_watch

# Makes the committed page anew from the tables.
messages-docs: tests/unit/test_codes
	tests/unit/test_codes --print >$(srcdir)/docs/messages.md
endif
EXTRA_DIST += tests/golden/store tests/golden/codes docs/messages.md
