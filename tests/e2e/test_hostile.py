"""An org, or who stands before it, that answers what nobody asked: nobody is taken for delivered who is
not, nobody is linked to an account of someone else, and when it answers rightly again all is in step."""
import json
import sys

import harness
from harness import World, create, patch, person, simple

JANE, BOB = "primary-jane@acme.example", "primary-bob@acme.example"
STRANGER = "0055g00000AbCdFAAV"


def says(on, body, **more):
    """The org answers this, as it is, to a call of that kind, and does nothing."""
    return dict({"on": on, "do": "status", "status": 200, "body": body if isinstance(body, str) else json.dumps(body)},
                **more)


def page(*rows, **more):
    return dict({"totalSize": len(rows), "done": True, "records": list(rows)}, **more)


def row(**fields):
    return dict({"attributes": {"type": "User"}, "Id": STRANGER, "Username": JANE, "IsActive": True,
                 "CreatedById": STRANGER, "CreatedDate": "2030-01-01T00:00:00.000+0000"}, **fields)


def warm(w):
    """A first user: the token, the profile and the connection are there."""
    c = w.connector()
    c.accept(create("/Users/2", person("bob")))
    c.settle()
    return c


def ends_well(w, c):
    """The org answers again: Jane is there once, and it is her account."""
    w.org.ask("DELETE", "/__org/faults")
    c.settle()
    assert sorted(w.org.users()) == [BOB, JANE]
    for uri, name in (("/Users/1", JANE), ("/Users/2", BOB)):
        assert c.user(uri)["state"] == "in_step" and c.user(uri)["salesforce_id"] == w.org.user(name)["Id"], c.user(uri)
    assert len([call for call in w.org.calls()["calls"] if call["kind"] == "collections_create"]) == 2


def is_open(c, uri="/Users/1"):
    found = c.user(uri)
    assert found["state"] in ("in_flight", "pending") and not found.get("salesforce_id"), found


def test_a_create_answered_with_nonsense_is_read_back():
    """The org did it; what came back says so in no way that can be believed."""
    with World() as w:
        c = warm(w)
        bob = c.user("/Users/2")["salesforce_id"]
        sent = []
        good = {"id": STRANGER, "success": True, "errors": []}
        for number, body in enumerate((
                "", "null", "{}", "[]", "[null]", "[[]]", "<html>", [good, good], [dict(good, id=7)], [dict(good, id="005")],
                [dict(good, id="00e5g00000AbCdFAAV")], [dict(good, success="true")], [dict(good, errors=[{}])],
                [{"id": bob, "success": False, "errors": {}}], '[{"id":"%s","success":true' % STRANGER,
                '[{"id":"%s","success":false,"success":true}]' % STRANGER, '[{"id":"%s\\u0000","success":true}]' % STRANGER,
                "[" * 100000, "[" + "{}," * 300000 + "{}]")):
            uri, name = f"/Users/n{number}", f"nonsense{number}"
            w.org.fault(says("collections_create", body, commit=True))
            c.close()
            c = w.connector()  # without the pause that the last answer earned
            c.accept(create(uri, person(name)))
            c.deliver(50)
            sent.append((uri, f"primary-{name}@acme.example", body[:60]))
        c.settle()
        for uri, name, body in sent:
            assert c.user(uri)["state"] == "in_step", (body, c.user(uri))
            assert c.user(uri)["salesforce_id"] == w.org.user(name)["Id"], body
        assert w.org.calls()["totals"]["POST /services/data/v67.0/composite/sobjects"] == len(sent) + 1, w.org.calls()["totals"]


def test_the_account_of_another_subject_is_not_taken_over():
    """The org answers a create with the id of a user whom another subject holds."""
    with World() as w:
        c = warm(w)
        bob = c.user("/Users/2")["salesforce_id"]
        w.org.fault(says("collections_create", [{"id": bob, "success": True, "errors": []}], commit=True))
        c.accept(create("/Users/1", person("jane")))
        ends_well(w, c)


