"""Cases that hold for every directory server with the adapter loaded. `Server` makes one: Server(world, config)."""
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

from servers import (GROUPS, LDAP_PASSWORD, PEOPLE, SUFFIX, Installed, OldStore, SmallDisk, at_once, cli, compare, events_of, harness, person, resync,
                     secret, settle, world)


def mark_of(w):
    return json.loads(cli(w, "status", "--json").stdout)["resync"]


def mark_file(w):
    with open(w.fields["store"] + ".resync", encoding="utf-8") as file:
        return file.read()


def stored(w):
    """Every byte that the store keeps on disk."""
    found = b""
    for folder, _, names in os.walk(w.folder):
        for name in names:
            if name.startswith("store.db"):
                found += open(os.path.join(folder, name), "rb").read()
    return found


def try_to_add(d, uid, family):
    """ldapadd of one person; its exit code and what it said."""
    dn, attributes = person(uid, family=family)
    done = subprocess.run(["ldapadd", "-x", "-H", d.uri, "-D", d.admin, "-w", LDAP_PASSWORD], text=True,
                          input=f"dn: {dn}\n" + "".join(f"{key}: {value}\n" for key, value in attributes.items()),
                          capture_output=True, check=False)
    return done.returncode, done.stderr


def becomes(what, otherwise, seconds=30):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)


def a_life_from_hire_to_delete(Server):
    with world() as w, Server(w, {}) as d:
        name, value = d.lock
        d.seed()
        d.add(person("ada", title="Analyst", telephoneNumber="+44 20 1"), person("bob", "Bob", "Miller"))
        settle(w, d)
        assert compare(w, d) == 2
        ada = w.org.user("ada@acme.example")["Id"]
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"), ("add", "l", "London"))
        settle(w, d)
        compare(w, d)
        d.modify(f"UID=Ada, OU=People,{SUFFIX}", ("replace", "title", "Lady"))
        settle(w, d)
        compare(w, d)
        d.rename(f"uid=ada,{PEOPLE}", "uid=ada.byron")
        settle(w, d)
        compare(w, d)
        assert w.org.user("ada.byron@acme.example")["Id"] == ada, "a renamed user is another one"
        d.modify(f"uid=bob,{PEOPLE}", ("add", name, value))
        settle(w, d)
        assert not w.org.user("bob@acme.example")["IsActive"]
        compare(w, d)
        d.modify(f"uid=bob,{PEOPLE}", ("delete", name))
        settle(w, d)
        assert w.org.user("bob@acme.example")["IsActive"]
        compare(w, d)
        d.delete(f"uid=ada.byron,{PEOPLE}")
        settle(w, d)
        compare(w, d, gone=["ada.byron"])
        assert resync(w, d, "--dry-run")["counts"]["unchanged"] == 1, "a list says something else than the events"


def a_list_of_the_directory_says_what_the_events_said(Server):
    with world() as w, Server(w, {}) as d:
        d.seed()
        d.add(person("chief", "Grace", "Hopper"),
              person("ada", manager=f"uid=chief,{PEOPLE}", mail=["a@example.org", "b@example.org"], st="Kent",
                     departmentNumber="7", employeeType="staff", **{"displayName;lang-en": "Ada L."}), person("bob"))
        d.modify(f"uid=bob,{PEOPLE}", ("add", *d.lock))
        settle(w, d)
        compare(w, d)
        assert w.org.user("ada@acme.example")["ManagerId"] == w.org.user("chief@acme.example")["Id"]
        report = resync(w, d, "--dry-run")
        assert report["counts"]["unchanged"] == 3 == report["counts"]["listed"], report


def refused_and_irrelevant_changes_hand_nothing_over(Server):
    with world() as w, Server(w, {}) as d:
        d.seed()
        d.add(person("ada"))
        d.add(person("ada"), code=68)
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "noSuchAttribute", "x"), code=d.unknown_attribute)
        d.modify(f"uid=ada,{PEOPLE}", ("add", "description", "nothing that is mapped"))
        d.modify(SUFFIX, ("replace", "description", "no person"))
        d.delete(PEOPLE, code=66)
        settle(w, d)
        compare(w, d)
        assert events_of(w, "ada") == ["prov:create:full"], events_of(w, "ada")


