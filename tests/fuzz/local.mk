# Fuzz targets. `make check` replays their corpus with any compiler; `make fuzz` builds them anew with
# clang and libFuzzer and runs each for FUZZ_SECONDS.
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/fuzz.mk

FUZZ_SECONDS = 60
FUZZ_TARGETS = address answer csv event fields json ldif mapping path pattern soql
fuzz_replay = tests/fuzz/replay.c tests/fuzz/fuzz.h
fuzz_lists = hosts/cli/csv.c hosts/cli/fault.c hosts/cli/ldif.c hosts/cli/lines.c hosts/adapter/text.c

.PHONY: fuzz
fuzz:
	@$(MAKE) --no-print-directory -f $(abs_top_srcdir)/tests/fuzz/fuzz.mk top='$(abs_top_srcdir)' \
		out='$(abs_top_builddir)/fuzz' targets='$(FUZZ_TARGETS)' seconds='$(FUZZ_SECONDS)' \
		plugin_sources='$(filter %.c,$(libsfprov_la_SOURCES))' \
		org_sources='$(filter %.c,$(liborg_la_SOURCES))' \
		list_sources='$(fuzz_lists)' cppflags='$(DEFS) $(AM_CPPFLAGS)' \
		libs='$(libsfprov_la_LIBADD)'

if BUILD_TESTS
fuzz_programs = \
	tests/fuzz/replay_address \
	tests/fuzz/replay_answer \
	tests/fuzz/replay_csv \
	tests/fuzz/replay_event \
	tests/fuzz/replay_fields \
	tests/fuzz/replay_json \
	tests/fuzz/replay_ldif \
	tests/fuzz/replay_mapping \
	tests/fuzz/replay_path \
	tests/fuzz/replay_pattern \
	tests/fuzz/replay_soql
check_PROGRAMS += $(fuzz_programs)
tests_fuzz_replay_address_SOURCES = tests/fuzz/fuzz_address.c $(fuzz_replay)
tests_fuzz_replay_address_LDADD = libsfprov.la
tests_fuzz_replay_answer_SOURCES = tests/fuzz/fuzz_answer.c $(fuzz_replay)
tests_fuzz_replay_answer_LDADD = libsfprov.la
tests_fuzz_replay_csv_SOURCES = tests/fuzz/fuzz_csv.c tests/fuzz/pieces.h $(fuzz_lists) $(fuzz_replay)
tests_fuzz_replay_csv_LDADD = $(JSONC_LIBS)
tests_fuzz_replay_event_SOURCES = tests/fuzz/fuzz_event.c $(fuzz_replay)
tests_fuzz_replay_event_LDADD = libsfprov.la
tests_fuzz_replay_fields_SOURCES = tests/fuzz/fuzz_fields.c $(fuzz_replay)
tests_fuzz_replay_fields_LDADD = libsfprov.la
tests_fuzz_replay_json_SOURCES = tests/fuzz/fuzz_json.c $(fuzz_replay)
tests_fuzz_replay_json_LDADD = libsfprov.la
tests_fuzz_replay_ldif_SOURCES = tests/fuzz/fuzz_ldif.c tests/fuzz/pieces.h $(fuzz_lists) $(fuzz_replay)
tests_fuzz_replay_ldif_LDADD = $(JSONC_LIBS)
tests_fuzz_replay_mapping_SOURCES = tests/fuzz/fuzz_mapping.c $(fuzz_replay)
tests_fuzz_replay_mapping_LDADD = libsfprov.la
tests_fuzz_replay_path_SOURCES = tests/fuzz/fuzz_path.c $(fuzz_replay)
tests_fuzz_replay_path_LDADD = libsfprov.la
tests_fuzz_replay_pattern_SOURCES = tests/fuzz/fuzz_pattern.c $(fuzz_replay)
tests_fuzz_replay_pattern_LDADD = libsfprov.la
tests_fuzz_replay_soql_SOURCES = tests/fuzz/fuzz_soql.c $(fuzz_replay)
tests_fuzz_replay_soql_LDADD = liborg.la $(JSONC_LIBS)
TESTS += $(fuzz_programs)
endif
