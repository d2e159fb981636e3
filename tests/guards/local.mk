# Rules of the tree that no compiler knows. Each prints what breaks it, with file and line.
guards = \
	tests/guards/check_count.sh \
	tests/guards/check_exports.sh \
	tests/guards/check_header.sh \
	tests/guards/check_includes.sh \
	tests/guards/check_man.sh \
	tests/guards/check_mutants.sh \
	tests/guards/check_promises.sh \
	tests/guards/check_sources.sh \
	tests/guards/check_torture.sh
dist_check_SCRIPTS += $(guards)
TESTS += $(guards)
EXTRA_DIST += tests/guards/abi.txt tests/guards/frame.sh tests/guards/sources.awk
