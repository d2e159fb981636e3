"""Lists of people in every form, from the file to the org."""
import json
import os
import signal
import subprocess
import sys

import harness
from harness import CLI, PLUGIN, World, person
from test_cli import Shell

LDIF = """version: 1

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid=ada,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: ada
cn: Ada Lovelace
sn: Lovelace
givenName: Ada
title: Ana
 lyst
mail: ada@example.com
manager: UID=zoe, ou=People,dc=example,dc=com
entryUUID: 11111111-1111-4111-8111-111111111111

dn: uid=zoe,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: zoe
cn:: Wm/DqyBNYXJ0aW4=
sn: Martin
givenName:: Wm/Dqw==
mail: zoe@example.com
entryUUID: 22222222-2222-4222-8222-222222222222
"""


def test_a_directory_is_followed_and_managers_by_dn_are_linked():
    with World() as w:
        sh = Shell(w)
        sh("sync", sh.file("people.ldif", LDIF))
        assert "1 (such as objectClass organizationalUnit)" in sh.err, sh.err
        users = w.org.users()
        ada, zoe = users["primary-ada@acme.example"], users["primary-zoe@acme.example"]
        assert ada["ManagerId"] == zoe["Id"] and ada["Title"] == "Analyst" and zoe["FirstName"] == "Zoë"
        calls = w.org.usage()["api_calls"]
        sh("sync", sh.file("people.ldif", LDIF))
        assert w.org.usage()["api_calls"] == calls, "the same list again sends nothing"
        renamed = LDIF.replace("uid=ada", "uid=ada.l").replace("uid: ada", "uid: ada.l")
        sh("sync", sh.file("people.ldif", renamed))
        assert w.org.user("primary-ada.l@acme.example")["Id"] == ada["Id"], "the key stays, so the account does"


def test_scim_users_by_line_and_list_responses_are_one_list():
    with World() as w:
        sh = Shell(w)
        users = [dict(person(f"u{n}"), id=str(n)) for n in range(4)]
        users[1]["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"] = {"manager": {"value": "3"}}
        sh("sync", sh.file("people.jsonl", "".join(json.dumps(user) + "\n" for user in users)))
        pages = [{"totalResults": 4, "startIndex": 1 + n, "Resources": users[n:n + 2]} for n in (0, 2)]
        text = "".join(json.dumps(page, indent=2) + "\n" for page in pages)
        assert sh.json("sync", "--format", "json", "-", stdin=text)["counts"]["unchanged"] == 4
        sh("sync", sh.file("page.json", json.dumps(pages[0])), code=2)
        assert "2 of totalResults 4" in sh.err and "nothing was changed" in sh.err, sh.err
        there = w.org.users()
        assert all(user["IsActive"] for user in there.values()) and len(there) == 4
        assert there["primary-u1@acme.example"]["ManagerId"] == there["primary-u3@acme.example"]["Id"]


def test_an_export_with_headers_of_its_own_needs_a_columns_file_only():
    with World() as w:
        sh = Shell(w)
        rows = '"empnum","first","last","mail","status","room"\n"7","Geena","Green","g@x.example","Active","1"\n' \
               '"8","Ana","Lopez","a@x.example","Former employee","2"\n"9","Jim","Fox","j@x.example","On leave","3"\n'
        columns = {"key": "empnum", "columns": {
            "empnum": "userName", "first": "givenName", "last": "familyName", "mail": "email", "room": "", "other": "title",
            "status": {"path": "active", "true": ["Active"], "false": ["Former employee"]}}}
        export = sh.file("hr.csv", rows)
        sh("sync", "--columns", sh.file("columns.json", json.dumps(columns)), export, code=2)
        assert "line 4, column 5 'status': what 'On leave' means is not said" in sh.err, sh.err
        assert w.org.users() == {}
        columns["columns"]["status"]["true"].append("On leave")
        sh("sync", "--columns", sh.file("columns.json", json.dumps(columns)), export)
        assert sorted(w.org.users()) == ["primary-7@acme.example", "primary-9@acme.example"], "no ghost of who left"
        sh("sync", "--columns", "/nonexistent", export, code=2)
        sh("sync", "--columns", sh.file("bad.json", '{"colums":{}}'), export, code=2)
        assert "'colums' is not known here" in sh.err
        sh("sync", sh.file("people.txt", rows), code=2)
        assert "--format" in sh.err


