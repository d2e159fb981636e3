#!/usr/bin/env python3
"""Samba's domain controller with the module loaded: what kind of domain, of controller and of account it is,
and how it is replaced and taken out."""
import json
import os
import signal
import sys

from samba import GROUPS, PEOPLE, SUFFIX, Samba, compare, forget_templates, retitle_at_once, sync, user_ldif
from common import mark_of, what_remains
from servers import Installed, OldStore, alone, cli, events_of, harness, of_page, settle, world

NOTICE, DELETED = "prov:patch:notice", "prov:delete"
RESTORE = "1.3.6.1.4.1.7165.4.3.24"  # Samba's control for what a restore does


def test_a_managed_service_account_is_nobody():
    kinds = {"group": "msDS-GroupManagedServiceAccount", "single": "msDS-ManagedServiceAccount"}
    where = f"CN=Managed Service Accounts,{SUFFIX}"
    with world() as w, Samba(w, {}) as d:
        d.seed().start()
        d.change("\n\n".join("\n".join((
            f"dn: CN={name},{where}", "changetype: add", f"objectClass: {kind}", f"sAMAccountName: {name}$", "sn: Service",
            "userAccountControl: 4096", f"mail: {name}@example.org",
            *(["msDS-ManagedPasswordInterval: 30"] if name == "group" else []))) for name, kind in kinds.items()) + "\n")
        for name in kinds:
            d.change(f"dn: CN={name},{where}\nchangetype: modify\nreplace: title\ntitle: Robot\n")
        d.tool("user", "setpassword", "group$", "--newpassword=Other-word-13")
        d.hire("ada")
        d.change(f"dn: CN=single,{where}\nchangetype: delete\n")
        settle(w, d)
        assert compare(w, d) == 1
        assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"] == 1
        counts = sync(w, d, "--dry-run")["counts"]
        assert counts["unchanged"] == 1 == counts["listed"], counts


def test_with_the_recycle_bin_who_is_deleted_is_gone_and_who_is_restored_is_back():
    crm = f"CN=crm,{GROUPS}"
    with world(scope_groups=[crm]) as w, Samba(w, {"groups": [GROUPS]}) as d:
        d.seed()
        d.change("dn:\nchangetype: modify\nadd: enableOptionalFeature\nenableOptionalFeature: "
                 f"CN=Partitions,CN=Configuration,{SUFFIX}:766ddcd8-acd0-445e-f3b9-a7f9b6744f2a\n")
        for name in ("ada", "bob", "cyd"):
            d.hire(name)
        d.tool("group", "add", "crm", "--groupou=OU=groups")
        d.tool("group", "addmembers", "crm", "ada,bob,cyd")
        settle(w, d)
        assert compare(w, d) == 3
        ada = w.org.user("ada@acme.example")["Id"]
        d.tool("user", "delete", "ada")
        settle(w, d)
        gone, = d.entries("--show-deleted", base=f"CN=Deleted Objects,{SUFFIX}", filter="(sAMAccountName=ada)").values()
        assert gone["memberof"] == [crm] and "isrecycled" not in gone, ("the bin is off, so this shows nothing", gone)
        compare(w, d, gone=["ada"])
        assert events_of(w, "ada")[-1] == DELETED
        # this Samba restores nobody then: it wants to take away what only a tombstone has
        restored = f"dn: <GUID={gone['objectguid'][0]}>\nchangetype: modify\ndelete: isDeleted\n-\n"
        d.ldb("ldbmodify", "--show-deleted", code=16,
              text=f"{restored}replace: distinguishedName\ndistinguishedName: CN=ada,{PEOPLE}\n")
        d.change(f"dn: {crm}\nchangetype: modrdn\nnewrdn: CN=former\ndeleteoldrdn: 1\n")
        d.change(f"dn: CN=former,{GROUPS}\nchangetype: modrdn\nnewrdn: CN=crm\ndeleteoldrdn: 1\n")
        settle(w, d)
        compare(w, d, gone=["ada"])
        assert events_of(w, "ada")[-1] == DELETED, events_of(w, "ada")
        # as another domain controller restores her
        d.ldb("ldbmodify", f"--controls=show_deleted:1,local_oid:{RESTORE}:0", text=f"""{restored}replace: sAMAccountType
sAMAccountType: 805306368
-
add: objectCategory
objectCategory: CN=Person,CN=Schema,CN=Configuration,{SUFFIX}

dn: <GUID={gone['objectguid'][0]}>
changetype: modrdn
newrdn: CN=ada
deleteoldrdn: 1
newsuperior: {PEOPLE}
""")
        settle(w, d)
        assert compare(w, d) == 3
        assert w.org.user("ada@acme.example")["Id"] == ada
        counts = sync(w, d, "--adapter", d.config_file, "--dry-run", url=f"{d.start().socket_url()}/{SUFFIX}")["counts"]
        assert counts["unchanged"] == 3 == counts["listed"], counts
        d.tool("group", "delete", "crm")
        settle(w, d)
        compare(w, d, inactive=["ada", "bob", "cyd"])
        assert mark_of(w) is None, mark_of(w)


