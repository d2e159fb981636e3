#!/usr/bin/env python3
"""What the org says of its fields: who does not fit is parked without a call, and nobody is stopped by it."""
import sqlite3
import sys

import harness
from harness import World, create, person, put, simple
from test_cli import Shell
from test_parked import make_role

SITE = {"name": "Site__c", "type": "picklist", "values": ["Berlin", "Bonn"]}
RULES = [{"field": "Site__c", "source": "title", "kind": "picklist"}]


def writes(w):
    return sum(call["kind"].startswith("collections") for call in w.org.calls()["calls"])


def describes(w):
    return sum(call["kind"] == "describe" for call in w.org.calls()["calls"])


def parked(w, c, uri):
    c.settle()
    row = c.user(uri)
    assert row["state"] == "parked", row
    return row


def test_after_one_refusal_the_same_is_known_before_it_is_sent():
    with World(mapping=RULES) as w:
        w.org.settings(custom_fields=[SITE])
        w.org.fault({"on": "describe", "do": "status", "status": 503, "times": 1})
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="Brlin")))
        first = parked(w, c, "/Users/1")
        assert first["code"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        c.accept(create("/Users/2", person("bo", title="Bonn")))
        c.settle()
        before = writes(w)
        c.accept(create("/Users/3", person("cy", title="Brlin")))
        row = parked(w, c, "/Users/3")
        assert writes(w) == before, "it was sent"
        assert "'Brlin' is not in the list" in row["message"] and "'Berlin'" in row["message"], row
        assert row["code"] == first["code"] and row["cause"] and row["remedy"], row
        c.accept(put("/Users/3", person("cy", title="Berlin")))
        c.settle()
        assert w.org.user("primary-cy@acme.example")["Site__c"] == "Berlin"


def test_the_first_user_of_all_is_known_before_it_is_sent():
    with World(mapping=RULES) as w:
        w.org.settings(custom_fields=[SITE])
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="Brlin")), create("/Users/2", person("bo", title="Bonn")))
        row = parked(w, c, "/Users/1")
        assert "'Brlin' is not in the list" in row["message"] and c.user("/Users/2")["state"] == "in_step", row
        assert writes(w) == 1, "one call, for the other"
        c.close()
        c = w.connector()
        c.accept(create("/Users/3", person("cy", title="Bonn")))
        c.settle()
        assert describes(w) == 1, "kept for those who come"


def test_an_org_that_does_not_describe_is_not_asked_each_time():
    with World(mapping=RULES) as w:
        w.org.settings(custom_fields=[SITE])
        w.org.fault({"on": "describe", "do": "status", "status": 403, "times": -1,
                     "body": [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]})
        c = w.connector()
        for number in range(3):
            c.accept(create(f"/Users/{number}", person(f"u{number}", title="Bonn")))
            c.settle()
        assert describes(w) == 1 and len(w.org.users()) == 3


def test_a_leaver_is_not_weighed():
    with World(mapping=RULES) as w:
        w.org.settings(custom_fields=[SITE])
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="Bonn")))
        c.settle()
        c.query(query="org", refresh=True)
        c.accept(put("/Users/1", person("ada", title="Brlin")), simple("/Users/1", "prov:deactivate"))
        c.settle()
        assert not w.org.user("primary-ada@acme.example")["IsActive"]


def test_a_retry_by_hand_lets_the_org_decide():
    with World(mapping=RULES) as w:
        w.org.settings(custom_fields=[SITE])
        c = w.connector()
        c.accept(create("/Users/0", person("al")))
        c.settle()
        c.query(query="org", refresh=True)
        c.close()
        c = w.connector()
        before = writes(w)
        c.accept(create("/Users/1", person("ada", title="Brlin")))
        assert "not in the list" in parked(w, c, "/Users/1")["message"]
        assert writes(w) == before
        c.act(act="retry", user="/Users/1")
        parked(w, c, "/Users/1")
        assert writes(w) == before + 1


