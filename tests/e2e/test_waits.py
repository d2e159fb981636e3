"""Waiting for what another one has: who is told of it, when, and how it ends."""
import sys

import harness
from harness import ENTERPRISE, WARNING, World, create, hours_later, person, put, simple, waits


def told(c):
    return [(claims["txn"], claims["events"]["urn:ietf:params:scim:event:misc:asyncresp"]["status"])
            for claims in c.outcomes]


def later(w, c, hours):
    return hours_later(w, c, hours, outcome=lambda: True)


# ---- names ----

def test_who_waits_for_a_name_is_told_once_when_it_is_over():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("jsmith"), txn="t-1"), create("/Users/2", person("jsmith"), txn="t-2"))
        c.settle()
        assert told(c) == [("t-1", "200")], "who waits is neither delivered nor refused"
        c.accept(put("/Users/1", person("john"), txn="t-3"))
        c.settle()
        assert sorted(told(c)) == [("t-1", "200"), ("t-2", "200"), ("t-3", "200")], told(c)


# ---- waits that do not end ----

def test_who_waits_for_a_name_for_long_is_parked_and_told_once_and_once_more_when_it_comes_free():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("jsmith"), txn="t-1"), create("/Users/2", person("jsmith"), txn="t-2"))
        c.settle()
        c = later(w, c, 47)
        assert c.user("/Users/2")["state"] == "waiting" and told(c) == [], told(c)
        since = c.user("/Users/2")["waits"][0]["since"]
        c = later(w, c, 2)
        row = c.user("/Users/2")
        assert (row["state"], row["code"], list(waits(row))) == ("parked", "USERNAME_IN_USE_HERE", ["username"]), row
        assert "lasted for 48 hours, and it is delivered by itself" in row["message"] and row["waits"][0]["since"] < since, row
        assert told(c) == [("t-2", "400")] and c.query(query="status")["subjects"]["parked"] == 1
        c = later(w, c, 100)
        assert told(c) == [] and c.user("/Users/2")["state"] == "parked", "told once"
        c.accept(put("/Users/1", person("john"), txn="t-3"))
        c.settle()
        assert sorted(told(c)) == [("t-2", "200"), ("t-3", "200")], told(c)
        assert c.user("/Users/2")["state"] == "in_step" and not c.user("/Users/2")["waits"]


def test_who_waits_for_a_seat_for_long_is_told_and_gets_it_all_the_same():
    with World("--seats", "3", wait_limit_hours=5) as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("u1"), txn="t-1"), create("/Users/2", person("u2"), txn="t-2"))
        c.settle()
        assert told(c) == [("t-1", "200")] and c.user("/Users/2")["state"] == "waiting"
        c = later(w, c, 6)
        row = c.user("/Users/2")
        assert row["state"] == "parked" and "seat" in waits(row) and "for 5 hours" in row["message"], row
        assert told(c) == [("t-2", "400")], told(c)
        c.accept(simple("/Users/1", "prov:delete", txn="t-3"))
        c.settle()
        assert told(c) == [("t-2", "400"), ("t-3", "200"), ("t-2", "200")], told(c)
        assert w.org.user("primary-u2@acme.example")["IsActive"]


def test_of_a_leaver_whom_salesforce_keeps_for_long_the_host_is_told():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("jdoe"), txn="t-1"))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"IsActive": False}, "times": -1,
                     "statusCode": "FIELD_INTEGRITY_EXCEPTION", "message": "Cannot inactivate: Deputy__c"})
        c.accept(simple("/Users/1", "prov:delete", txn="t-2"))
        c.deliver(0)
        row = c.user("/Users/1")
        assert row["state"] == "parked" and row["waits"][0]["kind"] == "leaving" and row["waits"][0]["since"], row
        c = later(w, c, 47)
        assert told(c) == [], told(c)
        c = later(w, c, 2)
        assert told(c) == [("t-2", "400")] and w.org.state()["frozen"] == ["primary-jdoe@acme.example"], told(c)
        w.org.ask("DELETE", "/__org/faults")
        c = later(w, c, 2)
        assert told(c) == [("t-2", "200")] and not w.org.user("primary-jdoe@acme.example")["IsActive"], told(c)
        assert not c.user("/Users/1")["waits"]


