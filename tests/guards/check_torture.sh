#!/bin/sh
# The table of faults in tests/torture/README.md and the tests it names are the same.
. "${0%/*}/frame.sh"

torture=$top/tests/torture
need "$torture/README.md"
need "$torture/faults.c"
need "$torture/crash.c"
make_work
sed -n 's/^| [^|]* | \(crash\|faults\) | \(.*\) |$/\1 \2/p' "$torture/README.md" | sort >"$work/listed"
{
	sed -n 's/^ *{ \.name = "\([^"]*\)".*/faults \1/p' "$torture/faults.c"
	sed -n 's/^ *{ "\([^"]*\)", { SHIM_.*/crash \1/p' "$torture/crash.c"
} | sort >"$work/there"
[ -s "$work/there" ] || die "$torture: no faults are found in faults.c and crash.c"
comm -12 "$work/listed" "$work/there" >"$work/both"
while read -r _; do ok; done <"$work/both"
comm -23 "$work/listed" "$work/there" >"$work/lost"
while read -r row; do bad "tests/torture/README.md: its table names '$row', which no source has"; done <"$work/lost"
comm -13 "$work/listed" "$work/there" >"$work/new"
while read -r row; do bad "tests/torture/README.md: its table lacks '$row'"; done <"$work/new"
finish
