#!/usr/bin/env python3
"""The cost of a fixed work, counted, against what was recorded in baseline.json: a regression is found
without a clock, so that other work on the machine does not matter. See docs/performance.md.

gate.py            compares; ends with 1 if something costs more
gate.py --record   writes baseline.json anew
"""
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BASELINE = os.path.join(HERE, "baseline.json")
BUILD = os.environ.get("top_builddir", ".")
GATE = os.path.join(BUILD, "tests/gate/gate")
STAGES = ("gate_accept_alone", "gate_accept_groups", "gate_deliver", "gate_changes", "gate_told")
# what instructions are told of: a name for people, and the function they are spent below
FUNCTIONS = {
    "accept_alone": "gate_accept_alone",
    "accept_groups": "gate_accept_groups",
    "parse": "event_parse",
    "store": "store_accept",
    "deliver": "gate_deliver",
    "deliver_changes": "gate_changes",
    "deliver_told": "gate_told",
    "plan": "plan_make",
    "body": "sf_batch_new",
    "answer": "sf_batch_send",
    "settle": "settle",
}
AGAIN = 20  # of the 200 single events; for check_the_gate()
PERCENT = 2.0  # what a number may be above the recorded one; flushes not at all


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def count(again=0):
    lines = run(GATE, str(again)).split("\n")
    return {name: int(number) for name, number in (line.split() for line in lines if line)}


