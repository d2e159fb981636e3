#!/usr/bin/env python3
"""Stores that are old or damaged: an old one is delivered from as it is, and one bad row stops nobody else."""
import contextlib
import ctypes
import fcntl
import json
import os
import sqlite3
import subprocess
import sys
import time

import harness
from harness import ACCEPTED, ENTERPRISE, WAITING, World, create, patch, person, put, simple, until, waits, window_over

GOLDEN = os.path.join(os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "../..")), "tests/golden/store")


def names(w):
    return sorted(name.split("@")[0] for name in w.org.users())


def edit(w, *statements):
    """Writes into the store past sfprov, which must not have it open."""
    with sqlite3.connect(w.fields["store"]) as store:
        for sql, *values in statements:
            store.execute(sql, values)
    store.close()


def test_a_store_of_schema_1_is_delivered():
    with World() as w:
        # the users that the old store is linked to, in the org as it was left
        maker = w.connector(store=os.path.join(w.folder, "maker.db"))
        maker.accept(create("/Users/ada", person("ada", "Ada", "Lovelace", title="Analyst")),
                     create("/Users/bob", person("bob", "Bob", "Bauer", title="Engineer")),
                     create("/Users/carol", person("carol", "Carol", "Unsal")),
                     create("/Users/fay", person("fay", "Fay", "Fisher")),
                     create("/Users/hal", person("hal", "Hal", "Hofer")))
        maker.settle()
        maker.accept(simple("/Users/carol", "prov:delete"))
        maker.settle()
        maker.close()
        with sqlite3.connect(w.fields["store"]) as old, open(os.path.join(GOLDEN, "schema-1.sql")) as file:
            old.executescript(file.read())
            for name, user in w.org.users().items():
                old.execute("UPDATE link SET salesforce_id = ? WHERE salesforce_id IS NOT NULL AND username_held = ?",
                            (user["Id"], name))
            old.execute("UPDATE link SET updated_us = ?", (int(time.time() * 1e6),))  # nobody has waited long
        old.close()
        os.chmod(w.fields["store"], 0o600)
        c = w.connector()
        c.settle()
        with sqlite3.connect(w.fields["store"]) as now:
            assert now.execute("PRAGMA auto_vacuum").fetchone() == (2,), "it can give free pages back"
        now.close()
        assert names(w) == ["primary-ada", "primary-bob", "primary-carol", "primary-fay", "primary-hal", "primary-jan"]
        assert w.org.user("primary-ada@acme.example")["Title"] == "Countess"
        assert not w.org.user("primary-bob@acme.example")["IsActive"]
        assert c.user("/Users/hal")["salesforce_id"] == w.org.user("primary-hal@acme.example")["Id"]
        assert c.user("/Users/kim")["code"] == "USERNAME_IN_USE_HERE"
        assert c.query(query="status")["subjects"] == {"in_step": 6, "pending": 0, "waiting": 1, "parked": 2, "in_flight": 0, "total": 9}


def test_a_store_of_schema_12_is_delivered():
    with World() as w:
        maker = w.connector(store=os.path.join(w.folder, "maker.db"))
        maker.accept(create("/Users/ada", person("ada", title="Analyst")), create("/Users/bob", person("bob", title="Engineer")),
                     create("/Users/carol", person("carol")), create("/Users/mia", person("mia")))
        maker.settle()
        maker.accept(simple("/Users/carol", "prov:deactivate"))
        maker.settle()
        maker.close()
        key = os.path.join(w.folder, "seal.key")
        with sqlite3.connect(w.fields["store"]) as old, open(os.path.join(GOLDEN, "schema-12.sql")) as file:
            old.executescript(file.read())
            for name, user in w.org.users().items():
                old.execute("UPDATE link SET salesforce_id = ? WHERE username_held = ?", (user["Id"], name))
            old.execute("UPDATE link SET waits_since_us = ? WHERE waits_kind IS NOT NULL", (int(time.time() * 1e6),))
        old.close()
        os.chmod(w.fields["store"], 0o600)
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write("00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef\n")
        # what was sent to bob and hal did not happen, and is sent when the window is over
        c = w.connector(provision_passwords=True, sealing_key="file:" + key, settle_window_s=1)
        c.settle()
        assert names(w) == ["primary-ada", "primary-bob", "primary-carol", "primary-hal", "primary-jan", "primary-mia"]
        assert w.org.user("primary-bob@acme.example")["Title"] == "Chief"
        assert not w.org.user("primary-carol@acme.example")["IsActive"]
        for name, password in (("hal", "Heron-3-Harbour"), ("jan", "Jackdaw-9-Jetty")):
            said = w.org.ask("POST", f"/__org/users/primary-{name}@acme.example/check_password", {"password": password})
            assert said["matches"], name
        assert c.query(query="status")["subjects"] == {"in_step": 6, "pending": 0, "waiting": 1, "parked": 1, "in_flight": 0, "total": 8}
        c.accept(create("/Users/max", person("max")))
        c.settle()
        assert w.org.user("primary-mia@acme.example")["ManagerId"] == w.org.user("primary-max@acme.example")["Id"]


