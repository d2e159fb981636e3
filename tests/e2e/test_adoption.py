"""Accounts that are in the org before sfprov made any, or that another store made, and what is changed there by hand."""
import contextlib
import os
import sys

import harness
from harness import ENTERPRISE, E_FIELDS, IDLE, World, create, patch, person, put, simple

CUSTOM = ("--custom-field", "Host_Id__c:255:unique:external")


def employee(number, name, **more):
    return person(name, **{ENTERPRISE: dict({"employeeNumber": number}, **more)})


def there(w, username, **fields):
    """A user whom another admin has made."""
    return w.org.ask("POST", "/__org/users", dict({"Username": username, "LastName": "There"}, **fields))


@contextlib.contextmanager
def matching(*keys, **fields):
    with World(*CUSTOM, match=list(keys), **fields) as w:
        yield w, w.connector()


def provisioned(w):
    """Accounts that were made through the API."""
    return w.org.state()["counts"]["provisioned"]


def test_an_account_that_is_there_is_adopted_with_its_username():
    with matching("EmployeeNumber", "Email") as (w, c):
        there(w, "jane@old.example", EmployeeNumber="7", Title="Clerk", Email="jane@old.example")
        c.accept(create("/Users/1", employee("7", "jane", )))
        c.settle()
        user, row = w.org.user("jane@old.example"), c.user("/Users/1")
        assert len(w.org.users()) == 1 and provisioned(w) == 0, w.org.users()
        assert user["LastName"] == "Doe" and user["FirstName"] == "Jane", user
        assert row["salesforce_id"] == user["Id"] and row["state"] == "in_step", row
        assert row["last_action"].startswith("adopted by EmployeeNumber, updated "), row["last_action"]
        c.accept(put("/Users/1", employee("7", "jane", department="Sales")))
        c.settle()
        assert w.org.user("jane@old.example")["Department"] == "Sales", "the name stays with its owner"
        c.act(act="replan", user="/Users/1")
        c.settle()
        assert list(w.org.users()) == ["primary-jane@acme.example"], "until an admin asks for the pattern's"


def test_who_differs_in_letter_case_alone_gets_no_account_of_another():
    with World(match=["Badge__c"], mapping=[{"field": "Badge__c", "source": "title"}]) as w:
        w.org.settings(custom_fields=[{"name": "Badge__c", "unique": True, "case_sensitive": True}])
        there(w, "jane@old.example", Badge__c="AB7")
        c = w.connector()
        c.accept(create("/Users/1", person("jack", title="ab7")), create("/Users/2", person("jane", title="AB7")))
        c.settle()
        assert c.user("/Users/2")["salesforce_id"] == w.org.user("jane@old.example")["Id"], c.user("/Users/2")
        assert c.user("/Users/1")["state"] == "in_step" and provisioned(w) == 1, c.user("/Users/1")
        assert {user["Badge__c"] for user in w.org.users().values()} == {"AB7", "ab7"}, w.org.users()


def test_an_inactive_account_is_reactivated_and_keys_are_tried_in_order():
    with matching("EmployeeNumber", "Email") as (w, c):
        there(w, "a@old.example", EmployeeNumber="1", Email="other@example.com", IsActive=False)
        there(w, "b@old.example", Email="DOE@example.com")
        c.accept(create("/Users/1", employee("1", "jane")))
        c.accept(create("/Users/2", person("bob", family="New")))
        c.settle()
        users = w.org.users()
        assert users["a@old.example"]["IsActive"] and users["b@old.example"]["LastName"] == "There", users
        assert c.user("/Users/1")["salesforce_id"] == users["a@old.example"]["Id"], "the first key that hits counts"
        assert provisioned(w) == 1, "and who matches nobody is created"
        c.accept(create("/Users/3", employee("9", "jill")))
        c.settle()
        assert c.user("/Users/3")["salesforce_id"] == users["b@old.example"]["Id"], "case does not matter"


