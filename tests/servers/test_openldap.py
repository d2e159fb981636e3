#!/usr/bin/env python3
"""OpenLDAP's slapd with the adapter loaded: what its own clients do to people, and what the org holds then."""
import json
import os
import signal
import subprocess
import sys
import threading
import time

from servers import (GROUPS, ISSUER, PEOPLE, SUFFIX, SmallDisk, cli, compare, events_of, harness, person, resync,
                     settle, world)
from slapd import Slapd


def stored(w):
    """Every byte that the store keeps on disk."""
    found = b""
    for folder, _, names in os.walk(w.folder):
        for name in names:
            if name.startswith("store.db"):
                found += open(os.path.join(folder, name), "rb").read()
    return found


def test_a_life_from_hire_to_delete():
    with world() as w, Slapd(w, {}) as d:
        d.seed()
        d.add(person("ada", title="Analyst", telephoneNumber="+44 20 1"), person("bob", "Bob", "Miller"))
        settle(w, d)
        assert compare(w, d) == 2
        ada = w.org.user("ada@acme.example")["Id"]
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"), ("add", "l", "London"))
        settle(w, d)
        compare(w, d)
        d.rename(f"uid=ada,{PEOPLE}", "uid=ada.byron")
        settle(w, d)
        compare(w, d)
        assert w.org.user("ada.byron@acme.example")["Id"] == ada, "a renamed user is another one"
        d.modify(f"uid=bob,{PEOPLE}", ("add", "pwdAccountLockedTime", "000001010000Z"))
        settle(w, d)
        assert not w.org.user("bob@acme.example")["IsActive"]
        compare(w, d)
        d.modify(f"uid=bob,{PEOPLE}", ("delete", "pwdAccountLockedTime"))
        settle(w, d)
        assert w.org.user("bob@acme.example")["IsActive"]
        compare(w, d)
        d.delete(f"uid=ada.byron,{PEOPLE}")
        settle(w, d)
        compare(w, d, gone=["ada.byron"])
        assert resync(w, d, "--dry-run")["counts"]["unchanged"] == 1, "a list says something else than the events"


def test_a_list_of_the_directory_says_what_the_events_said():
    with world() as w, Slapd(w, {}) as d:
        d.seed()
        d.add(person("chief", "Grace", "Hopper"),
              person("ada", manager=f"uid=chief,{PEOPLE}", mail=["a@example.org", "b@example.org"], st="Kent",
                     departmentNumber="7", employeeType="staff", **{"displayName;lang-en": "Ada L."}),
              person("bob", pwdAccountLockedTime="000001010000Z"))
        settle(w, d)
        compare(w, d)
        assert w.org.user("ada@acme.example")["ManagerId"] == w.org.user("chief@acme.example")["Id"]
        report = resync(w, d, "--dry-run")
        assert report["counts"]["unchanged"] == 3 == report["counts"]["listed"], report


def test_refused_and_irrelevant_changes_hand_nothing_over():
    with world() as w, Slapd(w, {}) as d:
        d.seed()
        d.add(person("ada"))
        d.add(person("ada"), code=68)
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "noSuchAttribute", "x"), code=17)
        d.modify(f"uid=ada,{PEOPLE}", ("add", "description", "nothing that is mapped"))
        d.modify(SUFFIX, ("replace", "description", "no person"))
        d.delete(PEOPLE, code=66)
        settle(w, d)
        compare(w, d)
        assert events_of(w, "ada") == ["prov:create:full"], events_of(w, "ada")


def test_a_password_is_a_fact_and_never_a_value():
    with world() as w, Slapd(w, {}) as d:
        d.seed()
        d.add(person("ada", userPassword="Clear-In-The-Add-1"))
        d.set_password(f"uid=ada,{PEOPLE}", "Clear-By-Exop-2")
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "userPassword", "Clear-By-Modify-3"), ("replace", "title", "Dr"))
        settle(w, d)
        compare(w, d)
        assert events_of(w, "ada") == ["prov:create:full", "prov:patch:notice", "prov:patch:notice"], events_of(w, "ada")
        assert b"Clear-" not in stored(w) and "Clear-" not in d.said()


def test_a_password_in_clear_is_handed_over_where_that_is_wanted():
    with world() as w:
        key = os.path.join(w.folder, "key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(32))
        w.fields.update(provision_passwords=True, sealing_key="file:" + key)
        with Slapd(w, {"passwords": True}) as d:
            d.seed()
            d.add(person("ada", userPassword="Clear-In-The-Add-1"))
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "userPassword", "Clear\\\"By-Modify-2"))
            settle(w, d)
            answer = w.org.ask("POST", "/__org/users/ada@acme.example/check_password",
                               {"password": "Clear\\\"By-Modify-2"})
            assert answer["matches"], answer
            d.set_password(f"uid=ada,{PEOPLE}", "Clear-By-Exop-3")
            settle(w, d)
            assert events_of(w, "ada")[-1] == "prov:patch:notice", events_of(w, "ada")
            assert b"Clear" not in stored(w)