def test_a_damaged_resource_parks_its_user_and_nobody_else():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada")), create("/Users/2", person("bob")), create("/Users/3", person("eve")))
        c.settle()
        c.close()
        edit(w, ("UPDATE subject SET resource = substr(resource, 1, 40) WHERE uri IN ('/Users/1', '/Users/3')",))
        c = w.connector()
        answers = c.submit(patch("/Users/1", {"op": "replace", "path": "title", "value": "Dr"}),
                           put("/Users/2", person("bob", title="Engineer")), simple("/Users/3", "prov:delete"))
        assert [answer.status for answer in answers] == [ACCEPTED] * 3
        c.settle()
        row = c.user("/Users/1")
        assert (row["state"], row["code"]) == ("parked", "STORE_DAMAGED") and "send the whole user again" in row["remedy"], row
        assert len(c.query(query="subjects")["subjects"]) == 3
        assert w.org.user("primary-bob@acme.example")["Title"] == "Engineer"
        assert not w.org.user("primary-eve@acme.example")["IsActive"], "a leaver needs no resource"
        c.accept(put("/Users/1", person("ada", title="Dr")))
        c.settle()
        assert w.org.user("primary-ada@acme.example")["Title"] == "Dr" and c.user("/Users/1")["state"] == "in_step"


def test_a_list_replaces_what_is_damaged():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada")), create("/Users/2", person("bob")))
        c.settle()
        c.close()
        edit(w, ("UPDATE subject SET resource = '{' WHERE uri = '/Users/1'",))
        c = w.connector()
        report = c.sync({"/Users/1": person("ada", title="Dr"), "/Users/2": person("bob")})
        assert report["applied"] and report["counts"]["changed"] == 1, report
        c.settle()
        assert w.org.user("primary-ada@acme.example")["Title"] == "Dr"


def test_what_was_confirmed_is_sent_again_when_it_cannot_be_read():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="Analyst")), create("/Users/2", person("bob")))
        c.settle()
        c.close()
        edit(w, ("UPDATE link SET confirmed = '[' || confirmed WHERE subject = 1",))
        c = w.connector()
        c.accept(put("/Users/1", person("ada", title="Countess")), put("/Users/2", person("bob", title="Engineer")))
        c.settle()
        assert names(w) == ["primary-ada", "primary-bob"]
        assert [w.org.user(f"primary-{name}@acme.example")["Title"] for name in ("ada", "bob")] == ["Countess", "Engineer"]
        assert any("damaged where what was confirmed stands" in line for _, line in c.lines), c.lines


def test_what_is_in_flight_is_read_back_when_it_cannot_be_read():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/0", person("zoe")))
        c.settle()
        w.org.fault({"on": "collections_create", "do": "drop_after"}, {"on": "query", "do": "drop_before", "times": 1000})
        c.accept(create("/Users/1", person("ada", title="Analyst")))
        c.deliver(100)
        assert c.user("/Users/1")["state"] == "in_flight"
        c.close()
        w.org.ask("DELETE", "/__org/faults")
        edit(w, ("UPDATE flight SET sent = '{\"op\":'",))
        c = w.connector()
        c.accept(put("/Users/1", person("ada", title="Countess")))
        c.settle()
        assert names(w) == ["primary-ada", "primary-zoe"], "found, not made twice"
        assert w.org.user("primary-ada@acme.example")["Title"] == "Countess"
        assert c.user("/Users/1")["state"] == "in_step"


