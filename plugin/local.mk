pluginexecdir = $(libdir)/sfprov
pluginexec_LTLIBRARIES = sfprov.la
sfprov_la_SOURCES = plugin/connector.c \
	plugin/lists.c plugin/lists.h \
	plugin/requests.c plugin/requests.h \
	plugin/resolve.c plugin/resolve.h \
	plugin/status.c plugin/status.h
libsfprov_la_SOURCES += plugin/metrics.c plugin/metrics.h \
	plugin/resync.c plugin/resync.h
sfprov_la_LIBADD = libsfprov.la
sfprov_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-export-symbols $(srcdir)/plugin/sfprov.sym \
	-Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now $(ZDEFS)
EXTRA_DIST += plugin/sfprov.sym

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = plugin/sfprov.pc
