#!/usr/bin/env python3
"""What an org refuses by what it has switched on: lists of states and countries, allowed e-mail domains, users whom it
needs, numbers of few digits, calls that take long. Who is refused harms nobody else of the call, is told why and what to
do, and is tried again when that helps."""
import http.client
import json
import sys
import threading
import time

import harness
from harness import World, create, person, put, simple
from test_leavers import frozen, leave, staffed, user_of

WORK = 'addresses[type eq "work"].'
CODES = [{"field": "Country", "remove": True}, {"field": "State", "remove": True},
         {"field": "CountryCode", "source": WORK + "country"}, {"field": "StateCode", "source": WORK + "region"}]


def of(name, **address):
    return person(name, addresses=[dict({"type": "work"}, **address)])


def place(w, name):
    user = user_of(w, name)
    return tuple(user[field] for field in ("Country", "CountryCode", "State", "StateCode"))


def is_refused(c, uri, code, *words):
    row = c.user(uri)
    assert (row["state"], row["code"]) == ("parked", code), row
    said = " ".join((row["message"], row["cause"], row["remedy"]))
    assert all(word in said for word in words), row
    return row


# ---- states and countries ----

def test_a_country_that_is_not_in_the_list_parks_its_user_alone_and_says_what_to_map():
    with World() as w:
        w.org.settings(address_picklists=True)
        c = w.connector()
        c.accept(create("/Users/1", of("ada", country="DE")), create("/Users/2", of("bo", country="Germany")),
                 create("/Users/3", of("cy", country="United States", region="Bavaria")),
                 create("/Users/4", of("di", country="Germany", region="Texas")),
                 create("/Users/5", of("ed", region="Texas")), create("/Users/6", person("flo")))
        c.settle()
        is_refused(c, "/Users/1", "FIELD_INTEGRITY_EXCEPTION", "list of countries", "CountryCode", "docs/mapping")
        is_refused(c, "/Users/3", "FIELD_INTEGRITY_EXCEPTION", "list of states", "StateCode")
        is_refused(c, "/Users/4", "FIELD_INTEGRITY_EXCEPTION", "not one of the user's country")
        is_refused(c, "/Users/5", "FIELD_INTEGRITY_EXCEPTION", "a state and no country")
        assert place(w, "bo") == ("Germany", "DE", None, None) and user_of(w, "flo"), "nobody else is harmed"
        c.close()
        c = w.connector(mapping=CODES)  # a corrected field tries again who is parked
        c.settle()
        assert c.user("/Users/1")["state"] == "in_step" and place(w, "ada") == ("Germany", "DE", None, None)


def test_codes_are_sent_as_the_host_has_them_and_are_no_drift():
    with World(mapping=CODES) as w:
        w.org.settings(address_picklists=True)
        c = w.connector()
        c.accept(create("/Users/1", of("ada", country="us", region="wa")),
                 create("/Users/2", of("bo", country="XX")))
        c.settle()
        assert place(w, "ada") == ("United States", "US", "Washington", "WA")
        is_refused(c, "/Users/2", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "'XX' is not in the list")
        drift = c.query(query="drift")
        assert drift["same"] == 1 and not drift["drift"], drift
        c.accept(put("/Users/1", of("ada", country="DE")))  # the state goes with the country
        c.settle()
        assert c.user("/Users/1")["state"] == "in_step" and place(w, "ada") == ("Germany", "DE", None, None)


def test_a_code_whose_answer_was_lost_is_found_as_the_org_spells_it():
    with World(mapping=CODES, settle_window_s=1) as w:
        w.org.settings(address_picklists=True)
        c = w.connector()
        c.accept(create("/Users/1", of("ada", country="FR")))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "drop_after"})
        c.accept(put("/Users/1", of("ada", country="de")))
        c.settle()
        assert c.user("/Users/1")["state"] == "in_step" and place(w, "ada")[1] == "DE"
        updates = [call for call in w.org.calls()["calls"] if call["kind"] == "collections_update"]
        assert len(updates) == 1, "it was sent again"


# ---- e-mail domains ----

def test_an_address_of_another_domain_is_refused_and_who_leaves_with_one_is_frozen():
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        c = staffed(w, "ada", "bo")
        mail = user_of(w, "ada")["Email"].rsplit("@", 1)[1]
        w.org.settings(email_domains=["elsewhere.example"])
        cy = person("cy")
        cy["emails"] = [{"value": "cy@elsewhere.example", "primary": True}]
        c.accept(create("/Users/di", person("di")), create("/Users/cy", cy))
        leave(c, "ada")
        c.deliver(0)
        is_refused(c, "/Users/di", "INVALID_EMAIL_ADDRESS", "Must be in domain(s)", "Setup > Allowed Email Domains")
        assert user_of(w, "cy")["IsActive"], "nobody else is harmed"
        row = is_refused(c, "/Users/ada", "INVALID_EMAIL_ADDRESS", "frozen until", "leaves with the correction")
        assert row["next_attempt"] and frozen(w) == ["primary-ada@acme.example"]
        w.org.settings(email_domains=["elsewhere.example", mail])
        c.act(act="retry", state="parked")
        c.settle()
        assert not user_of(w, "ada")["IsActive"] and user_of(w, "di")["IsActive"] and user_of(w, "bo")["IsActive"]


