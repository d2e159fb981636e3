"""The main job: events in, Salesforce users out, each change once."""
import contextlib
import sys

import harness
from harness import ENTERPRISE, World, create, patch, person, put, simple, token, until, waits


def test_a_created_user_appears_with_the_right_username():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("PRIMARY/jdoe", title="Engineer")))
        c.settle()
        user = w.org.user("primary-jdoe@acme.example")
        assert user["FirstName"] == "Jane" and user["LastName"] == "Doe" and user["Title"] == "Engineer", user
        assert user["IsActive"] is True and user["Email"] == "doe@example.com"
        assert user["Alias"] and len(user["Alias"]) <= 8
        row = c.user("PRIMARY/jdoe")
        assert row["state"] == "in_step" and row["salesforce_id"] == user["Id"], row
        assert row["last_action"] == "created" and row["events"][0]["outcome"] == "delivered"


def test_only_changed_fields_are_sent_and_a_repetition_sends_nothing():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe", title="Engineer")))
        c.settle()
        before = w.org.usage()["api_calls"]
        c.accept(put("/Users/1", person("jdoe", title="Chief")))
        c.settle()
        assert w.org.user("primary-jdoe@acme.example")["Title"] == "Chief"
        assert c.user("/Users/1")["last_action"] == "updated Title"
        assert w.org.usage()["api_calls"] == before + 1
        c.accept(put("/Users/1", person("jdoe", title="Chief")))
        c.settle()
        assert w.org.usage()["api_calls"] == before + 1
        assert c.user("/Users/1")["outcome"] == "nothing to do"


def test_rename_keeps_the_id():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        first = w.org.user("primary-jdoe@acme.example")["Id"]
        c.accept(patch("/Users/1", {"op": "replace", "path": "userName", "value": "jane.doe"}))
        c.settle()
        users = w.org.users()
        assert users["primary-jane.doe@acme.example"]["Id"] == first
        assert "primary-jdoe@acme.example" not in users
        assert "renamed primary-jdoe@acme.example to primary-jane.doe@acme.example" == c.user("/Users/1")["last_action"]


def test_leavers_are_deactivated_and_return_to_the_same_account():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")), create("/Users/2", person("bob", "Bob", "Ray")))
        c.settle()
        first = w.org.user("primary-jdoe@acme.example")["Id"]
        c.accept(simple("/Users/1", "prov:delete"), simple("/Users/2", "prov:deactivate"))
        c.settle()
        users = w.org.users()
        assert not users["primary-jdoe@acme.example"]["IsActive"] and not users["primary-bob@acme.example"]["IsActive"]
        c.accept(create("/Users/1", person("jdoe", title="Back")), simple("/Users/2", "prov:activate"))
        c.settle()
        user = w.org.user("primary-jdoe@acme.example")
        assert user["IsActive"] and user["Id"] == first and user["Title"] == "Back"
        assert w.org.user("primary-bob@acme.example")["IsActive"]
        assert len(w.org.users()) == 2


def test_ten_changes_before_delivery_are_one_record():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        for number in range(10):
            c.accept(patch("/Users/1", {"op": "replace", "path": "title", "value": f"T{number}"}))
        c.settle()
        calls = [call for call in w.org.calls()["calls"] if "composite/sobjects" in call["path"]]
        assert len(calls) == 1 and calls[0]["records"] == 1, calls
        assert w.org.user("primary-jdoe@acme.example")["Title"] == "T9"
        outcomes = [event["outcome"] for event in c.user("/Users/1")["events"]]
        assert outcomes == ["delivered"] * 11, outcomes


def test_two_hundred_users_are_one_call():
    with World() as w:
        c = w.connector()
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(400)])
        c.settle()
        calls = [call for call in w.org.calls()["calls"] if "composite/sobjects" in call["path"]]
        assert [call["records"] for call in calls] == [200, 200], calls
        assert len(w.org.users()) == 400
        assert w.org.usage()["token_requests"] == 1


def test_inactive_hires_are_not_sent():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ghost", active=False)))
        c.accept(create("/Users/2", person("entra", active="False")))
        c.settle()
        assert w.org.users() == {} and c.user("/Users/1")["outcome"] == "nothing to do"
        c.accept(simple("/Users/1", "prov:activate"))
        c.settle()
        assert list(w.org.users()) == ["primary-ghost@acme.example"]


