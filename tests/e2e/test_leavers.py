"""Leavers: frozen where Salesforce does not let them be deactivated or where the connector field says so, the
username given free, and all of it taken back when the user returns."""
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

import harness
from harness import Connector, IDLE, INFO, WARNING, World, create, hours_later, person, put, simple, waits

ADA = "primary-ada@acme.example"
REFUSAL = {"statusCode": "FIELD_INTEGRITY_EXCEPTION",
           "message": "Cannot complete this operation. Cannot inactivate user that is the value of a hierarchy "
                      "field: Deputy__c"}
BLOCK = dict({"on": "collections_update", "do": "refuse_record", "match": {"IsActive": False}, "times": -1}, **REFUSAL)


def staffed(w, *names, **more):
    c = w.connector(**more)
    c.accept(*[create(f"/Users/{name}", person(name)) for name in names])
    c.settle()
    return c


def leave(c, *names):
    c.accept(*[simple(f"/Users/{name}", "prov:delete") for name in names])


def frozen(w):
    return w.org.state()["frozen"]


def user_of(w, name):
    return w.org.user(f"primary-{name}@acme.example")


def writes(w, what):
    """Bodies of the writes about this kind of object."""
    return [call for call in w.org.calls()["calls"] if what in json.dumps(call.get("body") or "")]


def by_hand(w, name, freeze):
    """An admin freezes a user in Salesforce, or ends that."""
    def ask(method, path, body, **headers):
        connection = http.client.HTTPConnection(w.org.url.split("://")[1], timeout=harness.PATIENCE_S)
        connection.request(method, path, body, headers)
        text = connection.getresponse().read()
        connection.close()
        return json.loads(text) if text else None
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": w.org.facts["client_id"],
                                   "client_secret": w.org.facts["client_secret"]})
    session = ask("POST", "/services/oauth2/token", form, **{"Content-Type": "application/x-www-form-urlencoded"})
    headers = {"Authorization": "Bearer " + session["access_token"], "Content-Type": "application/json"}
    soql = urllib.parse.quote(f"SELECT Id FROM UserLogin WHERE UserId = '{user_of(w, name)['Id']}'")
    login = ask("GET", f"/services/data/v67.0/query?q={soql}", None, **headers)["records"][0]["Id"]
    ask("PATCH", f"/services/data/v67.0/sobjects/UserLogin/{login}", json.dumps({"IsFrozen": freeze}), **headers)
    assert (f"primary-{name}@acme.example" in frozen(w)) == freeze