def test_a_manager_who_does_not_come_for_long_is_said_until_he_comes():
    with World(wait_limit_hours=5) as w:
        c = w.connector(outcome=lambda: True)
        boss = {ENTERPRISE: {"manager": {"value": "9"}}}
        c.accept(create("/Users/1", person("jdoe", **boss), txn="t-1"))
        c.settle()
        row = c.user("/Users/1")
        assert (row["state"], waits(row), row.get("code")) == ("in_step", {"manager": "/Users/9"}, None), row
        assert any("created; " in line and line.endswith("; waits for manager /Users/9") for _, line in c.lines), c.lines
        c = later(w, c, 6)
        for _ in range(2):
            row = c.user("/Users/1")
            assert (row["state"], row.get("code"), waits(row)) == ("in_step", "MANAGER_AWAITED", {"manager": "/Users/9"}), row
            assert "/Users/9" in row["message"] and row["remedy"], row
            status = c.query(query="status")
            assert {"state": "in_step", "code": "MANAGER_AWAITED", "users": 1} in status["codes"], status["codes"]
            assert sum(entry.get("code") == "MANAGER_AWAITED" for entry in row["history"]) == 1, row["history"]
            assert sum("MANAGER" in line or "manager" in line for level, line in c.lines if level == WARNING) == 1, c.lines
            c.act(act="retry", user="/Users/1")
            c.settle()
        c = later(w, c, 6)
        assert not [line for level, line in c.lines if level == WARNING and "manager" in line], "said once"
        c.accept(put("/Users/1", person("jdoe", title="Clerk", **boss), txn="t-2"))
        c.settle()
        assert c.user("/Users/1").get("code") == "MANAGER_AWAITED", c.user("/Users/1")
        c.accept(create("/Users/9", person("boss"), txn="t-3"))
        c.settle()
        row = c.user("/Users/1")
        assert not row.get("code") and not row["waits"], row
        assert w.org.user("primary-jdoe@acme.example")["ManagerId"] == w.org.user("primary-boss@acme.example")["Id"]


# ---- the host hears of a part that waits ----

BOSS = {ENTERPRISE: {"manager": {"value": "9"}}}


def said(c):
    """What the host heard since the last time: (txn, status, detail)."""
    heard = [(claims["txn"], claims["events"]["urn:ietf:params:scim:event:misc:asyncresp"]) for claims in c.outcomes]
    del c.outcomes[:]
    return sorted((txn, answer["status"], answer.get("response", {}).get("detail", "")) for txn, answer in heard)


MISSING = "the manager '/Users/9' has no account yet, and is set when there is one"


def test_the_host_hears_that_the_manager_waits_and_when_he_is_there():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("jdoe", **BOSS), txn="t-1"), create("/Users/2", person("ada"), txn="t-2"))
        c.settle()
        assert said(c) == [("t-1", "202", MISSING), ("t-2", "200", "")]
        c.accept(put("/Users/1", person("jdoe", title="Dr", **BOSS), txn="t-3"))
        c.act(act="retry", user="/Users/2")
        c.settle()
        assert said(c) == [("t-3", "202", MISSING)], "once of each event"
        c.accept(create("/Users/9", person("boss"), txn="t-4"))
        c.settle()
        assert said(c) == [("t-1", "200", ""), ("t-3", "200", ""), ("t-4", "200", "")]
        c.act(act="retry", user="/Users/1")
        c.settle()
        assert said(c) == [], "after 200 without a response nothing more is said"


