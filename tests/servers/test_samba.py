#!/usr/bin/env python3
"""Samba's domain controller with the module loaded: what its own tools and LDAP clients do to people, and what the
org holds then."""
import base64
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time

from samba import (GROUPS, PEOPLE, SUFFIX, Samba, compare, fill, forget_templates, logon, resident, retitle_at_once, sync,
                   user_ldif)
from common import PHOTO, columns_with_a_photo, in_memory, mark_of, stored, wrong_configurations
from servers import SmallDisk, alone, certificates, cli, events_of, harness, secret, settle, world

CREATED, PUT, NOTICE, DELETED = "prov:create:full", "prov:put:full", "prov:patch:notice", "prov:delete"


def test_a_life_from_hire_to_delete_by_its_tools():
    with world() as w, Samba(w, {}) as d:
        d.seed()
        d.hire("chief", "Grace", "Hopper", "--job-title=Admiral")
        d.hire("ada", "Ada", "Lovelace", "--job-title=Analyst", "--telephone-number=+44 20 1", "--department=Engines",
               "--company=Acme")
        settle(w, d)
        assert compare(w, d) == 2
        assert events_of(w, "ada") == [CREATED], ("one event for a transaction", events_of(w, "ada"))
        ada = w.org.user("ada@acme.example")["Id"]
        d.replace("ada", title="Countess", l="London", st="Kent", c="GB", employeeID="7",
                  manager=f"CN=chief,{PEOPLE}")
        settle(w, d)
        assert compare(w, d) == 2
        assert w.org.user("ada@acme.example")["ManagerId"] == w.org.user("chief@acme.example")["Id"]
        d.tool("user", "rename", "ada", "--samaccountname=ada.byron", "--surname=Byron", "--force-new-cn=Ada Byron")
        settle(w, d)
        compare(w, d)
        assert w.org.user("ada.byron@acme.example")["Id"] == ada, "a renamed user is another one"
        d.tool("user", "move", "ada.byron", SUFFIX)
        d.tool("user", "move", "ada.byron", PEOPLE)
        d.tool("user", "disable", "ada.byron")
        settle(w, d)
        assert not w.org.user("ada.byron@acme.example")["IsActive"]
        compare(w, d)
        d.tool("user", "enable", "ada.byron")
        settle(w, d)
        assert w.org.user("ada.byron@acme.example")["IsActive"]
        compare(w, d)
        d.tool("user", "delete", "ada.byron")
        settle(w, d)
        compare(w, d, gone=["ada.byron"])
        assert events_of(w, "ada.byron")[-1] == DELETED


def test_its_ldap_service_hands_over_what_clients_do():
    with world() as w, Samba(w, {}) as d:
        d.seed().start()
        d.client("ldapadd", text=user_ldif("ada") + "\n\n" + user_ldif("bob", "Bob", "Miller", title="Boss") + "\n")
        settle(w, d)
        assert compare(w, d) == 2
        d.client("ldapmodify", text=f"dn: CN=ada,{PEOPLE}\nchangetype: modify\nreplace: title\ntitle: Dr\n-\n"
                 "replace: userAccountControl\nuserAccountControl: 546\n")
        d.client("ldapmodrdn", "-r", f"CN=bob,{PEOPLE}", "CN=Robert")
        settle(w, d)
        compare(w, d)
        assert not w.org.user("ada@acme.example")["IsActive"]
        d.client("ldapdelete", f"CN=Robert,{PEOPLE}")
        d.client("ldapdelete", f"CN=Robert,{PEOPLE}", code=32)
        settle(w, d)
        compare(w, d, gone=["bob"])


def test_a_transaction_is_one_event_and_a_cancelled_one_is_none():
    with world() as w, Samba(w, {}) as d:
        d.seed()
        d.change(user_ldif("ada").replace("\n", "\nchangetype: add\n", 1) + f"""

dn: CN=ada,{PEOPLE}
changetype: modify
replace: title
title: Dr

dn: CN=ada,{PEOPLE}
changetype: modrdn
newrdn: CN=Ada
deleteoldrdn: 1

dn: CN=Ada,{PEOPLE}
changetype: modify
replace: userAccountControl
userAccountControl: 514

dn: CN=Ada,{PEOPLE}
changetype: modify
replace: userAccountControl
userAccountControl: 544
""")
        settle(w, d)
        assert events_of(w, "ada") == [CREATED], events_of(w, "ada")
        assert compare(w, d) == 1
        before = json.loads(cli(w, "status", "--json").stdout)
        d.ldb("ldbmodify", text=f"""dn: CN=Ada,{PEOPLE}
changetype: modify
replace: title
title: Prof

""" + user_ldif("bob").replace("\n", "\nchangetype: add\n", 1) + f"""

dn: CN=nobody,{PEOPLE}
changetype: modify
replace: title
title: none
""", code=32)
        done = d.try_tool("user", "create", "ada", "Pass-word-12", "--userou=OU=people")
        assert done.returncode != 0, "there is one of that name"
        assert json.loads(cli(w, "status", "--json").stdout)["subjects"] == before["subjects"]
        assert events_of(w, "ada") == [CREATED], events_of(w, "ada")
        fill(d, ("cyd", "Cyd", "Kahn", {}), ("eve", "Eve", "Moore", {}))
        settle(w, d)
        assert compare(w, d) == 3


