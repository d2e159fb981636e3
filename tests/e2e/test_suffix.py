"""Usernames that somebody else has: the connector field username_taken."""
import sys

import harness
from harness import World, create, patch, person, put, simple

JDOE = "primary-jdoe%s@acme.example"


def foreign(w, n="", **more):
    w.org.ask("POST", "/__org/users", dict({"Username": JDOE % n, "LastName": "Other"}, **more))


def elsewhere(w, n=""):
    w.org.ask("POST", "/__org/users", {"Username": JDOE % n, "LastName": "Other"}, org="globex")


def hired(w, **more):
    c = w.connector(username_taken="suffix", **more)
    c.accept(create("/Users/1", person("jdoe")))
    c.settle()
    return c, c.user("/Users/1")


def ours(w, n):
    user = w.org.user(JDOE % n)
    assert user["LastName"] == "Doe", user
    return user


# ---- who has it ----

def test_taken_in_this_org_by_an_active_or_inactive_stranger_or_in_another_org():
    for take in (foreign, lambda w: foreign(w, IsActive=False), elsewhere):
        with World() as w:
            take(w)
            c, row = hired(w)
            assert row["state"] == "in_step" and row["username"] == JDOE % 2, row
            assert row["salesforce_id"] == ours(w, 2)["Id"]
            assert c.preview(put("/Users/1", person("jdoe")))["action"] == "nothing", "it stays"


def test_several_are_taken_and_a_separator_stands_between():
    with World() as w:
        foreign(w)
        foreign(w, "-2")
        elsewhere(w, "-3")
        _, row = hired(w, username_suffix="-")
        assert row["username"] == JDOE % "-4", row


def test_all_are_taken_and_the_user_is_parked_with_words():
    with World() as w:
        for n in ["", *range(2, 10)]:
            foreign(w, n)
        c, row = hired(w)
        assert row["state"] == "parked" and row["code"] == "DUPLICATE_USERNAME", row
        assert "the last of those that were tried" in row["message"] and JDOE % 9 in row["message"], row
        assert c.preview(put("/Users/1", person("jdoe")))["username"] == JDOE % ""


def test_two_of_ours_get_one_each_in_one_batch_or_one_after_the_other():
    with World() as w:
        c = w.connector(username_taken="suffix")
        c.accept(create("/Users/1", person("jdoe")), create("/Users/2", person("JDoe", given="John")))
        c.settle()
        c.accept(create("/Users/3", person("jdoe", given="Joan")))
        shown = c.preview(create("/Users/9", person("jdoe")))
        assert shown["username"] != JDOE % "" and "gets a number" in str(shown["reasons"]), shown
        c.settle()
        names = [c.user(f"/Users/{n}")["username"] for n in (1, 2, 3)]
        assert sorted(names) == sorted([JDOE % "", JDOE % 2, JDOE % 3]) and names[2] == JDOE % 3, names


def test_a_leaver_of_ours_keeps_the_name_and_a_released_one_is_taken_again():
    with World() as w:
        c, _ = hired(w)
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        c.accept(create("/Users/2", person("jdoe", given="John")))
        c.settle()
        assert c.user("/Users/2")["username"] == JDOE % 2
    with World() as w:
        c, before = hired(w, leaver_action="deactivate_and_release")
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        c.accept(create("/Users/2", person("jdoe", given="John")))
        c.settle()
        assert c.user("/Users/2")["username"] == JDOE % ""
        c.accept(create("/Users/1", person("jdoe")))  # returns while another one of ours has the name
        c.settle()
        row = c.user("/Users/1")
        assert row["username"] == JDOE % 2 and row["salesforce_id"] == before["salesforce_id"], row
        assert ours(w, 2)["IsActive"]


def test_a_released_name_comes_back_or_a_number_if_a_stranger_took_it():
    for taken in (False, True):
        with World() as w:
            c, before = hired(w, leaver_action="deactivate_and_release")
            c.accept(simple("/Users/1", "prov:delete"))
            c.settle()
            if taken:
                foreign(w)
            c.accept(create("/Users/1", person("jdoe")))
            c.settle()
            row = c.user("/Users/1")
            assert row["username"] == JDOE % (2 if taken else "") and row["state"] == "in_step", row
            assert row["salesforce_id"] == before["salesforce_id"] and ours(w, 2 if taken else "")["IsActive"]


# ---- afterwards ----

