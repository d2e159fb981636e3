#!/usr/bin/env python3
"""What the host is told, again and again until it takes it, and of whom: nobody's outcome keeps another's."""
import contextlib
import sqlite3
import sys
import time

import harness
from harness import World, create, person, put, until
from test_store import broken, damage, table_pages


def untold(w):
    with contextlib.closing(sqlite3.connect(w.fields["store"], timeout=20)) as store:
        return store.execute("SELECT count(*) FROM event WHERE told = 0").fetchone()[0]


def test_what_the_host_took_is_noted_when_the_store_can_be_written_again():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        c.deliver(0)  # makes the store
        with broken(w, "UPDATE OF told ON event"):
            c.accept(create("/Users/1", person("ada")), create("/Users/2", person("bob")))
            c.settle()
            c.accept(create("/Users/3", person("cid")))
            c.until(lambda: c.user("/Users/3")["state"] == "in_step", "the third")
            time.sleep(0.2)
            c.deliver(0)
            assert len(c.outcomes) == 2 and untold(w) == 3, "nobody is told what cannot be noted, but for the first call"
        c.until(lambda: untold(w) == 0, "what was told")
        assert len(c.outcomes) == 3, "once each"


def test_a_host_that_declined_is_told_again_before_an_hour_has_passed():
    answers = [False, False]
    with World() as w:
        c = w.connector(flags=0, outcome=lambda: answers.pop() if answers else True, poll_interval_s=3600)
        c.accept(create("/Users/1", person("ada")))
        until(lambda: c.outcomes)
        until(lambda: untold(w) == 0)
        assert len(c.outcomes) == 1


def test_who_declines_while_much_is_told_hears_of_all_of_it():
    heard = iter(range(1000))
    with World(retry_first_s=1, batch_size=1, parallel_calls=1) as w:
        before = w.connector(batch_size=200)  # of a host that is told nothing
        before.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(250)])
        before.settle()
        before.close()
        c = w.connector(outcome=lambda: next(heard) != 200)  # a page is 200; then the first of the two is declined
        w.org.fault({"on": "collections_create", "do": "delay", "delay_ms": 1500, "match": {"Username": "primary-bob@acme.example"}})
        c.accept(create("/Users/a", person("ada")), create("/Users/b", person("bob")))
        c.until(lambda: untold(w) == 0, "all of them")
        assert len(c.outcomes) == 252


def test_an_outcome_that_is_never_taken_keeps_no_other_from_the_host():
    """One is declined for ever, the others once; then a process finds all of them untold."""
    asked = set()

    def takes():
        uri = c.hears["sub_id"]["uri"]
        known = uri in asked
        asked.add(uri)
        return known and uri != "/Users/1"

    with World(retry_first_s=1) as w:
        c = w.connector(outcome=takes)
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(1, 30)])
        c.until(lambda: untold(w) == 1, "all but one")
        c.close()
        c = w.connector()  # of a host that is told nothing
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(30, 40)])
        c.settle()
        c.close()
        c = w.connector(outcome=lambda: c.hears["sub_id"]["uri"] != "/Users/1")
        c.until(lambda: untold(w) == 1, "all but one")
        assert len(c.outcomes) == 10


class SlowHost:
    """One that takes its time, and takes nothing until it is told to."""

    def __init__(self, takes_s):
        self.takes_s, self.takes, self.asked = takes_s, False, []

    def connect(self, w):
        self.connector = w.connector(outcome=self.hear)
        return self.connector

    def hear(self):
        self.asked.append(self.connector.hears["sub_id"]["uri"])
        if not self.takes:
            time.sleep(self.takes_s)
        return self.takes


def heard_of(c):
    return [claims["txn"] for claims in c.outcomes]


