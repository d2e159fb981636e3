"""Full lists (design rule 6), preview, and Test connection."""
import fcntl
import os
import sys

import harness
from harness import DRY_RUN, FORCE, TOLERANT, Failure, Listing, World, create, patch, person, put, simple


def people(count, **more):
    return {f"/Users/{n}": person(f"u{n}", **more) for n in range(count)}


def fails(code, function, *arguments, **more):
    try:
        function(*arguments, **more)
    except Failure as failure:
        assert failure.code == code, failure
        return failure
    raise AssertionError("it was done")


def test_a_list_hires_changes_and_loses():
    with World() as w:
        c = w.connector()
        report = c.sync(people(12))
        assert report["applied"] and report["counts"]["hired"] == 12, report
        c.settle()
        assert len(w.org.users()) == 12
        second = people(11, title="Chief")
        second["/Users/99"] = person("u99")
        report = c.sync(second)
        assert {key: report["counts"][key] for key in ("hired", "changed", "lost", "unchanged")} == \
            {"hired": 1, "changed": 11, "lost": 1, "unchanged": 0}, report
        changed = next(change for change in report["changes"] if change["uri"] == "/Users/3")
        assert changed["what"] == "changed" and changed["attributes"] == ["title"], changed
        c.settle()
        users = w.org.users()
        assert users["primary-u3@acme.example"]["Title"] == "Chief"
        assert users["primary-u11@acme.example"]["IsActive"] is False
        calls = w.org.usage()["api_calls"]
        report = c.sync(second)
        assert report["counts"]["unchanged"] == 12 and report["changes"] == [], report
        c.settle()
        assert w.org.usage()["api_calls"] == calls, "the same list again sends nothing"
        report = c.sync(people(12))
        assert report["counts"]["returned"] == 1
        c.settle()
        assert w.org.user("primary-u11@acme.example")["IsActive"] is True


def test_a_list_touches_only_its_issuer():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/other", person("other"), iss="https://other.example"))
        c.sync(people(3))
        c.settle()
        assert c.sync({"/Users/0": person("u0")})["counts"]["lost"] == 2
        c.settle()
        users = w.org.users()
        assert users["primary-other@acme.example"]["IsActive"]
        assert [users[f"primary-u{n}@acme.example"]["IsActive"] for n in range(3)] == [True, False, False]


def test_an_event_after_the_list_began_counts_more():
    with World() as w:
        c = w.connector()
        c.sync(people(3))
        c.settle()

        def midway():
            c.accept(put("/Users/1", person("u1", title="From the event")))
            c.accept(create("/Users/7", person("u7")))
        report = c.sync(people(3, title="From the list"), midway=midway)
        skipped = sorted(change["uri"] for change in report["changes"] if change["what"] == "skipped")
        assert skipped == ["/Users/1", "/Users/7"] and report["counts"]["skipped"] == 2, report
        c.settle()
        users = w.org.users()
        assert users["primary-u1@acme.example"]["Title"] == "From the event"
        assert users["primary-u0@acme.example"]["Title"] == "From the list"
        assert users["primary-u7@acme.example"]["IsActive"]


def test_an_empty_broken_or_suspicious_list_changes_nothing():
    with World() as w:
        c = w.connector()
        c.sync(people(40))
        c.settle()
        report = c.sync({})
        assert not report["applied"] and "empty" in report["reason"], report
        report = c.sync(people(20))
        assert not report["applied"] and "guard" in report["reason"], report
        try:
            c.sync(dict(people(40), **{"/Users/5": "no object"}))
            raise AssertionError("a broken entry must spoil the list")
        except Failure as failure:
            assert "nothing was changed" in failure.text, failure.text
        try:
            c.sync(dict(people(39), **{"/Users//0/../0": person("x"), "bad uri": person("y")}))
            raise AssertionError("a bad URI must spoil the list")
        except Failure as failure:
            assert "nothing was changed" in failure.text, failure.text
        c.settle()
        assert all(user["IsActive"] for user in w.org.users().values()) and len(w.org.users()) == 40
        report = c.sync(people(20), flags=FORCE)
        assert report["applied"] and report["counts"]["lost"] == 20
        c.settle()
        assert sum(user["IsActive"] for user in w.org.users().values()) == 20


def test_a_dry_run_shows_and_changes_nothing():
    with World() as w:
        c = w.connector()
        report = c.sync(people(3), flags=DRY_RUN)
        assert report["dry_run"] and not report["applied"] and report["counts"]["hired"] == 3, report
        assert not os.path.exists(w.fields["store"])
        c.settle()
        assert w.org.users() == {}


