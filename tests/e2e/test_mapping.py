"""What the mapping gives that only the org knows: profiles and roles by name, custom fields."""
import sys

import harness
from harness import World, create, patch, person, put

ROLE = {"field": "UserRoleId", "source": "groups.display",
        "steps": [{"match": "^sf-role-(.+)$", "with": "$1"}]}
PROFILE = {"field": "ProfileId", "when": 'userType eq "Contractor"',
           "constant": "Minimum Access - Salesforce"}


def name_of(user):
    return f"primary-{user}@acme.example"


def member(user, *groups, **more):
    return person(user, groups=[{"value": g, "display": g} for g in groups], **more)


def queries(w, what):
    return [call for call in w.org.calls()["calls"] if what in call.get("soql", "")]


def test_roles_are_given_by_name_in_one_query_and_an_unknown_one_parks_its_user_alone():
    with World() as w:
        c = w.connector(mapping=[ROLE])
        c.accept(create("/Users/1", member("ann", "staff", "sf-role-Sales Manager")),
                 create("/Users/2", member("bob", "sf-role-supportagent")),
                 create("/Users/3", member("cid", "sf-role-Sales Manger")),
                 create("/Users/4", member("dan", "staff")))
        c.settle()
        users = w.org.users()
        assert sorted(users) == [name_of("ann"), name_of("bob"), name_of("dan")], sorted(users)
        assert users[name_of("ann")]["UserRoleId"].startswith("00E")
        assert users[name_of("bob")]["UserRoleId"] not in (None, users[name_of("ann")]["UserRoleId"])
        assert users[name_of("dan")].get("UserRoleId") is None
        row = c.user("/Users/3")
        assert row["state"] == "parked" and row["code"] == "NAME_NOT_FOUND", row
        assert "there is no role 'Sales Manger' in the org; the nearest are 'Sales Manager'" in row["message"], row
        assert len(queries(w, "FROM UserRole")) == 1
        # known now: nothing is asked again, and the same role is no change
        before = w.org.usage()["api_calls"]
        c.accept(put("/Users/1", member("ann", "sf-role-SALES MANAGER")))
        c.settle()
        assert c.user("/Users/1")["outcome"] == "nothing to do"
        assert w.org.usage()["api_calls"] == before
        # gone at the host: the role goes as well
        c.accept(put("/Users/1", member("ann", "staff")))
        c.settle()
        assert w.org.user(name_of("ann")).get("UserRoleId") is None
        c.accept(put("/Users/3", member("cid", "sf-role-CEO")))
        c.settle()
        assert c.user("/Users/3")["state"] == "in_step"


def test_who_needs_no_role_goes_on_when_the_org_refuses_to_tell_its_roles():
    with World() as w:
        c = w.connector(mapping=[ROLE])
        c.accept(create("/Users/1", member("ann", "staff")))
        c.settle()
        w.org.fault({"on": "query", "do": "refuse_call_with", "times": -1, "status": 400,
                     "errorCode": "INVALID_TYPE", "message": "sObject type 'UserRole' is not supported"})
        c.accept(create("/Users/2", member("bob", "sf-role-CEO")), put("/Users/1", member("ann", "staff", title="Chief")))
        c.settle()
        row = c.user("/Users/2")
        assert row["state"] == "parked" and "INVALID_TYPE" in row["message"], row
        assert w.org.user(name_of("ann"))["Title"] == "Chief"
        w.org.ask("DELETE", "/__org/faults")
        c.act(act="retry", user="/Users/2")
        c.settle()
        assert c.user("/Users/2")["state"] == "in_step", c.user("/Users/2")


def test_a_role_is_not_looked_for_while_the_org_is_away_and_nobody_is_lost():
    with World() as w:
        c = w.connector(mapping=[ROLE])
        c.accept(create("/Users/1", member("ann", "staff")))
        c.settle()
        w.org.fault({"on": "query", "do": "status", "status": 503})
        c.accept(put("/Users/1", member("ann", "sf-role-CEO")))
        c.settle()
        assert w.org.user(name_of("ann"))["UserRoleId"].startswith("00E")
        assert c.user("/Users/1")["last_action"] == "updated UserRoleId"


def test_a_role_that_could_not_be_looked_up_for_want_of_a_token_is_given_later():
    with World() as w:
        c = w.connector(mapping=[ROLE])
        c.accept(create("/Users/1", member("ann", "staff")))
        c.settle()
        c.close()
        w.org.fault({"on": "token", "do": "status", "status": 503})
        c = w.connector(mapping=[ROLE])
        c.accept(put("/Users/1", member("ann", "sf-role-CEO")))
        c.settle()
        assert c.user("/Users/1")["last_action"] == "updated UserRoleId", c.user("/Users/1")


