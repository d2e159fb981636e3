"""How much is sent: the reserve of the org's API calls, and who goes on while others wait."""
import json
import sqlite3
import sys
import time

import harness
from harness import HELD, IDLE, NEVER_DELIVER, WAITING, World, create, person, put, simple, until


def hire(c, *numbers):
    c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in numbers])


def leave(c, *numbers):
    c.accept(*[simple(f"/Users/{n}", "prov:delete") for n in numbers])


def active(w):
    return sorted(name for name, user in w.org.users().items() if user["IsActive"])


# ---- the reserve ----

def test_the_reserve_is_left_to_others_and_leavers_go_on():
    with World() as w:
        c = w.connector()
        hire(c, 1, 2)
        c.settle()
        w.org.settings(api_max=100, api_used=88)
        hire(c, 3)
        c.settle()
        w.org.settings(api_used=89)  # the next call leaves 10: nothing more may be sent after it
        hire(c, 4)
        c.settle()
        hire(c, 5)
        report = c.deliver()
        assert report.state == HELD, report.state
        used = w.org.usage()["api_calls"]
        leave(c, 1)
        report = c.deliver()
        assert report.state == HELD and report.delivered == 1, (report.state, report.delivered)
        assert len(active(w)) == 3 and len(w.org.users()) == 4, active(w)
        for _ in range(3):
            c.deliver(50)
        assert w.org.usage()["api_calls"] == used + 1, "only the leaver's call touches the reserve"

        status = w.connector(NEVER_DELIVER).query(query="status")
        assert status["state"] == "held", status
        hold = status["hold"]
        assert "90 of the org's 100 API calls" in hold["reason"] and "10 of them are kept in reserve" in hold["reason"], hold
        assert hold["next_probe"] and hold["remedy"] and hold["spares_leavers"] is True, hold
        usage = status["api_usage"]
        assert (usage["used"], usage["max"], usage["reserve"], usage["left"]) == (91, 100, 10, 0), usage
        assert usage["age_s"] < 60 and usage["seen"], usage
        assert any("deactivations go on" in line for _, line in c.lines), c.lines[-3:]


def test_no_question_before_a_send_takes_a_call_of_the_reserve():
    """What a hire asks first: fields, accounts by three keys, profiles, a role, seats."""
    for left in range(1, 12):
        with World(match=["EmployeeNumber", "Username", "Email"],
                   mapping=[{"field": "UserRoleId", "source": "title"}]) as w:
            c = w.connector()
            c.accept(create("/Users/1", dict(person("u1", title="CEO"), **{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                                                              {"employeeNumber": "1"}})))
            w.org.settings(api_max=100, api_used=90 - left)
            for _ in range(3):
                c.deliver(0)
            used = w.org.usage()["api_calls"]
            assert used <= 90, (left, used, [call["path"] for call in w.org.calls()["calls"]])
            if w.org.users():
                break
            assert c.query(query="status")["hold"]["spares_leavers"] is True, c.query(query="status")
    assert 5 < left < 11, left


def held_by_the_reserve(w):
    """Two are hired, and the third is held since the reserve is reached."""
    c = w.connector()
    hire(c, 1)
    c.settle()
    w.org.settings(api_max=100, api_used=95)
    hire(c, 2)
    c.settle()
    hire(c, 3)
    assert c.deliver().state == HELD
    return c


def test_an_admin_may_look_at_the_org_when_the_reserve_is_reached():
    with World() as w:
        c = held_by_the_reserve(w)
        w.org.settings(api_used=91)
        told = c.query(query="org", refresh=True)
        assert told["limits"]["DailyApiRequests"] and told["profiles"], told
        assert w.org.usage()["api_calls"] == 97, "seven, one of which the org does not count"
        try:  # as many calls as there are users are no look
            c.query(query="drift")
            raise AssertionError("drift took calls of the reserve")
        except harness.Failure as failure:
            assert failure.code == harness.E_REMOTE and "in reserve" in failure.text, failure.text
        assert w.org.usage()["api_calls"] == 97
        hire(c, 4)
        assert c.deliver().state == HELD