def test_what_is_delivered_in_two_steps_is_told_after_both():
    boss = lambda uri: {ENTERPRISE: {"manager": {"value": uri}}}
    with World() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(*[create(f"/Users/{n}", person(f"u{n}", **more), txn="made") for n, more in (
            (1, {}), (2, {}), (3, boss("2")))])
        c.settle()
        said(c)
        c.accept(put("/Users/1", person("u1", active=False, title="x" * 100), txn="t-1"),
                 put("/Users/2", person("u2", title="Dr", **boss("3")), txn="t-2"))
        c.settle()
        heard = said(c)
        assert [(txn, status) for txn, status, _ in heard] == [("t-1", "400"), ("t-2", "400")], heard
        assert "Title" in heard[0][2] and "own manager" in heard[1][2], heard
        assert not w.org.user("primary-u1@acme.example")["IsActive"] and w.org.user("primary-u2@acme.example")["Title"] == "Dr"
        c.accept(put("/Users/1", person("u1", active=False, title="Dr"), txn="t-3"))
        c.settle()
        assert said(c) == [("t-1", "200", ""), ("t-3", "200", "")]


def statuses(c):
    return [(txn, status) for txn, status, _ in said(c)]


def test_a_first_step_that_is_read_back_is_not_told_as_all():
    boss = lambda uri: {ENTERPRISE: {"manager": {"value": uri}}}
    lost = {"on": "collections_update", "do": "drop_after"}
    with World(settle_window_s=1) as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("u1"), txn="made"), create("/Users/2", person("u2", **boss("1")), txn="made"))
        c.settle()
        said(c)
        w.org.fault(lost)
        c.accept(put("/Users/1", person("u1", active=False, title="x" * 100), txn="left"))
        c.settle()
        assert not w.org.user("primary-u1@acme.example")["IsActive"] and statuses(c) == [("left", "400")]
        c.accept(put("/Users/1", person("u1"), txn="back"))
        c.settle()
        said(c)
        w.org.fault(dict(lost, skip=1))
        c.accept(put("/Users/1", person("u1", title="Dr", **boss("2")), txn="ring"))
        c.settle()
        assert w.org.user("primary-u1@acme.example")["Title"] == "Dr" and statuses(c) == [("ring", "400")]


def test_a_first_step_that_is_read_back_after_newer_news_is_not_told_as_all():
    with World(leaver_action="freeze") as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("u1"), txn="made"))
        c.settle()
        c.accept(put("/Users/1", person("u1", active=False), txn="left"))
        c.settle()
        said(c)
        w.org.fault({"on": "collections_update", "do": "drop_after"})
        c.accept(put("/Users/1", person("u1", title="Dr"), txn="back"))
        c.deliver(0)
        c.accept(put("/Users/1", person("u1", title="x" * 100), txn="news"))
        c.settle()
        assert w.org.state()["frozen"] and w.org.user("primary-u1@acme.example")["Title"] == "Dr"
        assert statuses(c) == [("back", "400"), ("news", "400")], "nobody has unfrozen the account"
        c.accept(put("/Users/1", person("u1", title="Dr"), txn="mended"))
        c.settle()
        assert not w.org.state()["frozen"]
        assert statuses(c) == [("back", "200"), ("mended", "200"), ("news", "200")]


def test_nobody_waits_for_an_answer_for_longer_than_wait_limit_hours():
    with World(wait_limit_hours=5) as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("jdoe", **BOSS), txn="t-1"))
        c.settle()
        assert said(c) == [("t-1", "202", MISSING)]
        c = later(w, c, 6)
        assert said(c) == [("t-1", "200", MISSING + "; this has lasted for 5 hours")]
        c.accept(put("/Users/1", person("jdoe", title="Dr", **BOSS), txn="t-2"))
        c.settle()
        assert said(c) == [("t-2", "200", MISSING + "; this has lasted for 5 hours")]
        c = later(w, c, 6)
        assert said(c) == [], "said once"
        c.accept(create("/Users/9", person("boss"), txn="t-3"))
        c.settle()
        assert said(c) == [("t-1", "200", ""), ("t-2", "200", ""), ("t-3", "200", "")]


