"""The program sfprov, used as an admin and as a script would."""
import itertools
import json
import os
import stat
import subprocess
import sys

import harness
from harness import CLI, PLUGIN, World, create, patch, person, put, simple


class Shell:
    """sfprov with a fields file of its own."""

    def __init__(self, world, **fields):
        self.path = os.path.join(world.folder, "fields.json")
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(dict(world.fields, **fields), file)
        os.chmod(self.path, 0o600)
        self.folder = world.folder

    def __call__(self, *arguments, code=0, stdin="", **environment):
        done = subprocess.run([CLI, *arguments], input=stdin, capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, SFPROV_FIELDS=self.path, SFPROV_PLUGIN=PLUGIN, **environment))
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        self.err = done.stderr
        return done.stdout

    def json(self, *arguments, **more):
        return json.loads(self(*arguments, "--json", **more))

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


def lines(*events):
    return "".join(json.dumps(event) + "\n" for event in events)


PEOPLE = """externalId,userName,name.givenName,name.familyName,"emails[type eq ""work""].value",title,manager
1,PRIMARY/ada,Ada,Lovelace,ada@example.com,Analyst,
2,PRIMARY/grace,Grace,"O'Hopper",grace@example.com,Admiral,1
3,PARTNERS/ada,Ada,Łovelace,ada2@example.com,,2
"""


def test_fields_check_and_every_fault_at_once():
    with World() as w:
        sh = Shell(w)
        assert "domain_name" in sh("fields") and "client_secret" in sh("fields")
        schema = json.loads(sh("fields", "--schema"))
        assert "domain_name" in schema["properties"] and schema["properties"]["client_secret"]["writeOnly"] is True
        sh("fields", "--check")
        missing = Shell(w, client_secret="file:/nowhere/secret")
        out = missing("fields", "--check")
        assert "client_secret" in out and "/nowhere/secret" in out and "cannot be opened" in out, out
        sh("hold")  # makes the store
        assert "nothing is to be done" in sh("replan", "--all"), "nobody is known yet"
        sh("resume")
        bad = Shell(w, domian_name="x", batch_size=900, client_secret=["sEcReT-cAnArY"])
        out = bad("fields", "--check", code=3) + bad.err
        for word in ("domian_name", "domain_name", "batch_size", "client_secret"):
            assert word in out, (word, out)
        assert "cAnArY" not in out


def test_a_look_makes_no_store_and_says_that_there_is_none():
    with World() as w:
        sh = Shell(w)
        event = sh.file("event.json", json.dumps(create("/Users/1", person("jdoe"))))
        for words in ("status", "status --json", "list", "show jdoe", "collisions", "drift", "match", "retry jdoe",
                      "retry --all", "replan --all", "release", "resume", "drift --repair", "deliver", "deliver --json", "store vacuum"):
            sh(*words.split(), code=2)
            assert f"no store at '{w.fields['store']}' yet" in sh.err and "field 'store'" in sh.err, (words, sh.err)
        sh("org"), sh("check", code=6), sh("preview", event), sh("store", "check")
        assert sorted(os.listdir(w.folder)) == ["event.json", "fields.json"], os.listdir(w.folder)
        sh("run", event)
        sh("status")


def test_check_shows_steps_and_fails_with_one():
    with World() as w:
        sh = Shell(w)
        out = sh("check", code=6)
        assert "token" in out and "profile" in out
        assert all(step["status"] != "failed" for step in sh.json("check", code=6)["steps"])
        out = Shell(w, profile="Nonesuch")("check", code=1)
        assert "failed" in out and "Standard User" in out


def test_sync_makes_the_org_follow_and_says_so():
    with World() as w:
        sh = Shell(w)
        out = sh("sync", sh.file("one.csv", PEOPLE))
        assert out.count("hired") >= 3 and "partners-ada@acme.example" in out, out
        users = w.org.users()
        assert users["primary-grace@acme.example"]["ManagerId"] == users["primary-ada@acme.example"]["Id"]
        assert users["primary-ada@acme.example"]["Id"] in out
        calls = w.org.usage()["api_calls"]
        out = sh("sync", sh.file("one.csv", PEOPLE))
        assert w.org.usage()["api_calls"] == calls and "0 API calls" in out, out
        second = PEOPLE.replace("Admiral", "Rear Admiral").replace("PRIMARY/ada,", "PRIMARY/ada.l,")
        second = "\n".join(line for line in second.splitlines() if not line.startswith("3,")) + "\n"
        dry = sh("sync", "--dry-run", sh.file("two.csv", second))
        assert "lost" in dry and w.org.usage()["api_calls"] == calls, dry
        out = sh("sync", sh.file("two.csv", second))
        assert "renamed" in out and "lost" in out and "title" in out, out
        users = w.org.users()
        assert users["primary-ada.l@acme.example"]["IsActive"] and not users["partners-ada@acme.example"]["IsActive"]
        assert users["primary-grace@acme.example"]["Title"] == "Rear Admiral"


