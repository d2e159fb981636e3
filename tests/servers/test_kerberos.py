#!/usr/bin/env python3
"""MIT Kerberos' kadmind and kadmin.local with the adapter loaded: what their own clients do to principals, and what
the org holds then."""
import fcntl
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import servers
from common import becomes, in_memory, mark_of, stored, what_remains
from kerberos import ADMIN, ADMIN_PASSWORD, ENTRY, LISTER, MAPPING, REALM, LdapRealm, Realm, binary, compare, list_principals, resync
from servers import ADAPTERS, Installed, OldStore, SmallDisk, at_once, cli, events_of, harness


def world(**fields):
    return servers.world(**dict({"issuer": "krb5://EXAMPLE.ORG", "mapping": MAPPING}, **fields))


def settle(w):
    connector = w.connector()
    try:
        return connector.settle()
    finally:
        connector.close()


def uri_of(w, name):
    return json.loads(cli(w, "show", "--json", name).stdout)["uri"]


def pending(w):
    return json.loads(cli(w, "status", "--json").stdout)["subjects"]["pending"]


def test_a_life_from_hire_to_delete():
    with world() as w, Realm(w, {}) as r:
        r.admin("addprinc -pw Hello-1-2 ada.lovelace", "addprinc -pw Hello-1-2 bob", "addprinc -randkey cyd",
                "addprinc -pw Hello-1-2 -allow_tix dan")
        settle(w)
        assert compare(w, r) == 3
        ada = w.org.user("ada.lovelace@acme.example")
        assert ada["LastName"] == "lovelace" and ada["Email"] == "ada.lovelace@example.org", ada
        r.admin("modprinc -allow_tix bob", "modprinc +allow_tix dan", "modprinc -expire yesterday cyd")
        settle(w)
        assert not w.org.user("bob@acme.example")["IsActive"] and not w.org.user("cyd@acme.example")["IsActive"]
        assert compare(w, r) == 4
        r.admin("modprinc +requires_preauth cyd")  # attributes alone do not say that the principal has expired
        settle(w)
        compare(w, r)
        r.admin("modprinc +allow_tix bob", "modprinc -expire never cyd", "modprinc -expire tomorrow dan")
        settle(w)
        assert w.org.user("bob@acme.example")["IsActive"] and w.org.user("cyd@acme.example")["IsActive"]
        compare(w, r)
        r.admin("renprinc -force ada.lovelace ada.byron")
        settle(w)
        compare(w, r)
        assert w.org.user("ada.byron@acme.example")["Id"] == ada["Id"], "a renamed user is another one"
        r.admin("delprinc -force ada.byron")
        settle(w)
        compare(w, r, gone=["ada.byron"])
        assert resync(w, r, "--dry-run")["counts"]["unchanged"] == 3, "a list says something else than the events"


def test_a_realm_in_a_directory_is_handed_over():
    with world() as w, LdapRealm(w, {}) as r:
        # one of its own, and one in the entry of a person who is there
        r.admin("addprinc -pw Hello-1-2 ada", f"addprinc -x dn={ENTRY} -pw Hello-1-2 bob")
        r.local("addprinc -pw Hello-1-2 cyd")
        settle(w)
        assert compare(w, r) == 3
        ids = {name: w.org.user(f"{name}@acme.example")["Id"] for name in ("ada", "bob")}
        r.admin("renprinc -force ada anna", "modprinc -allow_tix bob", "renprinc -force bob bert", "delprinc -force cyd",
                "cpw -pw Other-3-4 anna")
        settle(w)
        compare(w, r, gone=["cyd"])
        assert w.org.user("anna@acme.example")["Id"] == ids["ada"] and w.org.user("bert@acme.example")["Id"] == ids["bob"]
        assert list_principals(r) == {"anna": True, "bert": False}
        assert resync(w, r, "--dry-run")["counts"]["unchanged"] == 2
        # what is done past kadmin, the next list sees
        r.directory("ldapmodify", f"dn: {ENTRY}\nchangetype: modify\nreplace: krbTicketFlags\nkrbTicketFlags: 0\n")
        settle(w)
        assert not w.org.user("bert@acme.example")["IsActive"], "somebody has told it, so this shows nothing"
        resync(w, r)
        settle(w)
        assert compare(w, r, gone=["cyd"]) == 3 and w.org.user("bert@acme.example")["IsActive"]
        r.directory("ldapdelete", ENTRY + "\n")
        resync(w, r)
        settle(w)
        compare(w, r, gone=["bert", "cyd"])
        assert mark_of(w) is None