def test_what_was_in_flight_and_cannot_be_read_is_told_when_all_of_it_is_there():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/1", person("ada"), txn="made"))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "drop_before"}, {"on": "query", "do": "drop_before", "times": 1000})
        c.accept(put("/Users/1", person("ada", title="Analyst"), txn="changed"))
        c.deliver(100)
        assert c.user("/Users/1")["state"] == "in_flight"
        c.close()
        w.org.ask("DELETE", "/__org/faults")
        w.org.fault({"on": "collections_update", "do": "refuse_record", "statusCode": "FIELD_INTEGRITY_EXCEPTION", "message": "no"})
        edit(w, ("UPDATE flight SET sent = '{\"op\":'",))
        c = w.connector(outcome=lambda: True)
        c.deliver(100)
        told = c.outcomes + window_over(w, c, outcome=lambda: True).outcomes
        assert [said["status"] for token in told for said in token["events"].values()] == ["400"], told


def test_what_was_in_flight_and_cannot_be_read_may_land_until_the_window_is_over():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada")))
        c.settle()
        edit(w, ("UPDATE link SET updated_us = updated_us - 3600000000",))
        w.org.fault({"on": "collections_update", "do": "late", "delay_ms": -1})
        c.accept(put("/Users/1", person("ada", title="first")))
        c.deliver(100)
        c.close()
        edit(w, ("UPDATE flight SET sent = '{\"op\":'",))
        c = w.connector()
        c.accept(put("/Users/1", person("ada", title="second")))
        c.deliver(3000)
        w.org.ask("POST", "/__org/land")
        window_over(w, c)
        assert w.org.user("primary-ada@acme.example")["Title"] == "second"


def order_in_flight(w, order, outcome="sent"):
    """What an admin ordered was sent to /Users/1, and nothing is known of it but what stands in the store, which cannot
    be read there."""
    c = order(w)
    w.org.fault({"on": "collections_update", "do": "drop_before"}, {"on": "query", "do": "drop_before", "times": 1000})
    c.deliver(100)
    assert c.user("/Users/1")["state"] == "in_flight", (outcome, c.user("/Users/1"))
    c.deliver(3000)  # it was looked for in vain
    c.close()
    w.org.ask("DELETE", "/__org/faults")


def order_replan(w):
    c = w.connector()
    c.accept(create("/Users/1", person("A/ann")), create("/Users/2", person("A/bob")))
    c.settle()
    c.close()
    w.fields["provisioning_pattern"] = "{UN}"
    c = w.connector()
    c.act(act="replan", user="/Users/1")
    return c


def test_an_order_that_is_in_flight_is_carried_out_though_that_cannot_be_read():
    for whole in (False, True):
        with World() as w:
            order_in_flight(w, order_replan)
            if whole:
                damage(w, table_pages(w, "flight")[0])
            else:
                edit(w, ("UPDATE flight SET sent = '{\"op\":'",))
            c = window_over(w, w.connector())
            assert names(w) == ["a-bob", "ann"], (whole, names(w))
            assert c.user("/Users/1")["state"] == "in_step"
            notes = [note["text"] for note in c.user("/Users/1")["notes"] if note["what"] == "store"]
            assert len(notes) == 1 and "damaged where what is in flight stands" in notes[0], notes


def test_orders_that_are_lost_with_what_is_due_are_told_to_each_user():
    with World() as w:
        c = order_replan(w)
        c.close()
        damage(w, table_pages(w, "due")[0])
        c = w.connector()
        c.settle()
        notes = [note["text"] for note in c.user("/Users/2")["notes"] if note["what"] == "store"]
        assert len(notes) == 1 and "has to be ordered again" in notes[0], notes
        c.close()
        assert "has to be ordered again" in " ".join(cli(w, "show", "/Users/1").stdout.split())