def test_the_name_stays_until_what_it_is_built_from_changes():
    with World() as w:
        foreign(w)
        c, _ = hired(w)
        w.org.ask("PATCH", "/__org/users/" + JDOE % "", {"Username": "gone@acme.example"})
        c.accept(patch("/Users/1", {"op": "replace", "path": "title", "value": "Boss"}))
        c.settle()
        assert ours(w, 2)["Title"] == "Boss"
        c.accept(put("/Users/1", person("jdoe", userDomain=None, title="Chief")))
        c.settle()
        assert ours(w, 2)["Title"] == "Chief"
        c.accept(put("/Users/1", person("janed")))
        c.settle()
        assert c.user("/Users/1")["username"] == "primary-janed@acme.example"
        c.accept(put("/Users/1", person("jdoe")))
        c.settle()
        assert ours(w, "")["IsActive"], "the base form is tried first"


def test_a_replan_reaches_who_has_a_number_and_leaves_it():
    with World(username_taken="suffix") as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe", title="one")), create("/Users/2", person("jdoe", title="two")))
        c.settle()
        c.close()
        c = w.connector(mapping=[{"field": "City", "source": "title"}])
        counts = c.act(act="replan", all=True, force=True)["counts"]
        assert (counts["updated"], counts["renamed"], counts["blocked"]) == (2, 0, 0), counts
        c.settle()
        assert (ours(w, "")["City"], ours(w, 2)["City"]) == ("one", "two"), w.org.users()


def test_a_replan_brings_the_new_form_of_the_name_to_who_has_a_number():
    with World(username_taken="suffix") as w:
        foreign(w, "2")
        c = w.connector()
        for n in (1, 2, 3):
            c.accept(create(f"/Users/{n}", person("jdoe", title=str(n))))
            c.settle()
        before = [c.user(f"/Users/{n}")["username"] for n in (1, 2, 3)]
        assert before == [JDOE % "", JDOE % 3, JDOE % 4], before
        c.close()
        new = "primary_jdoe%s@new.example"
        w.org.ask("POST", "/__org/users", {"Username": new % "-4", "LastName": "Other"})
        c = w.connector(provisioning_separator="_", provisioning_domain="new.example", username_suffix="-")
        counts = c.act(act="replan", all=True, force=True)["counts"]
        assert (counts["renamed"], counts["blocked"]) == (3, 0), counts
        c.settle()
        names = [(row := c.user(f"/Users/{n}"))["username"] for n in (1, 2, 3)]
        assert names == [new % "", new % "-3", new % "-2"], (names, row)
        counts = c.act(act="replan", all=True, force=True)["counts"]
        assert (counts["renamed"], counts["blocked"], counts["unchanged"]) == (0, 0, 3), counts
        c.accept(patch("/Users/3", {"op": "replace", "path": "title", "value": "Boss"}))
        c.settle()
        assert c.user("/Users/3")["username"] == new % "-2"


def test_a_rename_to_a_taken_name_gets_a_number_and_one_of_ours_is_waited_for():
    with World() as w:
        foreign(w)
        c = w.connector(username_taken="suffix")
        c.accept(create("/Users/1", person("other")), create("/Users/2", person("third")))
        c.settle()
        c.accept(put("/Users/1", person("jdoe")))
        c.settle()
        assert c.user("/Users/1")["username"] == JDOE % 2, c.user("/Users/1")
        c.accept(put("/Users/1", person("third")), put("/Users/2", person("other")))
        c.settle()
        assert c.user("/Users/1")["username"] == "primary-third@acme.example"


# ---- never a second account ----

def test_an_account_that_matches_goes_first():
    with World() as w:
        foreign(w, EmployeeNumber="7")
        c = w.connector(username_taken="suffix", match="EmployeeNumber")
        c.accept(create("/Users/1", person("jdoe", **{harness.ENTERPRISE: {"employeeNumber": "7"}})))
        c.settle()
        row = c.user("/Users/1")
        assert row["username"] == JDOE % "" and "adopted" in row["last_action"], row
        assert len(w.org.users()) == 1


def test_a_store_that_was_lost_doubles_nobody():
    with World() as w:
        c, _ = hired(w)
        c.close()
        _, row = hired(w, store=w.fields["store"] + ".new")
        assert row["code"] == "DUPLICATE_USERNAME" and len(w.org.users()) == 1, row


def test_lost_answers_on_the_way_make_one_account():
    for fault in ("drop_before", "drop_after", "late"):
        for skip in range(3):
            with World(settle_window_s=1) as w:
                foreign(w)
                foreign(w, 2)
                w.org.fault({"on": "collections_create", "do": fault, "skip": skip, "delay_ms": 300})
                c, row = hired(w)
                if row["state"] != "in_step":
                    c.settle()
                row = c.user("/Users/1")
                assert row["username"] == JDOE % 3 and row["state"] == "in_step", (fault, skip, row)
                assert len([u for u in w.org.users().values() if u["LastName"] == "Doe"]) == 1, (fault, skip)


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
