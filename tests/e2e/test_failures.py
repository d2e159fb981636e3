"""What fails between the host and Salesforce: nothing is lost, doubled, or older than accepted."""
import os
import signal
import subprocess
import sys
import threading
import time

import harness
from harness import ELSEWHERE, HELD, WAITING, World, create, patch, person, put, simple, window_over

WINDOW = 2  # settle_window_s of the tests that wait for it


def names(w):
    return sorted(w.org.users())


def creates(w):
    """How many create calls were sent (a write that lands late is logged a second time)."""
    return sum(1 for call in w.org.calls()["calls"] if call["kind"] == "collections_create" and not call["late"])


def warm(c, w):
    """Opens the connection first: a reused connection fails in ways of its own."""
    c.accept(create("/Users/warm", person("warm")))
    c.settle()


def test_a_create_whose_answer_was_lost_is_found_and_not_repeated():
    for fault in ("drop_after", "cut", "garbage", "short_array", "long_array"):
        with World() as w:
            c = w.connector()
            warm(c, w)
            w.org.fault({"on": "collections_create", "do": fault})
            c.accept(create("/Users/1", person("jdoe")), create("/Users/2", person("bob")))
            c.settle()
            assert names(w) == ["primary-bob@acme.example", "primary-jdoe@acme.example", "primary-warm@acme.example"], fault
            for uri, name in (("/Users/1", "primary-jdoe@acme.example"), ("/Users/2", "primary-bob@acme.example")):
                row = c.user(uri)
                assert row["state"] == "in_step" and row["salesforce_id"] == w.org.user(name)["Id"], (fault, row)
                said = [entry["message"] for entry in row["history"] if entry["outcome"] == "unknown"]
                assert fault != "drop_after" or said == ["the connection was closed before an answer came"], said
            assert creates(w) == 2, (fault, w.org.calls()["calls"])


def test_a_create_that_did_nothing_is_repeated_after_the_window():
    with World(settle_window_s=WINDOW) as w:
        c = w.connector()
        warm(c, w)
        w.org.fault({"on": "collections_create", "do": "drop_before"})
        c.accept(create("/Users/1", person("jdoe")))
        began = time.monotonic()
        c.deliver(100)
        assert c.user("/Users/1")["state"] == "in_flight", c.user("/Users/1")
        c.settle()
        assert time.monotonic() - began > WINDOW, "it may not be believed before the window is over"
        assert names(w) == ["primary-jdoe@acme.example", "primary-warm@acme.example"]
        assert c.user("/Users/1")["state"] == "in_step"


def test_a_create_that_lands_late_is_found():
    with World() as w:
        c = w.connector()
        warm(c, w)
        w.org.fault({"on": "collections_create", "do": "late", "delay_ms": 1500})
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        assert creates(w) == 2, w.org.calls()["calls"]
        assert c.user("/Users/1")["salesforce_id"] == w.org.user("primary-jdoe@acme.example")["Id"]


def test_a_create_that_lands_after_the_window_is_taken_for_ours():
    with World(settle_window_s=1) as w:
        c = w.connector()
        warm(c, w)
        w.org.fault({"on": "collections_create", "do": "late", "delay_ms": -1},
                    {"on": "collections_create", "do": "delay", "delay_ms": 4000})
        c.accept(create("/Users/1", person("jdoe")))
        thread = threading.Thread(target=c.settle)
        thread.start()
        w.org.met("delay")  # it was sent once more, and the first lands before the second
        w.org.ask("POST", "/__org/land")
        thread.join()
        assert creates(w) == 3, w.org.calls()["calls"]
        assert names(w) == ["primary-jdoe@acme.example", "primary-warm@acme.example"]
        row = c.user("/Users/1")
        assert row["state"] == "in_step" and row["salesforce_id"] == w.org.user("primary-jdoe@acme.example")["Id"], row


def test_a_wrong_clock_hides_no_account_of_ours():
    for offset in (-3600, 3600):
        with World() as w:
            w.org.settings(clock_offset_s=offset)
            c = w.connector()
            warm(c, w)
            w.org.fault({"on": "collections_create", "do": "drop_after"})
            c.accept(create("/Users/1", person("jdoe")))
            c.settle()
            row = c.user("/Users/1")
            assert row["state"] == "in_step" and row["salesforce_id"], (offset, row)
            c.accept(simple("/Users/1", "prov:delete"))
            c.settle()
            assert not w.org.user("primary-jdoe@acme.example")["IsActive"], offset


