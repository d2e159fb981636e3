"""What somebody changed in the org by hand is set back when an admin orders it: `drift --repair`."""
import json
import os
import sqlite3
import subprocess
import sys

import harness
from harness import CLI, PLUGIN, World, create, patch, person, put, simple

JANE = "primary-jane@acme.example"


def staffed(w, *names, **more):
    c = w.connector(**more)
    c.accept(*[create(f"/Users/{name}", person(name, title="Chief")) for name in names])
    c.settle()
    return c


def change(w, username, **fields):
    w.org.ask("PATCH", f"/__org/users/{username}", fields)


def repair(c, **more):
    return c.act(act="repair", **(more or {"all": True}))


def test_everything_is_set_back_and_nothing_else_is_touched():
    with World() as w:
        c = staffed(w, "jane", "bob")
        before = w.org.users()
        other = w.org.state()["profiles"]
        change(w, JANE, Title="Clerk", IsActive=False, Username="mine@acme.example",
               ProfileId=[i for i in other.values() if i != before[JANE]["ProfileId"]][0], Department="kept")
        answer = repair(c, all=True, dry_run=True)
        assert answer["count"] == 1 and answer["dry_run"] and c.deliver(0).pending == 0, answer
        answer = repair(c)
        assert (answer["count"], answer["looked_at"], answer["same"]) == (1, 2, 1), answer
        calls = len(w.org.calls()["calls"])
        c.settle()
        after = w.org.users()
        assert after.keys() == before.keys(), after.keys()
        for field in ("Title", "IsActive", "ProfileId"):
            assert after[JANE][field] == before[JANE][field], field
        assert after[JANE]["Department"] == "kept", "never ours"
        assert len(w.org.calls()["calls"]) - calls == 2, "one look, one update"
        assert c.user("/Users/jane")["last_action"].startswith("repaired: "), c.user("/Users/jane")
        assert c.query(query="drift")["drift"] == []


def test_news_that_come_with_it_are_delivered_as_well():
    with World() as w:
        c = staffed(w, "jane")
        change(w, JANE, Title="Clerk", LastName="Roe")
        repair(c, user="/Users/jane")
        c.accept(patch("/Users/jane", {"op": "replace", "path": "title", "value": "Boss"}))
        c.settle()
        assert (w.org.user(JANE)["Title"], w.org.user(JANE)["LastName"]) == ("Boss", "Doe")


def test_a_missing_account_is_parked_and_an_email_is_no_difference():
    with World() as w:
        c = staffed(w, "jane", "bob")
        c.accept(put("/Users/bob", person("bob", title="Chief", emails=[
            {"value": "new@example.com", "type": "work", "primary": True}])))
        c.settle()
        empty = {"totalSize": 0, "done": True, "records": []}
        assert repair(c)["count"] == 0
        w.org.fault({"on": "query", "do": "status", "status": 200, "body": empty, "times": 2})
        assert repair(c, user="/Users/jane")["drift"][0]["what"] == "missing"
        c.settle()
        row = c.user("/Users/jane")
        assert (row["state"], row["code"]) == ("parked", "ACCOUNT_MISSING") and row["remedy"], row
        assert c.user("/Users/bob")["state"] == "in_step"


def test_it_outlives_retries_lost_answers_and_a_restart():
    for fault in ({"on": "collections_update", "do": "refuse_record"},
                  {"on": "collections_update", "do": "drop_before"},
                  {"on": "collections_update", "do": "drop_after"},
                  {"on": "query", "do": "drop_before"}):
        with World(settle_window_s=1) as w:
            c = staffed(w, "jane")
            profile = w.org.user(JANE)["ProfileId"]
            other = [i for i in w.org.state()["profiles"].values() if i != profile][0]
            change(w, JANE, Title="Clerk", Username="mine@acme.example", ProfileId=other)
            repair(c)
            w.org.fault(fault)
            c.deliver(0)
            c.close()
            c = w.connector()
            c.settle()
            user = w.org.users().get(JANE)
            assert user and (user["Title"], user["ProfileId"]) == ("Chief", profile), (fault, w.org.users())
            assert c.user("/Users/jane")["state"] == "in_step" and c.query(query="drift")["drift"] == []