def test_names_are_followed_wherever_they_go():
    with world(leaver_action="deactivate_and_release") as w, Realm(w, {}) as r:
        r.local("addprinc -pw Hello-1-2 ada", "addprinc -pw Hello-1-2 bob")
        settle(w)
        ids = {name: w.org.user(f"{name}@acme.example")["Id"] for name in ("ada", "bob")}
        r.local("renprinc -force ada anna", "renprinc -force anna amy")
        settle(w)
        assert w.org.user("amy@acme.example")["Id"] == ids["ada"]
        assert uri_of(w, "amy") == "/Users/ada"
        # somebody else gets the name
        r.local("addprinc -pw Hello-1-2 ada")
        settle(w)
        assert w.org.user("ada@acme.example")["Id"] not in ids.values()
        assert uri_of(w, "amy") == "/Users/ada", uri_of(w, "amy")
        # two change places
        r.local("renprinc -force amy swap", "renprinc -force bob amy", "renprinc -force swap bob")
        settle(w)
        assert w.org.user("amy@acme.example")["Id"] == ids["bob"] and w.org.user("bob@acme.example")["Id"] == ids["ada"]
        compare(w, r)
        # whoever was renamed leaves, and the name is another one's
        r.local("modprinc -allow_tix bob", "delprinc -force bob", "addprinc -pw Hello-1-2 bob")
        settle(w)
        assert w.org.user("bob@acme.example")["Id"] not in ids.values()
        former = next(user for user in w.org.users().values() if user["Id"] == ids["ada"])
        assert not former["IsActive"], former
        assert set(r.principals()) <= {user["Username"].split("@")[0] for user in w.org.users().values() if user["IsActive"]}
        report = resync(w, r, "--dry-run")
        assert report["counts"]["unchanged"] == 3 == report["counts"]["listed"], report["counts"]


def test_whoever_gets_a_leavers_name_waits_for_it():
    with world() as w, Realm(w, {}) as r:
        r.local("addprinc -pw Hello-1-2 ada")
        settle(w)
        first = w.org.user("ada@acme.example")["Id"]
        r.local("delprinc -force ada", "addprinc -pw Hello-1-2 ada")
        settle(w)
        # nothing of the leaver's account comes into other hands by itself
        assert not w.org.user("ada@acme.example")["IsActive"] and w.org.user("ada@acme.example")["Id"] == first
        row, = json.loads(cli(w, "list", "--state", "waiting", "--json").stdout)
        assert row["uri"] == "/Users/ada~2" and [wait["kind"] for wait in row["waits"]] == ["username"], row


def test_only_persons_of_the_realm_count():
    with world() as w, Realm(w, {"persons": "^[a-z.-]+$", "except": "^svc-"}) as r:
        r.admin("addprinc -pw Hello-1-2 ada", "addprinc -pw Hello-1-2 svc-backup", "addprinc -pw Hello-1-2 Robot7",
                "addprinc -randkey host/a.example.org", "addprinc -pw Hello-1-2 ada/admin", "cpw -randkey kadmin/changepw",
                "addprinc -pw Hello-1-2 eve@OTHER.ORG")
        settle(w)
        assert set(w.org.users()) == {"ada@acme.example"}, w.org.users()
        assert list_principals(r) == {"ada": True}
        r.admin("renprinc -force ada svc-ada", "renprinc -force svc-backup backup")
        settle(w)
        users = w.org.users()
        assert not users["ada@acme.example"]["IsActive"] and users["backup@acme.example"]["IsActive"], users
        assert len(users) == 2


