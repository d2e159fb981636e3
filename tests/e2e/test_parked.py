"""Who is parked passes by himself when the org has changed: a few of each code are looked at each hour, and all when
one of them passes."""
import json
import sqlite3
import sys
import urllib.parse
import urllib.request

import harness
from harness import World, create, person, put

RULE = {"on": "collections_create", "do": "refuse_record", "match": {"IsActive": True}, "times": -1,
        "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "A department is needed"}


def parked(c):
    return [row["uri"] for row in c.query(query="subjects", state="parked", limit=1000)["subjects"]]


def an_hour_later(w, c, **fields):
    """Another process, that finds who was looked at an hour ago."""
    c.close()
    with sqlite3.connect(w.fields["store"]) as store:
        store.execute("UPDATE link SET updated_us = updated_us - 3700000000")
        store.execute("UPDATE fact SET value = value - 3700000000 WHERE key IN ('parked_looked_us', 'org_user_at_us')")
        store.execute("UPDATE fact SET value = json_set(value, '$.read_us', json_extract(value, '$.read_us') - 3700000000)"
                      " WHERE key = 'org_user'")
    store.close()
    c = w.connector(**fields)
    c.settle()
    return c


def make_role(w, name):
    """As an admin does, by the API."""
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": w.org.facts["client_id"],
                                   "client_secret": w.org.facts["client_secret"]}).encode()
    with urllib.request.urlopen(f"{w.org.url}/services/oauth2/token", form) as answer:
        access = json.load(answer)["access_token"]
    request = urllib.request.Request(f"{w.org.url}/services/data/v66.0/sobjects/UserRole", method="POST",
                                     data=json.dumps({"Name": name}).encode(),
                                     headers={"Authorization": f"Bearer {access}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201


def sent(w):
    return sum(call["records"] for call in w.org.calls()["calls"] if call["kind"] == "collections_create")


def park_one(w, code, resource=None, **fields):
    c = w.connector(**fields)
    c.accept(create("/Users/1", resource or person("jdoe")))
    c.settle()
    row = c.user("/Users/1")
    assert row["state"] == "parked" and row["code"] == code, row
    return c


def is_in_step(c):
    row = c.user("/Users/1")
    assert row["state"] == "in_step", row


def test_a_profile_that_is_readable_now():
    with World() as w:
        w.org.fault({"on": "query", "do": "refuse_call_with", "errorCode": "INVALID_TYPE", "message": "no"})
        c = park_one(w, "PROFILE_NOT_FOUND")
        w.org.ask("DELETE", "/__org/faults")
        is_in_step(an_hour_later(w, c))


def test_a_role_that_was_created():
    with World() as w:
        fields = {"mapping": [{"field": "UserRoleId", "source": "title"}]}
        c = park_one(w, "NAME_NOT_FOUND", person("jdoe", title="Pilot"), **fields)
        make_role(w, "Pilot")
        c = an_hour_later(w, c, **fields)
        is_in_step(c)
        assert w.org.user("primary-jdoe@acme.example")["UserRoleId"]


def test_a_field_that_was_made():
    with World() as w:
        fields = {"mapping": [{"field": "Badge__c", "source": "userName"}]}
        c = park_one(w, "INVALID_FIELD", **fields)
        w.org.settings(custom_fields=[{"name": "Badge__c", "label": "Badge", "type": "string", "length": 40}])
        is_in_step(an_hour_later(w, c, **fields))
        assert w.org.user("primary-jdoe@acme.example")["Badge__c"] == "jdoe"


def test_a_value_that_was_added_to_a_picklist():
    with World() as w:
        w.org.fault(dict(RULE, statusCode="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", fields="LanguageLocaleKey",
                         message="Language: bad value for restricted picklist field: fi"))
        c = park_one(w, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
        w.org.ask("DELETE", "/__org/faults")
        is_in_step(an_hour_later(w, c))


def test_a_name_that_was_given_free_in_the_org():
    with World() as w:
        w.org.ask("POST", "/__org/users", {"Username": "primary-jdoe@acme.example", "LastName": "Other"})
        c = park_one(w, "DUPLICATE_USERNAME")
        w.org.ask("PATCH", "/__org/users/primary-jdoe@acme.example", {"Username": "other@acme.example"})
        is_in_step(an_hour_later(w, c))


def test_all_of_a_code_pass_when_one_does_and_few_are_tried_while_none_does():
    with World(quarantine_percent=100) as w:
        c = w.connector()
        w.org.fault(RULE)
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(90)])
        c.settle()
        assert len(parked(c)) == 90 and sent(w) == 90
        c = an_hour_later(w, c)
        assert sent(w) == 90 + 20 and len(parked(c)) == 90
        assert not any("is parked" in line for _, line in c.lines), "nothing new to say"
        c.close()
        c = w.connector()
        c.settle()
        assert sent(w) == 90 + 20, "not before an hour is over"
        w.org.ask("DELETE", "/__org/faults")
        c = an_hour_later(w, c)
        assert parked(c) == [] and len(w.org.users()) == 90


def test_a_user_corrected_at_the_host_wakes_nobody():
    with World(quarantine_percent=100) as w:
        c = w.connector()
        w.org.fault(dict(RULE, match={"Department": None}))
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(50)])
        c.settle()
        assert len(parked(c)) == 50
        before = sent(w)
        enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
        c.accept(put("/Users/7", person("u7", **{enterprise: {"department": "Sales"}})))
        c.settle()
        assert len(parked(c)) == 49 and sent(w) == before + 1


def test_a_retry_that_passes_brings_the_others():
    with World(quarantine_percent=100) as w:
        c = w.connector()
        w.org.fault(RULE)
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(50)])
        c.settle()
        w.org.ask("DELETE", "/__org/faults")
        c.act(act="retry", user="/Users/3")
        c.settle()
        assert parked(c) == [] and len(w.org.users()) == 50


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
