"""Usernames that our own users take from each other (design rule 9)."""
import sys

import harness
from harness import IDLE, World, create, hours_later, person, put, waits


def name_of(name):
    return f"primary-{name}@acme.example"


def staffed(w, *names, **more):
    c = w.connector(**more)
    c.accept(*[create(f"/Users/{name}", person(name)) for name in names])
    c.settle()
    return c


def ids(w):
    return {name: user["Id"] for name, user in w.org.users().items()}


def rotate(before, names):
    """Of the first the second's name, and so on; the last gets the first's."""
    return {name_of(new): before[name_of(old)] for old, new in zip(names, names[1:] + names[:1])}


def calls_of(w, kind):
    return [call for call in w.org.calls()["calls"] if call["kind"] == kind]


# ---- rings ----

def test_two_exchange_their_names_in_three_calls():
    outcomes = []
    with World() as w:
        c = staffed(w, "a", "b", outcome=lambda: True)
        before, made = ids(w), len(calls_of(w, "collections_update"))
        outcomes = c.outcomes
        del outcomes[:]
        c.accept(put("/Users/a", person("b", title="Now B")), put("/Users/b", person("a")))
        c.settle()
        assert ids(w) == rotate(before, ["a", "b"]), w.org.users().keys()
        assert w.org.user(name_of("b"))["Title"] == "Now B"
        assert len(calls_of(w, "collections_update")) - made == 3
        assert [c.user(f"/Users/{u}")["state"] for u in "ab"] == ["in_step"] * 2
        told = [list(o["events"].values())[0]["status"] for o in outcomes]
        assert told == ["200", "200"], outcomes


def test_many_exchange_in_as_few_calls():
    with World() as w:
        names = [f"u{n}" for n in range(40)]
        c = staffed(w, *names)
        before, made = ids(w), len(calls_of(w, "collections_update"))
        c.accept(*[put(f"/Users/{x}", person(y)) for i in range(0, 40, 2)
                   for x, y in ((names[i], names[i + 1]), (names[i + 1], names[i]))])
        c.settle()
        for i in range(0, 40, 2):
            for old, new in ((i, i + 1), (i + 1, i)):
                assert ids(w)[name_of(names[new])] == before[name_of(names[old])]
        assert len(calls_of(w, "collections_update")) - made <= 4


def test_longer_rings_and_a_tail_that_waits_for_one():
    with World() as w:
        names = list("abcde")
        c = staffed(w, *names)
        before, made = ids(w), len(calls_of(w, "collections_update"))
        c.accept(*[put(f"/Users/{old}", person(new)) for old, new in zip(names, names[1:] + names[:1])],
                 create("/Users/new", person("a", family="New")))
        assert c.deliver(5000).state == IDLE
        assert ids(w) == rotate(before, names), w.org.users().keys()
        assert len(calls_of(w, "collections_update")) - made == 3
        assert c.user("/Users/new")["code"] == "USERNAME_IN_USE_HERE"


def test_a_ring_of_more_than_a_hundred_is_a_ring():
    with World() as w:
        names = [f"u{n}" for n in range(130)]
        c = staffed(w, *names)
        before, made = ids(w), len(calls_of(w, "collections_update"))
        c.accept(*[put(f"/Users/{old}", person(new)) for old, new in zip(names, names[1:] + names[:1])])
        c.settle()
        assert ids(w) == rotate(before, names), c.query(query="status")["subjects"]
        assert len(calls_of(w, "collections_update")) - made == 3


