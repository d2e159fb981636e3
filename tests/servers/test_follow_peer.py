#!/usr/bin/env python3
"""`sfprov follow ldap://...` beside a directory that is behind, odd, or dumb; most of them say what the test has them say."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

from common import mark_file, mark_of
from followers import LOG, Follower, Provider, Way, asks_anew, ber, comes, csn, heard, heard_before, kept_cookie, long_ber, until
from servers import GROUPS, PEOPLE, SmallDisk, cli, events_of, harness, person, secret, world
from slapd import Slapd

GONE = b"\3"


def refreshed(connection, cookie, p=Provider):
    p.info(connection, ber(0xa1, *([ber(4, cookie.encode())] if cookie is not None else [])))


def test_a_cookie_that_names_no_change_forgets_none():
    """As OpenLDAP sends it where a change has no number: what was heard before would be forgotten with it."""
    known = f"rid=000,csn={csn(1, 1)}"
    with heard(cookie=known) as (w, p, f, connection):
        refreshed(connection, None)
        until(lambda: "is followed" in f.text())
        p.info(connection, ber(0x80, b"rid=000,sid=001"))
        comes(p, connection, "ada", 1)
        until(lambda: len(events_of(w, "ada")) == 1)
        time.sleep(1.5)  # it writes down how far it was
        assert csn(1, 1) in kept_cookie(w), kept_cookie(w)
        p.info(connection, ber(0x80, f"rid=000,csn={csn(2, 1)}".encode()))
        until(lambda: csn(2, 1) in kept_cookie(w))


def test_who_goes_while_it_is_looked_for_them_is_no_backup():
    with heard(cookie=f"rid=000,csn={csn(1, 1)}", newest=[(1, csn(1, 1))]) as (w, p, f, connection):
        refreshed(connection, f"rid=000,csn={csn(1, 1)}")
        asked, request = p.asked(connection)
        assert b"entryUUID" in request, request
        p.tell(connection, "ada", 1, state=GONE, cookie=f"rid=000,csn={csn(2, 1)}")
        p.end(connection, asked)
        until(lambda: csn(2, 1) in kept_cookie(w))
        assert "restored" not in f.text() and "is followed" in f.text(), f.text()


def test_what_was_heard_last_of_a_connection_that_broke_counts():
    """Another replica takes over, and does not have it yet: that is no backup."""
    for how in (b"\1", GONE):
        known = f"rid=000,csn={csn(1, 1)}"
        with heard(cookie=known) as (w, p, f, connection):
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
            assert "moved away" not in f.text(), f.text()


def test_what_is_told_once_more_is_what_the_cookie_stands_for():
    """A report who is heard anew for the manager. The directory is restored then, and has changed since."""
    known = f"rid=000,csn={csn(1, 1)}"
    with heard(cookie=known, newest=[(1, csn(1, 1))]) as (w, p, f, connection):
        refreshed(connection, known)
        asked, _ = p.asked(connection)
        p.tell(connection, "ada", 1, answer=asked, change=csn(1, 1))
        p.end(connection, asked)
        until(lambda: "is followed" in f.text())
        comes(p, connection, "chief", 2, reports=[("ada", 1)], change=csn(1, 1))
        until(lambda: len(events_of(w, "ada")) == 1)
        connection.close()
        connection, _ = p.searched()
        refreshed(connection, known)
        for _ in range(2):
            p.end(connection, p.asked(connection)[0])
        until(lambda: "looked at again" in f.text() or "was restored" in f.text())
        assert "moved away" in f.text(), f.text()


def test_a_replica_that_lags_brings_no_report_back():
    """Who reports to somebody new is asked of it: what it says of them may be old as well."""
    with heard(cookie=f"rid=000,csn={csn(1, 1)};{csn(5, 2)}") as (w, p, f, connection):
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


def test_who_is_told_twice_spoils_a_list_and_ends_nobody():
    with world() as w:
        p = Provider()
        with Follower(w, p, "--no-deliver") as f:
            for names in (("ada", "ada"), ("ada", "bob")):
                connection, _ = p.searched()
                for name in names:
                    p.tell(connection, name, 1 + names.index(name))
                p.info(connection, ber(0xa2, ber(4, b"all")))
                until(lambda: "tried again" in f.text() or f.process.poll() is not None)
                assert f.process.poll() is None and "stands twice" in f.text(), f.text()
            until(lambda: "2 people listed" in f.text())
            connection.close()
            f.end()


@harness.meanwhile
def test_a_list_that_waits_and_breaks_off_keeps_no_change_waiting():
    with world() as w:
        p = Provider()
        heard_before(w, p, list_waits=True)
        with Follower(w, p, "--no-deliver") as f:
            for before in (b"before", b"whole"):
                connection, request = p.searched()
                assert before in request, (before, request)
                refreshed(connection, "whole")
                assert before == b"whole" or p.is_asked(connection, 20), f.text()
                connection.close()
            f.end()


def test_a_first_list_that_does_not_come_leaves_a_mark():
    """It is refused, never ends, has no cookie, or is not even begun; whoever ends the follower meanwhile."""
    with world() as w:
        p = Provider()

        def why(text):
            return text in (mark_of(w) or {"reason": ""})["reason"]

        with Follower(w, p, "--no-deliver") as f:
            held, _ = p.listener.accept()
            until(lambda: why("nothing of it was heard in full yet: a list"))  # nobody answers the bind
            f.end(signal.SIGKILL, -signal.SIGKILL)
        mark = mark_of(w)
        assert mark["host"] == "sfprov follow" and mark["missed"] == 1 and p.uri in mark["reason"], mark
        held.close()
        with Follower(w, p, "--no-deliver") as f:
            connection, _ = p.searched()
            p.end(connection, 2, b"\x32")
            until(lambda: why("Insufficient access"))
            assert mark_of(w)["since"] == mark["since"], mark_of(w)
            shown = cli(w, "status")
            assert shown.returncode == 4 and "resync needed" in shown.stdout and "remedy" in shown.stdout, shown.stdout
            connection, _ = p.searched()
            p.tell(connection, "ada", 1)
            p.info(connection, ber(0xa2))
            until(lambda: why("as a replica that is not loaded yet"))
            people = os.path.join(w.folder, "people.csv")
            with open(people, "w", encoding="utf-8") as to:
                to.write("userName,externalId,familyName\nada,1,Byron\n")
            done = cli(w, "sync", "--no-deliver", "--key", "externalId", people)
            assert done.returncode == 0 and mark_of(w) is None, done.stderr
            p.searched()[0].close()
            until(lambda: why("Can't contact"))  # it is not followed all the same
            connection, _ = p.searched()
            p.tell(connection, "ada", 1)
            time.sleep(1.5)
            assert mark_of(w)["missed"] < 8, mark_of(w)
            p.info(connection, ber(0xa2, ber(4, b"all")))
            until(lambda: mark_of(w) is None)
            f.end()


@harness.meanwhile
def test_who_is_not_followed_for_long_is_told_by_the_status():
    with world() as w:
        p = Provider()
        heard_before(w, p)
        with Follower(w, p, "--no-deliver", "--lag", "3") as f:
            began = time.monotonic()
            until(lambda: p.searched()[0].close() or mark_of(w))
            assert time.monotonic() - began > 3 and "is not followed: " in mark_of(w)["reason"], mark_of(w)
            connection, _ = p.searched()
            p.end(connection, 2, b"\x10\x00")
            connection, _ = p.searched()
            until(lambda: "who is gone" in mark_of(w)["reason"])
            p.tell(connection, "ada", 1)
            p.info(connection, ber(0xa2, ber(4, b"all")))
            until(lambda: mark_of(w) is None)
            f.end()


def test_a_full_disk_keeps_no_mark_from_being_made():
    with world() as w, SmallDisk(w.folder) as disk:
        w.fields["store"] = os.path.join(disk.folder, "store.db")
        cli(w, "hold")  # which makes a store
        p = Provider()
        heard_before(w, p, how=" --map 'mail=active'")
        with Follower(w, p, "--no-deliver", "--map", "mail=active") as f:
            connection, _ = p.searched()
            refreshed(connection, "whole")
            until(lambda: "is followed" in f.text())
            disk.fill()
            p.tell(connection, "ada", 1)
            until(lambda: "cannot be read" in mark_file(w))
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
        with Slapd(w, peer=narrow.uri, provider=True, identity=2, extra=LOG) as r:
            until(lambda: len(r.entries()) > 20)
            for more in (("--groups", GROUPS), ()):
                way.lead(d.port)
                with Follower(w, way, "--no-deliver", *more) as f:
                    until(lambda: "100 people listed" in f.text() and "is followed" in f.text())
                    f.end()
                way.lead(r.port)
                with Follower(w, way, "--no-deliver", *more) as f:
                    until(lambda: "a replica" in f.text() or "people listed" in f.text())
                    assert "people listed" not in f.text() and mark_of(w) is None, f.text()
                    f.end()
            os.remove(w.fields["store"] + ".follow")
            with Follower(w, way, "--no-deliver") as f:
                until(lambda: "is not loaded yet" in f.text() or "people listed" in f.text())
                assert "its provider, or name that; tried again" in f.text(), f.text()
                way.lead(d.port)
                until(lambda: "100 people listed: 0 hired, 0 changed, 0 returned, 0 lost" in f.text())
                assert f.text().count("people listed") == 1, f.text()
                f.end()


ENTRY = long_ber(0x30, ber(2, b"\2"), long_ber(0x64, ber(4, f"uid=ada,{PEOPLE}".encode()), long_ber(0x30)))


def starts_sync(w, p):
    """As a process; cli() waits for it."""
    cli(w, "status")  # which writes the fields
    return subprocess.Popen([harness.CLI, "--plugin", harness.PLUGIN, "-c", os.path.join(w.folder, "fields-cli.json"), "sync",
                             "--bind-dn", "cn=x", "--password-file", secret(w.folder), f"{p.uri}/{PEOPLE}"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def followed():
    """As heard(), and it says that nothing has changed."""
    with heard() as (w, p, f, connection):
        refreshed(connection, "whole")
        until(lambda: "is followed" in f.text())
        yield w, p, f, connection


@harness.meanwhile
def test_who_is_silent_is_asked_whether_they_are_there():
    """One stops amid a message, one answers, and the base of one is there no more."""
    with world() as w, followed() as stopped, followed() as silent, followed() as renamed:
        began = time.monotonic()
        stopped[3].sendall(ENTRY[:20])
        dumb = Provider()
        sync = starts_sync(w, dumb)
        held, _ = dumb.listener.accept()
        held.recv(4096)
        held.sendall(ber(0x30, ber(2, b"\1"), ber(0x61, ber(10, b"\0"), ber(4), ber(4)))[:5])
        for (_, p, f, connection), code in ((silent, b"\0"), (renamed, b"\x20")):
            until(lambda: p.is_asked(connection, 0.1), 90)  # pylint: disable=cell-var-from-loop
            assert time.monotonic() - began > 50, f.text()
            number, request = p.asked(connection)
            assert PEOPLE.encode() in request, request
            p.end(connection, number, code)
        until(lambda: "No such object" in renamed[2].text() and "tried again" in renamed[2].text())
        comes(*silent[1::2], "ada", 1)
        until(lambda: len(events_of(silent[0], "ada")) == 1)
        assert "tried again" not in silent[2].text(), silent[2].text()
        assert sync.wait(60) == 5 and "Timed out" in sync.communicate()[1]
        held.close()
        until(lambda: "tried again" in stopped[2].text(), 60)
        again, request = stopped[1].searched()
        assert b"whole" in request and "Timed out" in stopped[2].text(), stopped[2].text()
        again.close()


def test_what_ldap_conf_says_of_aliases_is_not_heeded():
    with world() as w, Slapd(w, provider=True) as d:
        d.seed()
        d.add(person("ada"))
        os.environ["LDAPDEREF"] = "always"  # which syncprov refuses
        try:
            with Follower(w, d, "--no-deliver") as f:
                until(lambda: "1 people listed" in f.text())
                f.end()
        finally:
            del os.environ["LDAPDEREF"]


def test_a_signal_ends_what_waits_for_the_rest_of_a_message():
    with followed() as (w, p, f, connection):
        connection.sendall(ENTRY[:20])
        time.sleep(1.5)  # it reads that
        f.process.send_signal(signal.SIGTERM)
        assert f.process.wait(5) == 0, f.text()
        sync = starts_sync(w, p)
        connection, _ = p.searched()
        connection.sendall(ENTRY[:20])
        time.sleep(1.5)
        sync.send_signal(signal.SIGTERM)
        assert sync.wait(5) == 130 and "nothing was changed" in sync.communicate()[1]
        connection.close()


class Mute(Provider):
    """Takes connections, and says nothing of TLS, or no more than that it will."""

    def __init__(self, scheme, host="127.0.0.1"):
        super().__init__()
        self.listener = socket.create_server((host, 0))
        self.listener.settimeout(30)
        self.uri = f"{scheme}://{host}:{self.listener.getsockname()[1]}"


def test_a_signal_ends_what_waits_for_encryption():
    for scheme, host, answer in (("ldaps", "127.0.0.1", None), ("ldap", "0.0.0.0", None),
                                 ("ldap", "0.0.0.0", ber(0x30, ber(2, b"\1"), ber(0x78, ber(10, b"\0"), ber(4), ber(4))))):
        with world() as w:
            p = Mute(scheme, host)
            with Follower(w, p, "--no-deliver") as f:
                held, _ = p.listener.accept()
                if answer:
                    held.recv(4096)
                    held.sendall(answer)
                assert held.recv(4096)
                time.sleep(0.5)
                f.process.send_signal(signal.SIGTERM)
                assert f.process.wait(5) == 0, f.text()
                held.close()


@harness.meanwhile
def test_encryption_that_does_not_come_has_a_limit():
    with world() as w:
        p = Mute("ldaps")
        with Follower(w, p, "--no-deliver") as f:
            held, _ = p.listener.accept()
            until(lambda: "cannot be reached" in f.text() and "tried again" in f.text(), 20)
            with open(f"/proc/{f.process.pid}/stat", encoding="ascii") as stat:
                spent = sum(int(ticks) for ticks in stat.read().rsplit(")", 1)[1].split()[11:13]) / os.sysconf("SC_CLK_TCK")
            assert spent < 3, f"it took {spent} s of the processor to wait"
            held.close()
            f.end()


def test_a_signal_ends_what_has_not_begun_to_wait_yet():
    for _ in range(20):
        with world() as w:
            p = Provider()
            with Follower(w, p, "--no-deliver") as f:
                held, _ = p.listener.accept()
                f.process.send_signal(signal.SIGTERM)
                assert f.process.wait(5) == 0, f.text()
                held.close()


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