def test_odd_names_are_the_same_for_list_and_events():
    names = ["o'neil", "zoë", "tab\\there", 'quo"te', "com,ma", "back\\\\slash", "ada\\@corp", "blank space"]
    with world() as w, Realm(w, {}) as r:
        for name in names:
            r.local('addprinc -pw Hello-1-2 "' + name.replace("\\", "\\").replace('"', '""') + '"')
        wanted = {"o'neil", "zoë", "tab\there", 'quo"te', "com,ma", "back\\slash", "ada@corp", "blank space"}
        assert set(list_principals(r)) == wanted, list_principals(r)
        listed = json.loads(cli(w, "list", "--json").stdout)
        assert {row["userName"] for row in listed} == wanted, listed
        report = resync(w, r, "--dry-run")
        assert report["counts"]["unchanged"] == len(names), report["counts"]


def test_a_password_is_a_fact_and_never_a_value():
    with world() as w, Realm(w, {}) as r:
        r.admin("addprinc -pw Clear-In-The-Add-1 ada", "cpw -pw Clear-By-Admin-2 ada")
        r.change_own_password("ada", "Clear-By-Admin-2", "Clear-By-User-3")
        r.admin("cpw -randkey ada", "cpw -randkey root/admin@EXAMPLE.ORG")
        settle(w)
        compare(w, r)
        assert events_of(w, "ada") == ["prov:create:full"] + 3 * ["prov:patch:notice"], events_of(w, "ada")
        assert b"Clear-" not in stored(w) and "Clear-" not in r.said()
        assert "sfprov: event" not in r.said(), r.said()


def test_a_password_is_handed_over_where_that_is_wanted():
    with world() as w:
        key = os.path.join(w.folder, "key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(32))
        w.fields.update(provision_passwords=True, sealing_key="file:" + key)

        def matches(password):
            return w.org.ask("POST", "/__org/users/ada@acme.example/check_password", {"password": password})["matches"]

        with Realm(w, {"passwords": True}) as r:
            r.admin("addprinc -pw Clear-In-The-Add-1 ada")
            settle(w)
            assert matches("Clear-In-The-Add-1")
            r.change_own_password("ada", "Clear-In-The-Add-1", "Clear\\'By-User-2")
            settle(w)
            assert matches("Clear\\'By-User-2")
            r.admin("cpw -randkey ada")
            settle(w)
            assert matches("Clear\\'By-User-2") and events_of(w, "ada")[-1] == "prov:patch:notice"
            r.local(os.fsdecode(b"cpw -pw Clear-\xe4\xf6\xfc-3 ada"))  # no UTF-8
            settle(w)
            assert matches("Clear\\'By-User-2") and events_of(w, "ada")[-2:] == 2 * ["prov:patch:notice"]
            assert b"Clear" not in stored(w) and "Clear" not in r.said()


def test_what_another_source_says_of_a_user_stays():
    """A base load with names, mail and titles, by a key of its own; the realm then disables, renames and deletes."""
    with world(mapping=[]) as w, Realm(w, {"creates": False}) as r:
        r.local("addprinc -pw Hello-1-2 ada", "addprinc -pw Hello-1-2 bob", "addprinc -pw Hello-1-2 nobody")
        assert cli(w, "list", "--json").returncode != 0 or not json.loads(cli(w, "list", "--json").stdout)
        people = ("externalId,userName,givenName,familyName,email,title\n4711,ada,Ada,Lovelace,a@x.example,Countess\n"
                  "4712,bob,Bob,Miller,b@x.example,Clerk\n")
        done = cli(w, "sync", "--format", "csv", "-", text=people)
        assert done.returncode == 0, done.stderr
        ada = w.org.user("ada@acme.example")["Id"]
        r.admin("renprinc -force ada ada.byron", "modprinc -allow_tix ada.byron", "delprinc -force bob",
                "modprinc -allow_tix nobody")
        settle(w)
        user = w.org.user("ada.byron@acme.example")
        assert user["Id"] == ada and user["Title"] == "Countess" and user["LastName"] == "Lovelace", user
        assert not user["IsActive"] and not w.org.user("bob@acme.example")["IsActive"]
        r.admin("modprinc +allow_tix ada.byron")
        settle(w)
        assert w.org.user("ada.byron@acme.example")["IsActive"] and len(w.org.users()) == 2
        assert uri_of(w, "ada.byron") == "/Users/4711"


def test_a_list_is_the_first_load():
    with world() as w:
        before = Realm(w)
        before.local("addprinc -pw Hello-1-2 ada", "addprinc -pw Hello-1-2 -allow_tix bob", "addprinc -pw Hello-1-2 cyd")
        r = before.with_adapter({})
        with r:
            report = resync(w, r)
            assert report["counts"]["hired"] == 3, report["counts"]
            r.admin("renprinc -force cyd cyd.kahn", "modprinc +allow_tix bob")
            settle(w)
            assert compare(w, r) == 3
            assert resync(w, r)["counts"]["unchanged"] == 3


def test_a_list_that_is_not_whole_changes_nothing():
    with world() as w, Realm(w, {}) as r:
        r.local("addprinc -pw Hello-1-2 ada")
        os.rename(f"{r.folder}/principal", f"{r.folder}/elsewhere")
        done = cli(w, "sync", "--by-name", "--format", "csv", "--command", *r.lister())
        assert done.returncode == 2 and "not whole" in done.stderr and "nothing was changed" in done.stderr, done.stderr
        os.rename(f"{r.folder}/elsewhere", f"{r.folder}/principal")


def test_the_unit_lists_the_realm_into_the_store_that_the_adapter_names():
    with world() as w, Realm(w, None) as r:
        r.local("addprinc -pw Hello-1-2 ada")
        r.with_adapter({})
        lister = f"{w.folder}/sfprov-principals"
        with open(lister, "w") as file:  # as installed, where the configuration is in its own place
            file.write(f'#!/bin/sh\nexec {LISTER} "$@" {r.config_file}\n')
        os.chmod(lister, 0o700)
        with open(f"{harness.TOP}/hosts/systemd/sfprov-principals.service") as file:
            start, = re.findall(r"(?m)^ExecStart=((?:.*\\\n)*.*)$", file.read())
        words = shlex.split(re.sub(r"/\S*/sfprov(?!\S)", harness.CLI, re.sub(r"/\S*/sfprov-principals\b", lister, start))
                            .replace("\\\n", "").replace("$$", "$"))
        environment = dict(r.environment(), SFPROV_PLUGIN=harness.PLUGIN, PATH="/usr/sbin:" + os.environ["PATH"])
        done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        settle(w)
        assert compare(w, r) == 1
        r.write_adapter("{")
        done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120)
        assert done.returncode and "the configuration: " in done.stderr and not done.stdout, done


