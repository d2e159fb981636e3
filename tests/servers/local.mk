# Real servers with the adapters loaded: a group of its own, since the servers are large.
# `make check` leaves it out; `make check-servers` runs it, as scripts/test does.
EXTRA_DIST += tests/servers/servers.py tests/servers/common.py tests/servers/slapd.py \
	tests/servers/ns389.py tests/servers/test_openldap.py tests/servers/test_389ds.py \
	tests/servers/test_sync.py tests/servers/bench.py tests/servers/test_follow.py tests/servers/followers.py \
	tests/servers/test_follow_list.py tests/servers/test_follow_peer.py \
	tests/servers/kerberos.py tests/servers/test_kerberos.py tests/servers/test_kerberos_iprop.py \
	tests/servers/samba.py tests/servers/test_samba.py tests/servers/test_samba_domains.py
server_tests = tests/servers/test_sync.py tests/servers/test_follow.py tests/servers/test_follow_list.py \
	tests/servers/test_follow_peer.py
adapter_tests =
servers_not_built =
if SLAPI_OPENLDAP
adapter_tests += tests/servers/test_openldap.py
else
servers_not_built += OpenLDAP
endif

if SLAPI_389
adapter_tests += tests/servers/test_389ds.py
else
servers_not_built += 389DS
endif

if KADM5
adapter_tests += tests/servers/test_kerberos.py
server_tests += tests/servers/test_kerberos_iprop.py
else
servers_not_built += Kerberos
endif

if LDB_MODULE
adapter_tests += tests/servers/test_samba.py
server_tests += tests/servers/test_samba_domains.py
else
servers_not_built += Samba
endif

.PHONY: check-servers
check-servers: all
	@$(MAKE) $(AM_MAKEFLAGS) tests/org/sfprov-org
	@for name in $(servers_not_built); do echo "left out: $$name, whose adapter is not built"; done
	@failed=0; for test in $(server_tests) $(adapter_tests); do \
		srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' PYTHONDONTWRITEBYTECODE=1 \
			timeout 1200 python3 $(srcdir)/$$test || failed=1; \
	done; exit $$failed

# In each server that loads an adapter, the memory over so many changes of people (part of `make soak`).
SOAK_OPERATIONS = 100000
.PHONY: soak-servers
soak-servers: all
	@$(MAKE) $(AM_MAKEFLAGS) tests/org/sfprov-org
	@for name in $(servers_not_built); do echo "left out: $$name, whose adapter is not built"; done
	@failed=0; for test in $(adapter_tests); do \
		srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' PYTHONDONTWRITEBYTECODE=1 \
			SFPROV_OPERATIONS=$(SOAK_OPERATIONS) \
			timeout 3600 python3 $(srcdir)/$$test memory_is_flat || failed=1; \
	done; exit $$failed