def test_only_persons_are_handed_over():
    with world() as w, Samba(w, {}) as d:
        d.seed()
        d.tool("computer", "create", "PC1")
        d.tool("group", "add", "crm")
        d.tool("contact", "create", "somebody", "--surname=Else", "--given-name=Some")
        d.change(f"dn: CN=Administrator,CN=Users,{SUFFIX}\nchangetype: modify\nreplace: title\ntitle: Boss\n\n"
                 f"dn: CN=krbtgt,CN=Users,{SUFFIX}\nchangetype: modify\nreplace: description\ndescription: x\n\n"
                 f"dn: {PEOPLE}\nchangetype: modify\nreplace: description\ndescription: x\n")
        d.hire("ada")
        d.tool("computer", "delete", "PC1")
        d.tool("group", "delete", "crm")
        settle(w, d)
        assert compare(w, d) == 1
        assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"] == 1


def test_a_filter_and_bases_say_who_is_to_be_provisioned():
    with world() as w, Samba(w, {"filter": "(employeeType=staff)", "bases": [PEOPLE]}) as d:
        d.seed()
        d.tool("ou", "add", f"OU=unit,{PEOPLE}")
        fill(d, ("ada", "Ada", "Lovelace", {"employeeType": "staff"}), ("gus", "Gus", "Guest", {"employeeType": "gus"}))
        d.change(user_ldif("eve", employeeType="staff").replace(f"CN=eve,{PEOPLE}\n",
                                                               f"CN=eve,OU=unit,{PEOPLE}\nchangetype: add\n"))
        settle(w, d)
        assert set(w.org.users()) == {"ada@acme.example", "eve@acme.example"}, w.org.users()
        d.replace("ada", employeeType="gus")
        settle(w, d)
        assert not w.org.user("ada@acme.example")["IsActive"]
        d.replace("ada", employeeType="staff", title="Dr")
        settle(w, d)
        assert w.org.user("ada@acme.example")["IsActive"] and w.org.user("ada@acme.example")["Title"] == "Dr"
        d.tool("ou", "move", f"OU=unit,{PEOPLE}", SUFFIX)
        settle(w, d)
        assert not w.org.user("eve@acme.example")["IsActive"], "whoever moves out with a unit stays"
        d.tool("ou", "move", f"OU=unit,{SUFFIX}", PEOPLE)
        settle(w, d)
        assert w.org.user("eve@acme.example")["IsActive"], "whoever comes back with it does not"
        assert "gus@acme.example" not in w.org.users()
        d.replace("ada", employeeType="gus")
        for name in ("ada", "gus"):
            d.tool("user", "delete", name)
        settle(w, d)
        assert events_of(w, "ada")[-1] == DELETED, "whoever was out of scope already is gone as well"
        assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"] == 2, "nobody is told of a stranger"


def test_a_group_takes_users_into_scope_and_out():
    crm = f"CN=crm,{GROUPS}"
    with world(scope_groups=[crm]) as w, Samba(w, {"groups": [GROUPS]}) as d:
        d.seed()
        fill(d, ("ada", "Ada", "Lovelace", {}), ("bob", "Bob", "Miller", {}), ("cyd", "Cyd", "Kahn", {}))
        settle(w, d)
        assert not w.org.users()
        d.tool("group", "add", "crm", "--groupou=OU=groups")
        d.tool("group", "addmembers", "crm", "ada,bob,cyd")
        settle(w, d)
        assert compare(w, d) == 3
        d.tool("group", "removemembers", "crm", "bob")
        settle(w, d)
        compare(w, d, inactive=["bob"])
        assert events_of(w, "cyd") == [CREATED, PUT], "who stays in the group has no event"
        d.change(f"dn: {crm}\nchangetype: modify\nreplace: member\nmember: CN=bob,{PEOPLE}\nmember: CN=cyd,{PEOPLE}\n")
        settle(w, d)
        compare(w, d, inactive=["ada"])
        d.change(f"dn: {crm}\nchangetype: modrdn\nnewrdn: CN=former\ndeleteoldrdn: 1\n")
        settle(w, d)
        compare(w, d, inactive=["ada", "bob", "cyd"])
        d.change(f"dn: CN=former,{GROUPS}\nchangetype: modrdn\nnewrdn: CN=crm\ndeleteoldrdn: 1\n")
        settle(w, d)
        compare(w, d, inactive=["ada"])
        d.tool("user", "delete", "cyd")
        d.tool("group", "delete", "crm")
        settle(w, d)
        compare(w, d, inactive=["ada", "bob"], gone=["cyd"])
        assert mark_of(w) is None, mark_of(w)


