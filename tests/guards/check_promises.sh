#!/bin/sh
# The tests that docs/promises.md names exist, and so do the rooms; docs/architecture.md names none that do not.
. "${0%/*}/frame.sh"

page=$top/docs/promises.md
need "$page"
need "$top/docs/architecture.md"
need "$top/tests/torture/faults.c"
make_work

# is_there WHAT: a test by the names of docs/promises.md
is_there()
{
	file=${1%%:*}
	name=
	[ "$file" = "$1" ] || name=${1#*:}
	case $file in
	model) [ -f "$top/tests/torture/model.c" ] ;;
	faults) grep -qF "{ .name = \"$name\"" "$top/tests/torture/faults.c" ;;
	crash) grep -qF "{ \"$name\", { SHIM_" "$top/tests/torture/crash.c" ;;
	e2e/*) grep -q "^def test_${name:-.*}(" "$top/tests/e2e/test_${file#e2e/}.py" 2>/dev/null ;;
	unit/*) grep -q "UNIT_CASE[A-Z_]*(${name:-.*})" "$top/tests/unit/test_${file#unit/}.c" 2>/dev/null ;;
	*) return 1 ;;
	esac
}

sed -n 's/^| [^|]* | [^|]* | \(.*\) |$/\1/p' "$page" | grep -v '^shown by$' |
	grep -o '`[^`]*`' | tr -d '`' | sort -u >"$work/tests"
[ -s "$work/tests" ] || die "docs/promises.md: no test is named"
while read -r test; do
	if is_there "$test"; then ok; else bad "docs/promises.md: there is no test '$test'"; fi
done <"$work/tests"

sed -n 's/^| [^|]* | \([^|]*\) | .* |$/\1/p' "$page" | grep -o '`[^`]*`' | tr -d '`' | sort -u >"$work/rooms"
while read -r room; do
	if [ -f "$top/plugin/$room" ] || [ -f "$top/$room" ]; then ok; else bad "docs/promises.md: there is no file '$room'"; fi
done <"$work/rooms"

# names of tests in the table of the rules: long ones with underscores
sed -n '/^## The rules and the tests/,$p' "$top/docs/architecture.md" | grep '^| ' | grep -o '`[a-z0-9_]*\(\.\.\.\)\{0,1\}`' |
	tr -d '`' | grep '_.*_' | sort -u >"$work/names"
[ -s "$work/names" ] || die "docs/architecture.md: no test is named"
while read -r name; do
	begin=${name%...}
	if [ -f "$top/tests/unit/$begin.c" ] || grep -rqE "(def test_|UNIT_CASE[A-Z_]*\()$begin" "$top/tests/e2e" "$top/tests/unit" "$top/tests/servers"; then
		ok
	else
		bad "docs/architecture.md: there is no test '$name'"
	fi
done <"$work/names"
finish
