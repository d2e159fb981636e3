#!/bin/sh
# Adds up what the tests of a build said: tally.sh BUILDDIR. Every test ends its log with a line
# "NAME: N passed, N failed"; one that does not (it crashed, or never ran) counts as one failed, one
# that was skipped, and a case that could not run, is named ("left out: ...") and counts as nothing. Prints "N passed, N failed" last and exits 1 if
# anything failed or nothing ran.
set -eu
build=$1
passed=0 failed=0
list=$(find "$build" -name '*.trs' | sort)
for trs in $list; do
    log=${trs%.trs}.log
    line=$(grep -E '^[A-Za-z0-9_. -]+: [0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1 || true)
    if grep -q '^:test-result: SKIP' "$trs"; then
        echo "left out: ${log#"$build"/}: $(tail -n 1 "$log")"
        continue
    fi
    sed -n 's/^ *left out: /left out: /p' "$log"
    if [ -z "$line" ]; then
        echo "no result: ${log#"$build"/}"
        failed=$((failed + 1))
        continue
    fi
    p=$(echo "$line" | sed 's/.*: \([0-9]*\) passed, .*/\1/')
    f=$(echo "$line" | sed 's/.*, \([0-9]*\) failed$/\1/')
    if [ "$f" -eq 0 ] && ! grep -q '^:test-result: PASS' "$trs"; then
        echo "failed without saying where: ${log#"$build"/}"
        f=1
    fi
    passed=$((passed + p))
    failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