def test_events_are_told_though_what_became_of_them_cannot_be_read():
    for table, missing in (("history", {"outcome"}), ("link", {"outcome"}), ("event", set())):
        with World() as w:
            c = w.connector(flags=harness.NO_WORKER)
            for title in ("one", "two", "three"):
                c.accept(*(put(f"/Users/{n}", person(f"user{n}", title=title)) for n in range(60)))
                c.settle()
            before = c.query(query="events", limit=1000)
            assert before["unreadable"] == [] and len(before["events"]) == 180, before["unreadable"]
            c.close()
            damage(w, table_pages(w, table)[-1])
            c = w.connector(flags=harness.NEVER_DELIVER)
            after = c.query(query="events", limit=1000)
            assert [event["seq"] for event in after["events"]] == [event["seq"] for event in before["events"]], table
            named = {entry["seq"]: entry for entry in after["unreadable"]}
            assert named and all("damaged" in entry["reason"] and entry["jti"] for entry in named.values()), (table, named)
            for was, now in zip(before["events"], after["events"]):
                lost = {name for name in was if now.get(name) != was[name]}
                assert bool(lost) == (was["seq"] in named), (table, was, now)
                assert table == "event" or lost <= missing, (table, was, now)
                assert (now["iss"], now["jti"]) == (was["iss"], was["jti"])
            assert len(named) < 180, "what can be read is"


def test_a_user_is_shown_though_the_past_cannot_be_read():
    for table, member in (("history", "history"), ("event", "events")):
        with World() as w:
            c = w.connector()
            c.accept(*(create(f"/Users/{n}", person(f"user{n}")) for n in range(200)))
            c.settle()
            c.close()
            pages = table_pages(w, table)
            assert len(pages) > 1, (table, pages)
            damage(w, pages[-1])
            shown = cli(w, "show", "/Users/199")
            assert shown.returncode == 5 and "primary-user199@acme.example" in shown.stdout, shown
            assert f"{member}: " in shown.stdout and "cannot be read" in shown.stdout, shown.stdout
            assert table == "event" or "version 1: delivered" in shown.stdout, shown.stdout
            assert cli(w, "show", "/Users/1").returncode == 0, "who does not stand there"


def test_users_who_would_share_a_username_are_named():
    with World() as w:
        c = w.connector()
        c.accept(*(create(f"/Users/{i}", person(name)) for i, name in enumerate(("A-B/john", "AB/john", "eve", "dan dan"))))
        c.accept(create("/Users/gone", person("eve")))
        c.accept(simple("/Users/gone", "prov:delete"), patch("/Users/unseen", {"op": "add", "path": "title", "value": "x"}))
        found = c.query(query="collisions")
        assert [found[key] for key in ("users", "nameless", "shared", "sharing")] == [4, 1, 1, 2], found
        group = found["groups"][0]
        assert group["username"] == "ab-john@acme.example" and group["count"] == 2, group
        assert [user["userName"] for user in group["users"]] == ["A-B/john", "AB/john"]
        assert group["change"] == {"what": "separator", "pattern": "{UD,UN}", "separator": "_"}, group
        assert c.query(query="collisions", separator="_")["shared"] == 0
        tried = c.query(query="collisions", pattern="{UN}")["groups"][0]
        assert tried["username"] == "john@acme.example" and tried["change"] == {
            "what": "key", "key": "UD", "pattern": "{UD,UN}", "separator": "_"}, tried
        c.accept(create("/Users/same", person("Eve"), iss="https://other.example"))
        same = [group for group in c.query(query="collisions")["groups"] if group["username"].startswith("primary")]
        assert len(same) == 1 and same[0]["change"] is None, same
        assert w.org.calls()["calls"] == [], "nothing is asked"
        try:
            c.query(query="collisions", pattern="{XX}")
            raise AssertionError("a wrong pattern is refused")
        except harness.Failure as failure:
            assert failure.code == harness.E_INVALID and "'XX'" in failure.text, failure.text


def test_an_old_event_is_kept_until_the_host_took_its_outcome():
    with World(event_retention_days=1) as w:
        takes = False
        c = w.connector(outcome=lambda: takes)
        c.accept(create("/Users/1", person("jdoe"), txn="t-1"))
        c.settle()
        c.accept(put("/Users/1", person("jdoe", title="x"), txn="t-2"))
        c.settle()
        c.close()
        edit(w, ("UPDATE event SET received_us = 1000",))
        c = w.connector(outcome=lambda: takes)
        c.settle()
        assert c.query(query="status")["events"] == 2
        c.close()
        takes = True
        c = w.connector(outcome=lambda: takes)
        c.settle()
        assert [claims["txn"] for claims in c.outcomes] == ["t-1", "t-2"], c.outcomes
        c.close()
        c = w.connector(outcome=lambda: takes)
        c.settle()
        assert c.query(query="status")["events"] == 1 and not c.outcomes, "the newest stays"


