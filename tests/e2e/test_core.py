"""What a core dump of the process that delivers would hold, read as the kernel would write it: from its memory,
without the pages that are left out of dumps. The tests' secrets hold a mark (canary.py)."""
import base64
import json
import os
import re
import subprocess
import sys

import harness
from canary import MARK
from harness import World, create, person
from test_cli import Shell, lines
from test_daemon import Daemon, until
from test_login import USER, new_key

RANGE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ (\d+)\s*(.*)")


def regions(pid):
    """(from, to, left out of dumps, name) of what can be read and is not a file's own."""
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as smaps:
        seen = None
        for line in smaps:
            match = RANGE.match(line)
            if match:
                begin, end, rights, inode, name = match.groups()
                mapped = rights[0] == "r" and not name.startswith("[v") and not (int(inode) and rights[3] == "s")
                seen = (int(begin, 16), int(end, 16), name) if mapped else None
            elif line.startswith("VmFlags:") and seen:
                yield seen[0], seen[1], "dd" in line.split(), seen[2]


def holders(pid, secrets):
    """{secret: [(left out of dumps, region, what is around)]} of the names of these secrets."""
    found = {name: [] for name in secrets}
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for begin, end, left_out, name in regions(pid):
            memory.seek(begin)
            try:
                data = memory.read(end - begin)
            except OSError:
                continue
            for secret, needle in secrets.items():
                at = data.find(needle)
                while at >= 0:
                    found[secret].append((left_out, name, data[max(0, at - 40):at + 1000]))
                    at = data.find(needle, at + 1)
    return found


def secret_file(w, name, text):
    path = os.path.join(w.folder, "secret-" + name)
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return "file:" + path


def test_a_dump_of_the_process_that_delivers_holds_no_secret():
    with World(poll_interval_s=1) as w:
        key = os.urandom(32)
        client = w.fields["client_secret"]
        w.fields.update(client_secret=secret_file(w, "client", client), provision_passwords=True,
                        sealing_key=secret_file(w, "sealing", base64.b64encode(key).decode() + "\n"))
        sh = Shell(w)
        password = "Pw-cAnArY-8-Zx"
        with Daemon(sh) as daemon:
            pid = daemon.process.pid
            sh("submit", "-", stdin=lines(create("/Users/1", person("ada", password=password))))
            until(lambda: sh.json("show", "/Users/1").get("password", {}).get("outcome") == "delivered")
            secrets = {"mark": MARK.encode(), "client secret": client.encode(), "password": password.encode(), "key": key,
                       "key in base64": base64.b64encode(key)[:40]}
            found = holders(pid, secrets)
            assert MARK in client and any(left_out for left_out, _, _ in found["mark"]), "the token is there, and left out"
            dumped = {name: [around for left_out, _, around in places if not left_out] for name, places in found.items()}
            rest = dumped.pop("mark")
            assert not any(dumped.values()), dumped
            # libcurl keeps the header of a request, and what it has freed of one, with the token
            assert rest and all(b"!cAnArY." in around for around in rest), rest
            with open(f"/proc/{pid}/limits", encoding="utf-8") as limits:
                core = next(line.split() for line in limits if line.startswith("Max core file size"))
            assert core[4] == "0", ("the program itself makes none", core)


def test_a_dump_while_a_secret_is_sent_does_not_hold_it():
    """libcurl's own copy of the body is looked for, while the org keeps its answer back; over TLS, which copies it too."""
    with World(certificate="good", poll_interval_s=1) as w:
        client, password = w.fields["client_secret"], "Pw-cAnArY-8-Zx"
        w.fields.update(client_secret=secret_file(w, "client", client), provision_passwords=True,
                        sealing_key=secret_file(w, "sealing", base64.b64encode(os.urandom(32)).decode() + "\n"))
        sh = Shell(w)
        for on in ("token", "password"):
            w.org.fault({"on": on, "do": "delay", "delay_ms": 4000})
        with Daemon(sh) as daemon:
            sh("submit", "-", stdin=lines(create("/Users/1", person("ada", password=password))))
            for body in (b"client_secret=" + client.encode(), b'{"NewPassword":"' + password.encode()):
                until(lambda body=body: len(holders(daemon.process.pid, {"it": body})["it"]) >= 2)
                places = holders(daemon.process.pid, {"it": body})["it"]
                assert len(places) >= 2 and all(left_out for left_out, _, _ in places), places
            until(lambda: sh.json("show", "/Users/1").get("password", {}).get("outcome") == "delivered")


def looks_for_assertion():
    """False: what was signed is there no more, so that its signature cannot be computed."""
    with World(poll_interval_s=1) as w:
        key, certificate = new_key(w.folder, "key", 200)
        with open(certificate, encoding="ascii") as file:
            w.org.ask("POST", "/__org/app", {"flows": ["jwt_bearer"], "approved": [USER], "certificates": [file.read()]})
        del w.fields["client_secret"]
        w.fields.update(username=USER, private_key="file:" + key)
        sh = Shell(w)
        with Daemon(sh) as daemon:
            # the claims are looked for before the answers of other calls are written over them
            w.org.fault({"on": "query", "do": "status", "status": 503, "times": -1})
            sh("submit", "-", stdin=lines(create("/Users/1", person("ada"))))
            until(lambda: any("soql" in call for call in w.org.calls()["calls"]))
            header, claims = b"eyJhbGciOiJSUzI1NiJ9.", base64.urlsafe_b64encode(b'{"iss":')[:9]
            places = holders(daemon.process.pid, {"claims": b"." + claims})["claims"]
            w.org.ask("DELETE", "/__org/faults")
            sh("retry", "--all")
            until(lambda: "primary-ada@acme.example" in w.org.users())
            if not places:
                return False
            # what was signed is no secret; its signature must not be there
            to_sign = header + re.search(rb"\.(" + claims + rb"[\w-]+)", places[0][2])[1]
            signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=to_sign, check=True,
                                       capture_output=True).stdout
            needles = {"signature": signature[32:64], "as text": base64.urlsafe_b64encode(signature)[40:80]}
            dumped = {name: [around for left_out, _, around in places if not left_out]
                      for name, places in holders(daemon.process.pid, needles).items()}
            assert not any(dumped.values()), dumped
            return True


def test_a_dump_holds_no_assertion():
    """Who finds a signed assertion can log in with it for as long as it holds."""
    assert any(looks_for_assertion() for _ in range(8)), "what was signed was never found in freed memory"


def test_of_what_was_read_for_the_fields_no_secret_is_left():
    secret = MARK + "-that-stands-in-the-connector-fields"
    code = f"""
import sys
sys.path.insert(0, {os.path.dirname(os.path.abspath(harness.__file__))!r})
import harness
fields = sys.stdin.buffer.readline()
print("read", flush=True)
sys.stdin.readline()
c = harness.Connector(fields)
print("open", flush=True)
sys.stdin.readline()
c.close()
print("closed", flush=True)
sys.stdin.readline()
"""
    with World(client_secret=secret) as w:
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
            copies = {}
            for said, line in (("read", json.dumps(w.fields)), ("open", "on"), ("closed", "on")):
                host.stdin.write(line.encode() + b"\n")
                host.stdin.flush()
                assert host.stdout.readline().decode().strip() == said
                copies[said] = len(holders(host.pid, {"it": secret.encode()})["it"])
            host.stdin.close()
        # the host's own, and one while the connector is open
        assert 0 < copies["closed"] <= copies["read"] and copies["open"] <= copies["read"] + 1, copies


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