def test_a_bad_list_changes_nothing_and_names_the_place():
    with World() as w:
        sh = Shell(w)
        sh("sync", sh.file("one.csv", PEOPLE))
        calls = w.org.usage()["api_calls"]
        for text, place in [("", "the file is empty"), ("externalId,userName\n", "the list is empty"), (PEOPLE + "4,x\n", "line 5"),
                            (PEOPLE.replace("externalId", "key"), "'key'"), (PEOPLE + "2,a,b,c,d,e,f\n", "line 5"),
                            (PEOPLE.replace("title", "tittle"), "tittle"), (PEOPLE + '4,"x\n', "line 5")]:
            path = sh.file("bad.csv", text)
            done = subprocess.run([CLI, "sync", path], capture_output=True, text=True, timeout=60,
                                  env=dict(os.environ, SFPROV_FIELDS=sh.path, SFPROV_PLUGIN=PLUGIN))
            assert done.returncode == 2 and place in done.stderr, (text, done)
        assert w.org.usage()["api_calls"] == calls
        assert all(user["IsActive"] for user in w.org.users().values())


def test_run_reads_events_until_all_is_settled():
    with World() as w:
        sh = Shell(w)
        text = lines(create("/Users/1", person("jdoe")), create("/Users/2", person("bad name"))) + "nonsense\n" + \
            lines(patch("/Users/1", {"op": "replace", "path": "title", "value": "Chief"}))
        out = sh("run", "-", stdin=text, code=1)
        assert w.org.user("primary-jdoe@acme.example")["Title"] == "Chief"
        assert "bad name" in out + sh.err and "-:3: refused" in sh.err, (out, sh.err)
        sh("run", "-", stdin=lines(create("/Users/3", person("fine"))), code=1)  # one is parked still
        sh("run", "-", stdin=lines(put("/Users/2", person("good.name"))))
        assert len(w.org.users()) == 3


def test_run_ends_with_a_hold_and_keeps_everything():
    with World() as w:
        sh = Shell(w, client_secret="sEcReT-cAnArY")
        out = sh("run", "-", stdin=lines(create("/Users/1", person("jdoe"))), code=4) + sh.err
        assert "hold" in out and "cAnArY" not in out, out
        status = sh.json("status", code=4)
        assert status["state"] == "held" and status["subjects"]["pending"] == 1, status
        sh = Shell(w)
        sh("resume")
        sh("deliver")
        assert len(w.org.users()) == 1


def test_an_order_says_what_it_did():
    with World(guard_floor=0, guard_percent=10) as w:
        sh = Shell(w)
        sh("submit", "-", stdin=lines(create("/Users/1", person("jdoe"))))
        assert "there is no hold" in sh("resume") and "the guard holds nobody" in sh("release")
        w.org.fault({"on": "any", "do": "drop_before", "times": -1})
        sh("deliver", "--timeout", "1", code=4)
        assert sh.json("status", code=4)["trouble"]
        assert "nobody is parked" in sh("retry", "--all"), "a pause has ended"
        assert not sh.json("status").get("trouble"), sh.json("status")
        w.org.ask("DELETE", "/__org/faults")
        sh("deliver")
        assert "1 user to be tried again" in sh("retry", "jdoe")
        sh("deliver")
        sh("submit", "-", stdin=lines(simple("/Users/1", "prov:delete")))
        sh("deliver", code=4)
        assert w.org.user("primary-jdoe@acme.example")["IsActive"]
        assert "1 deactivation let go" in sh("release")
        sh("deliver")
        assert not w.org.user("primary-jdoe@acme.example")["IsActive"]


def test_submit_does_not_deliver():
    with World() as w:
        sh = Shell(w)
        sh("submit", "-", stdin=lines(create("/Users/1", person("jdoe"))))
        assert w.org.users() == {} and w.org.usage()["token_requests"] == 0
        assert sh.json("status")["subjects"]["pending"] == 1
        sh("deliver")
        assert len(w.org.users()) == 1


def test_preview_list_and_show_tell_the_story():
    with World() as w:
        sh = Shell(w)
        event = sh.file("event.json", json.dumps(create("/Users/1", person("jdoe", title="x" * 99))))
        out = sh("preview", event, code=1)
        assert "park" in out and "Title" in out, out
        sh("run", event, code=1)
        out = sh("list", "--state", "parked")
        assert "jdoe" in out and "MAPPING" in out, out
        out = sh("show", "jdoe")
        assert "parked" in out and "remedy" in out and "truncate" in out, out
        assert sh.json("show", "jdoe")["state"] == "parked"
        sh("show", "nobody", code=2)
        assert "nobody" in sh.err