def test_a_domain_in_lmdb_is_handed_over():
    with world() as w, Samba(w, {}, backend=("--backend-store=mdb", "--backend-store-size=100Mb")) as d:
        with open(f"{d.database}.d/{SUFFIX.upper()}.ldb", "rb") as file:
            assert file.read(20)[16:] == b"\xde\xc0\xef\xbe", "it is no lmdb, so this shows nothing"
        d.seed().start()
        d.hire("ada")
        d.client("ldapadd", text=user_ldif("bob", "Bob", "Miller") + "\n")
        retitle_at_once(d, 4, 8, ["ada"])
        settle(w, d)
        assert compare(w, d) == 2
        assert len(events_of(w, "ada")) == 1 + 4 * 8
        d.client("ldapdelete", f"CN=bob,{PEOPLE}")
        d.stop(signal.SIGKILL)
        # committed by a process in which the module does nothing
        d.ldb("ldbmodify", "-o", "modules:samba_dsdb", text=f"dn: CN=ada,{PEOPLE}\nchangetype: modify\n"
              "replace: title\ntitle: Dr\n")
        d.tool("group", "add", "anything")
        settle(w, d)
        compare(w, d, gone=["bob"])
        assert mark_of(w) is None, mark_of(w)


def test_what_is_replicated_from_another_domain_controller_is_handed_over():
    crm = f"CN=crm,{GROUPS}"
    with world(scope_groups=[crm]) as w, Samba(w, None, model="single").replicates() as first:
        first.seed()
        first.tool("group", "add", "crm", "--groupou=OU=groups")
        first.start()
        second = Samba(w, {"groups": [GROUPS]}, first=first)
        second.tool("computer", "create", "PC1")  # from here on it knows where it stands
        first.hire("chief", "Grace", "Hopper")
        first.hire("ada")
        first.hire("bob", "Bob", "Miller")
        first.tool("group", "addmembers", "crm", "ada,bob,chief")
        first.replace("ada", manager=f"CN=chief,{PEOPLE}", title="Dr")
        second.pull()
        settle(w, second)
        assert compare(w, second) == 3
        ada = w.org.user("ada@acme.example")["Id"]
        first.tool("user", "rename", "ada", "--samaccountname=ada.byron", "--force-new-cn=Byron")
        first.tool("user", "disable", "bob")
        first.tool("group", "removemembers", "crm", "chief")
        second.pull()
        settle(w, second)
        compare(w, second, inactive=["chief"])
        assert w.org.user("ada.byron@acme.example")["Id"] == ada and not w.org.user("bob@acme.example")["IsActive"]
        first.tool("group", "add", "sales", "--groupou=OU=people")
        first.tool("group", "addmembers", "sales", "chief")
        first.tool("group", "addmembers", "crm", "sales")
        second.pull()
        settle(w, second)
        compare(w, second)
        assert mark_of(w) is None, mark_of(w)
        first.tool("group", "delete", "sales")
        second.pull()
        assert "deleted elsewhere" in mark_of(w)["reason"] and mark_of(w)["missed"] == 1, mark_of(w)
        first.tool("user", "setpassword", "ada.byron", "--newpassword=Other-word-13")
        first.tool("user", "delete", "bob")
        first.tool("group", "delete", "crm")
        second.pull()
        settle(w, second)
        assert events_of(w, "ada.byron")[-1] == NOTICE and events_of(w, "bob")[-1] == DELETED
        assert mark_of(w)["missed"] == 2, "who was in a group that was deleted elsewhere cannot be known"


