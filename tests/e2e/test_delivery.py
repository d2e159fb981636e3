"""One bad subject stops no other, nothing is due for ever, and no doubt is forgotten."""
import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time

import harness
from harness import ELSEWHERE, ENTERPRISE, HELD, IDLE, WAITING, World, create, patch, person, put, simple, until, window_over


# a call that surely did nothing and is tried again
NOT_SENT = {"on": "collections_create", "do": "refuse_call_with", "times": 1, "status": 400,
            "errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access"}


def name_of(user):
    return f"primary-{user}@acme.example"


def title(uri, value):
    return patch(uri, {"op": "replace", "path": "title", "value": value})


def manager(uri):
    return {ENTERPRISE: {"manager": {"value": uri}}}


def writes(w):
    return sum(call["kind"].startswith("collections_") for call in w.org.calls()["calls"])


def kinds(w):
    return [call["kind"] for call in w.org.calls()["calls"]]


def edit(w, sql, *values):
    """Changes the store as a clock that was set back would have; no connector may be open."""
    with contextlib.closing(sqlite3.connect(w.fields["store"])) as store, store:
        store.execute(sql, values)


@contextlib.contextmanager
def started(w, *users, **fields):
    """A world in which these users are there."""
    with World(*w, **fields) as world:
        c = world.connector()
        c.accept(*[create(f"/Users/{user}", person(user)) for user in users])
        c.settle()
        yield world, c


# ---- managers ----

def test_a_user_who_is_their_own_manager_does_not_loop():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("boss", **manager("1"))))
        assert c.deliver(2000).state == IDLE
        assert c.user("/Users/1")["state"] == "in_step" and not c.user("/Users/1")["waits"]


def test_a_manager_who_is_no_longer_named_does_not_make_a_loop():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe", **manager("9"))))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "refuse_record", "times": -1,
                     "match": {"Username": name_of("jdoe")}, "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
        c.accept(put("/Users/1", person("jdoe", title="Bad")))
        c.settle()
        c.accept(create("/Users/9", person("boss")))
        before = writes(w)
        assert c.deliver(2000).state == IDLE
        assert writes(w) - before <= 2, w.org.calls()["calls"]


def managers(w):
    users = w.org.users()
    names = {user["Id"]: name for name, user in users.items()}
    return {name[8]: (names.get(user.get("ManagerId")) or "        -")[8] for name, user in users.items()}


def test_a_line_of_managers_may_be_turned_round_in_one_call():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/a", person("a", **manager("b"))), create("/Users/b", person("b")), create("/Users/c", person("c")))
        c.settle()
        c.accept(put("/Users/b", person("b", **manager("a"))), put("/Users/a", person("a")))
        c.settle()
        assert managers(w) == {"a": "-", "b": "a", "c": "-"}, managers(w)
        c.accept(put("/Users/a", person("a", **manager("c"))))
        c.settle()
        c.accept(put("/Users/c", person("c", **manager("b"))), put("/Users/b", person("b")))
        c.settle()
        assert managers(w) == {"a": "c", "b": "-", "c": "b"}, managers(w)
        assert all(c.user(f"/Users/{name}")["state"] == "in_step" for name in "abc")


def test_a_ring_of_managers_is_told_and_ends_when_another_link_of_it_goes():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/b", person("b")), create("/Users/c", person("c", **manager("b"))),
                 create("/Users/a", person("a", **manager("c"))))
        c.settle()
        c.accept(put("/Users/b", person("b", title="Chief", **manager("a"))))
        c.settle()
        row = c.user("/Users/b")
        assert row["state"] == "parked" and "own manager" in row["cause"] and managers(w)["b"] == "-", row
        assert w.org.user("primary-b@acme.example")["Title"] == "Chief"
        c.accept(put("/Users/c", person("c")))
        c.settle()
        assert managers(w) == {"a": "c", "b": "a", "c": "-"} and c.user("/Users/b")["state"] == "in_step"