def test_several_hits_are_parked_and_named():
    with matching("Email") as (w, c):
        there(w, "a@old.example", Email="doe@example.com")
        there(w, "b@old.example", Email="doe@example.com")
        c.accept(create("/Users/1", person("jane")))
        c.settle()
        row = c.user("/Users/1")
        assert row["code"] == "MATCH_SEVERAL" and "a@old.example" in row["message"] and "b@old.example" in row["message"], row
        assert provisioned(w) == 0
        w.org.ask("PATCH", "/__org/users/b@old.example", {"Email": "b@example.com"})
        c.act(act="retry", user="/Users/1")
        c.settle()
        assert c.user("/Users/1")["salesforce_id"] == w.org.user("a@old.example")["Id"]


def test_two_subjects_never_get_one_account():
    with matching("Email") as (w, c):
        there(w, "a@old.example", Email="doe@example.com")
        c.accept(create("/Users/1", person("jane")), create("/Users/2", person("jack")))
        c.settle()
        rows = [c.user("/Users/1"), c.user("/Users/2")]
        assert sorted(row["state"] for row in rows) == ["in_step", "waiting"], rows
        parked = next(row for row in rows if row["state"] == "waiting")
        assert parked["code"] == "MATCH_HELD" and "/Users/" in parked["message"], parked
        assert provisioned(w) == 0


def test_who_returns_with_a_new_id_gets_the_leavers_account():
    with matching("EmployeeNumber", correlation_field="Host_Id__c") as (w, c):
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        account = c.user("/Users/1")["salesforce_id"]
        c.accept(create("/Users/8", employee("7", "jane.again")))
        c.settle()
        user = w.org.user("primary-jane@acme.example")
        assert c.user("/Users/8")["salesforce_id"] == account and len(w.org.users()) == 1
        assert user["IsActive"] and user["Host_Id__c"].endswith("/Users/8"), user
        assert "salesforce_id" not in c.user("/Users/1"), "the leaver has it no more"
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        assert w.org.user("primary-jane@acme.example")["IsActive"], "a late word about the leaver harms nobody"


def test_the_host_that_declined_hears_of_the_leaver_whose_account_went():
    takes = [True]
    with World(*CUSTOM, match=["EmployeeNumber"], retry_first_s=1) as w:
        c = w.connector(outcome=lambda: takes[0])
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        takes[0] = False
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        c.accept(create("/Users/8", employee("7", "jane.again")))
        c.settle()
        assert "salesforce_id" not in c.user("/Users/1") and len(c.outcomes) == 1, c.outcomes
        takes[0] = True
        c.until(lambda: len(c.outcomes) == 3, "the two others")
        assert sorted(outcome["sub_id"]["uri"] for outcome in c.outcomes) == ["/Users/1", "/Users/1", "/Users/8"]


def test_who_comes_back_before_the_leaver_has_left_gets_the_account_then():
    with matching("EmployeeNumber") as (w, c):
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        c.accept(create("/Users/8", employee("7", "jane.again")))
        c.settle()
        assert c.user("/Users/8")["code"] == "MATCH_HELD", c.user("/Users/8")
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        assert c.user("/Users/8")["state"] == "in_step" and len(w.org.users()) == 1, c.user("/Users/8")
        assert w.org.user("primary-jane@acme.example")["IsActive"]


def member(number, name):
    return dict(employee(number, name), groups=[{"value": "g1", "display": "Sales"}])


def test_who_is_out_by_the_scope_fields_gives_the_account_to_who_returns():
    with matching("EmployeeNumber", scope_groups=["sales"]) as (w, c):
        c.accept(create("/Users/1", member("7", "jane")))
        c.settle()
        c.accept(put("/Users/1", employee("7", "jane")))
        c.settle()
        account = c.user("/Users/1")["salesforce_id"]
        c.accept(create("/Users/8", member("7", "jane.again")))
        c.settle()
        assert c.user("/Users/8")["salesforce_id"] == account and len(w.org.users()) == 1, c.user("/Users/8")
        assert w.org.user("primary-jane@acme.example")["IsActive"]
        assert "salesforce_id" not in c.user("/Users/1"), c.user("/Users/1")


def test_who_waits_for_an_account_gets_it_however_its_user_leaves():
    for ending in ({"leaver_action": "freeze"}, {}):
        with matching("EmployeeNumber", **ending) as (w, c):
            c.accept(create("/Users/1", employee("7", "jane")))
            c.settle()
            if not ending:
                c.accept(put("/Users/1", dict(employee("7", "jane"), active=False)))
                c.settle()
            c.accept(create("/Users/8", employee("7", "jane.again")))
            c.settle()
            assert c.user("/Users/8")["code"] == "MATCH_HELD", c.user("/Users/8")
            c.accept(simple("/Users/1", "prov:delete"))
            c.settle()
            assert c.user("/Users/8")["state"] == "in_step" and len(w.org.users()) == 1, c.user("/Users/8")
            assert w.org.user("primary-jane@acme.example")["IsActive"] and not w.org.state()["frozen"]