def test_a_profile_follows_its_condition_and_falls_back_to_the_connector_field():
    with World() as w:
        c = w.connector(mapping=[PROFILE])
        c.accept(create("/Users/1", person("ann", userType="Contractor")), create("/Users/2", person("bob")))
        c.settle()
        profiles = w.org.state()["profiles"]
        assert w.org.user(name_of("ann"))["ProfileId"] == profiles["Minimum Access - Salesforce"]
        assert w.org.user(name_of("bob"))["ProfileId"] == profiles["Standard User"]
        c.accept(patch("/Users/1", {"op": "replace", "path": "userType", "value": "Employee"}))
        c.settle()
        assert w.org.user(name_of("ann"))["ProfileId"] == profiles["Standard User"]
        assert c.user("/Users/1")["last_action"] == "updated ProfileId"


def test_a_leaver_with_an_unknown_role_is_deactivated():
    with World() as w:
        c = w.connector(mapping=[ROLE])
        c.accept(create("/Users/1", member("ann", "sf-role-CEO")))
        c.settle()
        c.accept(put("/Users/1", member("ann", "sf-role-nobody", active=False)))
        c.settle()
        assert w.org.user(name_of("ann"))["IsActive"] is False


def test_preview_says_which_names_it_would_look_up_and_where_each_value_came_from():
    with World() as w:
        c = w.connector(mapping=[ROLE, PROFILE,
                                 {"field": "Title", "steps": [{"replace": "^Sr", "with": "Senior"},
                                                              {"upper": True}]}])
        plan = c.preview(create("/Users/1", member("ann", "sf-role-CEO", userType="Contractor", title="Sr Rep")))
        assert sorted(plan["looks_up"]) == ["the id of profile 'Minimum Access - Salesforce'",
                                            "the id of role 'CEO'"], plan["looks_up"]
        lines = {line["field"]: line for line in plan["fields"]}
        assert lines["Title"]["value"] == "SENIOR REP" and lines["Title"]["rule"] == "mapping[2]"
        assert [step["value"] for step in lines["Title"]["steps"]] == ["Senior Rep", "SENIOR REP"]
        assert lines["UserRoleId"]["from"] == "groups.display" and lines["UserRoleId"]["value"] == "CEO"
        assert lines["ProfileId"]["rule"] == "mapping[1]"
        assert lines["LastName"]["rule"] == "default mapping"
        assert "UserRoleId" not in plan["calls"][0]["body"], plan["calls"]
        assert w.org.calls()["count"] == 0


KINDS = [("Text__c", "text", "string", "hello"), ("Flag__c", "boolean", "boolean", True),
         ("Num__c", "number", "double", 12.5), ("Day__c", "date", "date", "2026-03-01"),
         ("At__c", "datetime", "datetime", "2026-03-01T10:00:00Z"), ("Pick__c", "picklist", "picklist", "EMEA"),
         ("Multi__c", "multi_picklist", "multipicklist", ["a", "b"])]
STANDARD = ("UserRoleId", "ManagerId", "Department", "Phone", "Street", "City", "Country")


def test_a_value_that_goes_is_cleared_whatever_kind_its_field_is():
    extension, enterprise = "urn:example:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    with World() as w:
        w.org.settings(custom_fields=[{"name": name, "label": name, "type": kind, "values": ["EMEA", "a", "b"]}
                                      if "picklist" in kind else {"name": name, "label": name, "type": kind}
                                      for name, _, kind, _ in KINDS])
        rules = [{"field": name, "kind": kind, "source": f"{extension}:{name[:-3]}"} for name, kind, _, _ in KINDS]
        next(rule for rule in rules if rule["kind"] == "number").update(precision=6, scale=1)
        c = w.connector(mapping=rules + [{"field": "UserRoleId", "source": "title"}])
        c.accept(create("/Users/2", person("boss")), create("/Users/1", person("jdoe", title="CEO", **{
            extension: {name[:-3]: value for name, _, _, value in KINDS},
            enterprise: {"manager": {"value": "2"}, "department": "Sales"},
            "phoneNumbers": [{"type": "work", "value": "+49 1"}],
            "addresses": [{"type": "work", "streetAddress": "S 1", "locality": "B", "country": "Germany"}]})))
        c.settle()
        names = [name for name, _, _, _ in KINDS] + list(STANDARD)
        user = w.org.user(name_of("jdoe"))
        assert all(user[name] for name in names), {name: user[name] for name in names}
        c.accept(put("/Users/1", person("jdoe")))
        c.settle()
        user = w.org.user(name_of("jdoe"))
        # a checkbox is never empty
        assert [name for name in names if user[name] is not None] == ["Flag__c"] and user["Flag__c"] is False, user
        assert c.user("/Users/1")["state"] == "in_step"


def test_characters_beyond_the_first_plane_count_twice():
    """As Apex counts; the org takes the larger count (unsure)."""
    with World() as w:
        c = w.connector(mapping=[{"field": "Title", "too_long": "truncate"}])
        rare = "\U00020BB7"  # the first letter of the surname Yoshida, as some write it
        c.accept(create("/Users/1", person("yoshida", title=rare * 41, name={"familyName": rare * 5})))
        c.settle()
        user = w.org.user(name_of("yoshida"))
        assert user["Title"] == rare * 40 and user["LastName"] == rare * 5, user


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
