#!/bin/sh
# The man pages are well formed and complete: every command of the program stands in sfprov(1), every
# method, query and act of the plugin in sfprov-connector(7), and nothing that is not there.
. "${0%/*}/frame.sh"

man=$top/docs/man
commands=$man/sfprov.1
connector=$man/sfprov-connector.7
requests=$top/plugin/requests.c
header=$top/include/provisioning/connector.h
program=$build/sfprov
for input in "$commands" "$connector" "$requests" "$header"; do
	need "$input"
done
need "$program" "build the program first (make)"
make_work

# same FILE_A FILE_B "who A is" "who B is": the words of both lists are the same
same()
{
	[ -s "$1" ] || die "$3: no names found, so nothing was checked"
	sort -u "$1" -o "$1"
	sort -u "$2" -o "$2"
	passed=$((passed + $(comm -12 "$1" "$2" | wc -l)))
	for name in $(comm -23 "$1" "$2"); do
		bad "$4: '$name' of $3 is missing; it is looked for as '$5 $name'"
	done
	for name in $(comm -13 "$1" "$2"); do
		bad "$4: '$name' is described, and $3 does not know it"
	done
}

# The items of a list of the page between two headings, by macro.
items()
{
	awk -v from="$2" -v macro="$3" '
		/^\.S[hs] / { on = index($0, from) > 0 }
		on && $1 == ".It" && $2 == macro { print $3 }' "$1"
}

"$program" --help >"$work/help" 2>&1 || die "$program --help failed: $(cat "$work/help")"
awk '/^Options/ { exit } /^  [a-z]/ { print $1 }' "$work/help" >"$work/known"
while read -r name; do
	if grep -Eq "^\.(It|Ss|Ic|Nm|Cm|Ar).*(^|[^a-z])$name([^a-z]|$)" "$commands"; then
		ok
	else
		bad "$commands: the command '$name' of sfprov --help is missing"
	fi
done <"$work/known"
[ -s "$work/known" ] || die "$program --help: names no commands, so nothing was checked"

for kind in query act; do
	sed -n "s/.*request_$kind(.*/&/p" "$requests" | grep -q . || die "$requests: no request_$kind()"
	# { "name", query_name } of the table inside request_query()
	awk -v start="^request_$kind\\\\(" '
		$0 ~ start { on = 1 }
		on && /^}/ { exit }
		on {
			while (match($0, /\{ *"[a-z_]+"/)) {
				name = substr($0, RSTART, RLENGTH)
				gsub(/[^a-z_]/, "", name)
				print name
				$0 = substr($0, RSTART + RLENGTH)
			}
		}' "$requests" >"$work/$kind"
done
items "$connector" QUERIES Cm >"$work/query.man"
items "$connector" ACTS Cm >"$work/act.man"
same "$work/query" "$work/query.man" "plugin/requests.c" "$connector" ".Sh QUERIES, .It Cm"
same "$work/act" "$work/act.man" "plugin/requests.c" "$connector" ".Sh ACTS, .It Cm"

awk '/^struct prov_vtable/ { on = 1 } on && /^};/ { exit }
	on && match($0, /\(\*[a-z_]+\)\(/) { print substr($0, RSTART + 2, RLENGTH - 4) }' "$header" \
	>"$work/methods"
items "$connector" METHODS Fn >"$work/methods.man"
same "$work/methods" "$work/methods.man" "connector.h" "$connector" ".Sh METHODS, .It Fn"

# Codes and flags: named at least once.
for name in $(sed -n 's/^ *\(PROV_[A-Z_]*\) = .*/\1/p' "$header" | grep -v '^PROV_LOG_'); do
	if grep -q "$name" "$connector"; then
		ok
	else
		bad "$connector: $name of connector.h is missing"
	fi
done

# The hosts of the examples are what people begin with.
cut_example()
{
	awk -v from="begin $1 " -v to="end $1" '
		index($0, from) { on = 1; next }
		index($0, to) { exit }
		on && !/^\.(Bd|Ed)/' "$connector" | sed 's/\\e/\\/g' >"$work/$1"
	[ -s "$work/$1" ] || die "$connector: the example $1 cannot be found"
}
cut_example host.c
cut_example host.py
# shellcheck disable=SC2086 # CC may be "gcc -m64"
if ${CC:-cc} -std=c99 -Wall -Wextra -Werror -I"$top/include" -c -o "$work/host.o" "$work/host.c" \
	>"$work/said" 2>&1; then
	ok
else
	bad "$connector: the host in C does not compile: $(cat "$work/said")"
fi
if command -v python3 >/dev/null 2>&1; then
	if python3 -c 'compile(open(__import__("sys").argv[1]).read(), "host.py", "exec")' \
		"$work/host.py" >"$work/said" 2>&1; then
		ok
	else
		bad "$connector: the host in Python is no Python: $(cat "$work/said")"
	fi
else
	echo "python3 is not installed: the host in Python was not looked at"
fi

need_command mandoc "the form of the man pages was not checked; install mandoc"
pages=0
for page in "$man"/*.[1-8]; do
	[ -f "$page" ] || continue
	pages=$((pages + 1))
	if mandoc -T lint -W warning "$page" >"$work/lint" 2>&1; then
		ok
	else
		bad "$(cat "$work/lint")"
	fi
done
[ "$pages" -ge 2 ] || die "$man: only $pages pages found"
finish
