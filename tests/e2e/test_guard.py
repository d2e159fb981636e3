"""The guard: a mass mistake at the host deactivates nobody before an admin has looked (design rule 18)."""
import contextlib
import sqlite3
import sys

import harness
from harness import ENTERPRISE, FORCE, IDLE, World, create, patch, person, put, simple


@contextlib.contextmanager
def staffed(count=10, **fields):
    """A world with so many active users; at most 2, or a third of them, may leave in an hour."""
    with World(**dict({"guard_floor": 2, "guard_percent": 33}, **fields)) as w:
        c = w.connector()
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(count)])
        c.settle()
        yield w, c


def active(w):
    return sum(user["IsActive"] for user in w.org.users().values())


def leave(c, *numbers):
    c.accept(*[simple(f"/Users/{n}", "prov:delete") for n in numbers])
    return c.settle()


def held(c):
    guard = c.query(query="status")["guard"]
    return guard["held"] if guard else 0


def test_a_mass_deactivation_waits_for_the_release():
    with staffed() as (w, c):
        report = leave(c, *range(6))
        assert active(w) == 10 and held(c) == 6 and report.state == IDLE and report.pending == 6, (active(w), held(c))
        row = c.user("/Users/0")
        assert row["code"] == "GUARD" and row["state"] == "pending" and "6 of 10" in row["message"], row
        assert any("guard holds" in line for _, line in c.lines), c.lines
        assert c.act(act="release")["count"] == 6
        c.settle()
        assert active(w) == 4 and held(c) == 0
        assert c.user("/Users/0")["state"] == "in_step"


def test_hires_and_changes_do_not_wait():
    with staffed() as (w, c):
        leave(c, *range(6))
        c.accept(create("/Users/new", person("new")), put("/Users/9", person("u9", title="Chief")))
        c.settle()
        assert active(w) == 11 and w.org.user("primary-u9@acme.example")["Title"] == "Chief"
        assert held(c) == 6


def test_as_many_as_the_floor_pass_whatever_their_share():
    with staffed(3) as (w, c):
        leave(c, 0, 1)
        assert active(w) == 1 and held(c) == 0, "two of three"
        leave(c, 2)
        assert active(w) == 1 and held(c) == 1


def test_few_pass_and_many_in_steps_are_counted_together():
    with staffed() as (w, c):
        leave(c, 0, 1)
        leave(c, 2)
        assert active(w) == 7, "below the share"
        leave(c, 3, 4)
        assert active(w) == 7 and held(c) == 2, "5 of 10 within the window are too many"
        c.act(act="release")
        c.settle()
        assert active(w) == 5


def test_who_comes_after_those_who_are_held_is_held_too():
    with staffed() as (w, c):
        leave(c, *range(6))
        leave(c, 6)
        assert active(w) == 10 and held(c) == 7


def test_what_was_released_does_not_count_against_the_next():
    with staffed() as (w, c):
        leave(c, *range(6))
        c.act(act="release")
        c.settle()
        leave(c, 6)
        assert active(w) == 3 and held(c) == 0


def test_the_window_ends():
    with staffed(guard_window_s=1) as (w, c):
        leave(c, 0, 1, 2)
        harness.time.sleep(1.1)
        leave(c, 3, 4)
        assert active(w) == 5 and held(c) == 0


def test_a_window_that_a_wrong_clock_began_is_none():
    with staffed() as (w, c):
        leave(c, 0, 1, 2)
        with sqlite3.connect(w.fields["store"]) as store:
            assert store.execute("UPDATE fact SET value = json_set(value, '$.since_us',"
                                 " json_extract(value, '$.since_us') + 864000000000) WHERE key = 'guard'").rowcount == 1
        store.close()
        leave(c, 3, 4)
        assert active(w) == 5 and held(c) == 0


def test_who_is_wanted_again_is_not_deactivated():
    with staffed() as (w, c):
        leave(c, *range(6))
        c.accept(*[put(f"/Users/{n}", person(f"u{n}")) for n in range(6)])
        c.settle()
        assert held(c) == 0 and active(w) == 10
        c.act(act="release")
        c.settle()
        assert active(w) == 10, "there is nothing left to let go"