def test_an_expiry_that_comes_by_itself_is_seen_by_the_next_list():
    with world() as w, Realm(w, {}) as r:
        r.admin("addprinc -pw Hello-1-2 ada", "addprinc -pw Hello-1-2 bob", 'modprinc -expire "now 3 seconds" ada')
        settle(w)
        assert w.org.user("ada@acme.example")["IsActive"], "she has expired before"
        becomes(lambda: not r.principals()["ada"], "she does not expire")
        settle(w)
        assert w.org.user("ada@acme.example")["IsActive"], "somebody has told it, so this shows nothing"
        counts = resync(w, r)["counts"]
        assert counts["unchanged"] == 1 and counts["listed"] == 2, counts
        settle(w)
        assert not w.org.user("ada@acme.example")["IsActive"]
        assert compare(w, r) == 2


def test_a_database_that_is_loaded_is_seen_by_the_next_list():
    with world(leaver_action="deactivate_and_release") as w:
        r = Realm(w, {})
        with r:
            r.admin("addprinc -pw Hello-1-2 ada", "addprinc -pw Hello-1-2 bob", "addprinc -pw Hello-1-2 cyd")
            r.tool("kdb5_util", "dump", f"{r.folder}/dump")
            settle(w)
            ids = {name: w.org.user(f"{name}@acme.example")["Id"] for name in ("ada", "bob")}
            r.admin("delprinc -force bob", "modprinc -allow_tix ada", "addprinc -pw Hello-1-2 eve",
                    "renprinc -force cyd cyd.kahn")
            settle(w)
            assert not any(user["IsActive"] for user in w.org.users().values() if user["Id"] in ids.values())
        r.tool("kdb5_util", "load", f"{r.folder}/dump")
        with r:
            assert mark_of(w) is None, "a load calls no hook"
            counts = resync(w, r)["counts"]
            assert counts["listed"] == 3 and counts["lost"] == 2, counts
            settle(w)
            active = {name.split("@")[0]: user["Id"] for name, user in w.org.users().items() if user["IsActive"]}
            assert set(active) == {"ada", "bob", "cyd"}, active
            assert active["ada"] == ids["ada"] and active["bob"] != ids["bob"], "who was deleted comes back as somebody new"
            counts = resync(w, r)["counts"]
            assert counts["unchanged"] == 3 == counts["listed"], counts