def test_a_manager_who_is_not_wanted_any_more_or_whose_report_leaves_is_waited_for_no_more():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("jdoe", **BOSS), txn="t-1"), create("/Users/2", person("ada", **BOSS), txn="t-2"))
        c.settle()
        assert said(c) == [("t-1", "202", MISSING), ("t-2", "202", MISSING)]
        c.accept(put("/Users/1", person("jdoe"), txn="t-3"), simple("/Users/2", "prov:delete", txn="t-4"))
        c.settle()
        assert said(c) == [(f"t-{i}", "200", "") for i in (1, 2, 3, 4)]


def test_that_the_manager_is_there_is_told_until_the_host_takes_it():
    with World() as w:
        takes = [True]
        c = w.connector(outcome=lambda: takes[0])
        c.accept(create("/Users/1", person("jdoe", **BOSS), txn="t-1"))
        c.settle()
        assert said(c) == [("t-1", "202", MISSING)]
        takes[0] = False
        c.accept(create("/Users/9", person("boss"), txn="t-2"))
        c.settle()
        assert said(c) == []
        c.close()
        c = w.connector(outcome=lambda: True)
        c.settle()
        assert said(c) == [("t-1", "200", ""), ("t-2", "200", "")]


def test_of_who_is_refused_meanwhile_the_manager_is_not_told_as_set():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("jdoe", **BOSS), txn="t-1"))
        c.settle()
        assert said(c) == [("t-1", "202", MISSING)]
        c.accept(put("/Users/1", person("jdoe", title="x" * 100, **BOSS), txn="t-2"), create("/Users/9", person("boss"), txn="t-3"))
        c.settle()
        assert [(txn, status) for txn, status, _ in said(c)] == [("t-2", "400"), ("t-3", "200")]
        c.accept(put("/Users/1", person("jdoe", title="Dr", **BOSS), txn="t-4"))
        c.settle()
        assert said(c) == [("t-1", "200", ""), ("t-2", "200", ""), ("t-4", "200", "")]
        assert w.org.user("primary-jdoe@acme.example")["ManagerId"]


def test_who_waits_for_a_name_and_a_manager_has_both_told_and_gets_both():
    with World() as w:
        c = w.connector()
        boss = {ENTERPRISE: {"manager": {"value": "9"}}}
        c.accept(create("/Users/1", person("jsmith")), create("/Users/2", person("jsmith", **boss)))
        c.settle()
        row = c.user("/Users/2")
        assert waits(row) == {"username": "primary-jsmith@acme.example", "manager": "/Users/9"}, row
        c.accept(create("/Users/9", person("boss")))
        c.settle()
        row = c.user("/Users/2")
        assert (row["state"], list(waits(row))) == ("waiting", ["username"]), row
        c.accept(put("/Users/1", person("john")))
        c.settle()
        user = w.org.user("primary-jsmith@acme.example")
        assert user["ManagerId"] == w.org.user("primary-boss@acme.example")["Id"] and not c.user("/Users/2")["waits"]


# ---- in numbers ----

def test_who_waits_or_is_looked_at_again_is_no_change_more():
    with World(retry_first_s=1, retry_max_s=1) as w:
        c = w.connector()
        w.org.fault({"on": "collections_create", "do": "refuse_record", "match": {"Title": "Odd"}, "times": -1,
                     "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "no such title"})
        c.accept(create("/Users/1", person("jsmith")), create("/Users/2", person("jsmith")),
                 create("/Users/3", person("odd", title="Odd")))
        c.settle()
        for _ in range(3):
            c.act(act="retry", state="parked")
            c.settle()
        status = c.query(query="status")
        assert (status["subjects"]["waiting"], status["subjects"]["parked"]) == (1, 1)
        assert (status["changes_delivered"], status["changes_refused"], status["changes_retried"]) == (1, 1, 0), status
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"IsActive": False}, "times": 3,
                     "statusCode": "FIELD_INTEGRITY_EXCEPTION", "message": "Cannot inactivate: Deputy__c"})
        c.accept(simple("/Users/1", "prov:delete"))
        c.until(lambda: not w.org.user("primary-jsmith@acme.example")["IsActive"], "the leaver")
        c.settle()
        status = c.query(query="status")
        assert (status["changes_refused"], status["changes_retried"]) == (2, 0), status


