# sfprov(1), and a page for each command
dist_man_MANS += docs/man/sfprov.1 docs/man/sfprov-connector.7 \
	docs/man/sfprov-check.1 \
	docs/man/sfprov-collisions.1 \
	docs/man/sfprov-deliver.1 \
	docs/man/sfprov-fields.1 \
	docs/man/sfprov-follow.1 \
	docs/man/sfprov-hold.1 \
	docs/man/sfprov-drift.1 \
	docs/man/sfprov-list.1 \
	docs/man/sfprov-login.1 \
	docs/man/sfprov-match.1 \
	docs/man/sfprov-org.1 \
	docs/man/sfprov-preview.1 \
	docs/man/sfprov-release.1 \
	docs/man/sfprov-replan.1 \
	docs/man/sfprov-resume.1 \
	docs/man/sfprov-retry.1 \
	docs/man/sfprov-run.1 \
	docs/man/sfprov-show.1 \
	docs/man/sfprov-status.1 \
	docs/man/sfprov-store.1 \
	docs/man/sfprov-submit.1 \
	docs/man/sfprov-sync.1
man_MANS = docs/man/sfprov-fields.5
CLEANFILES += docs/man/sfprov-fields.5
EXTRA_DIST += docs/hosts/openldap.md docs/hosts/389ds.md docs/hosts/kerberos.md docs/hosts/samba.md
EXTRA_DIST += docs/login/README.md docs/login/client-credentials.md docs/login/jwt-bearer.md \
	docs/login/refresh-token.md docs/login/username-password.md
EXTRA_DIST += docs/man/sfprov-fields.5.in docs/architecture.md docs/patterns.md \
	docs/monitoring.md docs/monitoring/sfprov-metrics.service docs/monitoring/sfprov-metrics.timer \
	docs/monitoring/sfprov.rules.yml \
	docs/performance.md docs/promises.md docs/secrets.md docs/first-hour.md docs/messages.md \
	docs/columns.sample.json \
	CHANGELOG.md CONTRIBUTING.md SECURITY.md

docs/man/sfprov-fields.5: docs/man/sfprov-fields.5.in docs/man/fields.mdoc.inc
	$(AM_V_GEN)mkdir -p docs/man && sed -e '/@FIELDS@/{r $(srcdir)/docs/man/fields.mdoc.inc' -e 'd' -e '}' \
		$(srcdir)/docs/man/sfprov-fields.5.in >$@.tmp && mv $@.tmp $@