def a_filter_and_bases_say_who_is_to_be_provisioned(Server):
    with world() as w, Server(w, {"filter": "(&(objectClass=inetOrgPerson)(employeeType=staff))",
                                  "bases": [PEOPLE]}) as d:
        d.seed()
        d.add(person("ada", employeeType="staff"), person("guest", "Gus", "Guest", employeeType="guest"),
              (f"ou=left,{SUFFIX}", {"objectClass": "organizationalUnit", "ou": "left"}),
              (f"ou=unit,{PEOPLE}", {"objectClass": "organizationalUnit", "ou": "unit"}),
              (f"uid=eve,ou=unit,{PEOPLE}", person("eve", employeeType="staff")[1]))
        settle(w, d)
        assert set(w.org.users()) == {"ada@acme.example", "eve@acme.example"}, w.org.users()
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "employeeType", "guest"))
        settle(w, d)
        assert not w.org.user("ada@acme.example")["IsActive"]
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "employeeType", "staff"), ("replace", "title", "Dr"))
        settle(w, d)
        assert w.org.user("ada@acme.example")["IsActive"] and w.org.user("ada@acme.example")["Title"] == "Dr"
        d.rename(f"ou=unit,{PEOPLE}", "ou=unit", f"ou=left,{SUFFIX}")
        assert events_of(w, "eve")[-1] == "feed:remove", "whoever moves out with a unit is known before the client is told"
        becomes(lambda: not w.org.user("eve@acme.example")["IsActive"], "whoever moves out with a unit stays")
        d.rename(f"ou=unit,ou=left,{SUFFIX}", "ou=unit", PEOPLE)
        assert "feed:add" in events_of(w, "eve")[-1], events_of(w, "eve")
        becomes(lambda: w.org.user("eve@acme.example")["IsActive"], "whoever comes back with it does not")
        assert "guest@acme.example" not in w.org.users()


def a_comma_in_the_name_of_a_base_is_found(Server):
    """Servers write it in another way than people do."""
    sales, groups = f"ou=Sales\\, EMEA,{SUFFIX}", f"ou=Sales\\, Groups,{SUFFIX}"
    crm = f"cn=crm,{groups}"
    quoted = f'ou="Sales, Groups",{SUFFIX}'  # as RFC 2253 has it
    with world() as w, Server(w, {"bases": [sales], "groups": [quoted]}) as d:
        ada = f"uid=ada,{sales}"
        d.seed()
        d.add(*((dn, {"objectClass": "organizationalUnit"}) for dn in (sales, groups)), (ada, person("ada")[1]), person("bob"))
        settle(w, d)
        assert set(w.org.users()) == {"ada@acme.example"}, w.org.users()
        d.add((crm, {"objectClass": "groupOfNames", "cn": "crm", "member": [ada]}))
        assert len(events_of(w, "ada")) == 2, events_of(w, "ada")


def an_attribute_counts_by_each_of_its_names(Server):
    crm = f"cn=crm,{GROUPS}"
    with world(scope_groups=[crm]) as w, Server(w, {"groups": [GROUPS]}) as d:
        d.seed()
        d.add(person("ada"), (f"uid=bob,{PEOPLE}", {"objectClass": "inetOrgPerson", "userid": "bob", "commonName": "Bob Miller",
                                                    "surname": "Miller", "rfc822Mailbox": "bob@example.org", "2.5.4.12": "Boss"}),
              person("cyd"),
              (crm, {"objectClass": "groupOfNames", "cn": "crm", "2.5.4.31": [f"uid={name},{PEOPLE}" for name in ("ada", "bob")]}))
        settle(w, d)
        assert compare(w, d, skip=["cyd"]) == 2
        for attribute, value in (("surname", "Byron"), ("2.5.4.12", "Countess"), ("localityName", "London")):
            d.modify(f"uid=ada,{PEOPLE}", ("replace", attribute, value))
            settle(w, d)
            compare(w, d, skip=["cyd"])
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "2.5.4.35", "Clear-1-2"))
        assert events_of(w, "ada")[-1] == "prov:patch:notice", events_of(w, "ada")
        d.modify(f"uid=bob,{PEOPLE}", ("add", d.lock_number, d.lock[1]))
        settle(w, d)
        assert not w.org.user("bob@acme.example")["IsActive"]
        d.modify(crm, ("replace", "2.5.4.31", f"uid=cyd,{PEOPLE}"))
        settle(w, d)
        compare(w, d, inactive=["ada", "bob"])
        assert w.org.user("cyd@acme.example")["IsActive"] and mark_of(w) is None


