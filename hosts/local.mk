bin_PROGRAMS += sfprov
sfprov_SOURCES = \
	hosts/cli/adapter_file.c hosts/cli/adapter_file.h \
	hosts/cli/answers.c hosts/cli/answers.h \
	hosts/cli/browser.c hosts/cli/browser.h \
	hosts/cli/changes.c hosts/cli/changes.h \
	hosts/cli/cli.h \
	hosts/cli/cmd_events.c \
	hosts/cli/cmd_fields.c \
	hosts/cli/cmd_follow.c \
	hosts/cli/cmd_login.c \
	hosts/cli/cmd_look.c \
	hosts/cli/story.c hosts/cli/story.h \
	hosts/cli/cmd_collisions.c \
	hosts/cli/cmd_drift.c \
	hosts/cli/cmd_match.c \
	hosts/cli/cmd_org.c \
	hosts/cli/cmd_replan.c \
	hosts/cli/cmd_run.c \
	hosts/cli/cmd_status.c \
	hosts/cli/cmd_store.c \
	hosts/cli/cmd_sync.c \
	hosts/cli/column.c hosts/cli/column.h \
	hosts/cli/columns.c hosts/cli/columns.h \
	hosts/cli/commands.c hosts/cli/commands.h \
	hosts/cli/complete.c \
	hosts/cli/csv.c hosts/cli/csv.h \
	hosts/cli/daemon.c hosts/cli/daemon.h \
	hosts/cli/drive.c hosts/cli/drive.h \
	hosts/cli/fact.c hosts/cli/fact.h \
	hosts/cli/fault.c hosts/cli/fault.h \
	hosts/cli/follow_age.c hosts/cli/follow_age.h \
	hosts/cli/fnv.h hosts/cli/follow_groups.c hosts/cli/follow_groups.h \
	hosts/cli/follow_list.c hosts/cli/follow_list.h \
	hosts/cli/follow_mark.c hosts/cli/follow_mark.h \
	hosts/cli/follow_news.c hosts/cli/follow_news.h \
	hosts/cli/follow_pace.c hosts/cli/follow_pace.h \
	hosts/cli/follow_reports.c hosts/cli/follow_reports.h \
	hosts/cli/follow_state.c hosts/cli/follow_state.h \
	hosts/cli/host.c hosts/cli/host.h \
	hosts/cli/input.c hosts/cli/input.h \
	hosts/cli/ldif.c hosts/cli/ldif.h \
	hosts/cli/letters.h \
	hosts/cli/lines.c hosts/cli/lines.h \
	hosts/cli/main.c \
	hosts/cli/pages.c hosts/cli/pages.h \
	hosts/cli/people.c hosts/cli/people.h \
	hosts/cli/person.c hosts/cli/person.h \
	hosts/cli/program.c hosts/cli/program.h \
	hosts/cli/reply.h \
	hosts/cli/resolve.c hosts/cli/resolve.h \
	hosts/cli/screen.c hosts/cli/screen.h \
	hosts/cli/strict.c hosts/cli/strict.h \
	hosts/cli/subjects.c hosts/cli/subjects.h \
	hosts/cli/table.c hosts/cli/table.h \
	hosts/cli/usage.c \
	hosts/cli/users.c hosts/cli/users.h \
	hosts/adapter/config.c hosts/adapter/config.h \
	hosts/adapter/names.c hosts/adapter/names.h \
	hosts/adapter/settings.c hosts/adapter/settings.h \
	hosts/adapter/text.c hosts/adapter/text.h \
	hosts/adapter/token.c hosts/adapter/token.h \
	hosts/adapter/unreadable.c hosts/adapter/unreadable.h \
	hosts/ldap/content.c hosts/ldap/content.h \
	hosts/ldap/cookie.c hosts/ldap/cookie.h \
	hosts/ldap/entry.c hosts/ldap/entry.h \
	hosts/ldap/groups.c hosts/ldap/groups.h \
	hosts/ldap/member.c hosts/ldap/member.h \
	hosts/ldap/connection.c hosts/ldap/connection.h \
	hosts/ldap/search.c hosts/ldap/search.h
sfprov_CPPFLAGS = $(AM_CPPFLAGS) $(LDAP_CFLAGS) -DPLUGIN_PATH='"$(libdir)/sfprov/sfprov.so"' \
	-DPACKAGE_VERSION='"$(PACKAGE_VERSION)"'
sfprov_LDADD = $(JSONC_LIBS) $(LDAP_LIBS) -ldl

# deliver beside a server; follow a directory
nodist_systemdsystemunit_DATA = hosts/systemd/sfprov@.service hosts/systemd/sfprov-follow@.service
EXTRA_DIST += hosts/systemd/sfprov@.service.in hosts/systemd/sfprov-follow@.service.in \
	hosts/systemd/sfprov-principals.service.in