def test_who_is_parked_and_who_waits_are_apart_in_json():
    people = {"1": "jdoe", "2": "jdoe", "3": "bad name@@"}
    with World() as w:
        sh = Shell(w)
        text = lines(*[create("/Users/" + n, person(name)) for n, name in people.items()])
        listed = sh.file("people.jsonl", "".join(json.dumps(dict(person(name), id=n)) + "\n" for n, name in people.items()))
        for answer in (sh.json("run", "-", stdin=text, code=1), sh.json("deliver", code=1), sh.json("sync", listed, code=1)):
            assert [row["uri"] for row in answer["parked"]] == ["/Users/3"], answer
            assert [row["uri"] for row in answer["waiting"]] == ["/Users/2"], answer
        assert sh.json("run", "-", stdin=lines(put("/Users/2", person("j2")), put("/Users/3", person("j3"))))["waiting"] is None


def test_all_that_a_user_waits_for_is_told_each_with_a_remedy():
    boss = {harness.ENTERPRISE: {"manager": {"value": "9"}}}
    with World() as w:
        sh = Shell(w)
        sh("run", "-", stdin=lines(create("/Users/1", person("jdoe", **boss)), create("/Users/2", person("jdoe"))), code=1)
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"IsActive": False}, "times": -1,
                     "statusCode": "FIELD_INTEGRITY_EXCEPTION", "message": "Cannot inactivate: Deputy__c"})
        listed = sh("list").splitlines()
        assert any("created; waits for manager" in line for line in listed), listed
        assert any("USERNAME_IN_USE_HERE; waits for username" in line for line in listed), listed
        out = sh("deliver", code=1)
        assert "1 user is parked or waits:" in out and "1 users parked or waiting" in out, out
        assert "sound" in sh("store", "check", "--full")
        sh("run", "-", stdin=lines(put("/Users/1", person("jdoe", active=False, **boss))), code=1)
        row = sh.json("show", "/Users/1")
        told = {wait["kind"]: wait for wait in row["waits"]}
        assert set(told) == {"leaving", "manager"} and row["code"] == "FIELD_INTEGRITY_EXCEPTION", row
        assert "let the host send the manager" in told["manager"]["remedy"] and "`remedy`" in told["leaving"]["remedy"], told
        assert row["waits"] == next(each for each in sh.json("list") if each["uri"] == "/Users/1")["waits"]
        assert all(wait["cause"] and wait["remedy"] for each in sh.json("list") for wait in each["waits"])
        counted = {wait["kind"]: wait for wait in sh.json("status", code=1)["waits"]}
        assert set(counted) == {"leaving", "manager", "username"} and counted["manager"]["remedy"] == told["manager"]["remedy"]
        for out in (sh("show", "/Users/1"), sh("status", code=1)):
            assert "let the host send the manager" in " ".join(out.split()), out


def test_a_list_that_is_not_delivered_tells_nothing_of_what_was_before():
    with World() as w:
        sh = Shell(w)
        sh("run", "-", stdin=lines(create("/Users/1", person("ada")), patch("/Users/7", {"op": "add", "path": "title", "value": "x"})), code=1)
        out = sh("sync", "--no-deliver", sh.file("list.csv", PEOPLE))
        rows = [line.split() for line in out.splitlines() if " lost " in line or " renamed" in line]
        assert [words[0] for words in rows] == ["PRIMARY/ada", "/Users/7"], out
        assert all(words[-1] == "pending" for words in rows), out
        assert not any(words[-1] in ("delivered", "refused") for words in map(str.split, sh("list").splitlines())), out


def test_a_notice_reads_the_user_from_the_directory_of_resources():
    with World() as w:
        sh = Shell(w)
        users = os.path.join(w.folder, "users")
        os.mkdir(users)
        sh.file("users/7.json", json.dumps(person("ada", title="Analyst")))
        events = sh.file("events.jsonl", lines(*[harness.token(f"/Users/{user}", (
            "prov:create:notice", {"attributes": ["userName"]})) for user in ("7", "8")]))
        sh("run", events, code=1)
        assert "resolve" in sh.err or "notice" in sh.err, sh.err
        assert "RESOURCE_NEVER_SEEN" in sh("run", events, "--resources", users, code=1), "there is no file for 8"
        assert w.org.user("primary-ada@acme.example")["Title"] == "Analyst" and len(w.org.users()) == 1
        sh.file("users/7.json", "{")
        changed = sh.file("changed.jsonl", lines(harness.token("/Users/7", ("prov:put:notice", {"attributes": ["title"]}))))
        sh("run", changed, "--resources", users, code=1)
        assert "/Users/7" in sh.err, sh.err
        assert w.org.user("primary-ada@acme.example")["Title"] == "Analyst"


