# What the adapters share that servers load. They see the public header, and the server's.
adapter_sources = \
	hosts/adapter/names.c hosts/adapter/names.h \
	hosts/adapter/settings.c hosts/adapter/settings.h \
	hosts/adapter/submit.c hosts/adapter/submit.h \
	hosts/adapter/text.c hosts/adapter/text.h \
	hosts/adapter/token.c hosts/adapter/token.h \
	hosts/cli/fault.c hosts/cli/fault.h hosts/cli/input.c hosts/cli/input.h \
	hosts/cli/strict.c hosts/cli/strict.h
# A module that a server loads once and never gives up.
adapter_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared \
	-Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,-Bsymbolic
# and those for directories
directory_sources = $(adapter_sources) \
	hosts/adapter/config.c hosts/adapter/config.h \
	hosts/adapter/unreadable.c hosts/adapter/unreadable.h \
	hosts/cli/column.c hosts/cli/columns.c hosts/cli/person.c \
	hosts/ldap/entry.c hosts/ldap/entry.h
