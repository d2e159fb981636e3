#!/usr/bin/env python3
"""Puts the faults of the file `list` into a copy of the tree, one after the other, and runs the test that must
fail then. Ends with an error if one survives.

  mutants.py [PART_OF_NAME...]   all, or those with one of these in their name; the build is in top_builddir
  mutants.py --check             only whether each applies, and names a test that is there
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.abspath(os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "../..")))
LIST = "tests/mutants/list"
LIMIT_S = 300  # what takes longer hangs
NOT_COPIED = shutil.ignore_patterns(".git", "build", "build-[!a]*", "autom4te.cache", "node_modules", "__pycache__",
                                    "config.status", "*.o", "*.lo", "*.la", ".libs", ".deps")
ADAPTERS = {"openldap": ["sfprov-slapi.la"], "389ds": ["sfprov-389.la"],
            "kerberos": ["sfprov-kadm5.la", "sfprov-principals", "hosts/systemd/sfprov-principals.service"],
            "samba": ["sfprov-ldb.la"]}


def read(path, top=TOP):
    with open(os.path.join(top, path), encoding="utf-8") as file:
        return file.read()


class Mutant:
    def __init__(self, name):
        self.name, self.file, self.before, self.after, self.test, self.hangs = name, None, [], [], None, None

    def pattern(self):
        return r"\s*\n\s*".join(re.escape(line.strip()) for line in self.before)

    def apply(self, text):
        return re.sub(self.pattern(), lambda _: "\n".join(self.after), text)

    def faults(self):
        """What keeps it from being used."""
        if not (self.file and self.before and self.test):
            return ["has no file, no text, or no test"]
        if not os.path.isfile(os.path.join(TOP, self.file)):
            return [f"there is no file '{self.file}'"]
        times, found = len(re.findall(self.pattern(), read(self.file))), []
        if times != 1:
            found.append(f"its text stands in {self.file} {times} times, and must once")
        if self.before == self.after:
            found.append("changes nothing")
        if not is_there(self.test):
            found.append(f"there is no test '{self.test}'")
        if self.hangs is not None and not self.hangs.isdigit():
            found.append(f"'hangs {self.hangs}' is no number of seconds")
        return found


def read_list():
    mutants = []
    for number, line in enumerate(read(LIST).splitlines(), 1):
        word, _, rest = line.partition(" ")
        if not line or word == "#":
            continue
        if word == "mutant":
            mutants.append(Mutant(rest))
        elif word in ("file", "test", "hangs") and mutants:
            setattr(mutants[-1], word, rest)
        elif word in ("-", "+") and mutants:
            (mutants[-1].before if word == "-" else mutants[-1].after).append(rest)
        else:
            sys.exit(f"{LIST}:{number}: cannot be read: {line}")
    return mutants


# ---- tests, by the names of docs/promises.md ----

def split(test):
    """e2e/x:name -> e2e, x, name."""
    place, _, name = test.partition(":")
    kind, _, file = place.partition("/")
    return kind, file, name


def is_there(test):
    kind, file, name = split(test)
    places = {"e2e": (f"tests/e2e/test_{file}.py", f"def test_{name}("),
              "unit": (f"tests/unit/test_{file}.c", ""),
              "servers": (f"tests/servers/test_{file}.py", name), "model": ("tests/torture/model.c", ""), "log": ("tests/torture/log.c", ""),
              "faults": ("tests/torture/faults.c", '{ .name = "' + name + '"'),
              "crash": ("tests/torture/crash.c", '{ "' + name + '", { SHIM_')}
    if kind not in places or not os.path.isfile(os.path.join(TOP, places[kind][0])):
        return False
    text = read(places[kind][0])
    if kind == "servers":
        return f"def test_{name}(" in text or f"common.{name}" in text
    if kind == "unit":
        return bool(re.search(rf"UNIT_CASE[A-Z_]*\({name}", text))
    return places[kind][1] in text


def targets_of(test):
    kind, file, _ = split(test)
    plugin = ["sfprov.la", "sfprov", "tests/org/sfprov-org"]
    if kind == "unit":
        return [f"tests/unit/test_{file}"]
    if kind == "servers":
        return plugin + ADAPTERS.get(file, [])
    return plugin if kind == "e2e" else [f"tests/torture/{kind}"]


def command_of(test, source):
    kind, file, name = split(test)
    if kind == "unit":
        return [f"tests/unit/test_{file}"] + [name] * bool(name)
    if kind in ("e2e", "servers"):
        return [sys.executable, f"{source}/tests/{kind}/test_{file}.py"] + [name] * bool(name)
    arguments = {"crash": ["6", name], "faults": [name], "model": [], "log": []}
    return [f"tests/torture/{kind}"] + arguments[kind]


# ---- running ----

class Copy:
    def __init__(self, folder):
        self.source, self.build = os.path.join(folder, "source"), os.path.join(folder, "build")
        self.log = open(os.path.join(folder, "log"), "w+", encoding="utf-8", errors="replace")
        shutil.copytree(TOP, self.source, ignore=NOT_COPIED, symlinks=True)
        os.mkdir(self.build)
        if self.run([f"{self.source}/configure", "CFLAGS=-g -O1 -Wno-cpp"]) != "passed":
            sys.exit("configure failed:\n" + self.said())

    def run(self, command, limit_s=LIMIT_S):
        """"passed", "failed" or "hung"."""
        self.log.seek(0)
        self.log.truncate()
        environment = dict(os.environ, srcdir=self.source, top_builddir=self.build, PYTHONDONTWRITEBYTECODE="1")
        for name in ("SFPROV_PLUGIN", "SFPROV_CLI", "SFPROV_ORG", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
            environment.pop(name, None)
        process = subprocess.Popen(command, cwd=self.build, env=environment, stdin=subprocess.DEVNULL, stdout=self.log,
                                   stderr=self.log, start_new_session=True)
        try:
            return "failed" if process.wait(limit_s) else "passed"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return "hung"

    def said(self):
        self.log.seek(0)
        return "".join(self.log.readlines()[-30:])

    def make(self, test):
        return self.run(["make", "-s", f"-j{os.cpu_count()}", *targets_of(test)]) == "passed"

    def test(self, test, limit_s=LIMIT_S):
        return self.run(command_of(test, self.source), limit_s)

    def put(self, file, text):
        with open(os.path.join(self.source, file), "w", encoding="utf-8") as out:
            out.write(text)


def run_one(copy, mutant, sound):
    """"found", "SURVIVED", "HUNG", or why that is not known. `sound`: tests that are known to pass without a fault."""
    if mutant.test not in sound:
        if not copy.make(mutant.test):
            return "the tree does not build:\n" + copy.said()
        if copy.test(mutant.test) != "passed":
            return "its test fails without it:\n" + copy.said()
        if re.search("^ *left out: ", copy.said(), re.M):
            return "its test cannot run here:\n" + copy.said()
        sound.add(mutant.test)
    text = read(mutant.file, copy.source)
    copy.put(mutant.file, mutant.apply(text))
    try:
        if not copy.make(mutant.test):
            return "it does not build:\n" + copy.said()
        result = copy.test(mutant.test, int(mutant.hangs or LIMIT_S))
        if result == "hung":
            return "found" if mutant.hangs else "HUNG, and is not said to:\n" + copy.said()
        return "found" if result == "failed" else "SURVIVED"
    finally:
        copy.put(mutant.file, text)


def check(mutants):
    faults = [f"{mutant.name}: {fault}" for mutant in mutants for fault in mutant.faults()]
    names = [mutant.name for mutant in mutants]
    faults += [f"{name}: is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    for fault in faults:
        print(f"{LIST}: mutant {fault}")
    print(f"{len(mutants)} mutants")
    return not faults and bool(mutants)


def main():
    mutants, wanted = read_list(), sys.argv[1:]
    if not check(mutants):
        sys.exit(1)
    if wanted == ["--check"]:
        return
    mutants = [mutant for mutant in mutants if not wanted or any(part in mutant.name for part in wanted)]
    found, others, sound = 0, [], set()
    with tempfile.TemporaryDirectory(prefix="sfprov-mutants-") as folder:
        copy = Copy(folder)
        for mutant in mutants:
            began = time.monotonic()
            result = run_one(copy, mutant, sound)
            print(f"{result.splitlines()[0]}: {mutant.name} ({mutant.test}, {time.monotonic() - began:.0f} s)", flush=True)
            if result == "found":
                found += 1
                continue
            others.append(mutant.name)
            print("".join(f"    {line}\n" for line in result.splitlines()[1:]), end="", flush=True)
    print(f"mutants: {found} found, {len(others)} not")
    sys.exit(1 if others or not found else 0)


if __name__ == "__main__":
    main()