def test_a_group_takes_users_into_scope_and_out():
    with world(scope_groups=["cn=crm,ou=groups,dc=example,dc=org"]) as w, Slapd(w, {"groups": [GROUPS]}) as d:
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


def test_a_filter_and_bases_say_who_is_to_be_provisioned():
    with world() as w, Slapd(w, {"filter": "(&(objectClass=inetOrgPerson)(employeeType=staff))", "bases": [PEOPLE]}) as d:
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
        settle(w, d)
        assert not w.org.user("eve@acme.example")["IsActive"], "whoever moves out with a unit stays"
        d.rename(f"ou=unit,ou=left,{SUFFIX}", "ou=unit", PEOPLE)
        settle(w, d)
        assert w.org.user("eve@acme.example")["IsActive"]
        assert "guest@acme.example" not in w.org.users()


def test_configured_attributes_and_a_configured_lock():
    with world() as w:
        columns = os.path.join(w.folder, "columns.json")
        with open(columns, "w") as file:
            json.dump({"columns": {"employeeType": {"path": "active", "false": ["left"], "otherwise": True},
                                   "carLicense": "employeeNumber", "title": ""}}, file)
        with Slapd(w, {"columns": columns}) as d:
            d.seed()
            d.add(person("ada", carLicense="L-1", title="not read", employeeType="staff"))
            settle(w, d)
            user = w.org.user("ada@acme.example")
            assert user["EmployeeNumber"] == "L-1" and not user.get("Title") and user["IsActive"], user
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "employeeType", "left"))
            settle(w, d)
            assert not w.org.user("ada@acme.example")["IsActive"]