def test_a_wrong_clock_makes_no_older_account_ours():
    with World(settle_window_s=1) as w:
        c = w.connector()
        warm(c, w)
        c.accept(create("/Users/old", person("jdoe")))
        c.settle()
        c.close()
        w.org.settings(clock_offset_s=3600)  # the account is an hour old, and our clock an hour behind
        os.rename(w.fields["store"], w.fields["store"] + ".lost")
        c = w.connector()
        warm(c, w)
        w.org.fault({"on": "collections_create", "do": "drop_before"})
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        row = c.user("/Users/1")
        assert row["state"] == "parked" and row["code"] == "DUPLICATE_USERNAME" and not row.get("salesforce_id"), row


def refused_for_a_foreign_user(w):
    """/Users/1, whose create had no answer; meanwhile somebody else has made a user of that name."""
    c = w.connector()
    warm(c, w)
    w.org.fault({"on": "collections_create", "do": "drop_before"})
    c.accept(create("/Users/1", person("jdoe")))
    c.deliver(100)
    w.org.ask("POST", "/__org/users", {"Username": "primary-jdoe@acme.example", "LastName": "Other"})
    c.settle()
    row = c.user("/Users/1")
    assert row["state"] == "parked" and row["code"] == "DUPLICATE_USERNAME" and not row.get("salesforce_id"), row
    return c


def test_a_foreign_user_of_that_name_is_not_taken_after_an_unknown_create():
    with World(settle_window_s=1) as w:
        refused_for_a_foreign_user(w)


def test_a_foreign_user_without_our_correlation_is_not_taken_after_an_unknown_create():
    with World("--custom-field", "Host_Id__c:255:unique:external", correlation_field="Host_Id__c", settle_window_s=1) as w:
        refused_for_a_foreign_user(w)


def test_an_account_made_after_an_unknown_create_was_refused_is_not_taken():
    with World(settle_window_s=1) as w:
        c = refused_for_a_foreign_user(w)
        w.org.ask("PATCH", "/__org/users/primary-jdoe@acme.example", {"Username": "other@acme.example"})
        second = w.connector(store=os.path.join(w.folder, "other.db"))  # by the same execution user
        second.accept(create("/Users/2", person("jdoe")))
        second.settle()
        c.act(act="retry", user="/Users/1")
        c.settle()
        row, other = c.user("/Users/1"), second.user("/Users/2")
        assert row["code"] == "DUPLICATE_USERNAME" and not row.get("salesforce_id"), row
        assert other["salesforce_id"] == w.org.user("primary-jdoe@acme.example")["Id"], other


def test_another_subjects_account_is_not_taken_after_an_unknown_create():
    with World(settle_window_s=1) as w:
        c = w.connector()
        c.accept(create("/Users/2", person("bob")))
        c.settle()
        w.org.fault({"on": "collections_create", "do": "drop_before"})
        c.accept(create("/Users/1", person("jdoe")))
        c.deliver(100)
        # an admin gives the name to an account that we made, and in time
        w.org.ask("PATCH", "/__org/users/primary-bob@acme.example", {"Username": "primary-jdoe@acme.example"})
        c.settle()
        row, other = c.user("/Users/1"), c.user("/Users/2")
        assert row["code"] == "DUPLICATE_USERNAME" and not row.get("salesforce_id"), row
        assert other["salesforce_id"] == w.org.user("primary-jdoe@acme.example")["Id"], other


def test_an_update_whose_answer_was_lost_is_read_back():
    with World(settle_window_s=WINDOW) as w:
        c = w.connector()
        warm(c, w)
        c.accept(create("/Users/2", person("bob")))
        c.settle()
        for fault, sends in (("drop_after", 1), ("swap_array", 1), ("drop_before", 2)):
            w.org.ask("DELETE", "/__org/calls")
            w.org.fault({"on": "collections_update", "do": fault})
            for uri in ("/Users/warm", "/Users/2"):
                c.accept(patch(uri, {"op": "replace", "path": "title", "value": fault}))
            c.settle()
            for uri, name in (("/Users/warm", "primary-warm@acme.example"), ("/Users/2", "primary-bob@acme.example")):
                assert w.org.user(name)["Title"] == fault
                assert c.user(uri)["state"] == "in_step"
            sent = [call for call in w.org.calls()["calls"] if call["kind"] == "collections_update"]
            assert len(sent) == sends, (fault, sent)


