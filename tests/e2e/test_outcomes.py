"""Every code that Salesforce has for a refusal, said once of a record and once of a call by the simulated org: what
becomes of the user is what tests/golden/codes says."""
import json
import os
import sys

import harness
from harness import HELD, World, create, person, simple

GOLDEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(harness.__file__))), "golden", "codes")


# whose name it is is looked up, and said instead of Salesforce's words
ON_A_RECORD = {"DUPLICATE_USERNAME": "not by a user of this org"}


def golden(name):
    with open(os.path.join(GOLDEN, name), encoding="utf-8") as file:
        return json.load(file)


def expected(row, level):
    return "refused" if row[level] == "default" else row[level]


def name_of(number):
    return f"primary-u{number}@acme.example"


def users_of(w):
    return set(w.org.users())


def is_parked_with(row, want):
    """One code is no refusal: a seat is waited for."""
    state = "waiting" if want["code"] == "LICENSE_LIMIT_EXCEEDED" else "parked"
    assert (row["state"], row["code"]) == (state, want["code"]), (want, row)
    said = want["message"].replace("<br>", " ").strip()
    assert said in row["message"] or ON_A_RECORD.get(want["code"], said) in row["message"], (want, row)
    assert row["cause"] and row["remedy"] and not row.get("salesforce_id"), (want, row)


def test_every_code_on_a_record_has_its_outcome_and_harms_no_other():
    rows = golden("data.json")
    with World(settle_window_s=1) as w:
        c = w.connector()
        w.org.fault(*[{"on": "collections_create", "do": "refuse_record", "match": {"Username": name_of(n)},
                       "statusCode": row["code"], "message": row["message"], "status": row["http"],
                       "fields": ",".join(row.get("fields", []))} for n, row in enumerate(rows)])
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(len(rows))], create("/Users/ok", person("ok")))
        c.deliver(0)
        for n, row in enumerate(rows):
            want, got = expected(row, "record"), c.user(f"/Users/{n}")
            if want == "refused":
                is_parked_with(got, row)
            else:
                assert got["outcome"] == want and got["next_attempt"] and got["cause"] and got["remedy"], (row, got)
                assert got["code"] == ("NO_ANSWER" if want == "unknown" else row["code"]), (row, got)
        assert c.user("/Users/ok")["state"] == "in_step" and c.query(query="status")["hold"] is None
        c.settle()
        refused = {name_of(n) for n, row in enumerate(rows) if expected(row, "record") == "refused"}
        everybody = {name_of(n) for n in range(len(rows))} | {"primary-ok@acme.example"}
        assert users_of(w) == everybody - refused, users_of(w) ^ (everybody - refused)
        c.act(act="retry", state="parked")  # the faults are over
        c.settle()
        assert users_of(w) == everybody


def say_once(w, row, number):
    """The whole call with this user is refused with the exact body, as often as it takes."""
    error = {"message": row["message"], "errorCode": row["code"]}
    if "fields" in row:
        error["fields"] = row["fields"]
    # a session that has ended is renewed once, and the call repeated: only the second time is an outcome
    times = 2 if row["message"].startswith("Session expired") else 1
    w.org.fault({"on": "collections_create", "do": "status", "status": row["http"], "body": [error],
                 "match": {"Username": name_of(number)}, "times": times})


def test_every_code_of_a_call_has_its_outcome_and_nothing_is_lost():
    with World(settle_window_s=1, retry_first_s=1, retry_max_s=1) as w:
        c = w.connector()
        for n, row in enumerate(golden("data.json")):
            want = expected(row, "call")
            say_once(w, row, n)
            c.accept(create(f"/Users/{n}", person(f"u{n}")))
            report = c.deliver(0)
            got, status = c.user(f"/Users/{n}"), c.query(query="status")
            if want == "refused":
                is_parked_with(got, row)
                c.act(act="retry", user=f"/Users/{n}")
            elif want == "hold":
                hold = status["hold"]
                assert report.state == HELD and hold["cause"] and hold["remedy"], (row, report.state)
                assert hold["reason"].startswith(row["code"]) and got["attempts"] == 0, (row, hold, got)
                c.act(act="resume")
            elif want == "unknown":
                assert got["state"] == "in_flight" and got["code"] == "NO_ANSWER", (row, got)
                assert status["trouble"]["reason"].startswith(row["code"]), (row, status)
            else:
                assert got["state"] == "pending" and got["attempts"] == 0, (row, got)
                assert status["trouble"]["reason"].startswith(row["code"]), (row, status)
            if want == "retry":
                c.act(act="retry", user=f"/Users/{n}")  # no need to wait for the pause
            c.settle()
            assert c.user(f"/Users/{n}")["state"] == "in_step" and c.query(query="status")["hold"] is None, row
        assert len(users_of(w)) == len(golden("data.json"))


def test_every_code_of_the_token_endpoint_has_its_outcome():
    with World(retry_first_s=1, retry_max_s=1) as w:
        c = w.connector()
        for n, row in enumerate(golden("token.json")):
            w.org.ask("POST", "/__org/expire_tokens", {})
            w.org.fault({"on": "token", "do": "status", "status": 400,
                         "body": {"error": row["error"], "error_description": row["error_description"]}})
            c.accept(create(f"/Users/{n}", person(f"u{n}")))
            report, status = c.deliver(0), c.query(query="status")
            assert c.user(f"/Users/{n}")["state"] == "pending", row
            if row["outcome"] == "hold":
                assert report.state == HELD and row["error_description"] in status["hold"]["reason"], (row, status)
                assert status["hold"]["cause"] and status["hold"]["remedy"], status
                c.act(act="resume")
            else:
                assert status["hold"] is None and row["error"] in status["trouble"]["reason"], (row, status)
            c.settle()
        assert len(users_of(w)) == len(golden("token.json"))


def test_every_blocker_of_a_deactivation_is_named_and_the_user_frozen():
    rows = golden("blockers.json")
    with World(guard_floor=1000, retry_first_s=3600, retry_max_s=3600) as w:
        c = w.connector()
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(len(rows))])
        c.settle()
        w.org.fault(*[{"on": "collections_update", "do": "refuse_record", "statusCode": "FIELD_INTEGRITY_EXCEPTION",
                       "message": row["message"], "match": {"Username": name_of(n), "IsActive": False}}
                      for n, row in enumerate(rows)])
        c.accept(*[simple(f"/Users/{n}", "prov:delete") for n in range(len(rows))])
        c.deliver(0)
        assert set(w.org.state()["frozen"]) == {name_of(n) for n in range(len(rows))}
        for n, row in enumerate(rows):
            got = c.user(f"/Users/{n}")
            assert got["state"] == "parked" and row["cause"] in got["cause"] and "frozen until" in got["message"], got
            assert got["next_attempt"] and got["remedy"], got
        c.act(act="retry", state="parked")  # the org's admin has chosen somebody else
        c.settle()
        assert not any(user["IsActive"] for user in w.org.users().values())


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