def test_all_faults_of_a_list_are_told_and_change_nothing():
    with World() as w:
        sh = Shell(w)
        sh("sync", sh.file("one.csv", "externalId,userName,familyName,email\n1,ada,L,a@x.example\n"))
        bad = "externalId,userName,familyName,email\n1,ada,L,a@x.example\n2,bob\n1,eve,L,e@x.example\n,x,L,\n" + \
            "".join(f"{n},,L,\n" for n in range(100, 130))
        sh("sync", sh.file("two.csv", bad), code=2)
        for part in ("line 3: the row has 2 of 4 cells", "at line 2 and line 4", "line 5, column 1 'externalId'",
                     "line 6: the userName is empty", "and 13 more", "nothing was changed"):
            assert part in sh.err, (part, sh.err)
        assert len(sh.err.splitlines()) == 22, sh.err
        with open(os.path.join(sh.folder, "latin.csv"), "wb") as file:
            file.write("externalId,userName\n1,Jörg\n2,x\n".encode("latin-1"))
        sh("sync", file.name, code=2)
        assert "line 2, character 4: byte 0xf6 is not UTF-8" in sh.err
        assert sh.json("status")["subjects"]["total"] == 1
        assert w.org.user("primary-ada@acme.example")["IsActive"]


def test_a_dry_run_shows_who_would_share_a_username_and_makes_nothing():
    with World(provisioning_pattern="{UN}") as w:
        sh = Shell(w)
        people = sh.file("one.csv", "externalId,userName,familyName,email\n1,EAST/ada,L,a@x.example\n"
                                    "2,WEST/ada,L,b@x.example\n3,bob,L,c@x.example\n")
        out = sh("sync", "-n", people)
        assert "would wait: '/Users/1' of this list gets the same username" in out, out
        assert "1 would share a username" in out and out.count("would create") == 2, out
        users = sh.json("sync", "-n", people)["users"]
        assert [user.get("rival") for user in users] == [None, "/Users/1", None], users
        assert users[1]["place"] == "line 3" and sorted(os.listdir(sh.folder)) == ["fields.json", "one.csv"]
        assert w.org.calls()["calls"] == []


def test_more_people_than_a_page_are_all_told():
    with World() as w:
        sh = Shell(w)
        people = sh.file("many.csv", "externalId,userName,familyName,email\n" +
                         "".join(f"{n},u{n},L,u{n}@x.example\n" for n in range(1450)))
        answer = sh.json("sync", "--no-deliver", people)
        assert answer["counts"]["hired"] == 1450
        assert [user["uri"] for user in answer["users"]] == [f"/Users/{n}" for n in range(1450)]
        out = sh("sync", "-n", sh.file("few.csv", "externalId,userName,familyName,email\n1,u1,L,u1@x.example\n"), code=2)
        assert out.count(" lost ") == 1449 and out.count("HOST USER") == 1, out[:300]


def test_people_without_a_key_are_known_by_their_name():
    head = "userName,familyName,email\n"
    with World(leaver_action="deactivate_and_release") as w:
        sh, c = Shell(w), w.connector()
        c.accept(harness.create("/Users/4711", person("ada")))
        c.close()
        people = sh.file("people.csv", head + "ada,Lovelace,a@x.example\nbob,Miller,b@x.example\nBob,Other,b@y.example\n")
        answer = sh.json("sync", "--no-deliver", "--by-name", people)
        assert {user["userName"]: user["uri"] for user in answer["users"]} == \
            {"ada": "/Users/4711", "bob": "/Users/bob", "Bob": "/Users/Bob"}, answer["users"]
        assert sh.json("sync", "--no-deliver", "--by-name", people)["counts"]["unchanged"] == 3
        # one by one: whoever comes after a leaver of that name is another one, and a list that says it again says nothing
        for uri in ("/Users/bob~2", "/Users/bob~3"):
            sh("sync", "--no-deliver", "--by-name", sh.file("few.csv", head + "ada,Lovelace,a@x.example\n"))
            answer = sh.json("sync", "--no-deliver", "--by-name", sh.file("few.csv", head + "ada,Lovelace,a@x.example\n"
                                                                         "bob,Miller,b@x.example\n"))
            assert [user["uri"] for user in answer["users"]] == [uri], answer["users"]
        sh("sync", "--by-name", "--key", "userName", people, code=2)
        assert "names one" in sh.err, sh.err
        sh("sync", "--by-name", sh.file("people.ldif", LDIF), code=2)
        assert "entries of a directory have one" in sh.err, sh.err
        c = w.connector()
        c.accept(harness.create("/Users/4712", person("ada")))
        c.close()
        sh("sync", "--by-name", people, code=2)
        assert "two users are called 'ada', '/Users/4711' and '/Users/4712'" in sh.err, sh.err