def count_instructions(again=0):
    """None: there is no valgrind."""
    if not shutil.which("valgrind") or not shutil.which("callgrind_annotate"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        # entering a stage turns counting on, the org's work off, and leaving each does it again
        toggles = [f"--toggle-collect={name}" for name in (*STAGES, "http_call")]
        run("valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}",
            "--collect-atstart=no", *toggles, GATE, str(again))
        table = run("callgrind_annotate", "--inclusive=yes", "--threshold=100", "--auto=no", out)
    spent = {}
    for line in table.split("\n"):
        found = re.match(r"\s*([\d,]+) \([ \d.]+%\)\s+\S+:(\w+)", line)
        if found:
            number = int(found[1].replace(",", ""))
            spent[found[2]] = max(spent.get(found[2], 0), number)
    return {f"{name}.instructions": spent[function] for name, function in FUNCTIONS.items()}


def machine():
    """What instructions depend on beside our sources: compiler, flags, libraries, and what the
    processor has, since the C library chooses by that."""
    libraries = {}
    for line in run("ldd", GATE).split("\n"):
        found = re.search(r"=> (/\S*(libc|libsqlite3|libjson-c|libcrypto|libpcre2-8)\.so\S*)", line)
        if found:
            with open(found[1], "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()[:12]
            libraries[found[2]] = f"{os.path.basename(os.path.realpath(found[1]))} {digest}"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        flags = set(re.search(r"^flags\s*:(.*)", file.read(), re.M)[1].split())
    with open(os.path.join(BUILD, "Makefile"), encoding="utf-8") as file:
        makefile = file.read()
    settings = {name: re.search(rf"^{name} = (.*)$", makefile, re.M) for name in ("CFLAGS", "HARDENING")}
    compiler = os.environ.get("CC", "gcc").split()
    return {
        "compiler": run(*compiler, "--version").split("\n", maxsplit=1)[0],
        **{name: found[1] if found else "" for name, found in settings.items()},
        "libraries": libraries,
        "processor": " ".join(sorted(flags & {"avx2", "avx512vl", "bmi2", "erms", "sha_ni", "rtm"})),
    }


def least(first, again):
    """Of each number the smaller one."""
    return {name: min(number, again.get(name, number)) for name, number in first.items()}


def system():
    """What calls for files depend on: the release of SQLite, which a security update leaves."""
    told = platform.freedesktop_os_release()
    return f"{told['ID']} {told.get('VERSION_ID', '')}"


def comparable(baseline):
    """The recorded counts that mean something here, and what is to be said of the others."""
    if baseline["system"] == system():
        return baseline["counts"], []
    kept = {name: number for name, number in baseline["counts"].items() if name.endswith((".flushes", ".allocations"))}
    return kept, [f"  reads, writes and locks: not compared, recorded on {baseline['system']}"]


def compare(recorded, measured):
    """The names of what costs more, and all as lines for people."""
    worse, lines = [], []
    for name, before in recorded.items():
        now = measured.get(name)
        if now is None:
            continue
        most = before if name.endswith(".flushes") else before * (1 + PERCENT / 100)
        change = (now - before) * 100 / before if before else 0
        word = "MORE" if now > most else "less, record it" if change < -PERCENT else "same"
        lines.append(f"  {name:28} {now:12,} was {before:12,} {change:+7.2f} %  {word}")
        if now > most:
            worse.append(name)
    return worse, lines


def compare_again(recorded, measured, measure):
    """The same, measured up to twice more where something costs more: our own code costs it each time, what the org's
    threads or the machine add is not there each time. That a measurement was not like the one before is told."""
    for _ in range(2):
        worse, _ = compare(recorded, measured)
        if not worse:
            break
        again = measure()
        for name in worse:
            if again[name] != measured[name]:
                print(f"gate: {name} was {measured[name]:,}, and {again[name]:,} when it was measured again")
        measured = least(measured, again)
    return compare(recorded, measured)


def check_the_gate(counts, instructions):
    """What really costs more has to be found, and nothing else: of the single events one in ten is accepted twice;
    and arrays cost what single events do, of which only the allocations are as few. The numbers are measured, these and
    those they are compared with."""
    def check(recorded, now):
        found = {name.split(".")[0] for name in compare(recorded, now)[0]}
        assert "accept_alone" in found and not found & {"deliver", "deliver_changes", "deliver_told", "settle"}, found

    check(counts, count(AGAIN))
    alone = {name: counts[name.replace("groups", "alone")] for name in counts if name.startswith("accept_groups.")}
    assert sorted(compare(counts, alone)[0]) == sorted(alone.keys() - {"accept_groups.allocations"}), "what each array costs is not seen"
    assert not compare(counts, counts)[0]
    if instructions:
        check(instructions, count_instructions(AGAIN))


def record():
    instructions = count_instructions()
    if instructions is None:
        sys.exit("gate: valgrind is needed to record")
    baseline = {"system": system(), "valid_for": machine(), "counts": count(), "instructions": instructions}
    with open(BASELINE, "w", encoding="utf-8") as file:
        json.dump(baseline, file, indent=2)
        file.write("\n")
    print(f"{BASELINE}: written; say in the commit what changed and why")


def main():
    if "--record" in sys.argv:
        record()
        return 0
    with open(BASELINE, encoding="utf-8") as file:
        recorded = json.load(file)
    counts, instructions = count(), None
    to_compare, left_out = comparable(recorded)
    worse, lines = compare_again(to_compare, counts, count)
    lines += left_out
    here, there = machine(), recorded["valid_for"]
    others = [name for name in there if there[name] != here[name]]
    if others:
        lines.append("  instructions: not compared, recorded with another " + ", ".join(others))
    elif (instructions := count_instructions()) is None:
        others = ["valgrind"]
        lines.append("  instructions: not compared, there is no valgrind")
    else:
        more, told = compare_again(recorded["instructions"], instructions, count_instructions)
        worse += more
        lines += told
    print("\n".join(lines))
    check_the_gate(counts, instructions)
    if worse:
        print(f"gate: {len(worse)} of the costs above are higher than recorded:")
        print("\n".join(line for line in lines if line.endswith("MORE")))
        print("If that is what the change is worth, 'make gate-record' and say so in its commit.")
    compared = len(to_compare) + (0 if others else len(recorded["instructions"]))
    print(f"gate: {compared - len(worse)} passed, {len(worse)} failed")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
