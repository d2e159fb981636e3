# What the guards share. A guard holds the tree to a rule that a compiler does not know; it prints
# each breach with file and line, and ends with "guard NAME: 1 passed, 0 failed", or with the number
# of breaches. What a guard looks at must be there: a file that cannot be found is a failure, never a
# skip, because a guard that looks at nothing passes for ever.
#
# The test run sets srcdir and top_builddir (tests/local.mk). By hand: from the build directory, or
# from the top of a tree that was built in place.

LC_ALL=C
export LC_ALL

guard=${0##*/check_}
guard=${guard%.sh}
top=${srcdir:-${0%/*}/../..}
build=${top_builddir:-.}
passed=0
failed=0
work=

finish()
{
	[ -z "$work" ] || rm -rf "$work"
	echo "looked at $passed places"
	# a guard is one test, however much it looks at; every breach counts
	[ "$failed" -eq 0 ] && echo "guard $guard: 1 passed, 0 failed" && exit 0
	echo "guard $guard: 0 passed, $failed failed"
	exit 1
}

ok()
{
	passed=$((passed + 1))
}

bad()
{
	failed=$((failed + 1))
	echo "$*"
}

# For what makes the rest pointless.
die()
{
	bad "$*"
	finish
}

# die() unless the file is there.
need()
{
	[ -f "$1" ] || die "$1: cannot be found, so nothing was checked${2:+: $2}"
}

need_command()
{
	command -v "$1" >/dev/null 2>&1 || die "$1: not installed, so nothing was checked: $2"
}

# A directory of our own, gone at the end.
make_work()
{
	work=$(mktemp -d "${TMPDIR:-/tmp}/sfprov-guard.XXXXXX") || die "no temporary directory"
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM
}

# sources LIST EXPRESSION...: writes the paths of our sources below the top, as the find expressions
# say, into a file. No git: a release has none.
sources()
{
	list=$1
	shift
	for room in include plugin patterns schema hosts tests; do
		[ -d "$top/$room" ] || die "$top/$room: cannot be found, so nothing was checked"
	done
	(cd "$top" && find include plugin patterns schema hosts tests scripts docs -type f \
		\( "$@" \) ! -path '*/.libs/*' ! -path '*/.deps/*' 2>/dev/null | sort) >"$list"
	grep -q '\.c$' "$list" || die "$top: no sources found, so nothing was checked"
}