def a_filter_names_an_attribute_by_each_of_its_names(Server):
    """One that is not mapped, so that the filter alone makes a change of it count."""
    with world() as w, Server(w, {"filter": "(&(objectClass=inetOrgPerson)(2.5.4.15=staff))"}) as d:
        d.seed()
        d.add(person("ada", businessCategory="staff"), person("bob", businessCategory="staff"), person("cyd"))
        settle(w, d)
        assert compare(w, d, skip=["cyd"]) == 2
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "businessCategory", "left"))
        d.modify(f"uid=bob,{PEOPLE}", ("replace", "2.5.4.15", "left"))
        d.modify(f"uid=cyd,{PEOPLE}", ("add", "2.5.4.15", "staff"))
        settle(w, d)
        compare(w, d, inactive=["ada", "bob"])
        assert w.org.user("cyd@acme.example")["IsActive"]


def a_group_takes_users_into_scope_and_out(Server):
    with world(scope_groups=["cn=crm,ou=groups,dc=example,dc=org"]) as w, Server(w, {"groups": [GROUPS]}) as d:
        crm = f"cn=crm,{GROUPS}"
        d.seed()
        d.add(person("ada"), person("bob", "Bob", "Miller"), person("cyd", "Cyd", "Kahn"))
        settle(w, d)
        assert not w.org.users()
        d.add((crm, {"objectClass": "groupOfNames", "cn": "crm",
                     "member": [f"uid=ada,{PEOPLE}", f"uid=bob,{PEOPLE}", f"uid=cyd,{PEOPLE}"]}))
        settle(w, d)
        assert compare(w, d) == 3
        d.modify(crm, ("delete", "member", f"UID=bob, {PEOPLE}"))
        settle(w, d)
        compare(w, d, inactive=["bob"])
        d.modify(crm, ("replace", "member", f"uid=bob,{PEOPLE}", f"uid=cyd,{PEOPLE}"))
        settle(w, d)
        compare(w, d, inactive=["ada"])
        d.rename(crm, "cn=former")
        settle(w, d)
        compare(w, d, inactive=["ada", "bob", "cyd"])
        d.rename(f"cn=former,{GROUPS}", "cn=crm")
        settle(w, d)
        compare(w, d, inactive=["ada"])
        d.delete(crm)
        settle(w, d)
        compare(w, d, inactive=["ada", "bob", "cyd"])


def a_posix_group_takes_users_into_scope_and_out(Server):
    crm = f"cn=crm,{GROUPS}"
    with world(scope_groups=[crm]) as w, Server(w, {"groups": [GROUPS]}) as d:
        d.seed()
        d.add(person("ada"), person("bob", "Bob", "Miller"), person("cyd", "Cyd", "Kahn"), d.posix_group(crm, "ada", "bob"))
        settle(w, d)
        compare(w, d, skip=["cyd"])
        d.modify(crm, ("delete", "memberUid", "bob"), ("add", "memberUid", "cyd"))
        settle(w, d)
        compare(w, d, inactive=["bob"])
        d.modify(crm, ("replace", "memberUid", "bob", "nobody"))
        settle(w, d)
        compare(w, d, inactive=["ada", "cyd"])
        d.modify(f"uid=bob,{PEOPLE}", ("replace", "title", "Dr"))
        settle(w, d)
        compare(w, d, inactive=["ada", "cyd"])
        d.modify(crm, ("delete", "memberUid"))
        settle(w, d)
        compare(w, d, inactive=["ada", "bob", "cyd"])
        d.modify(crm, ("add", "memberUid", "ada"))
        settle(w, d)
        compare(w, d, inactive=["bob", "cyd"])
        d.delete(crm)
        settle(w, d)
        compare(w, d, inactive=["ada", "bob", "cyd"])


def a_manager_who_comes_after_the_reports_is_linked(Server):
    with world() as w, Server(w, {}) as d:
        d.seed()
        d.add(person("ada", manager=f"uid=chief,{PEOPLE}"), person("bob", "Bob", "Miller", manager=f"UID=chief, {PEOPLE}"),
              person("cyd", "Cyd", "Kahn", manager=f"uid=head,{PEOPLE}"))
        settle(w, d)
        assert not w.org.user("ada@acme.example").get("ManagerId")
        d.add(person("chief", "Grace", "Hopper"))
        settle(w, d)
        chief = w.org.user("chief@acme.example")["Id"]
        assert [w.org.user(f"{name}@acme.example").get("ManagerId") for name in ("ada", "bob", "cyd")] == [chief, chief, None]
        d.rename(f"uid=chief,{PEOPLE}", "uid=head")
        settle(w, d)
        assert w.org.user("cyd@acme.example").get("ManagerId") == chief
        compare(w, d)