def test_who_cannot_be_read_and_is_locked_is_let_go():
    for photo in (PHOTO, b"T" * 300_000):  # the adapter, and the store, cannot take it
        with world() as w, Samba(w, {"columns": columns_with_a_photo(w)}) as d:
            names = ("ada", "bob", "cyd", "dan")

            def change(name, *lines):
                d.change("\n".join((f"dn: CN={name},{PEOPLE}", "changetype: modify", *lines)) + "\n")

            unreadable = ("replace: jpegPhoto", "jpegPhoto:: " + base64.b64encode(photo).decode())
            locked = ("-", "replace: userAccountControl", "userAccountControl: 546")
            d.seed()
            fill(d, *((name, name.title(), "Family", {"title": "Analyst"}) for name in names),
                 ("odd", "Odd", "Family", {"jpegPhoto": photo}))
            settle(w, d)
            assert len(w.org.users()) == 4 and mark_of(w), w.org.users()
            change("ada", *unreadable, *locked)
            for name in names[1:]:
                change(name, *unreadable)
            for name in ("cyd", "odd"):
                d.tool("user", "disable", name)
            d.tool("user", "delete", "dan")
            settle(w, d)
            active = [w.org.user(f"{name}@acme.example")["IsActive"] for name in names]
            assert active == [False, True, False, False], (len(photo), active, mark_of(w))
            assert w.org.user("ada@acme.example")["Title"] == "Analyst" and len(w.org.users()) == 4
            total = json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"]
            assert total == 4, ("of whom nothing can be read nothing is kept", total)
            for name in ("ada", "cyd"):
                change(name, "delete: jpegPhoto", *locked[:2], "userAccountControl: 544")
            settle(w, d)
            assert w.org.user("ada@acme.example")["IsActive"] and w.org.user("cyd@acme.example")["IsActive"]


def test_who_cannot_be_read_leaves_scope_all_the_same():
    for photo in (PHOTO, b"T" * 300_000):
        with world(scope_groups=[f"CN=crm,{GROUPS}"], scope_filter='department eq "sales"') as w, Samba(
                w, {"columns": columns_with_a_photo(w), "groups": [GROUPS]}) as d:
            names = ("ada", "bob", "cyd")
            d.seed()
            fill(d, *((name, name.title(), "Family", {"title": "Analyst", "department": "sales"}) for name in names))
            d.tool("group", "add", "crm", "--groupou=OU=groups")
            d.tool("group", "addmembers", "crm", ",".join(names))
            settle(w, d)
            assert len(w.org.users()) == 3 and mark_of(w) is None
            for name in names:
                d.change(f"dn: CN={name},{PEOPLE}\nchangetype: modify\nreplace: jpegPhoto\n"
                         f"jpegPhoto:: {base64.b64encode(photo).decode()}\n-\nreplace: l\nl: Paris\n")
            d.tool("group", "removemembers", "crm", "ada")
            d.replace("bob", department="cellar")
            settle(w, d)
            users = [w.org.user(f"{name}@acme.example") for name in names]
            assert [user["IsActive"] for user in users] == [False, False, True], (len(photo), users)
            assert users[2]["City"] == "Paris" and mark_of(w), users


