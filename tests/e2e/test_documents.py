#!/usr/bin/env python3
"""Documents are run: the first hour command by command against the simulated org, and the connector fields of
each page about logging in. A block of text behind commands is what they have to answer, line by line and in
order; "..." is anything, blanks do not count."""
import glob
import json
import os
import re
import subprocess
import sys

import harness
from harness import CLI, PLUGIN, World

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def read(name):
    with open(os.path.join(DOCS, name), encoding="utf-8") as file:
        return file.read()


def pattern(line):
    return re.compile(".*".join(re.escape(part.strip()) for part in " ".join(line.split()).split("...")))


def answers(text, out):
    """Each line of the text stands in the output, in this order."""
    lines = [" ".join(line.split()) for line in out.splitlines()]
    at = 0
    for wanted in text.strip().splitlines():
        found = [n for n in range(at, len(lines)) if pattern(wanted).match(lines[n])]
        assert found, f"'{wanted}' is not in the answer:\n{out}"
        at = found[0] + 1


class Machine:
    """A root file system in a folder, and a shell in it."""

    def __init__(self, w):
        self.w, self.home = w, os.path.join(w.folder, "home")
        self.etc, self.var = (os.path.join(w.folder, name) for name in ("etc-sfprov", "var-lib-sfprov"))
        for folder in (self.home, self.etc, self.var):
            os.mkdir(folder, 0o700)
        bin_folder = os.path.join(w.folder, "bin")
        os.mkdir(bin_folder)
        os.symlink(os.path.abspath(CLI), os.path.join(bin_folder, "sfprov"))
        self.environment = dict(os.environ, PATH=bin_folder + ":" + os.environ["PATH"], SFPROV_PLUGIN=os.path.abspath(PLUGIN),
                                SFPROV_FIELDS=os.path.join(self.etc, "fields.json"))

    def here(self, text):
        """The document's world is ours."""
        facts = self.w.org.facts
        for theirs, ours in (("/etc/sfprov", self.etc), ("/var/lib/sfprov", self.var), ('"3MVG9..."', json.dumps(facts["client_id"])),
                             ('"domain_name": "acme",', f'"domain_name": "{self.w.org.url}", "ca_file": "{facts["ca_file"]}",')):
            text = text.replace(theirs, ours)
        return text

    def run(self, commands):
        # one shell runs them all there, so what the first block sets counts for the others
        done = subprocess.run(["bash", "-c", "umask 077\n" + self.here(commands)], cwd=self.home, env=self.environment, text=True, check=False,
                              input=self.w.org.facts["client_secret"] + "\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        return done.returncode, done.stdout


def test_the_first_hour():
    blocks = BLOCK.findall(read("first-hour.md"))
    commands = [text for kind, text in blocks if kind == "sh"]
    assert len(commands) >= 8 and {kind for kind, _ in blocks} == {"sh", "text"}, blocks
    with World(certificate="good") as w:
        machine = Machine(w)
        for n, (kind, text) in enumerate(blocks):
            if kind != "sh":
                continue
            expects = n + 1 < len(blocks) and blocks[n + 1][0] == "text"
            code, out = machine.run(text)
            parks = "parked:" in (blocks[n + 1][1] if expects else "")
            assert code == (1 if parks else 0), (text, code, out)
            if expects:
                answers(machine.here(blocks[n + 1][1]), out)
        users = w.org.users()
        assert sorted(users) == ["jane@acme.example", "john@acme.example", "kim@acme.example"], users
        assert users["jane@acme.example"]["Title"] == "Senior Analyst" and users["kim@acme.example"]["IsActive"]
        assert not users["john@acme.example"]["IsActive"]


def test_what_a_page_of_the_package_names_is_in_the_package():
    """But for what is about the making of sfprov."""
    top = os.path.join(DOCS, "..")
    packaged = set()
    if not os.path.isdir(os.path.join(top, "debian")):
        raise harness.NotRun("a release holds no packaging")
    for name in ("sfprov.docs", "sfprov.examples"):
        with open(os.path.join(top, "debian", name), encoding="utf-8") as file:
            for line in file.read().split():
                packaged |= {os.path.relpath(path, top) for path in glob.glob(os.path.join(top, line))}
    for folder in [name for name in packaged if os.path.isdir(os.path.join(top, name))]:
        packaged |= {os.path.join(folder, name) for name in os.listdir(os.path.join(top, folder))}
    packaged.add("docs/hosts")  # each page of it
    named = set()
    for name in packaged:
        if name.endswith((".md", ".service", ".timer")):
            named |= {word for word in re.findall(r"\bdocs/[\w./-]*\w", read(os.path.join("..", name)))}
    assert "docs/mapping.md" in named
    assert named <= packaged | {"docs/architecture.md", "docs/performance.md", "docs/promises.md"}, named - packaged


def test_that_an_answer_which_is_not_there_is_seen():
    answers("a b\nc ... e\n", "x\na   b\nc d e f\n")
    for text in ("b\n", "a b\nx\n", "c ... g\n"):
        try:
            answers(text, "x\na   b\nc d e\n")
        except AssertionError:
            continue
        raise AssertionError(text)


def test_the_fields_of_each_page_about_logging_in_are_that_flow():
    rest = {"profile": "Standard User", "provisioning_domain": "acme.example", "store": "/var/lib/sfprov/store.db"}
    pages = {"client-credentials.md": "client_credentials", "jwt-bearer.md": "jwt_bearer", "refresh-token.md": "refresh_token",
             "username-password.md": "password"}
    assert set(pages) | {"README.md"} == set(os.listdir(os.path.join(DOCS, "login")))
    with World() as w:
        for page, flow in pages.items():
            text = read(os.path.join("login", page))
            found = [text for kind, text in BLOCK.findall(text) if kind == "json"]
            assert len(found) == 1, page
            path = os.path.join(w.folder, "fields.json")
            with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
                json.dump(dict(json.loads(found[0]), **rest), file)
            done = subprocess.run([CLI, "--plugin", PLUGIN, "--config", path, "--json", "fields", "--values"], capture_output=True,
                                  text=True, check=False, timeout=60)
            assert done.returncode == 0, (page, done.stdout, done.stderr)
            values = json.loads(done.stdout)["fields"]
            assert values["flow"] == flow and values["domain_name"] == "https://acme.my.salesforce.com", (page, values)
            # what is set is explained, and what is explained is a field
            for name in json.loads(found[0]):
                assert f"`{name}`" in text, (page, name)


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