def configured_attributes_and_a_configured_lock(Server):
    with world() as w:
        columns = os.path.join(w.folder, "columns.json")
        with open(columns, "w") as file:
            json.dump({"columns": {"employeeType": {"path": "active", "false": ["left"], "otherwise": True},
                                   "carLicense": "employeeNumber", "title": ""}}, file)
        with Server(w, {"columns": columns}) as d:
            d.seed()
            d.add(person("ada", carLicense="L-1", title="not read", employeeType="staff"))
            settle(w, d)
            user = w.org.user("ada@acme.example")
            assert user["EmployeeNumber"] == "L-1" and not user.get("Title") and user["IsActive"], user
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "employeeType", "left"))
            settle(w, d)
            assert not w.org.user("ada@acme.example")["IsActive"]


def a_password_is_a_fact_and_never_a_value(Server, config={}):
    with world() as w, Server(w, config) as d:
        d.seed()
        d.add(person("ada", userPassword="Clear-In-The-Add-1"))
        d.set_password(f"uid=ada,{PEOPLE}", "Clear-By-Exop-2")
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "userPassword", "Clear-By-Modify-3"), ("replace", "title", "Dr"))
        settle(w, d)
        compare(w, d)
        assert events_of(w, "ada") == ["prov:create:full", "prov:patch:notice", "prov:patch:notice"], events_of(w, "ada")
        assert b"Clear-" not in stored(w) and "Clear-" not in d.said()


def a_password_in_clear_is_handed_over_where_that_is_wanted(Server):
    hashed = "{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr"

    def has(w, name, password):
        return w.org.ask("POST", f"/__org/users/{name}@acme.example/check_password", {"password": password})["matches"]

    with world() as w:
        key = os.path.join(w.folder, "key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(32))
        os.chmod(w.folder, 0o711)
        w.fields.update(provision_passwords=True, sealing_key="file:" + key)
        with Server(w, {"passwords": True}) as d:
            d.seed()
            d.show_passwords()
            d.add(person("ada", userPassword="Clear-In-The-Add-1"), person("bob", userPassword=hashed))
            settle(w, d)
            becomes(lambda: has(w, "ada", "Clear-In-The-Add-1"), "the password of an add is not set")
            assert not has(w, "bob", hashed)
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "userPassword", "Clear\\\"By-Modify-2"))
            becomes(lambda: has(w, "ada", "Clear\\\"By-Modify-2"), "the password of a modify is not set")
            d.set_password(f"uid=ada,{PEOPLE}", "Clear-By-Exop-3")
            d.modify(f"uid=bob,{PEOPLE}", ("replace", "userPassword", hashed))
            settle(w, d)
            if events_of(w, "ada")[-1] != "prov:patch:notice":  # slapd hashes this one before
                becomes(lambda: has(w, "ada", "Clear-By-Exop-3"), "the password of an operation of its own is not set")
            assert events_of(w, "bob")[-1] == "prov:patch:notice", events_of(w, "bob")
            assert b"Clear" not in stored(w)
            # bytes that are no text cannot be Salesforce's password; what else changed comes all the same
            for title, password in zip(("Dr", "Prof"), d.odd_passwords):
                d.modify(f"uid=ada,{PEOPLE}", ("replace", "userPassword", password), ("replace", "title", title))
                settle(w, d)
                compare(w, d)
                assert events_of(w, "ada")[-1] == "prov:patch:notice", events_of(w, "ada")


def wrong_configurations(w):
    """Configurations that must be refused, each with what must be said of it."""
    fields = os.path.join(w.folder, "fields-wrong.json")
    with open(fields, "w") as file:
        json.dump(dict(w.fields, profile=""), file)
    no_issuer = os.path.join(w.folder, "fields-no-issuer.json")
    with open(no_issuer, "w") as file:
        json.dump({key: value for key, value in w.fields.items() if key != "issuer"}, file)
    return (("{", "no JSON object"), ({"filed": 1}, "'filed' is not known"), ({"fields": "/nowhere.json"}, "/nowhere.json"),
            ({"fields": fields}, "profile"), ({"fields": no_issuer}, "issuer"), ({"plugin": "/nowhere.so"}, "/nowhere.so"),
            ({"filter": "(&(a=b"}, "no LDAP filter"), ({"bases": "ou=people"}, "array of DNs"),
            ({"on_failure": "maybe"}, "maybe"), ({"deliver": 1}, "true or false"), ({"columns": fields}, "columns"))