def list_of(w):
    """What an admin sees."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(w.fields, file)
        file.flush()
        return subprocess.run([harness.CLI, "--plugin", harness.PLUGIN, "--config", file.name, "list"], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout


def test_who_cannot_be_deactivated_is_frozen_at_once_and_the_blocker_is_named():
    with World(retry_first_s=60, retry_max_s=60) as w:
        c = staffed(w, "ada", "bob")
        w.org.fault(dict(BLOCK, match={"IsActive": False, "Username": ADA}))
        leave(c, "ada", "bob")
        report = c.deliver(0)
        assert report.state == IDLE and report.next_due_us > 0, "a run ends, and it is tried again"
        assert frozen(w) == [ADA] and user_of(w, "ada")["IsActive"] and not user_of(w, "bob")["IsActive"]
        row = c.user("/Users/ada")
        assert row["state"] == "parked" and row["code"] == "FIELD_INTEGRITY_EXCEPTION", row
        assert "hierarchy field: Deputy__c" in row["message"] and "frozen until" in row["message"], row
        assert "hierarchy field" in row["cause"] and row["next_attempt"] and row["last_action"] == "frozen", row
        assert "Put somebody else" in row["remedy"], row
        assert any("parked: FIELD_INTEGRITY" in line for _, line in c.lines), c.lines
        assert [r["uri"] for r in c.query(query="subjects", state="parked")["subjects"]] == ["/Users/ada"]


def test_the_deactivation_is_tried_until_it_passes_and_the_return_undoes_both():
    with World(retry_first_s=1, retry_max_s=1) as w:
        c = staffed(w, "ada")
        w.org.fault(dict(BLOCK, times=3))
        leave(c, "ada")
        c.until(lambda: not user_of(w, "ada")["IsActive"], "deactivated")
        c.settle()
        assert c.user("/Users/ada")["state"] == "in_step"
        assert len(writes(w, "UserLogin")) == 1, "frozen once, not at each try"
        c.accept(put("/Users/ada", person("ada", title="Chief")))
        c.settle()
        assert frozen(w) == [] and user_of(w, "ada")["IsActive"] and user_of(w, "ada")["Title"] == "Chief"
        assert c.user("/Users/ada")["state"] == "in_step"


def test_who_returns_while_blocked_is_unfrozen():
    with World(retry_first_s=60, retry_max_s=60) as w:
        c = staffed(w, "ada")
        w.org.fault(BLOCK)
        leave(c, "ada")
        c.deliver(0)
        assert frozen(w) == [ADA]
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        row = c.user("/Users/ada")
        assert frozen(w) == [] and user_of(w, "ada")["IsActive"]
        assert row["state"] == "in_step" and row["last_action"] == "unfrozen" and not row.get("next_attempt"), row


def test_a_leaver_who_is_tried_again_goes_ahead_of_the_news():
    with World(parallel_calls=1) as w:  # a round takes 600
        c = staffed(w, "ada")
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"IsActive": False},
                     "statusCode": "UNABLE_TO_LOCK_ROW"})
        leave(c, "ada")
        c.deliver(0)
        row = c.user("/Users/ada")
        assert row["code"] == "UNABLE_TO_LOCK_ROW" and "leaving" in waits(row) and user_of(w, "ada")["IsActive"], row
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(1000)])
        w.org.ask("DELETE", "/__org/calls")
        c = hours_later(w, c, 1)
        kinds = [call["kind"] for call in w.org.calls()["calls"] if "collections" in call["kind"]]
        assert kinds[0] == "collections_update" and len(kinds) == 6, kinds
        assert not user_of(w, "ada")["IsActive"] and not c.user("/Users/ada")["waits"]


def test_who_was_frozen_by_hand_is_not_unfrozen_at_the_return_and_it_is_said():
    with World(leaver_action="freeze") as w:
        c = staffed(w, "ada", "bob")
        by_hand(w, "ada", True)
        leave(c, "ada", "bob")
        c.settle()
        row = c.user("/Users/ada")
        assert row["state"] == "in_step" and row["last_action"] == "found frozen", row
        assert sorted(frozen(w)) == [ADA, "primary-bob@acme.example"]
        c.accept(put("/Users/ada", person("ada", title="Chief")), put("/Users/bob", person("bob")))
        c.settle()
        assert frozen(w) == [ADA] and user_of(w, "ada")["Title"] == "Chief", "who was frozen by us is not frozen any more"
        row = c.user("/Users/ada")
        assert (row["state"], row["code"]) == ("in_step", "STAYS_FROZEN") and "Unfreeze" in row["remedy"], row
        assert any(level == WARNING and "stays frozen" in line for level, line in c.lines), c.lines
        by_hand(w, "ada", False)
        leave(c, "ada")
        c.settle()
        assert frozen(w) == [ADA] and c.user("/Users/ada")["last_action"] == "frozen", "and now by us"
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        assert frozen(w) == [] and not c.user("/Users/ada").get("code"), c.user("/Users/ada")


def test_that_an_account_stays_frozen_is_said_as_long_as_it_is_so():
    with World(leaver_action="freeze") as w:
        c = staffed(w, "ada")
        by_hand(w, "ada", True)
        leave(c, "ada")
        c.settle()
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        for resource in (None, person("ada", title="Chief")):
            if resource:
                c.accept(put("/Users/ada", resource))
            else:
                c.act(act="retry", user="/Users/ada")
            c.settle()
            row = c.user("/Users/ada")
            assert row.get("code") == "STAYS_FROZEN" and list(waits(row)) == ["unfreezing"], row
        c = hours_later(w, c, 2)
        assert c.user("/Users/ada").get("code") == "STAYS_FROZEN", c.user("/Users/ada")
        assert not any("stays frozen" in line for _, line in c.lines), "it was said before"
        assert not [line for level, line in c.lines if level <= INFO and "/Users/ada" in line], "nothing was done"
        by_hand(w, "ada", False)
        c = hours_later(w, c, 2)
        row = c.user("/Users/ada")
        assert not row.get("code") and not row["waits"] and row["last_action"] == "found unfrozen", row
        assert [entry for entry in row["history"] if entry.get("action") == "found unfrozen"], row["history"]


def test_who_stays_frozen_and_waits_for_a_manager_is_looked_at_too():
    with World(leaver_action="freeze") as w:
        c = staffed(w, "ada")
        by_hand(w, "ada", True)
        leave(c, "ada")
        c.settle()
        boss = {harness.ENTERPRISE: {"manager": {"value": "9"}}}
        c.accept(put("/Users/ada", person("ada", **boss)))
        c.settle()
        row = c.user("/Users/ada")
        assert (row.get("code"), waits(row)) == ("STAYS_FROZEN", {"manager": "/Users/9", "unfreezing": None}), row
        by_hand(w, "ada", False)
        c = hours_later(w, c, 2)
        row = c.user("/Users/ada")
        assert (row.get("code"), waits(row)) == (None, {"manager": "/Users/9"}), row


def test_two_waits_of_one_user_are_told_and_each_ends_by_itself():
    with World(wait_limit_hours=5, leaver_action="freeze") as w:
        c = staffed(w, "ada", outcome=lambda: True)
        by_hand(w, "ada", True)
        leave(c, "ada")
        c.settle()
        boss = {harness.ENTERPRISE: {"manager": {"value": "9"}}}
        c.accept(put("/Users/ada", person("ada", **boss)))
        c.settle()
        for is_long in (False, True):
            row = c.user("/Users/ada")
            assert (row["state"], row["code"]) == ("in_step", "STAYS_FROZEN"), row
            answer = c.outcomes[-1]["events"]["urn:ietf:params:scim:event:misc:asyncresp"]
            assert answer["status"] == ("200" if is_long else "202"), answer
            assert all(word in answer["response"]["detail"] for word in ("/Users/9", "is frozen")), answer
            assert [(wait["kind"], wait["long"]) for wait in row["waits"]] == [("manager", is_long), ("unfreezing", is_long)], row
            assert ("stays frozen" in row["message"], "/Users/9" in row["message"]) == (True, is_long), row
            counted = c.query(query="status")["waits"]
            assert [(wait["kind"], wait["users"], wait["long"]) for wait in counted] == [
                ("manager", 1, int(is_long)), ("unfreezing", 1, int(is_long))], counted
            for each in (row["waits"], counted):
                assert "send the manager" in each[0]["remedy"] and "unfreeze the account" in each[1]["remedy"], each
            if not is_long:
                c = hours_later(w, c, 6, outcome=lambda: True)
        said = [line for level, line in c.lines if level == WARNING and "/Users/ada" in line]
        assert len(said) == 1 and "/Users/9" in said[0] and "stays frozen" in said[0], said
        by_hand(w, "ada", False)
        c = hours_later(w, c, 2)
        row = c.user("/Users/ada")
        assert (row["code"], waits(row)) == ("MANAGER_AWAITED", {"manager": "/Users/9"}), row
        c.accept(create("/Users/9", person("boss")))
        c.settle()
        row = c.user("/Users/ada")
        assert not row.get("code") and not row["waits"] and c.query(query="status")["waits"] == [], row


def test_nobody_waits_for_a_look_at_who_is_frozen():
    with World() as w:
        c = staffed(w, "ada", "bob")
        by_hand(w, "ada", True)
        w.org.fault(dict(BLOCK, times=1))
        leave(c, "ada")
        c.settle()
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        assert c.user("/Users/ada").get("code") == "STAYS_FROZEN", c.user("/Users/ada")
        w.org.fault({"on": "query", "do": "status", "status": 500, "times": -1})
        c.act(act="retry", user="/Users/ada")
        c.accept(put("/Users/bob", person("bob", title="Heir")))
        c.until(lambda: user_of(w, "bob").get("Title") == "Heir", "bob is changed")
        assert c.user("/Users/ada").get("code") == "STAYS_FROZEN", c.user("/Users/ada")


def test_a_look_at_who_is_frozen_that_failed_is_made_again():
    with World(leaver_action="freeze") as w:
        c = staffed(w, "ada")
        by_hand(w, "ada", True)
        leave(c, "ada")
        c.settle()
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        assert c.user("/Users/ada").get("code") == "STAYS_FROZEN", c.user("/Users/ada")
        by_hand(w, "ada", False)
        w.org.fault({"on": "query", "do": "status", "status": 500, "times": -1})
        c.act(act="retry", user="/Users/ada")
        report = c.settle()  # which waits for no look
        row = c.user("/Users/ada")
        assert row.get("code") == "STAYS_FROZEN" and row["next_attempt"] and report.next_due_us > 0, row
        w.org.ask("DELETE", "/__org/faults")
        c.until(lambda: not c.user("/Users/ada").get("code"), "seen")
        assert not c.user("/Users/ada").get("next_attempt")


def test_a_retry_sees_that_an_account_is_unfrozen():
    with World() as w:
        c = staffed(w, "ada")
        by_hand(w, "ada", True)
        w.org.fault(dict(BLOCK, times=1))
        leave(c, "ada")
        c.settle()
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        assert c.user("/Users/ada").get("code") == "STAYS_FROZEN", c.user("/Users/ada")
        by_hand(w, "ada", False)
        c.act(act="retry", user="/Users/ada")
        c.settle()
        assert not c.user("/Users/ada").get("code"), c.user("/Users/ada")


def test_who_froze_an_adopted_account_nobody_knows_so_it_stays_frozen_and_it_is_said():
    with World(match=["Username"], leaver_action="freeze") as w:
        c = staffed(w, "ada")
        leave(c, "ada")
        c.settle()
        c.close()
        os.rename(w.fields["store"], w.fields["store"] + ".lost")
        c = staffed(w, "ada")
        row = c.user("/Users/ada")
        assert (row["state"], row.get("code"), waits(row)) == ("in_step", "STAYS_FROZEN", {"unfreezing": None}), row
        assert frozen(w) == [ADA] and "Unfreeze" in row["remedy"] and "adopted" in row["cause"], row
        assert any(level == WARNING and "stays frozen" in line for level, line in c.lines), c.lines
        by_hand(w, "ada", False)
        c = hours_later(w, c, 2)
        assert not c.user("/Users/ada").get("code"), c.user("/Users/ada")
        leave(c, "ada")
        c.settle()
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        assert frozen(w) == [], "and what we freeze is ours"


def test_who_was_frozen_by_hand_and_cannot_be_deactivated_stays_frozen():
    with World(retry_first_s=1, retry_max_s=1) as w:
        c = staffed(w, "ada")
        by_hand(w, "ada", True)
        w.org.fault(dict(BLOCK, times=2))
        leave(c, "ada")
        c.until(lambda: not user_of(w, "ada")["IsActive"], "deactivated")
        c.settle()
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        assert user_of(w, "ada")["IsActive"] and frozen(w) == [ADA]
        assert c.user("/Users/ada")["code"] == "STAYS_FROZEN", c.user("/Users/ada")


def test_a_freeze_without_an_answer_is_ours():
    for fault in ({"do": "drop_after"}, {"do": "drop_before"}):
        with World(leaver_action="freeze", settle_window_s=1) as w:
            c = staffed(w, "ada")
            w.org.fault(dict(fault, on="collections_update"))
            leave(c, "ada")
            c.settle()
            assert frozen(w) == [ADA], fault
            c.accept(put("/Users/ada", person("ada")))
            c.settle()
            assert frozen(w) == [], fault


def test_retry_by_hand_is_immediate():
    with World(retry_first_s=3600, retry_max_s=3600) as w:
        c = staffed(w, "ada")
        w.org.fault(dict(BLOCK, times=1))
        leave(c, "ada")
        c.deliver(0)
        assert user_of(w, "ada")["IsActive"]
        c.act(act="retry", user="/Users/ada")
        c.settle()
        assert not user_of(w, "ada")["IsActive"]


def test_a_missing_user_login_is_said_and_no_success():
    with World(retry_first_s=60, retry_max_s=60) as w:
        w.org.settings(login_rows=False)
        c = staffed(w, "ada")
        w.org.fault(BLOCK)
        leave(c, "ada")
        c.deliver(0)
        row = c.user("/Users/ada")
        assert row["state"] == "parked" and row["code"] == "FIELD_INTEGRITY_EXCEPTION", row
        assert "could not be frozen either: NO_USER_LOGIN" in row["message"], row
        assert "can still log in" in row["message"] and row["next_attempt"], row


def test_freezing_that_is_refused_is_said_and_tried_again():
    with World(retry_first_s=1, retry_max_s=1, leaver_action="freeze") as w:
        c = staffed(w, "ada")
        w.org.fault({"on": "collections_update", "do": "refuse_record", "statusCode": "INSUFFICIENT_ACCESS",
                     "message": "no rights", "match": {"IsFrozen": True}})
        leave(c, "ada")
        c.deliver(0)
        row = c.user("/Users/ada")
        assert row["code"] == "INSUFFICIENT_ACCESS" and "can still log in" in row["message"], row
        c.until(lambda: frozen(w) == [ADA], "frozen")
        c.settle()
        assert c.user("/Users/ada")["state"] == "in_step"


def test_the_answer_to_a_freeze_is_lost_before_and_after():
    for loss in ("drop_before", "drop_after"):
        with World(retry_first_s=1, retry_max_s=1, settle_window_s=1) as w:
            c = staffed(w, "ada")
            w.org.fault(BLOCK, {"on": "collections_update", "do": loss, "match": {"IsFrozen": True}, "times": 2})
            leave(c, "ada")
            c.until(lambda: frozen(w) == [ADA] and c.user("/Users/ada")["state"] == "parked", f"{loss}: frozen")
            w.org.ask("DELETE", "/__org/faults")
            c.until(lambda: not user_of(w, "ada")["IsActive"], f"{loss}: deactivated")
            c.accept(put("/Users/ada", person("ada")))
            c.settle()
            assert frozen(w) == [] and user_of(w, "ada")["IsActive"], loss


def test_a_freeze_that_lands_late_does_not_outlive_the_return():
    with World(leaver_action="freeze", settle_window_s=2) as w:
        c = staffed(w, "ada")
        w.org.fault({"on": "collections_update", "do": "late", "delay_ms": 700, "match": {"IsFrozen": True}, "times": 2})
        leave(c, "ada")
        c.deliver(0)
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        assert frozen(w) == [] and user_of(w, "ada")["IsActive"]
        assert c.user("/Users/ada")["state"] == "in_step"


def test_an_unfreeze_without_an_answer_is_read_back():
    for loss in ("drop_before", "drop_after"):
        with World(leaver_action="freeze", settle_window_s=1) as w:
            c = staffed(w, "ada")
            leave(c, "ada")
            c.settle()
            assert frozen(w) == [ADA]
            w.org.fault({"on": "collections_update", "do": loss, "match": {"IsFrozen": False}, "times": 2})
            c.accept(put("/Users/ada", person("ada")))
            c.settle()
            assert frozen(w) == [], loss
            assert c.user("/Users/ada")["state"] == "in_step"


def test_a_process_killed_between_refusal_and_freeze_begins_again():
    with World(retry_first_s=1, retry_max_s=1, settle_window_s=1) as w:
        c = staffed(w, "ada")
        w.org.fault(BLOCK, {"on": "query", "do": "delay", "delay_ms": 30000})
        leave(c, "ada")
        c.close()
        child = os.fork()
        if child == 0:
            try:
                Connector(w.fields).deliver(60000)
            finally:
                os._exit(1)
        w.org.met("delay")  # the UserLogin is asked for
        assert frozen(w) == [] and user_of(w, "ada")["IsActive"]
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        w.org.ask("DELETE", "/__org/faults")
        w.org.fault(BLOCK)
        c = w.connector()
        c.until(lambda: frozen(w) == [ADA], "frozen")
        c.until(lambda: c.user("/Users/ada")["state"] == "parked", "parked")
        w.org.ask("DELETE", "/__org/faults")
        c.until(lambda: not user_of(w, "ada")["IsActive"], "deactivated")


def test_freeze_keeps_the_account_active_and_batches():
    with World(leaver_action="freeze") as w:
        names = [f"u{n}" for n in range(5)]
        c = staffed(w, *names)
        w.org.ask("DELETE", "/__org/calls")
        shown = c.preview(simple("/Users/u0", "prov:delete"))
        assert shown["action"] == "freeze" and shown["calls"][0]["body"] == {"IsFrozen": True}, shown
        assert "UserLogin" in shown["looks_up"][0], shown
        leave(c, *names)
        c.settle()
        assert len(frozen(w)) == 5 and all(user_of(w, name)["IsActive"] for name in names)
        assert sum(call["kind"] != "token" for call in w.org.calls()["calls"]) == 2, "one look-up, one update"
        assert c.user("/Users/u0")["last_action"] == "frozen" and c.user("/Users/u0")["state"] == "in_step"
        assert "frozen: gone at the host" in list_of(w)
        c.accept(*[put(f"/Users/{name}", person(name)) for name in names])
        c.settle()
        assert frozen(w) == []


def test_a_freeze_counts_for_the_guard_and_a_blocked_one_once():
    with World(leaver_action="freeze", guard_floor=2, guard_percent=33) as w:
        names = [f"u{n}" for n in range(10)]
        c = staffed(w, *names)
        leave(c, *names[:6])
        c.deliver(0)
        assert frozen(w) == [] and c.user("/Users/u0")["code"] == "GUARD"
        c.act(act="release")
        c.settle()
        assert len(frozen(w)) == 6
    with World(guard_floor=2, guard_percent=33, retry_first_s=1, retry_max_s=1) as w:
        c = staffed(w, *names)
        w.org.fault(BLOCK)
        leave(c, *names[:2])
        c.deliver(0)
        assert len(frozen(w)) == 2
        for _ in range(3): # each user is two numbers at the most otherwise: frozen, and tried again
            time.sleep(1.1)
            c.deliver(0)
        w.org.ask("DELETE", "/__org/faults")
        c.until(lambda: sum(user_of(w, name)["IsActive"] for name in names) == 8, "deactivated")


def test_a_released_username_is_free_and_comes_back_with_the_account():
    with World(leaver_action="deactivate_and_release") as w:
        c = staffed(w, "ada")
        account = user_of(w, "ada")["Id"]
        leave(c, "ada")
        c.settle()
        name = f"{ADA}.left-{account.lower()}"
        assert w.org.user(name)["Id"] == account and not w.org.user(name)["IsActive"]
        row = c.user("/Users/ada")
        assert row["username"] == name and row["state"] == "in_step", row
        c.accept(put("/Users/ada", person("ada", title="Back")))
        c.settle()
        user = user_of(w, "ada")
        assert user["Id"] == account and user["IsActive"] and user["Title"] == "Back"


def test_a_long_username_is_released_within_80_characters():
    with World(leaver_action="deactivate_and_release") as w:
        c, name = w.connector(), "l" * 59
        c.accept(create("/Users/l", person(name)))
        c.settle()
        leave(c, "l")
        c.settle()
        released = c.user("/Users/l")["username"]
        assert list(w.org.users()) == [released] and len(released) <= 80 and released.endswith("@released.invalid")
        c.accept(put("/Users/l", person(name)))
        c.settle()
        assert list(w.org.users()) == [f"primary-{name}@acme.example"] and user_of(w, name)["IsActive"]


def test_another_hire_gets_the_released_name_and_the_return_waits_for_it():
    with World(leaver_action="deactivate_and_release") as w:
        c = staffed(w, "ada")
        account = user_of(w, "ada")["Id"]
        leave(c, "ada")
        c.settle()
        c.accept(create("/Users/other", person("ada")))
        c.settle()
        assert user_of(w, "ada")["Id"] != account and user_of(w, "ada")["IsActive"]
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        assert c.user("/Users/ada")["code"] == "USERNAME_IN_USE_HERE"
        leave(c, "other")
        c.settle()
        assert user_of(w, "ada")["Id"] == account and user_of(w, "ada")["IsActive"]


def test_a_replan_reaches_who_has_left_at_the_return():
    gone = lambda name: simple(f"/Users/{name}", "prov:delete")
    out = lambda name: simple(f"/Users/{name}", "feed:remove")
    inactive = lambda name: put(f"/Users/{name}", dict(person(name), active=False))
    for action in ("deactivate", "deactivate_and_release", "freeze"):
        for leaves in (gone, out, inactive):
            with World(leaver_action=action, username_taken="suffix") as w:
                c = staffed(w, "ada", "bob")
                c.accept(create("/Users/2", person("ada")))  # has a number
                c.settle()
                account = user_of(w, "ada2")["Id"]
                c.accept(leaves("ada"), put("/Users/2", dict(person("ada"), active=False)))
                c.settle()
                c.close()
                c = w.connector(provisioning_separator="_")
                c.act(act="replan", all=True, force=True)
                c.settle()
                c.accept(simple("/Users/ada", "feed:add") if leaves == out else put("/Users/ada", person("ada", title="Back")))
                c.accept(put("/Users/2", person("ada")))
                c.settle()
                names = sorted(name for name, user in w.org.users().items() if user["IsActive"])
                assert names == [f"primary_{n}@acme.example" for n in ("ada2", "ada", "bob")], (action, leaves, names)
                numbered = w.org.user("primary_ada2@acme.example")["Id"]
                assert action == "deactivate_and_release" or numbered == account, "each has his own number"
                c.close()
                c = w.connector(provisioning_separator=".")  # the order is used up
                c.accept(put("/Users/ada", person("ada", title="Chief")))
                c.settle()
                assert "primary_ada@acme.example" in w.org.users(), (action, leaves, w.org.users().keys())


def test_a_replan_that_waits_for_the_return_changes_nothing_before_it():
    gone = lambda name: simple(f"/Users/{name}", "prov:delete")
    outside = lambda name: put(f"/Users/{name}", person(name, title="Guest"))
    inactive = lambda name: put(f"/Users/{name}", person(name, active=False))
    for action in ("deactivate", "deactivate_and_release", "freeze"):
        for leaves in (gone, outside, inactive):
            fields = {"leaver_action": action, "scope_filter": 'not (title eq "Guest")'}
            with World(**fields) as w:
                c = staffed(w, "ada")
                c.accept(leaves("ada"))
                c.settle()
                c.act(act="replan", all=True, force=True)
                c.settle()
                c.close()
                c = w.connector(profile="Nonesuch")
                before = c.user("/Users/ada")["confirmed"]
                c.accept(leaves("ada"))
                c.settle()
                row = c.user("/Users/ada")
                assert row["state"] == "in_step" and row["confirmed"] == before, (action, row)
                c.accept(put("/Users/ada", person("ada")))
                c.settle()
                assert c.user("/Users/ada")["code"] == "PROFILE_NOT_FOUND", "at the return the order is carried out"


def test_who_is_unfrozen_is_replanned_before():
    with World(leaver_action="freeze") as w:
        c = staffed(w, "ada")
        leave(c, "ada")
        c.settle()
        c.act(act="replan", all=True, force=True)
        c.settle()
        c.close()
        c = w.connector(profile="System Administrator")
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        assert user_of(w, "ada")["ProfileId"] == w.org.state()["profiles"]["System Administrator"], user_of(w, "ada")
        assert not frozen(w)


def test_a_list_with_inactive_people_releases_and_keeps_their_fields_in_step():
    with World(leaver_action="deactivate_and_release") as w:
        c = staffed(w, "ada")
        account = user_of(w, "ada")["Id"]
        c.accept(put("/Users/ada", dict(person("ada", title="Left"), active=False)))
        c.settle()
        user = w.org.user(f"{ADA}.left-{account.lower()}")
        assert not user["IsActive"] and user["Title"] == "Left"
        c.accept(put("/Users/ada", person("ada")))
        c.settle()
        assert user_of(w, "ada")["Id"] == account and user_of(w, "ada")["IsActive"]


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