def test_inactive_hires_are_sent_when_the_field_says_so():
    with World(create_inactive=True) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ghost", active=False)))
        c.settle()
        assert w.org.user("primary-ghost@acme.example")["IsActive"] is False


def test_scope_takes_and_gives_access():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        c.accept(simple("/Users/1", "feed:remove"))
        c.settle()
        assert not w.org.user("primary-jdoe@acme.example")["IsActive"]
        c.accept(put("/Users/1", person("jdoe", title="While away")))
        c.settle()
        assert not w.org.user("primary-jdoe@acme.example")["IsActive"], "a put does not bring into scope"
        c.accept(simple("/Users/1", "feed:add"))
        c.settle()
        user = w.org.user("primary-jdoe@acme.example")
        assert user["IsActive"] and user["Title"] == "While away"


def test_managers_are_linked_when_they_arrive():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("report", **{ENTERPRISE: {"manager": {"value": "9"}}})))
        c.settle()
        assert w.org.user("primary-report@acme.example")["ManagerId"] is None
        assert waits(c.user("/Users/1")) == {"manager": "/Users/9"}
        c.accept(create("/Users/9", person("boss", "Big", "Boss")))
        c.settle()
        users = w.org.users()
        assert users["primary-report@acme.example"]["ManagerId"] == users["primary-boss@acme.example"]["Id"]
        c.accept(put("/Users/1", person("report")))
        c.settle()
        assert w.org.user("primary-report@acme.example")["ManagerId"] is None, "clearing clears"


def test_managers_and_reports_may_come_in_one_call_in_any_order():
    with World() as w:
        c = w.connector()
        boss = {ENTERPRISE: {"manager": {"value": "9", "$ref": "https://idp.example/scim/v2/Users/9"}}}
        c.accept(create("/Users/1", person("before", **boss)), create("/Users/9", person("boss")),
                 create("/Users/2", person("after", **boss)))
        c.settle()
        users = w.org.users()
        for name in ("primary-before@acme.example", "primary-after@acme.example"):
            assert users[name]["ManagerId"] == users["primary-boss@acme.example"]["Id"], name
        assert users["primary-boss@acme.example"]["ManagerId"] is None


def test_a_deactivation_is_told_as_one_though_the_user_is_looked_at_again():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        c.accept(put("/Users/1", person("jdoe", active=False)))
        c.settle()
        row = c.user("/Users/1")
        assert (row["last_action"], row["outcome"]) == ("deactivated", "delivered"), row
        c.accept(put("/Users/1", person("jdoe", active=False)))
        c.settle()
        assert c.user("/Users/1")["outcome"] == "nothing to do"


def test_clearing_an_attribute_clears_the_field():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe", title="Engineer")))
        c.settle()
        c.accept(patch("/Users/1", {"op": "remove", "path": "title"}))
        c.settle()
        assert w.org.user("primary-jdoe@acme.example")["Title"] is None


def test_names_of_the_world_arrive_unharmed():
    with World() as w:
        c = w.connector()
        people = [("zoe", "Zoë", "O'Brien"), ("lukasz", "Łukasz", "Żółć"), ("yamada", "太郎", "山田"),
                  ("quote", 'Jo"e', "Back\\slash")]
        c.accept(*[create(f"/Users/{name}", person(name, given, family, emails=[{"value": f"{name}@example.com"}]))
                   for name, given, family in people])
        c.settle()
        for name, given, family in people:
            user = w.org.user(f"primary-{name}@acme.example")
            assert (user["FirstName"], user["LastName"]) == (given, family), user


