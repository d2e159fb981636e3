# Real servers with the adapters loaded: a group of its own, since the servers are large.
# `make check` leaves it out; `make check-servers` runs it, as scripts/test does.
EXTRA_DIST += tests/servers/servers.py tests/servers/common.py tests/servers/slapd.py \
	tests/servers/ns389.py tests/servers/test_openldap.py tests/servers/test_389ds.py \
	tests/servers/test_sync.py tests/servers/bench.py tests/servers/test_follow.py tests/servers/followers.py \
	tests/servers/test_follow_peer.py \
	tests/servers/kerberos.py tests/servers/test_kerberos.py tests/servers/test_kerberos_iprop.py \
	tests/servers/samba.py tests/servers/test_samba.py tests/servers/test_samba_domains.py
server_tests = tests/servers/test_sync.py tests/servers/test_follow.py tests/servers/test_follow_peer.py
servers_not_built =
if SLAPI_OPENLDAP
server_tests += tests/servers/test_openldap.py
else
servers_not_built += OpenLDAP
endif

if SLAPI_389
server_tests += tests/servers/test_389ds.py
else
servers_not_built += 389DS
endif

if KADM5
server_tests += tests/servers/test_kerberos.py tests/servers/test_kerberos_iprop.py
else
servers_not_built += Kerberos
endif

if LDB_MODULE
server_tests += tests/servers/test_samba.py tests/servers/test_samba_domains.py
else
servers_not_built += Samba
endif

.PHONY: check-servers
check-servers: all
	@$(MAKE) $(AM_MAKEFLAGS) tests/org/sfprov-org
	@for name in $(servers_not_built); do echo "left out: $$name, whose adapter is not built"; done
	@failed=0; for test in $(server_tests); do \
		srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' PYTHONDONTWRITEBYTECODE=1 \
			timeout 1200 python3 $(srcdir)/$$test || failed=1; \
	done; exit $$failed
