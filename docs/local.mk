dist_man_MANS += docs/man/sfprov.1