def test_a_read_only_domain_controller_hands_over_what_it_is_given():
    with world() as w, Samba(w, None, model="single").replicates() as first:
        first.seed().start()
        with Samba(w, {}, first=first, role="RODC") as second:
            first.hire("ada", "Ada", "Lovelace", "--job-title=Analyst")
            first.hire("bob", "Bob", "Miller")
            first.hire("cyd", "Cyd", "Kahn")
            second.pull()
            settle(w, second)
            assert compare(w, second) == 3
            assert second.try_tool("user", "disable", "ada").returncode != 0, "it is not read-only, so this shows nothing"
            # a password that is fetched, without which it has none of anybody
            done = second.try_tool_alone("rodc", "preload", "ada", "--server=127.0.0.1", "-U",
                                         f"{first.admin.split('@')[0]}%{first.password}")
            assert done.returncode == 0, done.stderr
            first.replace("ada", title="Dr")
            first.tool("user", "disable", "bob")
            first.tool("user", "delete", "cyd")
            second.pull()
            settle(w, second)
            compare(w, second, gone=["cyd"])
            assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"] == 3, "its own krbtgt is a person"
            first.stop()
            counts = sync(w, second.start(), "--adapter", second.config_file, "--dry-run")["counts"]
            assert counts["unchanged"] == 2 == counts["listed"], counts
            assert mark_of(w) is None, mark_of(w)


def test_an_upgrade_loses_nothing_and_a_removal_leaves_nothing_behind():
    with world() as w:
        installed, old = Installed(w, Samba.adapter), OldStore(w)
        with type("Samba", (Samba,), {"adapter": installed.adapter})(w, {"plugin": installed.plugin}) as d:
            before = old.version()
            d.start()
            d.seed()
            d.client("ldapadd", text=user_ldif("nora"))
            assert before < old.version() and installed.in_use(*d.pids()) == {"new"}
            sync(w, d, code=1)  # the domain was there before the module; 1: of the old store somebody is parked
            old.has("nora")
            installed.replace()
            d.client("ldapadd", text=user_ldif("otto"))
            d.replace("nora", title="Dr")
            assert "old" in installed.in_use(*d.pids())
            d.stop()
            d.start()
            d.client("ldapadd", text=user_ldif("pia"))
            d.replace("otto", title="Dr")
            assert installed.in_use(*d.pids()) == {"new"}
            old.has("nora", "otto", "pia")
            told = {name: events_of(w, name) for name in ("nora", "otto", "pia")}
            os.unlink(f"{d.modules}/sfprov-ldb.so")  # who has removed the package first
            assert d.try_tool("user", "list").returncode, "so this shows nothing"
            d.ldb("ldbmodify", "-o", "modules:samba_dsdb", text=of_page("samba", "Load")[1])
            d.change(of_page("samba", "Remove")[0])
            installed.remove()
            d.stop()
            d.start()
            d.client("ldapadd", text=user_ldif("quin"))
            d.replace("nora", title="Prof")
            assert not installed.in_use(*d.pids()) and {"nora", "quin"} <= set(d.tool("user", "list").split())
            assert d.try_tool("dbcheck").returncode == 0
            assert told == {name: events_of(w, name) for name in told}
        assert what_remains(w) == ["store.db", "store.db.resync", "store.db.usn"], what_remains(w)


if __name__ == "__main__":
    alone("Samba's ports are fixed")
    try:
        harness.main(sys.modules[__name__])
    finally:
        forget_templates()
