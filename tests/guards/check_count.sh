#!/bin/sh
# Whether the tests are counted honestly (tests/tally.sh, tests/count.sh): nothing passes that failed, crashed,
# said nothing, or was left out.
. "${0%/*}/frame.sh"

need "$top/tests/tally.sh"
need "$top/tests/count.sh"
make_work
logs=$work/logs
mkdir "$logs"

# ended NAME RESULT LINE: a test of automake's that has run
ended()
{
	mkdir -p "$work/build"
	echo ":test-result: $2" >"$work/build/$1.trs"
	printf 'some words\n%s\n' "$3" >"$work/build/$1.log"
}

# say WANTED COMMAND...: a shell that counts ends with this line, and with 0 only if nothing failed
say()
{
	wanted=$1
	shift
	(. "$top/tests/count.sh"; "$@"; count_all) >"$work/out" 2>&1
	result=$?
	case $wanted in
	0* | *[1-9]" failed") good=1 ;;
	*) good=0 ;;
	esac
	if [ "$(tail -n 1 "$work/out")" = "$wanted" ] && [ "$result" = $good ]; then
		ok
	else
		bad "$*: wanted '$wanted' and $good, got $result and: $(cat "$work/out")"
	fi
}

together()
{
	start one sh -c 'sleep 0.1; exit 3'
	start two true
	step three true
	finish one
	finish two
	left_out "something large"
}

# the shell around the command
killed()
{
	start one sh -c 'kill -KILL $PPID'
	finish one
}

last_line()
{
	start one sh -c "$1"
	finish_last one
}

say "0 passed, 0 failed" true
say "1 passed, 0 failed" step one true
say "0 passed, 1 failed" step one false
say "0 passed, 1 failed" step one no-such-command
say "0 passed, 1 failed" step one sh -c 'kill -KILL $$'
say "0 passed, 1 failed" killed
say "2 passed, 1 failed" together
grep -q '^not run: something large$' "$work/out" || bad "what was left out is not named"

late()
{
	within_minutes=0
	if in_time "what takes long"; then step long true; fi
	step short true
}

early()
{
	within_minutes=1
	if in_time "what takes long"; then step long true; fi
	step short true
}

say "1 passed, 0 failed" late
grep -q '^not run: what takes long: 0 minutes were over$' "$work/out" || bad "what was not begun is not named: $(cat "$work/out")"
say "2 passed, 0 failed" early

say "1 passed, 0 failed" step one sh -c 'echo "left out: a server"'
grep -q '^not run: one: a server$' "$work/out" || bad "what a step leaves out is not named: $(cat "$work/out")"

two_fail()
{
	step one sh -c 'seq 100; echo the cause; exit 1'
	step two sh -c 'echo another; exit 1'
	step three true
}

say "1 passed, 2 failed" two_fail
sed '1,/^== three:/d' "$work/out" >"$work/end"
for words in '-- failed: one' 'the cause' '-- failed: two' 'another'; do
	if grep -qx -e "$words" "$work/end"; then ok; else bad "the end does not hold '$words': $(cat "$work/end")"; fi
done
say "1 passed, 0 failed" step one true
! grep -q 'the cause' "$work/out" || bad "what failed in a run before is told of this one"

say "5 passed, 0 failed" last_line 'echo 5 passed, 0 failed'
say "5 passed, 1 failed" last_line 'echo 5 passed, 0 failed; exit 1'
say "5 passed, 2 failed" last_line 'echo 5 passed, 2 failed; exit 1'
say "0 passed, 1 failed" last_line 'echo 0 passed, 0 failed'
say "0 passed, 1 failed" last_line 'echo 5 passed'
say "0 passed, 1 failed" last_line true
say "0 passed, 1 failed" last_line 'echo 5 passed, 0 failed; echo then it broke; exit 1'
say "2 passed, 0 failed" last_line 'echo left out: a server; echo "    left out: a disk"; echo "    left out: a disk"; echo 2 passed, 0 failed'
[ "$(grep '^not run: ' "$work/out")" = "not run: one: a disk
not run: one: a server" ] || bad "what a test leaves out is not named once: $(cat "$work/out")"

say "0 passed, 1 failed" tally tests "$work/build" 0 # nothing ran
ended test_one PASS "one: 4 passed, 0 failed"
say "4 passed, 0 failed" tally tests "$work/build" 0
say "4 passed, 1 failed" tally tests "$work/build" 2 # make failed at something else
ended test_left SKIP "what it needs is not there"
say "4 passed, 0 failed" tally tests "$work/build" 0
grep -q '^not run: tests: test_left.log: what it needs is not there$' "$work/out" || bad "what was skipped is not named"
ended test_part PASS "  left out: test_part.py: test_disk: no disk
part: 1 passed, 0 failed"
say "5 passed, 0 failed" tally tests "$work/build" 0
grep -q '^not run: tests: test_part.py: test_disk: no disk$' "$work/out" || bad "a case that could not run is not named"
rm "$work/build/test_part.trs"
ended test_two FAIL "two: 3 passed, 2 failed"
say "7 passed, 2 failed" tally tests "$work/build" 2
ended test_three FAIL "three: 1 passed, 0 failed" # it crashed at its end
say "8 passed, 3 failed" tally tests "$work/build" 2
ended test_four FAIL "Segmentation fault"
say "8 passed, 4 failed" tally tests "$work/build" 2
ended test_five PASS "says nothing"
say "8 passed, 5 failed" tally tests "$work/build" 2

# a case that cannot run has not passed, and no case at all is a failure
mkdir "$work/e2e"
cp "$top/tests/e2e/harness.py" "$top/tests/e2e/canary.py" "$work/e2e"
run_cases()
{
	printf 'import sys\nimport harness\n%s\nharness.main(sys.modules["__main__"])\n' "$2" >"$work/e2e/test_some.py"
	PYTHONDONTWRITEBYTECODE=1 python3 "$work/e2e/test_some.py" >"$work/out" 2>&1
	result=$?
	if [ "$(tail -n 1 "$work/out")" = "test_some.py: $1 failed" ]; then ok; else bad "wanted $1, got $(cat "$work/out")"; fi
}
none='def test_none():
    raise harness.NotRun("no disk")'
run_cases "0 passed, 0" "$none"
[ $result = 0 ] && grep -q '^  left out: test_some.py: test_none: no disk$' "$work/out" || bad "what cannot run is not named: $(cat "$work/out")"
run_cases "1 passed, 0" "$none
def test_some():
    pass"
run_cases "0 passed, 1" 'def test_exit():
    sys.exit(0)'
# what fails where Python tells nobody: in a thread, and in what C calls
run_cases "0 passed, 1" 'import threading
def test_thread():
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()'
run_cases "0 passed, 1" 'import ctypes
def test_callback():
    ctypes.CFUNCTYPE(None)(lambda: 1 / 0)()'
run_cases "0 passed, 0" ""
[ $result = 1 ] || bad "nothing at all is no failure"

# the second of two functions with one name takes the first one's place, which then is never run
for file in "$top"/tests/e2e/test_*.py "$top"/tests/servers/test_*.py; do
	twice=$(sed -n 's/^def \(test_[A-Za-z0-9_]*\)(.*/\1/p' "$file" | sort | uniq -d)
	if [ -z "$twice" ]; then ok; else bad "$file: is there twice, and is run once:" $twice; fi
done
finish