def test_calls_begun_at_the_same_time_leave_the_reserve_alone():
    with World(batch_size=1, parallel_calls=8) as w:
        c = w.connector()
        hire(c, *range(20))
        c.settle()
        for round in range(5):
            w.org.settings(api_max=100, api_used=86, latency_ms=50)
            c.accept(put("/Users/0", person("u0", title=f"first {round}")))  # tells how many are used
            c.settle()
            c.accept(*[put(f"/Users/{n}", person(f"u{n}", title=f"next {round}")) for n in range(20)])
            c.until(lambda: c.query(query="status")["hold"], "the hold")
            c.deliver(500)
            assert w.org.usage()["api_calls"] == 90, (round, w.org.usage())
            assert sum(user["Title"] == f"next {round}" for user in w.org.users().values()) == 3
            with sqlite3.connect(w.fields["store"]) as store:
                assert store.execute("SELECT count(*) FROM flight").fetchone() == (0,), "nothing was sent to the others"
            w.org.settings(api_used=0, latency_ms=0)
            c.act(act="resume")
            c.settle()
            assert all(user["Title"] == f"next {round}" for user in w.org.users().values())


def test_it_goes_on_by_itself_when_older_calls_drop_out():
    with World() as w:
        c = held_by_the_reserve(w)
        c.close()
        w.org.settings(api_used=40)
        c = w.connector()  # the first look of a process is a probe
        c.settle()
        assert len(w.org.users()) == 3 and c.query(query="status")["hold"] is None


def test_a_resume_and_a_probe_look_at_the_number_anew():
    with World() as w:
        c = held_by_the_reserve(w)
        w.org.settings(api_used=40)
        c.act(act="resume")
        c.settle()
        assert len(w.org.users()) == 3
        w.org.settings(api_used=95)
        hire(c, 4)
        c.settle()
        hire(c, 5)
        assert c.deliver().state == HELD
        w.org.settings(api_used=40)
        with sqlite3.connect(w.fields["store"]) as db:  # some minutes later
            text, = db.execute("SELECT value FROM fact WHERE key = 'hold'").fetchone()
            db.execute("UPDATE fact SET value = ? WHERE key = 'hold'", (json.dumps(dict(json.loads(text), probe_us=1)),))
        db.close()
        c.settle()
        assert len(w.org.users()) == 5 and c.query(query="status")["hold"] is None


def test_a_probe_that_still_finds_the_reserve_reached_prolongs_the_hold():
    with World() as w:
        c = held_by_the_reserve(w)
        c.close()
        w.org.settings(api_used=93)
        c = w.connector()
        report = c.deliver()
        assert report.state == HELD and report.next_due_us > (time.time() + 250) * 1e6, report.next_due_us
        assert "94 of the org's 100" in c.query(query="status")["hold"]["reason"]
        leave(c, 1)
        assert c.deliver().delivered == 1
        w.org.settings(api_used=20)
        c.act(act="resume")
        c.settle()
        assert len(w.org.users()) == 3


def test_without_a_reserve_the_org_is_used_up_and_then_everybody_waits():
    with World(api_reserve_percent=0) as w:
        c = w.connector()
        hire(c, 1)
        c.settle()
        w.org.settings(api_max=100, api_used=98)
        hire(c, 2)
        c.settle()
        hire(c, 3)
        c.settle()
        leave(c, 1)
        hire(c, 4)
        assert c.deliver().state == HELD
        assert len(active(w)) == 3 and "REQUEST_LIMIT_EXCEEDED" in c.query(query="status")["hold"]["reason"]
        w.org.settings(api_used=50)
        c.act(act="resume")
        c.settle()
        assert len(active(w)) == 3 and len(w.org.users()) == 4


def test_a_leaver_who_is_tried_again_needs_no_end_of_the_hold():
    with World() as w:
        c = w.connector()
        hire(c, 1)
        c.settle()
        w.org.settings(api_max=100, api_used=95)
        hire(c, 2)
        c.settle()
        hire(c, *range(10, 20))
        assert c.deliver().state == HELD
        w.org.fault({"on": "collections_update", "do": "refuse_record"})
        leave(c, 1)

        def deliver():
            report = c.deliver()
            assert report.state == HELD, report.state

        until(lambda: len(active(w)) == 1, "the leaver", deliver)
        assert len(w.org.users()) == 2


# ---- a pause spares leavers ----

