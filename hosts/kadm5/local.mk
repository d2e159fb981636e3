# The adapter that MIT Kerberos' kadmind and kadmin.local load.
if KADM5
pluginexec_LTLIBRARIES += sfprov-kadm5.la
sfprov_kadm5_la_SOURCES = \
	hosts/kadm5/kadm5.c \
	hosts/kadm5/config.c hosts/kadm5/config.h \
	hosts/kadm5/people.c hosts/kadm5/people.h \
	hosts/cli/column.c hosts/cli/person.c \
	$(adapter_sources)
sfprov_kadm5_la_CPPFLAGS = $(AM_CPPFLAGS) -DPLUGIN_PATH='"$(libdir)/sfprov/sfprov.so"' \
	-DPACKAGE_VERSION='"$(PACKAGE_VERSION)"'
sfprov_kadm5_la_LDFLAGS = $(adapter_ldflags) -export-symbols-regex '^kadm5_hook_sfprov_initvt$$' $(ZDEFS)
# libkdb5: a server with another layout of its entries does not load it
sfprov_kadm5_la_LIBADD = $(JSONC_LIBS) -lkdb5 -lkrb5 -lcom_err -ldl

# the persons of the realm as a list
sbin_PROGRAMS = sfprov-principals
sfprov_principals_SOURCES = \
	hosts/kadm5/principals.c hosts/kadm5/config.c \
	hosts/adapter/settings.c hosts/cli/fault.c hosts/cli/input.c hosts/cli/program.c \
	hosts/cli/strict.c
sfprov_principals_CPPFLAGS = $(sfprov_kadm5_la_CPPFLAGS)
sfprov_principals_LDADD = $(JSONC_LIBS) -lkrb5
dist_man8_MANS = docs/man/sfprov-principals.8
nodist_systemdsystemunit_DATA += hosts/systemd/sfprov-principals.service
dist_systemdsystemunit_DATA = hosts/systemd/sfprov-principals.timer
endif