def test_a_user_of_whom_nothing_was_accepted_is_told_what_to_check():
    with World() as w:
        sh = Shell(w)
        sh("submit", sh.file("ada.jsonl", lines(put("/Users/1", person("ada")))))
        sh("show", "grace", code=2)
        for words in ("No event for it was accepted", "sfprov list TEXT", "submit answer 'accepted'", w.fields["store"]):
            assert words in sh.err, (words, sh.err)


def test_wrong_use_is_explained():
    with World() as w:
        sh = Shell(w)
        sh("dance", code=2)
        assert "dance" in sh.err
        sh("sync", code=2)
        sh("sync", "/nonexistent.csv", code=2)
        assert "/nonexistent.csv" in sh.err
        for command in ("run", "submit", "preview"):
            sh(command, w.folder, code=2)
            assert f"'{w.folder}' is a directory: name a file" in sh.err, sh.err
        assert "sync" in sh("help", "sync") and "Exit codes" in sh("--help")
        for line, said in [("statsu", "did you mean 'status'"), ("status --bogus", "'--bogus' is no option"),
                           ("status -Z", "no option '-Z'"), ("list --state", "--state needs a value"),
                           ("list --state odd", "in_step"), ("list --limit 0", "above 0"), ("list --limit x", "above 0"),
                           ("status --json=yes", "takes no value"), ("check --all", "takes no --all"),
                           ("show", "needs USER"), ("status a", "one argument too many"), ("--color=blue status", "never"),
                           ("sync --map =x a.csv", "HEADER=PATH"), ("fields --schema --check", "one of --schema"),
                           ("help nothing", "no command 'nothing'"), ("retry", "--all")]:
            sh(*line.split(), code=2)
            assert said in sh.err and sh.err.count("\n") == 1, (line, sh.err)
        os.remove(sh.path)
        sh("status", code=3)
        assert sh.path in sh.err


def holds(schema, value):
    """As much of JSON Schema as the table of fields uses."""
    if "const" in schema and value != schema["const"] or "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, dict):
        if any(name not in value for name in schema.get("required", [])):
            return False
        if not all(holds(part, value[name]) for name, part in schema.get("properties", {}).items() if name in value):
            return False
    if "anyOf" in schema and not any(holds(part, value) for part in schema["anyOf"]):
        return False
    if "not" in schema and holds(schema["not"], value):
        return False
    if "if" in schema and holds(schema["if"], value) and not holds(schema["then"], value):
        return False
    return all(holds(part, value) for part in schema.get("allOf", []))


def test_the_schema_knows_what_each_flow_needs():
    """What it refuses for a missing field, the plugin refuses, and the other way."""
    choices = {"flow": [None, "client_credentials", "jwt_bearer", "refresh_token", "password"], "client_secret": [None, "s"],
               "private_key": [None, "file:/k"], "username": [None, "u@acme.com"], "password": [None, "p"],
               "refresh_token": [None, "t"], "use_password_grant": [None, True, False]}
    base = {"domain_name": "acme", "client_id": "c", "profile": "P", "store": "/var/lib/sfprov/store.db"}
    with World() as w:
        schema = json.loads(Shell(w)("fields", "--schema"))
        seen = {True: 0, False: 0}
        for values in itertools.product(*choices.values()):
            fields = dict(base, **{name: value for name, value in zip(choices, values) if value is not None})
            try:
                harness.Connector(fields).close()
                missing, other = False, False
            except harness.Failure as failure:
                reasons = [fault["reason"] for fault in failure.faults]
                missing = any("it is required and not set" in reason for reason in reasons)
                other = not missing  # of two flows: that is said in words only
            if not other:
                assert holds(schema, fields) != missing, fields
                seen[missing] += 1
        assert seen[True] > 20 and seen[False] > 20, seen
        assert not holds(schema, dict(base, flow="oauth")) and not holds(schema, dict(base, flow="jwt_bearer"))


def test_a_fields_file_that_others_may_read_is_warned_about():
    with World() as w:
        sh = Shell(w)
        os.chmod(sh.path, 0o644)
        sh("fields", "--check")
        assert stat.S_IMODE(os.stat(sh.path).st_mode) == 0o644 and "chmod" in sh.err, sh.err


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