def test_leavers_who_were_let_in_again_count_for_the_guard():
    with World(guard_floor=2, guard_percent=33) as w:
        names = [f"u{n}" for n in range(6)]
        c = staffed(w, *names, guard_floor=100)
        c.accept(*[simple(f"/Users/{name}", "prov:delete") for name in names[:4]])
        c.settle()
        c.close()
        c = w.connector()
        for name in names[:4]:
            change(w, f"primary-{name}@acme.example", IsActive=True)
        assert repair(c)["count"] == 4
        c.settle()
        active = sum(user["IsActive"] for user in w.org.users().values())
        assert active == 6 and c.query(query="status")["guard"]["held"] == 4, c.query(query="status")
        c.act(act="release")
        c.settle()
        assert sum(user["IsActive"] for user in w.org.users().values()) == 2


def test_a_leaver_who_was_let_in_again_counts_once_though_the_answer_is_lost():
    with World(guard_floor=2, guard_percent=33) as w:
        names = [f"u{n}" for n in range(6)]
        c = staffed(w, *names, guard_floor=100)
        c.accept(*[put(f"/Users/{name}", person(name, active=False)) for name in names[:2]])
        c.settle()
        c.close()
        c = w.connector(guard_window_s=3600)
        with sqlite3.connect(w.fields["store"]) as store:  # another window
            store.execute("DELETE FROM fact WHERE key = 'guard'")
        for name in names[:2]:
            change(w, f"primary-{name}@acme.example", IsActive=True)
        assert repair(c)["count"] == 2
        w.org.fault({"on": "collections_update", "do": "drop_after"})
        c.settle()
        assert sum(user["IsActive"] for user in w.org.users().values()) == 4
        c.accept(simple("/Users/u5", "prov:delete"))
        c.settle()
        assert c.user("/Users/u5")["code"] == "GUARD", "two of six were, and this is the third"


def test_a_deactivation_does_not_wait_for_the_look():
    with World() as w:
        c = staffed(w, "jane", "bob")
        change(w, JANE, Title="Clerk")
        repair(c)
        c.accept(simple("/Users/bob", "prov:delete"))
        c.settle()
        kinds = [call["kind"] for call in w.org.calls()["calls"]][-3:]
        assert w.org.user(JANE)["Title"] == "Chief" and not w.org.user("primary-bob@acme.example")["IsActive"]
        assert "update" in kinds[0] and "query" in kinds[1], kinds


def test_the_command_shows_and_orders():
    with World() as w:
        c = staffed(w, "jane")
        change(w, JANE, Title="Clerk")
        path = os.path.join(w.folder, "fields.json")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            json.dump(w.fields, file)

        def run(*words):
            return subprocess.run([CLI, *words, "--config", path, "--plugin", PLUGIN], capture_output=True, text=True,
                                  timeout=60, check=False)
        dry = run("drift", "--repair", "--dry-run")
        assert dry.returncode == 1 and "1 would be set back" in dry.stdout, dry
        real = run("drift", "--repair")
        assert real.returncode == 0 and "1 to be set back" in real.stdout, real
        c.settle()
        assert w.org.user(JANE)["Title"] == "Chief"
        assert run("drift", "--dry-run").returncode == 2
        again = run("drift", "--repair", "--json")
        assert json.loads(again.stdout)["count"] == 0, again


def test_results_of_a_create_in_another_order_are_seen_by_drift():
    with World() as w:
        c = w.connector()
        w.org.fault({"on": "collections_create", "do": "swap_array"})
        c.accept(create("/Users/1", person("ann")), create("/Users/2", person("bob")))
        c.settle()
        shown = {row["uri"]: row for row in c.query(query="drift")["drift"]}
        for uri, own, other in (("/Users/1", "ann", "bob"), ("/Users/2", "bob", "ann")):
            fields = {f["field"]: (f["ours"], f["theirs"]) for f in shown[uri]["fields"]}
            assert fields["Username"] == (f"primary-{own}@acme.example", f"primary-{other}@acme.example"), shown


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