def the_adapters_own_file_says_who_is_listed(Server):
    other, left, crm = f"ou=other,{SUFFIX}", f"ou=left,{SUFFIX}", f"cn=crm,{GROUPS}"
    with world(scope_groups=[crm]) as w:
        columns = os.path.join(w.folder, "columns.json")
        with open(columns, "w", encoding="utf-8") as file:
            json.dump({"columns": {"carLicense": "employeeNumber", "title": ""}}, file)
        config = {"bases": [PEOPLE, other], "filter": "(&(objectClass=inetOrgPerson)(employeeType=staff? or so))",
                  "groups": [GROUPS], "columns": columns, "deliver": False}
        with Server(w, config) as d:
            d.seed()
            staff = {"employeeType": "staff? or so", "carLicense": "L-1", "title": "not read"}
            d.add(*((base, {"objectClass": "organizationalUnit"}) for base in (other, left)), person("ada", **staff),
                  person("guest", employeeType="guest"), *((f"uid={name},{base}", person(name, **staff)[1])
                                                          for name, base in (("cyd", other), ("dan", left))),
                  (crm, {"objectClass": "groupOfNames", "cn": "crm", "member": [f"uid=ada,{PEOPLE}"]}))
            who = ("--bind-dn", d.admin, "--password-file", secret(w.folder))

            def listed(*more, code=0):
                done = subprocess.run([harness.CLI, "--plugin", harness.PLUGIN, "sync", *who, "--adapter", d.config_file, "--key",
                                       d.key, *more],
                                      capture_output=True, text=True, timeout=120, check=False)
                assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
                return json.loads(done.stdout)["counts"] if code == 0 else done.stderr

            counts = listed("--dry-run", "--json", f"{d.uri}/{SUFFIX}")
            assert counts["listed"] == counts["unchanged"] == 2 and not counts["lost"], counts
            for more, said in ((("--columns", columns, f"{d.uri}/{SUFFIX}"), "leave --columns"),
                               ((f"{d.uri}/{SUFFIX}??sub?(uid=*)",), "and no more"), (("people.csv",), "for a directory")):
                assert said in listed(*more, code=2)


def the_server_does_not_wait_for_salesforce(Server):
    with world() as w, Server(w, {}) as d:
        w.org.fault({"on": "any", "do": "drop_before", "times": -1})
        d.seed()
        d.add(*(person(f"user{i}", family=f"Family{i}") for i in range(50)))
        assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["pending"] == 50 and not w.org.users()
        w.org.ask("DELETE", "/__org/faults")
        settle(w, d)
        assert compare(w, d) == 50


PHOTO = b"\xff\xd8\xff\xe0"  # no text


def columns_with_a_photo(w):
    """A columns file by which a person with a photo cannot be read."""
    columns = os.path.join(w.folder, "columns.json")
    with open(columns, "w", encoding="utf-8") as file:
        json.dump({"columns": {"jpegPhoto": "nickName"}}, file)
    return columns


def who_cannot_be_read_and_is_locked_is_let_go(Server):
    for attribute, value in (("jpegPhoto", PHOTO), ("title", "T" * 300_000)):  # the adapter, and the store, cannot take it
        with world() as w, Server(w, {"columns": columns_with_a_photo(w)}) as d:
            unreadable = ("replace", attribute, value)
            names = ("ada", "bob", "cyd", "dan")
            d.seed()
            d.add(*(person(name, title="Analyst") for name in names), person("odd", **{attribute: value}))
            settle(w, d)
            assert compare(w, d, skip=["odd"]) == 4 and mark_of(w)
            d.modify(f"uid=ada,{PEOPLE}", unreadable, ("add", *d.lock))
            for name in names[1:]:
                d.modify(f"uid={name},{PEOPLE}", unreadable)
            for name in ("cyd", "odd"):
                d.modify(f"uid={name},{PEOPLE}", ("add", *d.lock))
            d.delete(f"uid=dan,{PEOPLE}")
            settle(w, d)
            active = [w.org.user(f"{name}@acme.example")["IsActive"] for name in names]
            assert active == [False, True, False, False], (attribute, active, mark_of(w))
            assert w.org.user("ada@acme.example")["Title"] == "Analyst" and len(w.org.users()) == 4
            assert "'uid=bob," in d.said() and mark_of(w)["missed"] > 4, mark_of(w)
            total = json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"]
            assert total == 4, ("of whom nothing can be read nothing is kept", total)
            for name in ("ada", "cyd"):
                d.modify(f"uid={name},{PEOPLE}", ("delete", attribute), ("delete", d.lock[0]))
            settle(w, d)
            assert w.org.user("ada@acme.example")["IsActive"] and w.org.user("cyd@acme.example")["IsActive"]


