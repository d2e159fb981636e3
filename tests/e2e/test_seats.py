"""Licence seats: who gets none is parked before anything is sent, and tried again by itself."""
import sys

import harness
from harness import WARNING, World, create, person, put, simple, waits


def create_many(c, *numbers):
    c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in numbers])
    c.settle()


def sent(w):
    return sum(call["records"] for call in w.org.calls()["calls"] if call["kind"] == "collections_create")


def asked(w):
    return sum("FROM UserLicense" in (call.get("soql") or "") for call in w.org.calls()["calls"])


def free(w):
    licence = w.org.state()["licenses"]["Salesforce"]
    return licence["total"] - licence["used"]


def parked(c):
    return [row["uri"] for row in c.query(query="subjects", state="waiting", limit=100)["subjects"]]


def test_who_gets_no_seat_is_parked_unsent_with_the_licence_named():
    with World("--seats", "7") as w:
        c, seats = w.connector(), free(w)
        create_many(c, *range(10))
        assert seats and len(w.org.users()) == seats and sent(w) == seats, (seats, sent(w))
        assert len(parked(c)) == 10 - seats and asked(w) == 1
        row = c.user(parked(c)[0])
        assert row["code"] == "LICENSE_LIMIT_EXCEEDED" and "all 7 seats of the licence 'Salesforce'" in row["message"], row
        assert row["cause"] and "tried again by itself" in row["remedy"], row


def test_a_licence_that_ran_out_is_said_once_with_its_numbers():
    with World("--seats", "7") as w:
        c = w.connector()
        create_many(c, *range(30))
        waiting = len(parked(c))
        seats = c.query(query="status")["seats"]
        assert [(s["licence"], s["used"], s["total"], s["waiting"]) for s in seats] == [("Salesforce", 7, 7, waiting)], seats
        assert seats[0]["seen"] and "tried again by itself" in seats[0]["remedy"], seats
        assert f'sfprov_seats_wanted{{store="{w.fields["store"]}",licence="Salesforce"}} {waiting}' in \
            c.query(query="status", format="prometheus")["text"]
        c.act(act="retry", state="parked")
        c.settle()
        lines = [line for level, line in c.lines if level <= WARNING]
        assert [line for line in lines if "wait" in line] == lines[1:2], lines
        assert "all 7 seats of the licence 'Salesforce' are in use" in lines[1] and len(lines) == 2, lines
        w.org.settings(seats={"Salesforce": 100})
        c.act(act="retry", state="parked")
        c.settle()
        assert c.query(query="status")["seats"] == [] and parked(c) == []
        w.org.settings(seats={"Salesforce": 3})
        create_many(c, 40)
        assert c.user("/Users/40")["state"] == "waiting"
        assert [(s["total"], s["waiting"]) for s in c.query(query="status")["seats"]] == [(3, 1)]
        assert any("'/Users/40' waits" in line or "(/Users/40) waits" in line for _, line in c.lines[-3:]), c.lines[-3:]


def test_a_seat_that_comes_free_is_for_who_waits_for_that_licence():
    free_user = {"field": "ProfileId", "when": 'userType eq "Guest"', "constant": "Chatter Free User"}
    with World("--seats", "4", mapping=[free_user]) as w:
        w.org.settings(seats={"Salesforce": 4, "Chatter Free": 0})
        c = w.connector()
        c.accept(create("/Users/guest", person("guest", userType="Guest")))
        c.settle()
        create_many(c, 1, 2, 3)
        assert parked(c) == ["/Users/guest", "/Users/3"], "in the order in which they began to wait"
        assert [(s["licence"], s["waiting"]) for s in c.query(query="status")["seats"]] == \
            [("Chatter Free", 1), ("Salesforce", 1)]
        assert waits(c.user("/Users/3")) == {"seat": "Salesforce"}
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        assert parked(c) == ["/Users/guest"], parked(c)


