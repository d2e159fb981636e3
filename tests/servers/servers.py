"""What the tests of directory servers share: a server in a folder of its own, its clients, and the comparison
of the simulated org with the directory, user by user."""
import base64
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import harness  # pylint: disable=wrong-import-position
from harness import free_port, until  # pylint: disable=wrong-import-position,unused-import

ADAPTERS = os.environ.get("SFPROV_ADAPTERS", os.path.join(harness.TOP, ".libs"))
LDAP_PASSWORD = "secret-secret"
SUFFIX = "dc=example,dc=org"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
ISSUER = "ldap://directory.example"
SOURCES = os.environ.get("srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
JEMALLOC = "/usr/lib/x86_64-linux-gnu/dirsrv/lib/libjemalloc.so.2"  # of 389-ds-base


def alone(why, name=None):
    """This program anew in a network of its own, with loopback alone, on a machine of that name; where that cannot be, says
    so and ends."""
    if os.environ.get("SFPROV_ALONE") == str(os.getppid()):
        return
    if subprocess.run(["unshare", "-n", "-u", "true"], capture_output=True, check=False).returncode:
        print(f"left out: {os.path.basename(sys.argv[0])}: all, since no network of its own can be made (unshare -n -u), and {why}")
        sys.exit(0)
    inside = f'hostname {name or socket.gethostname()} && ip link set lo up && SFPROV_ALONE=$$ "$@"'
    os.execvp("unshare", ["unshare", "-n", "-u", "sh", "-c", inside, "sh", sys.executable, *sys.argv])


def of_page(page, section):
    """What the commands of a section of docs/hosts are given to read (<<EOF), in order."""
    with open(f"{SOURCES}/docs/hosts/{page}.md", encoding="utf-8") as file:
        part = file.read().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"<<EOF\n(.*?)^EOF$", part, re.M | re.S)


class Installed:
    """The connector and an adapter in a folder of their own, where they can be replaced and removed."""

    def __init__(self, world_, adapter):
        self.folder = f"{world_.folder}/lib"
        os.mkdir(self.folder)
        self.plugin, self.adapter = (f"{self.folder}/{os.path.basename(file)}" for file in (harness.PLUGIN, adapter))
        self.sources = {self.plugin: harness.PLUGIN, self.adapter: adapter}
        self.replace()

    def replace(self):
        """As dpkg does, and `make install`: the old file is still there for whoever has it open."""
        for path, source in self.sources.items():
            shutil.copy(os.path.realpath(source), path + ".new")
            os.rename(path + ".new", path)

    def remove(self):
        shutil.rmtree(self.folder)

    def in_use(self, *pids):
        """What the processes have loaded of it: nothing, "new" files, "old" ones, or both."""
        found = set()
        for pid in pids:
            with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
                found |= {"old" if line.rstrip().endswith("(deleted)") else "new" for line in file if self.folder in line}
        return found


class OldStore:
    """The store of an older sfprov, with users in it, in the place of the world's."""
    users = 8

    def __init__(self, world_):
        self.world = world_
        with sqlite3.connect(world_.fields["store"]) as old, open(f"{SOURCES}/tests/golden/store/schema-12.sql",
                                                                  encoding="utf-8") as file:
            old.executescript(file.read())
        old.close()
        os.chmod(world_.fields["store"], 0o600)

    def version(self):
        with sqlite3.connect(f"file:{self.world.fields['store']}?mode=ro", uri=True) as store:
            version = int(store.execute("SELECT value FROM fact WHERE key = 'schema'").fetchone()[0])
        store.close()
        return version

    def has(self, *names):
        """Its users are there, and those, and nobody was missed."""
        status = json.loads(cli(self.world, "status", "--json").stdout)
        assert status["resync"] is None and status["subjects"]["total"] == self.users + len(names), status
        listed = {row["userName"] for row in json.loads(cli(self.world, "list", "--json").stdout)}
        assert {"ada", "bob", "carol", "hal", *names} <= listed, listed