def who_cannot_be_read_keeps_nobody_else_of_a_group(Server):
    crm = f"cn=crm,{GROUPS}"
    with world(scope_groups=[crm]) as w, Server(w, {"columns": columns_with_a_photo(w), "groups": [GROUPS]}) as d:
        names = ("ada", "bob", "cyd")
        d.seed()
        d.add(*(person(name) for name in names), (crm, {"objectClass": "groupOfNames", "cn": "crm",
                                                        "member": [f"uid={name},{PEOPLE}" for name in names]}))
        settle(w, d)
        assert compare(w, d) == 3
        for name in ("ada", "cyd"):
            d.modify(f"uid={name},{PEOPLE}", ("replace", "jpegPhoto", PHOTO))
        d.delete(crm)
        settle(w, d)
        active = [w.org.user(f"{name}@acme.example")["IsActive"] for name in names]
        assert active == [False, False, False], active


def who_cannot_be_read_leaves_scope_all_the_same(Server):
    """By a group, and by an attribute that the connector looks at; what cannot be read stays as it is."""
    crm = f"cn=crm,{GROUPS}"
    for attribute, value in (("jpegPhoto", PHOTO), ("title", "T" * 300_000)):
        with world(scope_groups=[crm], scope_filter='department eq "sales"') as w, Server(w, {
                "columns": columns_with_a_photo(w), "groups": [GROUPS]}) as d:
            names = ("ada", "bob", "cyd")
            d.seed()
            d.add(*(person(name, title="Analyst", departmentNumber="sales") for name in names),
                  (crm, {"objectClass": "groupOfNames", "cn": "crm", "member": [f"uid={name},{PEOPLE}" for name in names]}))
            settle(w, d)
            assert compare(w, d) == 3
            for name in names:
                d.modify(f"uid={name},{PEOPLE}", ("replace", attribute, value), ("replace", "l", "Paris"))
            d.modify(crm, ("delete", "member", f"uid=ada,{PEOPLE}"))
            d.modify(f"uid=bob,{PEOPLE}", ("replace", "departmentNumber", "cellar"))
            settle(w, d)
            users = [w.org.user(f"{name}@acme.example") for name in names]
            assert [user["IsActive"] for user in users] == [False, False, True], (attribute, users)
            assert users[2]["City"] == "Paris" and users[0]["Title"] == "Analyst" and mark_of(w), users
            d.modify(crm, ("add", "member", f"uid=ada,{PEOPLE}"))
            d.modify(f"uid=bob,{PEOPLE}", ("replace", "departmentNumber", "sales"), ("delete", attribute))
            settle(w, d)
            users = [w.org.user(f"{name}@acme.example") for name in names]
            assert all(user["IsActive"] for user in users) and users[0]["Title"] == "Analyst", users


def a_mark_is_made_whatever_the_name(Server):
    far = f"ou={'ü' * 60},{PEOPLE}"  # longer than a message has room for
    with world() as w, Server(w, {"columns": columns_with_a_photo(w)}) as d:
        d.seed()
        d.add((far, {"objectClass": "organizationalUnit", "ou": "ü" * 60}), (f"uid=ada,{far}", person("ada")[1]))
        d.modify(f"uid=ada,{far}", ("replace", "jpegPhoto", PHOTO))
        assert "not UTF-8 text" in mark_of(w)["reason"], mark_of(w)