def test_of_an_org_that_does_not_tell_its_seats_it_is_said_as_well():
    with World("--seats", "3") as w:
        w.org.fault({"on": "query", "do": "refuse_call_with", "errorCode": "INVALID_TYPE", "message": "no", "skip": 1,
                     "times": -1})
        c = w.connector()
        create_many(c, 1, 2, 3)
        seats = c.query(query="status")["seats"]
        assert [(s["licence"], s["used"], s["total"], s["waiting"]) for s in seats] == [(None, None, None, 2)], seats


def test_a_leaver_makes_room_for_one_who_waits():
    with World("--seats", "5") as w:
        c = w.connector()
        create_many(c, *range(8))
        before = len(parked(c))
        c.accept(simple("/Users/0", "prov:delete"))
        c.settle()
        assert len(parked(c)) == before - 1 and free(w) == 0, parked(c)
        assert c.user("/Users/0")["state"] == "in_step" and not w.org.user("primary-u0@acme.example")["IsActive"]


def test_a_leaver_makes_room_also_when_only_reading_back_tells():
    change = {"on": "collections_update", "match": {"Title": "Boss"}}
    for beside in (False, True):  # a change that had no answer, and did not happen
        with World("--seats", "5", settle_window_s=1, retry_first_s=1, guard_floor=9) as w:
            c = w.connector()
            create_many(c, *range(8))
            before = len(parked(c))
            if beside:
                w.org.fault(dict(change, do="drop_before"))
                c.accept(put("/Users/0", person("u0", title="Boss")))
                c.deliver(0)
            w.org.fault({"on": "collections_update", "match": {"IsActive": False}, "do": "drop_after", "times": -1})
            c.accept(simple("/Users/0", "prov:delete"))
            c.settle()
            assert not w.org.user("primary-u0@acme.example")["IsActive"]
            assert len(parked(c)) == before - 1 and free(w) == 0, (beside, parked(c))


def test_seats_that_were_bought_are_found_at_the_next_look():
    with World("--seats", "3") as w:
        c = w.connector()
        create_many(c, 1, 2, 3)
        assert parked(c)
        w.org.settings(seats={"Salesforce": 100})
        c.close()
        c = w.connector()  # the first look of a process, as each hour's
        c.settle()
        assert parked(c) == [] and len(w.org.users()) == 3


def test_one_answer_serves_for_many_rounds_but_parks_nobody_later():
    with World("--seats", "50") as w:
        c = w.connector()
        for n in range(5):
            create_many(c, n)
        assert asked(w) == 1
        w.org.settings(seats={"Salesforce": 6})
        create_many(c, *range(10, 20))  # Salesforce refuses those
        w.org.settings(seats={"Salesforce": 100})
        c.act(act="retry", state="parked")
        c.settle()
        assert parked(c) == [] and len(w.org.users()) == 15, parked(c)


def test_who_comes_back_needs_a_seat_and_changes_need_none():
    with World("--seats", "4") as w:
        c = w.connector()
        create_many(c, 0)
        c.accept(simple("/Users/0", "prov:deactivate"))
        c.settle()
        create_many(c, *range(1, 9))
        c.accept(put("/Users/1", person("u1", title="Chief")))
        c.accept(simple("/Users/0", "prov:activate"))
        c.settle()
        assert w.org.user("primary-u1@acme.example")["Title"] == "Chief"
        row = c.user("/Users/0")
        assert row["code"] == "LICENSE_LIMIT_EXCEEDED" and "seats of the licence" in row["message"], row


def test_an_org_that_does_not_tell_is_asked_once_and_users_are_sent():
    with World() as w:
        w.org.fault({"on": "query", "do": "refuse_call_with", "errorCode": "INVALID_TYPE", "message": "no", "skip": 1,
                     "times": 1})
        c = w.connector()
        create_many(c, 1)
        create_many(c, 2)
        assert len(w.org.users()) == 2 and asked(w) == 1


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