def test_a_list_is_applied_step_by_step_and_told_page_by_page():
    with World() as w:
        c = w.connector()
        listed = people(1500)
        with Listing(c) as listing:
            for uri, resource in listed.items():
                listing.add(uri, resource)
            fails(harness.E_STATE, listing.changes, 0, 10)
            states = []
            while not states or states[-1]["state"] != "done":
                states.append(listing.apply(1))
            assert states[-1]["applied"] and states[-1]["counts"]["hired"] == 1500 and "changes" not in states[-1]
            fails(harness.E_STATE, listing.add, "/Users/late", person("late"))
            fails(harness.E_INVALID, listing.changes, 0, 1001)
            seen, after = [], 0
            while after is not None:
                page = listing.changes(after, 700)
                seen += [change["uri"] for change in page["changes"]]
                after = page.get("next")
            assert seen == list(listed), "in the order of the list"
        report = c.sync(people(1500, title="Chief"))
        assert len(report["changes"]) == 1000 and report["changes_left"] == 500


def test_a_dry_run_plans_each_change_and_sees_two_who_get_one_username():
    with World(provisioning_pattern="{UN}") as w:
        c = w.connector()
        c.sync({"/Users/1": person("ada"), "/Users/2": person("bob")})
        c.settle()
        with Listing(c, DRY_RUN) as listing:
            listing.add("/Users/1", person("ada", title="Chief"))
            listing.add("/Users/3", person("EAST/eve"), place="line 3")
            listing.add("/Users/4", person("WEST/eve"), place="line 4")
            listing.add("/Users/5", person("bad name"))
            assert listing.apply()["counts"] == {"listed": 4, "hired": 3, "changed": 1, "lost": 1, "returned": 0,
                                                 "skipped": 0, "unchanged": 0, "unreadable": 0}
            plans = {change["uri"]: change["plan"] for change in listing.changes()["changes"]}
            assert listing.changes()["changes"][2]["plan"] == plans["/Users/4"], "asking again claims nothing anew"
        assert [plans[f"/Users/{n}"]["action"] for n in (1, 2, 3, 4, 5)] == \
            ["update", "deactivate", "create", "create", "park"], plans
        assert plans["/Users/4"]["rival"] == "/Users/3" and "rival" not in plans["/Users/3"], plans
        assert plans["/Users/4"]["username"] == plans["/Users/3"]["username"] == "eve@acme.example", plans


def test_every_fault_of_a_list_can_be_told_and_one_spoils_it():
    with World() as w:
        c = w.connector()
        c.sync(people(3))
        with Listing(c) as listing:
            listing.add("/Users/0", person("u0"), place="line 2")
            twice = fails(harness.E_INVALID, listing.add, "/Users/0", person("u1"), place="line 7")
            assert "line 2 and line 7" in twice.text, twice.text
            assert "object" in fails(harness.E_INVALID, listing.add, "/Users/9", "no object").text
            listing.add("/Users/1", person("u1"))
            assert "line 2 and line 7" in fails(harness.E_INVALID, listing.apply).text
        assert c.query(query="status")["subjects"]["total"] == 3


def test_who_cannot_be_read_is_neither_gone_nor_changed():
    with World() as w:
        c = w.connector()
        c.sync(dict(people(3), **{"/Users/3": person("u3", **{harness.ENTERPRISE: {"manager": {"value": "0"}}})}))
        c.settle()
        c.act(act="host", name="test", state="missed", reason="somebody could not be read")
        with Listing(c) as strict:
            fails(harness.E_INVALID, strict.add, "/Users/0", None)
            fails(harness.E_INVALID, strict.apply)
        with Listing(c, TOLERANT) as listing:
            fails(harness.E_LIMIT, listing.add, "/Users/0", person("u0", title="T" * 300_000))
            listing.add("/Users/0", None, alias="uid=u0")
            fails(harness.E_INVALID, listing.add, "/Users/0", None)
            listing.add("/Users/1", person("u1", title="Chief"))
            listing.add("/Users/3", person("u3", **{harness.ENTERPRISE: {"manager": {"value": "uid=u0"}}}))
            listing.add("/Users/9", None)
            report = listing.apply()
            assert report["applied"] and report["counts"] == {
                "listed": 4, "hired": 0, "changed": 2, "lost": 1, "returned": 0, "skipped": 0, "unchanged": 0,
                "unreadable": 2}, report
        c.settle()
        users = {name: w.org.user(f"primary-{name}@acme.example") for name in ("u0", "u1", "u2", "u3")}
        assert [users[name]["IsActive"] for name in sorted(users)] == [True, True, False, True]
        assert users["u1"]["Title"] == "Chief" and users["u3"]["ManagerId"] == users["u0"]["Id"]
        assert len(w.org.users()) == 4 and c.query(query="status")["resync"], "it is not over yet"
        c.sync({"/Users/0": person("u0"), "/Users/1": person("u1")})
        assert not c.query(query="status")["resync"]


