#!/bin/sh
# Each fault in tests/mutants/list can still be put into the code, and the test that must fail then exists.
. "${0%/*}/frame.sh"

need "$top/tests/mutants/list"
need_command python3 "tests/mutants/mutants.py reads the list"
make_work
srcdir=$top PYTHONDONTWRITEBYTECODE=1 python3 "$top/tests/mutants/mutants.py" --check >"$work/said" 2>&1 || failed=1
passed=$(sed -n 's/^\([0-9]*\) mutants$/\1/p' "$work/said")
grep -v '^[0-9]* mutants$' "$work/said"
[ "${passed:-0}" -gt 0 ] || die "tests/mutants/list: no mutants were looked at"
finish
