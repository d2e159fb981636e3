#!/bin/sh
# The house rules that can be counted: what a file opens with, how long files and functions are,
# which functions of C are not used (sources.awk holds the list and the reasons), no marks of
# unfinished work. A function above the budget needs "/* long: reason */" directly above it.
. "${0%/*}/frame.sh"

lines_max=60
need_command ctags "install universal-ctags"
ctags --version 2>/dev/null | grep -q 'Universal Ctags' ||
	die "ctags: is not Universal Ctags, which alone tells where a function ends"
rules=${0%/*}/sources.awk
need "$rules"
make_work

sources "$work/files" -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.awk' -o -name '*.mk'
(cd "$top" && ls Makefile.am configure.ac) >>"$work/files" 2>/dev/null
grep -q '^configure.ac$' "$work/files" || die "$top/configure.ac: cannot be found"

case $rules in
/*) ;;
*) rules=$PWD/$rules ;;
esac
(cd "$top" && xargs awk -f "$rules") <"$work/files" >"$work/breaches" ||
	die "the sources could not be read"

# name, line, end of each function; "prototypes" have no end and are not asked for
grep '\.c$' "$work/files" | grep -v '^tests/' >"$work/code"
(cd "$top" && xargs ctags --languages=C --c-kinds=f --fields=+ne -f -) <"$work/code" \
	>"$work/tags" 2>"$work/said" || die "ctags failed: $(cat "$work/said")"
awk -F '\t' '{
	line = end = ""
	for (i = 4; i <= NF; i++) {
		if ($i ~ /^line:/)
			line = substr($i, 6)
		if ($i ~ /^end:/)
			end = substr($i, 5)
	}
	if (line && end)
		print $2, line, end, $1
}' "$work/tags" >"$work/functions"
[ "$(wc -l <"$work/functions")" -gt 100 ] || die "ctags found next to no functions: $(cat "$work/said")"
while read -r file line end name; do
	length=$((end - line + 1))
	[ "$length" -gt "$lines_max" ] || continue
	# the block of lines directly above the name: its comment and its return type
	if (cd "$top" && head -n "$((line - 1))" "$file") | awk '
		/^[ \t]*$/ || /^}/ { block = ""; next }
		{ block = block $0 }
		END { exit block !~ /\/\* long: [^ *]/ }'; then
		continue
	fi
	echo "$file:$line: $name() has $length lines, the budget is $lines_max: divide it, or say why" \
		"not in /* long: reason */ above it"
done <"$work/functions" >>"$work/breaches"

cat "$work/breaches"
failed=$(wc -l <"$work/breaches")
failed=$((failed))
passed=$(($(wc -l <"$work/files") + $(wc -l <"$work/functions") -
	$(cut -d: -f1 "$work/breaches" | sort -u | wc -l)))
finish