def test_a_refused_manager_does_not_block_the_rest():
    with started((), "a", "b") as (w, c):
        c.accept(put("/Users/a", person("a", **manager("b"))))
        c.settle()
        c.accept(put("/Users/b", person("b", title="Chief", **manager("a"))))
        c.settle()
        user, row = w.org.user(name_of("b")), c.user("/Users/b")
        assert user["Title"] == "Chief" and user["ManagerId"] is None, user
        assert row["state"] == "parked" and "own manager" in row["message"], "and it is told why"


# ---- what is due ----

def test_a_retry_that_an_event_made_needless_leaves_nothing_due():
    with started((), "jdoe", retry_first_s=60, retry_max_s=60) as (w, c):
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"Username": name_of("jdoe")}})
        c.accept(title("/Users/jdoe", "first"))
        c.deliver(0)
        c.accept(title("/Users/jdoe", "second"))
        report = c.deliver(2000)
        assert w.org.user(name_of("jdoe"))["Title"] == "second"
        assert report.state == IDLE and c.query(query="status")["due"] == 0, report.state


def test_a_deactivation_goes_over_a_reactivation_in_flight_at_once():
    with started((), "jdoe") as (w, c):
        c.accept(simple("/Users/jdoe", "prov:deactivate"))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "drop_after"})
        c.accept(simple("/Users/jdoe", "prov:activate"))
        c.deliver(0)
        assert w.org.user(name_of("jdoe"))["IsActive"], "it was done, and the answer was lost"
        c.accept(simple("/Users/jdoe", "prov:deactivate"))
        c.until(lambda: not w.org.user(name_of("jdoe"))["IsActive"], "a deactivation before the end of the window")
        c = window_over(w, c)
        assert not w.org.user(name_of("jdoe"))["IsActive"]


# ---- holds ----

def hold_of(c):
    return c.query(query="status")["hold"]


def test_a_probe_that_fails_is_not_repeated_at_once():
    with started((), "warm") as (w, c):
        w.org.fault({"on": "collections", "do": "status", "status": 403})
        c.accept(title("/Users/warm", "x"))
        assert c.deliver().state == HELD
        c.close()
        edit(w, "UPDATE fact SET value = json_set(value, '$.probe_us', 1) WHERE key = 'hold'")
        w.org.fault({"on": "query", "do": "status", "status": 503, "times": -1})
        w.org.ask("DELETE", "/__org/calls")
        c = w.connector()
        report = c.deliver()
        assert report.state == HELD and report.next_due_us > time.time() * 1e6, report.next_due_us
        for _ in range(20):
            c.deliver(10)
        assert kinds(w).count("query") == 1
        assert hold_of(c)["reason"].startswith("SERVER_UNAVAILABLE"), hold_of(c)


def test_a_hold_by_an_admin_stands_when_salesforce_holds_too():
    with started((), "warm") as (w, c):
        other = w.connector()
        w.org.settings(latency_ms=3000)
        w.org.fault({"on": "collections", "do": "status", "status": 403})
        c.accept(title("/Users/warm", "x"))
        thread = threading.Thread(target=c.deliver, args=(0,))
        thread.start()
        until(lambda: other.user("/Users/warm")["state"] == "in_flight")
        other.act(act="hold", reason="audit")
        thread.join()
        assert w.org.calls()["calls"][-1]["status"] == 403 and hold_of(other)["by"] == "admin", hold_of(other)