# ---- who leaves with a value that the org does not take any more ----

def mailed(name, domain, **more):
    return dict(person(name), emails=[{"value": f"{name}@{domain}", "primary": True}], **more)


def deactivations(w):
    """What was sent beside IsActive, each time."""
    return [sorted(set(record) - {"attributes", "id", "Id", "IsActive"}) for call in w.org.calls()["calls"]
            if call["kind"] == "collections_update" for record in json.loads(call["body"])["records"] if record.get("IsActive") is False]


def test_a_leaver_whose_value_is_refused_leaves_with_the_hosts_correction():
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        c = staffed(w, "ada", "bo")
        w.org.settings(email_domains=["elsewhere.example"], email_verification=False)
        c.accept(put("/Users/ada", person("ada", active=False, title="Gone")))
        c.deliver(0)
        is_refused(c, "/Users/ada", "INVALID_EMAIL_ADDRESS", "frozen until")
        assert frozen(w) == ["primary-ada@acme.example"] and deactivations(w) == [[]], (deactivations(w), "nothing is corrected")
        c.accept(put("/Users/ada", mailed("ada", "elsewhere.example", active=False, title="Gone")),
                 put("/Users/bo", mailed("bo", "elsewhere.example", active=False)))
        c.settle()
        for name in ("ada", "bo"):
            assert not user_of(w, name)["IsActive"] and user_of(w, name)["Email"] == f"{name}@elsewhere.example"
            assert c.user(f"/Users/{name}")["state"] == "in_step", c.user(f"/Users/{name}")
        assert frozen(w) == ["primary-ada@acme.example"], "bo left at once"
        assert sorted(deactivations(w)[1:]) == [[], [], ["Email"], ["Email"]], "alone first, and the field that is named"
        assert user_of(w, "ada")["Title"] == "Gone", "the rest follows"


def test_who_is_gone_leaves_with_what_the_host_had_corrected_before():
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        c = staffed(w, "ada")
        w.org.settings(email_domains=["elsewhere.example"], email_verification=False)
        c.accept(put("/Users/ada", mailed("ada", "elsewhere.example", title="Gone")))
        leave(c, "ada")
        c.settle()
        ada = user_of(w, "ada")
        assert not ada["IsActive"] and ada["Email"] == "ada@elsewhere.example" and not ada["Title"], ada


def test_a_correction_that_is_refused_too_is_told_and_leaves_the_account_frozen():
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        c = staffed(w, "ada")
        w.org.settings(email_domains=["elsewhere.example"], email_verification=False)
        c.accept(put("/Users/ada", mailed("ada", "third.example", active=False)))
        c.deliver(0)
        is_refused(c, "/Users/ada", "INVALID_EMAIL_ADDRESS", "frozen until")
        assert frozen(w) == ["primary-ada@acme.example"] and deactivations(w) == [[], ["Email"]]


def test_a_state_that_is_not_in_the_list_any_more_keeps_nobody_from_leaving_when_it_is_corrected():
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        c = w.connector()
        c.accept(create("/Users/1", of("ada", country="United States", region="Washingtn")))
        c.settle()
        w.org.settings(address_picklists=True)
        c.accept(put("/Users/1", dict(of("ada", country="United States", region="Washingtn"), active=False)))
        c.deliver(0)
        is_refused(c, "/Users/1", "FIELD_INTEGRITY_EXCEPTION", "list of states")
        c.accept(put("/Users/1", dict(of("ada", country="United States", region="Washington"), active=False)))
        c.settle()
        assert not user_of(w, "ada")["IsActive"] and place(w, "ada")[2] == "Washington", (place(w, "ada"), deactivations(w))


def test_a_correction_whose_answer_was_lost_is_found():
    for do in ("drop_after", "drop_before"):
        with World(retry_first_s=1, retry_max_s=1, settle_window_s=1) as w:
            c = staffed(w, "ada")
            w.org.settings(email_domains=["elsewhere.example"], email_verification=False)
            w.org.fault({"on": "collections_update", "do": do, "skip": 1})
            c.accept(put("/Users/ada", mailed("ada", "elsewhere.example", active=False)))
            c.settle()
            row = c.user("/Users/ada")
            assert row["state"] == "in_step" and row["confirmed"]["Email"] == "ada@elsewhere.example", row
            assert not user_of(w, "ada")["IsActive"] and not frozen(w)