def test_a_group_within_a_group_and_the_primary_group_count():
    crm, users = f"CN=crm,{GROUPS}", f"CN=Domain Users,CN=Users,{SUFFIX}"

    def members(group, how, *names):
        return f"dn: {group}\nchangetype: modify\n{how}: member\n" + "".join(f"member: {name}\n" for name in names) + "\n"

    with world(scope_groups=[crm]) as w, Samba(w, {"groups": [crm]}) as d:
        d.seed().start()

        def stand(*inside):
            """Who is in scope, for the events and for a list."""
            settle(w, d)
            compare(w, d, inactive={"ada", "bob", "cyd"} - set(inside),
                    skip=[name for name in ("ada", "bob", "cyd") if f"{name}@acme.example" not in w.org.users()])
            active = {name.split("@")[0] for name, user in w.org.users().items() if user["IsActive"]}
            assert active == set(inside), (active, inside)
            for same in (("--groups", crm), ("--adapter", d.config_file)):
                counts = sync(w, d, *same, "--dry-run")["counts"]
                assert counts["unchanged"] == 3 == counts["listed"], counts

        fill(d, *((name, name.title(), "Family", {}) for name in ("ada", "bob", "cyd")))
        people = {name: f"CN={name},{PEOPLE}" for name in ("ada", "bob", "cyd")}
        for name in ("crm", "sales", "north"):
            d.tool("group", "add", name, "--groupou=" + ("OU=groups" if name == "crm" else "OU=people"))
        sales, north = f"CN=sales,{PEOPLE}", f"CN=north,{PEOPLE}"
        d.change(members(sales, "add", north) + members(north, "add", people["ada"]))
        stand()
        d.change(members(crm, "add", sales))
        stand("ada")
        d.change(members(north, "add", people["bob"]))
        stand("ada", "bob")
        # groups that are in each other
        d.change(members(north, "add", sales) + members(sales, "add", people["cyd"]))
        stand("ada", "bob", "cyd")
        # all ties are cut in one transaction, from the inside outward
        d.change(members(north, "delete", people["bob"]) + members(sales, "delete", north) + members(crm, "delete", sales))
        stand()
        d.change(members(crm, "add", north))
        stand("ada", "cyd")
        d.tool("group", "delete", "sales")
        stand("ada")
        d.tool("group", "delete", "north")
        stand()
        assert mark_of(w) is None, mark_of(w)
        # everybody's primary group, which does not name them
        d.change(members(crm, "add", users))
        stand("ada", "bob", "cyd")
        d.tool("group", "add", "visitors", "--groupou=OU=people")
        d.tool("group", "addmembers", "visitors", "cyd")
        number = d.entries(filter="(sAMAccountName=visitors)")[f"CN=visitors,{PEOPLE}"]["objectsid"][0].rpartition("-")[2]
        d.replace("cyd", primaryGroupID=number)
        d.tool("group", "removemembers", "Domain Users", "cyd")
        stand("ada", "bob")
        d.change(members(crm, "delete", users))
        stand()


def test_a_long_transaction_loses_nothing_of_its_beginning():
    crm = f"CN=crm,{GROUPS}"

    def modify(dn, *lines):
        return "\n".join((f"dn: {dn}", "changetype: modify", *lines)) + "\n\n"

    with world(scope_groups=[crm]) as w, Samba(w, {"groups": [GROUPS]}) as d:
        d.seed()
        fill(d, *((name, name.title(), "Family", {}) for name in ("ada", "bob", "cyd")))
        d.tool("group", "add", "crm", "--groupou=OU=groups")
        d.tool("group", "addmembers", "crm", "ada,bob")
        settle(w, d)
        compare(w, d, inactive=["cyd"])
        ada = f"CN=ada,{PEOPLE}"
        d.change(modify(crm, "delete: member", f"member: CN=bob,{PEOPLE}")
                 + modify(ada, "replace: unicodePwd", "unicodePwd:: "
                          + base64.b64encode('"Other-word-13"'.encode("utf-16-le")).decode())
                 + "".join(modify(PEOPLE, "replace: description", f"description: {i}") for i in range(450))
                 + modify(crm, "add: member", f"member: CN=cyd,{PEOPLE}")
                 + modify(ada, "replace: title", "title: Dr"))
        settle(w, d)
        assert compare(w, d, inactive=["bob"]) == 3
        assert events_of(w, "ada")[-1] == NOTICE, events_of(w, "ada")


def test_a_manager_is_seen_beside_what_is_noted_of_logons():
    with world() as w, Samba(w, {}) as d:
        d.seed()
        for name in ("chief", "ada", "bob"):
            d.hire(name)
        d.replace("bob", manager=f"CN=chief,{PEOPLE}")
        settle(w, d)
        for name, line in (("ada", f"replace: manager\nmanager: CN=chief,{PEOPLE}"), ("bob", "delete: manager")):
            d.change(f"dn: CN={name},{PEOPLE}\nchangetype: modify\n{line}\n-\nreplace: lockoutTime\nlockoutTime: 0\n")
        settle(w, d)
        assert compare(w, d) == 3
        assert w.org.user("bob@acme.example").get("ManagerId") is None, events_of(w, "bob")


def test_somebody_who_is_deleted_comes_back():
    with world() as w, Samba(w, {}) as d:
        d.seed()
        d.hire("ada")
        settle(w, d)
        ada = w.org.user("ada@acme.example")["Id"]
        d.tool("user", "delete", "ada")
        settle(w, d)
        compare(w, d, gone=["ada"])
        gone = d.entries("--show-deleted", base=f"CN=Deleted Objects,{SUFFIX}", filter="(sAMAccountName=ada)")
        guid = next(iter(gone.values()))["objectguid"][0]
        d.ldb("ldbmodify", "--show-deleted", text=f"""dn: <GUID={guid}>
changetype: modify
delete: isDeleted
-
replace: distinguishedName
distinguishedName: CN=ada,{PEOPLE}
-
replace: sn
sn: Byron
-
replace: givenName
givenName: Ada
-
replace: mail
mail: ada@example.org
""")
        d.tool("user", "enable", "ada")
        settle(w, d)
        compare(w, d)
        assert w.org.user("ada@acme.example")["Id"] == ada


