"""Passwords: sealed until they are set, set once, and told to nobody."""
import contextlib
import glob
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import canary
import harness
from harness import ACCEPTED, UNKNOWN, World, create, patch, person, put, simple

CANARY = "Kestrel-7-cAnArY-\"q\\\u00e9"
KEY = os.urandom(32).hex()


class Sealed(World):
    def __enter__(self):
        world = super().__enter__()
        self.key = os.path.join(os.path.dirname(self.fields["store"]), "seal.key")
        write_key(self.key, KEY)
        self.fields.update(provision_passwords=True, sealing_key="file:" + self.key)
        return world


def write_key(path, *keys):
    for key in keys:
        canary.also(key)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join(keys) + "\n")


def secret(name, password=CANARY, **more):
    return person(name, password=password, **more)


def change(uri, password, **more):
    return patch(uri, {"op": "replace", "path": "password", "value": password}, **more)


def posts(w):
    """How many calls set a password, or tried to."""
    return len([call for call in w.org.calls()["calls"] if call["path"].endswith("/password")])


def has(w, password, name="ada"):
    """Whether the user has that password now."""
    return w.org.ask("POST", f"/__org/users/primary-{name}@acme.example/check_password", {"password": password})["matches"]


def password_of(c, uri="/Users/ada"):
    return c.user(uri).get("password")


def store_bytes(w):
    return b"".join(open(path, "rb").read() for path in glob.glob(w.fields["store"] + "*"))


def sealed_of(w):
    with sqlite3.connect(w.fields["store"]) as db:
        return [row[0] for row in db.execute("SELECT sealed FROM command")]


def test_a_password_is_set_after_the_create_and_once():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")), create("/Users/bob", person("bob")))
        c.settle()
        assert posts(w) == 1 and has(w, CANARY)
        assert password_of(c)["outcome"] == "delivered" and password_of(c, "/Users/bob") is None
        assert c.user("/Users/ada")["state"] == "in_step"
        c.accept(put("/Users/ada", person("ada", title="Chief")))
        c.settle()
        assert posts(w) == 1


def test_a_change_by_patch_and_by_put_is_set_and_the_newest_wins():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")), change("/Users/ada", "Second-2-second"),
                 put("/Users/ada", secret("ada", "Third-3-third")))
        assert len(sealed_of(w)) == 1, "an older one is erased by a newer"
        c.settle()
        assert posts(w) == 1 and has(w, "Third-3-third")
        c.accept(patch("/Users/ada", {"op": "add", "value": {"password": "Fourth-4-fourth", "title": "Boss"}}))
        c.settle()
        assert posts(w) == 2 and has(w, "Fourth-4-fourth") and w.org.user("primary-ada@acme.example")["Title"] == "Boss"


def test_two_passwords_of_one_transaction_are_both_taken():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", person("ada")), change("/Users/ada", "First-1-first", txn="t"),
                 change("/Users/ada", "Second-2-second", txn="t"))
        c.settle()
        assert posts(w) == 1 and has(w, "Second-2-second")


def test_off_means_dropped():
    with World() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")))
        c.settle()
        assert posts(w) == 0 and password_of(c) is None and sealed_of(w) == []


def test_turned_off_while_one_waits_it_is_erased_with_the_reason():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")))
        c.close()
        c = w.connector(provision_passwords=False)
        c.settle()
        assert password_of(c)["code"] == "PASSWORD_OFF" and sealed_of(w) == [None] and posts(w) == 0
        assert any("1 passwords that waited are erased" in line for _, line in c.lines), c.lines


def test_on_without_a_key_is_a_fault_that_names_both_fields():
    with World(provision_passwords=True) as w:
        try:
            w.connector()
            assert False, "opened"
        except harness.Failure as failed:
            assert "provision_passwords" in str(failed.faults) and "sealing_key" in str(failed.faults), failed.faults


def test_a_key_that_is_not_there_makes_the_event_unknown_and_loses_nothing():
    with Sealed() as w:
        os.rename(w.key, w.key + ".away")
        c = w.connector()
        event = create("/Users/ada", secret("ada"))
        answers = c.submit(event, create("/Users/bob", person("bob")))
        assert [a.status for a in answers] == [UNKNOWN, ACCEPTED], answers
        assert b"sealing_key" in answers[0].error.text, answers[0].error.text
        os.rename(w.key + ".away", w.key)
        c.accept(event)
        c.settle()
        assert posts(w) == 1 and has(w, CANARY)


