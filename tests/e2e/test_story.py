"""What `sfprov show` tells of a user to whom much happened. In a file of its own: the host is this process,
where test_cli.py runs programs only, so that it can run with ThreadSanitizer in them."""
import base64
import json
import os
import sys

import harness
from harness import ENTERPRISE, World, create, person, put, simple
from test_cli import Shell


def test_show_tells_a_whole_story():
    """Refused and corrected, an answer lost and read back, a deactivation blocked and then delivered."""
    no_chiefs = {"on": "collections_create", "do": "refuse_record", "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                 "message": "no chiefs here"}
    deputy = {"on": "collections_update", "do": "refuse_record", "statusCode": "FIELD_INTEGRITY_EXCEPTION",
              "message": "the user is a deputy", "match": {"IsActive": False}}
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        sh = Shell(w)
        c = w.connector(outcome=lambda: True)

        def step(event, *faults):
            w.org.fault(*faults)
            c.accept(event)
            c.deliver(0)

        step(create("/Users/1", person("jdoe", title="Chief"), jti="story-1"), dict(no_chiefs, times=2))
        c.act(act="retry", user="/Users/1")
        c.deliver(0)
        step(put("/Users/1", person("jdoe", title="Clerk"), jti="story-2"))
        step(put("/Users/1", person("jdoe", title="Head-sEcReT"), jti="story-3"),
             {"on": "collections_update", "do": "drop_after"})
        c.act(act="retry", user="/Users/1")
        c.settle()
        step(simple("/Users/1", "prov:delete", jti="story-4"), deputy)
        assert "next try" in sh("show", "jdoe").splitlines()[-1]
        c.act(act="retry", user="/Users/1")
        c.settle()

        story = sh.json("show", "jdoe")
        assert [(row["outcome"], row["action"], row["times"], row["version"]) for row in story["history"]] == [
            ("refused", "create", 2, 1), ("delivered", "created", 1, 2), ("unknown", "update Title", 1, 3),
            ("delivered", "updated Title", 1, 3), ("refused", "frozen", 1, 4),
            ("delivered", "deactivated", 1, 4)], story["history"]
        calls = [row["call"] for row in story["history"]]
        assert [(call["operation"], call["http_status"]) for call in calls] == [
            ("create", 200), ("create", 200), ("update", 0), ("read back", 200), ("freeze", 200),
            ("deactivate", 200)], calls
        assert all(call["records"] == 1 and call["took_ms"] >= 0 for call in calls), calls
        assert all(bool(call.get("request_id")) == bool(call["http_status"]) for call in calls), calls
        assert all(event["told"] for event in story["events"]), story["events"]
        assert "sEcReT" not in json.dumps(story["history"]), "names of fields, no values"

        out = sh("show", "jdoe")
        at = out.index("event ")
        for words in ("jti story-1", "no chiefs here; 2 times since ", "jti story-2", "created", "jti story-3",
                      "unknown    update Title", "no answer", "delivered  updated Title", "call: read back, 1 user",
                      "jti story-4", "refused    frozen: FIELD_INTEGRITY_EXCEPTION", "the user is a deputy",
                      "delivered  deactivated", "call: deactivate, 1 user"):
            found = out.find(words, at)
            assert found >= 0, (words, out)
            at = found
        assert "the host was told" in out and "next try" not in out, out


def test_a_story_has_orders_holds_passwords_and_accounts():
    """An account found and adopted, a hold, a password, orders; and where the account went."""
    with World(match=["EmployeeNumber"], provision_passwords=True) as w:
        key = w.folder + "/key"
        with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(base64.b64encode(os.urandom(32)).decode() + "\n")
        w.fields["sealing_key"] = "file:" + key
        sh, c = Shell(w), w.connector()
        badge = {ENTERPRISE: {"employeeNumber": "7"}}
        w.org.ask("POST", "/__org/users", {"Username": "jane@old.example", "LastName": "There", "EmployeeNumber": "7"})
        c.accept(create("/Users/0", person("before")))
        c.act(act="hold", reason="a freeze of changes")
        c.accept(create("/Users/1", person("jane", password="Geheim-123-sEcReT", **badge)))
        c.act(act="resume")
        c.settle()
        c.act(act="retry", user="/Users/1")
        c.act(act="replan", all=True, force=True)
        c.settle()
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        c.accept(create("/Users/8", person("jane", **badge)))
        c.settle()

        def notes(user):
            return [(note["what"], note["text"][:30] if note["what"] == "hold" else note["text"]) for note in c.user(user)["notes"]]
        account = c.user("/Users/8")["salesforce_id"]
        ended = ("hold", "ended, which an admin began 20")
        everybody = ("order", "replan of everybody")
        assert notes("/Users/1") == [ended, ("account", account + " adopted by EmployeeNumber"), ("password", "set"),
                                     ("order", "retry"), everybody, ("account", account + " went to '/Users/8'")], notes("/Users/1")
        assert notes("/Users/8") == [("account", account + " adopted by EmployeeNumber")], "no hold, no replan before it came"
        assert notes("/Users/0") == [("hold", "begun by an admin: a freeze of changes"[:30]), ended, everybody], notes("/Users/0")
        assert c.user("/Users/1")["notes"][0]["text"].endswith(": a freeze of changes"), c.user("/Users/1")["notes"]
        out = sh("show", "/Users/1")
        at = 0
        for words in ("hold       ended, which an admin began", "account    005", "delivered  adopted by EmployeeNumber", "password   set",
                      "order      retry", "order      replan of everybody", "delivered  deactivated", "went to '/Users/8'"):
            found = out.find(words, at)
            assert found >= 0, (words, out)
            at = found
        assert "sEcReT" not in out and "sEcReT" not in json.dumps(c.user("/Users/1"))


def test_a_story_says_which_event_was_overtaken_by_a_newer_one():
    """A user who is deactivated and activated again between two looks: nothing is sent, and nothing was delivered."""
    with World() as w:
        sh = Shell(w)
        c = w.connector(outcome=lambda: True)

        def told(*events):
            c.accept(*events)
            c.settle()
            seen = [(event["version"], event["outcome"], event.get("superseded_by")) for event in sh.json("show", "jdoe")["events"]]
            assert [(e["version"], e["outcome"], e.get("superseded_by")) for e in c.query(query="events")["events"]] == seen
            return seen[-2:]

        assert told(create("/Users/1", person("jdoe"))) == [(1, "delivered", None)]
        calls = w.org.calls()["count"]
        assert told(simple("/Users/1", "prov:deactivate"), simple("/Users/1", "prov:activate")) == [
            (2, "superseded", 3), (3, "nothing to do", None)]
        assert w.org.calls()["count"] == calls, "nothing was sent"
        assert told(simple("/Users/1", "prov:deactivate"), put("/Users/1", person("jdoe", title="Chief"))) == [
            (4, "superseded", 5), (5, "delivered", None)]
        assert told(put("/Users/1", person("jdoe", title="Clerk"))) == [(5, "delivered", None), (6, "delivered", None)]
        # one that changes nothing had its turn, and so had one that was refused, and tells so below
        assert told(put("/Users/1", person("jdoe", title="Clerk"))) == [(6, "delivered", None), (7, "nothing to do", None)]
        w.org.fault({"on": "collections_update", "do": "refuse_record", "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                     "message": "no chiefs here"})
        assert told(put("/Users/1", person("jdoe", title="Chief"))) == [(7, "nothing to do", None), (8, "refused", None)]
        assert told(put("/Users/1", person("jdoe", title="Head"))) == [(8, "superseded", 9), (9, "delivered", None)]

        out = sh("show", "jdoe")
        assert "prov:deactivate, version 2: superseded by version 3, the host was told" in out, out
        assert [next(iter(claims["events"].values()))["status"] for claims in c.outcomes] == ["200"] * 7 + ["400", "200", "200"]


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