def test_changes_of_several_processes_end_as_the_domain_says():
    with world() as w, Samba(w, {}) as d:
        d.seed()
        fill(d, *((f"user{i}", "U", f"Family{i}", {}) for i in range(3)))
        d.start()
        retitle_at_once(d, 6, 15, ["user0", "user1", "user2"])
        settle(w, d)
        assert compare(w, d) == 3
        assert sum(len(events_of(w, f"user{i}")) for i in range(3)) == 3 + 6 * 15
        assert mark_of(w) is None, mark_of(w)


def test_a_password_is_a_fact_and_never_a_value():
    with world() as w, Samba(w, {}) as d:
        d.seed()
        d.tool("user", "create", "ada", "Clear-In-The-Add-1", "--surname=Lovelace", "--given-name=Ada",
               "--userou=OU=people", "--use-username-as-cn", "--mail-address=ada@example.org")
        d.tool("user", "setpassword", "ada", "--newpassword=Clear-Later-2")
        settle(w, d)
        assert events_of(w, "ada") == [CREATED, NOTICE], events_of(w, "ada")
        d.replace("ada", title="Dr")
        settle(w, d)
        compare(w, d)
        assert events_of(w, "ada")[-1] == PUT
        for clear in ("Clear-", "Clear-".encode("utf-16-le").decode("latin-1")):
            assert clear.encode("latin-1") not in stored(w) and clear not in d.said()