def test_two_subjects_with_one_username_are_told_apart_here():
    with World(provisioning_pattern="{UN}") as w:
        c = w.connector()
        c.accept(create("/Users/1", person("PRIMARY/jsmith", "John", "Smith")))
        c.accept(create("/Users/2", person("PARTNERS/jsmith", "Jill", "Smith")))
        c.settle()
        assert len(w.org.users()) == 1
        row = c.user("/Users/2")
        assert row["state"] == "waiting" and row["code"] == "USERNAME_IN_USE_HERE", row
        assert waits(row) == {"username": "jsmith@acme.example"}, row
        assert "/Users/1" in row["message"] and row["remedy"]
        c.accept(patch("/Users/1", {"op": "replace", "path": "userName", "value": "PRIMARY/john"}))
        c.settle()
        users = w.org.users()
        assert users["jsmith@acme.example"]["FirstName"] == "Jill" and users["john@acme.example"]["FirstName"] == "John"


def test_a_name_taken_in_the_org_is_parked_with_the_remedy():
    with World() as w:
        c = w.connector()
        w.org.ask("POST", "/__org/users", {"Username": "primary-jdoe@acme.example", "LastName": "Other"})
        w.org.ask("POST", "/__org/users", {"Username": "primary-far@acme.example", "LastName": "Far"}, org="globex")
        c.accept(create("/Users/1", person("jdoe")), create("/Users/2", person("far")), create("/Users/3", person("ok")))
        c.settle()
        here, far = c.user("/Users/1"), c.user("/Users/2")
        for row in (here, far):  # another org keeps it, unless this one is a sandbox
            assert (row["code"], row["state"]) == ("DUPLICATE_USERNAME", "parked"), row
        assert "of this org" in here["message"] and "another org" in far["cause"], (here, far)
        assert c.user("/Users/3")["state"] == "in_step"
        assert c.user("/Users/1").get("salesforce_id") is None


def test_parked_users_are_planned_again_when_the_mapping_is_corrected():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe", title="x" * 100)))
        c.settle()
        row = c.user("/Users/1")
        assert row["state"] == "parked" and row["code"] == "MAPPING" and "Title" in row["message"], row
        assert w.org.users() == {}
        c.close()
        c = w.connector(mapping=[{"field": "Title", "source": "title", "too_long": "truncate"}])
        c.settle()
        assert w.org.user("primary-jdoe@acme.example")["Title"] == "x" * 80
        assert c.user("/Users/1")["state"] == "in_step"


def test_who_is_parked_is_planned_again_by_whatever_field_is_corrected():
    """Each field parks one user who is delivered when it is right, without retry or news."""
    long_name = "jdoe-with-a-name-that-is-long-and-longer-still-up-to-here-five"
    for wrong, right in (({"provisioning_domain": "a-domain-too-long-for-usernames.example"}, {}),
                         ({}, {"provisioning_pattern": "{UN}"}),
                         ({"profile": "No Such Profile"}, {}),
                         ({"mapping": [{"field": "UserRoleId", "constant": "No Such Role"}]}, {}),
                         ({"mapping": [{"field": "Nonesuch__c", "source": "title"}]}, {})):
        with World() as w:
            c = w.connector(**wrong)
            c.accept(create("/Users/1", person(long_name if wrong == {} else long_name[:40], title="Boss")))
            c.settle()
            row = c.user("/Users/1")
            assert row["state"] == "parked" and row["cause"] and row["remedy"] and not w.org.users(), (wrong, row)
            c.close()
            c = w.connector(**right)
            c.settle()
            assert c.user("/Users/1")["state"] == "in_step", (wrong, c.user("/Users/1"))
            assert [(user["IsActive"], user["Title"]) for user in w.org.users().values()] == [(True, "Boss")], wrong


def test_a_new_separator_does_not_creep_through_the_org():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        c.close()
        c = w.connector(provisioning_separator="_")
        c.accept(put("/Users/1", person("jdoe", title="Chief")))
        c.accept(create("/Users/2", person("new")))
        c.settle()
        assert sorted(w.org.users()) == ["primary-jdoe@acme.example", "primary_new@acme.example"]
        assert w.org.user("primary-jdoe@acme.example")["Title"] == "Chief"


def replanned(c, **order):
    return c.act(act="replan", all=True, **order)