def damage_page_with(w, mark):
    """Makes the one page of the store that holds `mark` unreadable."""
    with open(w.fields["store"], "r+b") as file:
        data = file.read()
        size = int.from_bytes(data[16:18], "big")
        pages = {data.index(mark) // size, data.rindex(mark) // size}
        assert len(pages) == 1 and 0 not in pages, pages
        file.seek(pages.pop() * size)
        file.write(b"\xff" * 64)


def test_a_damaged_page_stops_nobody_who_does_not_stand_on_it():
    with World() as w:
        c = w.connector()
        c.accept(*(create(f"/Users/{i}", person(f"user{i}", title=f"mark-{i}-")) for i in range(60)))
        c.close()
        damage_page_with(w, b"mark-30-")
        c = w.connector()
        c.deliver(20000)
        put_off = [line for _, line in c.lines if "is put off for an hour" in line]
        told = c.query(query="subjects")
        hidden = {user["uri"] for user in told["unreadable"]}
        assert "/Users/30" in hidden and len(hidden) == len(put_off), told["unreadable"]
        assert len(told["subjects"]) == 60 - len(hidden) and "damaged" in told["unreadable"][0]["reason"]
        seen, after = [], 0
        while after is not None:
            page = c.query(query="subjects", limit=7, after=after, state="in_step")
            seen, after = seen + [user["uri"] for user in page["subjects"]], page["next"]
        assert sorted(seen) == sorted(f"/Users/{i}" for i in range(60) if f"/Users/{i}" not in hidden), seen
        listed = cli(w, "list")
        assert listed.returncode == 5 and "user59" in listed.stdout and "user30" not in listed.stdout, listed
        assert "'/Users/30' cannot be read" in listed.stderr, listed.stderr
        assert any("'/Users/30'" in line and "sfprov store check" in line for line in put_off), c.lines[-5:]
        assert 0 < len(put_off) < 20, "those on the page are named, once"
        assert len(w.org.users()) == 60 - len(put_off)
        answers = c.submit(*(put(f"/Users/{i}", person(f"user{i}", title="Dr")) for i in range(60)),
                           simple("/Users/30", "prov:delete"), create("/Users/new", person("new")))
        lost = [answer for answer in answers if answer.status != ACCEPTED]
        assert len(lost) == len(put_off) + 1 and all(a.status == harness.UNKNOWN for a in lost), len(lost)
        assert answers[30].status == harness.UNKNOWN and b"malformed" in answers[30].error.text, answers[30].error.text
        assert b"before it in the same call" in answers[60].error.text, "nothing overtakes the lost one"
        c.deliver(20000)
        assert w.org.user("primary-new@acme.example")["IsActive"]
        assert w.org.user("primary-user0@acme.example")["Title"] == "Dr"
        found = c.query(query="store")
        assert not found["sound"] and found["problems"], found
        done = cli(w, "store", "check")
        assert done.returncode == 5 and "damaged" in done.stdout and "restore a backup" in " ".join(done.stdout.split()), done


def table_pages(w, table):
    """The numbers of the pages of a table's leaves, by SQLite's own account."""
    with contextlib.closing(sqlite3.connect(w.fields["store"])) as db:
        return [row[0] for row in db.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'"
                                             " ORDER BY path", (table,))]


def damage(w, page):
    """Returns what puts it right again, if nothing was written there meanwhile."""
    bad = b"\xff" * 64
    with open(w.fields["store"], "r+b") as file:
        place = (page - 1) * int.from_bytes(file.read(18)[16:], "big")
        file.seek(place)
        good = file.read(len(bad))
        file.seek(place)
        file.write(bad)

    def undo():
        with open(w.fields["store"], "r+b") as file:
            file.seek(place)
            assert file.read(len(bad)) == bad, "the page was written meanwhile"
            file.seek(place)
            file.write(good)

    return undo