class Directory:
    """A server process, started and ended by the test. `world` has the simulated org and the store.

    Those that inherit say: key, the attribute of it; host, its name for the connector; lock, the attribute and
    value that lock a person; lock_number, the OID of that attribute; unknown_attribute, the code of a change of one that is not in the schema; odd_passwords, bytes that are no text, if it takes them."""

    def __init__(self, world, name, config):
        self.world, self.name, self.process = world, name, None
        self.folder = tempfile.mkdtemp(prefix=f"sfprov-{name}-", dir=world.folder)
        self.config = config
        self.config_file = f"{self.folder}/sfprov.json"
        self.fields_file = f"{self.folder}/fields.json"
        with open(self.fields_file, "w") as file:
            json.dump(world.fields, file)
        if config is not None:
            self.write_adapter(config)

    def write_adapter(self, config):
        with open(self.config_file, "w") as file:
            if isinstance(config, str):
                file.write(config)
            else:
                json.dump(dict({"fields": self.fields_file, "plugin": harness.PLUGIN}, **config), file)

    def start(self, seconds=30):
        self.output = open(f"{self.folder}/output", "ab")
        self.process = subprocess.Popen(self.command(), stdout=self.output, stderr=self.output,
                                        stdin=subprocess.DEVNULL, env=self.environment())
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}: {self.said()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"{self.name} does not listen: {self.said()}")

    def environment(self):
        return dict(os.environ)

    def refuses_to_start(self, seconds=30):
        """Starts it with what must be refused; returns what it said."""
        output = open(f"{self.folder}/output", "ab")
        process = subprocess.Popen(self.command(), stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                   env=self.environment())
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{self.name} started") from None
        assert code != 0, (code, self.said())
        return self.said()

    def said(self):
        text = ""
        for path in (f"{self.folder}/output", self.log_file):
            if os.path.exists(path):
                text += open(path, errors="replace").read()
        return text

    def stop(self, how=signal.SIGTERM, seconds=30):
        if not self.process:
            return
        self.process.send_signal(how)
        code = self.process.wait(seconds)
        self.process = None
        self.output.close()
        if how == signal.SIGTERM:
            assert code == 0, f"{self.name} ended with {code}: {self.said()[-3000:]}"

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind:
            print(self.said()[-3000:])
        self.stop(signal.SIGTERM if not kind else signal.SIGKILL)

    # ---- the server's own clients ----

    def client(self, name, *arguments, text="", code=0):
        done = subprocess.run([name, "-x", "-H", self.uri, "-D", self.admin, "-w", LDAP_PASSWORD, *arguments],
                              input=text, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, (name, arguments, done.returncode, done.stderr, text[:500])
        return done.stdout

    def add(self, *entries, code=0):
        """Entries as (dn, {attribute: value or list})."""
        self.client("ldapadd", text="\n\n".join(ldif(*entry) for entry in entries) + "\n", code=code)

    def modify(self, dn, *changes, code=0):
        """Changes as ("replace", "title", "Dr") and so on."""
        lines = [f"dn: {dn}", "changetype: modify"]
        for how, attribute, *values in changes:
            lines += [f"{how}: {attribute}", *(ldif_value(attribute, value) for value in values), "-"]
        return self.client("ldapmodify", text="\n".join(lines) + "\n", code=code)

    def rename(self, dn, rdn, superior=None, code=0):
        self.client("ldapmodrdn", "-r", *(("-s", superior) if superior else ()), dn, rdn, code=code)

    def delete(self, *dns, code=0):
        self.client("ldapdelete", *dns, code=code)

    def posix_group(self, dn, *uids):
        return dn, {"objectClass": "posixGroup", "cn": dn.split("=")[1].split(",")[0], "gidNumber": "7",
                    "memberUid": list(uids)}

    def show_passwords(self):
        """Has the server show plugins a password in clear; slapd does by itself."""

    def set_password(self, dn, password):
        self.client("ldappasswd", "-s", password, dn)

    def entries(self, *more, base=SUFFIX, filter="(objectClass=*)"):
        """{dn: {attribute in small letters: [values]}}."""
        text = self.client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", base, *more, filter, "*", "+")
        return parse_ldif(text)

    def seed(self):
        self.add((SUFFIX, {"objectClass": ["dcObject", "organization"], "dc": "example", "o": "Example"}),
                 (PEOPLE, {"objectClass": "organizationalUnit", "ou": "people"}),
                 (GROUPS, {"objectClass": "organizationalUnit", "ou": "groups"}))
        return self


def ldif_value(name, value):
    data = value if isinstance(value, bytes) else str(value).encode()
    return f"{name}:: {base64.b64encode(data).decode()}"


def ldif(dn, attributes):
    lines = [f"dn: {dn}"]
    for name, values in attributes.items():
        lines += [ldif_value(name, value) for value in (values if isinstance(values, list) else [values])]
    return "\n".join(lines)


def parse_ldif(text):
    entries, entry = {}, None
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        if value.startswith(":"):
            value = base64.b64decode(value[1:]).decode(errors="replace")
        value = value.strip()
        if name == "dn":
            entry = entries.setdefault(value, {})
        elif line and entry is not None and not line.startswith("#"):
            entry.setdefault(name.split(";")[0].lower(), []).append(value)
    return entries


def person(uid, given="Ada", family="Lovelace", **more):
    attributes = {"objectClass": "inetOrgPerson", "uid": uid, "cn": f"{given} {family}", "sn": family,
                  "givenName": given, "mail": f"{uid}@example.org"}
    attributes.update(more)
    return f"uid={uid},{PEOPLE}", attributes


def with_jemalloc():
    """The environment of a server that has another malloc; whoever preloads something already, as a sanitizer, keeps it."""
    malloc = {"LD_PRELOAD": JEMALLOC} if os.path.exists(JEMALLOC) else {}
    return {**malloc, **os.environ}


# ---- the org against the directory ----

def settle(world, directory):
    """Waits until the store has nothing that is due; the server delivers, or else this process does."""
    if not directory.process or not (directory.config or {"deliver": False}).get("deliver", True):
        connector = world.connector()
        try:
            return connector.settle()
        finally:
            connector.close()
    connector = world.connector(harness.NEVER_DELIVER)

    def settled():
        status = connector.query(query="status")
        counts = status["subjects"]
        return status["state"] == "idle" and not counts["in_flight"] and not counts["pending"] and status

    try:
        return until(settled, directory.said)
    finally:
        connector.close()


def is_locked(entry):
    return entry.get("pwdaccountlockedtime") == ["000001010000Z"] or \
        [value.lower() for value in entry.get("nsaccountlock", [])] == ["true"]


def expected(entry):
    """What the org must hold of a person's entry."""
    def first(name):
        return entry.get(name, [None])[0]
    return {"LastName": first("sn"), "FirstName": first("givenname"), "Email": first("mail"), "Title": first("title"),
            "Phone": first("telephonenumber"), "Department": first("departmentnumber"),
            "EmployeeNumber": first("employeenumber"), "City": first("l"), "IsActive": not is_locked(entry)}


def compare(world, directory, gone=(), inactive=(), skip=()):
    """The simulated org with the directory, user by user: each person has an account that says the same; whoever
    is gone, or was taken out of scope (inactive), has one that is not active; there are no others, but for those that
    are skipped."""
    entries = directory.entries(base=PEOPLE, filter="(objectClass=person)")
    users = world.org.users()
    seen = {f"{uid}@acme.example" for uid in skip}
    for dn, entry in entries.items():
        name = f"{entry['uid'][0]}@acme.example"
        want = expected(entry)
        if name in seen:
            continue
        if entry["uid"][0] in inactive:
            want = {"IsActive": False}
        elif not want["IsActive"] and name not in users:
            continue  # nobody is made an account to be deactivated
        assert name in users, f"{dn} has no account; there are {sorted(users)}"
        have = {field: users[name].get(field) or (False if field == "IsActive" else None) for field in want}
        assert have == want, f"{dn}: the org has {have}, the directory {want}"
        seen.add(name)
    for uid in gone:
        name = f"{uid}@acme.example"
        assert name in users and not users[name]["IsActive"], f"{uid} is gone and has {users.get(name)}"
        seen.add(name)
    assert set(users) <= seen, f"accounts of nobody: {sorted(set(users) - seen)}"
    return len(set(users))


def world(**fields):
    return harness.World(**dict({"issuer": ISSUER, "provisioning_pattern": "{UN}", "guard_percent": 100}, **fields))


def cli(world_, *arguments, text=None):
    fields = os.path.join(world_.folder, "fields-cli.json")
    with open(os.open(fields, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(world_.fields, file)
    return subprocess.run([harness.CLI, "--plugin", harness.PLUGIN, "-c", fields, *arguments], input=text,
                          capture_output=True, text=True, timeout=120)


def resync(world_, directory, *arguments):
    """The whole directory as a list, as the documentation says; returns what changed."""
    text = directory.client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", PEOPLE, "(objectClass=person)", "*", "+")
    done = cli(world_, "sync", "--json", "--no-deliver", "--format", "ldif", "--key", directory.key, *arguments, "-",
               text=text)
    assert done.returncode in (0, 3, 4), (done.returncode, done.stdout[-2000:], done.stderr)
    return json.loads(done.stdout)


def secret(folder, text=LDAP_PASSWORD + "\n", mode=0o600):
    path = os.path.join(folder, "ldap-password")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def certificates(folder, name):
    run = lambda *arguments: subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=ca")
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=" + name)
    with open(os.path.join(folder, "names"), "w") as file:
        file.write(f"subjectAltName=IP:{name}\n")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
        "-extfile", "names", "-out", "server.pem")


def events_of(world_, name):
    """The kinds of the events of a user, oldest first."""
    return [event["kinds"] for event in json.loads(cli(world_, "show", "--json", name).stdout)["events"]]


def at_once(count, work):
    """work(0), work(1), ... at the same time, until all have ended."""
    threads = [threading.Thread(target=work, args=(part,)) for part in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class SmallDisk:
    """A file system of its own, some megabytes large, that can be filled. NotRun where none can be mounted."""

    def __init__(self, folder, megabytes=4):
        self.folder = os.path.join(folder, "small")
        os.mkdir(self.folder)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "none", self.folder],
                          capture_output=True, check=False).returncode:
            raise harness.NotRun("no file system can be mounted")

    def fill(self):
        with open(os.path.join(self.folder, "ballast"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def free(self):
        os.unlink(os.path.join(self.folder, "ballast"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.folder], check=False)