def test_a_release_outlives_a_retry_and_a_new_process():
    with staffed() as (w, c):
        leave(c, *range(6))
        w.org.fault({"on": "collections_update", "do": "refuse_record", "times": 6})
        c.act(act="release")
        c.deliver(0)
        c.close()
        c = w.connector()
        c.settle()
        assert active(w) == 4 and held(c) == 0


def test_a_list_that_is_forced_needs_no_second_word():
    with staffed() as (w, c):
        people = {f"/Users/{n}": person(f"u{n}") for n in range(4)}
        assert not c.sync(people)["applied"]
        assert c.sync(people, FORCE)["applied"]
        c.settle()
        assert active(w) == 4 and held(c) == 0


def test_an_inactive_flag_counts_like_a_leaver():
    with staffed() as (w, c):
        c.accept(*[patch(f"/Users/{n}", {"op": "replace", "path": "active", "value": False}) for n in range(6)])
        c.settle()
        assert active(w) == 10 and held(c) == 6


def test_100_percent_turns_the_guard_off():
    with staffed(guard_percent=100) as (w, c):
        leave(c, *range(10))
        assert active(w) == 0

def test_a_replan_lets_go_nobody_but_whom_it_deactivates():
    with staffed() as (w, c):
        c.close()
        c = w.connector(provisioning_separator="_")
        c.act(act="hold", reason="the org is being looked at")
        assert c.act(act="replan", all=True, force=True)["applied"]
        c.accept(*[simple(f"/Users/{n}", "prov:delete") for n in range(6)])
        c.act(act="resume")
        c.settle()
        assert active(w) == 10 and held(c) == 6, "who leaves after the replan was not part of it"


def test_a_release_is_over_with_what_came_of_it():
    with staffed() as (w, c):
        leave(c, *range(6))
        c.act(act="release")
        c.accept(*[put(f"/Users/{n}", person(None)) for n in range(6)])  # they are back, but without a name
        c.settle()
        assert active(w) == 10 and {c.user(f"/Users/{n}")["state"] for n in range(6)} == {"parked"}
        leave(c, *range(6))
        assert active(w) == 10 and held(c) == 6, "that is another mistake, and nobody has looked"


def test_who_has_a_change_without_an_answer_is_read_back_before_being_held():
    with staffed(settle_window_s=1) as (w, c):
        w.org.fault({"on": "collections_update", "do": "drop_after"})
        c.accept(put("/Users/0", person("u0", title="Chief")))
        c.deliver(0)
        leave(c, *range(6))
        row = c.user("/Users/0")
        assert row["state"] == "pending" and row["code"] == "GUARD" and not row["in_flight"], row
        assert row["confirmed"]["Title"] == "Chief" and active(w) == 10 and held(c) == 6, row


def test_who_lost_the_account_is_held_no_more():
    with staffed(5, match=["EmployeeNumber"]) as (w, c):
        c.accept(*[put(f"/Users/{n}", person(f"u{n}", **{ENTERPRISE: {"employeeNumber": str(n)}})) for n in range(5)])
        c.settle()
        leave(c, 0, 1, 2)
        assert held(c) == 3
        c.accept(create("/Users/new", person("u0", **{ENTERPRISE: {"employeeNumber": "0"}})))
        c.settle()
        assert held(c) == 2 and c.user("/Users/new")["state"] == "in_step", c.user("/Users/new")
        assert c.user("/Users/0")["state"] == "in_step", c.user("/Users/0")
        assert active(w) == 5


def test_a_deactivation_seen_when_it_is_read_back_counts():
    with staffed(settle_window_s=1) as (w, c):
        w.org.fault({"on": "collections_update", "do": "drop_after", "times": 2})
        leave(c, 0, 1)
        assert active(w) == 8, "within the floor, and both answers were lost"
        leave(c, 2, 3)
        assert active(w) == 8 and held(c) == 2, "4 of 10 within the window are too many"


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