# ---- names that nobody sees ----

def far_away(w, c):
    """A user of a sandbox whose name another org has: that user."""
    w.org.settings(sandbox=True)
    taken = w.org.ask("POST", "/__org/users", {"Username": "primary-far@acme.example", "LastName": "Far"}, org="globex")
    c.accept(create("/Users/2", person("far"), txn="t-1"))
    c.settle()
    return taken


def test_in_a_sandbox_a_name_that_nobody_sees_is_waited_for_and_had_when_it_comes_free():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        taken = far_away(w, c)
        row = c.user("/Users/2")
        assert row["state"] == "waiting" and row["next_attempt"] and "refreshed" in row["cause"], row
        assert waits(row) == {"release": "primary-far@acme.example"}, row
        assert told(c) == [], "it is not over"
        assert c.query(query="status")["subjects"]["waiting"] == 1
        since = row["waits"][0]["since"]
        c = later(w, c, 2)
        row = c.user("/Users/2")
        assert row["state"] == "waiting" and told(c) == [] and row["waits"][0]["since"] < since, row
        w.org.ask("PATCH", f"/__org/users/{taken['Id']}", {"Username": "primary-gone@acme.example"}, org="globex")
        c = later(w, c, 2)
        assert c.user("/Users/2")["state"] == "in_step", c.user("/Users/2")
        assert not c.user("/Users/2")["waits"]
        assert told(c) == [("t-1", "200")] and w.org.user("primary-far@acme.example")["IsActive"]


def test_in_a_sandbox_a_name_that_nobody_sees_is_waited_for_two_days_and_then_refused_for_good():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        far_away(w, c)
        c = later(w, c, 47)
        assert c.user("/Users/2")["state"] == "waiting" and told(c) == []
        c = later(w, c, 2)
        row = c.user("/Users/2")
        assert (row["state"], row["code"]) == ("parked", "DUPLICATE_USERNAME"), row
        assert told(c) == [("t-1", "400")] and not row["waits"], row
        c = later(w, c, 2)  # the hourly look, and an order by hand, begin no other two days
        c.act(act="retry", user="/Users/2")
        c.settle()
        assert c.user("/Users/2")["state"] == "parked" and told(c) == [], c.user("/Users/2")
        c.accept(put("/Users/2", person("near"), txn="t-2"))
        c.settle()
        assert sorted(told(c)) == [("t-1", "200"), ("t-2", "200")], "both were delivered after all"


def test_in_a_sandbox_a_number_is_given_only_when_the_name_does_not_come_free():
    for comes_free in (True, False):
        with World(username_taken="suffix") as w:
            c = w.connector()
            w.org.ask("POST", "/__org/users", {"Username": "primary-far2@acme.example", "LastName": "Far"}, org="globex")
            taken = far_away(w, c)
            row = c.user("/Users/2")
            assert (row["state"], row["code"]) == ("waiting", "USERNAME_ELSEWHERE"), row
            c = later(w, c, 47)
            assert c.user("/Users/2")["state"] == "waiting", c.user("/Users/2")
            if comes_free:
                w.org.ask("PATCH", f"/__org/users/{taken['Id']}", {"Username": "primary-gone@acme.example"}, org="globex")
            c = later(w, c, 2)
            wanted = "primary-far@acme.example" if comes_free else "primary-far3@acme.example"
            assert c.user("/Users/2")["username"] == wanted and w.org.user(wanted)["IsActive"], c.user("/Users/2")


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
