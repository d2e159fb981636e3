#!/bin/sh
# The man pages are well formed and complete: sfprov(1) has every command of the program and the
# options of all, sfprov-COMMAND(1) those of its own, sfprov-connector(7) every method, query and act
# of the plugin, and nothing that is not there. The program tells its commands and options itself.
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

# options_of FILE "HEADING": the long options below a heading of a help text
options_of()
{
	awk -v heading="$2" '
		$0 == heading { on = 1; next }
		/^[^ ]/ || /^$/ { on = 0 }
		on && match($0, /--[a-z][a-z-]*/) { print substr($0, RSTART + 2, RLENGTH - 2) }' "$1"
}

# options_in PAGE: the long options that its lists describe
options_in()
{
	awk '/^\.It Fl / {
		while (match($0, /Fl -[a-z][a-z-]*/)) {
			print substr($0, RSTART + 4, RLENGTH - 4)
			$0 = substr($0, RSTART + RLENGTH)
		}
	}' "$1"
}

"$program" --help >"$work/help" 2>&1 || die "$program --help failed: $(cat "$work/help")"
awk '/^Options/ { exit } /^  [a-z]/ && $1 != "help" { print $1 }' "$work/help" >"$work/known"
awk '/^\.S[hs] / { on = $0 ~ /COMMANDS/ || (on && $1 == ".Ss") }
	on && /^\.It Cm / { print $3 }' "$commands" >"$work/known.man"
same "$work/known" "$work/known.man" "sfprov --help" "$commands" ".Sh COMMANDS, .It Cm"
options_of "$work/help" "Options of every command:" >"$work/common"
options_in "$commands" >"$work/common.man"
same "$work/common" "$work/common.man" "sfprov --help" "$commands" ".It Fl"
while read -r name; do
	page=$man/sfprov-$name.1
	[ -f "$page" ] || { bad "$page: cannot be found; every command has a page"; continue; }
	grep -q "^\.Xr sfprov-$name 1" "$commands" || bad "$commands: refers nowhere to sfprov-$name(1)"
	"$program" help "$name" >"$work/help" 2>&1 || die "$program help $name: $(cat "$work/help")"
	echo help >"$work/own" # so that a command without options is compared as well
	echo help >"$work/own.man"
	options_of "$work/help" "Options:" >>"$work/own"
	options_in "$page" >>"$work/own.man"
	same "$work/own" "$work/own.man" "sfprov help $name" "$page" ".It Fl"
done <"$work/known"
for page in "$man"/sfprov-*.1; do
	name=${page##*/sfprov-}
	grep -qx "${name%.1}" "$work/known" || bad "$page: there is no such command"
	grep -q "docs/man/sfprov-$name" "$top/docs/local.mk" || bad "$page: docs/local.mk installs it not"
done

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