def test_of_a_ring_on_which_one_is_refused_nobody_is_left_without_need():
    names = list("abcd")
    for together in (True, False):
        for refused, wanted in zip(names, names[1:] + names[:1]):
            with World() as w:
                c = w.connector()
                c.accept(*[create(f"/Users/{name}", person(name, title=name)) for name in names])
                c.settle()
                before = ids(w)
                w.org.fault({"on": "collections_update", "do": "refuse_record", "times": -1, "message": "no",
                             "match": {"Username": name_of(wanted), "Title": refused},
                             "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
                for old, new in zip(names, names[1:] + names[:1]):
                    c.accept(put(f"/Users/{old}", person(new, title=old)))
                    if not together:
                        c.settle()
                c.settle()
                now = ids(w)
                aside = [user for name, user in now.items() if name.startswith("swap-")]
                given_up = [name for name, user in before.items() if user in aside]
                assert len(aside) <= 1 and all(name in now for name in given_up), (together, refused, now.keys())


def ring_looked_at_in_pieces(c, w, order, first, refused):
    """Each of a ring is to get the next one's name, and one of them is refused; three are looked at in a round, and `first`
    before the others are heard of. Who is on a temporary name then, without need."""
    names = sorted(order)
    wanted = dict(zip(names, names[1:] + names[:1]))
    c.accept(*[create(f"/Users/{name}", person(name, title=name)) for name in names])
    c.settle()
    before = ids(w)
    w.org.fault({"on": "collections_update", "do": "refuse_record", "times": -1, "message": "no",
                 "match": {"Username": name_of(wanted[refused]), "Title": refused},
                 "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
    news = [put(f"/Users/{name}", person(wanted[name], title=name)) for name in order]
    c.accept(*news[:first])
    c.deliver(0)
    if news[first:]:
        c.accept(*news[first:])
    c.settle()
    now = ids(w)
    aside = [user for name, user in now.items() if name.startswith("swap-")]
    return [name for name, user in before.items() if user in aside and name not in now]


def test_who_stepped_aside_on_a_ring_longer_than_a_round_goes_back_when_that_was_in_vain():
    for refused, first in (("f", 3), ("f", 4), ("c", 3)):
        with World(batch_size=1, parallel_calls=1) as w:
            assert not ring_looked_at_in_pieces(w.connector(), w, "abcdef", first, refused), (refused, first, w.org.users().keys())


def test_who_went_back_does_not_step_aside_at_once_for_the_one_who_was_refused():
    with World(batch_size=1, parallel_calls=1) as w:
        assert not ring_looked_at_in_pieces(w.connector(), w, "dacb", 4, "c"), w.org.users().keys()
        assert len(calls_of(w, "collections_update")) <= 4, "aside, refused, back"


# ---- chains ----

def test_a_straight_chain_takes_a_few_calls_however_long_it_is():
    for length, most in ((8, 8), (100, 9)):
        for turned in (False, True):
            with World() as w:
                names = [f"u{n}" for n in range(length)]
                c = staffed(w, *names)
                before, made = ids(w), len(calls_of(w, "collections_update"))
                news = [put(f"/Users/{old}", person(new)) for old, new in zip(names, names[1:] + ["free"])]
                c.accept(*(reversed(news) if turned else news))
                c.settle()
                got = ids(w)
                assert got == {name_of(new): before[name_of(old)] for old, new in zip(names, names[1:] + ["free"])}, got
                calls = calls_of(w, "collections_update")[made:]
                assert len(calls) <= most, (length, len(calls))
                aside = sum(str(call["body"]).count("swap-") for call in calls)
                assert aside == (0 if length == 8 else 12), (length, aside)


def test_on_a_chain_whose_end_goes_to_another_nobody_steps_aside():
    for first in (True, False):
        with World() as w:
            names = [f"u{n}" for n in range(20)]
            c = staffed(w, "x", *names)
            before = ids(w)
            news = [put("/Users/x", person("free")), put("/Users/u19", person("free"))]
            c.accept(*(news if first else reversed(news)), *[put(f"/Users/{old}", person(new)) for old, new in zip(names, names[1:])])
            c.settle()
            got = ids(w)
            assert not any(name.startswith("swap-") for name in got), got
            stays = got[name_of("free")] == before[name_of("x")]
            assert got[name_of("u0" if stays else "x")] == before[name_of("u0" if stays else "x")], got


def test_on_a_chain_whose_end_was_refused_before_nobody_steps_aside():
    with World() as w:
        names = [f"u{n}" for n in range(20)]
        c = staffed(w, *names)
        before = ids(w)
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"Username": name_of("free")},
                     "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "not free", "times": -1})
        c.accept(put("/Users/u19", person("free")))
        c.settle()

        def together(title):
            c.act(act="retry", user="/Users/u19")
            c.accept(*[put(f"/Users/{old}", person(new, title=title)) for old, new in zip(names, names[1:])])
            c.settle()

        together("A")
        assert ids(w) == before, w.org.users().keys()
        w.org.ask("DELETE", "/__org/faults")
        together("B")
        assert ids(w) == {name_of(new): before[name_of(old)] for old, new in zip(names, names[1:] + ["free"])}, w.org.users()


def test_a_chain_that_has_waited_is_woken_as_one():
    with World() as w:
        names = [f"u{n}" for n in range(60)]
        c = staffed(w, *names)
        before = ids(w)
        c.accept(*[put(f"/Users/{old}", person(new)) for old, new in zip(names, names[1:])])
        c.settle()
        made = len(calls_of(w, "collections_update"))
        assert made == 0 and c.query(query="status")["subjects"]["waiting"] == 59
        c.accept(put("/Users/u59", person("free")))
        c.settle()
        assert ids(w) == {name_of(new): before[name_of(old)] for old, new in zip(names, names[1:] + ["free"])}, w.org.users()
        assert len(calls_of(w, "collections_update")) <= 10


def test_of_a_chain_that_is_broken_one_is_left_on_a_temporary_name():
    with World() as w:
        names = [f"u{n}" for n in range(40)]
        c = staffed(w, *names)
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"Username": name_of("u37")},
                     "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "not u37", "times": -1})
        c.accept(*[put(f"/Users/{old}", person(new)) for old, new in zip(names, names[1:] + ["free"])])
        c.settle()
        assert sum(name.startswith("swap-") for name in w.org.users()) == 1, w.org.users().keys()
        assert c.query(query="status")["subjects"]["parked"] == 1
        w.org.ask("DELETE", "/__org/faults")
        c.act(act="retry", state="parked")
        c.settle()
        assert sorted(w.org.users()) == sorted(name_of(name) for name in names[1:] + ["free"]), w.org.users().keys()


def test_news_that_come_one_after_the_other_meet():
    with World() as w:
        c = staffed(w, "a", "b", "c")
        before = ids(w)
        c.accept(put("/Users/a", person("b")))
        c.settle()
        assert c.user("/Users/a")["state"] == "waiting"
        c.accept(put("/Users/b", person("c")))
        c.settle()
        c.accept(put("/Users/c", person("a")))
        c.settle()
        assert ids(w) == rotate(before, ["a", "b", "c"]), w.org.users().keys()


def test_who_changes_his_mind_gets_his_name_back():
    with World() as w:
        c = staffed(w, "a", "b")
        before = ids(w)
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"Username": name_of("a")},
                     "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "not a", "skip": 1, "times": -1})
        c.accept(put("/Users/a", person("b")), put("/Users/b", person("a")))
        c.settle()
        rows = {user: c.user(f"/Users/{user}") for user in "ab"}
        stuck = [row for row in rows.values() if "temporary name swap-" in row["message"]]
        assert len(stuck) == 1 and "not a" in stuck[0]["message"], "nobody may have the name that was left"
        w.org.ask("DELETE", "/__org/faults")
        c.accept(put("/Users/a", person("a")), put("/Users/b", person("b")))
        c.settle()
        assert ids(w) == before, w.org.users().keys()


def nameless(user_name):
    """A user without a family name, who cannot be planned."""
    return person(user_name, name={"givenName": "Jane"})


def one_steps_aside(w):
    """/Users/a and b are to exchange their names; who has the temporary one now, and who has not."""
    c = staffed(w, "a", "b")
    before = ids(w)
    c.accept(put("/Users/a", person("b")), put("/Users/b", person("a")))
    c.deliver(0)
    away = [name for name in "ab" if name_of(name) not in ids(w)]
    assert len(away) == 1, w.org.users().keys()
    return c, before, away[0], "ba"["ab".index(away[0])]


def test_who_cannot_be_planned_any_more_does_not_stay_on_a_temporary_name():
    for fails in (False, True):  # the round in which that is seen
        with World() as w:
            c, before, away, other = one_steps_aside(w)
            if fails:
                c.close()
                w.org.fault({"on": "token", "do": "status", "status": 503})
                c = w.connector()
            c.accept(put(f"/Users/{away}", nameless(other)), put(f"/Users/{other}", person(other, title="Stays")))
            c.settle()
            assert ids(w) == before, w.org.users().keys()
            row = c.user(f"/Users/{away}")
            assert (row["state"], row["code"]) == ("parked", "MAPPING") and "temporary" not in row["message"], row
            sent = len(calls_of(w, "collections_update"))
            c.act(act="retry", state="parked")
            c.settle()
            assert len(calls_of(w, "collections_update")) == sent, "he has his name"
            c.accept(put("/Users/a", person("b")), put("/Users/b", person("a")))
            c.settle()
            assert ids(w) == rotate(before, ["a", "b"]), w.org.users().keys()


def test_who_cannot_be_planned_any_more_has_his_name_again_when_another_one_gives_it_up():
    with World() as w:
        c, before, away, other = one_steps_aside(w)
        c.accept(put(f"/Users/{away}", nameless(other)))
        c.settle()
        now = ids(w)
        assert now[name_of(away)] == before[name_of(other)], "the other one has got it"
        row = c.user(f"/Users/{away}")
        assert row["code"] == "MAPPING" and "temporary name swap-" in row["message"], row
        c.accept(create("/Users/new", person(away, family="New")), put(f"/Users/{other}", person("c")))
        c.settle()
        now = ids(w)
        assert now[name_of(away)] == before[name_of(away)], (now.keys(), "a newcomer does not take it")
        assert now[name_of("c")] == before[name_of(other)], now.keys()
        assert "temporary" not in c.user(f"/Users/{away}")["message"]


def test_a_way_back_that_is_refused_is_not_tried_for_ever():
    with World() as w:
        c, before, away, other = one_steps_aside(w)
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"Username": name_of(away)},
                     "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "never", "times": -1})
        c.accept(put(f"/Users/{away}", nameless(other)), put(f"/Users/{other}", person(other)))
        c.settle()
        row = c.user(f"/Users/{away}")
        assert row["state"] == "parked" and "never" in row["message"] and "temporary name swap-" in row["message"], row
        assert len(calls_of(w, "collections_update")) <= 5
        w.org.ask("DELETE", "/__org/faults")
        c.act(act="retry", state="parked")
        c.settle()
        assert ids(w) == before, w.org.users().keys()


