#!/usr/bin/env python3
"""Scope: who is provisioned, by connector fields and by feed events; notices and the resources that
the host gives for them. Every test asserts on the org's final state."""
import sys
import threading

from harness import (ACCEPTED, REFUSED, UNKNOWN, World, create, main, patch, person, put, simple, token)

GROUPS = {"scope_groups": ["sales"]}
JANE = "primary-jdoe@acme.example"


def seller(name="jdoe", **more):
    return person(name, groups=[{"value": "g1", "display": "Sales"}], **more)


def test_only_members_of_a_group_or_role_are_provisioned():
    with World(**GROUPS) as w:
        c = w.connector()
        c.accept(create("/Users/1", seller("jdoe")), create("/Users/2", person("other")),
                 create("/Users/3", person("role", roles=[{"value": "SALES"}])))
        c.settle()
        assert set(w.org.users()) == {JANE, "primary-role@acme.example"}
        out = c.user("/Users/2")
        assert out["state"] == "in_step" and out["outcome"] == "nothing to do", out
        assert out["code"] == "OUT_OF_SCOPE" and "scope_groups" in out["message"], out
        assert "salesforce_id" not in out


def test_losing_a_group_deactivates_and_gaining_it_brings_the_same_account_back():
    with World(**GROUPS) as w:
        c = w.connector()
        c.accept(create("/Users/1", seller()))
        c.settle()
        before = w.org.user(JANE)["Id"]
        c.accept(patch("/Users/1", {"op": "remove", "path": 'groups[value eq "g1"]'},
                       {"op": "replace", "path": "title", "value": "Away"}))
        c.settle()
        user = w.org.user(JANE)
        assert not user["IsActive"] and user["Title"] is None, "deactivated, alone"
        row = c.user("/Users/1")
        assert row["code"] == "OUT_OF_SCOPE" and row["last_action"] == "deactivated", row
        c.accept(patch("/Users/1", {"op": "add", "path": "groups", "value": [{"display": "sales"}]}))
        c.settle()
        user = w.org.user(JANE)
        assert user["Id"] == before and user["IsActive"] and user["Title"] == "Away"
        row = c.user("/Users/1")
        assert row["outcome"] == "delivered" and not row.get("code"), row


def test_a_patch_of_something_else_keeps_the_groups():
    with World(**GROUPS) as w:
        c = w.connector()
        c.accept(create("/Users/1", seller()))
        c.accept(patch("/Users/1", {"op": "replace", "path": "title", "value": "Boss"}))
        c.settle()
        user = w.org.user(JANE)
        assert user["IsActive"] and user["Title"] == "Boss"


def test_a_filter_decides_by_any_attribute():
    flt = 'userType eq "Employee" and not (emails[type eq "work" and value ew "@guest.example"])'
    with World(scope_filter=flt) as w:
        c = w.connector()
        guest = [{"type": "work", "value": "x@guest.example"}]
        c.accept(create("/Users/1", person("jdoe", userType="employee")), create("/Users/2", person("none")),
                 create("/Users/3", person("guest", userType="Employee", emails=guest)))
        c.settle()
        assert set(w.org.users()) == {JANE}
        shown = c.preview(put("/Users/1", person("jdoe", userType="Guest")))
        assert shown["action"] == "deactivate" and "scope_filter, userType eq" in shown["reasons"][0], shown
        c.accept(put("/Users/1", person("jdoe", userType="Guest")))
        c.settle()
        assert not w.org.user(JANE)["IsActive"]


def test_who_leaves_scope_goes_ahead_of_a_thousand_hires():
    with World(batch_size=10, **GROUPS) as w:
        c = w.connector()
        c.accept(create("/Users/1", seller()))
        c.settle()
        c.accept(*(create(f"/Users/{n}", seller(f"hire{n}")) for n in range(1000, 1700)))
        c.accept(put("/Users/1", person("jdoe")))
        c.deliver(0)  # one round
        assert not w.org.user(JANE)["IsActive"]


