dist_man_MANS += docs/man/sfprov.1 docs/man/sfprov-connector.7
man_MANS = docs/man/sfprov-fields.5
CLEANFILES += docs/man/sfprov-fields.5
EXTRA_DIST += docs/man/sfprov-fields.5.in docs/architecture.md docs/patterns.md \
	CHANGELOG.md CONTRIBUTING.md SECURITY.md

docs/man/sfprov-fields.5: docs/man/sfprov-fields.5.in docs/man/fields.mdoc.inc
	$(AM_V_GEN)mkdir -p docs/man && sed -e '/@FIELDS@/{r $(srcdir)/docs/man/fields.mdoc.inc' -e 'd' -e '}' \
		$(srcdir)/docs/man/sfprov-fields.5.in >$@.tmp && mv $@.tmp $@
