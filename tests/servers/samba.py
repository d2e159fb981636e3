"""A private domain controller of Samba on loopback below a folder of its own, with the module loaded, and its own
clients: samba-tool, ldbmodify, and those of LDAP.

Samba's ports are fixed, so that the tests run in a network of their own (servers.alone()). The domain is provisioned once
for all cases of a run, and copied. Nothing of the system's Samba is touched: configuration, database, sockets and
the folder of modules are below the folder.
"""
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from servers import ADAPTERS, Directory, at_once, cli, harness, ldif, of_page

ADAPTER = os.path.join(ADAPTERS, "sfprov-ldb.so")
REALM, DOMAIN = "AD.EXAMPLE.ORG", "ADEX"
SUFFIX = "DC=ad,DC=example,DC=org"
PASSWORD = "Secret-Secret-1"
PEOPLE = f"OU=people,{SUFFIX}"
GROUPS = f"OU=groups,{SUFFIX}"
PERSONS = "(&(sAMAccountType=805306368)(!(isCriticalSystemObject=TRUE)))"
PR_SET_PDEATHSIG = 1


_templates = {}


def template(*backend):
    """The folder of a domain that is provisioned, and in which nobody has done anything."""
    if backend not in _templates:
        folder = _templates[backend] = tempfile.mkdtemp(prefix="sfprov-domain-")
        done = subprocess.run(
            ["samba-tool", "domain", "provision", f"--realm={REALM}", f"--domain={DOMAIN}", "--server-role=dc",
             "--dns-backend=NONE", f"--adminpass={PASSWORD}", "--host-name=dc1", "--host-ip=127.0.0.1",
             f"--targetdir={folder}", *backend], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
    return _templates[backend]


def forget_templates():
    while _templates:
        shutil.rmtree(_templates.popitem()[1], ignore_errors=True)


class Samba(Directory):
    """One domain controller. config: the adapter's configuration; None: without the module. Most is done with
    samba-tool on the database, and needs no server; start() starts one. tls: a folder with ca.pem, server.pem, key."""

    key, host, adapter = "objectGUID", "samba", ADAPTER

    def __init__(self, world, config=None, tls=None, model="prefork", first=None, role="DC", backend=()):
        """first: a domain controller that runs and replicates(); this one joins its domain as `role`, and is not started.
        backend: of `samba-tool domain provision`."""
        super().__init__(world, "samba", config)
        self.model, self.tls, self.port, self.services = model, tls, 389, "ldap"
        self.computer = "DC2" if first else "DC1"
        self.config = None if config is None else dict(config, deliver=False) if isinstance(config, dict) else {}
        self.uri, self.admin, self.password = "ldap://127.0.0.1", f"Administrator@{REALM}", PASSWORD
        self.log_file = f"{self.folder}/log.samba"
        self.domain = f"{self.folder}/domain"
        self.tool_said = ""
        if first:
            self.join(first, role)
        else:
            shutil.copytree(template(*backend), self.domain, symlinks=True)
        os.chmod(self.domain, 0o700)
        self.smb_conf, self.database = f"{self.domain}/etc/smb.conf", f"{self.domain}/private/sam.ldb"
        self.write_smb_conf()
        self.modules = f"{self.folder}/modules"
        os.mkdir(self.modules)
        os.symlink(self.adapter, f"{self.modules}/sfprov-ldb.so")
        if config is not None:
            self.load()

    def write_smb_conf(self):
        folder = self.domain
        lines = ["[global]", f"netbios name = {self.computer}", f"realm = {REALM}", f"workgroup = {DOMAIN}",
                 "server role = active directory domain controller", f"server services = {self.services}", "interfaces = lo",
                 "bind interfaces only = yes", f"private dir = {folder}/private", f"state directory = {folder}/state",
                 f"cache directory = {folder}/cache", f"lock directory = {folder}", f"pid directory = {folder}",
                 f"ncalrpc dir = {folder}/ncalrpc", f"binddns dir = {folder}/bind-dns", f"log file = {self.log_file}",
                 "ldap server require strong auth = no", "prefork children:ldap = 2"]
        if self.tls:
            lines += [f"tls {what} = {self.tls}/{file}" for what, file in
                      (("cafile", "ca.pem"), ("certfile", "server.pem"), ("keyfile", "server.key"))]
        else:
            lines.append("tls enabled = no")
        lines += ["[sysvol]", f"path = {folder}/state/sysvol"]
        with open(self.smb_conf, "w") as file:
            file.write("\n".join([*lines, ""]))

    def replicates(self):
        """Begins to offer what another domain controller needs."""
        self.services = "ldap, rpc, cldap, kdc, drepl, nbt"
        self.write_smb_conf()
        return self

    def join(self, first, role):
        os.mkdir(self.domain)
        done = subprocess.run(
            ["samba-tool", "domain", "join", REALM, role, "--server=127.0.0.1", "-U",
             f"{DOMAIN}\\Administrator%{PASSWORD}", f"--targetdir={self.domain}", "--dns-backend=NONE",
             *(f"--option={line}" for line in (f"netbios name={self.computer}", f"workgroup={DOMAIN}", f"realm={REALM}",
                                               "interfaces=lo", "bind interfaces only=yes"))],
            capture_output=True, text=True, timeout=300, env=first.environment(), check=False)
        assert done.returncode == 0, (done.stderr[-3000:], first.said()[-3000:])

    def pull(self):
        """What the first one has and this one has not, in this process, as its replication service does it."""
        done = self.try_tool_alone("drs", "replicate", "--local", self.computer, "127.0.0.1", SUFFIX, "-U",
                                   f"{DOMAIN}\\Administrator%{PASSWORD}")
        assert done.returncode == 0, done.stderr

    def load(self):
        """As the documentation says: a record that names the configuration, and the module before Samba's."""
        text = of_page("samba", "Load")[0]
        assert "/etc/sfprov/samba.json" in text, text
        self.change(text.replace("/etc/sfprov/samba.json", self.config_file))

    # ---- the server ----

    def environment(self):
        return dict(os.environ, LDB_MODULES_PATH=self.modules)

    def command(self):
        return ["samba", "-i", "-M", self.model, "-s", self.smb_conf]

    def start(self, seconds=60):
        self.output = open(f"{self.folder}/output", "ab")
        # a group of its own: it has many processes
        self.process = subprocess.Popen(self.command(), stdout=self.output, stderr=self.output,
                                        stdin=subprocess.DEVNULL, env=self.environment(), start_new_session=True,
                                        preexec_fn=lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, f"samba ended with {self.process.returncode}: {self.said()}"
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(f"{self.domain}/private/ldap_priv/ldapi")
                return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"samba does not listen: {self.said()}")

    def pids(self):
        """All of the server's processes."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as file:
                    words = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if words[3] == str(self.process.pid):  # its session
                found.append(int(pid))
        return found

    def stop(self, how=signal.SIGTERM, seconds=60):
        if not self.process:
            return
        for pid in [self.process.pid] if how == signal.SIGTERM else self.pids():
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                pass
        self.process.wait(seconds)
        end = time.monotonic() + seconds
        while self.pids():
            assert time.monotonic() < end, "processes of samba stay"
            time.sleep(0.02)
        self.process = None
        self.output.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.said()[-3000:], self.tool_said[-3000:])
        self.stop(signal.SIGTERM if not kind else signal.SIGKILL)

    # ---- its tools, on the database ----

    def ldb(self, name, *arguments, text="", code=0):
        done = subprocess.run([name, "-H", self.database, *arguments], input=text, capture_output=True, text=True,
                              timeout=300, env=self.environment(), check=False)
        self.tool_said += done.stderr
        assert done.returncode == code, (name, arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def try_tool_alone(self, *words):
        done = subprocess.run(["samba-tool", *words, "-s", self.smb_conf], capture_output=True, text=True, timeout=300,
                              env=self.environment(), check=False)
        self.tool_said += done.stderr
        return done

    def try_tool(self, *words):
        return self.try_tool_alone(*words, "-H", self.database)

    def tool(self, *words):
        done = self.try_tool(*words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def seed(self):
        self.tool("ou", "add", PEOPLE)
        self.tool("ou", "add", GROUPS)
        return self

    def hire(self, name, given="Ada", family="Lovelace", *more):
        self.tool("user", "create", name, "Pass-word-12", f"--given-name={given}", f"--surname={family}",
                  f"--mail-address={name}@example.org", "--userou=OU=people", "--use-username-as-cn", *more)

    def change(self, text):
        """LDIF of changes, straight to the database."""
        self.ldb("ldbmodify", text=text)

    def replace(self, name, **attributes):
        self.change("\n".join([f"dn: CN={name},{PEOPLE}", "changetype: modify", *(
            line for key, value in attributes.items() for line in (f"replace: {key}", f"{key}: {value}", "-")), ""]))

    def entries(self, *more, base=SUFFIX, filter=PERSONS):
        """{dn: {attribute in small letters: [values]}}, from the database."""
        entries, entry, last = {}, None, None
        import base64
        for line in self.ldb("ldbsearch", "-b", base, *more, filter).split("\n"):
            if line.startswith(" ") and entry is not None:
                last[-1] += line[1:]
            elif ": " in line and not line.startswith(("#", "ref:")):
                name, _, value = line.partition(":")
                if name == "dn":
                    entry = entries.setdefault(value.strip(), {})
                last = entry.setdefault(name.lower(), [])
                last.append(base64.b64decode(value[2:]).decode() if value.startswith(":") else value[1:])
        return entries

    # ---- LDAP ----

    def client(self, name, *arguments, text="", code=0):
        done = subprocess.run([name, "-x", "-H", self.uri, "-D", self.admin, "-w", self.password, *arguments],
                              input=text, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == code, (name, arguments, done.returncode, done.stderr, text[:500])
        return done.stdout

    def socket_url(self):
        return "ldapi://" + urllib.parse.quote(f"{self.domain}/private/ldap_priv/ldapi", safe="")


def user_ldif(name, given="Ada", family="Lovelace", **more):
    return ldif(f"CN={name},{PEOPLE}", dict({"objectClass": "user", "sAMAccountName": name, "sn": family,
                                             "givenName": given, "mail": f"{name}@example.org",
                                             "userAccountControl": "544"}, **more))


def fill(d, *people):
    """People without a password, in one transaction: (name, given, family, more)."""
    d.change("\n\n".join(user_ldif(name, given, family, **more).replace("\n", "\nchangetype: add\n", 1)
                         for name, given, family, more in people) + "\n")


def retitle_at_once(d, processes, titles, names):
    """Each process gives the people new titles in turn, half of them past the server."""
    def work(part):
        for number in range(titles):
            text = (f"dn: CN={names[number % len(names)]},{PEOPLE}\nchangetype: modify\nreplace: title\n"
                    f"title: T {part}-{number}\n")
            if part % 2:
                d.change(text)
            else:
                d.client("ldapmodify", text=text)

    at_once(processes, work)


def sync(w, d, *more, code=0, url=None):
    done = cli(w, "sync", "--json", "--no-deliver", "--key", "objectGUID", *more, url or f"{d.socket_url()}/{SUFFIX}")
    assert done.returncode in ((code,) if code else (0, 3, 4)), (done.returncode, done.stdout[-2000:], done.stderr)
    return done.stderr if code else json.loads(done.stdout)


def logon(d, name):
    """By LDAP with a password, which Samba notes in the entry of the person."""
    def noted():
        return next(iter(d.entries(filter=f"(sAMAccountName={name})").values())).get("lastlogontimestamp")

    assert noted() is None
    done = subprocess.run(["ldapsearch", "-x", "-H", d.uri, "-D", f"{name}@{REALM}", "-w", "Pass-word-12", "-s", "base",
                           "-b", SUFFIX], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert noted(), "the logon is not noted, so this shows nothing"


def resident(d):
    total = 0
    for pid in d.pids():
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:"))
    return total


def expected(entry):
    """What the org must hold of a person's entry."""
    def first(name):
        return entry.get(name, [None])[0]
    return {"LastName": first("sn"), "FirstName": first("givenname"), "Email": first("mail"), "Title": first("title"),
            "Phone": first("telephonenumber"), "Department": first("department"), "City": first("l"),
            "State": first("st"), "Country": first("c"), "EmployeeNumber": first("employeeid"),
            "CompanyName": first("company"), "IsActive": not int(first("useraccountcontrol")) & 2}


def compare(world, directory, gone=(), inactive=(), skip=()):
    """The simulated org with the domain, user by user, as servers.compare()."""
    users, seen = world.org.users(), set()
    entries = directory.entries(base=PEOPLE)
    for dn, entry in entries.items():
        login = entry["samaccountname"][0]
        name = f"{login}@acme.example"
        want = {"IsActive": False} if login in inactive else expected(entry)
        if login in skip or (not want["IsActive"] and name not in users):
            continue
        assert name in users, f"{dn} has no account; there are {sorted(users)}"
        have = {field: users[name].get(field) or (False if field == "IsActive" else None) for field in want}
        assert have == want, f"{dn}: the org has {have}, the domain {want}"
        manager = entry.get("manager")
        if manager and login not in inactive:
            boss = f"{entries[manager[0]]['samaccountname'][0]}@acme.example"
            assert users[name].get("ManagerId") == users[boss]["Id"], f"{dn}: another manager"
        seen.add(name)
    for login in gone:
        name = f"{login}@acme.example"
        assert name in users and not users[name]["IsActive"], f"{login} is gone and has {users.get(name)}"
        seen.add(name)
    seen.update(f"{login}@acme.example" for login in skip)
    assert set(users) <= seen, f"accounts of nobody: {sorted(set(users) - seen)}"
    return len(users)