def test_who_only_changed_scope_fields_would_let_out_keeps_the_account():
    with matching("EmployeeNumber") as (w, c):
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        account = c.user("/Users/1")["salesforce_id"]
        c.close()
        c = w.connector(scope_groups=["sales"])
        c.accept(create("/Users/8", member("7", "jane.again")))
        c.settle()
        assert c.user("/Users/1")["salesforce_id"] == account, "no news of the user, and no replan"
        assert c.user("/Users/8")["code"] == "MATCH_HELD" and len(w.org.users()) == 1, c.user("/Users/8")
        c.act(act="replan", user="/Users/1")
        c.settle()
        assert c.user("/Users/8")["salesforce_id"] == account, c.user("/Users/8")
        assert w.org.user("primary-jane@acme.example")["IsActive"]


def test_an_account_that_was_frozen_for_its_leaver_is_unfrozen_for_who_gets_it():
    with matching("EmployeeNumber", leaver_action="freeze") as (w, c):
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        assert w.org.state()["frozen"] == ["primary-jane@acme.example"]
        c.accept(create("/Users/8", employee("7", "jane")))
        c.settle()
        assert c.user("/Users/8")["state"] == "in_step" and len(w.org.users()) == 1, c.user("/Users/8")
        assert w.org.state()["frozen"] == [], "who is in step can log in"


def test_who_adopts_gives_up_the_username_that_was_wanted_before():
    lock = {"on": "collections_create", "do": "refuse_record", "statusCode": "UNABLE_TO_LOCK_ROW"}
    with matching("EmployeeNumber", retry_first_s=3000, retry_max_s=3000) as (w, c):
        w.org.fault(lock)
        c.accept(create("/Users/1", employee("7", "jane")))
        c.deliver(0)
        assert c.user("/Users/1")["code"] == "UNABLE_TO_LOCK_ROW"
        c.accept(create("/Users/2", employee("8", "jane")))
        c.deliver(0)
        assert c.user("/Users/2")["code"] == "USERNAME_IN_USE_HERE", c.user("/Users/2")
        there(w, "jane@old.example", EmployeeNumber="7")
        c.act(act="retry", user="/Users/1")
        c.settle()
        assert c.user("/Users/1")["username"] == "jane@old.example", c.user("/Users/1")
        row = c.user("/Users/2")
        assert row["state"] == "in_step" and row["username"] == "primary-jane@acme.example", row


def test_a_leaver_whose_account_goes_gives_up_the_username_that_was_wanted():
    lock = {"on": "collections_update", "do": "refuse_record", "statusCode": "UNABLE_TO_LOCK_ROW",
            "match": {"Username": "primary-june@acme.example"}}
    with matching("EmployeeNumber", retry_first_s=3000, retry_max_s=3000) as (w, c):
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        w.org.fault(lock)
        c.accept(put("/Users/1", employee("7", "june")))
        c.deliver(0)
        c.accept(create("/Users/2", employee("9", "june")))
        c.deliver(0)
        assert c.user("/Users/2")["code"] == "USERNAME_IN_USE_HERE", c.user("/Users/2")
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"IsActive": False},
                     "statusCode": "UNABLE_TO_LOCK_ROW"})
        c.accept(simple("/Users/1", "prov:delete"))
        c.deliver(0)
        c.accept(create("/Users/8", employee("7", "jane")))
        c.settle()
        assert c.user("/Users/8")["username"] == "primary-jane@acme.example", c.user("/Users/8")
        row = c.user("/Users/2")
        assert row["state"] == "in_step" and row["username"] == "primary-june@acme.example", row


def test_an_account_of_a_user_unknown_here_is_left_alone():
    with matching("EmployeeNumber", correlation_field="Host_Id__c") as (w, c):
        there(w, "a@old.example", EmployeeNumber="7", Host_Id__c="https://other.example#/Users/5")
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        row = c.user("/Users/1")
        assert row["code"] == "MATCH_OTHER" and "https://other.example#/Users/5" in row["message"], row
        assert w.org.user("a@old.example")["LastName"] == "There" and provisioned(w) == 0