def test_an_email_that_waits_for_its_owner_is_read_back_as_sent():
    with World(settle_window_s=WINDOW) as w:
        c = w.connector()
        warm(c, w)
        w.org.ask("DELETE", "/__org/calls")
        w.org.fault({"on": "collections_update", "do": "drop_after"})
        c.accept(patch("/Users/warm", {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@example.com"}))
        c.settle()
        assert w.org.state()["pending_emails"] and c.user("/Users/warm")["state"] == "in_step"
        sent = [call for call in w.org.calls()["calls"] if call["kind"] == "collections_update"]
        assert len(sent) == 1, "the org shows the old address, and has taken the new one"


def test_changes_that_come_while_one_is_in_flight_follow_it():
    with World() as w:
        c = w.connector()
        warm(c, w)
        w.org.fault({"on": "collections_update", "do": "late", "delay_ms": 1200})
        c.accept(patch("/Users/warm", {"op": "replace", "path": "title", "value": "first"}))
        c.deliver(50)
        c.accept(patch("/Users/warm", {"op": "replace", "path": "title", "value": "second"}))
        c.settle()
        time.sleep(0.5)
        assert w.org.user("primary-warm@acme.example")["Title"] == "second"


def test_a_deactivation_waits_for_nothing_in_flight():
    with World() as w:
        c = w.connector()
        warm(c, w)
        w.org.fault({"on": "collections_update", "do": "late", "delay_ms": -1})
        c.accept(patch("/Users/warm", {"op": "replace", "path": "title", "value": "first"}))
        c.deliver(50)
        c.accept(simple("/Users/warm", "prov:delete"))
        c.until(lambda: not w.org.user("primary-warm@acme.example")["IsActive"], "a deactivation before the end of the window")
        assert c.user("/Users/warm")["state"] == "in_flight", "the late write is still watched for"
        w.org.ask("POST", "/__org/land")
        c = window_over(w, c)
        assert w.org.user("primary-warm@acme.example")["IsActive"] is False
        assert c.user("/Users/warm")["state"] == "in_step"


def test_a_late_reactivation_does_not_outlive_a_deactivation():
    with World() as w:
        c = w.connector()
        warm(c, w)
        c.accept(simple("/Users/warm", "prov:deactivate"))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "late", "delay_ms": -1})
        c.accept(simple("/Users/warm", "prov:activate"))
        c.deliver(50)
        c.accept(simple("/Users/warm", "prov:deactivate"))
        c.deliver(50)
        w.org.ask("POST", "/__org/land")
        assert w.org.user("primary-warm@acme.example")["IsActive"] is True, "the late write brought it back"
        c = window_over(w, c)
        assert w.org.user("primary-warm@acme.example")["IsActive"] is False, "read back after the window"


def test_the_window_begins_when_the_call_went_out_and_not_when_its_token_was_asked_for():
    with World(settle_window_s=8) as w:
        c = w.connector()
        warm(c, w)
        w.org.fault({"on": "collections_update", "do": "status", "status": 401,
                     "body": [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]},
                    {"on": "token", "do": "delay", "delay_ms": 8500},
                    {"on": "collections_update", "do": "late", "delay_ms": -1})
        c.accept(patch("/Users/warm", {"op": "replace", "path": "title", "value": "one"}))
        c.deliver(50)
        c.accept(patch("/Users/warm", {"op": "replace", "path": "title", "value": "two"}))
        c.deliver(50)
        time.sleep(1)  # the pause
        c.deliver(500)
        assert c.user("/Users/warm")["state"] == "in_flight", "it may land yet"
        w.org.ask("POST", "/__org/land")
        c.settle()
        assert w.org.user("primary-warm@acme.example")["Title"] == "two"


def test_a_deactivation_whose_answer_was_lost_is_sent_again_at_once():
    with World() as w:
        c = w.connector()
        warm(c, w)
        w.org.fault({"on": "collections_update", "do": "drop_before"})
        c.accept(simple("/Users/warm", "prov:deactivate"))
        c.until(lambda: not w.org.user("primary-warm@acme.example")["IsActive"], "a deactivation before the end of the window")


def test_503_is_retried_and_nothing_is_doubled():
    with World(settle_window_s=1) as w:
        c = w.connector()
        warm(c, w)
        w.org.fault({"on": "collections_create", "do": "status", "status": 503, "times": 2})
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        assert names(w) == ["primary-jdoe@acme.example", "primary-warm@acme.example"]


def test_an_expired_token_is_renewed_once():
    with World() as w:
        c = w.connector()
        warm(c, w)
        before = w.org.usage()["token_requests"]
        w.org.ask("POST", "/__org/expire_tokens", {})
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        assert w.org.usage()["token_requests"] == before + 1
        assert len(w.org.users()) == 2 and not any("on hold" in line for _, line in c.lines), c.lines


def test_wrong_credentials_hold_the_connector_and_lose_nothing():
    with World() as w:
        c = w.connector(client_secret="sEcReT-cAnArY")
        c.accept(create("/Users/1", person("jdoe")))
        report = c.deliver()
        assert report.state == HELD, report.state
        hold = c.query(query="status")["hold"]
        assert hold["by"] == "salesforce" and hold["remedy"] and "invalid" in hold["reason"], hold
        assert "cAnArY" not in str(hold) and "cAnArY" not in str(c.lines)
        c.accept(create("/Users/2", person("bob")))
        assert c.user("/Users/1")["attempts"] == 0
        assert hold["next_probe"] > hold["since"], hold
        c.close()
        c = w.connector()  # started anew with the right secret: it looks at once
        c.settle()
        assert len(w.org.users()) == 2 and c.query(query="status")["hold"] is None


def test_a_refused_record_harms_no_other():
    with World() as w:
        c = w.connector()
        w.org.fault({"on": "collections_create", "do": "refuse_record", "match": {"Username": "primary-u7@acme.example"},
                     "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Not on Fridays"})
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(20)])
        c.settle()
        assert len(w.org.users()) == 19
        row = c.user("/Users/7")
        assert row["state"] == "parked" and "Not on Fridays" in row["message"] and row["remedy"], row
        c.accept(put("/Users/7", person("u7", title="Again")))
        c.settle()
        assert len(w.org.users()) == 20