def test_rows_that_answer_another_question_settle_nothing():
    wrong = {
        "fewer than said": page(totalSize=1), "more than said": page(row(), totalSize=0), "no rows": {"done": True},
        "no object": page("x"), "no id": page(row(Id=None)), "a bad id": page(row(Id="garbage")),
        "a short id": page(row(Id=STRANGER[:15])), "a profile": page(row(Id="00e5g00000AbCdFAAV")),
        "an id with a NUL": page(row(Id=STRANGER + "\0")), "an id that is a list": page(row(Id=[STRANGER])),
        "another user": page(row(Username="eve@acme.example")), "no username": page(row(Username=7)),
        "no state": page(row(IsActive="true")), "twice": page(row(), row()), "endless": page(done=False),
    }
    with World() as w:
        c = warm(w)
        w.org.fault({"on": "collections_create", "do": "drop_after"})
        c.accept(create("/Users/1", person("jane")))
        c.deliver(50)
        for what, body in wrong.items():
            c.close()
            c = w.connector()  # without the pause that the last answer earned
            w.org.ask("DELETE", "/__org/faults")
            w.org.fault(says("query", body, times=-1))
            c.until(lambda: any("it is tried again by itself" in line for _, line in c.lines), what)
            is_open(c)
        c.close()
        ends_well(w, w.connector())


def test_a_stranger_of_that_name_is_not_adopted():
    """Rows of the right form, of our own execution user, whose creator or date cannot be read."""
    for odd in ({"CreatedById": None}, {"CreatedById": 7}, {"CreatedDate": None}, {"CreatedDate": "soon"},
                {"CreatedDate": {"at": 1}}, {"CreatedDate": "0000-99-99T99:99:99.000+0000"}):
        with World() as w:
            c = warm(w)
            odd = dict({"CreatedById": w.org.state()["execution_user"]}, **odd)
            w.org.fault({"on": "collections_create", "do": "drop_before"}, says("query", page(row(**odd)), times=-1))
            c.accept(create("/Users/1", person("jane")))
            c.deliver(300)
            found = c.user("/Users/1")
            assert found["state"] != "in_step" and not found.get("salesforce_id"), (odd, found)


def test_an_update_read_back_with_wrong_types_is_not_done():
    with World() as w:
        c = warm(w)
        bob = c.user("/Users/2")["salesforce_id"]
        for title in (None, 7, ["Chief"], {"Chief": 1}, "Chief\0", "chief "):
            w.org.fault({"on": "collections_update", "do": "drop_before"},
                        says("query", page(row(Id=bob, Username=BOB, Title=title)), times=-1))
            c.accept(patch("/Users/2", {"op": "replace", "path": "title", "value": "Chief"}))
            c.deliver(300)
            assert c.user("/Users/2")["state"] == "in_flight", (title, c.user("/Users/2"))
            w.org.ask("DELETE", "/__org/faults")


def test_a_leaver_goes_whatever_reading_says():
    with World() as w:
        c = warm(w)
        w.org.fault({"on": "collections_update", "do": "drop_before"}, says("query", "[" * 1000, times=-1))
        c.accept(patch("/Users/2", {"op": "replace", "path": "title", "value": "Chief"}))
        c.deliver(300)
        c.accept(simple("/Users/2", "prov:deactivate"))
        c.until(lambda: not w.org.user(BOB)["IsActive"], "deactivated")


def test_a_profile_that_is_none_creates_nobody():
    for body in (page({"Id": STRANGER}), page({"Id": 7}), page({}), page({"Id": "00e\n"})):
        with World() as w:
            c = w.connector()
            w.org.fault(says("query", body, times=-1))
            c.accept(create("/Users/1", person("jane")))
            c.deliver(300)
            assert w.org.users() == {} and c.user("/Users/1")["state"] != "in_step", body
            w.org.ask("DELETE", "/__org/faults")
            c.act(act="retry", user="jane")
            c.settle()
            assert list(w.org.users()) == [JANE], c.user("/Users/1")


def test_a_token_reply_that_leads_elsewhere_sends_nothing():
    for body in ({"access_token": "x" * 20, "instance_url": "https://evil.example"},
                 {"access_token": "x" * 20, "instance_url": ["https://evil.example"]},
                 {"access_token": "x" * 20}, {"access_token": 7}, [], "<html>"):
        with World() as w:
            c = w.connector()
            w.org.fault(says("token", body, times=-1))
            c.accept(create("/Users/1", person("jane")))
            c.deliver(300)
            assert [call["kind"] for call in w.org.calls()["calls"]] == ["token"], (body, w.org.calls())
            assert c.query(query="status")["hold"], body
            w.org.ask("DELETE", "/__org/faults")
            c.close()
            w.connector().settle()  # the first look of a new process is a probe
            assert list(w.org.users()) == [JANE]


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