def test_a_probe_that_passes_does_not_end_the_hold_of_an_admin():
    with started((), "warm") as (w, c):
        w.org.fault({"on": "collections", "do": "status", "status": 403})
        c.accept(title("/Users/warm", "x"))
        assert c.deliver().state == HELD
        c.close()
        edit(w, "UPDATE fact SET value = json_set(value, '$.probe_us', 1) WHERE key = 'hold'")
        w.org.settings(latency_ms=1500)
        w.org.ask("DELETE", "/__org/calls")
        c, other = w.connector(), w.connector()
        thread = threading.Thread(target=c.deliver, args=(0,))
        thread.start()
        until(lambda: kinds(w) == ["token"], "the token of the probe, which is under way then")
        other.act(act="hold", reason="audit")
        thread.join()
        assert kinds(w) == ["token", "query"], "the probe, and nothing after it"
        assert hold_of(other) and hold_of(other)["by"] == "admin", hold_of(other)


def test_a_clock_that_was_set_back_prolongs_no_hold():
    with started((), "warm") as (w, c):
        w.org.fault({"on": "collections", "do": "status", "status": 403})
        c.accept(title("/Users/warm", "x"))
        assert c.deliver().state == HELD
        c.close()
        edit(w, "UPDATE fact SET value = json_set(value, '$.probe_us', ?) WHERE key = 'hold'",
             int(time.time() * 1e6) + 400 * 86400 * 1000000)
        c = w.connector()
        c.settle()
        assert w.org.user(name_of("warm"))["Title"] == "x"


def test_a_leaver_during_a_pause_waits_for_its_end_and_keeps_nobody_busy():
    with started((), "jdoe", retry_first_s=2, retry_max_s=2, settle_window_s=2) as (w, c):
        w.org.fault({"on": "collections_update", "do": "status", "status": 503, "headers": {"Retry-After": "5"}})
        c.accept(title("/Users/jdoe", "x"))
        c.deliver(0)
        c.accept(simple("/Users/jdoe", "prov:delete"))
        report = c.deliver(0)
        assert report.state == WAITING and report.next_due_us > time.time() * 1e6, (report.state, report.next_due_us)
        c.settle()
        assert not w.org.user(name_of("jdoe"))["IsActive"]


def test_a_resume_forgets_that_the_token_was_refused():
    with World() as w:
        c = w.connector()
        w.org.fault({"on": "token", "do": "status", "status": 400, "times": 1,
                     "body": {"error": "invalid_client", "error_description": "invalid client credentials"}})
        c.accept(create("/Users/1", person("jdoe")))
        assert c.deliver().state == HELD
        c.act(act="resume")
        assert c.deliver(2000).state == IDLE and len(w.org.users()) == 1, hold_of(c)


def test_a_record_that_breaks_every_call_is_alone_in_the_end():
    users = [f"u{n}" for n in range(12)]
    with started((), *users, settle_window_s=1, retry_max_s=1) as (w, c):
        w.org.fault({"on": "collections_update", "do": "status", "status": 500, "times": -1,
                     "match": {"Username": name_of("u7")}})
        c.accept(*[title(f"/Users/{user}", "Chief") for user in users])

        def done():
            return [user["Username"] for user in w.org.users().values() if user["Title"] == "Chief"]

        c.until(lambda: len(done()) == 11, "the others are delivered")
        assert name_of("u7") not in done(), done()
        assert c.user("/Users/u7")["state"] in ("in_flight", "pending"), c.user("/Users/u7")
        w.org.ask("DELETE", "/__org/faults")
        c.settle()
        assert w.org.user(name_of("u7"))["Title"] == "Chief"


# ---- reading back ----

def test_a_refused_query_stops_neither_the_others_nor_the_read_back():
    with started((), "a", "b", "c", settle_window_s=1) as (w, c):
        w.org.fault({"on": "collections_update", "do": "drop_after"},
                    {"on": "query", "do": "refuse_call_with", "times": 3, "status": 400, "errorCode": "INVALID_FIELD",
                     "message": "No such column 'Title' on sobject of type User"})
        c.accept(title("/Users/a", "x"))
        c.deliver(0)
        assert c.user("/Users/a")["state"] == "in_flight"
        c.accept(simple("/Users/b", "prov:delete"), title("/Users/c", "y"))
        time.sleep(1.1)
        c.deliver(0)
        assert not w.org.user(name_of("b"))["IsActive"], "a deactivation goes ahead of everything"
        c.settle()
        assert w.org.user(name_of("a"))["Title"] == "x" and w.org.user(name_of("c"))["Title"] == "y"
        assert c.query(query="status")["subjects"]["parked"] == 0


