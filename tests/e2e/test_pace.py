"""How much is sent: the reserve of the org's API calls, and who goes on while others wait."""
import sys
import time

import harness
from harness import HELD, NEVER_DELIVER, WAITING, World, create, person, simple


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
        report = c.deliver(200)
        assert report.state == HELD, report.state
        used = w.org.usage()["api_calls"]
        leave(c, 1)
        report = c.deliver(200)
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


def test_it_goes_on_by_itself_when_older_calls_drop_out():
    with World() as w:
        c = w.connector()
        hire(c, 1)
        c.settle()
        w.org.settings(api_max=100, api_used=95)
        hire(c, 2)
        c.settle()
        hire(c, 3)
        assert c.deliver(100).state == HELD
        c.close()
        w.org.settings(api_used=40)
        c = w.connector()  # the first look of a process is a probe
        c.settle()
        assert len(w.org.users()) == 3 and c.query(query="status")["hold"] is None


def test_a_probe_that_still_finds_the_reserve_reached_prolongs_the_hold():
    with World() as w:
        c = w.connector()
        hire(c, 1)
        c.settle()
        w.org.settings(api_max=100, api_used=95)
        hire(c, 2)
        c.settle()
        hire(c, 3)
        assert c.deliver(100).state == HELD
        c.close()
        w.org.settings(api_used=93)
        c = w.connector()
        report = c.deliver(100)
        assert report.state == HELD and report.next_due_us > (time.time() + 250) * 1e6, report.next_due_us
        assert "94 of the org's 100" in c.query(query="status")["hold"]["reason"]
        leave(c, 1)
        assert c.deliver(100).delivered == 1
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
        assert c.deliver(100).state == HELD
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
        assert c.deliver(100).state == HELD
        w.org.fault({"on": "collections_update", "do": "refuse_record"})
        leave(c, 1)
        end = time.monotonic() + 20
        while len(active(w)) > 1 and time.monotonic() < end:
            report = c.deliver(100)
            assert report.state == HELD, report.state
            time.sleep(0.05)
        assert len(active(w)) == 1 and len(w.org.users()) == 2


# ---- a pause spares leavers ----

def test_a_write_without_an_answer_stops_no_leaver():
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        c = w.connector()
        hire(c, 1, 2)
        c.settle()
        w.org.fault({"on": "collections_create", "do": "drop_before"})
        hire(c, 3)
        assert c.deliver(100).state == WAITING
        leave(c, 1)
        report = c.deliver(100)
        assert report.delivered == 1 and len(active(w)) == 1, (report.delivered, active(w))
        assert c.query(query="status")["trouble"] is not None, "the write still waits"


def test_a_leaver_without_an_answer_stops_everybody():
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        c = w.connector()
        hire(c, 1, 2)
        c.settle()
        w.org.fault({"on": "collections_update", "do": "drop_before"})
        leave(c, 1)
        assert c.deliver(100).state == WAITING
        before = w.org.usage()["api_calls"]
        leave(c, 2)
        hire(c, 3)
        assert c.deliver(100).state == WAITING and w.org.usage()["api_calls"] == before


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