def test_a_password_in_clear_is_handed_over_where_that_is_wanted():
    with world() as w:
        key = os.path.join(w.folder, "key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(32))
        w.fields.update(provision_passwords=True, sealing_key="file:" + key)
        with Samba(w, {"passwords": True}) as d:
            d.seed()
            for how, password in ((("user", "create", "ada"), "Clear-Ädd-1"),
                                  (("user", "setpassword", "ada", "--newpassword"), "Clear\\\"Set-\U0001f511-2")):
                if how[1] == "create":
                    d.tool(*how, password, "--surname=Lovelace", "--given-name=Ada", "--userou=OU=people",
                           "--use-username-as-cn", "--mail-address=ada@example.org")
                else:
                    d.tool(*how[:-1], f"{how[-1]}={password}")
                settle(w, d)
                answer = w.org.ask("POST", "/__org/users/ada@acme.example/check_password", {"password": password})
                assert answer["matches"], (how, answer, events_of(w, "ada"))
            assert b"Clear" not in stored(w)
            d.change(f"dn: CN=ada,{PEOPLE}\nchangetype: modify\nreplace: title\ntitle: Dr\n")
            settle(w, d)
            assert events_of(w, "ada")[-1] == PUT
            # with this domain's settings that is an attribute as any other
            d.change(f"dn: CN=ada,{PEOPLE}\nchangetype: modify\nreplace: userPassword\nuserPassword: No-Word-3\n")
            settle(w, d)
            answer = w.org.ask("POST", "/__org/users/ada@acme.example/check_password", {"password": password})
            assert answer["matches"], ("what is no password became one", events_of(w, "ada"))


def test_a_list_of_the_domain_says_what_the_events_said():
    with world() as w:
        certificates(w.folder, "127.0.0.1")
        with Samba(w, {}, tls=w.folder) as d:
            d.seed().start()
            d.hire("chief", "Grace", "Hopper")
            d.hire("ada", "Ada", "Lovelace", "--job-title=Analyst", "--department=Engines", "--company=Acme")
            d.replace("ada", manager=f"CN=chief,{PEOPLE}", c="GB", co="United Kingdom", mobile="+44 7", st="Kent",
                      streetAddress="1 Square", postalCode="W1", initials="A", middleName="King", employeeID="9")
            d.tool("group", "add", "crm")
            d.tool("group", "addmembers", "crm", "ada")
            fill(d, ("bob", "Bob", "Müller", {}))
            d.replace("ada", title="Dr")
            assert mark_of(w) is None, mark_of(w)
            counts = sync(w, d, "--dry-run")["counts"]
            assert counts["unchanged"] == 3 == counts["listed"], counts
            sync(w, d)
            assert mark_of(w) is None
            # as somebody with a password, encrypted
            os.environ["LDAPTLS_CACERT"] = os.path.join(w.folder, "ca.pem")
            who = ("--bind-dn", d.admin, "--password-file", secret(w.folder, d.password))
            counts = sync(w, d, *who, "--dry-run", url=f"ldaps://127.0.0.1/{SUFFIX}")["counts"]
            assert counts["unchanged"] == 3 == counts["listed"], counts
            counts = sync(w, d, *who, "--dry-run", url=f"ldaps://127.0.0.1/{SUFFIX}???(title=Dr)")["counts"]
            assert counts["listed"] == 1, counts
            said = sync(w, d, url=f"ldaps://127.0.0.1/{SUFFIX}", code=2)
            assert "without authentication" in said, said
            settle(w, d)
            assert compare(w, d) == 3


def test_who_cannot_be_read_in_a_transaction_is_named():
    with world() as w:
        columns = os.path.join(w.folder, "columns.json")
        with open(columns, "w") as file:
            json.dump({"columns": {"comment": "title"}}, file)
        with Samba(w, {"columns": columns}) as d:
            d.seed().start()
            sync(w, d, "--columns", columns, "--force")  # nobody yet
            fill(d, ("ada", "Ada", "Lovelace", {"comment": "T" * 300_000}), ("bob", "Bob", "Miller", {}))
            assert mark_of(w)["missed"] == 1 and "'CN=ada," in mark_of(w)["reason"], mark_of(w)
            settle(w, d)
            assert set(w.org.users()) == {"bob@acme.example"}


def test_a_list_of_more_than_a_page_holds():
    with world() as w, Samba(w, None) as d:
        d.seed().start()
        fill(d, *((f"u{i}", "U", f"Family{i}", {}) for i in range(1100)))
        counts = sync(w, d, "--dry-run")["counts"]
        assert counts["listed"] == 1100, counts


def test_a_killed_server_loses_nothing():
    with world() as w, Samba(w, {}) as d:
        d.seed().start()
        sync(w, d, "--force")  # nobody yet
        stop, told = threading.Event(), []

        def load(part):
            for number in range(2000):
                done = subprocess.run(["ldapadd", "-x", "-H", d.uri, "-D", d.admin, "-w", d.password], text=True,
                                      input=user_ldif(f"user{part}-{number}", "U", f"F{part}x{number}") + "\n",
                                      capture_output=True, check=False)
                if stop.is_set():
                    return
                if done.returncode == 0:
                    told.append(f"user{part}-{number}")

        threads = [threading.Thread(target=load, args=(part,)) for part in range(3)]
        for thread in threads:
            thread.start()
        while len(told) < 60:
            time.sleep(0.05)
        stop.set()
        d.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()
        people = d.entries(base=PEOPLE)
        assert {f"CN={name},{PEOPLE}" for name in told} <= set(people)
        # whatever is changed next, in whatever process, hands over what was not
        d.tool("computer", "create", "PC1")
        assert mark_of(w) is None, mark_of(w)
        d.start()
        counts = sync(w, d, "--dry-run")["counts"]
        assert counts["listed"] == len(people) == counts["unchanged"], counts
        settle(w, d)
        assert compare(w, d) == len(people)


def lose_what_follows(w, d):
    """The cursor as it was, and the store without what came since: a process that died after its commit."""
    path = w.fields["store"] + ".usn"
    with open(path, "rb") as file:
        return path, file.read()


def test_what_was_committed_and_not_handed_over_comes_with_the_next_transaction():
    with world() as w, Samba(w, {}) as d:
        d.seed().start()
        sync(w, d, "--force")  # nobody yet
        d.hire("ada")
        # committed by a process in which the module does nothing, as one that is killed after the commit
        d.ldb("ldbmodify", "-o", "modules:samba_dsdb", text=f"dn: CN=ada,{PEOPLE}\nchangetype: modify\n"
              "replace: title\ntitle: Dr\n\n" + user_ldif("bob").replace("\n", "\nchangetype: add\n", 1) + "\n")
        d.tool("group", "add", "anything")
        settle(w, d)
        assert compare(w, d) == 2
        assert mark_of(w) is None
        # an older state of the database, or another's
        path, text = lose_what_follows(w, d)
        with open(path, "wb") as file:
            file.write(text.replace(text.split()[3], b"999999")[:128].ljust(127) + b"\n")
        d.hire("cyd", "Cyd", "Kahn")
        assert "older state" in mark_of(w)["reason"], mark_of(w)
        settle(w, d)
        assert compare(w, d) == 3
        sync(w, d)
        with open(path, "w") as file:
            file.write("broken")
        d.hire("eve", "Eve", "Moore")
        assert "list it" in mark_of(w)["reason"], mark_of(w)
        settle(w, d)
        assert compare(w, d) == 4


def test_a_process_that_is_stopped_amid_its_work_stops_nobody():
    with world() as w, Samba(w, {}) as d:
        d.seed().start()
        d.hire("ada")
        d.replace("ada", title="Dr")
        with open(w.fields["store"] + ".usn", "rb") as holder:
            fcntl.flock(holder, fcntl.LOCK_EX)
            for number in range(8):
                d.replace("ada", title=f"Title {number}")
            d.client("ldapmodify", text=f"dn: CN=ada,{PEOPLE}\nchangetype: modify\nreplace: l\nl: London\n")
            assert "next change" in mark_of(w)["remedy"] and mark_of(w)["missed"] >= 9, mark_of(w)
        d.tool("group", "add", "anything")
        assert mark_of(w) is None, mark_of(w)
        settle(w, d)
        assert compare(w, d) == 1


def test_a_domain_that_has_people_already_is_to_be_listed_and_an_empty_one_is_not():
    with world() as w, Samba(w, None) as d:
        d.seed()
        d.write_adapter({})
        d.load()
        d.hire("ada")
        assert mark_of(w) is None, mark_of(w)
        settle(w, d)
        assert compare(w, d) == 1
    with world() as w, Samba(w, None) as d:
        d.seed()
        d.hire("ada")
        d.write_adapter({})
        d.load()
        d.start()  # there is no store yet, so that status has nothing to show
        with open(w.fields["store"] + ".resync") as file:
            assert "list it" in file.read(), "that it is to be listed is known before anybody changes"
        sync(w, d)
        d.replace("ada", title="Dr")
        assert mark_of(w) is None, ("a list before the first change is enough", mark_of(w))
        settle(w, d)
        assert compare(w, d) == 1
        # what can never be handed over stays marked, whatever comes after it
        with open(w.fields["store"] + ".usn", "w") as file:
            file.write("broken")
        d.replace("ada", title="Prof")
        d.replace("ada", title="Dr")
        assert mark_of(w)["missed"] == 1 and "list it" in mark_of(w)["reason"], mark_of(w)


def test_a_wrong_configuration_keeps_the_database_closed_with_a_clear_line():
    with world() as w:
        configs = [(config, words) for config, words in wrong_configurations(w) if config != {"deliver": 1}]
        key = os.path.join(w.folder, "key.json")
        with open(key, "w") as file:
            json.dump({"key": "employeeID", "columns": {}}, file)
        configs += [({"deliver": False}, "'deliver' is not known"), ({"columns": key}, "objectGUID"),
                    ({"bases": ["people=", "==,"]}, "is no DN")]
        with Samba(w, {}) as d:
            for config, words in configs:
                d.write_adapter(config)
                done = d.try_tool("user", "list")
                assert done.returncode != 0 and words in done.stderr, (config, done.stderr)
            said = d.refuses_to_start()
            assert "sfprov: " in said and words in said, said
            # without the module the database opens all the same, to repair it
            assert d.ldb("ldbsearch", "-o", "modules:samba_dsdb", "-s", "base", "-b", "@MODULES")
            d.ldb("ldbmodify", "-o", "modules:samba_dsdb", text="dn: @SFPROV\nchangetype: delete\n")
            done = d.try_tool("user", "list")
            assert done.returncode != 0 and "@SFPROV" in done.stderr, done.stderr
            d.ldb("ldbmodify", "-o", "modules:samba_dsdb",
                  text=f"dn: @SFPROV\nchangetype: add\nconfig: {d.config_file}\n")
            d.write_adapter({})
            d.seed().hire("ada")
            d.start()
            # one that becomes wrong later stops nobody who is at work
            d.write_adapter("{")
            d.client("ldapmodify", text=f"dn: CN=ada,{PEOPLE}\nchangetype: modify\nreplace: title\ntitle: Dr\n")
            assert [event for event in events_of(w, "ada")][-1] == PUT
            d.write_adapter({})
        with Samba(w, {"active": False}) as d:
            before = cli(w, "status", "--json").stdout
            d.seed()
            d.hire("eve", "Eve", "Moore")
            assert json.loads(cli(w, "status", "--json").stdout)["subjects"] == json.loads(before)["subjects"]


def test_a_full_disk_is_marked_and_made_good_by_the_next_change():
    with world() as w, SmallDisk(w.folder) as disk:
        w.fields["store"] = os.path.join(disk.folder, "store.db")
        with Samba(w, {}) as d:
            d.seed()
            d.hire("ada")
            d.start()
            sync(w, d)
            assert mark_of(w) is None
            disk.fill()
            for number in range(40):
                d.client("ldapadd", text=user_ldif(f"user{number}", family=f"Family{number}") + "\n")
            d.replace("ada", title="Dr")
            assert "it is not handed over yet" in d.said(), d.said()[-3000:]
            disk.free()
            mark = mark_of(w)
            assert mark["missed"] > 0 and mark["host"] == d.host and "next change" in mark["remedy"], mark
            shown = cli(w, "status")
            assert "resync needed" in shown.stdout and shown.returncode != 0, shown.stdout
            d.replace("ada", title="Prof")
            assert mark_of(w) is None, ("the numbers show that nothing is missing", mark_of(w))
            settle(w, d)
            assert compare(w, d) == 41
            counts = sync(w, d)["counts"]
            assert counts["unchanged"] == 41 == counts["listed"], counts
            assert mark_of(w) is None


def test_a_full_disk_at_the_first_change_leaves_nothing_that_is_late():
    def is_late():
        with open(w.fields["store"] + ".resync") as file:  # there is no store yet, so that status has nothing to show
            return "cannot be written how far" in file.read()

    with world() as w, SmallDisk(w.folder) as disk:
        w.fields["store"] = os.path.join(disk.folder, "store.db")
        with Samba(w, {}) as d:
            d.tool("user", "list")  # the first opening, with room for the mark
            os.truncate(w.fields["store"] + ".usn", 0)
            disk.fill()
            d.tool("group", "add", "anything")
            disk.free()
            assert is_late(), "nothing is late, so this shows nothing"
            d.tool("group", "add", "more")
            assert not is_late(), "the numbers show that nothing is missing"
            d.seed()
            d.hire("ada")
            assert mark_of(w) is None, mark_of(w)


def test_closed_refuses_what_could_not_be_kept():
    with world() as w, SmallDisk(w.folder) as disk:
        w.fields["store"] = os.path.join(disk.folder, "store.db")
        with Samba(w, {"on_failure": "closed"}) as d:
            d.seed()
            d.hire("ada")
            d.start()
            disk.fill()
            codes = []
            for number in range(40):
                done = subprocess.run(["ldapadd", "-x", "-H", d.uri, "-D", d.admin, "-w", d.password], text=True,
                                      input=user_ldif(f"user{number}", family=f"Family{number}") + "\n",
                                      capture_output=True, check=False)
                codes.append(done.returncode)
                assert done.returncode in (0, 53), done.stderr
            assert 53 in codes and "cannot keep the change" in done.stderr, (codes, done.stderr)
            done = d.try_tool("user", "disable", "ada")
            assert done.returncode != 0 and "cannot keep the change" in done.stderr, done.stderr
            d.tool("group", "add", "anything")  # nobody is concerned
            logon(d, "ada")
            assert len(d.entries(base=PEOPLE)) == 1 + codes.count(0), codes
            disk.free()
            d.replace("ada", title="Dr")
            settle(w, d)
            compare(w, d)


def test_a_logon_is_no_change():
    with world() as w, Samba(w, {}) as d:
        d.seed()
        d.hire("ada")
        d.start()
        logon(d, "ada")
        settle(w, d)
        assert events_of(w, "ada") == [CREATED], events_of(w, "ada")


def test_memory_is_flat_over_many_changes():
    operations = int(os.environ.get("SFPROV_OPERATIONS", 3000))
    with in_memory(), world() as w, Samba(w, {}, model="single") as d:
        d.seed()
        fill(d, *((f"user{i}", "U", f"Family{i}", {}) for i in range(50)))
        d.start()

        def work(count):
            for first in range(0, count, 2000):
                d.client("ldapmodify", text="\n".join(
                    f"dn: CN=user{number % 50},{PEOPLE}\nchangetype: modify\nreplace: title\ntitle: Title {number}\n"
                    for number in range(first, min(first + 2000, count))) + "\n")

        work(operations // 5)
        before = resident(d)
        for _ in range(4):
            work(operations // 5)
        grown = resident(d) - before
        print(f"    {grown} KiB more over {4 * (operations // 5)} changes")
        assert grown < 1024, f"{grown} KiB more over {4 * (operations // 5)} changes"
        assert len(events_of(w, "user0")) > 1


def test_the_tools_do_no_harm():
    with world() as w, Samba(w, {}) as d:
        d.seed()
        d.hire("ada")
        state, cursor = cli(w, "status", "--json").stdout, w.fields["store"] + ".usn"
        with open(cursor) as file:
            usn = file.read()
        d.tool("dbcheck", "--cross-ncs")
        d.tool("user", "list")
        d.tool("user", "show", "ada")
        d.ldb("ldbsearch", "(cn=ada)")
        d.tool("domain", "passwordsettings", "show")
        backup = os.path.join(w.folder, "backup")
        os.mkdir(backup)
        done = d.try_tool_alone("domain", "backup", "offline", f"--targetdir={backup}")
        assert done.returncode == 0 and os.listdir(backup), done.stderr
        with open(cursor) as file:
            assert file.read() == usn
        assert json.loads(cli(w, "status", "--json").stdout)["subjects"] == json.loads(state)["subjects"]
        d.replace("ada", title="Dr")
        settle(w, d)
        assert compare(w, d) == 1


if __name__ == "__main__":
    alone("Samba's ports are fixed")
    try:
        harness.main(sys.modules[__name__])
    finally:
        forget_templates()