def refused_partner(w, c, **fault):
    """/Users/a and b are to exchange their names, and Salesforce lets b not have the other one."""
    w.org.fault(dict({"on": "collections_update", "do": "refuse_record", "match": {"Username": name_of("a"), "Title": "B"},
                      "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "not a for B", "times": -1}, **fault))
    c.accept(put("/Users/b", person("b", title="B")))
    c.settle()
    c.accept(put("/Users/a", person("b")), put("/Users/b", person("a", title="B")))
    c.settle()


def test_who_stepped_aside_in_vain_gets_his_name_back_and_stays_there():
    with World() as w:
        c = staffed(w, "a", "b")
        before = ids(w)
        refused_partner(w, c)
        for hours in (0, 2, 100, 2, 2):  # whoever looks again at whom
            c = hours_later(w, c, hours) if hours else c
            assert ids(w) == before, (hours, w.org.users().keys())
            a, b = c.user("/Users/a"), c.user("/Users/b")
            assert a["code"] == "USERNAME_IN_USE_HERE" and waits(a) == {"username": name_of("b")}, a
            assert "temporary" not in a["message"], a
            assert (b["state"], b["message"]) == ("parked", "not a for B"), b
            assert hours != 2 or len(calls_of(w, "collections_update")) == sent, "nobody steps aside each hour"
            sent = len(calls_of(w, "collections_update"))
        w.org.ask("DELETE", "/__org/faults")
        c.accept(put("/Users/b", person("a", title="B2")))
        c.settle()
        assert ids(w) == rotate(before, ["a", "b"]), w.org.users().keys()
        assert [c.user(f"/Users/{u}")["state"] for u in "ab"] == ["in_step"] * 2


def test_who_stepped_aside_for_one_who_was_tried_again_in_vain_gets_his_name_back():
    with World() as w:
        c = staffed(w, "a", "b")
        before = ids(w)
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"Username": name_of("a"), "Title": "B"}})
        refused_partner(w, c)
        assert ids(w) == before, w.org.users().keys()