def test_what_an_answer_does_not_show_is_sent_again():
    with started((), "a", settle_window_s=1) as (w, c):
        w.org.fault({"on": "collections_update", "do": "drop_before"})
        c.accept(title("/Users/a", "x"))
        c.deliver(0)
        w.org.fault({"on": "query", "do": "refuse_call_with", "times": 1, "status": 400, "errorCode": "INVALID_FIELD",
                     "message": "No such column 'Title' on sobject of type User"})
        c.settle()
        assert w.org.user(name_of("a"))["Title"] == "x"


def test_many_long_usernames_are_read_back():
    with started((), "warm") as (w, c):
        users = [f"{n:02d}" + "&" * 54 for n in range(45)]
        w.org.fault({"on": "collections_create", "do": "garbage"})
        c.accept(*[create(f"/Users/{n}", person(user)) for n, user in enumerate(users)])
        c.settle()
        assert len(w.org.users()) == 46 and c.query(query="status")["subjects"]["in_step"] == 46


def test_a_deactivation_does_not_wait_for_the_profile():
    with started((), "a") as (w, c):
        c.close()
        c = w.connector(profile="Nobody's")
        w.org.fault({"on": "query", "do": "refuse_call_with", "times": -1, "status": 400,
                     "errorCode": "INVALID_TYPE", "message": "sObject type 'Profile' is not supported"})
        c.accept(simple("/Users/a", "prov:delete"), create("/Users/b", person("b")))
        c.deliver(300)
        assert not w.org.user(name_of("a"))["IsActive"]
        assert c.user("/Users/b")["state"] == "parked", c.user("/Users/b")


def test_events_during_a_doubt_do_not_multiply_the_looks():
    with started((), "a") as (w, c):
        w.org.fault({"on": "collections_update", "do": "late", "delay_ms": -1})
        w.org.ask("DELETE", "/__org/calls")
        c.accept(title("/Users/a", "x"))
        c.until(lambda: "query" in kinds(w), "the first look")  # what went before it was a pause for all
        for _ in range(30):
            c.accept(title("/Users/a", "x"))
            c.deliver(0)
        # each of them looks, and leaves one look to come, when it was to come before
        looks, row = kinds(w).count("query"), c.user("/Users/a")
        assert looks <= 32 and c.query(query="status")["due"] == 1 and row["attempts"] <= 4, (looks, c.query(query="status")["due"], row)
        w.org.ask("POST", "/__org/land")
        c.settle()
        assert w.org.user(name_of("a"))["Title"] == "x" and c.user("/Users/a")["state"] == "in_step"


def test_a_clock_that_was_set_back_prolongs_no_settle_window():
    with started((), "a", settle_window_s=1) as (w, c):
        w.org.fault({"on": "collections_update", "do": "drop_before"})
        c.accept(title("/Users/a", "x"))
        c.deliver(0)
        c.close()
        # without $.boot: as after the machine started anew, when nothing but the wall clock is left
        edit(w, "UPDATE flight SET sent = json_remove(json_set(sent, '$.at_us', ?), '$.boot')",
             int(time.time() * 1e6) + 400 * 86400 * 1000000)
        c = w.connector()
        c.settle()
        assert w.org.user(name_of("a"))["Title"] == "x"


# ---- usernames ----

def test_a_name_that_was_never_sent_is_free_again():
    with started((), "warm") as (w, c):
        w.org.fault(NOT_SENT)
        c.accept(create("/Users/1", person("jdoe")))
        c.deliver(0)
        c.accept(simple("/Users/1", "prov:delete"), create("/Users/2", person("jdoe")))
        c.settle()
        assert c.user("/Users/2")["state"] == "in_step", c.user("/Users/2")
        assert w.org.user(name_of("jdoe"))["Id"] == c.user("/Users/2")["salesforce_id"]


