"""Sums up a report of gcovr by room: coverage.py REPORT.json FUNCTIONS-PER-ROOM TOP.

A branch counts as soon as its line was compiled; one that was never taken is named with the function
it stands in, because a test is written for what a function does."""
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict

ROOMS = ["plugin/base", "plugin/scim", "plugin/event", "patterns", "schema", "plugin/store", "plugin/salesforce",
         "plugin/delivery", "plugin", "hosts"]


def room_of(path):
    return next(room for room in sorted(ROOMS, key=len, reverse=True) if path.startswith(room + "/"))


def functions_of(top, path):
    """(first line, last line, name) of each function of a file."""
    tags = subprocess.run(["ctags", "--languages=C", "--c-kinds=f", "--fields=+ne", "-f", "-", path], cwd=top,
                          capture_output=True, text=True, check=True).stdout
    found = []
    for line in tags.splitlines():
        name, end, start = line.split("\t")[0], re.search(r"\tend:(\d+)", line), re.search(r"\tline:(\d+)", line)
        if end and start:
            found.append((int(start[1]), int(end[1]), name))
    return found


def main(report, most, top):
    sums, missed = defaultdict(Counter), defaultdict(list)
    with open(report, encoding="utf-8") as file:
        files = json.load(file)["files"]
    for entry in files:
        path, room = entry["file"], room_of(entry["file"])
        untaken = {}
        for line in entry["lines"]:
            if line.get("gcovr/noncode"):
                continue
            taken = [branch["count"] > 0 for branch in line["branches"]]
            for name in (room, "in all"):
                sums[name].update(lines=1, run=line["count"] > 0, branches=len(taken), taken=sum(taken))
            if not all(taken):
                untaken[line["line_number"]] = len(taken) - sum(taken)
        for start, end, name in functions_of(top, path):
            places = {number: count for number, count in untaken.items() if start <= number <= end}
            if places:
                missed[room].append((sum(places.values()), path, start, name, sorted(places)))
    print(f"{'room':20} {'lines':>14} {'%':>6} {'branches':>16} {'%':>6}")
    for room in ROOMS + ["in all"]:
        s = sums[room]
        if s["lines"]:
            print(f"{room:20} {s['run']:6} of {s['lines']:5} {100 * s['run'] / s['lines']:5.1f} "
                  f"{s['taken']:7} of {s['branches']:5} {100 * s['taken'] / max(1, s['branches']):5.1f}")
    for room in ROOMS:
        print(f"\n{room}: branches never taken, by function")
        for count, path, start, name, places in sorted(missed[room], reverse=True)[:most]:
            shown = ", ".join(map(str, places[:12])) + (", ..." if len(places) > 12 else "")
            print(f"{count:5}  {path}:{start} {name}(): lines {shown}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
