#!/usr/bin/env python3
"""`sfprov follow ldap://...` beside a directory that is behind, odd, or dumb; most of them say what the test has them say."""
import contextlib
import json
import os
import sys
import time

from common import mark_of
from followers import LOG, Follower, Provider, Way, ber, comes, csn, heard_before, kept_cookie, until
from servers import GROUPS, cli, events_of, harness, person, world
from slapd import Slapd

GONE = b"\3"


def refreshed(connection, cookie, p=Provider):
    p.info(connection, ber(0xa1, *([ber(4, cookie.encode())] if cookie is not None else [])))


def test_a_cookie_that_names_no_change_forgets_none():
    """As OpenLDAP sends it where a change has no number: what was heard before would be forgotten with it."""
    with world() as w:
        p, known = Provider(), f"rid=000,csn={csn(1, 1)}"
        heard_before(w, p, known)
        with Follower(w, p, "--no-deliver") as f:
            connection, _ = p.searched()
            refreshed(connection, None)
            until(lambda: "is followed" in f.text())
            p.info(connection, ber(0x80, b"rid=000,sid=001"))
            comes(p, connection, "ada", 1)
            until(lambda: len(events_of(w, "ada")) == 1)
            time.sleep(1.5)  # it writes down how far it was
            assert csn(1, 1) in kept_cookie(w), kept_cookie(w)
            p.info(connection, ber(0x80, f"rid=000,csn={csn(2, 1)}".encode()))
            until(lambda: csn(2, 1) in kept_cookie(w))
            connection.close()
            f.end()


def test_who_goes_while_it_is_looked_for_them_is_no_backup():
    with world() as w:
        p = Provider()
        heard_before(w, p, f"rid=000,csn={csn(1, 1)}", [(1, csn(1, 1))])
        with Follower(w, p, "--no-deliver") as f:
            connection, _ = p.searched()
            refreshed(connection, f"rid=000,csn={csn(1, 1)}")
            asked, request = p.asked(connection)
            assert b"entryUUID" in request, request
            p.tell(connection, "ada", 1, state=GONE, cookie=f"rid=000,csn={csn(2, 1)}")
            p.end(connection, asked)
            until(lambda: csn(2, 1) in kept_cookie(w))
            assert "restored" not in f.text() and "is followed" in f.text(), f.text()
            connection.close()
            f.end()


def test_what_was_heard_last_of_a_connection_that_broke_counts():
    """Another replica takes over, and does not have it yet: that is no backup."""
    for how in (b"\1", GONE):
        with world() as w:
            p, known = Provider(), f"rid=000,csn={csn(1, 1)}"
            heard_before(w, p, known)
            with Follower(w, p, "--no-deliver") as f:
                connection, _ = p.searched()
                refreshed(connection, known)
                until(lambda: "is followed" in f.text())
                end = ber(0x30, ber(2, b"\2"), ber(0x65, ber(10, b"\x34"), ber(4), ber(4)))  # unavailable
                p.tell(connection, "ada", 1, change=csn(2, 1), state=how, cookie=f"rid=000,csn={csn(2, 1)}", behind=end)
                connection.close()
                connection, _ = p.searched()
                refreshed(connection, known)
                for _ in range(2):
                    asked, request = p.asked(connection)
                    assert b"entryUUID" in request, request
                    if how == GONE:
                        p.tell(connection, "ada", 1, answer=asked, change=csn(1, 1))
                    p.end(connection, asked)
                until(lambda: "looked at again" in f.text() or "was restored" in f.text())
                assert "was restored:" not in f.text(), f.text()
                connection.close()
                f.end()


def test_a_replica_that_lags_brings_no_report_back():
    """Who reports to somebody new is asked of it: what it says of them may be old as well."""
    with world() as w:
        p = Provider()
        heard_before(w, p, f"rid=000,csn={csn(1, 1)};{csn(5, 2)}")
        with Follower(w, p, "--no-deliver") as f:
            connection, _ = p.searched()
            p.tell(connection, "boss", 2, change=csn(3, 1))
            until(lambda: p.is_asked(connection, 0.1) or len(events_of(w, "boss")) == 1)
            if p.is_asked(connection, 2):
                asked, _ = p.asked(connection)
                p.tell(connection, "ada", 1, "boss", answer=asked, change=csn(2, 2))  # who has left since
                p.end(connection, asked)
                p.nobody(connection, p.asked(connection)[0])  # where the manager is
                time.sleep(1)
            refreshed(connection, f"rid=000,csn={csn(3, 1)};{csn(2, 2)}")
            until(lambda: "it is looked at again" in f.text())
            assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"] == 1, events_of(w, "ada")
            connection.close()
            f.end()


class Narrow(Way):
    """Lets so many bytes through, and then none."""

    room = 30000

    def carry(self, from_, to):
        with contextlib.suppress(OSError):
            while self.room > 0 and (data := from_.recv(4096)):
                to.sendall(data)
                self.room -= len(data)
        while True:
            time.sleep(60)


def test_a_replica_that_is_not_loaded_yet_has_no_list():
    """It has no CSN then, and OpenLDAP sends no cookie."""
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(*(person(f"u{i}", title="T" * 200) for i in range(100)))
        way, narrow = Way(d.port), Narrow(d.port)
        way.admin = d.admin
        with Follower(w, way, "--no-deliver") as f:
            until(lambda: "100 people listed" in f.text())
            f.end()
        with Slapd(w, peer=narrow.uri, provider=True, identity=2, extra=LOG) as r:
            until(lambda: len(r.entries()) > 20)
            way.lead(r.port)
            for more in (("--groups", GROUPS), ()):
                with Follower(w, way, "--no-deliver", *more) as f:
                    until(lambda: "a replica" in f.text() or "people listed" in f.text())
                    assert "people listed" not in f.text() and mark_of(w) is None, f.text()
                    f.end()
            os.remove(w.fields["store"] + ".follow")
            with Follower(w, way, "--no-deliver") as f:
                until(lambda: "is not loaded yet" in f.text() or "people listed" in f.text())
                way.lead(d.port)
                until(lambda: "100 people listed: 0 hired, 0 changed, 0 returned, 0 lost" in f.text())
                assert f.text().count("people listed") == 1, f.text()
                f.end()


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
