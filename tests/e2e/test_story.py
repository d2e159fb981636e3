"""What `sfprov show` tells of a user to whom much happened. In a file of its own: the host is this process,
where test_cli.py runs programs only, so that it can run with ThreadSanitizer in them."""
import json
import sys

import harness
from harness import World, create, person, put, simple
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


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