def test_who_cannot_be_read_and_is_locked_is_let_go():
    with World(guard_percent=50, guard_floor=1) as w:
        c = w.connector()
        c.sync(people(4))
        c.settle()

        def locked(*keys):
            with Listing(c, TOLERANT) as listing:
                for key in range(4):
                    if key in keys:
                        listing.add(f"/Users/{key}", None, active=False)
                    else:
                        listing.add(f"/Users/{key}", person(f"u{key}"))
                listing.add("/Users/9", None, active=False)  # nobody is made an account to be deactivated
                report = listing.apply()
            c.settle()
            return report

        active = lambda: [w.org.user(f"primary-u{key}@acme.example")["IsActive"] for key in range(4)]
        report = locked(0, 1, 2)
        assert not report["applied"] and "guard" in report["reason"] and all(active()), report
        for _ in range(2):
            report = locked(0)
            assert report["applied"] and report["counts"]["unreadable"] == 2, report
            assert active() == [False, True, True, True] and len(w.org.users()) == 4
        assert report["counts"]["changed"] == 0, "it is told once"
        c.sync({f"/Users/{key}": person(f"u{key}") for key in range(4)})
        c.settle()
        assert all(active())


def test_who_can_be_read_in_part_is_counted_and_changed():
    with World() as w:
        c = w.connector()
        c.sync(people(2))
        c.settle()
        c.act(act="host", name="test", state="missed", reason="somebody could not be read")
        with Listing(c, TOLERANT) as listing:
            listing.add("/Users/0", person("u0", title="Chief"), unreadable=True)
            listing.add("/Users/1", person("u1"))
            report = listing.apply()
        assert report["counts"]["changed"] == 1 and report["counts"]["unreadable"] == 1, report
        c.settle()
        assert w.org.user("primary-u0@acme.example")["Title"] == "Chief" and c.query(query="status")["resync"]


def test_a_list_of_the_parent_is_refused_in_a_child():
    """And what the child drops stays the parent's, the part in the file too: this one is longer than what is kept in
    memory."""
    with World() as w:
        c = w.connector()
        with Listing(c, DRY_RUN) as listing:
            for n in range(100):
                listing.add(f"/Users/{n}", person(f"u{n}", more="x" * 240000))
            pid = os.fork()
            if pid == 0:
                try:
                    fails(harness.E_STATE, listing.add, "/Users/100", person("u100"))
                    fails(harness.E_STATE, listing.apply)
                    c.call("snapshot_end", listing.snapshot, 0, None)
                except BaseException:  # pylint: disable=broad-except
                    os._exit(1)
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
            listing.add("/Users/100", person("u100"))
            assert listing.apply()["counts"]["hired"] == 101, "the parent's goes on"


def test_a_list_that_is_applied_says_so_and_is_delivered_though_its_mark_stays():
    with World() as w:
        c = w.connector(flags=harness.NEVER_DELIVER)
        c.act(act="host", state="missed", name="slapd", reason="the disk was full")
        c.close()
        c = w.connector(flags=0)
        with Listing(c) as listing, open(w.fields["store"] + ".resync", "r+b") as mark:
            listing.add("/Users/0", person("u0"))
            fcntl.flock(mark, fcntl.LOCK_EX)
            failure = fails(harness.E_STORE, listing.apply)
            assert "the list was applied, all of it" in failure.text and "another process holds" in failure.text, failure
        harness.until(lambda: len(w.org.users()) == 1)
        assert c.query(query="status")["resync"]["reason"] == "the disk was full"
        assert c.sync({"/Users/0": person("u0")})["counts"]["unchanged"] == 1
        assert c.query(query="status")["resync"] is None


def test_a_password_in_a_list_is_not_stored():
    with World() as w:
        c = w.connector()
        c.sync({"/Users/1": person("u1", password="pAsSwOrD-cAnArY")})
        c.accept(create("/Users/2", person("u2", password="pAsSwOrD-cAnArY")))
        c.accept(patch("/Users/2", {"op": "replace", "path": "password", "value": "pAsSwOrD-cAnArY"}))
        c.settle()
        text = str(c.user("/Users/1")) + str(c.user("/Users/2")) + str(c.lines)
        c.close()
        for name in os.listdir(w.folder):
            with open(os.path.join(w.folder, name), "rb") as file:
                text += file.read().decode("latin-1")
        assert "cAnArY" not in text


