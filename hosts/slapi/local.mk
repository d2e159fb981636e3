# The adapters that directory servers load.
slapi_sources = \
	hosts/slapi/adapter.c hosts/slapi/adapter.h \
	hosts/slapi/changes.c hosts/slapi/changes.h \
	hosts/slapi/directory.c hosts/slapi/directory.h \
	hosts/slapi/order.c hosts/slapi/order.h \
	hosts/ldap/member.c hosts/ldap/member.h hosts/slapi/waiting.c hosts/slapi/waiting.h \
	$(directory_sources)
slapi_cppflags = $(AM_CPPFLAGS) -DPLUGIN_PATH='"$(libdir)/sfprov/sfprov.so"' \
	-DPACKAGE_VERSION='"$(PACKAGE_VERSION)"'
# The server has the functions it offers; -z defs would look for them here.
slapi_ldflags = $(adapter_ldflags) -export-symbols-regex '^sfprov_init$$'

if SLAPI_OPENLDAP
pluginexec_LTLIBRARIES += sfprov-slapi.la
sfprov_slapi_la_SOURCES = hosts/slapi/openldap.c hosts/slapi/stored.c hosts/slapi/stored.h $(slapi_sources)
sfprov_slapi_la_CPPFLAGS = $(slapi_cppflags)
sfprov_slapi_la_LDFLAGS = $(slapi_ldflags)
sfprov_slapi_la_LIBADD = $(JSONC_LIBS) -llber -ldl
endif

# The two servers' headers have one name and different contents: 389's come first here.
if SLAPI_389
pluginexec_LTLIBRARIES += sfprov-389.la
sfprov_389_la_SOURCES = hosts/slapi/ds389.c $(slapi_sources)
sfprov_389_la_CPPFLAGS = $(DIRSRV_CFLAGS) $(slapi_cppflags)
sfprov_389_la_LDFLAGS = $(slapi_ldflags)
sfprov_389_la_LIBADD = $(JSONC_LIBS) -llber -ldl
endif
