"""A private slapd on loopback below a folder of its own, with the adapter loaded, and its own clients.

Nothing of the system's slapd is touched: configuration, database and socket lie in the folder.
"""
import ctypes
import os
import shutil
import subprocess
import time

from servers import ADAPTERS, LDAP_PASSWORD, SUFFIX, Directory, free_port, of_page

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/lib/openldap:" + os.environ.get("PATH", ""))
ADAPTER = os.path.join(ADAPTERS, "sfprov-slapi.so")
MODULES = "/usr/lib/ldap"
SCHEMAS = "/etc/ldap/schema"
PR_SET_CHILD_SUBREAPER = 36


class Detached:
    """A process that left its parent, which is ours now: as much of subprocess.Popen as Directory needs."""

    def __init__(self, pid):
        self.pid, self.returncode = pid, None

    def poll(self):
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while self.poll() is None:
            assert time.monotonic() < end, f"{self.pid} does not end"
            time.sleep(0.02)
        return self.returncode


class Slapd(Directory):
    """One server. config: the adapter's configuration; None: without the adapter. peer: the URI of the
    provider it replicates. dynamic: with cn=config, to which the adapter can be added while it runs.

    Once in some thousand stops it ends with SIGSEGV by itself, with the adapter or without (docs/hosts/openldap.md): nothing
    of its configuration avoids that, and what the adapter does as late as that must not crash either. So it is a failure."""

    key, host, lock, unknown_attribute = "entryUUID", "slapd", ("pwdAccountLockedTime", "000001010000Z"), 17
    lock_number = "1.3.6.1.4.1.42.2.27.8.1.17"
    adapter = ADAPTER
    odd_passwords = ("Clé-4".encode("latin-1"), b"Clear\0-5")

    def __init__(self, world, config=None, peer=None, provider=False, identity=1, rootdn=True, extra="", dynamic=False):
        self.admin = f"cn=admin,{SUFFIX}"
        super().__init__(world, "slapd", config)
        os.mkdir(f"{self.folder}/db")
        self.dynamic = dynamic
        self.port = free_port()
        self.uri = f"ldap://127.0.0.1:{self.port}"
        self.log_file = f"{self.folder}/plugin.log"
        self.write_config(peer, provider, identity, rootdn, extra)

    def write_config(self, peer, provider, identity, rootdn, extra):
        lines = [f"include {SCHEMAS}/{name}.schema" for name in ("core", "cosine", "inetorgperson", "nis")]
        lines += [f"modulepath {MODULES}", "moduleload back_mdb", "moduleload ppolicy", f"pidfile {self.folder}/pid",
                  f"pluginlog {self.log_file}"]
        if provider:
            lines.append("moduleload syncprov")
        lines += [f"serverID {identity}", "database config", f"rootpw {LDAP_PASSWORD}", "database mdb", f'suffix "{SUFFIX}"', f"directory {self.folder}/db",
                  "maxsize 1073741824", "index objectClass,entryUUID,entryCSN,uid,member eq"]
        if rootdn:
            lines += [f'rootdn "{self.admin}"', f"rootpw {LDAP_PASSWORD}"]
        else:
            lines += ["access to attrs=userPassword by * auth", f'access to * by dn.exact="{self.admin}" write by * none']
        if self.config is not None and not self.dynamic:
            lines.append(f"plugin postoperation {self.adapter} sfprov_init {self.config_file}")
        if peer:
            lines.append(f'syncrepl rid=001 provider={peer} bindmethod=simple binddn="{self.admin}" '
                         f'credentials={LDAP_PASSWORD} searchbase="{SUFFIX}" type=refreshAndPersist retry="1 +"')
        if peer:
            lines.append(f"updateref {peer}")
        lines.append("overlay ppolicy")
        if provider:
            lines.append("overlay syncprov")
        lines += [extra, ""]
        with open(f"{self.folder}/slapd.conf", "w") as file:
            file.write("\n".join(lines))

    def command(self):
        where = ["-F", f"{self.folder}/slapd.d"] if self.dynamic else ["-f", f"{self.folder}/slapd.conf"]
        return [SLAPD, "-d", "0", *where, "-h", self.uri]

    def start_detached(self):
        """As the system does: slapd forks, with the plugin loaded, and its first process ends."""
        assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
        self.output = open(f"{self.folder}/output", "ab")
        command = [word for word in self.command() if word not in ("-d", "0")]
        done = subprocess.run(command, stdout=self.output, stderr=self.output, stdin=subprocess.DEVNULL, timeout=60,
                              env=self.environment(), check=False)
        assert done.returncode == 0, (done.returncode, self.said())
        with open(f"{self.folder}/pid", encoding="ascii") as file:
            self.process = Detached(int(file.read()))

    def start(self, seconds=30):
        if self.dynamic and not os.path.exists(f"{self.folder}/slapd.d"):
            os.mkdir(f"{self.folder}/slapd.d")
            # it ends with an error, for there is no database yet, but it has written the configuration then
            done = self.tool("slaptest", "-F", f"{self.folder}/slapd.d")
            assert os.path.exists(f"{self.folder}/slapd.d/cn=config.ldif"), done.stderr
        return super().start(seconds)

    def of_page(self, section):
        """As the documentation says, with the paths of this one."""
        text, = of_page("openldap", section)
        for path, here in (("/usr/lib/x86_64-linux-gnu/sfprov/sfprov-slapi.so", self.adapter), ("/etc/sfprov/slapd.json", self.config_file)):
            assert path in text, (path, text)
            text = text.replace(path, here)
        return text

    def add_plugin(self):
        done = subprocess.run(["ldapmodify", "-x", "-H", self.uri, "-D", "cn=config", "-w", LDAP_PASSWORD], text=True,
                              input=self.of_page("Load"), capture_output=True, check=False)
        return done.returncode, done.stderr

    def tool(self, name, *arguments, **more):
        """slapcat, slapadd, slaptest: the server's own binary by another name."""
        path = shutil.which(name, path="/usr/sbin:" + os.environ.get("PATH", ""))
        return subprocess.run([path, "-f", f"{self.folder}/slapd.conf", *arguments], capture_output=True, text=True,
                              timeout=120, **more)
