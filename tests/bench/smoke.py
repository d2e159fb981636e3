#!/usr/bin/env python3
"""Each bench, as small as it gets: that it works, prints its figures, and has done what it measures. What it says of
times is not looked at. Whoever adds a figure to a bench adds it here."""
import os
import re
import shutil
import subprocess
import sys

BUILD = os.environ.get("top_builddir", ".")
FIGURES = {
    "bench_accept": "accept.group100_ratio accept.with_parsing_ratio accept.flushes_per_group "
                    "accept.threads16_ratio accept.alone_more_us accept.slow32_p99_in_flushes "
                    "accept.slow32_bare_p99_in_flushes",
    "bench_deliver": "deliver.user_us deliver.call_to_h2load deliver.alone_ms deliver.paced_to_bare",
    "bench_scale": "scale.open_ratio scale.claim_ratio scale.settle_ratio scale.scattered_ratio "
                   "scale.status_ratio scale.memory_bytes",
    "bench_patterns": "patterns.render_to_raw",
}
# what was done, which does not depend on the machine
COUNTS = {
    "deliver.user_calls": 4,    # 400 users twice, 200 a call
    "deliver.call_calls": 13,   # one to begin with, two of ours, one and nine of h2load's
    "deliver.paced_calls": 10,  # 1000 users twice
    "scale.users": 2000,
}


def figures_of(program, *arguments):
    ran = subprocess.run([os.path.join(BUILD, "tests/bench", program), *arguments], capture_output=True, text=True,
                         env={"SFPROV_PLUGIN": os.path.join(BUILD, ".libs/sfprov.so"), **os.environ,
                              "SFPROV_BENCH_SMOKE": "1"}, timeout=120, check=False)
    assert ran.returncode == 0, f"ended with {ran.returncode}: {ran.stderr}"
    return {name: float(number) for name, number in re.findall(r"^(\S+) +(\S+)", ran.stdout, re.M)}


def check(program):
    wanted = set(FIGURES[program].split())
    wanted.update(name for name in COUNTS if name.startswith(program.removeprefix("bench_") + "."))
    if program == "bench_deliver" and not shutil.which("h2load"):
        wanted -= {"deliver.call_to_h2load", "deliver.call_calls"}
        figures = {}
        for measure in ("user", "alone", "paced"):
            figures.update(figures_of(program, measure))
    else:
        figures = figures_of(program)
    assert wanted <= figures.keys(), f"not told: {sorted(wanted - figures.keys())}"
    for name, number in figures.items():
        assert number == COUNTS.get(name, number), f"{name} is {number}, not {COUNTS[name]}"


def main():
    failed = 0
    for program in FIGURES:
        try:
            check(program)
        except (AssertionError, ValueError, subprocess.TimeoutExpired) as error:
            failed += 1
            print(f"  FAILED  {program}: {error}")
    print(f"smoke.py: {len(FIGURES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
