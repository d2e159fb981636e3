"""Where most users are refused alike, delivery stops trying each one, says the cause once, lets leavers pass, and goes
on by itself when one of those users is taken."""
import sqlite3
import sys
import time

import harness
from harness import HELD, IDLE, World, create, patch, person, put, simple

REASON = {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "A department is needed"}
REFUSE = dict({"on": "collections_create", "do": "refuse_record", "match": {"IsActive": True}, "times": -1}, **REASON)
NAMES = range(400)


def hire(c, numbers):
    c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in numbers])


def hold_of(c):
    return c.query(query="status")["hold"]


def sent(w):
    return sum(call["records"] for call in w.org.calls()["calls"] if call["kind"] == "collections_create")


def parked(c):
    return [row["uri"] for row in c.query(query="subjects", state="parked", limit=1000)["subjects"]]


def quarantined(w, c, numbers=NAMES):
    w.org.fault(REFUSE)
    hire(c, numbers)
    report = c.deliver(0)
    assert report.state == HELD, (report.state, hold_of(c))
    return hold_of(c)


def test_most_users_refused_alike_stop_the_others_and_the_cause_is_said_once():
    with World() as w:
        c = w.connector()
        hold = quarantined(w, c)
        assert sent(w) == 200 and len(parked(c)) == 200, "one call, and no more"
        assert "200 of 200 users" in hold["reason"] and "A department is needed" in hold["reason"], hold
        assert "validation rule" in hold["cause"] and "Validation Rules" in hold["remedy"], hold
        assert "sfprov resume" in hold["remedy"] and hold["spares_leavers"] and hold["next_probe"], hold
        assert sum("delivery is on hold" in line for _, line in c.lines) == 1, c.lines[-3:]
        c.deliver(0)
        assert sent(w) == 200 and sum("delivery is on hold" in line for _, line in c.lines) == 1
        hire(c, [1000])  # events are accepted, and wait
        assert c.user("/Users/1000")["state"] == "pending"


def test_one_user_who_is_refused_again_and_again_stops_nobody():
    """The host, or the user, goes back and forth between a value that is refused and a name that is waited for."""
    with World(quarantine_floor=3) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada")), create("/Users/2", person("bob")))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"Title": "Bad"}, "times": -1, **REASON})
        for _ in range(6):
            c.accept(put("/Users/1", person("ada", title="Bad")))
            c.settle()
            assert c.user("/Users/1")["code"] == REASON["statusCode"]
            c.accept(put("/Users/1", person("bob", title="Bad")))
            c.settle()
            assert c.user("/Users/1")["code"] == "USERNAME_IN_USE_HERE"
        assert not any("on hold" in line for _, line in c.lines), c.lines


def test_a_leaver_passes_and_news_of_others_wait():
    with World() as w:
        c = w.connector()
        hire(c, [1000, 1001])
        c.settle()
        quarantined(w, c)
        c.accept(simple("/Users/1000", "prov:delete"), patch("/Users/1001", {"op": "replace", "path": "title", "value": "x"}))
        assert c.deliver(0).state == HELD
        assert not w.org.user("primary-u1000@acme.example")["IsActive"]
        assert c.user("/Users/1000")["state"] == "in_step" and c.user("/Users/1001")["state"] == "pending"


def test_it_ends_by_itself_when_the_probe_passes_and_all_are_planned_again():
    with World() as w:
        c = w.connector(poll_interval_s=1)
        quarantined(w, c)
        c.close()
        w.org.ask("DELETE", "/__org/faults")
        c = w.connector()  # the first look of a process is a probe
        c.settle()
        assert hold_of(c) is None and parked(c) == [] and len(w.org.users()) == len(NAMES)
        assert any("delivery goes on" in line for _, line in c.lines), c.lines[-3:]


def test_a_probe_tries_one_user_and_comes_later_each_time():
    with World() as w:
        c = w.connector()
        first = quarantined(w, c)
        calls = sent(w)
        for n in range(1, 4):
            c.close()
            c = w.connector()
            assert c.deliver(0).state == HELD and sent(w) == calls + n, "one user a probe"
            again = hold_of(c)
            assert again["since"] == first["since"] and again["next_probe"] > first["next_probe"], (first, again)
        assert not any("delivery is on hold" in line for _, line in c.lines), "it was said before"


def test_resume_and_retry_end_it_at_once():
    for act in ({"act": "resume"}, {"act": "retry", "user": "/Users/3"}, {"act": "retry", "state": "parked"}):
        with World() as w:
            c = w.connector()
            quarantined(w, c)
            w.org.ask("DELETE", "/__org/faults")
            c.act(**act)
            c.settle()
            assert hold_of(c) is None and parked(c) == [] and len(w.org.users()) == len(NAMES), act


