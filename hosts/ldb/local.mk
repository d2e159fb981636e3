# The adapter for Samba's domain controller, a module of its database (ldb).
if LDB_MODULE
pluginexec_LTLIBRARIES += sfprov-ldb.la
sfprov_ldb_la_SOURCES = \
	hosts/ldb/adapter.c hosts/ldb/adapter.h \
	hosts/ldb/changes.c hosts/ldb/changes.h \
	hosts/ldb/cursor.c hosts/ldb/cursor.h \
	hosts/ldb/directory.c hosts/ldb/directory.h \
	hosts/ldb/membership.c hosts/ldb/membership.h \
	hosts/ldb/module.c \
	hosts/ldb/password.c hosts/ldb/password.h \
	$(directory_sources)
sfprov_ldb_la_CPPFLAGS = $(AM_CPPFLAGS) $(LDB_CFLAGS) -DPLUGIN_PATH='"$(libdir)/sfprov/sfprov.so"' \
	-DPACKAGE_VERSION='"$(PACKAGE_VERSION)"'
sfprov_ldb_la_LDFLAGS = $(adapter_ldflags) -export-symbols-regex '^ldb_init_module$$'
sfprov_ldb_la_LIBADD = $(JSONC_LIBS) $(LDB_LIBS) -ldl
endif

if BUILD_TESTS
check_PROGRAMS += tests/unit/test_cursor
tests_unit_test_cursor_SOURCES = tests/unit/test_cursor.c hosts/ldb/cursor.c hosts/cli/fault.c
tests_unit_test_cursor_LDADD = libunit.la $(JSONC_LIBS)
TESTS += tests/unit/test_cursor
endif