def test_an_org_that_does_not_describe_stops_nobody():
    with World() as w:
        w.org.fault({"on": "describe", "do": "status", "status": 403, "times": -1,
                     "body": [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]})
        c = w.connector(mapping=RULES)
        c.accept(create("/Users/1", person("ada", title="Bonn")))
        parked(w, c, "/Users/1")
        c.accept(create("/Users/2", person("bo")), create("/Users/3", person("cy", title="x")))
        c.settle()
        assert c.user("/Users/3")["state"] == "parked" and list(w.org.users()) == ["primary-bo@acme.example"]


def test_facts_that_have_changed_wake_who_was_parked():
    with World(mapping=RULES) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="Bonn")))
        assert parked(w, c, "/Users/1")["code"] == "INVALID_FIELD"
        c.query(query="org", refresh=True)
        w.org.settings(custom_fields=[SITE])
        c.query(query="org", refresh=True)
        c.settle()
        assert c.user("/Users/1")["state"] == "in_step", c.user("/Users/1")
        assert w.org.user("primary-ada@acme.example")["Site__c"] == "Bonn"


ROLE = {"field": "UserRoleId", "source": "title"}


def lists(w):
    """What was asked of profiles, roles and licences, in this order."""
    asked = [call.get("soql") or "" for call in w.org.calls()["calls"]]
    return [word for soql in asked for word in ("Profile", "UserRole", "UserLicense") if f" FROM {word}" in soql]


def aged(w, c, seconds):
    """Another process, that finds what was kept so long ago."""
    c.close()
    with sqlite3.connect(w.fields["store"]) as store:
        store.execute("UPDATE fact SET value = json_set(value, '$.read_us', json_extract(value, '$.read_us') - ?)"
                      " WHERE key IN ('org_profiles', 'org_roles', 'org_licences')", (seconds * 1000000,))
    store.close()
    return w.connector(mapping=[ROLE])


def test_profiles_and_roles_are_read_once_and_kept_for_those_who_come_later():
    with World(mapping=[ROLE]) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="CEO")))
        c.settle()
        assert sorted(lists(w)) == ["Profile", "UserLicense", "UserRole"], lists(w)
        kept = c.query(query="org")
        assert {row["Name"] for row in kept["profiles"]} >= {"Standard User", "System Administrator"}, kept
        assert "CEO" in {row["Name"] for row in kept["roles"]} and kept["licences"], kept
        assert all(kept[f"{what}_age_s"] >= 0 for what in ("profiles", "roles", "licences", "fields")), kept
        c = aged(w, c, 3600)
        c.accept(create("/Users/2", person("bo", title="Sales Manager")), put("/Users/1", person("ada", title="Sales Manager")))
        c.settle()
        assert w.org.user("primary-bo@acme.example")["UserRoleId"] == w.org.user("primary-ada@acme.example")["UserRoleId"]
        assert sorted(lists(w)) == ["Profile", "UserLicense", "UserLicense", "UserRole"], "seats alone are asked again"


def test_what_is_a_day_old_is_read_anew():
    with World(mapping=[ROLE]) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="CEO")))
        c.settle()
        c = aged(w, c, 25 * 3600)
        c.accept(create("/Users/2", person("bo", title="CEO")))
        c.settle()
        assert sorted(lists(w)) == 2 * ["Profile"] + 2 * ["UserLicense"] + 2 * ["UserRole"], lists(w)
        assert c.query(query="org")["roles_age_s"] < 3600


def test_a_name_that_is_not_found_is_looked_for_anew_and_one_that_is_found_wakes_all():
    with World(mapping=[ROLE]) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="CEO")))
        c.settle()
        c.accept(create("/Users/2", person("bo", title="Pilot")), create("/Users/3", person("cy", title="Pilot")))
        row = parked(w, c, "/Users/2")
        assert row["code"] == "NAME_NOT_FOUND" and lists(w).count("UserRole") == 2, (row, lists(w))
        make_role(w, "Pilot")
        c.accept(create("/Users/4", person("di", title="Pilot")))
        c.settle()
        assert len({w.org.user(f"primary-{u}@acme.example")["UserRoleId"] for u in ("bo", "cy", "di")}) == 1
        assert lists(w).count("UserRole") == 3, lists(w)