def test_after_a_wrong_key_it_waits_and_goes_on_with_the_right_one():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")))
        c.close()
        write_key(w.key, os.urandom(32).hex())
        c = w.connector()
        c.deliver(0)
        c.deliver(0)
        told = password_of(c)
        assert told["outcome"] == "waiting" and told["code"] == "PASSWORD_KEY" and "nothing is lost" in told["message"], told
        assert c.user("/Users/ada")["state"] == "in_step" and posts(w) == 0
        write_key(w.key, os.urandom(32).hex(), KEY)
        rush(w)
        c.settle()
        assert posts(w) == 1 and has(w, CANARY)


def test_a_retry_by_hand_looks_for_the_key_at_once():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")))
        c.close()
        os.rename(w.key, w.key + ".away")
        c = w.connector()
        c.deliver(0)
        c.deliver(0)
        assert password_of(c)["outcome"] == "waiting" and posts(w) == 0
        os.rename(w.key + ".away", w.key)
        c.deliver(0)
        assert posts(w) == 0, "it waits some minutes"
        c.act(act="retry", user="/Users/ada")
        c.settle()
        assert posts(w) == 1 and has(w, CANARY)


def test_a_hash_is_not_set_and_says_so():
    with Sealed() as w:
        c = w.connector()
        for name, text in (("ada", "{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3"), ("bob", "$6$8g3Wm1Y0$Yp1cY6CkGZ8mZ3p9zYqk1o7v1c0")):
            c.accept(create("/Users/" + name, secret(name, text)))
            c.settle()
            told = password_of(c, "/Users/" + name)
            assert told["outcome"] == "refused" and told["code"] == "PASSWORD_HASHED" and "typed" in told["remedy"], told
            assert c.user("/Users/" + name)["state"] == "in_step", "the user is there all the same"
        assert posts(w) == 0 and sealed_of(w) == [None, None] and b"Yp1cY6" not in store_bytes(w)


def rush(w):
    """As if the time of waiting were over."""
    with sqlite3.connect(w.fields["store"]) as db:
        db.execute("UPDATE command SET next_us = 1")


def test_who_is_inactive_gets_none_and_it_is_erased_with_the_reason():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada", active=False)))
        c.settle()
        told = password_of(c)
        assert told["outcome"] == "dropped" and told["code"] == "PASSWORD_NOT_ACTIVE" and told["remedy"], told
        assert posts(w) == 0 and sealed_of(w) == [None]
        c.accept(create("/Users/bob", secret("bob")), simple("/Users/bob", "prov:delete"))
        c.settle()
        assert posts(w) == 0 and password_of(c, "/Users/bob")["outcome"] == "dropped"


def test_a_refusal_by_policy_is_told_and_harms_nothing_else():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada", "short")))
        c.settle()
        told = password_of(c)
        assert told["outcome"] == "refused" and told["code"] == "INVALID_NEW_PASSWORD", told
        assert "8 characters" in told["message"] and "Password Policies" in told["remedy"], told
        assert c.user("/Users/ada")["state"] == "in_step" and sealed_of(w) == [None]
        assert any("password not set: INVALID_NEW_PASSWORD" in line for _, line in c.lines), c.lines
        assert c.query(query="status")["passwords"] == {"waiting": 0, "refused": 1}
        c.accept(put("/Users/ada", secret("ada")))
        c.settle()
        assert password_of(c)["outcome"] == "delivered" and c.query(query="status")["passwords"]["refused"] == 0


def test_a_password_that_may_not_be_set_waits_and_keeps_nobody_else():
    with Sealed(retry_first_s=1) as w:
        c = w.connector()
        refusal = {"on": "password", "do": "status", "status": 403, "times": -1, "body": [
            {"errorCode": "INSUFFICIENT_ACCESS", "message": "You do not have permission to view this record."}]}
        w.org.fault(refusal)
        c.accept(create("/Users/ada", secret("ada")))
        c.until(lambda: posts(w), "a password that is tried")
        c.accept(create("/Users/bob", person("bob")))
        c.until(lambda: c.user("/Users/bob")["state"] == "in_step", "who has no password")
        assert c.query(query="status")["hold"] is None and posts(w) == 1, c.query(query="status")
        told = password_of(c)
        assert told["outcome"] == "waiting" and told["code"] == "INSUFFICIENT_ACCESS" and told["remedy"], told
        w.org.ask("DELETE", "/__org/faults")
        c.act(act="retry", user="/Users/ada")
        c.settle()
        assert has(w, CANARY) and password_of(c)["outcome"] == "delivered"