CLEANFILES += $(nodist_systemdsystemunit_DATA)

$(nodist_systemdsystemunit_DATA): %: %.in
	$(AM_V_GEN)$(MKDIR_P) hosts/systemd && \
		sed 's|@bindir[@]|$(bindir)|; s|@sbindir[@]|$(sbindir)|' '$<' >'$@.tmp' && mv '$@.tmp' '$@'

EXTRA_DIST += tests/golden/lists

if BUILD_TESTS
# the pure files that read lists
list_readers = hosts/cli/column.c hosts/cli/columns.c hosts/cli/csv.c hosts/cli/fault.c \
	hosts/cli/ldif.c hosts/cli/lines.c hosts/cli/people.c hosts/cli/person.c hosts/cli/strict.c \
	hosts/cli/users.c hosts/adapter/text.c hosts/ldap/entry.c
check_PROGRAMS += tests/unit/test_csv tests/unit/test_people
tests_unit_test_csv_SOURCES = tests/unit/test_csv.c $(list_readers) hosts/cli/input.c
tests_unit_test_csv_LDADD = libunit.la $(JSONC_LIBS)
tests_unit_test_people_SOURCES = tests/unit/test_people.c $(list_readers)
tests_unit_test_people_LDADD = libunit.la $(JSONC_LIBS)
check_PROGRAMS += tests/unit/test_entry
tests_unit_test_entry_SOURCES = tests/unit/test_entry.c hosts/cli/column.c hosts/cli/columns.c \
	hosts/cli/fault.c hosts/cli/person.c hosts/cli/strict.c hosts/ldap/entry.c hosts/ldap/member.c hosts/adapter/text.c hosts/adapter/token.c hosts/slapi/waiting.c
tests_unit_test_entry_LDADD = libunit.la $(JSONC_LIBS)
check_PROGRAMS += tests/unit/test_text
tests_unit_test_text_SOURCES = tests/unit/test_text.c hosts/adapter/text.c hosts/cli/column.c hosts/cli/fault.c \
	hosts/cli/person.c
tests_unit_test_text_LDADD = libunit.la $(JSONC_LIBS)
check_PROGRAMS += tests/unit/test_cookie
tests_unit_test_cookie_SOURCES = tests/unit/test_cookie.c hosts/ldap/cookie.c
tests_unit_test_cookie_LDADD = libunit.la
check_PROGRAMS += tests/unit/test_pace
tests_unit_test_pace_SOURCES = tests/unit/test_pace.c hosts/cli/follow_pace.c
tests_unit_test_pace_LDADD = libunit.la
# with the connector in it, that it loads from itself
check_PROGRAMS += tests/unit/test_submit
tests_unit_test_submit_SOURCES = tests/unit/test_submit.c $(adapter_sources) hosts/cli/column.c hosts/cli/person.c \
	$(sfprov_la_SOURCES)
tests_unit_test_submit_CPPFLAGS = $(AM_CPPFLAGS) -DPLUGIN_PATH=NULL
tests_unit_test_submit_LDADD = libunit.la libsfprov.la -ldl
tests_unit_test_submit_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
check_PROGRAMS += tests/unit/test_reports
tests_unit_test_reports_SOURCES = tests/unit/test_reports.c hosts/cli/follow_reports.c \
	hosts/cli/column.c hosts/cli/columns.c hosts/cli/fault.c hosts/ldap/member.c
tests_unit_test_reports_LDADD = libunit.la $(JSONC_LIBS)
tests_unit_test_reports_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=open_memstream
TESTS += tests/unit/test_csv tests/unit/test_people tests/unit/test_entry tests/unit/test_text tests/unit/test_cookie tests/unit/test_pace \
	tests/unit/test_submit tests/unit/test_reports
endif

EXTRA_DIST += scripts/packages.txt scripts/install-packages scripts/demo \
	scripts/demo.d/org.py scripts/demo.d/people-1.csv scripts/demo.d/people-2.csv

# Where the shells look for completions by themselves; a distribution may have places of its own.
bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_zshcompletion_DATA = hosts/completion/_sfprov
dist_fishcompletion_DATA = hosts/completion/sfprov.fish
EXTRA_DIST += hosts/completion/sfprov.bash

# bash finds a completion by the name of the command
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) $(srcdir)/hosts/completion/sfprov.bash '$(DESTDIR)$(bashcompletiondir)/sfprov'
uninstall-local:
	rm -f '$(DESTDIR)$(bashcompletiondir)/sfprov'

# for who writes a host
examplesdir = $(docdir)/examples
dist_examples_DATA = hosts/example/host.c hosts/python/minimal_host.py
