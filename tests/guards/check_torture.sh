#!/bin/sh
# The table of faults in tests/torture/README.md and the tests it names are the same.
root=${top_srcdir:-.}
torture=$root/tests/torture
listed=$(sed -n 's/^| [^|]* | \(crash\|faults\) | \(.*\) |$/\1 \2/p' "$torture/README.md" | sort)
there=$({
    sed -n 's/^ *{ \.name = "\([^"]*\)".*/faults \1/p' "$torture/faults.c"
    sed -n 's/^ *{ "\([^"]*\)", { SHIM_.*/crash \1/p' "$torture/crash.c"
} | sort)
if [ -z "$there" ]; then
    echo "tests/torture: no faults found in faults.c and crash.c"
    exit 1
fi
if [ "$listed" != "$there" ]; then
    echo "tests/torture/README.md: the table of faults is not that of faults.c and crash.c; which of both has what:"
    printf '%s\n' "$listed" >check_torture.listed
    printf '%s\n' "$there" | diff check_torture.listed -
    rm -f check_torture.listed
    exit 1
fi