def test_a_command_gives_the_list_and_has_to_end_well():
    with World() as w:
        sh = Shell(w)
        people = sh.file("people.csv", "externalId,userName,familyName,email\n1,ada,L,a@x.example\n2,bob,L,b@x.example\n")
        answer = sh.json("sync", "--no-deliver", "--format", "csv", "--command", "cat", people)
        assert answer["counts"]["hired"] == 2, answer["counts"]
        for command, said in ((("sh", "-c", f"head -n 2 '{people}'; exit 3"), "status 3"),
                              (("sh", "-c", f"cat '{people}'; kill -9 $$"), "signal 9"),
                              (("no-such-command",), "cannot be started")):
            sh("sync", "--no-deliver", "--format", "csv", "--command", "--", *command, code=2)
            assert said in sh.err and "nothing was changed" in sh.err, (command, sh.err)
        # whoever starts it may ignore the end of children
        ignoring = ("import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])")
        done = subprocess.run([sys.executable, "-c", ignoring, CLI, "sync", "--no-deliver", "--format", "csv", "--command",
                               "--", "sh", "-c", f"head -n 2 '{people}'; exit 3"], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, SFPROV_FIELDS=sh.path, SFPROV_PLUGIN=PLUGIN))
        assert done.returncode == 2 and "status 3" in done.stderr, (done.returncode, done.stdout, done.stderr)
        # a list that is of no use is not waited for
        sh("sync", "--no-deliver", "--format", "csv", "--command", "--", "sh", "-c", "echo externalId,nonsense; exec sleep 300",
           code=2)
        assert "'nonsense'" in sh.err, sh.err
        sh("sync", people, "another", code=2)
        assert "one argument too many" in sh.err, sh.err
        # an event that comes while the command runs is newer than the list
        event = sh.file("event.jsonl", json.dumps(harness.create("/Users/3", person("cyd"))) + "\n")
        command = f"cat '{people}'; SFPROV_FIELDS='{sh.path}' SFPROV_PLUGIN='{PLUGIN}' '{CLI}' submit '{event}' >&2"
        answer = json.loads(sh("sync", "--json", "--no-deliver", "--format", "csv", "--command", "--", "sh", "-c", command))
        assert answer["counts"]["lost"] == 0 and answer["counts"]["unchanged"] == 2, answer["counts"]


def test_an_interrupted_or_killed_list_changes_nothing_and_leaves_nothing():
    with World() as w:
        sh = Shell(w)
        sh("sync", "--no-deliver", sh.file("one.csv", "externalId,userName,familyName,email\n1,ada,L,a@x.example\n"))
        before = sorted(os.listdir(sh.folder))
        for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
            with subprocess.Popen([CLI, "sync", "--format", "csv", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=dict(os.environ, SFPROV_FIELDS=sh.path, SFPROV_PLUGIN=PLUGIN)) as process:
                process.stdin.write(b"externalId,userName,familyName,email\n" +
                                    b"".join(b"%d,u%d,L,u@x.example\n" % (n, n) for n in range(9000)))
                process.stdin.flush()
                harness.until(lambda: any("deleted" in os.readlink(f"/proc/{process.pid}/fd/{fd}")
                                          for fd in os.listdir(f"/proc/{process.pid}/fd")), "the list that is taken up")
                process.send_signal(number)
                error = process.stderr.read()
                process.stdin.close()
                assert process.wait(harness.PATIENCE_S) == code, (number, error)
                assert number == signal.SIGKILL or b"nothing was changed" in error, error
        assert sh.json("status")["subjects"]["total"] == 1
        assert [name for name in sorted(os.listdir(sh.folder)) if "-wal" not in name and "-shm" not in name] == before


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