def test_the_same_token_is_one_event_and_another_content_is_refused():
    with World() as w:
        c = w.connector()
        token = create("/Users/1", person("jdoe"), jti="j-1", txn="t-1")
        first, again = c.submit(token, token)
        assert (first.duplicate, again.duplicate, again.version) == (0, 1, 1)
        reordered = dict(reversed(list(token.items())))
        assert c.submit(reordered)[0].duplicate == 1
        other = create("/Users/1", person("jdoe", title="Other"), jti="j-1")
        answer = c.submit(other)[0]
        assert answer.status == harness.REFUSED and b"j-1" in answer.error.text, answer.error.text
        assert c.submit(dict(token, jti="j-2"))[0].duplicate == 1, "the same change under its txn"
        assert c.submit(dict(create("/Users/1", person("jdoe", title="More"), txn="t-1"), jti="j-3"))[0].duplicate == 0


def test_off_on_off_in_one_transaction_ends_off():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        answers = c.submit(*[simple("/Users/1", kind, txn="t-1")
                             for kind in ("prov:deactivate", "prov:activate", "prov:deactivate")])
        assert [answer.duplicate for answer in answers] == [0, 0, 0], "the last is no repetition of the first"
        c.settle()
        assert not w.org.user("primary-jdoe@acme.example")["IsActive"]
        assert c.submit(simple("/Users/1", "prov:deactivate", txn="t-1"))[0].duplicate == 1, "but this one is"


def test_preview_shows_the_plan_and_touches_nothing():
    with World() as w:
        c = w.connector()
        plan = c.preview(create("/Users/1", person("PARTNERS/jdoe", title="Engineer")))
        assert plan["action"] == "create" and plan["username"] == "partners-jdoe@acme.example" and not plan["known"]
        assert "".join(segment["text"] for segment in plan["segments"]) == plan["username"]
        title = next(field for field in plan["fields"] if field["field"] == "Title")
        assert title["value"] == "Engineer" and title["from"], title
        assert plan["calls"][0]["method"] == "POST" and plan["calls"][0]["body"]["Title"] == "Engineer"
        assert os.listdir(w.folder) == [] and w.org.calls()["calls"] == []
        c.accept(create("/Users/1", person("PARTNERS/jdoe", title="Engineer")))
        c.settle()
        plan = c.preview(patch("/Users/1", {"op": "replace", "path": "title", "value": "Chief"}))
        assert plan["action"] == "update" and plan["known"]
        assert plan["calls"][0]["body"] == {"Title": "Chief", "id": c.user("/Users/1")["salesforce_id"]}, plan["calls"]
        assert c.preview(simple("/Users/1", "prov:delete"))["action"] == "deactivate"
        assert c.preview(put("/Users/1", person("PARTNERS/jdoe", title="x" * 99)))["action"] == "park"
        assert c.preview(put("/Users/9", person("blank name")))["reasons"][0]
        c.accept(simple("/Users/1", "prov:delete"))
        c.settle()
        gone = c.preview(simple("/Users/1", "prov:activate"))
        assert gone["action"] == "nothing" and "create or put" in gone["reasons"][0], gone
        c.accept(simple("/Users/1", "prov:activate"), simple("/Users/1", "prov:activate"))
        c.settle()
        outcomes = [event["outcome"] for event in c.user("/Users/1")["events"]]
        assert outcomes == ["delivered", "delivered", "superseded", "nothing to do"], outcomes
        assert c.user("/Users/1")["version"] == 4


def test_check_names_what_is_wrong():
    with World() as w:
        c = w.connector()
        result = c.check()
        assert result["ok"], result
        assert {step["name"] for step in result["steps"]} >= {"address", "token", "org", "version", "profile", "username"}
        assert not os.listdir(w.folder), "a check makes no store"
        for fields, step, words in [({"store": "/nonexistent/store.db"}, "store", "directory"),
                                    ({"client_secret": "no"}, "token", "secret"),
                                    ({"client_id": "no"}, "token", "client"),
                                    ({"api_version": "v99.0"}, "version", "99.0; the org offers"),
                                    ({"profile": "Standrd User"}, "profile", "Standard User"),
                                    ({"domain_name": "http://127.0.0.1:1"}, "tcp", "firewall")]:
            result = w.connector(**fields).check()
            found = next(one for one in result["steps"] if one["name"] == step)
            assert not result["ok"] and found["status"] == "failed", (fields, result)
            assert found["cause"] and found["remedy"] and words in str(found), found


def test_the_login_host_is_explained():
    with World() as w:
        c = w.connector(domain_name=w.org.facts["login"])
        result = c.check()
        token = next(one for one in result["steps"] if one["name"] == "token")
        assert "not supported on this domain" in token["seen"] and "My Domain" in str(token), token


def test_fields_in_force_hide_secrets():
    with World() as w:
        c = w.connector(client_secret="sEcReT-cAnArY")
        shown = c.query(query="fields")["fields"]
        assert shown["client_secret"] == "***" and shown["batch_size"] == 200 and shown["profile"] == "Standard User"
        assert "cAnArY" not in str(shown)


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
