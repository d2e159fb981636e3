#!/usr/bin/env python3
"""What `sfprov follow ldap://...` asks for beside what it hears: a whole list, each day and when only that tells."""
import os
import signal
import sys
import time

from common import mark_of
from followers import LOG, Follower, ber, heard, in_step, kept_cookie, until, uuid
from servers import GROUPS, PEOPLE, SUFFIX, cli, events_of, harness, person, world
from slapd import Slapd


def team(d, *names):
    """A part of the tree below the base, which can be moved out of it as one."""
    d.add((f"ou=team,{PEOPLE}", {"objectClass": "organizationalUnit"}),
          *((f"uid={name},ou=team,{PEOPLE}", person(name)[1]) for name in names))


def test_who_is_moved_away_with_a_subtree_leaves_with_the_next_list():
    """Of which OpenLDAP says nothing. What changes meanwhile is followed, by the same connection; and those who were heard
    last and are not there are no sign of a restored directory to who is started then."""
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada"), person("bob", "Bob", "Miller"))
        with Follower(w, d, "--relist", "6s") as f:
            in_step(w, d)
            team(d, "eve", "dan")
            in_step(w, d)
            d.rename(f"ou=team,{PEOPLE}", "ou=team", SUFFIX)
            d.modify(f"uid=bob,{PEOPLE}", ("replace", "title", "Dr"))
            in_step(w, d, gone=["eve", "dan"])
            assert "2 lost" in f.text() and "tried again" not in f.text() and "anew" not in f.text(), f.text()
            d.rename(f"ou=team,{SUFFIX}", "ou=team", PEOPLE)
            in_step(w, d)
            d.rename(f"ou=team,{PEOPLE}", "ou=team", SUFFIX)
            in_step(w, d, gone=["eve", "dan"])
            f.end()
        with Follower(w, d) as f:
            until(lambda: "is followed" in f.text())
            assert "looked at again" not in f.text() and "restored" not in f.text() and mark_of(w) is None, f.text()
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"))
            in_step(w, d, gone=["eve", "dan"])
            assert "people listed" not in f.text(), f.text()
            f.end()


def test_who_was_moved_away_is_no_sign_of_an_older_directory():
    """To a follower that is started right then. All that has changed is known, and the directory says nothing of that."""
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada"))
        with Follower(w, d) as f:
            in_step(w, d)
            team(d, "eve", "dan")
            in_step(w, d)
            d.rename(f"ou=team,{PEOPLE}", "ou=team", SUFFIX)
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Dr"))
            in_step(w, d, skip=["eve", "dan"])
            time.sleep(1.5)  # it writes down how far it was
            f.end()
        with Follower(w, d) as f:
            in_step(w, d, gone=["eve", "dan"])
            assert "looked at again" not in f.text() and "moved away" in f.text(), f.text()
            until(lambda: mark_of(w) is None)
            f.end()


def test_a_regular_list_that_loses_many_is_held():
    with world(guard_percent=30, guard_floor=2) as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        team(d, *(f"u{i}" for i in range(6)))
        d.add(person("ada"))
        with Follower(w, d, "--relist", "3s") as f:
            in_step(w, d)
            d.rename(f"ou=team,{PEOPLE}", "ou=team", SUFFIX)
            until(lambda: "was not applied" in f.text())
            assert mark_of(w) and kept_cookie(w)
            lost = [f"u{i}" for i in range(6)]
            d.add(person("bob"))
            in_step(w, d, skip=lost)
            assert all(w.org.user(f"{name}@acme.example")["IsActive"] for name in lost)
            d.rename(f"ou=team,{SUFFIX}", "ou=team", PEOPLE)
            until(lambda: mark_of(w) is None)
            in_step(w, d)
            assert "tried again" not in f.text() and "anew" not in f.text(), f.text()
            f.end()


def known(w, name, number):
    people = os.path.join(w.folder, "people.csv")
    with open(people, "w", encoding="utf-8") as to:
        to.write(f"userName,externalId,familyName\n{name},{uuid(number)},Byron\n")
    done = cli(w, "sync", "--no-deliver", people)
    assert done.returncode == 0, done.stderr