def test_a_retry_by_hand_of_both_exchanges_them_when_the_org_has_changed():
    with World() as w:
        c = staffed(w, "a", "b")
        before = ids(w)
        refused_partner(w, c)
        w.org.ask("DELETE", "/__org/faults")
        c.act(act="retry", state="parked")
        c.settle()
        assert ids(w) == rotate(before, ["a", "b"]), w.org.users().keys()


def test_an_exchange_that_was_refused_is_tried_again_when_the_org_may_have_changed():
    for hours in (25, 60, None):
        with World() as w:
            c = staffed(w, "a", "b")
            before = ids(w)
            refused_partner(w, c)
            w.org.ask("DELETE", "/__org/faults")
            c = hours_later(w, c, 2)
            assert ids(w) == before, "not each hour"
            if hours:
                c = hours_later(w, c, hours)
            else:
                c.act(act="retry", user="/Users/b")
                c.settle()
            assert ids(w) == rotate(before, ["a", "b"]), (hours, w.org.users().keys())
            assert [c.user(f"/Users/{u}")["state"] for u in "ab"] == ["in_step"] * 2, hours


def test_a_newcomer_does_not_take_the_name_of_who_stepped_aside_in_vain():
    with World() as w:
        c = staffed(w, "a", "b")
        before = ids(w)
        c.accept(create("/Users/new", person("a", family="New")))
        c.settle()
        refused_partner(w, c)
        assert ids(w) == before and waits(c.user("/Users/new")) == {"username": name_of("a")}, w.org.users().keys()


