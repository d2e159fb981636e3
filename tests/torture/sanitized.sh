#!/bin/sh
# A part of the torture with AddressSanitizer: each fault with one seed, lives of one thread, and some of `log`. Left out: lives
# with threads, which fork among them, and `crash`, which makes allocations fail: the sanitizer's allocator
# survives neither.
set -e
here=$top_builddir/tests/torture
"$here/faults" "" 1 1 0
for seed in 1 6; do # each fifth has threads
    "$here/model" $seed 4
done
"$here/log" 1 30