def test_a_write_without_an_answer_stops_no_leaver():
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        c = w.connector()
        hire(c, 1, 2)
        c.settle()
        w.org.fault({"on": "collections_create", "do": "drop_before"})
        hire(c, 3)
        assert c.deliver().state == WAITING
        leave(c, 1)
        report = c.deliver()
        assert report.delivered == 1 and len(active(w)) == 1, (report.delivered, active(w))
        assert c.query(query="status")["trouble"] is not None, "the write still waits"


def test_trouble_with_writes_is_told_for_as_long_as_it_lasts():
    """An org that answers what is asked, and swallows what is sent: what is in flight is read back meanwhile."""
    with World(retry_first_s=1, retry_max_s=1) as w:
        c = w.connector()
        w.org.fault({"on": "collections_create", "do": "drop_before", "times": 3})
        since = set()
        for n in range(3):
            hire(c, n)
            report = c.deliver()
            trouble = c.query(query="status")["trouble"]
            assert report.state == WAITING and trouble, (n, report.state)
            since.add(trouble["since"])
            time.sleep(max(0, report.next_due_us / 1e6 - time.time()) + 0.1)
        asked = [call["kind"] for call in w.org.calls()["calls"]]
        assert asked.count("collections_create") == 3 and "query" in asked, asked
        assert len(since) == 1, (since, "since the first of them")
        assert sum("it is tried again by itself" in line for _, line in c.lines) == 1, c.lines
        hire(c, 3)
        until(lambda: len(w.org.users()) == 1, "the first that passes", lambda: c.deliver(1000))
        assert c.query(query="status")["trouble"] is None


def test_trouble_goes_on_in_the_process_that_comes_next():
    with World() as w:
        seen = set()
        for n in range(2):
            c = w.connector(domain_name="http://127.0.0.1:1")
            hire(c, n)
            c.deliver(100)
            seen.add(c.query(query="status")["trouble"]["since"])
            c.close()
            time.sleep(1.1)
        assert len(seen) == 1, seen


def test_a_leaver_without_an_answer_stops_everybody():
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        c = w.connector()
        hire(c, 1, 2)
        c.settle()
        w.org.fault({"on": "collections_update", "do": "drop_before"})
        leave(c, 1)
        assert c.deliver().state == WAITING
        before = w.org.usage()["api_calls"]
        leave(c, 2)
        hire(c, 3)
        assert c.deliver().state == WAITING and w.org.usage()["api_calls"] == before


# ---- calls at the same time ----

def test_what_takes_no_locks_is_sent_at_the_same_time_and_the_rest_alone():
    with World(batch_size=2, parallel_calls=4) as w:
        c = w.connector()
        w.org.settings(latency_ms=100)
        hire(c, *range(20))
        report = c.settle()
        assert report.state == IDLE and len(w.org.users()) == 20
        assert w.org.usage()["most_under_way"] == 1, "creates go one by one"
        assert not any("UNABLE_TO_LOCK_ROW" in line for _, line in c.lines)
        calls = w.org.usage()["api_calls"]
        w.org.settings(latency_ms=1000)  # as long as it can take to send four calls on a busy machine
        c.accept(*[put(f"/Users/{n}", person(f"u{n}", title="Chief")) for n in range(16)],
                 *[put(f"/Users/{n}", person(f"other{n}", title="Chief")) for n in range(16, 20)])
        c.settle()
        assert w.org.usage()["most_under_way"] == 4, w.org.usage()
        assert w.org.usage()["api_calls"] == calls + 10
        assert all(user["Title"] == "Chief" for user in w.org.users().values())
        assert not any("UNABLE_TO_LOCK_ROW" in line for _, line in c.lines)
        assert c.query(query="status")["subjects"]["in_step"] == 20


def test_one_call_at_a_time_if_the_admin_says_so():
    with World(batch_size=1, parallel_calls=1) as w:
        c = w.connector()
        hire(c, 1, 2, 3)
        c.settle()
        w.org.settings(latency_ms=50)
        c.accept(*[put(f"/Users/{n}", person(f"u{n}", title="Chief")) for n in (1, 2, 3)])
        c.settle()
        assert w.org.usage()["most_under_way"] == 1


