"""A private 389 Directory Server on loopback below a folder of its own, with the adapter loaded: the template that
the package ships, filled in; no dscreate, no systemd. As root it runs as the package's user, dirsrv."""
import glob
import os
import pwd
import re
import shutil
import subprocess
import time

from servers import ADAPTERS, LDAP_PASSWORD, SUFFIX, Directory, free_port, with_jemalloc

NS_SLAPD = shutil.which("ns-slapd", path="/usr/sbin:" + os.environ.get("PATH", ""))
ADAPTER = os.path.join(ADAPTERS, "sfprov-389.so")
TEMPLATE = "/usr/share/dirsrv/data/template-dse.ldif"

BACKEND = f"""
dn: cn=userroot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userroot
nsslapd-suffix: {SUFFIX}
nsslapd-cachememsize: 33554432

dn: cn=dc\\3Dexample\\2Cdc\\3Dorg,cn=mapping tree,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: {SUFFIX}
nsslapd-state: backend
nsslapd-backend: userroot
"""

# those in /etc/dirsrv are not for everybody to read
FILES = {"certmap.conf": "certmap default default", "schema/99user.ldif": "dn: cn=schema",
         "slapd-collations.conf": 'collation "" "" "" 1 3 2.16.840.1.113730.3.3.2.0.1 default'}

MAPPING = "cn=dc\\3Dexample\\2Cdc\\3Dorg,cn=mapping tree,cn=config"

PLUGIN = """
dn: cn={name},cn=plugins,cn=config
objectClass: top
objectClass: nsSlapdPlugin
objectClass: extensibleObject
cn: {name}
nsslapd-pluginPath: {path}
nsslapd-pluginInitfunc: {init}
nsslapd-pluginType: postoperation
nsslapd-pluginEnabled: on
nsslapd-pluginPrecedence: {precedence}
nsslapd-pluginId: {name}
nsslapd-pluginVersion: 0
nsslapd-pluginVendor: sfprov
nsslapd-pluginDescription: {name}
nsslapd-plugin-depends-on-type: database
nsslapd-pluginarg0: {argument}
"""