def test_what_is_due_is_made_anew_when_its_page_is_damaged():
    for victim in (0, -1):
        with World() as w:
            c = w.connector()
            for i in range(0, 600, 100):
                users = range(i, i + 100)
                c.accept(*(create(f"/Users/{j}", person(f"user{j}")) for j in users))
                # who was gone for a moment has a row of `due`, as leavers have
                c.accept(*(simple(f"/Users/{j}", "prov:delete") for j in users))
                c.accept(*(create(f"/Users/{j}", person(f"user{j}")) for j in users))
            c.close()
            pages = table_pages(w, "due")
            assert len(pages) > 1, pages
            damage(w, pages[victim])
            c = w.connector()
            c.deliver(60000)
            assert len(w.org.users()) == 600, len(w.org.users())
            assert sum("was made anew" in line for _, line in c.lines) == 1, c.lines
            c.accept(put("/Users/7", person("user7", title="Dr")), simple("/Users/8", "prov:delete"))
            c.settle()
            assert w.org.user("primary-user7@acme.example")["Title"] == "Dr"
            assert not w.org.user("primary-user8@acme.example")["IsActive"]


def test_who_has_news_is_found_when_the_events_page_is_damaged():
    for victim in (0, -1):
        with World() as w:
            c = w.connector()
            for i in range(0, 400, 100):
                c.accept(*(create(f"/Users/{j}", person(f"user{j}")) for j in range(i, i + 100)))
            c.close()
            pages = table_pages(w, "event")
            assert len(pages) > 1, pages
            damage(w, pages[victim])
            c = w.connector()
            c.deliver(60000)
            assert len(w.org.users()) == 400, len(w.org.users())
            assert sum("is found by what is known of each user" in line for _, line in c.lines) == 1, c.lines


def test_what_users_wait_for_is_found_out_anew_when_its_page_is_damaged():
    with World() as w:
        c = w.connector()
        boss = {ENTERPRISE: {"manager": {"value": "9"}}}
        c.accept(create("/Users/1", person("ada", **boss)), create("/Users/2", person("bob")), create("/Users/3", person("bob")))
        c.settle()
        assert waits(c.user("/Users/1")) == {"manager": "/Users/9"} and "username" in waits(c.user("/Users/3"))
        before = c.query(query="status")["waits"]
        assert len(before) == 2, before
        c.close()
        damage(w, table_pages(w, "wait")[0])
        c = w.connector()
        c.accept(put("/Users/2", person("bob", title="Dr")))
        c.settle()
        assert w.org.user("primary-bob@acme.example")["Title"] == "Dr"
        assert sum("what users wait for could not be read" in line for _, line in c.lines) == 1, c.lines
        assert not [line for _, line in c.lines if "is put off" in line], c.lines
        assert c.query(query="status")["waits"] == before
        c.accept(create("/Users/9", person("boss")), put("/Users/2", person("rob")))
        c.settle()
        assert w.org.user("primary-ada@acme.example")["ManagerId"] == w.org.user("primary-boss@acme.example")["Id"]
        assert c.user("/Users/3")["state"] == "in_step" and c.query(query="status")["waits"] == []


def test_the_status_tells_what_it_can_when_a_page_is_damaged():
    for table, named in (("event", {"due", "oldest_pending_s", "events", "events_accepted"}), ("due", {"due", "oldest_pending_s", "guard"}),
                         ("command", {"passwords"}), ("flight", {"subjects", "codes"})):
        with World() as w:
            c = w.connector()
            c.accept(*(create(f"/Users/{j}", person(f"user{j}")) for j in range(10)))
            c.settle()
            w.org.settings(seats={"Salesforce": 1})
            c.accept(simple("/Users/1", "prov:delete"))
            c.close()
            damage(w, table_pages(w, table)[-1])
            c = w.connector(flags=harness.NEVER_DELIVER)
            status = c.query(query="status")
            unreadable = {part["member"]: part["reason"] for part in status["unreadable"]}
            assert set(unreadable) == named, (table, unreadable)
            assert all("damaged" in reason for reason in unreadable.values()), unreadable
            assert all(status[member] is None for member in named), status
            assert "subjects" in named or status["subjects"]["total"] == 10, status
            assert status["changes_delivered"] == 10 and status["org_id"] and status["state"] == "pending", status
            text = c.query(query="status", format="prometheus")["text"]
            assert f'sfprov_unreadable{{store="{w.fields["store"]}"}} {len(named)}\n' in text
            assert ("\nsfprov_oldest_pending_seconds{" in text) == ("oldest_pending_s" not in named), text
            c.close()
            done = cli(w, "status")
            assert done.returncode == 5 and f"cannot be read" in done.stdout and "delivered" in done.stdout, done
            assert all(member in done.stdout for member in named), done.stdout