def test_a_lock_error_is_tried_again():
    with World() as w:
        c = w.connector()
        w.org.fault({"on": "collections_create", "do": "refuse_record", "match": {"Username": "primary-u1@acme.example"}})
        c.accept(create("/Users/1", person("u1")), create("/Users/2", person("u2")))
        c.deliver(10)
        assert c.user("/Users/1")["outcome"] == "retry" and c.user("/Users/2")["state"] == "in_step"
        c.settle()
        assert len(w.org.users()) == 2


def test_a_call_refused_as_a_whole_is_bisected():
    with World() as w:
        c = w.connector()
        w.org.fault({"on": "collections_create", "do": "refuse_call_with", "match": {"Username": "primary-u13@acme.example"},
                     "status": 400, "errorCode": "INVALID_FIELD", "message": "No such column 'X' on sobject of type User"})
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(40)])
        c.settle()
        assert len(w.org.users()) == 39
        assert [row["uri"] for row in c.query(query="subjects", state="parked")["subjects"]] == ["/Users/13"]


def test_the_daily_limit_holds():
    with World() as w:
        c = w.connector()
        warm(c, w)
        w.org.settings(api_max=1)
        c.accept(create("/Users/1", person("jdoe")))
        report = c.deliver()
        assert report.state == HELD, report.state
        assert "REQUEST_LIMIT_EXCEEDED" in c.query(query="status")["hold"]["reason"]
        w.org.settings(api_max=15000)
        c.act(act="resume")
        c.settle()
        assert len(w.org.users()) == 2


def test_retry_by_hand_waits_for_no_pause_and_no_hold_but_an_admins():
    in_an_hour = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    for answer in ({"status": 429, "body": "Too many", "headers": {"Retry-After": "3600"}},
                   {"status": 429, "body": "Too many", "headers": {"Retry-After": in_an_hour}},
                   {"status": 503, "headers": {"Retry-After": "3600"}},
                   {"status": 403, "body": [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]}):
        with World(settle_window_s=1) as w:
            c = w.connector()
            warm(c, w)
            w.org.fault(dict({"on": "collections_create", "do": "status"}, **answer))
            c.accept(create("/Users/1", person("jdoe")))
            report = c.deliver()
            assert report.state in (WAITING, HELD), (answer, report.state)
            if "headers" in answer:
                assert report.next_due_us > (time.time() + 3500) * 1e6, (answer, "it is asked for an hour")
            c.act(act="retry", user="/Users/1")
            c.settle()
            assert names(w) == ["primary-jdoe@acme.example", "primary-warm@acme.example"], answer
            status = c.query(query="status")
            assert status["hold"] is None and status["trouble"] is None, status