class DS389(Directory):
    """One instance. config: the adapter's configuration; None: without the adapter. plugins: more of them, as
    (name, path, init function, precedence, argument); on: built-in plugins to be switched on."""

    key, host, lock, unknown_attribute = "nsUniqueId", "ns-slapd", ("nsAccountLock", "true"), 65
    lock_number = "2.16.840.1.113730.3.1.610"
    adapter = ADAPTER
    odd_passwords = ()  # it refuses them itself

    def __init__(self, world, config=None, plugins=(), on=()):
        self.admin = "cn=Directory Manager"
        super().__init__(world, "ds389", config)  # "slapd-" in the path would name an instance
        self.conf = f"{self.folder}/{os.path.basename(self.folder)}"  # the server names a semaphore of the whole system after it
        for name in [f"{self.conf}/schema", *"db log lock run tmp ldif bak inst".split()]:
            os.makedirs(os.path.join(self.folder, name))
        self.port = free_port()
        self.uri = f"ldap://127.0.0.1:{self.port}"
        self.log_file = f"{self.folder}/log/errors"
        self.user = "dirsrv" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        self.write_config(plugins, on)
        subprocess.run(["certutil", "-N", "-d", self.conf, "--empty-password"], check=True)
        self.own()

    def own(self):
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "dirsrv:dirsrv", self.world.folder], check=True)

    def write_config(self, plugins, on):
        folder = self.folder
        hashed = subprocess.run(["pwdhash", "-s", "PBKDF2_SHA256", LDAP_PASSWORD], capture_output=True, text=True,
                                check=True).stdout.strip()
        values = dict(schema_dir=f"{self.conf}/schema", lock_dir=f"{folder}/lock", tmp_dir=f"{folder}/tmp",
                      cert_dir=self.conf, ldif_dir=f"{folder}/ldif", bak_dir=f"{folder}/bak",
                      run_dir=f"{folder}/run", inst_dir=f"{folder}/inst", log_dir=f"{folder}/log", fqdn="localhost",
                      ds_port=str(self.port), ds_user=self.user, rootdn=self.admin, ds_passwd=hashed,
                      ds_suffix=SUFFIX, config_dir=self.conf, db_dir=f"{folder}/db", db_home_dir=f"{folder}/db",
                      db_lib="bdb", ldapi_enabled="on", ldapi=f"{folder}/run/ldapi", ldapi_autobind="off")
        text = re.sub(r"%([a-z_]+)%", lambda found: values[found.group(1)], open(TEMPLATE).read())
        # loopback only, before the first start
        text = text.replace("nsslapd-port: ", "nsslapd-listenhost: 127.0.0.1\nnsslapd-port: ", 1)
        for name in on:
            text = re.sub(f"(dn: cn={name},cn=plugins,cn=config\n(?:.+\n)*?nsslapd-pluginenabled: )off", r"\1on", text,
                          flags=re.IGNORECASE)
        # a class that does not help, so that a member without one that does makes the plugin fail
        text = text.replace("memberOfAttr: memberOf", "memberOfAttr: memberOf\nmemberOfAutoAddOC: simpleSecurityObject")
        text += BACKEND
        if self.config is not None:
            text += PLUGIN.format(name="sfprov", path=self.adapter, init="sfprov_init", precedence=99,
                                  argument=self.config_file)
        for name, path, init, precedence, argument in plugins:
            text += PLUGIN.format(name=name, path=path, init=init, precedence=precedence, argument=argument)
        with open(f"{self.conf}/dse.ldif", "w") as file:
            file.write(re.sub(r"\n{3,}", "\n\n", text))
        for name, line in FILES.items():
            with open(f"{self.conf}/{name}", "w") as file:
                file.write(f"{line}\n")

    def command(self):
        return [NS_SLAPD, "-D", self.conf, "-i", f"{self.folder}/pid", "-d", "16384"]

    def stop(self, *how, **more):
        """What it leaves of its semaphores, which are the whole system's, goes with it."""
        super().stop(*how, **more)
        for path in glob.glob(f"/dev/shm/sem.*{os.path.basename(self.folder)}*"):
            os.unlink(path)

    def environment(self):
        """As the package's unit starts it."""
        return with_jemalloc()

    def start(self, seconds=60):
        self.own()
        return super().start(seconds)

    def tool(self, name, *arguments):
        """db2ldif and ldif2db: the server's own binary."""
        return subprocess.run([NS_SLAPD, name, "-D", self.conf, *arguments], capture_output=True, text=True,
                              timeout=120, check=False)

    def show_passwords(self):
        self.modify("cn=config", ("replace", "nsslapd-unhashed-pw-switch", "on"))

    def set_password(self, dn, password):
        # the server takes passwords in the clear over a socket of its own only
        socket = f"{self.folder}/run/ldapi".replace("/", "%2f")
        done = subprocess.run(["ldappasswd", "-x", "-H", f"ldapi://{socket}", "-D", self.admin, "-w", LDAP_PASSWORD,
                               "-s", password, dn], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr

    def be_replica(self, number):
        manager = "cn=replication manager,cn=config"
        self.add((manager, {"objectClass": ["top", "person"], "cn": "replication manager", "sn": "RM",
                            "userPassword": LDAP_PASSWORD}),
                 (f"cn=replica,{MAPPING}", {"objectClass": ["top", "nsDS5Replica", "extensibleObject"], "cn": "replica",
                                            "nsDS5ReplicaRoot": SUFFIX, "nsDS5ReplicaType": 3, "nsDS5Flags": 1,
                                            "nsDS5ReplicaId": number, "nsDS5ReplicaBindDN": manager}))

    def replicate_to(self, other):
        """Supplier to supplier; the other one begins with what is here."""
        self.be_replica(1)
        other.be_replica(2)
        agreement = f"cn=to-other,cn=replica,{MAPPING}"
        self.add((agreement, {"objectClass": ["top", "nsDS5ReplicationAgreement"], "cn": "to-other",
                              "nsDS5ReplicaRoot": SUFFIX, "nsDS5ReplicaHost": "127.0.0.1",
                              "nsDS5ReplicaPort": other.port, "nsDS5ReplicaBindDN": "cn=replication manager,cn=config",
                              "nsDS5ReplicaBindMethod": "SIMPLE", "nsDS5ReplicaTransportInfo": "LDAP",
                              "nsDS5ReplicaCredentials": LDAP_PASSWORD, "nsds5BeginReplicaRefresh": "start"}))
        for _ in range(300):
            entry = next(iter(self.entries(base=agreement).values()))
            if "nsds5beginreplicarefresh" not in entry:
                break
            time.sleep(0.1)
        text = entry.get("nsds5replicalastinitstatus", [""])[0]
        assert "Total update succeeded" in text, entry