def test_the_connectors_own_account_is_never_adopted():
    with matching("EmployeeNumber") as (w, c):
        ours = next(user for user in w.org.state()["users"] if user["Username"].startswith("integr@"))
        w.org.ask("PATCH", "/__org/users/" + ours["Id"], {"EmployeeNumber": "7"})
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        assert c.user("/Users/1")["code"] == "MATCH_OURS", c.user("/Users/1")


def test_a_match_field_that_the_org_lacks_parks_and_says_so():
    with matching("EmployeeNumber") as (w, c):
        c.accept(create("/Users/warm", person("warm")))  # has no number: only the profile is asked for
        c.settle()
        w.org.fault({"on": "query", "do": "refuse_call_with", "times": 2, "status": 400, "errorCode": "INVALID_FIELD",
                     "message": "No such column 'EmployeeNumber' on entity 'User'"})
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        row = c.user("/Users/1")
        assert row["code"] == "MATCH_REFUSED" and "EmployeeNumber" in row["message"] and provisioned(w) == 1, row


def test_a_custom_key_may_be_spelled_in_another_case():
    rules = [{"field": "Host_Id__c", "source": "externalId"}]
    with matching("host_id__c", mapping=rules) as (w, c):
        there(w, "a@old.example", Host_Id__c="7")
        c.accept(create("/Users/1", person("jane", externalId="7")), create("/Users/2", person("bob", externalId="8")))
        c.settle()
        assert c.user("/Users/1")["salesforce_id"] == w.org.user("a@old.example")["Id"] and provisioned(w) == 1


def test_a_key_that_is_no_text_parks_instead_of_making_a_second_account():
    rules = [{"field": "Host_Id__c", "source": "urn:example:2.0:User:badge"}]
    with matching("Host_Id__c", mapping=rules) as (w, c):
        there(w, "a@old.example", Host_Id__c="7")
        c.accept(create("/Users/1", person("jane", **{"urn:example:2.0:User": {"badge": 7}})))
        c.settle()
        row = c.user("/Users/1")
        assert row["code"] == "MATCH_NO_TEXT" and "Host_Id__c" in row["message"] and provisioned(w) == 0, row
        shown = c.query(query="match")["matches"][0]
        assert shown["result"] == "park" and shown["code"] == "MATCH_NO_TEXT", shown


def test_a_hundred_are_matched_in_few_calls():
    with matching("EmployeeNumber") as (w, c):
        w.org.settings(seats={"Salesforce": 200})
        for n in range(60):
            there(w, f"u{n}@old.example", EmployeeNumber=str(n))
        c.accept(*[create(f"/Users/{n}", employee(str(n), f"u{n}")) for n in range(100)])
        report = c.settle()
        assert report.state == IDLE and provisioned(w) == 40
        queries = [call for call in w.org.calls()["calls"] if call["kind"] == "query"]
        assert len(queries) <= 4, [call.get("soql", "")[:80] for call in queries]


def test_a_leaver_who_is_due_in_the_same_round_loses_the_account_all_the_same():
    with matching("EmployeeNumber") as (w, c):
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        account = c.user("/Users/1")["salesforce_id"]
        c.accept(simple("/Users/1", "prov:delete"), create("/Users/8", employee("7", "jane.again")))
        c.settle()
        assert c.user("/Users/8")["salesforce_id"] == account and c.user("/Users/8")["state"] == "in_step"
        assert "salesforce_id" not in c.user("/Users/1")


def test_whose_an_account_is_must_be_seen_before_it_is_adopted():
    rules = [{"field": "Unknown__c", "source": "title"}]  # the org refuses the question for it, so it is asked for less
    with matching("EmployeeNumber", correlation_field="Host_Id__c", mapping=rules) as (w, c):
        there(w, "a@old.example", EmployeeNumber="7", Host_Id__c="https://other.example#/Users/5")
        c.accept(create("/Users/1", dict(employee("7", "jane"), title="Chief")))
        c.settle()
        row = c.user("/Users/1")
        assert row["code"] == "MATCH_OTHER" and "salesforce_id" not in row, row