def test_a_replan_brings_a_new_separator_and_profile_to_those_who_are_there():
    with World(guard_floor=1, guard_percent=50) as w:
        c = w.connector()
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(4)], create("/Users/9", person("gone")))
        c.settle()
        c.accept(simple("/Users/9", "prov:delete"))
        c.settle()
        ids = {user["Id"] for user in w.org.users().values()}
        c.close()
        c = w.connector(provisioning_separator="_", profile="System Administrator")
        before = w.org.usage()
        shown = replanned(c, dry_run=True)
        assert shown["counts"] == {"linked": 5, "created": 0, "renamed": 4, "updated": 0, "deactivated": 0,
                                   "blocked": 0, "unchanged": 1}, shown
        assert not shown["applied"] and "4 of 5" in shown["reason"] and "profile" in shown["looks_up"][0], shown
        change = next(line for line in shown["changes"] if line["uri"] == "/Users/0")
        assert (change["from"], change["to"]) == ("primary-u0@acme.example", "primary_u0@acme.example"), change
        refused = replanned(c)
        assert not refused["applied"] and refused["reason"] == shown["reason"], "the guard holds without force"
        assert c.settle().delivered == 0 and w.org.usage() == before, "nothing was changed"
        assert replanned(c, force=True)["applied"]
        c.settle()
        names = sorted(name for name, user in w.org.users().items() if user["IsActive"])
        assert names == [f"primary_u{n}@acme.example" for n in range(4)], names
        profiles = w.org.state()["profiles"]
        assert {w.org.user(name)["ProfileId"] for name in names} == {profiles["System Administrator"]}
        assert {user["Id"] for user in w.org.users().values()} == ids, "the accounts are the same"
        assert w.org.user("primary-gone@acme.example")["IsActive"] is False, "who is gone is left alone"
        again = replanned(c)
        assert again["applied"] and again["counts"]["renamed"] == 0, again
        sent = len(w.org.calls()["calls"])
        c.settle()
        assert len(w.org.calls()["calls"]) == sent, "a second replan sends nothing"


def test_a_replan_outlives_a_retry_and_a_lost_answer():
    for fault in ({"on": "collections_update", "do": "refuse_record",
                   "match": {"Username": "primary-jdoe@acme.example"}},
                  {"on": "collections_update", "do": "drop_before", "times": 2}):
        with World(settle_window_s=1) as w:
            c = w.connector()
            c.accept(create("/Users/1", person("jdoe")))
            c.settle()
            c.close()
            c = w.connector(provisioning_separator="_")
            w.org.fault(fault)
            assert c.act(act="replan", user="/Users/1")["applied"]
            c.deliver(0)
            assert list(w.org.users()) == ["primary-jdoe@acme.example"], "not yet"
            c.close()
            c = w.connector(provisioning_separator="_")
            c.accept(put("/Users/1", person("jdoe", title="Chief")))
            c.settle()
            assert list(w.org.users()) == ["primary_jdoe@acme.example"]
            assert w.org.user("primary_jdoe@acme.example")["Title"] == "Chief"


def test_a_replan_ordered_while_another_has_no_answer_is_done_too():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        for separator in "_+":
            c.close()
            c = w.connector(provisioning_separator=separator)
            w.org.fault(*[{"on": "collections_update", "do": "drop_after"}] * (separator == "_"))
            assert c.act(act="replan", user="/Users/1")["applied"]
            c.deliver(0)
        c.settle()
        assert list(w.org.users()) == ["primary+jdoe@acme.example"]


REFUSED_NAME = {"on": "collections_update", "do": "refuse_record", "statusCode": "STRING_TOO_LONG", "times": 1,
                "match": {"Username": "primary_jdoe@acme.example"}}


@contextlib.contextmanager
def replan_refused():
    """A user whose account was to get a new separator, which the org refused."""
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        c.close()
        c = w.connector(provisioning_separator="_")
        w.org.fault(REFUSED_NAME)
        assert c.act(act="replan", user="/Users/1")["applied"]
        c.settle()
        assert c.user("/Users/1")["code"] == "STRING_TOO_LONG", c.user("/Users/1")
        yield w, c


def test_a_replan_that_was_refused_is_for_these_fields_and_for_no_others():
    with replan_refused() as (w, c):
        c.close()
        c = w.connector(provisioning_separator="+")
        c.settle()
        assert list(w.org.users()) == ["primary-jdoe@acme.example"], "of the new ones nobody has seen the counts"
        assert c.user("/Users/1")["state"] == "in_step"