def test_a_list_beside_does_not_keep_what_changes_waiting():
    """Nor does it take back what was heard while it was."""
    with heard("--relist", "1h", listed=3600) as (w, p, f, connection):
        known(w, "ada", 1)
        p.info(connection, ber(0xa1, ber(4, b"whole")))
        asked, request = p.asked(connection)
        assert b"1.2.840.113556.1.4.319" in request, request
        for name, number in (("ada", 1), ("bob", 2)):
            p.tell(connection, name, number, answer=asked)
        p.tell(connection, "ada", 1, state=b"\3")  # gone, and in the page all the same
        p.page_ends(connection, asked)
        until(lambda: p.is_asked(connection, 0.1))
        assert len(events_of(w, "ada")) == 2, "what changes waits for the list"
        asked, request = p.asked(connection)
        p.end(connection, asked)
        until(lambda: "2 people listed: 1 hired" in f.text())
        assert len(events_of(w, "ada")) == 2 and "delete" in str(events_of(w, "ada")[1]), events_of(w, "ada")
        assert kept_cookie(w) == "whole", kept_cookie(w)


def test_a_signal_amid_a_list_changes_nothing():
    with heard("--relist", "1h", listed=3600) as (w, p, f, connection):
        p.info(connection, ber(0xa1, ber(4, b"whole")))
        asked, _ = p.asked(connection)
        p.tell(connection, "ada", 1, answer=asked)
        time.sleep(0.5)
        f.process.send_signal(signal.SIGTERM)
        assert f.process.wait(3) == 0 and "people listed" not in f.text(), f.text()
        assert not os.path.exists(w.fields["store"]), f.text()
        assert kept_cookie(w) == "whole", kept_cookie(w)
        with Follower(w, p, "--no-deliver", "--relist", "1h") as again:
            connection, request = p.searched()
            assert b"whole" in request, request
            p.info(connection, ber(0xa1, ber(4, b"whole")))
            asked, _ = p.asked(connection)
            p.tell(connection, "ada", 1, answer=asked)
            p.end(connection, asked)
            until(lambda: "1 people listed: 1 hired" in again.text())
            again.end()


def test_a_list_that_is_not_given_whole_is_told_and_asked_again():
    with heard("--relist", "1h", listed=3600) as (w, p, f, connection):
        known(w, "ada", 1)
        p.info(connection, ber(0xa1, ber(4, b"whole")))
        asked, _ = p.asked(connection)
        p.tell(connection, "ada", 1, answer=asked)
        p.end(connection, asked, b"\4")  # size limit exceeded
        until(lambda: "does not give a whole list" in (mark_of(w) or {"reason": ""})["reason"])
        p.tell(connection, "bob", 2, state=b"\2")
        for _ in range(2):  # who reports to them, and where they are
            if p.is_asked(connection, 3):
                p.end(connection, p.asked(connection)[0])
        until(lambda: len(events_of(w, "bob")) == 1)
        until(lambda: p.is_asked(connection, 0.1))
        asked, _ = p.asked(connection)
        for name, number in (("ada", 1), ("bob", 2)):
            p.tell(connection, name, number, answer=asked)
        p.end(connection, asked)
        until(lambda: "2 people listed: 0 hired" in f.text() and mark_of(w) is None)


def test_what_can_be_read_of_somebody_counts():
    """As it does for a plugin of the server, and in a list."""
    crm, bad = f"cn=crm,{GROUPS}", ("replace", "jpegPhoto", b"\xff\xd8")
    with world(scope_groups=[crm], scope_filter='not (title eq "Alumna")') as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        names = ("ada", "bob", "cyd")
        d.add(*(person(name, jpegPhoto="Nick") for name in names),
              (crm, {"objectClass": "groupOfNames", "cn": "crm", "member": [f"uid={name},{PEOPLE}" for name in names]}))
        with Follower(w, d, "--map", "jpegPhoto=nickName", "--groups", GROUPS) as f:
            in_step(w, d)
            d.modify(f"uid=bob,{PEOPLE}", bad, ("replace", "title", "Alumna"))
            d.modify(f"uid=cyd,{PEOPLE}", bad, ("replace", "title", "Dr"))
            in_step(w, d, inactive=["bob"])
            d.modify(f"uid=ada,{PEOPLE}", bad)
            d.modify(crm, ("delete", "member", f"uid=ada,{PEOPLE}"))  # a list finds out
            in_step(w, d, inactive=["ada", "bob"])
            assert "Nick" in cli(w, "show", "--json", "cyd").stdout and mark_of(w)
            f.end()


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
