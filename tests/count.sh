# How scripts/test counts: each group is told as it ends, and all of them with the last line. What is not
# known to have passed counts as failed: what ended with an error, or without saying how it went, or
# never began; its last words are shown as it ends, and once more before the last line, which is often all
# that is kept. tests/guards/check_count.sh holds it to that. Needs $top, and $logs, a directory of its own.
passed=0 failed=0 not_run='' within_minutes='' begun=$(date +%s) since=$begun spent=0
rm -f "$logs/failed"

# show_failed NAME LOG: the last words of what failed, now and at the end
show_failed() {
    tail -n 60 "$2"
    {
        echo "-- failed: $1"
        tail -n 12 "$2"
    } >>"$logs/failed"
}

# processor: the seconds of processor that this shell and those that it waited for have used, in the
# variable of that name; in a subshell it would be those of the subshell
processor() {
    times >"$logs/times"
    processor=$(tr 'ms\n' '   ' <"$logs/times" | awk '{ printf "%d", ($1 + $3 + $5 + $7) * 60 + $2 + $4 + $6 + $8 }')
}

# count NAME PASSED FAILED
count() {
    now=$(date +%s)
    processor
    passed=$((passed + $2))
    failed=$((failed + $3))
    echo "== $1: $2 passed, $3 failed ($((now - since)) s, $((processor - spent)) s of processor)"
    since=$now spent=$processor
}

# count_all: the last lines; whether all is well
count_all() {
    processor
    [ ! -f "$logs/failed" ] || head -n 100 "$logs/failed"
    echo "in all $(($(date +%s) - begun)) s, $processor s of processor"
    [ -z "$not_run" ] || echo "$not_run"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# in_time WHAT: whether one more group may begin; the name of one that may not is told at the end. Where
# $within_minutes is empty all may.
in_time() {
    [ -n "$within_minutes" ] && [ $(($(date +%s) - begun)) -ge $((within_minutes * 60)) ] || return 0
    left_out "$1: $within_minutes minutes were over"
    return 1
}

# left_out WHAT: it is named at the end, on a line of its own
left_out() {
    not_run="${not_run:+$not_run
}not run: $1"
}

# names_left_out NAME FILE...: what lines "left out: ..." of the files name is named at the end
names_left_out() {
    group=$1
    shift
    sed -n 's/^ *left out: //p' "$@" | sort -u >"$logs/left_out"
    while read -r what; do
        left_out "$group: $what"
    done <"$logs/left_out"
}

# step NAME COMMAND...: one check that passes or fails; its output is shown when it fails
step() {
    start "$@"
    finish "$1"
}

# start NAME COMMAND...: a step that goes on beside what comes next, until finish NAME counts it
start() {
    name=$1
    shift
    echo 'not ended' >"$logs/$name.result"
    ("$@" >"$logs/$name.log" 2>&1; echo $? >"$logs/$name.result") &
    echo $! >"$logs/$name.process"
}

# result NAME: how a step ended that was started
result() {
    wait "$(cat "$logs/$1.process")"
    result=$(cat "$logs/$1.result")
}

finish() {
    result "$1"
    if [ "$result" = 0 ]; then
        count "$1" 1 0
    else
        show_failed "$1" "$logs/$1.log"
        count "$1" 0 1
    fi
    names_left_out "$1" "$logs/$1.log"
}

# finish_last NAME: the same for one that says last what passed and failed
finish_last() {
    result "$1"
    count_last "$1" "$logs/$1.log" "$result" "$logs/$1.log"
}

# count_last NAME FILE RESULT LOG: counts what the last line of a file says, "N passed, N failed"; the log
# is shown if it says no such thing, or that something failed. Who ended with another result than 0 has
# failed even if the line knows of nothing. What lines "left out: ..." of file and log name is named at the end.
count_last() {
    line=$(tail -n 1 "$2" | grep -E '^[0-9]+ passed, [0-9]+ failed$')
    good=${line%% *} bad=${line#*, }
    bad=${bad%% *}
    [ $((good + bad)) -gt 0 ] || good=0 bad=1 # there was no such line, or nothing ran
    [ "$3" = 0 ] || [ "$bad" -gt 0 ] || bad=1
    [ "$bad" = 0 ] || show_failed "$1" "$4"
    names_left_out "$1" "$2" "$4"
    count "$1" "$good" "$bad"
}

# tally NAME BUILD RESULT: counts what the tests of a build have said, whose make ended with RESULT
tally() {
    sh "$top/tests/tally.sh" "$2" >"$logs/$1.tally" 2>&1
    # what failed, in its own words
    find "$2" -name '*.trs' | while read -r trs; do
        log=${trs%.trs}.log
        grep -q '^:test-result: \(PASS\|SKIP\)' "$trs" || show_failed "$1: ${log#"$2"/}" "$log"
    done
    grep -Ev '^left out: |^[0-9]+ passed, ' "$logs/$1.tally"
    count_last "$1" "$logs/$1.tally" "$3" "$logs/$1.log"
}