def test_a_send_without_an_answer_is_made_once_more_and_a_repetition_counts():
    with Sealed(settle_window_s=1) as w:
        c = w.connector()
        c.accept(create("/Users/ada", person("ada")))
        c.settle()
        w.org.fault(dict(LOST))
        c.accept(change("/Users/ada", CANARY))
        c.until(lambda: (password_of(c) or {}).get("outcome") in ("delivered", "refused"), "settled")
        assert password_of(c)["outcome"] == "delivered", password_of(c)
        assert posts(w) == 2 and has(w, CANARY), "once more, after the window"


def test_whether_a_lost_send_has_landed_is_known_in_every_language():
    with Sealed(settle_window_s=1) as w:
        w.org.settings(translated=True, clock_offset_s=3600)  # what counts is Salesforce's clock
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada", "First-1-first")), create("/Users/bob", person("bob")))
        c.settle()
        time.sleep(2.1)  # that was another change
        w.org.fault(dict(LOST, times=2))
        c.accept(change("/Users/ada", "short"), change("/Users/bob", CANARY))
        c.until(lambda: all((password_of(c, uri) or {}).get("outcome") in ("delivered", "refused")
                            for uri in ("/Users/ada", "/Users/bob")) and posts(w) == 5, "settled")
        assert password_of(c, "/Users/bob")["outcome"] == "delivered" and has(w, CANARY, "bob"), password_of(c, "/Users/bob")
        told = password_of(c)
        assert (told["outcome"], told["code"]) == ("refused", "INVALID_NEW_PASSWORD") and has(w, "First-1-first"), told


LOST = {"on": "password", "do": "drop_after"}


def refused_call(on, status, code, **more):
    return {"on": on, "do": "status", "status": status, "body": [{"errorCode": code, "message": "no"}], **more}


def lost_and_landed(w):
    """A password that is set, which nobody knows yet, in an org of another language."""
    w.org.settings(translated=True)
    c = w.connector(outcome=lambda: True)
    c.accept(create("/Users/ada", person("ada")))
    c.settle()
    del c.outcomes[:]
    w.org.fault(dict(LOST))
    c.accept(change("/Users/ada", CANARY))
    c.until(lambda: (password_of(c) or {}).get("outcome") == "unknown" and posts(w) == 1, "lost")
    return c


def test_a_password_is_kept_while_nobody_can_look_whether_it_has_landed():
    with Sealed(settle_window_s=1, retry_first_s=1, retry_max_s=1) as w:
        c = lost_and_landed(w)
        w.org.fault(refused_call("query", 503, "SERVER_UNAVAILABLE", times=-1))
        c.until(lambda: posts(w) >= 2 and password_of(c)["outcome"] != "unknown", "the second")
        told = password_of(c)
        assert (told["outcome"], told["code"]) == ("retry", "SERVER_UNAVAILABLE") and sealed_of(w) != [None], told
        assert c.outcomes == []
        w.org.ask("DELETE", "/__org/faults")
        c.until(lambda: password_of(c)["outcome"] in ("delivered", "refused"), "settled")
        assert password_of(c)["outcome"] == "delivered" and has(w, CANARY), password_of(c)


def test_what_comes_between_two_sends_does_not_hide_that_the_first_has_landed():
    with Sealed(settle_window_s=1, retry_first_s=1, retry_max_s=1) as w:
        c = lost_and_landed(w)
        w.org.fault(refused_call("password", 400, "UNABLE_TO_LOCK_ROW"))
        w.org.fault(refused_call("password", 403, "INSUFFICIENT_ACCESS"))
        c.until(lambda: password_of(c)["outcome"] == "waiting", "a right that is missing")
        assert posts(w) == 3
        c.act(act="retry", user="/Users/ada")
        c.until(lambda: password_of(c)["outcome"] in ("delivered", "refused"), "settled")
        assert password_of(c)["outcome"] == "delivered" and posts(w) == 4, password_of(c)


def test_an_api_that_is_off_is_no_fault_of_a_password():
    with Sealed(retry_first_s=1) as w:
        w.org.fault(refused_call("password", 403, "FUNCTIONALITY_NOT_ENABLED"))
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")))
        c.until(lambda: c.query(query="status")["hold"], "a hold")
        assert password_of(c)["outcome"] == "retry" and "FUNCTIONALITY_NOT_ENABLED" in str(c.query(query="status")["hold"])