def test_news_are_not_refused_with_a_replan_that_was_refused():
    with replan_refused() as (w, c):
        w.org.fault(dict(REFUSED_NAME, times=-1))
        c.accept(put("/Users/1", person("jdoe", title="Chief")))
        c.settle()
        assert w.org.user("primary-jdoe@acme.example")["Title"] == "Chief", c.user("/Users/1")
        assert c.user("/Users/1")["state"] == "in_step"


def test_a_retry_of_a_replan_that_was_refused_does_it():
    with replan_refused() as (w, c):
        c.act(act="retry", user="/Users/1")
        c.settle()
        assert list(w.org.users()) == ["primary_jdoe@acme.example"]


def test_a_replan_ordered_while_another_is_looked_for_is_done_too():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        c.close()
        c = w.connector(provisioning_separator="_")
        w.org.fault({"on": "collections_update", "do": "late", "delay_ms": 2500})
        assert c.act(act="replan", user="/Users/1")["applied"]
        c.deliver(0)
        c.close()
        c = w.connector(provisioning_separator="+")
        assert c.act(act="replan", user="/Users/1")["applied"]
        c.deliver(0)
        assert c.user("/Users/1")["state"] == "in_flight" and "primary-jdoe@acme.example" in w.org.users()
        c.settle()
        assert list(w.org.users()) == ["primary+jdoe@acme.example"]


def test_a_replan_names_whom_it_cannot_rename_and_leaves_them_in_step():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("A/jdoe")), create("/Users/2", person("B/jdoe")))
        c.settle()
        c.close()
        c = w.connector(provisioning_pattern="{UN}")
        answer = replanned(c)
        assert answer["counts"]["renamed"] == 1 and answer["counts"]["blocked"] == 1, answer
        reasons = [line["reason"] for line in answer["changes"] if line["what"] == "blocked"]
        assert "jdoe@acme.example" in reasons[0] and "/Users/1" in reasons[0], reasons
        c.settle()
        assert sorted(w.org.users()) == ["b-jdoe@acme.example", "jdoe@acme.example"]
        assert {row["state"] for row in c.query(query="subjects")["subjects"]} == {"in_step"}
        c.close()
        c = w.connector(provisioning_domain="x" * 60 + ".yyyyyyyy.example")
        answer = replanned(c)
        assert answer["counts"]["blocked"] == 2 and "80" in answer["changes"][0]["reason"], answer
        c.settle()
        assert {row["state"] for row in c.query(query="subjects")["subjects"]} == {"in_step"}


def test_a_replan_renames_those_who_exchange_their_usernames():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("a/b")), create("/Users/2", person("b/a")), create("/Users/3", person("c/c")))
        c.settle()
        ids = {name: user["Id"] for name, user in w.org.users().items()}
        c.close()
        c = w.connector(provisioning_pattern="{UN,UD}")
        answer = replanned(c, force=True)
        assert answer["counts"]["renamed"] == 2 and answer["counts"]["blocked"] == 0, answer
        c.settle()
        after = {name: user["Id"] for name, user in w.org.users().items()}
        a, b = "a-b@acme.example", "b-a@acme.example"
        assert (after[a], after[b]) == (ids[b], ids[a]) and len(after) == 3, (ids, after)
        assert {row["state"] for row in c.query(query="subjects")["subjects"]} == {"in_step"}


def test_a_replan_follows_a_username_that_is_about_to_be_given_up():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("c/a-b")), create("/Users/2", person("a/b")))
        c.settle()
        c.close()
        c = w.connector(provisioning_pattern="{UN}")
        answer = replanned(c, force=True)
        assert answer["counts"]["renamed"] == 2 and answer["counts"]["blocked"] == 0, answer
        c.settle()
        assert sorted(w.org.users()) == ["a-b@acme.example", "b@acme.example"], w.org.users()
    with World() as w:  # and here it is not: an earlier user is given what its holder would be
        c = w.connector()
        c.accept(create("/Users/0", person("z/b")), create("/Users/1", person("c/a-b")), create("/Users/2", person("a/b")))
        c.settle()
        c.close()
        c = w.connector(provisioning_pattern="{UN}")
        answer = replanned(c, force=True)
        assert answer["counts"]["renamed"] == 1 and answer["counts"]["blocked"] == 2, answer
        c.settle()
        assert sorted(w.org.users()) == ["a-b@acme.example", "b@acme.example", "c-a-b@acme.example"], w.org.users()
        assert {row["state"] for row in c.query(query="subjects")["subjects"]} == {"in_step"}