def test_a_wrong_configuration_stops_the_server_with_a_clear_line():
    with world() as w:
        fields = os.path.join(w.folder, "wrong-fields.json")
        with open(fields, "w") as file:
            json.dump(dict(w.fields, issuer=ISSUER, profile=""), file)
        no_issuer = os.path.join(w.folder, "no-issuer.json")
        with open(no_issuer, "w") as file:
            json.dump({key: value for key, value in w.fields.items() if key != "issuer"}, file)
        for config, words in (("{", "no JSON object"), ({"filed": 1}, "'filed' is not known"),
                              ({"fields": "/nowhere.json"}, "/nowhere.json"), ({"fields": fields}, "profile"),
                              ({"fields": no_issuer}, "issuer"), ({"plugin": "/nowhere.so"}, "/nowhere.so"),
                              ({"filter": "(&(a=b"}, "no LDAP filter"), ({"bases": "ou=people"}, "array of DNs"),
                              ({"on_failure": "maybe"}, "maybe"), ({"deliver": 1}, "true or false"),
                              ({"columns": fields}, "columns")):
            d = Slapd(w, config)
            said = d.refuses_to_start()
            assert words in said, (config, said)
            done = d.tool("slaptest")
            assert done.returncode != 0 and words in done.stderr, (config, done.stderr)
            done = d.tool("slapadd", input=f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: E\n")
            assert done.returncode == 0, ("a tool must work all the same", config, done.stderr)
            done = d.tool("slapcat")
            assert done.returncode == 0 and SUFFIX in done.stdout, (config, done.stderr)


def test_the_server_does_not_wait_for_salesforce():
    with world() as w, Slapd(w, {}) as d:
        w.org.fault({"on": "any", "do": "drop_before", "times": -1})
        d.seed()
        d.add(*(person(f"user{i}", family=f"Family{i}") for i in range(50)))
        assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["pending"] == 50 and not w.org.users()
        w.org.ask("DELETE", "/__org/faults")
        settle(w, d, 90)
        assert compare(w, d) == 50


def test_a_full_disk_marks_that_a_resync_is_needed():
    with world() as w, SmallDisk(w.folder) as disk:
        if not disk.mounted:
            print("    left out: no file system can be mounted here")
            return
        w.fields["store"] = os.path.join(disk.folder, "store.db")
        with Slapd(w, {"deliver": False}) as d:
            d.seed()
            d.add(person("ada"))
            assert cli(w, "status", "--json").returncode == 0
            disk.fill()
            for number in range(40):
                d.add(person(f"user{number}", family=f"Family{number}"))
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Dr"))
            assert "a resync is needed" in d.said(), d.said()[-3000:]
            disk.free()
            state = json.loads(cli(w, "status", "--json").stdout)
            assert state["resync"]["missed"] > 0 and state["resync"]["host"] == "slapd", state
            shown = cli(w, "status")
            assert "resync needed" in shown.stdout and shown.returncode != 0, shown.stdout
        assert json.loads(cli(w, "status", "--json").stdout)["resync"], "an orderly end takes the mark away"
        with d:
            report = resync(w, d)
            assert report["counts"]["hired"] > 0, report
            assert json.loads(cli(w, "status", "--json").stdout)["resync"] is None
            settle(w, d)
            assert compare(w, d) == 41


def test_closed_refuses_what_could_not_be_kept():
    with world() as w, SmallDisk(w.folder) as disk:
        if not disk.mounted:
            print("    left out: no file system can be mounted here")
            return
        w.fields["store"] = os.path.join(disk.folder, "store.db")
        with Slapd(w, {"deliver": False, "on_failure": "closed"}) as d:
            d.seed()
            d.add(person("ada"))
            disk.fill()
            refused = 0
            for number in range(40):
                entry = person(f"user{number}", family=f"Family{number}")
                done = subprocess.run(["ldapadd", "-x", "-H", d.uri, "-D", d.admin, "-w", "secret-secret"], text=True,
                                      input=f"dn: {entry[0]}\n" + "".join(f"{k}: {v}\n" for k, v in entry[1].items()),
                                      capture_output=True)
                refused += done.returncode == 53
                assert done.returncode in (0, 53), done.stderr
            assert refused > 0 and "cannot keep the change" in done.stderr, done.stderr
            disk.free()
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Dr"))
            settle(w, d)
            if json.loads(cli(w, "status", "--json").stdout)["resync"]:
                resync(w, d)
                settle(w, d)
            compare(w, d)


def test_a_killed_server_loses_nothing_after_a_resync():
    with world() as w:
        d = Slapd(w, {"deliver": False}).start()
        d.seed()
        stop = threading.Event()

        def load(part):
            for number in range(2000):
                if stop.is_set():
                    return
                entry = person(f"user{part}-{number}", family=f"Family{part}x{number}")
                subprocess.run(["ldapadd", "-x", "-H", d.uri, "-D", d.admin, "-w", "secret-secret"], text=True,
                               input=f"dn: {entry[0]}\n" + "".join(f"{k}: {v}\n" for k, v in entry[1].items()),
                               capture_output=True)

        threads = [threading.Thread(target=load, args=(part,)) for part in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        d.stop(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        with d:
            state = json.loads(cli(w, "status", "--json").stdout)
            assert "did not end in order" in state["resync"]["reason"], state["resync"]
            d.modify(PEOPLE, ("replace", "description", "after the crash"))
            report = resync(w, d)
            people = len(d.entries(base=PEOPLE, filter="(objectClass=person)"))
            assert people > 10 and report["counts"]["listed"] == people, report
            # whoever was told is known; only what was under way when the server died may be missing
            assert report["counts"]["hired"] <= len(threads), report
            assert not json.loads(cli(w, "status", "--json").stdout)["resync"]
            settle(w, d)
            assert compare(w, d) == people


def test_the_tools_do_no_harm():
    with world() as w, Slapd(w, {"deliver": False}) as d:
        d.seed()
        d.add(person("ada"))
        state = cli(w, "status", "--json").stdout
        done = d.tool("slaptest")
        assert done.returncode == 0, done.stderr
        done = d.tool("slapcat")
        assert done.returncode == 0 and "uid=ada" in done.stdout, done.stderr
        d.stop()
        mark = os.path.join(w.folder, "store.db.resync")
        assert not os.path.exists(mark)
        entry = person("new", "New", "Comer")
        text = f"dn: {entry[0]}\n" + "".join(f"{k}: {v}\n" for k, v in entry[1].items())
        done = d.tool("slapadd", input=text)
        assert done.returncode == 0, done.stderr
        assert not os.path.exists(mark)
        after = cli(w, "status", "--json").stdout
        assert json.loads(after)["subjects"] == json.loads(state)["subjects"], "slapadd handed something over"
        d.start()
        assert resync(w, d)["counts"]["hired"] == 1
        settle(w, d)
        compare(w, d)


def test_of_two_replicated_nodes_one_is_active():
    with world() as w:
        with Slapd(w, {"active": False}, provider=True) as first, Slapd(w, {}, peer=first.uri, identity=2) as second:
            first.seed()
            first.add(person("ada"), person("bob", "Bob", "Miller"))
            wait_for(second, 2)
            settle(w, second)
            assert compare(w, first) == 2
            first.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"))
            first.rename(f"uid=bob,{PEOPLE}", "uid=rob")
            first.add(person("cyd", "Cyd", "Kahn"))
            first.delete(f"uid=cyd,{PEOPLE}")
            first.modify(f"uid=ada,{PEOPLE}", ("add", "pwdAccountLockedTime", "000001010000Z"))
            end = time.monotonic() + 30
            while time.monotonic() < end and first.entries(base=PEOPLE) != second.entries(base=PEOPLE):
                time.sleep(0.1)
            settle(w, second)
            compare(w, first, gone=["cyd"] if "cyd@acme.example" in w.org.users() else [])
            assert not w.org.user("ada@acme.example")["IsActive"]


def wait_for(directory, people, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if len(directory.entries(base=PEOPLE, filter="(objectClass=person)")) >= people:
                return
        except AssertionError:
            pass
        time.sleep(0.1)
    raise AssertionError("nothing was replicated: " + directory.said()[-2000:])


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