def test_what_cannot_be_read_keeps_no_other_outcome_from_the_host():
    """Five events of each user, on many pages; a page of the walk is 200. Then the page that was damaged is as it was."""
    for table, victim in (("event", 0), ("event", 3), ("event", -3), ("event", -1), ("link", 1)):
        with World(retry_first_s=1) as w:
            c = w.connector()  # of a host that is told nothing
            for title in ("one", "two", "three", "four", "five"):
                c.accept(*(put(f"/Users/{n}", person(f"user{n}", title=title)) for n in range(60)))
                c.settle()
            events = c.query(query="events", limit=1000)["events"]
            c.close()
            undo = damage(w, table_pages(w, table)[victim])
            c = w.connector(outcome=lambda: True)
            lost = {entry["jti"] for entry in c.query(query="events", limit=1000)["unreadable"]}
            wanted = [event["jti"] for event in events if event["jti"] not in lost]
            assert 0 < len(lost) < 100, len(lost)
            c.until(lambda: len(c.outcomes) >= len(wanted), (table, victim, "the others"))
            if victim != -1:  # with the last page nothing is taken any more
                c.accept(put("/Users/59", person("user59", title="six")))
                c.deliver(3000)
            said = [line for _, line in c.lines if "cannot be read" in line and "host" in line]
            assert said and "damaged" in said[0], (table, victim, c.lines[-5:])
            heard = [jti for jti in heard_of(c) if jti in wanted]
            assert sorted(heard) == sorted(wanted), (table, victim, "once each")
            place_of = {jti: heard.index(jti) for jti in heard}
            for n in range(60):
                own = [place_of[event["jti"]] for event in events if event["uri"] == f"/Users/{n}" and event["jti"] in place_of]
                assert own == sorted(own), (table, victim, n, "in their order")
            before = set(heard_of(c))
            c.close()
            undo()
            c = w.connector(outcome=lambda: True)
            c.until(lambda: before | set(heard_of(c)) >= {event["jti"] for event in events}, (table, victim, "what was lost"))
            assert not before & set(heard_of(c)), (table, victim, "once each")


def test_a_host_that_is_slow_to_decline_keeps_no_delivery_waiting():
    host = SlowHost(0.3)
    with World(retry_first_s=1) as w:
        c = host.connect(w)
        for title in ("one", "two"):
            c.accept(*(put(f"/Users/{n}", person(f"user{n}", title=title)) for n in range(60)))
            c.deliver(0)
            c.deliver(0)
        assert len(w.org.users()) == 60 and len(host.asked) < 25, len(host.asked)
        host.takes = True
        c.until(lambda: untold(w) == 0, "all of them")
        assert len(c.outcomes) == 120 and len(set(heard_of(c))) == 120, "once each"
        uris = [claims["sub_id"]["uri"] for claims in c.outcomes]
        assert all(uris.count(f"/Users/{n}") == 2 for n in range(60))


def test_what_keeps_everybody_from_being_told_is_no_damage_of_one():
    with World(retry_first_s=1) as w, contextlib.ExitStack() as later:
        takes = []
        c = w.connector(outcome=lambda: bool(takes))
        c.accept(*(create(f"/Users/{n}", person(f"u{n}")) for n in range(20)))
        c.settle()
        takes.append(True)
        store = later.enter_context(contextlib.closing(sqlite3.connect(w.fields["store"], timeout=20)))
        store.execute("ALTER TABLE command RENAME TO hidden")
        store.commit()
        c.until(lambda: any("upkeep of the store" in line for _, line in c.lines), "the failure")
        assert not [line for _, line in c.lines if "cannot be read" in line], c.lines[-3:]
        store.execute("ALTER TABLE hidden RENAME TO command")
        store.commit()
        c.until(lambda: untold(w) == 0, "all of them")
        assert len(c.outcomes) == 20


def test_slow_ones_that_are_never_taken_keep_no_other_from_the_host():
    slow = ["/Users/0", "/Users/1"]

    def takes():
        poison = c.hears["sub_id"]["uri"] in slow
        if poison:
            time.sleep(0.6)
        return not poison

    with World(retry_first_s=1) as w:
        c = w.connector()  # of a host that is told nothing
        c.accept(*(create(f"/Users/{n}", person(f"u{n}")) for n in range(10)))
        c.settle()
        c.close()
        c = w.connector(outcome=takes)
        c.until(lambda: untold(w) == 2, "all but two")
        assert len(c.outcomes) == 8
        slow.clear()
        c.until(lambda: untold(w) == 0, "those two as well")


def test_a_host_that_is_down_and_slow_is_asked_no_more_each_time():
    """And in turn: the next time of those behind, then from the first again. Nor for those who come meanwhile."""
    host, counts = SlowHost(0.6), []
    asked = host.asked
    with World(retry_first_s=1) as w:
        c = w.connector()  # of a host that is told nothing
        c.accept(*(create(f"/Users/{n}", person(f"u{n}")) for n in range(4)))
        c.settle()
        c.close()
        c = host.connect(w)

        def one_round():
            before = len(asked)
            c.deliver(0)
            counts.append(len(asked) - before)

        one_round()
        c.accept(create("/Users/4", person("u4")))
        until(lambda: "/Users/4" in asked and asked.count("/Users/1") > 1, lambda: asked, one_round)
        assert max(counts) == 2 and len(w.org.users()) == 5, counts
        assert asked[:4] == [f"/Users/{n}" for n in range(4)], asked
        host.takes = True
        c.until(lambda: untold(w) == 0, "all of them")
        assert len(c.outcomes) == len(set(heard_of(c))), "once each"


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