def test_deactivation_is_not_stopped_by_a_bad_mapping():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        c.accept(put("/Users/1", person("jdoe", title="x" * 100, active=False)))
        c.settle()
        assert not w.org.user("primary-jdoe@acme.example")["IsActive"]
        row = c.user("/Users/1")
        assert row["state"] == "parked" and row["code"] == "MAPPING", row


def test_a_patch_for_an_unseen_user_is_parked_until_the_user_comes():
    with World() as w:
        c = w.connector()
        c.accept(patch("/Users/1", {"op": "replace", "path": "title", "value": "Chief"}))
        c.settle()
        assert c.user("/Users/1")["code"] == "RESOURCE_NEVER_SEEN"
        c.accept(put("/Users/1", person("jdoe")))
        c.settle()
        assert c.user("/Users/1")["state"] == "in_step" and len(w.org.users()) == 1


def test_an_unknown_profile_parks_hires_and_names_those_there_are():
    with World(profile="Nonesuch") as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        row = c.user("/Users/1")
        assert row["code"] == "PROFILE_NOT_FOUND" and "Standard User" in row["message"], row


def test_a_licence_that_ran_out_is_named():
    with World("--seats", "3") as w:
        c = w.connector()
        c.accept(create("/Users/1", person("one")), create("/Users/2", person("two")))
        c.settle()
        states = sorted((c.user(f"/Users/{n}")["state"], c.user(f"/Users/{n}").get("code")) for n in (1, 2))
        assert states == [("in_step", None), ("waiting", "LICENSE_LIMIT_EXCEEDED")], states


def test_several_uris_in_one_token_are_one_change():
    with World() as w:
        c = w.connector()
        c.accept(token("/Users/1", ("prov:deactivate", {}), ("prov:create:full", {"data": person("jdoe")})))
        c.settle()
        assert w.org.users() == {}
        assert c.user("/Users/1")["version"] == 1


def test_the_worker_delivers_by_itself():
    with World() as w:
        c = w.connector(flags=0)
        c.accept(create("/Users/1", person("jdoe")))
        until(w.org.users, "the worker's create")
        assert list(w.org.users()) == ["primary-jdoe@acme.example"]


def test_the_host_is_told_of_every_outcome():
    with World() as w:
        answers = iter([False, True, True, True, True])
        c = w.connector(outcome=lambda: next(answers))
        c.accept(create("/Users/1", person("jdoe"), txn="t-1"))
        c.settle()
        c.accept(put("/Users/1", person("jdoe", title="x" * 100), txn="t-2"))
        c.settle()
        told = [(claims["txn"], claims["events"]["urn:ietf:params:scim:event:misc:asyncresp"]["status"])
                for claims in c.outcomes]
        assert told == [("t-1", "200"), ("t-2", "400")], told
        methods = [claims["events"]["urn:ietf:params:scim:event:misc:asyncresp"]["method"] for claims in c.outcomes]
        assert methods == ["POST", "PUT"], methods


def told(c):
    return [(claims["txn"], claims["events"]["urn:ietf:params:scim:event:misc:asyncresp"]["status"])
            for claims in c.outcomes]


def test_what_was_refused_and_is_delivered_after_all_is_told_again():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        w.org.fault({"on": "collections_create", "do": "refuse_record",
                     "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
        c.accept(create("/Users/1", person("jdoe"), txn="t-1"))
        c.settle()
        assert told(c) == [("t-1", "400")], told(c)
        c.act(act="retry", user="/Users/1")
        c.settle()
        assert told(c) == [("t-1", "400"), ("t-1", "200")], told(c)
        c.act(act="retry", user="/Users/1")
        c.settle()
        assert len(told(c)) == 2, "and no more than that"


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