def test_the_status_tells_that_the_mark_for_a_resync_is_held():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada")))
        c.act(act="host", name="slapd", state="begun")
        c.settle()
        with open(w.fields["store"] + ".resync", "r+") as mark:
            fcntl.flock(mark, fcntl.LOCK_EX)  # as a process that was stopped meanwhile
            done = cli(w, "status")
            assert done.returncode == 5 and "1 in step" in done.stdout, done
            assert "resync: the mark for a resync" in done.stdout and "another process holds it" in done.stdout, done.stdout
            assert "\nsfprov_unreadable{" in c.query(query="status", format="prometheus")["text"]
            c.act(act="host", name="slapd", state="missed", reason="the disk is full")
            c.accept(create("/Users/2", person("bob")))
            c.settle()
        resync = c.query(query="status")["resync"]
        assert (resync["missed"], resync["reason"]) == (1, "slapd: the disk is full"), resync
        c.act(act="host", name="slapd", state="ended")
        c.close()


def test_what_is_in_flight_is_read_back_when_its_page_is_damaged():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/0", person("zoe")))
        c.settle()
        w.org.fault({"on": "collections_create", "do": "drop_after"}, {"on": "query", "do": "drop_before", "times": 1000})
        c.accept(create("/Users/1", person("ada")))
        c.deliver(100)
        assert c.user("/Users/1")["state"] == "in_flight"
        c.accept(create("/Users/2", person("bob")), put("/Users/0", person("zoe", title="Dr")))
        c.close()
        w.org.ask("DELETE", "/__org/faults")
        pages = table_pages(w, "flight")
        assert len(pages) == 1, pages
        damage(w, pages[0])
        c = w.connector()
        c.deliver(100)
        assert not [line for _, line in c.lines if "is put off" in line], c.lines
        assert sum("everybody who is due is read back" in line for _, line in c.lines) == 1, c.lines
        c = window_over(w, c)
        assert names(w) == ["primary-ada", "primary-bob", "primary-zoe"], "found, not made twice"
        assert w.org.user("primary-zoe@acme.example")["Title"] == "Dr"
        assert [c.user(f"/Users/{i}")["state"] for i in range(3)] == ["in_step"] * 3


def cli(w, *arguments):
    path = os.path.join(w.folder, "fields.json")
    with open(path, "w") as file:
        json.dump(w.fields, file)
    os.chmod(path, 0o600)
    return subprocess.run([harness.CLI, "--plugin", harness.PLUGIN, "--config", path, *arguments],
                          capture_output=True, text=True, timeout=60)


def questions(w):
    return sum(call["kind"] == "query" for call in w.org.calls()["calls"])


def test_what_cannot_be_written_is_not_tried_at_every_event():
    for longest in (60, 1):  # that there is a pause, and that it ends
        with World(retry_first_s=longest, retry_max_s=longest, poll_interval_s=3600) as w:
            c = w.connector()
            c.accept(create("/Users/0", person("ada")))
            c.settle()
            c.close()
            with contextlib.closing(sqlite3.connect(w.fields["store"], timeout=20)) as store:
                store.execute("CREATE TRIGGER broken BEFORE INSERT ON history BEGIN SELECT RAISE(FAIL, 'broken'); END")
                store.commit()
                c = w.connector(flags=0)
                for n in range(1, 41):
                    c.accept(create(f"/Users/{n}", person(f"u{n}")))
                    if n == 1:
                        until(lambda: any("it goes on when this passes" in line for _, line in c.lines))
                    time.sleep(0.02)
                assert longest == 1 or questions(w) < 10, questions(w)
                store.execute("DROP TRIGGER broken")
                store.commit()
            if longest == 1:
                until(lambda: c.user("/Users/40")["state"] == "in_step")


@contextlib.contextmanager
def broken(w, statement):
    """While it lasts no such statement can be made."""
    with contextlib.closing(sqlite3.connect(w.fields["store"], timeout=20)) as store:
        store.execute(f"CREATE TRIGGER broken BEFORE {statement} BEGIN SELECT RAISE(FAIL, 'broken'); END")
        store.commit()
        yield
        store.execute("DROP TRIGGER broken")
        store.commit()


