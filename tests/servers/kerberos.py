"""A Kerberos realm in a folder of its own: its database, kadmind and KDC on loopback, and their own clients."""
import csv
import ctypes
import gzip
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

from servers import ADAPTERS, cli, free_port, harness

LISTER = os.environ.get("SFPROV_PRINCIPALS", os.path.join(harness.TOP, "sfprov-principals"))
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
REALM = "EXAMPLE.ORG"
ADMIN, ADMIN_PASSWORD = "root/admin", "admin-admin-9"
ENTRY = "uid=bob,dc=example,dc=org"  # of a person, in the directory that has the realm
# nothing of a principal but its name: the mapping makes the rest
MAPPING = [{"field": "LastName", "source": ["name.familyName", {"source": "userName", "steps": [
               {"replace": "^.*\\.", "with": ""}]}]},
           {"field": "Email", "source": ["emails.value", {"source": "userName", "steps": [
               {"replace": "$", "with": "@example.org"}]}]}]


def binary(name):
    return shutil.which(name, path="/usr/sbin:/usr/bin:" + os.environ.get("PATH", ""))


class Realm:
    """`config` None: without the adapter. Used with `with`, kadmind and a KDC run."""
    name = host = "kadmind"
    confined = ()  # words before the command of kadmind
    options = ()  # of kadmind

    def __init__(self, world, config=None, **more):
        self.world, self.config, self.process, self.kdc = world, config, None, None
        self.folder = tempfile.mkdtemp(prefix="sfprov-krb5-", dir=world.folder)
        os.chmod(self.folder, 0o700)
        self.fields_file, self.config_file = f"{self.folder}/fields.json", f"{self.folder}/kadm5.json"
        self.log_file = f"{self.folder}/kadmind.log"
        self.port, self.kdc_port, self.kpasswd_port = free_port(), free_port(), free_port()
        if config is not None:
            self.write_adapter(config)
        self.write_configuration(**more)
        self.make_database()
        self.local(f"addprinc -pw {ADMIN_PASSWORD} {ADMIN}")

    def write_adapter(self, config):
        with open(os.open(self.fields_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.world.fields, file)
        with open(self.config_file, "w") as file:
            if isinstance(config, str):
                file.write(config)
            else:
                json.dump(dict({"fields": self.fields_file, "plugin": harness.PLUGIN}, **config), file)

    def write_configuration(self, module=None):
        module = module or f"{ADAPTERS}/sfprov-kadm5.so"
        plugins = "" if self.config is None else f"""
[plugins]
 kadm5_hook = {{
  module = sfprov:{module}
 }}
[appdefaults]
 sfprov = {{
  kadm5_config = {self.config_file}
 }}
"""
        with open(f"{self.folder}/krb5.conf", "w") as file:
            file.write(f"""[libdefaults]
 default_realm = {REALM}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 rdns = false
 dns_canonicalize_hostname = false
 default_ccache_name = FILE:{self.folder}/ccache
[realms]
 {REALM} = {{
  kdc = 127.0.0.1:{self.kdc_port}
  admin_server = 127.0.0.1:{self.port}
  kpasswd_server = 127.0.0.1:{self.kpasswd_port}
 }}
[logging]
 admin_server = FILE:{self.log_file}
 kdc = FILE:{self.folder}/kdc.log
{plugins}""")
        with open(f"{self.folder}/kdc.conf", "w") as file:
            file.write(f"""{self.database()}[realms]
 {REALM} = {{
  database_module = the_database
  key_stash_file = {self.folder}/stash
  acl_file = {self.folder}/acl
  kdc_listen = 127.0.0.1:{self.kdc_port}
  kdc_tcp_listen = 127.0.0.1:{self.kdc_port}
  kadmind_listen = 127.0.0.1:{self.port}
  kpasswd_listen = 127.0.0.1:{self.kpasswd_port}
{self.more_of_the_realm()} }}
""")
        with open(f"{self.folder}/acl", "w") as file:
            file.write(f"{ADMIN}@{REALM} *\n")

    def database(self):
        return f"[dbmodules]\n the_database = {{\n  db_library = db2\n  database_name = {self.folder}/principal\n }}\n"

    def more_of_the_realm(self):
        return ""

    def make_database(self):
        self.tool("kdb5_util", "create", "-s", "-P", "master-key-1", "-r", REALM)

    def environment(self):
        return dict(os.environ, KRB5_CONFIG=f"{self.folder}/krb5.conf", KRB5_KDC_PROFILE=f"{self.folder}/kdc.conf",
                    LC_ALL="C.UTF-8")

    # ---- servers ----

    def launch(self, name, *arguments):
        output = open(f"{self.folder}/{name}.out", "ab")
        words = self.confined if name == "kadmind" else ()
        return subprocess.Popen([*words, binary(name), *arguments], stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                env=self.environment())

    def start(self):
        self.kdc = self.launch("krb5kdc", "-n")
        self.process = self.launch("kadmind", "-nofork", *self.options)
        for process, port in ((self.kdc, self.kdc_port), (self.process, self.port)):
            self.wait_for(process, port)
        return self

    def wait_for(self, process, port, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process.poll() is not None:
                raise AssertionError(f"{process.args[0]} ended with {process.returncode}: {self.said()}")
            try:
                return socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"{process.args[0]} does not listen: {self.said()}")

    def with_adapter(self, config):
        """The same realm, from now on with the adapter."""
        self.config = config
        self.write_adapter(config)
        self.write_configuration()
        return self

    def start_detached(self):
        """As the system does: kadmind forks, with the hook loaded, and its first process ends. Its number."""
        assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
        self.kdc = self.launch("krb5kdc", "-n")
        self.wait_for(self.kdc, self.kdc_port)
        assert self.launch("kadmind", "-P", f"{self.folder}/pid").wait(60) == 0, self.said()
        self.wait_for(self.kdc, self.port)
        end = time.monotonic() + 30  # it listens before it says its number
        while time.monotonic() < end:
            if os.path.exists(f"{self.folder}/pid"):
                with open(f"{self.folder}/pid", encoding="ascii") as file:
                    number = file.read()
                if number.endswith("\n"):
                    return int(number)
            time.sleep(0.02)
        raise AssertionError(f"kadmind does not say its number: {self.said()}")

    def refuses_to_start(self, seconds=30):
        process = self.launch("kadmind", "-nofork")
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("kadmind started") from None
        assert code != 0, (code, self.said())
        return self.said()

    def stop(self, how=signal.SIGTERM):
        for process in filter(None, (self.process, self.kdc)):
            process.send_signal(how if process is self.process else signal.SIGTERM)
            code = process.wait(30)
            if how == signal.SIGTERM and process is self.process:
                assert code == 0, f"kadmind ended with {code}: {self.said()[-3000:]}"
        self.process = self.kdc = None

    def said(self):
        text = ""
        for path in (f"{self.folder}/kadmind.out", self.log_file):
            if os.path.exists(path):
                text += open(path, errors="replace").read()
        return text

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind:
            print(self.said()[-3000:])
        self.stop(signal.SIGTERM if not kind else signal.SIGKILL)

    # ---- the clients ----

    def tool(self, name, *arguments, text=None, code=0):
        done = subprocess.run([binary(name), *arguments], input=text, capture_output=True, text=True, timeout=120,
                              env=self.environment())
        assert code is None or done.returncode == code, (name, arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout if code is not None else done

    def run_client(self, words, fails, *lines):
        """The queries of a kadmin, one by one; what it said."""
        said = ""
        for line in lines:
            done = subprocess.run([*words, "-q", line], capture_output=True, text=True, timeout=120,
                                  env=self.environment(), stdin=subprocess.DEVNULL)
            errors = [text for text in done.stderr.splitlines() if not text.startswith(
                ("No policy specified", "Authenticating", "WARNING:", "sfprov: field 'domain_name'"))]
            said += done.stdout + done.stderr
            assert bool(errors or done.returncode) == fails, (line, done.returncode, done.stdout, done.stderr)
        return said

    def local(self, *lines, fails=False):
        return self.run_client([binary("kadmin.local")], fails, *lines)

    def admin(self, *lines, fails=False):
        """By the network, from kadmind."""
        return self.run_client([binary("kadmin"), "-p", ADMIN, "-w", ADMIN_PASSWORD], fails, *lines)

    def attempt(self, line):
        """What kadmin says, whether it succeeds or not."""
        done = subprocess.run([binary("kadmin"), "-p", ADMIN, "-w", ADMIN_PASSWORD, "-q", line], capture_output=True,
                              text=True, timeout=120, env=self.environment(), stdin=subprocess.DEVNULL)
        return done.stdout + done.stderr

    def admin_session(self, lines):
        """Many queries of one kadmin; each must succeed."""
        session = self.session()
        for line in lines:
            said = {"addprinc": "created", "modprinc": "modified", "delprinc": "deleted", "renprinc": "renamed"}
            assert session.say(line, said[line.split()[0]]), (line, session.said[-5:], self.said()[-2000:])
        session.close()

    def session(self, local=False):
        return Session(self, [binary("kadmin.local")] if local else [binary("kadmin"), "-p", ADMIN, "-w", ADMIN_PASSWORD])

    def lister(self):
        """A command for `sfprov sync --command`."""
        inside = {name: value for name, value in self.environment().items() if name.startswith("KRB5_")}
        return ["--", "env", *(f"{name}={value}" for name, value in inside.items()),
                "PATH=/usr/sbin:" + os.environ["PATH"], LISTER, self.config_file]

    def change_own_password(self, name, old, new):
        done = subprocess.run([binary("kpasswd"), name], input=f"{old}\n{new}\n{new}\n", capture_output=True, text=True,
                              timeout=60, env=self.environment())
        assert done.returncode == 0, (done.stdout, done.stderr)

    def principals(self):
        """{name without the realm: whether it is enabled} of those without an instance."""
        names = {}
        for line in self.tool("kdb5_util", "tabdump", "-n", "princ_flags").splitlines()[1:]:
            name, flag, value = line.split("\t")
            name = name.rpartition("@")[0]
            if "/" not in name and int(flag, 16) == 0x40:
                names[name] = value == "0"
        for line in self.tool("kdb5_util", "tabdump", "-n", "princ_tktpolicy").splitlines()[1:]:
            name, expiration = line.split("\t")[:2]
            name = name.rpartition("@")[0]
            if name in names and int(expiration) and int(expiration) <= time.time():
                names[name] = False
        return names


class LdapRealm(Realm):
    """Its database is a directory of OpenLDAP (kldap), which runs from the beginning until the realm is stopped."""
    container, manager, password = "cn=realms,dc=example,dc=org", "cn=admin,dc=example,dc=org", "secret-secret-7"
    who = ("-D", manager, "-w", password)

    def database(self):
        return f"""[dbmodules]
 the_database = {{
  db_library = kldap
  ldap_kerberos_container_dn = "{self.container}"
  ldap_kdc_dn = "{self.manager}"
  ldap_kadmind_dn = "{self.manager}"
  ldap_service_password_file = {self.folder}/service
  ldap_servers = {self.uri()}
 }}
"""

    def uri(self):
        return "ldapi://" + urllib.parse.quote(f"{self.folder}/ldapi", safe="")

    def make_database(self):
        schema = "/usr/share/doc/krb5-kdc-ldap/kerberos.schema.gz"
        if not binary("kdb5_ldap_util") or not binary("slapd") or not os.path.exists(schema):
            raise harness.NotRun("no realm in a directory: krb5-kdc-ldap or slapd is not there")
        with gzip.open(schema) as packed, open(f"{self.folder}/kerberos.schema", "wb") as file:
            shutil.copyfileobj(packed, file)
        os.mkdir(f"{self.folder}/data")
        with open(f"{self.folder}/slapd.conf", "w") as file:
            file.write(f"""include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include {self.folder}/kerberos.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix dc=example,dc=org
rootdn {self.manager}
rootpw {self.password}
directory {self.folder}/data
""")
        self.slapd = subprocess.Popen(
            [binary("slapd"), "-d", "0", "-f", f"{self.folder}/slapd.conf", "-h", self.uri()], stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        end = time.monotonic() + 30
        with socket.socket(socket.AF_UNIX) as probe:
            while probe.connect_ex(f"{self.folder}/ldapi"):
                assert self.slapd.poll() is None and time.monotonic() < end, "slapd does not listen"
                time.sleep(0.02)
        self.directory("ldapadd", "dn: dc=example,dc=org\nobjectClass: domain\ndc: example\n\n"
                       f"dn: {self.container}\nobjectClass: krbContainer\ncn: realms\n\n"
                       f"dn: {ENTRY}\nobjectClass: account\nuid: bob\n")
        self.tool("kdb5_ldap_util", *self.who, "stashsrvpw", "-f", f"{self.folder}/service", self.manager,
                  text=f"{self.password}\n{self.password}\n")
        self.tool("kdb5_ldap_util", *self.who, "-H", self.uri(), "create", "-r", REALM, "-s", "-P", "master-key-1",
                  "-subtrees", "dc=example,dc=org")

    def directory(self, name, text):
        """A client of the directory, past kadmind."""
        self.tool(name, "-x", "-H", self.uri(), *self.who, text=text)

    def stop(self, how=signal.SIGTERM):
        super().stop(how)
        self.slapd.terminate()
        self.slapd.wait(30)


class Primary(Realm):
    """Its changes go to a replica as they come (iprop): Replica. The machine has to be `localhost`: servers.alone()."""

    def __init__(self, world, config):
        if not binary("kpropd"):
            raise harness.NotRun("krb5-kpropd is not there")
        self.iprop_port, self.kprop_port = free_port(), free_port()
        super().__init__(world, config)
        self.options = ("-p", binary("kdb5_util"), "-K", binary("kprop"), "-k", str(self.kprop_port), "-F", f"{self.folder}/dumped")
        for service in ("kiprop", "host"):
            self.local(f"addprinc -randkey {service}/localhost", f"ktadd -k {self.folder}/keytab {service}/localhost")
        with open(f"{self.folder}/acl", "a", encoding="ascii") as file:
            file.write(f"kiprop/localhost@{REALM} p\n")

    def more_of_the_realm(self):
        return (f"  iprop_enable = true\n  iprop_replica_poll = 1s\n  iprop_port = {self.iprop_port}\n"
                f"  iprop_logfile = {self.folder}/ulog\n")

    def environment(self):
        return dict(super().environment(), KRB5_KTNAME=f"FILE:{self.folder}/keytab")


class Replica(Realm):
    """Of a primary that runs. Its krb5.conf names the hook as well."""

    def __init__(self, primary):  # pylint: disable=super-init-not-called
        self.primary, self.config_file = primary, primary.config_file
        self.folder = tempfile.mkdtemp(prefix="sfprov-replica-", dir=primary.world.folder)
        shutil.copy(f"{primary.folder}/stash", f"{self.folder}/stash")
        with open(f"{primary.folder}/kdc.conf", encoding="utf-8") as file:
            text = file.read().replace(primary.folder, self.folder)
        with open(f"{self.folder}/kdc.conf", "w", encoding="utf-8") as file:
            file.write(text)
        with open(f"{self.folder}/acl", "w", encoding="ascii") as file:
            file.write(f"host/localhost@{REALM}\n")

    def environment(self):
        return dict(self.primary.environment(), KRB5_KDC_PROFILE=f"{self.folder}/kdc.conf")

    def start(self):
        self.process = self.launch("kpropd", "-d", "-P", str(self.primary.kprop_port), "-f", f"{self.folder}/from_primary",
                                   "-F", f"{self.folder}/principal", "-p", binary("kdb5_util"), "-a", f"{self.folder}/acl",
                                   "-A", "localhost", "-s", f"{self.primary.folder}/keytab")
        return self

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(30)

    def said(self):
        with open(f"{self.folder}/kpropd.out", encoding="utf-8", errors="replace") as file:
            return file.read()


class Session:
    """A kadmin that stays, and is asked one thing after the other."""

    def __init__(self, realm, words):
        self.said = []
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, env=realm.environment(), bufsize=1)

    def say(self, line, word):
        """Whether the answer has the word; False: it has not, or the server is gone."""
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except OSError:
            return False
        for answer in self.process.stdout:
            self.said.append(answer)
            if word in answer:
                return True
            if " while " in answer:
                return False
        return False

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.kill() if self.process.poll() is None and not self.said else None
        self.process.wait(30)


def list_principals(realm):
    """{name: enabled} as sfprov-principals tells it."""
    done = subprocess.run([LISTER, realm.config_file], capture_output=True, text=True, timeout=120,
                          env=dict(realm.environment(), PATH="/usr/sbin:" + os.environ["PATH"]))
    assert done.returncode == 0, done.stderr
    return {row["userName"]: row["active"] == "true" for row in csv.DictReader(io.StringIO(done.stdout, newline=""))}


def resync(world, realm, *arguments):
    """The whole realm as a list, as the documentation says; returns what changed."""
    done = cli(world, "sync", "--json", "--no-deliver", "--by-name", "--format", "csv", *arguments, "--command",
               *realm.lister())
    assert done.returncode in (0, 3, 4), (done.returncode, done.stdout[-2000:], done.stderr)
    return json.loads(done.stdout)


def compare(world, realm, gone=()):
    """The simulated org with the realm, principal by principal; and those who are gone have an account that is not
    active. Returns how many there are."""
    principals, users = realm.principals(), world.org.users()
    for name, enabled in principals.items():
        user = users.get(f"{name}@acme.example")
        if user is None and not enabled:
            continue  # nobody is made an account to be deactivated
        assert user, f"{name} has no account; there are {sorted(users)}"
        assert user["IsActive"] == enabled, (name, enabled, user)
    for name in gone:
        assert not users[f"{name}@acme.example"]["IsActive"], (name, users)
    strangers = set(users) - {f"{name}@acme.example" for name in [*principals, *gone]}
    assert not strangers, f"accounts of nobody: {sorted(strangers)}"
    return len(users)