def test_who_waits_for_a_name_gets_it_when_the_other_is_refused():
    with World() as w:
        c = w.connector()
        w.org.fault({"on": "collections_create", "do": "refuse_record", "statusCode": "LICENSE_LIMIT_EXCEEDED"})
        c.accept(create("/Users/1", person("jdoe")), create("/Users/2", person("jdoe")))
        c.settle()
        assert c.user("/Users/2")["state"] == "in_step", c.user("/Users/2")


def test_who_waits_for_a_name_gets_it_when_the_other_leaves_unsent():
    with started((), "warm") as (w, c):
        c.close()
        c = w.connector(batch_size=1)
        w.org.fault(NOT_SENT)
        c.accept(create("/Users/0", person("first")), create("/Users/1", person("jdoe")),
                 create("/Users/2", person("jdoe")))
        c.deliver(0)
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        assert c.user("/Users/2")["state"] == "in_step", c.user("/Users/2")


def test_a_refused_rename_gives_the_name_back():
    with started((), "a", "b") as (w, c):
        w.org.fault({"on": "collections_update", "do": "refuse_record",
                     "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
        c.accept(put("/Users/a", person("new")))
        c.settle()
        assert c.user("/Users/a")["state"] == "parked"
        c.accept(put("/Users/b", person("new")))
        c.settle()
        assert c.user("/Users/b")["username"] == name_of("new"), c.user("/Users/b")


def test_a_name_that_was_refused_does_not_hide_a_newer_one():
    with started((), "warm", settle_window_s=1) as (w, c):
        w.org.fault({"on": "collections_create", "do": "drop_before"})
        c.accept(create("/Users/1", person("jdoe")))
        c.deliver(0)
        w.org.ask("POST", "/__org/users", {"Username": name_of("jdoe"), "LastName": "Other"})
        c.accept(put("/Users/1", person("jane")))
        c.settle()
        assert c.user("/Users/1")["username"] == name_of("jane"), c.user("/Users/1")
        assert c.user("/Users/1")["state"] == "in_step"


# ---- doubts ----

def test_a_late_reactivation_is_watched_for_whatever_comes_meanwhile():
    with started((), "warm") as (w, c):
        c.accept(simple("/Users/warm", "prov:deactivate"))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "late", "delay_ms": -1})
        c.accept(simple("/Users/warm", "prov:activate"))
        c.deliver(0)
        c.accept(simple("/Users/warm", "prov:deactivate"))
        c.deliver(300)
        w.org.ask("DELETE", "/__org/calls")
        c.accept(title("/Users/warm", "x"))
        c.until(lambda: any(call["kind"] == "query" for call in w.org.calls()["calls"]), "a look at what is in flight")
        w.org.ask("POST", "/__org/land")
        assert w.org.user(name_of("warm"))["IsActive"] is True, "the late write brought it back"
        c = window_over(w, c)
        assert w.org.user(name_of("warm"))["IsActive"] is False, "read back after the window"
        assert w.org.user(name_of("warm"))["Title"] == "x"


def test_a_late_reactivation_is_watched_for_when_the_deactivation_is_tried_again():
    for status in ("UNABLE_TO_LOCK_ROW", "FIELD_CUSTOM_VALIDATION_EXCEPTION"):
        with started((), "warm") as (w, c):
            c.accept(simple("/Users/warm", "prov:deactivate"))
            c.settle()
            w.org.fault({"on": "collections_update", "do": "late", "delay_ms": -1})
            c.accept(simple("/Users/warm", "prov:activate"))
            c.deliver(0)
            w.org.fault({"on": "collections_update", "do": "refuse_record", "statusCode": status})
            c.accept(simple("/Users/warm", "prov:deactivate"))
            c.deliver(0)
            w.org.ask("POST", "/__org/land")
            c = window_over(w, c)
            assert w.org.user(name_of("warm"))["IsActive"] is False, status
            assert c.user("/Users/warm")["state"] == "in_step", status