def test_a_resume_too_early_tries_again_and_holds_again():
    with World() as w:
        c = w.connector()
        quarantined(w, c, range(500))
        before = sent(w)
        c.act(act="resume")
        assert c.deliver(20000).state == HELD and "users tried within the hour" in hold_of(c)["reason"]
        assert sent(w) > before and w.org.users() == {}, (before, sent(w))
        w.org.ask("DELETE", "/__org/faults")
        c.act(act="resume")
        c.settle()
        assert len(w.org.users()) == 500


def test_an_admins_hold_over_it_keeps_who_is_parked_in_mind():
    with World() as w:
        c = w.connector()
        quarantined(w, c)
        c.act(act="hold", reason="audit")
        w.org.ask("DELETE", "/__org/faults")
        assert c.deliver(0).state == HELD and hold_of(c)["by"] == "admin"
        c.act(act="retry", state="parked")
        assert hold_of(c)["by"] == "admin", "a retry does not end an admin's hold"
        c.act(act="resume")
        c.settle()
        assert parked(c) == [] and len(w.org.users()) == len(NAMES)


def test_a_call_that_is_refused_for_each_is_not_taken_apart_to_the_end():
    with World() as w:
        c = w.connector()
        w.org.fault({"on": "collections_create", "do": "refuse_call_with", "status": 400, "errorCode": "INVALID_FIELD",
                     "message": "No such column 'X__c' on sobject of type User"})
        hire(c, range(200))
        assert c.deliver(0).state == HELD and "INVALID_FIELD" in hold_of(c)["reason"]
        assert len(parked(c)) == 20, len(parked(c))
        w.org.ask("DELETE", "/__org/faults")
        c.act(act="resume")
        c.settle()
        assert len(w.org.users()) == 200


def test_few_a_small_share_and_different_reasons_stop_nobody():
    with World() as w:
        c = w.connector()
        w.org.fault(REFUSE)
        hire(c, range(19))  # below the floor
        c.settle()
        assert hold_of(c) is None and len(parked(c)) == 19
        w.org.ask("DELETE", "/__org/faults")
        hire(c, range(100, 160))
        c.settle()
        w.org.fault(REFUSE)
        hire(c, range(200, 220))  # 39 of 99
        c.settle()
        assert hold_of(c) is None and len(parked(c)) == 39
        hire(c, range(300, 310))
        c.deliver(0)
        assert "49 of 109 users" in hold_of(c)["reason"], "the window goes on"
    with World(quarantine_percent=100) as w:
        c = w.connector()
        w.org.fault(REFUSE)
        hire(c, range(300))
        c.settle()
        assert hold_of(c) is None and len(parked(c)) == 300
    with World() as w:
        c = w.connector()
        w.org.fault(*[dict(REFUSE, match={"Username": f"primary-u{n}@acme.example"}, statusCode=f"CODE_{n % 3}")
                      for n in range(60)])
        hire(c, range(60))
        c.settle()
        assert hold_of(c) is None and len(parked(c)) == 60


def age_the_window(w):
    """What was refused so far was so more than an hour ago."""
    with sqlite3.connect(w.fields["store"]) as db:
        assert db.execute("UPDATE fact SET value = json_set(value, '$.since_us', json_extract(value, '$.since_us') -"
                          " 7200000000) WHERE key = 'tally'").rowcount == 1


def test_those_who_were_parked_before_the_window_count_no_more():
    with World(quarantine_floor=4) as w:
        c = w.connector()
        c.accept(*[create(f"/Users/{n}", person(f"u{n}", title="Bad")) for n in range(3)])
        w.org.fault({"on": "collections_create", "do": "refuse_record", "match": {"Title": "Bad"}, "times": -1, **REASON})
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"Title": "Bad"}, "times": -1, **REASON})
        c.settle()
        age_the_window(w)
        c.accept(create("/Users/10", person("ada")), create("/Users/11", person("bob")))
        c.settle()
        for _ in range(5):  # one of today, who goes back and forth
            c.accept(put("/Users/10", person("ada", title="Bad")))
            c.settle()
            c.accept(put("/Users/10", person("bob", title="Bad")))
            c.settle()
        assert hold_of(c) is None and len(parked(c)) == 3, (hold_of(c), parked(c))
        c.accept(*[create(f"/Users/{n}", person(f"u{n}", title="Bad")) for n in range(20, 23)])
        c.deliver(5000)
        assert "4 of 6 users" in hold_of(c)["reason"], hold_of(c)


def test_one_user_refused_again_and_again_stops_nobody():
    with World(quarantine_floor=3) as w:
        c = w.connector()
        w.org.fault(dict(REFUSE, match={"Username": "primary-u1@acme.example"}))
        for n in range(6):
            c.accept(put("/Users/1", person("u1", title=str(n))))
            assert c.settle().state == IDLE
        assert hold_of(c) is None


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