def test_two_sends_without_an_answer_are_told_as_not_known():
    with Sealed(settle_window_s=1, retry_first_s=1, retry_max_s=1) as w:
        c = w.connector()
        c.accept(create("/Users/ada", person("ada")))
        c.settle()
        w.org.fault({"on": "password", "do": "drop_before", "times": 2})
        c.accept(change("/Users/ada", CANARY))
        c.until(lambda: (password_of(c) or {}).get("outcome") == "refused", "given up")
        assert password_of(c)["code"] == "PASSWORD_NO_ANSWER" and sealed_of(w) == [None]
        assert c.user("/Users/ada")["state"] == "in_step"


def test_a_newer_one_waits_until_an_older_can_land_no_more():
    with Sealed(retry_first_s=1, retry_max_s=1) as w:
        c = w.connector()
        c.accept(create("/Users/ada", person("ada")))
        c.settle()
        w.org.fault({"on": "password", "do": "late", "delay_ms": -1})
        c.accept(change("/Users/ada", "Older-1-older"))
        c.until(lambda: (password_of(c) or {}).get("outcome") == "unknown", "sent")
        c.accept(change("/Users/ada", "Newer-2-newer"), change("/Users/ada", CANARY), create("/Users/bob", person("bob")))
        c.act(act="retry", user="/Users/ada")
        c.until(lambda: c.user("/Users/bob")["state"] == "in_step", "a round in which passwords are set")
        c.deliver(0)
        w.org.ask("POST", "/__org/land")
        c.close()
        with sqlite3.connect(w.fields["store"]) as db:  # the window is over
            assert db.execute("UPDATE command SET next_us = 1 WHERE next_us > 0").rowcount == 1
        db.close()
        c = w.connector()
        c.settle()
        assert password_of(c)["outcome"] == "delivered" and has(w, CANARY)


def test_killed_after_the_send_it_is_sent_once_more():
    with Sealed(settle_window_s=1) as w:
        c = w.connector()
        c.accept(create("/Users/ada", person("ada")))
        c.settle()
        c.accept(change("/Users/ada", CANARY))
        c.close()
        w.org.fault({"on": "password", "do": "delay", "delay_ms": 1000})
        child = os.fork()
        if child == 0:
            w.connector().deliver(0)
            os._exit(0)
        until_called(w)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        c = w.connector()
        c.until(lambda: password_of(c)["outcome"] in ("delivered", "refused"), "set")
        assert password_of(c)["outcome"] == "delivered" and has(w, CANARY) and posts(w) <= 2
        assert sealed_of(w) == [None]


def until_called(w):
    """The send is stored before it is made, so who sees it in the store may end the sender."""
    def sent():
        with sqlite3.connect(w.fields["store"]) as db:
            return db.execute("SELECT count(*) FROM command WHERE sent_us > 0").fetchone()[0]

    harness.until(sent, "a password that is sent")


def test_an_answer_that_echoes_the_password_is_not_told():
    with Sealed() as w:
        c = w.connector()
        w.org.fault({"on": "password", "do": "refuse_call_with", "status": 400, "errorCode": "INVALID_NEW_PASSWORD",
                     "message": f"Do not use '{CANARY}' as your password"})
        c.accept(create("/Users/ada", secret("ada")))
        c.settle()
        told = password_of(c)
        assert told["outcome"] == "refused" and told["code"] == "INVALID_NEW_PASSWORD", told
        assert "Kestrel" not in json.dumps(told) + str(c.lines) and b"Kestrel" not in store_bytes(w), told


def test_a_repetition_without_a_doubt_is_a_refusal():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")))
        c.settle()
        c.accept(change("/Users/ada", CANARY))
        c.settle()
        assert password_of(c)["outcome"] == "refused" and "repeated" in password_of(c)["message"]


def test_a_password_in_the_place_of_another_users_is_not_set():
    """Who may write into the store, but has no key, cannot give one user the password of another."""
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")), create("/Users/bob", secret("bob", "Marble-3-arch")))
        c.close()
        with contextlib.closing(sqlite3.connect(w.fields["store"])) as db, db:
            (ada, hers), (bob, his) = db.execute("SELECT subject, sealed FROM command").fetchall()
            db.executemany("UPDATE command SET sealed = ? WHERE subject = ?", ((his, ada), (hers, bob)))
        c = w.connector()
        c.settle()
        for name in ("ada", "bob"):
            told = password_of(c, "/Users/" + name)
            assert told["outcome"] == "refused" and told["code"] == "PASSWORD_DAMAGED", told
            assert w.org.user(f"primary-{name}@acme.example")["IsActive"]
        assert posts(w) == 0 and sealed_of(w) == [None, None]