def test_a_host_that_delivers_itself_is_told_when_to_call_again():
    with World(retry_first_s=100, retry_max_s=100) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada")))
        with broken(w, "INSERT ON history"):
            for _ in range(2):
                report, error = harness.Delivery(ctypes.sizeof(harness.Delivery)), harness.Error(ctypes.sizeof(harness.Error))
                now = time.time() * 1e6
                code = c.table.deliver(c.handle, ctypes.c_uint32(0), ctypes.byref(report), ctypes.byref(error))
                assert code == harness.E_STORE and b"broken" in error.text, (code, error.text)
                assert report.state == WAITING and report.api_calls > 0, (report.state, report.api_calls)
                assert now + 50_000 <= report.next_due_us <= now + 90_000_000, (report.next_due_us - now) / 1e6
        c.settle()
        assert c.user("/Users/1")["state"] == "in_step" and len(w.org.users()) == 1


def test_who_does_not_have_the_lease_waits_though_somebody_is_due_and_the_host_declined():
    def busy_s():
        before = time.process_time()
        time.sleep(2)
        return time.process_time() - before

    with World(poll_interval_s=3600, retry_first_s=1) as w:
        beside = w.connector(flags=0, outcome=lambda: False)
        beside.accept(create("/Users/1", person("ada")))
        until(lambda: beside.user("/Users/1")["state"] == "in_step")
        os.unlink(w.fields["store"] + ".lease")  # by mistake
        c = w.connector()
        c.deliver(0)
        beside.accept(create("/Users/2", person("bob")))
        until(lambda: any("taken delivery over" in line for _, line in beside.lines))
        assert c.query(query="status")["subjects"]["pending"] == 1
        assert busy_s() < 0.1, "somebody is due"
        c.settle()
        assert busy_s() < 0.1, "the host is to be told again"


def test_damage_that_comes_back_is_a_failure_with_a_pause():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/0", person("ada")))
        c.settle()

        def deliver_damaged(n):
            c.accept(create(f"/Users/{n}", person(f"u{n}")))
            with contextlib.closing(sqlite3.connect(w.fields["store"], timeout=20)) as store:
                store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            damage(w, table_pages(w, "due")[0])
            with contextlib.closing(sqlite3.connect(w.fields["store"], timeout=20)) as store:  # who has the page reads it anew
                store.execute("UPDATE fact SET value = value WHERE key = 'causes'")
                store.commit()
            c.deliver(0)

        deliver_damaged(1)
        try:
            deliver_damaged(2)
            raise AssertionError("it goes on for ever, without a pause")
        except harness.Failure as failure:
            assert failure.code == harness.E_STORE and "damaged" in failure.text, failure.text
        assert sum("was made anew" in line for _, line in c.lines) == 2, c.lines
        c.settle()
        assert len(w.org.users()) == 3
        deliver_damaged(3)  # a round went well since: no disk that fails
        c.settle()
        assert len(w.org.users()) == 4


def test_a_file_cut_short_is_an_error_that_says_so():
    with World() as w:
        c = w.connector()
        c.accept(*(create(f"/Users/{i}", person(f"user{i}")) for i in range(60)))
        c.close()
        os.truncate(w.fields["store"], os.path.getsize(w.fields["store"]) // 2)
        done = cli(w, "store", "check")
        assert done.returncode == 5 and "damaged" in done.stdout + done.stderr, done
        with open(w.fields["store"], "r+b") as file:
            file.write(b"no database here")
        done = cli(w, "store", "check")
        assert done.returncode == 5 and "not a database" in done.stderr and "restore a backup" in done.stderr, done


def test_the_file_is_made_shorter_while_a_host_has_it_open():
    with World() as w:
        assert "not made yet" in cli(w, "store", "check").stdout and not os.path.exists(w.fields["store"])
        c = w.connector()
        c.accept(*(create(f"/Users/{i}", person(f"user{i}", title="x" * 4000)) for i in range(300)))
        c.accept(*(put(f"/Users/{i}", person(f"user{i}")) for i in range(300)))
        free = c.query(query="store")["free_pages"]
        assert free > 100, free
        done = cli(w, "store", "vacuum")
        assert done.returncode == 0, done
        after = c.query(query="store", full=True)
        assert after["sound"] and after["free_pages"] == 0 and after["users"] == 300, after
        assert after["bytes"] == after["pages"] * after["page_bytes"] and after["wal_bytes"] == 0, after
        assert "sound" in cli(w, "store", "check", "--full").stdout
        assert cli(w, "store", "mend").returncode == 2
        c.accept(create("/Users/new", person("new")))


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