# ---- who is needed ----

NEEDED = {
    "default_lead_owner": "default owner of leads", "default_case_owner": "default owner of cases",
    "default_workflow_user": "default workflow user", "web_to_lead_creator": "web-to-lead",
    "case_rules": "Escalation Rules", "portal_administrator": "administrator of a portal",
    "email_alert": "workflow email alert", "approver": "approval process",
}


def test_who_is_needed_in_the_org_is_frozen_and_leaves_when_another_takes_over():
    with World(guard_floor=1000, retry_first_s=3600, retry_max_s=3600) as w:
        c = staffed(w, *NEEDED, "free")
        w.org.settings(needed={what: f"primary-{what}@acme.example" for what in NEEDED})
        leave(c, *NEEDED, "free")
        c.deliver(0)
        for what, word in NEEDED.items():
            row = is_refused(c, f"/Users/{what}", "FIELD_INTEGRITY_EXCEPTION", word, "frozen until", "Setup >")
            assert row["next_attempt"], row
        assert len(frozen(w)) == len(NEEDED) and not user_of(w, "free")["IsActive"]
        w.org.settings(needed={what: None for what in NEEDED})
        c.act(act="retry", state="parked")
        c.settle()
        assert not any(user["IsActive"] for user in w.org.users().values())


def test_a_deputy_leaves_when_nobody_names_him_any_more():
    rules = [{"field": "Deputy__c", "kind": "reference", "source": "title"}]
    with World(mapping=rules, retry_first_s=3600, retry_max_s=3600) as w:
        w.org.settings(custom_fields=[{"name": "Deputy__c", "type": "reference", "target": "User", "hierarchy": True}])
        c = staffed(w, "ada", "bo")
        deputy = user_of(w, "ada")["Id"]
        c.accept(put("/Users/bo", person("bo", title=deputy)))
        c.settle()
        assert user_of(w, "bo")["Deputy__c"] == deputy
        leave(c, "ada")
        c.deliver(0)
        is_refused(c, "/Users/ada", "FIELD_INTEGRITY_EXCEPTION", "hierarchy field", "Deputy__c", "frozen until")
        c.accept(put("/Users/bo", person("bo", title=None)))
        c.settle()
        c.act(act="retry", user="/Users/ada")
        c.settle()
        assert not user_of(w, "ada")["IsActive"] and user_of(w, "bo")["Deputy__c"] is None


# ---- numbers ----

def test_a_number_with_too_many_digits_parks_its_user_and_one_with_more_behind_the_point_is_no_drift():
    rules = [{"field": "Cost__c", "kind": "number", "source": "title"}]
    with World(mapping=rules) as w:
        w.org.settings(custom_fields=[{"name": "Cost__c", "type": "double", "precision": 5, "scale": 2}])
        c = w.connector()
        c.accept(create("/Users/1", person("ada", title="1000")), create("/Users/2", person("bo", title="999.12345")))
        c.settle()
        is_refused(c, "/Users/1", "NUMBER_OUTSIDE_VALID_RANGE", "larger or smaller")
        assert user_of(w, "bo")["Cost__c"] == 999.12345, "kept as sent"
        drift = c.query(query="drift")
        assert drift["same"] == 1 and not drift["drift"], drift


# ---- long calls ----

def take_long(w, delay_ms):
    """A call of somebody else, which takes so long; it is long already when this returns."""
    w.org.settings(long_call_ms=50, long_calls_max=1)
    w.org.fault({"on": "versions", "do": "delay", "delay_ms": delay_ms})

    def ask():
        connection = http.client.HTTPConnection(w.org.url.split("://")[1], timeout=harness.PATIENCE_S)
        connection.request("GET", "/services/data")
        connection.getresponse().read()
        connection.close()
    thread = threading.Thread(target=ask)
    thread.start()
    harness.until(lambda: w.org.state()["usage"]["under_way"] > 0, "under way")
    time.sleep(0.1)
    return thread


def test_too_many_long_calls_in_the_org_are_waited_for_and_cost_nobody_an_attempt():
    with World(retry_first_s=1, retry_max_s=1) as w:
        c = staffed(w, "ada")
        busy = take_long(w, 2000)
        c.accept(create("/Users/bo", person("bo")), put("/Users/ada", person("ada", title="Chief")))
        c.deliver(0)
        status = c.query(query="status")
        assert "ConcurrentPerOrgLongTxn" in status["trouble"]["reason"] and status["hold"] is None, status
        assert c.user("/Users/bo")["attempts"] == 0 and c.user("/Users/bo")["state"] == "pending"
        busy.join()
        c.until(lambda: c.user("/Users/bo")["state"] == "in_step", "it goes on by itself")
        assert user_of(w, "ada")["Title"] == "Chief" and c.query(query="status")["trouble"] is None


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