def test_nothing_of_it_is_left_after_it_is_set():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")))
        sealed = sealed_of(w)[0].encode()
        pieces = [sealed[at:at + 20] for at in range(0, len(sealed) - 20, 10)]  # it need not stand on one page
        assert any(piece in store_bytes(w) for piece in pieces) and CANARY.encode() not in store_bytes(w)
        c.settle()
        c.close()
        with sqlite3.connect(w.fields["store"]) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert not any(piece in store_bytes(w) for piece in pieces)


def answers_of(c):
    return [next(iter(claims["events"].values())) for claims in c.outcomes]


def test_the_host_hears_of_a_refused_password_with_its_event():
    with Sealed() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/ada", secret("ada", "short")), create("/Users/bob", secret("bob")))
        c.settle()
        told = {claims["sub_id"]["uri"]: next(iter(claims["events"].values())) for claims in c.outcomes}
        assert len(c.outcomes) == 2 and told["/Users/bob"]["status"] == "200", c.outcomes
        detail = told["/Users/ada"]["response"]["detail"]
        assert told["/Users/ada"]["status"] == "400" and detail.startswith("the password was not set: INVALID_NEW_PASSWORD: "), told
        rows = {row["uri"]: row for row in c.query(query="subjects")["subjects"]}
        assert rows["/Users/ada"]["password"] == {"outcome": "refused", "code": "INVALID_NEW_PASSWORD"}, rows
        assert rows["/Users/ada"]["state"] == "in_step" and rows["/Users/bob"]["password"]["outcome"] == "delivered"
        c.accept(patch("/Users/ada", {"op": "replace", "path": "title", "value": "Chief"}))
        c.settle()
        assert [a["status"] for a in answers_of(c)][2:] == ["200"], "an event without a password"


def test_an_event_is_told_when_its_password_is_settled_too():
    with Sealed() as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada")))
        c.close()
        os.rename(w.key, w.key + ".away")
        c = w.connector(outcome=lambda: True)
        c.deliver(0)
        c.deliver(0)
        assert password_of(c)["outcome"] == "waiting" and c.outcomes == []
        os.rename(w.key + ".away", w.key)
        c.act(act="retry", user="/Users/ada")
        c.settle()
        assert [a["status"] for a in answers_of(c)] == ["200"] and has(w, CANARY)


def hours_later(w, c, hours):
    """Another process finds what waits for its key as it is then, and looks for the key again."""
    c.close()
    with sqlite3.connect(w.fields["store"]) as db:
        db.execute(f"UPDATE event SET received_us = received_us - {hours} * 3600000000")
        db.execute("UPDATE command SET next_us = 1 WHERE sealed IS NOT NULL")
    db.close()
    c = w.connector(outcome=lambda: True)
    for _ in range(3):
        c.deliver(0)
    return c


def test_of_a_password_whose_key_stays_away_the_host_is_told_and_once_more_when_it_is_set():
    with Sealed(wait_limit_hours=5) as w:
        c = w.connector()
        c.accept(create("/Users/ada", secret("ada"), txn="t-1"))
        c.close()
        os.rename(w.key, w.key + ".away")
        c = hours_later(w, w.connector(), 4)
        c.accept(patch("/Users/ada", {"op": "replace", "path": "title", "value": "Chief"}, txn="t-2"))
        c.deliver(0)
        assert password_of(c)["outcome"] == "waiting" and c.outcomes == [], c.outcomes
        c = hours_later(w, c, 2)
        assert [claims["txn"] for claims in c.outcomes] == ["t-1"] and answers_of(c)[0]["status"] == "400", c.outcomes
        assert "PASSWORD_KEY" in answers_of(c)[0]["response"]["detail"] and w.key in answers_of(c)[0]["response"]["detail"]
        assert password_of(c)["outcome"] == "waiting" and sealed_of(w) != [None], "nothing is lost"
        c = hours_later(w, c, 100)
        assert [claims["txn"] for claims in c.outcomes] == ["t-2"] and answers_of(c)[0]["status"] == "200", "the first is told once"
        os.rename(w.key + ".away", w.key)
        c = hours_later(w, c, 0)
        assert posts(w) == 1 and has(w, CANARY)
        assert [(claims["txn"], answer["status"]) for claims, answer in zip(c.outcomes, answers_of(c))] == [("t-1", "200")]
        c = hours_later(w, c, 0)
        assert c.outcomes == []