def a_full_disk_marks_that_a_resync_is_needed(Server):
    with world() as w, SmallDisk(w.folder) as disk:
        w.fields["store"] = os.path.join(disk.folder, "store.db")
        with Server(w, {"deliver": False}) as d:
            d.seed()
            d.add(person("ada"))
            assert mark_of(w) is None
            disk.fill()
            for number in range(40):
                d.add(person(f"user{number}", family=f"Family{number}"))
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Dr"))
            assert "a resync is needed" in d.said(), d.said()[-3000:]
            disk.free()
            mark = mark_of(w)
            assert mark["missed"] > 0 and mark["host"] == d.host, mark
            shown = cli(w, "status")
            assert "resync needed" in shown.stdout and shown.returncode != 0, shown.stdout
        assert mark_of(w), "an orderly end takes the mark away"
        with d:
            report = resync(w, d)
            assert report["counts"]["hired"] > 0, report
            assert mark_of(w) is None
            settle(w, d)
            assert compare(w, d) == 41


def closed_refuses_what_could_not_be_kept(Server):
    """Returns whether a resync was needed all the same."""
    with world() as w, SmallDisk(w.folder) as disk:
        w.fields["store"] = os.path.join(disk.folder, "store.db")
        with Server(w, {"deliver": False, "on_failure": "closed"}) as d:
            d.seed()
            d.add(person("ada"))
            disk.fill()
            codes = []
            for number in range(40):
                code, said = try_to_add(d, f"user{number}", f"Family{number}")
                codes.append(code)
                assert code in (0, 53), said
            assert 53 in codes and "cannot keep the change" in said, (codes, said)
            people = d.entries(base=PEOPLE, filter="(objectClass=person)")
            assert len(people) == 1 + codes.count(0), (people.keys(), codes)
            disk.free()
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Dr"))
            needed = mark_of(w) is not None
            if needed:
                resync(w, d)
            settle(w, d)
            compare(w, d)
            return needed