def test_a_correlation_of_another_form_names_nobody_of_ours():
    with matching("EmployeeNumber", correlation_field="Host_Id__c") as (w, c):
        c.accept(create("/Users/5", person("john", "John")), simple("/Users/5", "prov:delete"))
        there(w, "a@old.example", EmployeeNumber="7", Host_Id__c="john")
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        row = c.user("/Users/1")
        assert row["code"] == "MATCH_OTHER" and "salesforce_id" not in row, row


def test_a_rehire_waits_while_a_change_of_the_leaver_has_no_answer():
    with matching("EmployeeNumber", settle_window_s=1) as (w, c):
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "drop_after"})
        c.accept(simple("/Users/1", "prov:delete"))
        c.deliver(0)
        account = w.org.user("primary-jane@acme.example")
        assert not account["IsActive"] and c.user("/Users/1")["in_flight"], "it was done, and the answer was lost"
        c.accept(create("/Users/8", employee("7", "jane.again")))
        c.settle()
        row = c.user("/Users/8")
        assert row["state"] == "in_step" and row["salesforce_id"] == account["Id"], "nobody has to look after it"
        assert provisioned(w) == 1 and w.org.user("primary-jane@acme.example")["IsActive"]


def test_a_late_deactivation_of_the_leaver_does_not_meet_the_rehire():
    with matching("EmployeeNumber") as (w, c):
        c.accept(create("/Users/1", employee("7", "jane")))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "late", "delay_ms": -1})
        c.accept(simple("/Users/1", "prov:delete"))
        c.deliver(0)
        c.accept(create("/Users/8", employee("7", "jane.again")))
        c.until(lambda: c.user("/Users/8").get("outcome"), "a look for the account")
        w.org.ask("POST", "/__org/land")
        harness.window_over(w, c)
        assert [user["IsActive"] for user in w.org.users().values()] == [True], w.org.users()


def test_match_shows_before_anything_is_sent():
    with matching("EmployeeNumber") as (w, c):
        there(w, "a@old.example", EmployeeNumber="1")
        there(w, "b@old.example", EmployeeNumber="2")
        there(w, "c@old.example", EmployeeNumber="2")
        c.accept(*[create(f"/Users/{n}", employee(str(n), f"u{n}")) for n in (1, 2, 3)])
        lines = {line["uri"]: line for line in c.query(query="match")["matches"]}
        assert [lines[f"/Users/{n}"]["result"] for n in (1, 2, 3)] == ["adopt", "park", "create"], lines
        assert lines["/Users/1"]["accounts"][0]["username"] == "a@old.example" and lines["/Users/1"]["by"] == "EmployeeNumber"
        assert w.org.user("a@old.example")["LastName"] == "There" and provisioned(w) == 0
        page = c.query(query="match", limit=2)
        assert len(page["matches"]) == 2 and len(c.query(query="match", after=page["next"])["matches"]) == 1


def test_match_without_the_field_says_what_to_do():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jane")))
        try:
            c.query(query="match")
        except harness.Failure as failure:
            assert failure.code == E_FIELDS and "EmployeeNumber" in failure.text, failure
        else:
            raise AssertionError("it must be refused")


def test_match_keys_that_can_match_nothing_are_refused():
    with World() as w:
        for match in (["Title"], ["EmployeeNumber", "EmployeeNumber"], ["FederationIdentifier"], [7]):
            try:
                w.connector(match=match)
            except harness.Failure as failure:
                assert any(fault["field"].startswith("match") for fault in failure.faults), failure.faults
            else:
                raise AssertionError(f"{match} must be refused")


# ---- drift ----

def test_drift_names_what_was_changed_by_hand():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jane", title="Chief")), create("/Users/2", person("bob", family="Roe")),
                 create("/Users/3", person("mia", family="Poe")))
        c.settle()
        w.org.ask("PATCH", "/__org/users/primary-jane@acme.example", {"Title": "Clerk", "IsActive": False})
        before = w.org.state()["counts"]
        answer = c.query(query="drift")
        assert (answer["looked_at"], answer["same"], len(answer["drift"])) == (3, 2, 1), answer
        line = answer["drift"][0]
        fields = {field["field"]: (field["ours"], field["theirs"]) for field in line["fields"]}
        assert line["uri"] == "/Users/1" and fields == {"Title": ("Chief", "Clerk"), "IsActive": (True, False)}, line
        assert w.org.state()["counts"] == before and c.deliver(0).state == IDLE, "nothing is changed"