def test_kadmind_and_kadmin_local_at_the_same_time():
    with world() as w, Realm(w, {}) as r:
        r.local("addprinc -pw Hello-1-2 shared")

        def work(part):
            lines = []
            for number in range(12):
                name = f"user{part}-{number}"
                lines += [f"addprinc -pw Hello-1-2 {name}", f"modprinc -allow_tix {name}", f"renprinc -force {name} {name}.x",
                          f"modprinc {'+' if number % 2 else '-'}allow_tix {name}.x",
                          f"modprinc {'+' if part % 2 else '-'}allow_tix shared"]
                if number % 3 == 0:
                    lines.append(f"delprinc -force {name}.x")
            if part < 2:
                r.local(*lines)
            else:
                r.admin_session(lines)

        at_once(4, work)
        assert mark_of(w) is None, mark_of(w)
        settle(w)
        compare(w, r)
        assert len(r.principals()) == 1 + 4 * 8
        report = resync(w, r, "--dry-run")
        assert report["counts"]["unchanged"] == 33 == report["counts"]["listed"], report["counts"]


def test_who_is_renamed_again_at_once_by_another_process_is_nobody_else():
    with world() as w, Realm(w, {}) as r:
        r.local("addprinc -pw Hello-1-2 ada", "addprinc -pw Hello-1-2 bob")
        settle(w)
        ada = w.org.user("ada@acme.example")["Id"]
        with open(r.fields_file, encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            first = r.launch("kadmin.local", "-q", "renprinc -force ada anna")
            try:
                becomes(lambda: "anna" in r.principals(), "", seconds=2)
                first.send_signal(signal.SIGSTOP)  # written, and not told yet
            except AssertionError:
                pass
        if "anna" in r.principals():
            r.admin("renprinc -force anna amy")
            first.send_signal(signal.SIGCONT)
        assert first.wait(60) == 0
        if "anna" in r.principals():
            r.admin("renprinc -force anna amy")
        settle(w)
        compare(w, r)
        assert w.org.user("amy@acme.example")["Id"] == ada and mark_of(w) is None, (w.org.users(), mark_of(w))
        # a rename that fails keeps nobody waiting
        session = r.session(local=True)
        for line in ("renprinc -force amy bob", "renprinc -force nobody other"):
            assert not session.say(line, "renamed")
            before = time.monotonic()
            r.admin("modprinc -allow_tix bob")
            waited = time.monotonic() - before
            assert waited < 10 and mark_of(w) is None, (line, waited, mark_of(w))  # who waits does so for ten
        session.close()


def test_a_killed_server_loses_nothing_after_a_resync():
    with world() as w:
        r = Realm(w, {}).start()
        stop, told = threading.Event(), []

        def load(part):
            session = r.session()
            for number in range(2000):
                if stop.is_set() or not session.say(f"addprinc -pw Hello-1-2 user{part}-{number}", "created"):
                    break
                told.append(f"user{part}-{number}")
            session.close()

        threads = [threading.Thread(target=load, args=(part,)) for part in range(2)]
        for thread in threads:
            thread.start()
        while len(told) < 60:
            time.sleep(0.02)
        r.stop(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        mark = mark_of(w)
        assert mark and "kadmind" in mark["reason"] and "did not end in order" in mark["reason"], mark
        with r:
            report = resync(w, r)
            names = r.principals()
            assert set(told) <= set(names) and report["counts"]["listed"] == len(names), report["counts"]
            changed = report["counts"]["hired"] + report["counts"]["lost"] + report["counts"]["changed"]
            assert changed <= 1, report["counts"]  # kadmind does one thing at a time
            assert mark_of(w) is None, mark_of(w)
            settle(w)
            assert compare(w, r) == len(names)


def test_a_command_of_kadmin_local_that_was_done_ends_with_0():
    """In a script its words are arguments, and then it ends with 1 for whatever it takes for an error."""
    with world() as w, Realm(w, {}) as r:
        done = r.tool("kadmin.local", "addprinc", "-pw", "y", "ada", code=None)
        assert done.returncode == 0, (done.returncode, done.stderr)
        assert "sfprov: field 'domain_name'" in done.stderr, "a warning is what is to be seen and to do no harm"
        assert r.tool("kadmin.local", "addprinc", "-pw", "y", "ada", code=None).returncode == 1
        settle(w)
        assert w.org.user("ada@acme.example")["IsActive"]


def test_somebody_who_waits_in_kadmin_local_is_no_crash():
    with world() as w, Realm(w, {}) as r:
        session = r.session(local=True)
        assert session.say("addprinc -pw Hello-1-2 ada", "created")
        session.process.kill()
        session.process.wait()
        session.close()
        assert mark_of(w) is None, mark_of(w)
        settle(w)
        assert compare(w, r) == 1


def test_in_the_background_as_the_system_starts_it():
    with world() as w, Realm(w, {}) as r:
        r.stop()
        pid = r.start_detached()
        try:
            r.admin("addprinc -pw Hello-1-2 ada", "modprinc -allow_tix ada", "modprinc +allow_tix ada")
            settle(w)
            assert compare(w, r) == 1
        finally:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
        assert mark_of(w) is None, mark_of(w)


def test_confined_as_debians_unit_does_it():
    """No rights but that to a low port, and no sight of the processes of others."""
    words = ["unshare", "-m", "sh", "-c", 'mount -t proc -o hidepid=invisible,gid=65534 proc /proc && exec setpriv --bounding-set '
             '-all,+net_bind_service --inh-caps -all --no-new-privs "$0" "$@"']
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        raise harness.NotRun("no processes can be hidden here")
    with world() as w:
        other = w.connector(harness.NEVER_DELIVER)
        other.act(act="host", name="other", state="begun")
        r = Realm(w, {})
        r.confined = words
        with r:
            r.admin("addprinc -pw Hello-1-2 ada")
            assert mark_of(w) is None, mark_of(w)
            r.local("modprinc -allow_tix ada")
            r.admin("modprinc +allow_tix ada")
            other.act(act="host", name="other", state="ended")
        other.close()
        assert mark_of(w) is None, mark_of(w)
        settle(w)
        assert compare(w, r) == 1


def test_salesforce_is_never_waited_for_and_a_daemon_delivers():
    with world() as w, Realm(w, {}) as r:
        w.org.fault({"on": "any", "do": "drop_before", "times": -1})
        r.local(*(f"addprinc -pw Hello-1-2 user{number}" for number in range(20)))
        assert pending(w) == 20 and not w.org.users()
        w.org.ask("DELETE", "/__org/faults")
        fields = os.path.join(w.folder, "fields-cli.json")
        daemon = subprocess.Popen([harness.CLI, "--plugin", harness.PLUGIN, "-c", fields, "run", "--daemon"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            r.admin("addprinc -pw Hello-1-2 last")
            end = time.monotonic() + 60
            while pending(w):
                assert time.monotonic() < end, "the daemon does not deliver"
                time.sleep(0.1)
        finally:
            daemon.terminate()
            assert daemon.wait(30) == 0
        assert compare(w, r) == 21


def test_a_full_disk_marks_that_a_resync_is_needed():
    with world() as w, SmallDisk(w.folder) as disk:
        w.fields["store"] = os.path.join(disk.folder, "store.db")
        with Realm(w, {}) as r:
            r.admin("addprinc -pw Hello-1-2 ada")
            assert mark_of(w) is None
            disk.fill()
            r.admin_session([f"addprinc -pw Hello-1-2 user{number}" for number in range(40)])
            assert "a resync is needed" in r.said(), r.said()[-3000:]
            disk.free()
            mark = mark_of(w)
            assert mark["missed"] > 0 and mark["host"] == "kadmind", mark
            shown = cli(w, "status")
            assert "resync needed" in shown.stdout and shown.returncode != 0, shown.stdout
        assert mark_of(w), "an orderly end takes the mark away"
        with r:
            report = resync(w, r)
            assert report["counts"]["hired"] > 0, report["counts"]
            assert mark_of(w) is None
            settle(w)
            assert compare(w, r) == 41


def test_closed_refuses_what_could_not_be_kept():
    with world() as w, SmallDisk(w.folder) as disk:
        w.fields["store"] = os.path.join(disk.folder, "store.db")
        with Realm(w, {"on_failure": "closed"}) as r:
            r.admin("addprinc -pw Hello-1-2 ada")
            disk.fill()
            for number in range(40):
                if "created" not in r.attempt(f"addprinc -pw Hello-1-2 user{number}"):
                    break
            else:
                raise AssertionError("nothing was refused")
            for line in ("delprinc -force ada", "renprinc -force ada eve", "modprinc -allow_tix ada"):
                assert "Operation failed" in r.attempt(line), line
            said = r.local("modprinc -allow_tix ada", fails=True)
            assert "sfprov cannot keep the change" in said, said
            assert "sfprov cannot keep the change" in r.said(), r.said()[-2000:]
            names = r.principals()
            assert names["ada"] and f"user{number}" not in names
            r.local("addprinc -randkey host/is.no.person")
            disk.free()
            r.admin("modprinc -allow_tix ada")
            if mark_of(w):  # it failed between the look and the change
                resync(w, r)
            settle(w)
            compare(w, r)


def test_a_store_that_is_out_of_reach_is_told_and_stops_nobody():
    with world() as w:
        w.fields["store"] = os.path.join(w.folder, "nowhere", "store.db")
        with Realm(w, {}) as r:
            r.admin("addprinc -pw Hello-1-2 ada")
            assert "cannot" in r.said() and "nowhere" in r.said(), r.said()
            os.mkdir(os.path.join(w.folder, "nowhere"), 0o700)
            r.admin("addprinc -pw Hello-1-2 bob")
            assert mark_of(w), "what was missed before is forgotten"
            resync(w, r)
            settle(w)
            assert compare(w, r) == 2 and mark_of(w) is None


def wrong_configurations(w):
    fields, no_issuer = (os.path.join(w.folder, name) for name in ("fields-wrong.json", "fields-no-issuer.json"))
    with open(fields, "w") as file:
        json.dump(dict(w.fields, profile=""), file)
    with open(no_issuer, "w") as file:
        json.dump({key: value for key, value in w.fields.items() if key != "issuer"}, file)
    return (("{", "no JSON object"), ({"filed": 1}, "'filed' is not known"), ({"fields": "/nowhere.json"}, "/nowhere.json"),
            ({"fields": fields}, "profile"), ({"fields": no_issuer}, "krb5://"), ({"plugin": "/nowhere.so"}, "/nowhere.so"),
            ({"persons": "("}, "no extended regular expression"), ({"except": 1}, "a text in quotes"),
            ({"on_failure": "maybe"}, "maybe"), ({"creates": 1}, "true or false"), ({"deliver": True}, "'deliver' is not known"))


def test_a_wrong_configuration_stops_kadmind_with_a_clear_line():
    with world() as w:
        r = Realm(w, {})
        for config, words in wrong_configurations(w):
            r.write_adapter(config)
            said = r.refuses_to_start()
            assert words in said, (config, said)
            said = r.local("addprinc -pw Hello-1-2 ada", fails=True)
            assert words in said, (config, said)
            os.unlink(r.log_file)
            r.tool("kdb5_util", "dump", f"{r.folder}/dump")
        assert "ada" not in r.principals()


def test_switched_off_it_does_nothing():
    with world() as w, Realm(w, {"active": False}) as r:
        r.admin("addprinc -pw Hello-1-2 ada", "delprinc -force ada")
        assert not [name for name in os.listdir(w.folder) if name.startswith("store.db")], os.listdir(w.folder)


def test_kadmind_says_that_it_is_there():
    with world() as w, Realm(w, {}) as r:
        assert f"principals of {REALM} are handed over" in r.said(), r.said()
    with world() as w:  # kadmind starts without a module that it cannot find, and says nothing
        r = Realm(w, {}, module="/nowhere.so")
        with r:
            assert "handed over" not in r.said()


def test_an_upgrade_loses_nothing_and_a_removal_leaves_nothing_behind():
    with world() as w:
        installed, old = Installed(w, f"{ADAPTERS}/sfprov-kadm5.so"), OldStore(w)
        r = Realm(w, {"plugin": installed.plugin}, module=installed.adapter)
        before = old.version()
        with r:
            r.admin("addprinc -pw Hello-1-2 nora")
            assert before < old.version() and installed.in_use(r.process.pid) == {"new"}
            old.has("nora")
            installed.replace()
            r.admin("addprinc -pw Hello-1-2 otto", "modprinc -allow_tix nora")
            assert installed.in_use(r.process.pid) == {"old"}
            r.stop()
            r.start()
            r.admin("modprinc +allow_tix nora", "renprinc -force otto otto.x")
            r.local("addprinc -pw Hello-1-2 pia")
            assert installed.in_use(r.process.pid) == {"new"}
            old.has("nora", "otto.x", "pia")
            told = {name: events_of(w, name) for name in ("nora", "otto.x", "pia")}
            assert [len(told[name]) for name in told] == [3, 2, 1], told
            r.stop()
            r.config = None
            r.write_configuration()
            installed.remove()
            r.start()
            r.admin("modprinc -allow_tix nora", "addprinc -pw Hello-1-2 quin")
            r.local("addprinc -pw Hello-1-2 rob")
            assert not installed.in_use(r.process.pid) and set(r.principals()) == {"nora", "otto.x", "pia", "quin", "rob"}
            assert told == {name: events_of(w, name) for name in told}
        assert what_remains(w) == ["store.db", "store.db.resync"], what_remains(w)


def test_a_deliverer_of_before_an_upgrade_that_goes_on_is_told_and_stops_nobody():
    with world() as w:
        old = OldStore(w)
        deliverer = sqlite3.connect(w.fields["store"])
        deliverer.execute("PRAGMA journal_mode = wal")
        deliverer.execute("SELECT count(*) FROM subject").fetchone()
        with Realm(w, {}) as r:
            r.admin("addprinc -pw Hello-1-2 nora")
            assert "end the processes that use it" in r.said(), r.said()[-2000:]
            deliverer.close()
            r.admin("addprinc -pw Hello-1-2 otto")
            assert mark_of(w), "what was missed before is forgotten"
            done = cli(w, "sync", "--no-deliver", "--by-name", "--format", "csv", "--command", *r.lister())
            assert done.returncode == 1, ("there is somebody who is parked", done.returncode, done.stderr)
            old.has("nora", "otto")


def test_memory_is_flat_over_many_changes():
    operations = int(os.environ.get("SFPROV_OPERATIONS", 3000))
    with in_memory(), world() as w, Realm(w, {}) as r:
        r.admin_session([f"addprinc -pw Hello-1-2 user{number}" for number in range(20)])

        def resident():
            for line in open(f"/proc/{r.process.pid}/status"):
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
            raise AssertionError("kadmind is gone")

        def work(count):
            r.admin_session([f"modprinc {'+' if number % 2 else '-'}allow_tix user{number % 20}" for number in range(count)])

        # two fifths of them: the pages that the store keeps in memory grow with the store, up to a bound
        for _ in range(2):
            work(operations // 5)
        before = resident()
        for _ in range(3):
            work(operations // 5)
        grown = resident() - before
        assert grown < 1024, f"{grown} KiB more over {3 * (operations // 5)} changes"
        print(f"    {grown} KiB more over {3 * (operations // 5)} changes")


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
