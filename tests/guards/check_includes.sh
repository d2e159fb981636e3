#!/bin/sh
# Who may include whom. The rooms stand in the order in which data moves (design 5), and a room sees
# only what is left of it; a third-party library has one owner file, so that replacing or fixing its
# use touches one place.
. "${0%/*}/frame.sh"

make_work
sources "$work/files" -name '*.[ch]'
(cd "$top" && xargs grep -nE '^[ \t]*#[ \t]*include' /dev/null) <"$work/files" >"$work/includes"
[ -s "$work/includes" ] || die "$top: no #include found, so nothing was checked"

# Each room must be there, else its rules would hold for nothing.
for room in plugin/base plugin/scim plugin/event patterns schema plugin/salesforce plugin/store \
	plugin/delivery plugin/connector.c plugin/requests.c hosts/adapter hosts/cli hosts/example hosts/kadm5 hosts/ldap hosts/ldb hosts/slapi include tests/org tests/unit; do
	grep -q "^$room[:/]" "$work/includes" || die "$room: nothing of it includes anything; if it \
was moved, move its rules in $0"
done
# So must each owner, with the library it owns.
while read -r owner library; do
	grep -q "^$owner:[0-9]*:.*<$library" "$work/includes" ||
		die "$owner: does not include <$library>; if another file owns it now, say so in $0"
done <<'OWNERS'
plugin/salesforce/http.c curl/
plugin/salesforce/http_origin.c curl/
plugin/store/log_file.c sqlite3.h
plugin/store/sqlite.c sqlite3.h
plugin/base/digest.c openssl/
plugin/base/key.c openssl/
plugin/base/seal.c openssl/
schema/regex.c pcre2.h
OWNERS

awk -v top="$top" '
BEGIN {
	# room: what it may include, as prefixes of paths from the top
	may["include"] = ""
	may["plugin/base"] = "provisioning/connector.h plugin/base/"
	may["plugin/scim"] = "plugin/base/ plugin/scim/"
	may["plugin/event"] = "plugin/base/ plugin/scim/ plugin/event/"
	may["patterns"] = "plugin/base/ patterns/"
	may["schema"] = "plugin/base/ plugin/scim/ patterns/ schema/"
	may["plugin/salesforce"] = "plugin/base/ plugin/salesforce/"
	may["plugin/store"] = "plugin/base/ plugin/scim/patch.h plugin/event/ plugin/store/"
	may["plugin/delivery"] = "plugin/base/ plugin/scim/ plugin/event/ patterns/ schema/ " \
		"plugin/salesforce/ plugin/store/ plugin/delivery/"
	may["plugin"] = "provisioning/connector.h plugin/ patterns/ schema/"
	may["hosts"] = "provisioning/connector.h hosts/"
	may["tests/org"] = "provisioning/connector.h plugin/base/ tests/org/"
	may["tests"] = "provisioning/connector.h plugin/ patterns/ schema/ hosts/ tests/"

	# header of a room that no other room sees (tests may)
	inner["plugin/store/db.h"] = "plugin/store"

	# library: its owner, or one for each use ("" none); tests may use what they need
	owner["curl/"] = "plugin/salesforce/http.c plugin/salesforce/http_origin.c plugin/salesforce/http_trace.c"
	owner["sqlite3"] = "plugin/store/sqlite.c plugin/store/log_file.c"
	owner["libpq"] = "plugin/store/postgres.c"
	# digests, private keys, sealing: uses that share nothing but the library
	owner["openssl/"] = "plugin/base/digest.c plugin/base/key.c plugin/base/seal.c"
	owner["pcre2"] = "schema/regex.c"

	# pure code (design 5): no I/O but on memory, no clock, no threads
	split("patterns schema plugin/scim plugin/event plugin/delivery/plan plugin/delivery/policy " \
		"plugin/salesforce/outcome", pure, " ")
	impure = "^(time|unistd|fcntl|pthread|signal|dlfcn|netdb|syslog|threads|stdatomic|" \
		"sys/.*|plugin/base/(clock|log))\\.h$"
}
function room_of(path)
{
	if (path ~ /^(plugin|tests)\/[a-z_]+\// ) {
		split(path, parts, "/")
		if ((parts[1] "/" parts[2]) in may)
			return parts[1] "/" parts[2]
		if (parts[1] == "plugin")
			return "" # a new room has no rules yet
		return parts[1]
	}
	split(path, parts, "/")
	return parts[1]
}
function breach(text) { print at ": " text; breaches++ }
function starts(text, prefix) { return substr(text, 1, length(prefix)) == prefix }
function exists(path,    line, there)
{
	there = (getline line <path) >= 0
	close(path)
	return there
}
function check_project(target,    count, prefixes, i, allowed)
{
	count = split(may[room], prefixes, " ")
	for (i = 1; i <= count; i++) {
		if (starts(target, prefixes[i]))
			allowed = 1
	}
	if (!allowed)
		breach("room " room " may not include " target "; it sees: " \
			(may[room] == "" ? "nothing of ours" : may[room]))
	if (target ~ /\/internal\.h$/ && !starts(file, substr(target, 1, length(target) - 10)))
		breach(target " is for its own room only")
	if (target in inner && room_of(file) != inner[target] && file !~ /^tests\//)
		breach(target " is for " inner[target] " only")
}
function check_library(target,    library)
{
	if (file ~ /^tests\//)
		return
	for (library in owner) {
		if (starts(target, library) && index(" " owner[library] " ", " " file " ") == 0)
			breach("<" target "> is used by " \
				(owner[library] == "" ? "nobody" : owner[library] " alone"))
	}
	if (starts(target, "json-c/") && (room == "patterns" || room == "include"))
		breach(room " is free of json-c")
	if (room == "include" && target != "stddef.h" && target != "stdint.h")
		breach("the ABI header needs nothing but <stddef.h> and <stdint.h>")
	if (target ~ /^(CUnit\/|microhttpd)/)
		breach("<" target "> is for tests")
}
{
	split($0, head, ":")
	file = head[1]
	at = file ":" head[2]
	text = substr($0, length(at) + 2)
	room = room_of(file)
	if (room == "")
		breach("this room has no rule who it may include; give it one in check_includes.sh")
	total++
	if (!match(text, /["<][^">]+[">]/)) {
		breach("an #include of a macro cannot be checked")
		next
	}
	quoted = substr(text, RSTART, 1) == "\""
	target = substr(text, RSTART + 1, RLENGTH - 2)
	if (target ~ /\.c$/)
		breach("includes a .c")
	if (quoted && target ~ /^provisioning\//)
		breach("write <" target ">: it is the installed header")
	else if (quoted && !exists(top "/" target))
		breach("\"" target "\" is no path from the top")
	if (!quoted && target !~ /^provisioning\// && target ~ /^(plugin|patterns|schema|hosts|tests)\//)
		breach("write \"" target "\": it is ours")
	if (room != "" && (quoted || target ~ /^(provisioning|plugin|patterns|schema|hosts|tests)\//))
		check_project(target)
	else
		check_library(target)
	for (i in pure) {
		if ((file == pure[i] ".c" || file == pure[i] ".h" || starts(file, pure[i] "/")) &&
			target ~ impure)
			breach("is pure and may not include " target)
	}
}
END {
	print total - breaches, breaches + 0 >"/dev/stderr"
}' "$work/includes" >"$work/breaches" 2>"$work/counts"
read -r passed failed <"$work/counts" || die "the includes could not be read: $(cat "$work/counts")"
cat "$work/breaches"
finish