def a_killed_server_loses_nothing_after_a_resync(Server):
    with world() as w:
        d = Server(w, {"deliver": False}).start()
        d.seed()
        stop, told = threading.Event(), []

        def load(part):
            for number in range(2000):
                if stop.is_set():
                    return
                if try_to_add(d, f"user{part}-{number}", f"Family{part}x{number}")[0] == 0:
                    told.append(f"user{part}-{number}")

        threads = [threading.Thread(target=load, args=(part,)) for part in range(3)]
        for thread in threads:
            thread.start()
        becomes(lambda: len(told) >= 100, "nobody is added", seconds=harness.PATIENCE_S)
        d.stop(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        with d:
            mark = mark_of(w)
            assert "did not end in order" in mark["reason"], mark
            report = resync(w, d)
            people = d.entries(base=PEOPLE, filter="(objectClass=person)")
            uids = {entry["uid"][0] for entry in people.values()}
            assert report["counts"]["listed"] == len(uids) and set(told) <= uids, report
            # whoever was told is known; only what was under way when the server died may differ
            changed = report["counts"]["hired"] + report["counts"]["lost"] + report["counts"]["changed"]
            assert changed <= len(threads), report
            assert mark_of(w) is None
            settle(w, d)
            users = w.org.users()
            for uid in uids:
                assert users[f"{uid}@acme.example"]["IsActive"]
            assert len(users) <= len(uids) + len(threads)


def changes_at_the_same_time_end_as_the_directory_says(Server):
    """Several clients change the same people; the last state of each must be the last that was handed over."""
    with world() as w, Server(w, {}) as d:
        d.seed()
        d.add(*(person(f"user{i}", family=f"Family{i}") for i in range(3)))

        def work(part):
            lines = []
            for number in range(60):
                lines += [f"dn: uid=user{number % 3},{PEOPLE}", "changetype: modify", "replace: title",
                          f"title: Title {part}-{number}", "-", ""]
            d.client("ldapmodify", text="\n".join(lines) + "\n")

        at_once(6, work)
        settle(w, d)
        assert compare(w, d) == 3
        assert all(events_of(w, f"user{i}")[-1] == "prov:put:full" for i in range(3))


def somebody_else_may_deliver(Server):
    """Of the server and programs beside it one delivers; with `deliver` false it is never the server."""
    with world() as w:
        with Server(w, {}) as d:
            d.seed()
            d.add(person("ada"))
            settle(w, d)
            delivering = json.loads(cli(w, "status", "--json").stdout)["delivering"]
            assert delivering["process"] == d.process.pid, delivering
            w.org.fault({"on": "collections_update", "do": "refuse_record", "times": -1})  # so that there is something to deliver
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Dr"))
            done = cli(w, "deliver", "--timeout", "1")
            assert done.returncode == 4 and "another process delivers" in done.stderr, done
            w.org.ask("DELETE", "/__org/faults")
            settle(w, d)
            assert compare(w, d) == 1
        with world() as w2, Server(w2, {"deliver": False}) as d:
            d.seed()
            d.add(person("ada"))
            assert not w2.org.users() and json.loads(cli(w2, "status", "--json").stdout)["delivering"] is None
            done = cli(w2, "deliver")
            assert done.returncode == 0, done.stderr
            assert compare(w2, d) == 1


@contextlib.contextmanager
def in_memory():
    """Folders that are made meanwhile lie in memory, where the machine has room for that."""
    before, tempfile.tempdir = tempfile.tempdir, "/dev/shm" if os.path.isdir("/dev/shm") else None
    try:
        yield
    finally:
        tempfile.tempdir = before


def memory_is_flat(Server, operations, allowed_kb):
    """Changes of the same people over and over: resident memory after a fifth of them, and at the end. In memory,
    since it is not the disk that is looked at."""
    with in_memory(), world() as w, Server(w, {"deliver": False}) as d:
        d.seed()
        d.add(*(person(f"user{i}", family=f"Family{i}", userPassword="x") for i in range(50)))

        def resident():
            for line in open(f"/proc/{d.process.pid}/status"):
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
            raise AssertionError("the server is gone")

        def work(count):
            lines = []
            for number in range(count):
                lines += [f"dn: uid=user{number % 50},{PEOPLE}", "changetype: modify", "replace: title",
                          f"title: Title {number}", "-", ""]
            d.client("ldapmodify", text="\n".join(lines) + "\n")

        work(operations // 5)
        before = resident()
        for _ in range(4):
            work(operations // 5)
        grown = resident() - before
        assert grown < allowed_kb, f"{grown} KiB more after {operations} changes"
        return grown


def what_remains(w):
    """Beside the store, when nobody has it open."""
    return sorted(name for name in os.listdir(w.folder) if name.startswith("store.db"))


def an_upgrade_loses_nothing_and_a_removal_leaves_nothing_behind(Server, remove, check, **more):
    """remove(d, installed) takes the adapter out as the documentation says, and leaves the server stopped; check(d) is
    about the server's tools."""
    with world() as w:
        installed, old = Installed(w, Server.adapter), OldStore(w)
        d = type(Server.__name__, (Server,), {"adapter": installed.adapter})(
            w, {"plugin": installed.plugin, "deliver": False}, **more)
        with d:
            d.seed()
            before = old.version()
            d.add(person("nora"))
            assert before < old.version() and installed.in_use(d.process.pid) == {"new"}
            old.has("nora")
            installed.replace()
            d.add(person("otto"))
            d.modify(f"uid=nora,{PEOPLE}", ("replace", "title", "Dr"))
            assert installed.in_use(d.process.pid) == {"old"}
            d.stop()
            d.start()
            d.modify(f"uid=otto,{PEOPLE}", ("replace", "title", "Dr"))
            d.add(person("pia"))
            assert installed.in_use(d.process.pid) == {"new"}
            old.has("nora", "otto", "pia")
            told = {name: events_of(w, name) for name in ("nora", "otto", "pia")}
            assert [len(told[name]) for name in told] == [2, 2, 1], told
            remove(d, installed)
            installed.remove()
            check(d)
            d.start()
            d.modify(f"uid=nora,{PEOPLE}", ("replace", "title", "Prof"))
            d.add(person("quin"))
            assert not installed.in_use(d.process.pid)
            old.has("nora", "otto", "pia")
            assert told == {name: events_of(w, name) for name in told}
        check(d)
        assert what_remains(w) == ["store.db", "store.db.resync"], what_remains(w)


def same_on_both(first, second, seconds=60):
    """Waits until two replicated servers say the same of everybody."""
    def people(directory):
        return {dn: {name: values for name, values in entry.items() if name in
                     ("uid", "sn", "title", "nsaccountlock", "pwdaccountlockedtime")}
                for dn, entry in directory.entries(base=PEOPLE, filter="(objectClass=person)").items()}

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if people(first) == people(second):
                return
        except AssertionError:
            pass  # it has not got the suffix yet
        time.sleep(0.1)
    raise AssertionError(f"not the same: {people(first)} {people(second)}")