def test_a_retry_that_fails_pauses_anew_and_says_so():
    with World() as w:
        c = w.connector()
        warm(c, w)
        w.org.fault({"on": "collections_create", "do": "status", "status": 429, "body": "Too many", "times": 2,
                     "headers": {"Retry-After": "3600"}})
        c.accept(create("/Users/1", person("jdoe")))
        c.deliver(100)
        c.act(act="retry", user="/Users/1")
        assert c.deliver().state == WAITING and c.query(query="status")["trouble"]["since"]
        c.act(act="retry", user="/Users/1")
        c.settle()
        assert len(w.org.users()) == 2


def test_an_admin_can_hold_and_resume():
    with World() as w:
        c = w.connector()
        c.act(act="hold", reason="audit")
        c.accept(create("/Users/1", person("jdoe")))
        assert c.deliver().state == HELD and w.org.users() == {}
        assert c.query(query="status")["hold"]["reason"] == "audit"
        c.act(act="resume")
        c.settle()
        assert len(w.org.users()) == 1


def test_an_org_that_is_not_there_is_waited_for():
    with World() as w:
        c = w.connector(domain_name="http://127.0.0.1:1")
        c.accept(create("/Users/1", person("jdoe")))
        report = c.deliver()
        assert report.state == WAITING and report.pending == 1, report.state
        trouble = c.query(query="status")["trouble"]
        assert trouble["reason"] and trouble["cause"] and trouble["since"].startswith("20"), trouble
        c.close()
        c = w.connector()
        c.settle()
        assert len(w.org.users()) == 1 and c.query(query="status")["trouble"] is None


def test_another_org_behind_the_same_store_is_a_hold():
    with World() as w:
        c = w.connector()
        warm(c, w)
        c.close()
        c = w.connector(domain_name=w.org.facts["orgs"]["globex"])
        c.accept(create("/Users/1", person("jdoe")))
        report = c.deliver()
        assert report.state == HELD, report.state
        assert "belongs to org" in c.query(query="status")["hold"]["reason"]
        assert w.org.users("globex") == {}


def test_nothing_is_compared_with_another_org():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        c.close()
        c = w.connector(match=["Email"], domain_name=w.org.facts["orgs"]["globex"])
        for query in ("drift", "match"):
            try:
                answer = c.query(query=query)
            except harness.Failure as failure:
                assert "belongs to org" in failure.text, failure.text
            else:
                raise AssertionError(f"all seem to be missing there: {answer}")


KILLED = """
import sys, json
sys.path.insert(0, {tests!r})
import harness
fields, start = json.loads(sys.argv[1]), int(sys.argv[2])
c = harness.Connector(fields, flags=0)
for n in range(start, start + 60):
    c.accept(harness.create(f"/Users/{{n}}", harness.person(f"u{{n}}", title="t0")))
    c.accept(harness.patch(f"/Users/{{n}}", {{"op": "replace", "path": "title", "value": "t1"}}))
    print(n, flush=True)
sys.stdin.read()
"""


def test_a_killed_process_loses_nothing_it_had_accepted():
    import json
    import random
    random.seed(20261122)
    with World(settle_window_s=1) as w:
        w.org.settings(latency_ms=5)
        accepted = set()
        code = KILLED.format(tests=os.path.dirname(os.path.abspath(harness.__file__)))
        for run in range(6):
            child = subprocess.Popen([sys.executable, "-c", code, json.dumps(w.fields), str(run * 60)],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            lines = [child.stdout.readline() for _ in range(random.randrange(2, 40))]
            child.send_signal(signal.SIGKILL)
            lines += child.communicate()[0].split(b"\n")[:-1]
            accepted |= {int(line) for line in lines if line.strip()}
        assert len(accepted) > 20, len(accepted)
        c = w.connector()
        c.settle()
        users = w.org.users()
        for n in accepted:
            user = users[f"primary-u{n}@acme.example"]
            assert user["Title"] == "t1" and user["IsActive"], user
        assert c.query(query="status")["subjects"]["parked"] == 0, c.query(query="subjects", state="parked")
        assert len(users) == c.query(query="status")["subjects"]["total"]


def test_one_process_delivers_at_a_time():
    with World() as w:
        first, second = w.connector(), w.connector()
        warm(first, w)
        second.accept(create("/Users/1", person("jdoe")))
        assert second.deliver().state == ELSEWHERE
        first.settle()
        assert len(w.org.users()) == 2


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