def test_a_host_that_declines_hears_of_the_password_from_the_next_process():
    with Sealed() as w:
        c = w.connector(outcome=lambda: False)
        c.accept(create("/Users/ada", secret("ada", "short")))
        c.settle()
        c.close()
        c = w.connector(outcome=lambda: True)
        c.settle()
        assert [a["status"] for a in answers_of(c)] == ["400"] and "password" in answers_of(c)[0]["response"]["detail"]


def test_who_is_refused_is_told_at_once_though_a_password_waits():
    with Sealed(profile="No Such Profile") as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/ada", secret("ada")))
        c.settle()
        assert [a["status"] for a in answers_of(c)] == ["400"] and sealed_of(w) != [None]
        c.close()
        c = w.connector(profile="Standard User")
        c.act(act="retry", user="/Users/ada")
        c.settle()
        assert posts(w) == 1 and has(w, CANARY)


def test_who_is_parked_or_waits_and_has_an_account_gets_the_password():
    with Sealed() as w:
        c = w.connector(outcome=lambda: True)
        c.accept(create("/Users/ada", person("ada")), create("/Users/bob", person("bob")))
        c.settle()
        del c.outcomes[:]
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"Title": "Odd"}, "times": -1,
                     "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "no such title"})
        c.accept(put("/Users/ada", secret("ada", title="Odd")), put("/Users/bob", secret("ada")))
        c.settle()
        assert [c.user(f"/Users/{name}")["state"] for name in ("ada", "bob")] == ["parked", "waiting"]
        assert sealed_of(w) == [None, None] and posts(w) == 2 and has(w, CANARY) and has(w, CANARY, "bob"), (sealed_of(w), posts(w), has(w, CANARY), c.user("/Users/ada"))
        assert [a["status"] for a in answers_of(c)] == ["400"], "the change is refused, and who waits is told later"
        c.accept(put("/Users/ada", person("ann")))
        c.settle()
        assert sorted(a["status"] for a in answers_of(c)) == ["200", "200", "200", "400"] and posts(w) == 2


def test_a_leaver_whom_salesforce_keeps_gets_none():
    with Sealed(retry_first_s=60, retry_max_s=60) as w:
        w.org.settings(login_rows=False)
        c = w.connector()
        c.accept(create("/Users/ada", person("ada")))
        c.settle()
        w.org.fault({"on": "collections_update", "do": "refuse_record", "match": {"IsActive": False}, "times": -1,
                     "statusCode": "FIELD_INTEGRITY_EXCEPTION", "message": "Cannot inactivate: Deputy__c"})
        c.accept(put("/Users/ada", secret("ada", active=False)))
        c.deliver(0)
        c.deliver(0)
        assert c.user("/Users/ada")["state"] == "parked" and w.org.user("primary-ada@acme.example")["IsActive"]
        assert posts(w) == 0 and password_of(c)["code"] == "PASSWORD_NOT_ACTIVE", password_of(c)


def test_the_password_is_told_to_nobody():
    told = []
    with Sealed() as w:
        c = w.connector(outcome=lambda: True)
        event = create("/Users/ada", secret("ada"))
        told.append(json.dumps(c.preview(event)))
        c.accept(event, change("/Users/ada", CANARY))
        wrong = dict(event, jti="wrong")
        wrong["events"] = dict(wrong["events"], **{"urn:ietf:params:scim:event:nonsense": {"data": {"password": CANARY}}})
        told += [str(a.error.text) for a in c.submit(wrong)]
        told.append(json.dumps(c.user("/Users/ada")))
        assert CANARY.encode() not in store_bytes(w)
        c.settle()
        told += [line for _, line in c.lines] + [json.dumps(c.outcomes)] + [json.dumps(c.query(query=q)) for q in ("subjects", "events", "status")]
        told.append(json.dumps(c.user("/Users/ada")))
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(w.fields, file)
            file.flush()
            for arguments in (["list"], ["show", "ada"], ["status"], ["--json", "show", "ada"], ["--json", "status"]):
                done = subprocess.run([harness.CLI, "--plugin", harness.PLUGIN, "--config", file.name, *arguments], text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                assert done.returncode == 0 and ("ada" in done.stdout or "status" in arguments), done
                told.append(done.stdout)
        assert posts(w) == 1 and has(w, CANARY)
        assert b"Kestrel-7" not in store_bytes(w)
        for text in told:
            assert "Kestrel-7" not in text, text
        assert any("password" in text for text in told)


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
