dist_man_MANS += docs/man/sfprov.1
dist_man_MANS += docs/man/sfprov-connector.7