def test_a_name_is_free_again_for_whom_a_try_failed_and_who_changed_his_mind():
    with World() as w:
        c = staffed(w, "a", "b")
        before = ids(w)
        w.org.fault({"on": "collections_update", "do": "refuse_record", "statusCode": "UNABLE_TO_LOCK_ROW"})
        c.accept(put("/Users/a", person("x")))
        c.deliver(0)
        assert c.user("/Users/a")["code"] == "UNABLE_TO_LOCK_ROW"
        c.accept(put("/Users/b", person("x")))
        c.deliver(0)
        assert c.user("/Users/b")["code"] == "USERNAME_IN_USE_HERE"
        c.accept(put("/Users/a", person("a", title="Stays A")))
        c.settle()
        assert ids(w) == {name_of("a"): before[name_of("a")], name_of("x"): before[name_of("b")]}, w.org.users().keys()


def test_a_create_that_did_not_happen_keeps_its_name():
    with World(settle_window_s=4) as w:
        c = staffed(w, "warm")
        w.org.fault({"on": "collections_create", "do": "drop_before"})
        c.accept(create("/Users/1", person("ann")))
        c.deliver(0)
        assert c.user("/Users/1")["state"] == "in_flight", c.user("/Users/1")
        c.accept(create("/Users/2", person("ann", family="Second")))
        c.until(lambda: c.user("/Users/2")["waits"], "the end of the pause after a write without an answer")
        assert c.user("/Users/1")["state"] == "in_flight", c.user("/Users/1")
        c.settle()
        assert w.org.user(name_of("ann"))["LastName"] == "Doe", "whoever was first"
        assert [c.user(f"/Users/{n}")["state"] for n in "12"] == ["in_step", "waiting"]


# ---- leavers ----

def test_a_leaver_waits_for_no_name_and_gets_it_when_he_returns():
    for action in ("freeze", "deactivate"):
        with World(leaver_action=action) as w:
            c = staffed(w, "a", "b", outcome=lambda: True)
            before = ids(w)
            del c.outcomes[:]
            c.accept(put("/Users/a", person("b", active=False, title="Left")))
            c.settle()
            row = c.user("/Users/a")
            assert row["state"] == "in_step" and not row["waits"], row
            assert ids(w) == before and w.org.user(name_of("a"))["Title"] == "Left"
            told = [list(o["events"].values())[0]["status"] for o in c.outcomes]
            assert told == ["200"], (action, c.outcomes)
            c.accept(put("/Users/a", person("b")))
            c.settle()
            assert waits(c.user("/Users/a")) == {"username": name_of("b")}, "who is active waits"
            c.accept(put("/Users/b", person("c")))
            c.settle()
            assert ids(w) == {name_of("b"): before[name_of("a")], name_of("c"): before[name_of("b")]}, w.org.users().keys()