def test_a_call_that_fails_leaves_those_under_way_to_be_settled():
    """A call that is too many among others that pass: theirs are delivered, its users are tried again."""
    with World(batch_size=1, parallel_calls=3) as w:
        c = w.connector()
        hire(c, *range(6))
        c.settle()
        w.org.settings(latency_ms=1000)  # as long as it can take to send three calls on a busy machine
        w.org.fault({"on": "collections_update", "do": "status", "status": 403, "headers": {"Retry-After": "2"},
                     "body": [{"errorCode": "REQUEST_LIMIT_EXCEEDED",
                               "message": "ConcurrentRequests (Concurrent API Requests) Limit exceeded."}]})
        c.accept(*[put(f"/Users/{n}", person(f"u{n}", title="Chief")) for n in range(6)])
        began = time.time()
        report = c.deliver(0)
        done = [user for user in w.org.users().values() if user["Title"] == "Chief"]
        assert 2 <= len(done) <= 5 and report.delivered == len(done), (len(done), report.delivered)
        assert report.state == WAITING and report.next_due_us > (began + 2) * 1e6, "the pause stands"
        c.settle()
        assert c.query(query="status")["subjects"]["in_step"] == 6


def test_a_slow_call_holds_up_none_of_those_who_come_after_it():
    """Rounds are of six here. The next ones are worked off while the call of the first is in the air; its user,
    who has news meanwhile, is sent again when it has landed, and not before."""
    with World(batch_size=1, parallel_calls=2) as w:
        c = w.connector(flags=0)
        hire(c, *range(20))
        until(lambda: len(w.org.users()) == 20)

        def are(title):
            return sum(user["Title"] == title for user in w.org.users().values())

        w.org.fault({"on": "collections_update", "do": "delay", "delay_ms": 8000})
        c.accept(*[put(f"/Users/{n}", person(f"u{n}", title="Chief")) for n in range(20)])
        until(lambda: are("Chief") >= 8)
        c.accept(*[put(f"/Users/{n}", person(f"u{n}", title="Boss")) for n in range(20)])
        until(lambda: are("Boss") == 19)
        assert are("Chief") == 0, "the slow call is still under way"
        slow, = [user["Id"] for user in w.org.users().values() if user["Title"] != "Boss"]
        until(lambda: are("Boss") == 20)
        until(lambda: c.query(query="status")["subjects"]["in_step"] == 20)
        updates = [call for call in w.org.calls()["calls"] if call["kind"] == "collections_update"]
        assert all(call["answered"] for call in updates), updates
        assert len([call for call in updates if slow in call["body"]]) == 2, "once, and once for the news"
        assert w.org.usage()["most_under_way"] == 2


def test_who_leaves_waits_for_no_slow_call_of_others():
    """Alone in the air, or one of many that are on their way; deactivated, or frozen."""
    for others, action in (((), "deactivate"), (range(3, 20), "deactivate"), ((), "freeze")):
        with World(batch_size=1, parallel_calls=2, leaver_action=action) as w:
            c = w.connector(flags=0)
            hire(c, 1, 2, *others)
            until(lambda: len(w.org.users()) == 2 + len(others))
            w.org.settings(latency_ms=50)
            w.org.fault({"on": "collections_update", "do": "delay", "delay_ms": 30000})
            c.accept(put("/Users/1", person("u1", title="Chief")),
                     *[put(f"/Users/{n}", person(f"u{n}", title="Chief")) for n in others])
            w.org.met("delay")  # it has arrived: what is in flight may be on its way yet
            leave(c, 2)
            until(lambda: len(active(w)) == 1 + len(others) or w.org.state()["frozen"])
            titled = sum(bool(user["Title"]) for user in w.org.users().values())
            assert titled <= len(others), "the slow call is still under way"
            assert w.org.usage()["most_under_way"] <= 2