def test_a_changed_scope_deactivates_nobody_by_itself():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", seller("jdoe")), create("/Users/2", person("other")),
                 create("/Users/3", person("gone")))
        c.settle()
        c.close()
        c = w.connector(**GROUPS)
        c.settle()
        assert all(user["IsActive"] for user in w.org.users().values()), "a restart changes nobody"
        c.accept(put("/Users/2", person("other")))
        c.settle()
        users = w.org.users()
        assert not users["primary-other@acme.example"]["IsActive"], "an event of the user does"
        assert users["primary-gone@acme.example"]["IsActive"]


def test_a_replan_brings_a_changed_scope_to_everybody():
    with World(guard_floor=1, **GROUPS) as w:
        c = w.connector()
        c.accept(*(create(f"/Users/{n}", seller(f"s{n}")) for n in range(4)))
        c.accept(create("/Users/9", person("buyer", roles=["Purchase"])))
        c.settle()
        c.close()
        c = w.connector(scope_groups="purchase")
        c.settle()
        assert len(w.org.users()) == 4
        shown = c.act(act="replan", all=True)
        assert not shown["applied"] and "it would deactivate 4 of 4 users" in shown["reason"], shown
        assert shown["counts"]["created"] == 1 and shown["counts"]["deactivated"] == 4, shown
        c.settle()
        assert all(user["IsActive"] for user in w.org.users().values()), "the guard holds"
        assert c.act(act="replan", all=True, force=True)["applied"]
        c.settle()
        users = w.org.users()
        assert users.pop("primary-buyer@acme.example")["IsActive"]
        assert len(users) == 4 and not any(user["IsActive"] for user in users.values())
        assert c.act(act="replan", all=True, dry_run=True)["counts"]["deactivated"] == 0


def test_a_list_without_the_groups_is_held_by_the_guard():
    with World(guard_floor=1, **GROUPS) as w:
        c = w.connector()
        people = {f"/Users/{n}": seller(f"s{n}") for n in range(4)}
        c.sync(people)
        c.settle()
        report = c.sync({uri: person(user["userName"]) for uri, user in people.items()})
        assert not report["applied"] and "makes them inactive or out of scope" in report["reason"], report
        c.settle()
        assert len(w.org.users()) == 4 and all(user["IsActive"] for user in w.org.users().values())


def test_scope_and_what_is_in_flight():
    with World(**GROUPS) as w:
        c = w.connector()
        w.org.fault({"on": "collections_create", "do": "drop_after"})
        c.accept(create("/Users/1", seller()))
        c.deliver(2000)
        c.accept(put("/Users/1", person("jdoe")))
        c.settle()
        user = w.org.user(JANE)
        assert not user["IsActive"], "found as created, then deactivated"


# ---- notices ----

def notice(uri, kind="put", **more):
    return token(uri, (f"prov:{kind}:notice", {"attributes": ["title"]}), **more)


class Directory:
    """A host that answers questions; `questions` are those it was asked."""

    def __init__(self, **people):
        self.people, self.questions = {f"/Users/{key[1:]}": value for key, value in people.items()}, []

    def __call__(self, uri):
        self.questions.append(uri)
        answer = self.people.get(uri)
        return answer(uri) if callable(answer) else answer


def test_a_notice_brings_the_resource_the_host_gives():
    with World() as w:
        host = Directory(u1=person("jdoe", title="New", password="cAnArY"))
        c = w.connector(resolve=host)
        c.accept(notice("/Users/1", "create"))
        c.settle()
        assert w.org.user(JANE)["Title"] == "New"
        host.people["/Users/1"] = person("jdoe", title="Newer")
        assert c.preview(notice("/Users/1", "patch"))["calls"][0]["body"] == {"Title": "Newer", "id": w.org.user(JANE)["Id"]}
        c.accept(notice("/Users/1", "patch", jti="again"), notice("/Users/1"))
        c.settle()
        assert w.org.user(JANE)["Title"] == "Newer"
        asked = len(host.questions)
        assert c.submit(notice("/Users/1", "patch", jti="again"))[0].duplicate, "known before anybody is asked"
        assert len(host.questions) == asked
        # neither in the store nor in its log: World looks for the mark there