def test_an_email_that_waits_for_its_owner_is_no_drift():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jane")))
        c.settle()
        c.accept(patch("/Users/1", {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@example.com"}))
        c.settle()
        assert w.org.state()["pending_emails"], "the org keeps the old address"
        answer = c.query(query="drift", user="/Users/1")
        assert answer["same"] == 1 and [line["what"] for line in answer["drift"]] == ["email"], answer


def test_another_spelling_of_the_same_value_is_no_drift():
    """An id of 15 characters comes back with 18, a number with a point; a browser in which somebody saves the
    user writes line ends of its own."""
    with World() as w:
        approver = w.org.state()["users"][0]["Id"]
        w.org.settings(custom_fields=[{"name": "Num__c", "label": "Num", "type": "double"}])
        c = w.connector(mapping=[{"field": "DelegatedApproverId", "source": "nickName"},
                                 {"field": "Num__c", "kind": "number", "precision": 6, "scale": 1, "constant": 7}])
        c.accept(create("/Users/1", person("jane", nickName=approver[:15], addresses=[
            {"type": "work", "streetAddress": "Line 1\nLine 2", "locality": "Bonn"}])))
        c.settle()
        assert w.org.user("primary-jane@acme.example")["DelegatedApproverId"] == approver
        w.org.ask("PATCH", "/__org/users/primary-jane@acme.example", {"Street": "Line 1\r\nLine 2"})
        answer = c.query(query="drift")
        assert answer["drift"] == [], answer["drift"]
        w.org.ask("PATCH", "/__org/users/primary-jane@acme.example", {"Street": "Line 1 Line 2", "DelegatedApproverId": None})
        assert len(c.query(query="drift")["drift"][0]["fields"]) == 2


# ---- two stores for one org ----

def test_a_second_store_for_one_org_is_noticed_when_it_makes_a_user_again():
    with World() as w:
        first = w.connector()
        first.accept(create("/Users/1", person("ada")))
        first.settle()
        other = os.path.join(w.folder, "other.db")
        second = w.connector(store=other)
        second.accept(create("/Users/1", person("ada")))
        second.settle()
        row = second.user("/Users/1")
        assert row["code"] == "DUPLICATE_USERNAME" and "another sfprov store has made it" in row["cause"], row
        assert f"is '{other}' the right store?" in row["remedy"], row
        assert first.user("/Users/1")["state"] == "in_step"


def test_an_account_of_somebody_elses_is_not_taken_for_another_stores():
    with World() as w:
        w.org.ask("POST", "/__org/users", {"Username": "primary-ada@acme.example", "LastName": "Other"})
        c = w.connector()
        c.accept(create("/Users/1", person("ada")))
        c.settle()
        row = c.user("/Users/1")
        assert row["code"] == "DUPLICATE_USERNAME" and "sfprov store" not in row["cause"], row


def test_check_warns_of_a_second_store_by_what_it_has_made():
    with World("--custom-field", "Host_Id__c:255:unique:external", correlation_field="Host_Id__c") as w:
        def warnings(connector):
            return [step for step in connector.check()["steps"] if step["name"] == "correlation" and step["status"] != "ok"]
        first = w.connector()
        assert not warnings(first)
        first.accept(create("/Users/1", person("ada")))
        first.settle()
        assert not warnings(first)
        other = os.path.join(w.folder, "other.db")
        second = w.connector(store=other)
        found = warnings(second)
        assert [step["status"] for step in found] == ["warning"] and not os.path.exists(other), found
        account = w.org.user("primary-ada@acme.example")["Id"]
        assert account in found[0]["seen"] and other in found[0]["seen"], found
        assert "another sfprov store has made it" in found[0]["cause"], found
        third = w.connector(store=other, issuer="https://idp_example")
        assert not warnings(third), "another issuer, and no wildcard"
    with World(correlation_field="Host_Id__c") as w:
        failed = [step for step in w.connector().check()["steps"] if step["status"] == "failed"]
        assert [step["name"] for step in failed] == ["correlation"] and "Host_Id__c" in failed[0]["seen"], failed


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