def test_a_create_that_lands_very_late_is_ours_though_another_try_was_not_sent():
    with started((), "warm", settle_window_s=1) as (w, c):
        w.org.fault({"on": "collections_create", "do": "late", "delay_ms": 2600},
                    NOT_SENT)
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        row = c.user("/Users/1")
        assert row["state"] == "in_step" and row["salesforce_id"] == w.org.user(name_of("jdoe"))["Id"], row


def test_a_create_that_was_surely_refused_makes_no_claim_later():
    with World() as w:
        c, other = w.connector(), w.connector(store=w.fields["store"] + "2")
        w.org.fault({"on": "collections_create", "do": "refuse_record", "statusCode": "LICENSE_LIMIT_EXCEEDED"})
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        other.accept(create("/Users/7", person("jdoe")))
        other.settle()
        c.act(act="retry", user="/Users/1")
        c.settle()
        row = c.user("/Users/1")
        assert row["state"] == "parked" and row["code"] == "DUPLICATE_USERNAME", row


def test_a_rename_that_was_in_doubt_when_the_user_left_can_be_undone():
    with started((), "old", settle_window_s=1) as (w, c):
        w.org.fault({"on": "collections_update", "do": "drop_after"})
        c.accept(put("/Users/old", person("new")))
        c.deliver(0)
        c.accept(simple("/Users/old", "prov:delete"))
        c.settle()
        assert not w.org.user(name_of("new"))["IsActive"]
        c.accept(create("/Users/old", person("old")))
        c.settle()
        assert w.org.user(name_of("old"))["IsActive"], w.org.users().keys()


def test_leavers_go_before_changes_and_changes_before_hires():
    with started((), "ada", "bob") as (w, c):
        before = writes(w)
        c.accept(create("/Users/new", person("new")), title("/Users/ada", "Chief"), simple("/Users/bob", "prov:delete"))
        c.settle()
        sent = [call for call in w.org.calls()["calls"] if call["kind"].startswith("collections_")][before:]
        assert [call["kind"] for call in sent] == ["collections_update", "collections_update", "collections_create"], sent
        assert '"IsActive":false' in sent[0]["body"] and '"Title":"Chief"' in sent[1]["body"], sent
        left, changed, hired = (w.org.user(f"primary-{name}@acme.example") for name in ("bob", "ada", "new"))
        assert not left["IsActive"] and changed["Title"] == "Chief" and hired["IsActive"]


def test_what_was_not_sent_yet_is_not_told_as_delivered():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/warm", person("warm")))
        c.settle()
        w.org.fault({"on": "collections_create", "do": "drop_after"},
                    {"on": "collections_update", "do": "refuse_record",
                     "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
        c.accept(create("/Users/1", person("jdoe"), jti="one"))
        c.deliver(0)
        c.accept(patch("/Users/1", {"op": "replace", "path": "title", "value": "x"}, jti="two"))
        c.settle()
        told = {claims["txn"]: claims["events"][harness.URN + "misc:asyncresp"]["status"] for claims in c.outcomes}
        assert told["one"] == "200" and told["two"] == "400", told


# ---- when to deliver again ----

def again_after_s(c, *arguments):
    """The report of delivering, and when it says to call again: so long after the call began, and after it ended. A busy
    machine may have let that pass meanwhile."""
    began = time.time()
    report = c.deliver(*arguments)
    at = report.next_due_us / 1e6
    return report, at - began, at - time.time()


def test_a_host_that_declined_hears_when_it_is_told_again():
    takes = []
    with World() as w:
        c = w.connector(outcome=lambda: bool(takes))
        c.accept(create("/Users/1", person("jdoe")))
        for _ in range(2):
            report, after, left = again_after_s(c)
            assert report.state == IDLE and after > 0 and left < 3, (report.state, after, left)
            time.sleep(max(0, left) + 0.01)
        takes.append(True)
        assert c.deliver().next_due_us == 0 and len(c.outcomes) == 1, c.outcomes
        del takes[:]
        c.accept(title("/Users/1", "Dr"))
        c.deliver()
        c.act(act="hold", reason="maintenance")
        c.accept(title("/Users/1", "Prof"))
        report, after, left = again_after_s(c)
        assert report.state == HELD and after > -3 and left < 3, ("as was said before", report.state, after, left)


def test_a_host_of_many_who_are_untold_is_called_at_once():
    with World() as w:
        c = w.connector()
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(450)])
        c.settle()
        c.close()
        c = w.connector(outcome=lambda: True)
        for heard in (200, 400):
            report = c.deliver(0)
            assert len(c.outcomes) == heard, len(c.outcomes)
            assert 0 < report.next_due_us <= time.time() * 1e6, report.next_due_us
        while c.deliver(0).next_due_us:
            pass
        assert len(c.outcomes) == 450