def test_a_notice_without_the_callback_is_refused_with_the_remedy():
    with World() as w:
        c = w.connector()
        answer = c.submit(notice("/Users/1"))[0]
        assert answer.status == REFUSED and b"offer the callback" in answer.error.text, answer.error.text
        c.accept(token("/Users/1", ("prov:put:notice", {"attributes": []}), ("prov:delete", {})))
        c.settle()
        assert w.org.users() == {} and c.user("/Users/1")["version"] == 1


def test_a_change_of_a_user_never_seen_asks_the_host():
    for event in (patch("/Users/1", {"op": "replace", "path": "title", "value": "Boss"}),
                  simple("/Users/1", "feed:add"), simple("/Users/1", "prov:activate")):
        with World() as w:
            host = Directory(u1=person("jdoe", title="Boss"))
            c = w.connector(resolve=host)
            c.accept(event)
            c.settle()
            assert w.org.user(JANE)["Title"] == "Boss" and host.questions == ["/Users/1"], event
            c.accept(patch("/Users/1", {"op": "replace", "path": "title", "value": "Chief"}))
            c.settle()
            assert w.org.user(JANE)["Title"] == "Chief" and len(host.questions) == 1, "known by now"


def test_a_leaver_who_was_never_seen_is_not_asked_for():
    with World() as w:
        host = Directory()
        c = w.connector(resolve=host)
        c.accept(simple("/Users/1", "prov:delete"), simple("/Users/2", "feed:remove"),
                 patch("/Users/2", {"op": "replace", "path": "title", "value": "x"}))
        c.settle()
        assert host.questions == [] and w.org.users() == {}


def test_who_comes_back_into_the_feed_is_asked_for():
    with World() as w:
        host = Directory(u1=person("jdoe", title="Changed while away"))
        c = w.connector(resolve=host)
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        c.accept(simple("/Users/1", "feed:remove"))
        c.settle()
        assert host.questions == [] and not w.org.user(JANE)["IsActive"]
        c.accept(simple("/Users/1", "feed:add"))
        c.settle()
        user = w.org.user(JANE)
        assert user["IsActive"] and user["Title"] == "Changed while away"
        c.accept(token("/Users/1", ("feed:add", {}), ("prov:put:full", {"data": person("jdoe", title="Told")})))
        c.accept(simple("/Users/1", "feed:add"))
        c.settle()
        assert len(host.questions) == 1, "with data, or in the feed already, nothing is asked"
        assert w.org.user(JANE)["Title"] == "Told"


def test_a_host_that_does_not_know_the_user_changes_nothing():
    with World() as w:
        c = w.connector(resolve=Directory())
        c.accept(create("/Users/1", person("jdoe", title="Kept")), notice("/Users/1"), notice("/Users/2", "create"))
        c.settle()
        assert list(w.org.users()) == [JANE] and w.org.user(JANE)["Title"] == "Kept"
        assert c.user("/Users/2")["code"] == "RESOURCE_NEVER_SEEN"
        assert any("knows no such user" in line for _, line in c.lines), c.lines


def test_an_answer_that_cannot_be_used_leaves_the_event_with_the_host():
    big = b'{"x":"' + b"y" * (256 * 1024) + b'"}'
    wrong = ((-99, "UNKNOWN (-99)"), (-3, "STORE (-3)"), ([], "gave no resource"), (b"{", "cannot be used"),
             (b"[1]", "no JSON object"), (b"null", "no JSON object"), (big, "more than 262144"),
             ([person("a"), person("b")], "more than one"), (b'{"a":' * 60, "cannot be used"))
    with World() as w:
        host = Directory()
        c = w.connector(resolve=host)
        c.accept(create("/Users/1", person("jdoe", title="Kept")))
        for answer, text in wrong:
            host.people["/Users/1"] = answer
            got = c.submit(notice("/Users/1", jti="n"), simple("/Users/1", "prov:deactivate", jti="d"),
                           create("/Users/2", person("other"), jti="other"))
            assert [one.status for one in got] == [UNKNOWN, UNKNOWN, ACCEPTED], (answer, got[0].error.text)
            assert text in got[0].error.text.decode(), (text, got[0].error.text)
            assert b"submit both again, in order" in got[1].error.text
            assert c.user("/Users/1")["version"] == 1
        c.settle()
        assert w.org.user(JANE)["Title"] == "Kept" and w.org.user(JANE)["IsActive"]
        host.people["/Users/1"] = person("jdoe", title="At last")
        c.accept(notice("/Users/1", jti="n"), simple("/Users/1", "prov:deactivate", jti="d"))
        c.settle()
        assert not w.org.user(JANE)["IsActive"]


