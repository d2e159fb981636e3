#!/usr/bin/env python3
"""Scope: who is provisioned, by connector fields and by feed events; notices and the resources that
the host gives for them. Every test asserts on the org's final state."""
import sys

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
        assert w.org.usage() and "salesforce_id" not in out


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
        c.settle(60)
        user = w.org.user(JANE)
        assert not user["IsActive"], "found as created, then deactivated"


if __name__ == "__main__":
    main(sys.modules[__name__])