def test_who_leaves_delivery_to_another_looks_again_after_poll_interval():
    with started((), "jdoe") as (w, c):
        beside = w.connector(poll_interval_s=60)
        assert beside.deliver(0).next_due_us == 0, "nothing is due to anybody"
        c.accept(title("/Users/jdoe", "Dr"))
        report, after, left = again_after_s(beside, 0)
        assert report.state == ELSEWHERE and after >= 60 and left <= 60, (report.state, after, left)
        # in a process of its own: closing the file here would drop the locks of the connectors
        subprocess.run([sys.executable, "-c", "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as store:\n"
                        "    store.execute('UPDATE fact SET value = value + 1 WHERE key = \"epoch\"')",
                        w.fields["store"]], check=True)
        report, after, left = again_after_s(c, 0)
        assert report.state == ELSEWHERE and after > 0 and left <= 1, ("who is fenced out as well", report.state, after, left)


def test_a_hold_of_an_administrator_is_looked_at_again_after_poll_interval():
    with started((), "jdoe") as (w, c):
        c.close()
        host, admin = w.connector(poll_interval_s=60), w.connector()
        admin.act(act="hold", reason="maintenance")
        assert host.deliver(0).next_due_us == 0, "nothing is due"
        host.accept(title("/Users/jdoe", "Dr"))
        report, after, left = again_after_s(host, 0)
        assert report.state == HELD and after >= 60 and left <= 60, (report.state, after, left)
        admin.act(act="resume")
        host.deliver(0)
        assert w.org.user(name_of("jdoe"))["Title"] == "Dr"


# ---- in someone else's process ----

def test_a_check_does_not_wait_for_a_call_under_way():
    with started((), "warm") as (w, c):
        w.org.fault({"on": "collections_update", "do": "delay", "delay_ms": 4000})
        c.accept(title("/Users/warm", "x"))
        thread = threading.Thread(target=c.deliver, args=(0,))
        thread.start()
        w.org.met("delay")
        assert c.check()["ok"]
        assert thread.is_alive(), "it waited for the call"
        thread.join()


def test_a_worker_left_behind_by_close_is_silent_and_gives_delivery_back():
    with started((), "warm") as (w, c):
        c.close()
        c = w.connector(flags=0)
        w.org.fault({"on": "collections_update", "do": "delay", "delay_ms": 1500})
        c.accept(title("/Users/warm", "x"))
        until(lambda: c.user("/Users/warm")["state"] == "in_flight")
        c.close(0)
        said = len(c.lines)
        after = w.connector()
        time.sleep(2)
        after.settle()
        assert len(c.lines) == said, c.lines[said:]
        assert w.org.user(name_of("warm"))["Title"] == "x"


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