def test_an_answer_is_dropped_when_the_user_changed_meanwhile():
    with World() as w:
        host, answers = Directory(), iter(["Old", "New"])

        def answer(_uri):
            title = next(answers)
            if title == "Old":  # a newer event comes from inside the callback; what is given is older
                c.accept(put("/Users/1", person("jdoe", title="Between", department="x")))
            return person("jdoe", title=title)

        host.people["/Users/1"] = answer
        c = w.connector(resolve=host)
        c.accept(notice("/Users/1"))
        c.settle()
        assert w.org.user(JANE)["Title"] == "New" and len(host.questions) == 2


def test_a_user_who_never_stands_still_is_left_to_a_later_submit():
    with World() as w:
        host = Directory(u1=lambda uri: (c.accept(put(uri, person("jdoe", title=str(len(host.questions))))),
                                         person("jdoe", title="Stale"))[1])
        c = w.connector(resolve=host)
        answer = c.submit(notice("/Users/1"))[0]
        assert answer.status == UNKNOWN and b"changed 5 times" in answer.error.text, answer.error.text
        c.settle()
        assert w.org.user(JANE)["Title"] == "5"


def test_a_question_from_inside_a_question_is_not_asked():
    with World() as w:
        inner = []
        host = Directory(u1=lambda uri: (inner.extend(c.submit(notice("/Users/2"))), person("jdoe"))[1],
                         u2=person("other"))
        c = w.connector(resolve=host)
        c.accept(notice("/Users/1"))
        assert inner[0].status == UNKNOWN and b"from inside the resolve callback" in inner[0].error.text
        c.accept(notice("/Users/2"))
        c.settle()
        assert set(w.org.users()) == {JANE, "primary-other@acme.example"}


def test_events_keep_their_order_around_a_question():
    with World() as w:
        c = w.connector(resolve=Directory(u1=person("jdoe", title="Asked")))
        c.accept(create("/Users/1", person("jdoe")),
                 token("/Users/1", ("prov:put:notice", {"attributes": ["title"]}), ("prov:deactivate", {})),
                 simple("/Users/1", "prov:activate"))
        c.settle()
        user = w.org.user(JANE)
        assert user["IsActive"] and user["Title"] == "Asked", "activated last"
        assert [e["kinds"] for e in c.user("/Users/1")["events"]] == \
            ["prov:create:full", "prov:put:notice prov:deactivate", "prov:activate"]


def test_a_slow_host_holds_up_nobody_else():
    with World() as w:
        entered, leave = threading.Event(), threading.Event()
        host = Directory(u1=lambda _uri: (entered.set(), leave.wait(60), person("jdoe"))[2])
        c = w.connector(resolve=host)
        slow = threading.Thread(target=lambda: c.accept(notice("/Users/1")))
        slow.start()
        assert entered.wait(60)
        c.accept(create("/Users/2", person("other")))
        c.settle()
        assert list(w.org.users()) == ["primary-other@acme.example"], "the question is still open"
        leave.set()
        slow.join()
        c.settle()
        assert JANE in w.org.users()


def test_a_notice_and_scope_go_together():
    with World(**GROUPS) as w:
        host = Directory(u1=seller())
        c = w.connector(resolve=host)
        c.accept(notice("/Users/1", "create"))
        c.settle()
        assert w.org.user(JANE)["IsActive"]
        host.people["/Users/1"] = person("jdoe")
        c.accept(notice("/Users/1", "patch"))
        c.settle()
        assert not w.org.user(JANE)["IsActive"]


if __name__ == "__main__":
    main(sys.modules[__name__])