def test_who_leaves_waits_for_no_place_that_slow_calls_of_others_have():
    """As many are under way as may be, and others wait for a place, or for all to have landed."""
    def title(n):
        return put(f"/Users/{n}", person(f"u{n}", title="Chief"))
    waiting = ([title(n) for n in range(5, 9)], [put("/Users/5", person("other5"))], [])
    for events in waiting:
        for action in ("deactivate", "freeze"):
            with World(batch_size=1, parallel_calls=2, request_timeout_s=60, leaver_action=action) as w:
                c = w.connector(flags=0)
                hire(c, *range(1, 9))
                until(lambda: len(w.org.users()) == 8)
                w.org.fault({"on": "collections_update", "do": "delay", "delay_ms": 30000, "times": 2})
                c.accept(title(1))
                until(lambda: c.user("/Users/1")["state"] == "in_flight")
                c.accept(title(2))
                w.org.met("delay")
                c.accept(*events)
                time.sleep(0.3)  # so that they wait
                leave(c, 3)
                until(lambda: len(active(w)) == 7 or w.org.state()["frozen"])
                assert not any(user["Title"] for user in w.org.users().values()), "the slow calls are still under way"
                assert w.org.usage()["most_under_way"] == 3


def test_what_is_in_the_air_is_settled_before_delivering_ends():
    with World(batch_size=1, parallel_calls=3) as w:
        c = w.connector()
        hire(c, *range(30))
        c.settle()
        w.org.settings(latency_ms=100)
        c.accept(*[put(f"/Users/{n}", person(f"u{n}", title="Chief")) for n in range(30)])
        report = c.deliver(1)
        done = sum(user["Title"] == "Chief" for user in w.org.users().values())
        assert 9 <= done < 30 and report.delivered == done and report.pending == 30 - done, (done, report.delivered)
        c.settle()
        assert c.query(query="status")["subjects"]["in_step"] == 30
        updates = [call for call in w.org.calls()["calls"] if call["kind"] == "collections_update"]
        assert len(updates) == 30, "nobody is sent twice"


def test_a_lock_is_met_by_one_and_the_others_are_delivered():
    with World(parallel_calls=3) as w:
        c = w.connector()
        hire(c, *range(6))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"LastName": "Doe"}})
        c.accept(*[put(f"/Users/{n}", person(f"u{n}", title="Chief")) for n in range(6)])
        report = c.deliver(0)
        assert report.delivered == 5 and report.retried == 1, (report.delivered, report.retried)
        c.settle()
        assert sum(call["records"] for call in w.org.calls()["calls"] if call["kind"] == "collections_update") == 7


def test_who_met_a_lock_shares_the_time_with_nobody():
    with World(batch_size=1, parallel_calls=1) as w:
        c = w.connector()
        hire(c, 1, 2, 3)
        c.settle()
        w.org.fault({"on": "collections_update", "do": "refuse_record", "times": 3})
        c.accept(*[put(f"/Users/{n}", person(f"u{n}", title="Chief")) for n in (1, 2, 3)])
        assert c.deliver(0).retried == 3
        c.close()
        w.org.settings(latency_ms=200)
        c = w.connector(parallel_calls=3)
        for n in (1, 2, 3):
            c.act(act="retry", user=f"/Users/{n}")
        c.settle()
        assert all(user["Title"] == "Chief" for user in w.org.users().values())
        assert w.org.usage()["most_under_way"] == 1, w.org.usage()


def test_who_leaves_goes_before_the_next_call_of_others():
    with World(batch_size=1, parallel_calls=1) as w:
        c = w.connector(flags=0)
        hire(c, 0)
        until(lambda: len(w.org.users()) == 1)
        w.org.fault({"on": "collections_create", "do": "delay", "delay_ms": 3000})
        hire(c, 1, 2, 3)
        w.org.met("delay")
        leave(c, 0)
        until(lambda: len(w.org.users()) == 4)
        kinds = [call["kind"][12:] for call in w.org.calls()["calls"] if call["kind"].startswith("collections")]
        assert kinds == ["create", "create", "update", "create", "create"], kinds


def test_a_thousand_changed_users_are_five_calls():
    with World("--seats", "1100", batch_size=200) as w:
        c = w.connector()
        for first in range(0, 1000, 100):
            hire(c, *range(first, first + 100))
        c.settle()
        before = w.org.usage()["api_calls"]
        for first in range(0, 1000, 100):
            c.accept(*[put(f"/Users/{n}", person(f"u{n}" if n % 7 else f"v{n}", title="Chief")) for n in range(first, first + 100)])
        c.settle()
        calls = [call["kind"] for call in w.org.calls()["calls"][-(w.org.usage()["api_calls"] - before):]]
        assert calls.count("collections_update") == 5 and len(calls) == 5, calls
        assert sum(user["Title"] == "Chief" for user in w.org.users().values()) == 1000


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