def test_a_refresh_wakes_who_was_parked_for_a_name():
    with World(mapping=[ROLE]) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="Pilot")))
        assert parked(w, c, "/Users/1")["code"] == "NAME_NOT_FOUND"
        make_role(w, "Pilot")
        c.query(query="org", refresh=True)
        c.settle()
        assert c.user("/Users/1")["state"] == "in_step"


def test_an_id_that_salesforce_refuses_is_read_anew():
    with World(mapping=[ROLE]) as w:
        make_role(w, "Pilot")
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="Pilot")))
        c.settle()
        w.org.fault({"on": "collections_create", "do": "refuse_record", "times": 1,
                     "statusCode": "INVALID_CROSS_REFERENCE_KEY", "message": "invalid cross reference id"})
        c = aged(w, c, 3600)
        c.accept(create("/Users/2", person("bo", title="Pilot")))
        c.settle()
        before = lists(w).count("UserRole")
        c.accept(create("/Users/3", person("cy", title="Pilot")))
        c.settle()
        assert lists(w).count("UserRole") == before + 1, lists(w)
        c.accept(create("/Users/4", person("di", title="Pilot")))
        c.settle()
        assert lists(w).count("UserRole") == before + 1 and len(w.org.users()) == 3, lists(w)


def test_a_list_that_cannot_be_read_in_the_store_is_read_anew():
    with World(mapping=[ROLE]) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="CEO")))
        c.settle()
        c.close()
        with sqlite3.connect(w.fields["store"]) as store:
            store.execute("UPDATE fact SET value = '{\"roles' WHERE key = 'org_roles'")
        store.close()
        c = w.connector()
        c.accept(create("/Users/2", person("bo", title="CEO")))
        c.settle()
        assert len(w.org.users()) == 2 and c.query(query="org")["roles"], lists(w)


def test_what_was_read_before_the_store_had_an_org_is_not_taken_for_that_org():
    with World(mapping=[ROLE]) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="CEO")))
        c.query(query="org", refresh=True)
        assert c.query(query="org")["profiles"]
        c.close()
        c = w.connector()
        c.settle()
        assert lists(w).count("Profile") == 2 and lists(w).count("UserRole") == 2, lists(w)


def test_a_check_asks_anew_and_what_it_read_is_kept():
    with World(mapping=[ROLE]) as w:
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="CEO")))
        c.settle()
        c = aged(w, c, 3600)
        c.check()
        assert c.query(query="org")["profiles_age_s"] < 3600 and c.query(query="org")["licences_age_s"] < 3600
        assert lists(w).count("Profile") == 2, lists(w)


def test_the_org_is_shown_with_its_age():
    with World() as w:
        sh = Shell(w)
        assert "not read yet" in sh("org") and sh.json("org")["fields_read"] is None
        out = sh("org", "--refresh")
        for word in ("Standard User", "CEO", "Salesforce", "TimeZoneSidKey", "68.0", "left in 24 hours",
                     "API Enabled, Manage Internal Users, Manage Users, View Setup and Configuration"):
            assert word in out, (word, out)
        c = w.connector()
        c.accept(create("/Users/1", person("ada")))
        c.settle()
        sh("org", "--refresh")
        kept = sh.json("org")
        assert kept["fields_age_s"] >= 0 and kept["org_id"] and len(kept["fields"]) > 40, kept
        assert {row["Name"] for row in kept["profiles"]} >= {"Standard User", "System Administrator"}
        w.org.settings(api_enabled=False)
        sh("org", "--refresh", code=5)
        assert "API Enabled" in sh.err, sh.err


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
