#!/bin/sh
# The ABI header compiles alone as every language a host may be written in, and what it lays out is
# what was laid out before: abi.txt pins every size, place and value for x86-64. A new minor version
# appends to structs and enums (connector.h, Growth); then `check_header.sh --print >abi.txt`, and
# the difference must show added lines and larger sizes only.
. "${0%/*}/frame.sh"

header=$top/include/provisioning/connector.h
table=${0%/*}/abi.txt
cc=${CC:-cc}
cxx=${CXX:-c++}
need "$header"
need "$table"
need_command "${cc%% *}" "a C compiler is needed"
need_command "${cxx%% *}" "a C++ compiler is needed: a host may be C++ (package g++)"
make_work

# name, compiler, flags
compiles()
{
	name=$1
	shift
	# twice: its guard must hold
	printf '#include <provisioning/connector.h>\n#include <provisioning/connector.h>\n%s\n' \
		'int use(prov_connector_init_fn init); int use(prov_connector_init_fn init) { return init != 0; }' \
		>"$work/host.c"
	if "$@" -Wall -Wextra -Werror -I"$top/include" -c -o "$work/host.o" "$work/host.c" \
		>"$work/said" 2>&1; then
		ok
	else
		bad "$header: does not compile alone as $name:"
		cat "$work/said"
	fi
}
# shellcheck disable=SC2086 # CC may be "gcc -m64"
if [ "${1:-}" != --print ]; then
	compiles C99 $cc -std=c99 -pedantic -x c
	compiles C11 $cc -std=c11 -pedantic -Wstrict-prototypes -x c
	compiles C++11 $cxx -std=c++11 -pedantic -x c++
	compiles C++17 $cxx -std=c++17 -pedantic -x c++
fi

# A C program that prints every struct member and every value of the header.
awk '
function last_word(text)
{
	sub(/\[.*/, "", text)
	if (match(text, /\(\*[A-Za-z0-9_]+\)/))
		return substr(text, RSTART + 2, RLENGTH - 3)
	sub(/[ \t]+$/, "", text)
	match(text, /[A-Za-z0-9_]+$/)
	return substr(text, RSTART)
}
/^#define[ \t]+PROV_[A-Z0-9_]+[ \t]/ { values[++value_count] = $2 }
/^[ \t]*#/ { next }
{ all = all $0 "\n" }
END {
	while (match(all, /\/\*/)) { # comments
		before = substr(all, 1, RSTART - 1)
		rest = substr(all, RSTART + 2)
		if (!match(rest, /\*\//))
			exit 1
		all = before " " substr(rest, RSTART + 2)
	}
	print "#include <provisioning/connector.h>"
	print "#include <stdio.h>"
	print "int main(void) {"
	for (i = 1; i <= value_count; i++)
		printf "printf(\"value %s %%lld\\n\", (long long)%s);\n", values[i], values[i]
	while (match(all, /(struct|enum)[ \t\n]+[a-z_]+[ \t\n]*\{[^}]*\}/)) {
		block = substr(all, RSTART, RLENGTH)
		all = substr(all, RSTART + RLENGTH)
		gsub(/[ \t\n]+/, " ", block)
		split(block, words, " ")
		kind = words[1]
		name = words[2]
		sub(/^[^{]*\{/, "", block)
		sub(/\}$/, "", block)
		count = split(block, parts, kind == "struct" ? ";" : ",")
		if (kind == "struct")
			printf "printf(\"struct %s size %%zu\\n\", sizeof(struct %s));\n", name, name
		for (i = 1; i <= count; i++) {
			if (parts[i] ~ /^ *$/)
				continue
			if (kind == "enum") {
				sub(/=.*/, "", parts[i])
				gsub(/ /, "", parts[i])
				printf "printf(\"value %s %%lld\\n\", (long long)%s);\n", parts[i], parts[i]
				continue
			}
			member = last_word(parts[i])
			printf "printf(\"%s.%s at %%zu size %%zu\\n\", offsetof(struct %s, %s), " \
				"sizeof(((struct %s *)0)->%s));\n", name, member, name, member, name, member
		}
	}
	print "return 0; }"
}' "$header" >"$work/table.c" || die "$header: cannot be read as C"

# shellcheck disable=SC2086
$cc -I"$top/include" -o "$work/table" "$work/table.c" >"$work/said" 2>&1 ||
	die "$header: the program that prints its layout does not compile: $(cat "$work/said")"
printf '#if !defined(__x86_64__) || !defined(__LP64__)\n#error other\n#endif\n' >"$work/arch.c"
# shellcheck disable=SC2086
if ! $cc -c -o "$work/arch.o" "$work/arch.c" 2>/dev/null; then
	if [ "$failed" -eq 0 ]; then
		echo "abi.txt pins the layout of x86-64 only: not run on $(uname -m)"
		rm -rf "$work"
		echo "guard $guard: $passed passed, $failed failed"
		exit 77
	fi
	finish
fi
"$work/table" >"$work/is" || die "$header: the program that prints its layout failed"
if [ "${1:-}" = --print ]; then
	sed -n '/^#/p' "$table"
	cat "$work/is"
	rm -rf "$work"
	exit 0
fi
grep -v '^#' "$table" >"$work/pinned"
[ -s "$work/is" ] && [ -s "$work/pinned" ] || die "$table: is empty, so nothing was checked"
while read -r line; do
	if grep -qxF "$line" "$work/is"; then
		ok
	else
		at=$(grep -nxF "$line" "$table" | cut -d: -f1)
		bad "$table:$at: pinned, but no longer so: $line"
	fi
done <"$work/pinned"
grep -vxFf "$work/pinned" "$work/is" >"$work/new"
while read -r line; do
	bad "$header: not pinned in $table: $line"
done <"$work/new"
finish