def test_a_leaver_whose_new_name_is_taken_gets_it_when_he_returns_after_a_replan_too():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("A/ann")), create("/Users/2", person("bob")))
        c.settle()
        c.accept(put("/Users/1", person("A/ann", active=False)))
        c.settle()
        c.close()
        c = w.connector(provisioning_pattern="{UN}")
        c.accept(put("/Users/2", person("B/ann")))  # is first, and the replan does not know it yet
        answer = c.act(act="replan", all=True)
        assert answer["applied"] and answer["counts"]["renamed"] == 1, answer
        c.settle()
        assert sorted(w.org.users()) == ["a-ann@acme.example", "ann@acme.example"], w.org.users().keys()
        c.accept(put("/Users/2", person("carl")))
        c.settle()
        c.accept(put("/Users/1", person("A/ann")))
        c.settle()
        assert sorted(w.org.users()) == ["ann@acme.example", "carl@acme.example"], w.org.users().keys()


def test_a_leaver_gives_up_a_name_that_another_one_wants():
    with World(leaver_action="freeze") as w:
        c = staffed(w, "a", "b")
        before = ids(w)
        c.accept(put("/Users/a", person("b", active=False)), put("/Users/b", person("a")))
        c.settle()
        assert ids(w) == rotate(before, ["a", "b"]), w.org.users().keys()


def test_who_waits_for_a_name_gets_it_before_who_stepped_aside_and_goes_back_to_it():
    with World(batch_size=1, parallel_calls=1) as w:  # three are looked at in a round
        c = staffed(w, "a", "b", "c", "d")
        before = ids(w)
        for waiting in "cd":
            c.accept(put(f"/Users/{waiting}", person("a")))
        c.settle()
        refused_partner(w, c)
        first = next(user for user in "cd" if ids(w)[name_of("a")] == before[name_of(user)])
        then = "d" if first == "c" else "c"
        assert "temporary name swap-" in c.user("/Users/a")["message"], "the name that was given up is another one's"
        # whose name it is gives it up, and who gave it up is looked at before who waits for it is
        c.accept(put(f"/Users/{first}", person("new")), create("/Users/x", person("x")), create("/Users/y", person("y")),
                 put("/Users/a", person("b", title="A")), create("/Users/u", person("u")), create("/Users/v", person("v")))
        c.settle()
        assert ids(w)[name_of("a")] == before[name_of(then)], w.org.users().keys()
        assert waits(c.user("/Users/a")) == {"username": name_of("b")}


# ---- failures on the way ----

def test_nobody_is_left_on_a_temporary_name_whatever_fails():
    faults = [{"do": "drop_before"}, {"do": "drop_after"}, {"do": "late", "delay_ms": 300}]
    for fault in faults:
        for skip in range(3):
            with World(settle_window_s=1) as w:
                c = staffed(w, "a", "b")
                before = ids(w)
                w.org.fault(dict(fault, on="collections_update", skip=skip))
                c.accept(put("/Users/a", person("b")), put("/Users/b", person("a")))
                for _ in range(3):  # each time as after a crash: nothing is known but the store
                    c.deliver(0)
                    c.close()
                    c = w.connector()
                c.settle()
                assert ids(w) == rotate(before, ["a", "b"]), (fault, skip, w.org.users().keys())
                assert [c.user(f"/Users/{u}")["state"] for u in "ab"] == ["in_step"] * 2, (fault, skip)


def test_a_preview_says_that_two_would_change_places():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ann")), create("/Users/2", person("bob")), create("/Users/3", person("cid")))
        c.settle()
        c.accept(put("/Users/2", person("ann")))
        c.settle()
        assert c.user("/Users/2")["code"] == "USERNAME_IN_USE_HERE", c.user("/Users/2")
        shown = c.preview(put("/Users/1", person("bob")))
        assert any("change places" in reason and "/Users/2" in reason for reason in shown["reasons"]), shown["reasons"]
        shown = c.preview(put("/Users/1", person("cid")))
        assert any("would wait" in reason and "/Users/3" in reason for reason in shown["reasons"]), shown["reasons"]
        c.accept(put("/Users/1", person("bob")))
        c.settle()
        assert c.user("/Users/1")["username"] == "primary-bob@acme.example" and c.user("/Users/2")["state"] == "in_step"


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
