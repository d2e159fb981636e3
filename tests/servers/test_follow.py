#!/usr/bin/env python3
"""`sfprov follow ldap://...` beside a real slapd that has no adapter: content synchronization (RFC 4533)."""
import json
import os
import select
import shutil
import signal
import sys
import time

from common import mark_of, same_on_both
from followers import (LOG, Follower, Provider, asks_anew, ber, comes, csn, goes_on, group_changes, heard, heard_before,
                       in_step, long_ber, replica_that_lags, until)
from servers import GROUPS, PEOPLE, SUFFIX, cli, compare, events_of, harness, person, secret, settle, world
from slapd import Slapd

def test_a_life_is_followed_from_the_first_load_on():
    with world() as w, Slapd(w, provider=True) as d:
        d.seed()
        d.add(person("chief", "Grace", "Hopper"), person("ada", manager=f"uid=chief,{PEOPLE}", title="Analyst"))
        with Follower(w, d) as f:
            in_step(w, d)
            until(lambda: w.org.user("ada@acme.example").get("ManagerId") == w.org.user("chief@acme.example")["Id"])
            ada = w.org.user("ada@acme.example")["Id"]
            d.add(person("bob", "Bob", "Miller", manager=f"uid=ada,{PEOPLE}"))
            in_step(w, d)
            until(lambda: w.org.user("bob@acme.example").get("ManagerId") == ada)
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"))
            in_step(w, d)
            d.rename(f"uid=ada,{PEOPLE}", "uid=ada.byron")
            in_step(w, d)
            assert w.org.user("ada.byron@acme.example")["Id"] == ada
            d.modify(f"uid=bob,{PEOPLE}", ("add", "pwdAccountLockedTime", "000001010000Z"))
            in_step(w, d)
            d.delete(f"uid=chief,{PEOPLE}")
            in_step(w, d, gone=["chief"])
            f.end()


def test_a_manager_who_comes_after_the_reports_is_linked():
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("first"))
        with Follower(w, d) as f:
            in_step(w, d)
            d.add(person("ada", manager=f"uid=chief,{PEOPLE}"), person("bob", "Bob", "Miller", manager=f"UID=chief, {PEOPLE}"))
            in_step(w, d)
            assert not w.org.user("ada@acme.example").get("ManagerId")
            d.add(person("chief", "Grace", "Hopper"))
            in_step(w, d)
            chief = w.org.user("chief@acme.example")["Id"]
            until(lambda: {w.org.user(f"{name}@acme.example").get("ManagerId") for name in ("ada", "bob")} == {chief})
            f.end()


def test_a_manager_who_comes_after_a_list_or_a_restart_is_linked():
    staff = "??sub?(employeeType=staff)"
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada", manager=f"uid=chief,{PEOPLE}", employeeType="staff"),
              person("bob", "Bob", "Miller", manager=f"UID=boss, {PEOPLE}", employeeType="staff"),
              person("boss", employeeType="guest"))

        def manager_of(name):
            return w.org.user(f"{name}@acme.example").get("ManagerId")

        with Follower(w, d, tail=staff) as f:
            until(lambda: len(w.org.users()) == 2)
            d.add(person("chief", "Grace", "Hopper", employeeType="staff"))
            until(lambda: manager_of("ada") == w.org.user("chief@acme.example")["Id"])
            d.modify(f"uid=boss,{PEOPLE}", ("replace", "employeeType", "staff"))  # whom the filter lets in
            until(lambda: manager_of("bob") == w.org.user("boss@acme.example")["Id"])
            d.add(person("cyd", "Cyd", "Kahn", manager=f"cn=head\\, of all (*),{PEOPLE}", employeeType="staff"))
            until(lambda: "cyd@acme.example" in w.org.users())
            f.end()
        _, head = person("head", employeeType="staff")
        with Follower(w, d, tail=staff) as f:
            until(lambda: "is followed" in f.text())
            d.add((f"cn=head\\, of all (*),{PEOPLE}", {**head, "cn": "head, of all (*)"}))
            until(lambda: manager_of("cyd") == w.org.user("head@acme.example")["Id"])
            assert f.text().count("people listed") == 0, f.text()
            f.end()


def test_a_manager_who_is_renamed_to_what_reports_name_is_linked():
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("chief", "Grace", "Hopper"), person("other"), person("ada", manager=f"uid=boss,{PEOPLE}"))

        def manager_of(name):
            return w.org.user(f"{name}@acme.example").get("ManagerId")

        with Follower(w, d) as f:
            in_step(w, d)
            assert not manager_of("ada")
            d.rename(f"uid=chief,{PEOPLE}", "uid=boss")
            in_step(w, d)
            until(lambda: manager_of("ada") == w.org.user("boss@acme.example")["Id"])
            d.add(person("bob", "Bob", "Miller", manager=f"uid=head,{PEOPLE}"))
            in_step(w, d)
            f.end()
        with Follower(w, d) as f:  # which does not know where anybody was
            until(lambda: "is followed" in f.text())
            d.rename(f"uid=other,{PEOPLE}", "uid=head")
            in_step(w, d)
            until(lambda: manager_of("bob") == w.org.user("head@acme.example")["Id"])
            assert "people listed" not in f.text(), f.text()
            f.end()


def test_it_goes_on_from_where_it_was_where_the_directory_has_a_log():
    goes_on(LOG, anew=False)


def test_a_directory_without_a_log_is_heard_anew():
    goes_on("", anew=True)


def test_a_directory_that_goes_away_and_comes_back_is_followed_again():
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada"))
        with Follower(w, d) as f:
            in_step(w, d)
            d.stop()
            until(lambda: "tried again" in f.text())
            d.start()
            d.add(person("bob"))
            in_step(w, d)
            f.end()


def test_a_password_that_is_being_changed_ends_nobody():
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada"))
        with Follower(w, d) as f:
            in_step(w, d)
            os.truncate(os.path.join(w.folder, "ldap-password"), 0)
            d.stop()
            d.start()
            until(lambda: "is empty" in f.text() and "tried again" in f.text().split("is empty")[1])
            secret(w.folder)
            d.add(person("bob"))
            in_step(w, d)
            f.end()
        os.truncate(os.path.join(w.folder, "ldap-password"), 0)
        done = cli(w, "follow", "--bind-dn", d.admin, "--password-file", os.path.join(w.folder, "ldap-password"), f"{d.uri}/{PEOPLE}")
        assert done.returncode == 2 and "is empty" in done.stderr, done.stderr


def test_a_list_that_loses_many_is_held_and_what_changes_is_followed():
    """So is what changes while nobody follows: it must not come with a list that is held again."""
    with world(guard_percent=30, guard_floor=5) as w, Slapd(w, provider=True, extra=LOG) as d:
        state = w.fields["store"] + ".follow"
        d.seed()
        d.add(*(person(f"u{i}") for i in range(12)))
        with Follower(w, d) as f:
            in_step(w, d)
            f.end()
        lost = [f"u{i}" for i in range(8)]
        d.delete(*(f"uid={name},{PEOPLE}" for name in lost))
        os.remove(state)
        with Follower(w, d) as f:
            until(lambda: "was not applied" in f.text())
            mark = mark_of(w)
            assert "was not applied" in mark["reason"] and mark["host"] == "sfprov follow", mark
            d.add(person("new"))
            d.modify(f"uid=u10,{PEOPLE}", ("replace", "title", "Dr"))
            d.delete(f"uid=u11,{PEOPLE}")
            in_step(w, d, gone=["u11"], skip=lost)
            assert "tried again" not in f.text(), f.text()
            f.end()
        d.delete(f"uid=u9,{PEOPLE}")
        with Follower(w, d) as f:
            in_step(w, d, gone=["u11", "u9"], skip=lost)
            assert all(w.org.user(f"{name}@acme.example")["IsActive"] for name in lost)
            assert "was not applied" not in f.text() and mark_of(w), f.text()
            done = cli(w, "sync", "--force", "--no-deliver", "--bind-dn", d.admin, "--password-file",
                       os.path.join(w.folder, "ldap-password"), f"{d.uri}/{PEOPLE}")
            assert done.returncode == 0, done.stderr
            in_step(w, d, gone=["u11", "u9", *lost])
            until(lambda: "people listed" in f.text())
            d.add(person("eve"))
            in_step(w, d, gone=["u11", "u9", *lost])
            f.end()
        with open(state, encoding="utf-8") as file:
            assert not json.load(file)["list_waits"]
        with Follower(w, d) as f:
            until(lambda: "is followed" in f.text())
            assert "people listed" not in f.text() and mark_of(w) is None, f.text()
            f.end()


def test_an_empty_directory_is_waited_for():
    with world() as w, Slapd(w, provider=True) as d:
        d.seed()
        with Follower(w, d) as f:
            until(lambda: "was not applied" in f.text())
            d.add(person("ada"))
            in_step(w, d)
            f.end()


def test_no_follower_of_a_directory_that_cannot_be_followed():
    with world() as w, Slapd(w) as d:  # without syncprov
        d.seed()
        with Follower(w, d) as f:
            until(lambda: "syncprov" in f.text() and "tried again" in f.text())
            f.end()
        done = cli(w, "follow", "people.csv")
        assert done.returncode == 2 and "is no directory" in done.stderr, done.stderr
        done = cli(w, "follow", "--relist", "daily", f"{d.uri}/{PEOPLE}")
        assert done.returncode == 2 and "write a time" in done.stderr, done.stderr
        done = cli(w, "follow", d.uri)
        assert done.returncode == 2 and "names no entry" in done.stderr, done.stderr
    with world() as w:
        assert cli(w, "follow", "ldap://127.0.0.1/").returncode == 2
        del w.fields["issuer"]
        done = cli(w, "follow", f"ldap://127.0.0.1/{PEOPLE}")
        assert done.returncode == 3 and "'issuer'" in done.stderr, done.stderr
        assert not os.path.exists(w.fields["store"] + ".resync"), "a wrong use marks something"


def test_a_state_that_cannot_be_read_is_as_none():
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada"))
        with Follower(w, d) as f:
            in_step(w, d)
            f.end()
            assert "tried again" not in f.text(), f.text()
        path = w.fields["store"] + ".follow"
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        for text in (json.dumps({**state, "cookie": "no cookie"}), "no JSON"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            with Follower(w, d) as f:
                until(lambda: "is followed" in f.text())
                assert "people listed" in f.text(), f.text()
                f.end()


def test_what_is_read_otherwise_is_heard_anew():
    columns = {"key": "entryUUID", "columns": {"departmentNumber": "title", "title": ""}}
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada", title="Dr", departmentNumber="Sales"))
        file = os.path.join(w.folder, "columns.json")
        with open(file, "w", encoding="utf-8") as to:
            json.dump(columns, to)
        for more, title in (((), "Dr"), (("--map", "departmentNumber=title", "--map", "title="), "Sales"), ((), "Dr"),
                            (("--columns", file), "Sales"), (("--groups", GROUPS), "Dr")):
            with Follower(w, d, *more) as f:
                until(lambda: w.org.user("ada@acme.example")["Title"] == title)  # pylint: disable=cell-var-from-loop
                f.end()
        with Follower(w, d) as f:
            until(lambda: "is followed" in f.text())
            assert "1 people listed" in f.text(), "the groups it had were written as --groups says"
            f.end()


def test_a_password_is_needed_more_than_once():
    with world() as w:
        done = cli(w, "follow", "--bind-dn", "cn=x", "--password-file", "-", f"ldap://127.0.0.1/{PEOPLE}")
        assert done.returncode == 2 and "standard input" in done.stderr, done.stderr


def test_groups_take_people_into_scope_and_out():
    crm, posix = f"cn=crm,{GROUPS}", f"cn=posix,{GROUPS}"
    with world(scope_groups=[crm, posix]) as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada"), person("bob", "Bob", "Miller"), person("cyd", "Cyd", "Kahn"),
              (crm, {"objectClass": "groupOfNames", "cn": "crm", "member": [f"uid=ada,{PEOPLE}"]}))
        with Follower(w, d, "--groups", GROUPS) as f:
            in_step(w, d, skip=["bob", "cyd"])
            d.modify(crm, ("add", "member", f"UID=bob, {PEOPLE}"))
            until(lambda: "bob@acme.example" in w.org.users())
            d.modify(f"uid=bob,{PEOPLE}", ("replace", "title", "Dr"))
            in_step(w, d, skip=["cyd"])
            d.add((posix, {"objectClass": "posixGroup", "cn": "posix", "gidNumber": "7", "memberUid": "cyd"}))
            in_step(w, d)
            d.modify(posix, ("delete", "memberUid"))
            in_step(w, d, inactive=["cyd"])
            f.end()
        d.delete(crm)
        with Follower(w, d, "--groups", GROUPS) as f:
            in_step(w, d, inactive=["ada", "bob", "cyd"])
            d.stop()
            d.start()
            d.modify(posix, ("add", "memberUid", "ada"))
            in_step(w, d, inactive=["bob", "cyd"])
            f.end()


def test_an_adapters_file_says_whom_it_follows():
    other = f"ou=other,{SUFFIX}"
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        file = os.path.join(w.folder, "adapter.json")

        def configure(**more):
            with open(file, "w", encoding="utf-8") as to:
                json.dump({"fields": os.path.join(w.folder, "fields-follow.json"), "filter": "(employeeType=staff)", **more}, to)

        configure(bases=[PEOPLE])
        d.seed()
        d.add((other, {"objectClass": "organizationalUnit"}), person("ada", employeeType="staff"),
              person("bob", "Bob", "Miller", employeeType="staff"), person("guest", employeeType="guest"),
              (f"uid=eve,{other}", person("eve", employeeType="staff")[1]))
        with Follower(w, d, "--adapter", file, base=SUFFIX) as f:
            in_step(w, d, skip=["guest"])
            d.rename(f"uid=bob,{PEOPLE}", "uid=bob", other)
            in_step(w, d, gone=["bob"], skip=["guest"])
            d.modify(f"uid=eve,{other}", ("replace", "title", "Dr"))
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"))
            in_step(w, d, gone=["bob"], skip=["guest"])
            assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"] == 2, "strangers are none of ours"
            f.end()
        configure(bases=[other])  # other people: all of it is heard
        with Follower(w, d, "--adapter", file, base=SUFFIX) as f:
            until(lambda: {name for name, user in w.org.users().items() if user["IsActive"]} ==
                  {"bob@acme.example", "eve@acme.example"})
            f.end()
        columns = os.path.join(w.folder, "columns.json")
        with open(columns, "w", encoding="utf-8") as to:
            json.dump({"key": "uid", "columns": {}}, to)
        configure(columns=columns)
        with Follower(w, d, "--adapter", file) as f:
            assert f.process.wait(30) == 2 and "is followed by entryUUID" in f.text(), f.text()


def test_a_mark_is_made_whatever_the_name():
    far = f"ou={'ü' * 60},{PEOPLE}"  # longer than a message has room for
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add((far, {"objectClass": "organizationalUnit", "ou": "ü" * 60}), (f"uid=ada,{far}", person("ada")[1]))
        with Follower(w, d, "--map", "jpegPhoto=nickName") as f:
            in_step(w, d)
            d.modify(f"uid=ada,{far}", ("replace", "jpegPhoto", PHOTO))
            until(lambda: mark_of(w))
            assert "cannot be read" in mark_of(w)["reason"], mark_of(w)
            f.end()


def test_a_store_has_one_follower():
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada"))
        with Follower(w, d) as f:
            in_step(w, d)
            with Follower(w, d) as other:
                assert other.process.wait(30) == 2 and "has a follower already" in other.text(), other.text()
            assert "tried again" not in f.text()
            f.end(signal.SIGKILL, -signal.SIGKILL)
        with Follower(w, d) as f:  # who was killed holds nothing
            until(lambda: "is followed" in f.text())
            f.end()


PHOTO = bytes((0xff, 0xd8, 0xff, 0xe0)) + b"\0\x10JFIF"


def test_who_cannot_be_read_keeps_nobody_else_of_a_list():
    crm = f"cn=crm,{GROUPS}"
    with world(scope_groups=[crm]) as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(*(person(name) for name in ("ada", "bob", "cyd", "dan")), person("odd", jpegPhoto=PHOTO),
              person("long", title="T" * 300_000))
        members = {name: f"uid={name},{PEOPLE}" for name in ("ada", "bob", "cyd", "dan", "odd", "long")}
        d.add((crm, {"objectClass": "groupOfNames", "cn": "crm", "member": list(members.values())}))
        with Follower(w, d, "--map", "jpegPhoto=nickName", "--groups", GROUPS) as f:
            in_step(w, d, skip=["odd", "long"])
            assert f"'{members['odd']}' cannot be read" in f.text() and f"'{members['long']}' cannot be read" in f.text()
            assert "2 unreadable" in f.text() and members["odd"] in mark_of(w)["reason"], f.text()
            f.end()
        # whom it knows already stays as they are; who leaves is followed, and so is everybody else
        d.modify(members["ada"], ("replace", "jpegPhoto", PHOTO))
        d.modify(members["dan"], ("replace", "manager", members["ada"]))
        d.delete(members["bob"])
        with Follower(w, d, "--map", "jpegPhoto=nickName", "--groups", GROUPS) as f:
            in_step(w, d, gone=["bob"], skip=["odd", "long"])
            assert w.org.user("dan@acme.example")["ManagerId"] == w.org.user("ada@acme.example")["Id"]
            d.modify(crm, ("delete", "member", members["cyd"]))
            in_step(w, d, gone=["bob"], inactive=["cyd"], skip=["odd", "long"])
            assert w.org.user("ada@acme.example")["IsActive"] and mark_of(w)
            d.delete(members["odd"], members["long"])
            d.modify(members["ada"], ("delete", "jpegPhoto"), ("replace", "title", "Countess"))
            d.modify(crm, ("add", "description", "heard anew"))
            until(lambda: mark_of(w) is None)
            in_step(w, d, gone=["bob"], inactive=["cyd"])
            f.end()


def test_who_cannot_be_read_and_is_locked_is_let_go():
    lock = ("add", "pwdAccountLockedTime", "000001010000Z")
    for attribute, value in (("jpegPhoto", PHOTO), ("title", "T" * 300_000)):
        with world() as w, Slapd(w, provider=True, extra=LOG) as d:
            d.seed()
            d.add(*(person(name, title="Analyst") for name in ("ada", "bob", "cyd")), person("odd", **{attribute: value}))

            def active(*names):
                return [w.org.user(f"{name}@acme.example")["IsActive"] for name in names]

            with Follower(w, d, "--map", "jpegPhoto=nickName") as f:
                until(lambda: len(w.org.users()) == 3)
                d.modify(f"uid=bob,{PEOPLE}", ("replace", attribute, value))
                d.modify(f"uid=ada,{PEOPLE}", ("replace", attribute, value), lock)
                d.modify(f"uid=odd,{PEOPLE}", lock)
                until(lambda: not active("ada")[0])
                assert active("bob", "cyd") == [True, True] and w.org.user("ada@acme.example")["Title"] == "Analyst"
                assert mark_of(w) and len(w.org.users()) == 3
                assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"] == 3, "of whom nothing can be read nothing is kept"
                f.end()
            d.modify(f"uid=cyd,{PEOPLE}", ("replace", attribute, value), lock)
            os.remove(w.fields["store"] + ".follow")
            with Follower(w, d, "--map", "jpegPhoto=nickName") as f:  # a list
                until(lambda: not active("cyd")[0])
                assert active("ada", "bob") == [False, True]
                f.end()


def test_who_is_locked_and_is_so_no_more_is_not_let_go():
    """All of it is heard at once, and what says of the lock cannot be read whole."""
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada"))
        with Follower(w, d) as f:
            in_step(w, d)
            f.process.send_signal(signal.SIGSTOP)
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "T" * 300_000), ("add", "pwdAccountLockedTime", "000001010000Z"))
            time.sleep(0.5)  # so that both are told
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Dr"), ("delete", "pwdAccountLockedTime"))
            time.sleep(0.5)
            f.process.send_signal(signal.SIGCONT)
            until(lambda: w.org.user("ada@acme.example").get("Title") == "Dr")
            assert "is the most" in f.text(), f.text()
            d.add(person("bob"))
            until(lambda: "bob@acme.example" in w.org.users())
            assert w.org.user("ada@acme.example")["IsActive"], events_of(w, "ada")
            f.end()


def test_who_has_lost_their_name_is_let_go_all_the_same():
    locked = ("add", "pwdAccountLockedTime", "000001010000Z")
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada", employeeNumber="ada"), person("bob", "Bob", "Miller", employeeNumber="bob"))
        by_number = ("--map", "uid=", "--map", "employeeNumber=userName")
        with Follower(w, d, *by_number) as f:
            until(lambda: len(w.org.users()) == 2)
            d.modify(f"uid=ada,{PEOPLE}", ("delete", "employeeNumber"), locked)
            until(lambda: [user["IsActive"] for user in w.org.users().values()].count(False) == 1)
            assert f"'uid=ada,{PEOPLE}' has no userName" in f.text()
            f.end()
        os.remove(w.fields["store"] + ".follow")
        d.modify(f"uid=bob,{PEOPLE}", ("delete", "employeeNumber"), locked)
        with Follower(w, d, *by_number) as f:
            until(lambda: not any(user["IsActive"] for user in w.org.users().values()))
            f.end()


def test_what_does_not_get_through_asks_for_a_resync():
    for attribute, value, why in (("jpegPhoto", PHOTO, "not UTF-8 text"), ("title", "T" * 300_000, "is the most")):
        with world() as w, Slapd(w, provider=True, extra=LOG) as d:
            d.seed()
            d.add(person("ada"))
            with Follower(w, d, "--map", "jpegPhoto=nickName") as f:
                in_step(w, d)
                assert mark_of(w) is None
                d.modify(f"uid=ada,{PEOPLE}", ("replace", attribute, value))
                until(lambda: why in (mark_of(w) or {"reason": ""})["reason"])
                d.add(person("bob"))
                until(lambda: "bob@acme.example" in w.org.users())  # the rest goes on
                f.end()
            assert "resync needed" in cli(w, "status").stdout, "it outlasts the follower"
            d.modify(f"uid=ada,{PEOPLE}", ("delete", attribute), ("replace", "l", "London"))
            os.remove(w.fields["store"] + ".follow")
            with Follower(w, d) as f:  # a whole list
                until(lambda: mark_of(w) is None)
                in_step(w, d)
                f.end()


def test_a_directory_from_an_older_backup_is_heard_anew():
    with world() as w, Slapd(w, provider=True, extra=LOG) as d:
        d.seed()
        d.add(person("ada", title="Analyst"), person("bob", "Bob", "Miller"))
        d.stop()
        backup = d.tool("slapcat").stdout
        d.start()
        with Follower(w, d, "--lag", "3") as f:
            in_step(w, d)
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"))
            d.add(person("late"))
            d.delete(f"uid=bob,{PEOPLE}")
            in_step(w, d, gone=["bob"])
            d.stop()
            shutil.rmtree(f"{d.folder}/db")
            os.mkdir(f"{d.folder}/db")
            done = d.tool("slapadd", input=backup)
            assert done.returncode == 0, done.stderr
            d.start()
            in_step(w, d, gone=["late"])
            assert w.org.user("ada@acme.example")["Title"] == "Analyst" and w.org.user("bob@acme.example")["IsActive"]
            assert "looked at again" in f.text() and "was restored" in f.text(), f.text()
            until(lambda: mark_of(w) is None)
            d.add(person("new"))
            in_step(w, d, gone=["late"])
            f.end()


def test_a_directory_from_a_backup_that_has_changed_since_is_heard_anew():
    def countess(d):
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"))

    for lost, gone in ((countess, ()), (lambda d: d.add(person("late")), ("late",)),
                       (lambda d: d.delete(f"uid=bob,{PEOPLE}"), ())):
        with world() as w, Slapd(w, provider=True, extra=LOG) as d:
            d.seed()
            d.add(person("ada", title="Analyst"), person("bob", "Bob", "Miller"), *(person(f"u{i}") for i in range(9)))
            d.stop()
            backup = d.tool("slapcat").stdout
            d.start()
            with Follower(w, d) as f:
                in_step(w, d)
                lost(d)
                in_step(w, d, gone=() if lost is countess or gone else ("bob",))
                f.end()
            d.stop()
            shutil.rmtree(f"{d.folder}/db")
            os.mkdir(f"{d.folder}/db")
            done = d.tool("slapadd", input=backup)
            assert done.returncode == 0, done.stderr
            d.start()
            d.add(person("new"))
            with Follower(w, d) as f:
                in_step(w, d, gone=gone)
                assert "listed anew" in f.text() and "was restored" in f.text(), f.text()
                until(lambda: mark_of(w) is None)
                d.modify(f"uid=u1,{PEOPLE}", ("replace", "title", "Dr"))
                in_step(w, d, gone=gone)
                f.end()
            with Follower(w, d) as f:
                until(lambda: "is followed" in f.text())
                assert "anew" not in f.text(), f.text()
                f.end()


def test_a_replica_that_lags_takes_nobody_for_gone():
    crm = f"cn=crm,{GROUPS}"
    for extra, identity, more in ((LOG, 2, ()), ("", 1, ()), (LOG, 2, ("--groups", GROUPS))):
        with world() as w, replica_that_lags(w, extra, identity) as (d, r, way, catch_up):
            with Follower(w, way, *more) as f:
                in_step(w, d)
                catch_up.lead(None)
                d.add(person("late"), (crm, {"objectClass": "groupOfNames", "cn": "crm", "member": "cn=x"}))
                d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"))
                d.delete(f"uid=bob,{PEOPLE}")
                in_step(w, d, gone=["bob"])
                events = [len(events_of(w, name)) for name in ("late", "ada", "bob")]
                way.lead(r.port)
                until(lambda: f.text().count("it is looked at again") == 2)
                assert f.text().count("is followed") == 1, f.text()
                assert [len(events_of(w, name)) for name in ("late", "ada", "bob")] == events, f.text()
                catch_up.lead(d.port)
                same_on_both(d, r)
                until(lambda: f.text().count("is followed") == 2, 120)
                d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Dr"))
                in_step(w, d, gone=["bob"])
                assert [len(events_of(w, name)) for name in ("late", "ada", "bob")] == [events[0], events[1] + 1, events[2]], f.text()
                assert mark_of(w) is None and "a resync is needed" not in f.text(), f.text()
                f.end()


def test_a_replica_that_lags_in_what_one_server_changed_brings_nobody_back():
    """It is ahead in what another one did, and tells all that is newer than what was heard of that."""
    with heard(cookie=f"rid=000,csn={csn(1, 1)};{csn(5, 2)}") as (w, p, f, connection):
        p.tell(connection, "ada", 1, change=csn(2, 2))  # who has left since
        p.tell(connection, "bob", 2, change=csn(3, 1))
        while not cli(w, "show", "--json", "bob").stdout:
            if select.select([connection], [], [], 0.1)[0]:  # who reports to them
                p.end(connection, p.asked(connection)[0])
        p.info(connection, ber(0xa1, ber(4, f"rid=000,csn={csn(3, 1)};{csn(2, 2)}".encode())))
        until(lambda: "it is looked at again" in f.text())
        assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"] == 1, events_of(w, "ada")


def test_a_cookie_amid_a_refresh_stands_for_nothing_yet():
    """OpenLDAP tells who is gone first, with the cookie of the last who went, and then who changed before that."""
    with world() as w:
        p = Provider()
        path = w.fields["store"] + ".follow"
        heard_before(w, p, cookie="oldest")
        with Follower(w, p) as f:
            connection, request = p.searched()
            assert b"oldest" in request, request
            p.info(connection, ber(0xa3, ber(4, b"halfway"), ber(1, b"\xff"), ber(0x31, ber(4, bytes(16)))))
            time.sleep(0.5)  # it may write down how far it was
            connection.close()
            connection, request = p.searched()
            assert b"oldest" in request and b"halfway" not in request, request
            p.info(connection, ber(0xa1, ber(4, b"whole")))
            asked, request = p.asked(connection)  # whether who went is still gone
            assert b"00000000-0000-0000-0000-000000000000" in request, request
            p.end(connection, asked)
            until(lambda: b"whole".hex() in open(path, encoding="utf-8").read())
            f.end()
            connection.close()


def test_a_cookie_that_is_refused_has_all_of_it_heard_anew():
    with world() as w:
        p = Provider()
        heard_before(w, p, cookie="stale")
        with Follower(w, p) as f:
            connection, request = p.searched()
            assert b"stale" in request, request
            connection.sendall(ber(0x30, ber(2, b"\2"), ber(0x65, ber(10, b"\x10\x00"), ber(4), ber(4, b"refresh required"))))
            connection.close()
            connection, request = p.searched()
            assert b"stale" not in request, request
            assert "heard anew" in f.text(), f.text()
            connection.close()
            f.end()


def test_a_directory_that_has_all_of_it_heard_anew_for_ever_is_not_hammered():
    """It refuses each list; or it takes it, and refuses to go on."""
    end = ber(0x30, ber(2, b"\2"), ber(0x65, ber(10, b"\x10\x00"), ber(4), ber(4, b"refresh required")))
    for refuses_all in (True, False):
        with world() as w:
            p, asked, started = Provider(), 0, time.monotonic()
            with Follower(w, p, "--no-deliver", "--groups", GROUPS) as f:
                while time.monotonic() - started < 6:
                    if not asks_anew(p, 0.5):
                        continue
                    groups, _ = p.searched()
                    p.info(groups, ber(0xa2, ber(4, b"groups")))
                    people, _ = p.searched()
                    if not refuses_all:
                        p.tell(people, "ada", 1)
                        p.info(people, ber(0xa2, ber(4, b"people")))
                    people.sendall(end)
                    asked += 1
                assert 2 <= asked <= 5, (asked, f.text())
                f.end()


def test_a_list_is_heard_to_its_end_whatever_groups_do():
    with world() as w:
        p = Provider()
        with Follower(w, p, "--no-deliver", "--groups", GROUPS) as f:
            groups, _ = p.searched()
            p.info(groups, ber(0xa2, ber(4, b"groups")))
            people, _ = p.searched()
            p.tell(people, "ada", 1)
            group_changes(p, groups)
            assert not asks_anew(p, 4), "a change of a group ends the list it comes in"
            p.info(people, ber(0xa2, ber(4, b"people")))
            until(lambda: "1 people listed" in f.text())
            assert asks_anew(p, 30), "the change is forgotten"
            f.end()


def test_groups_that_never_rest_are_listed_all_the_same():
    with world() as w:
        p = Provider()
        with Follower(w, p, "--no-deliver", "--groups", GROUPS) as f:
            groups, _ = p.searched()
            p.info(groups, ber(0xa2, ber(4, b"groups")))
            people, _ = p.searched()
            p.tell(people, "ada", 1)
            p.info(people, ber(0xa2, ber(4, b"people")))
            until(lambda: "is followed" in f.text())
            for _ in range(400):
                group_changes(p, groups)
                if asks_anew(p, 0.2):
                    break
            else:
                raise AssertionError("it waits for a rest that does not come")
            f.end()


def test_who_reports_to_somebody_new_is_heard_anew():
    with heard() as (w, p, f, connection):
        p.info(connection, ber(0xa1, ber(4, b"whole")))
        comes(p, connection, "chief", 1, reports=[("ada", 2)])
        until(lambda: len(events_of(w, "ada")) == 1)
        shown = json.loads(cli(w, "show", "--json", "ada").stdout)
        assert f"{1:012d}" in json.dumps(shown), shown
        for event in (2, 3):  # who changes may have been renamed, for all it knows; once
            p.tell(connection, "ada", 2, "chief", state=b"\2")
            looked, request = p.asked(connection)
            p.nobody(connection, looked)
            if event == 2:
                asked, request = p.asked(connection)
                assert b"uid=ada," in request and b"manager" in request, request
                p.end(connection, asked)
            until(lambda: len(events_of(w, "ada")) == event)  # pylint: disable=cell-var-from-loop
        assert not select.select([connection], [], [], 1)[0], p.asked(connection)


def test_a_directory_that_does_not_say_who_reports_is_followed_all_the_same():
    with heard() as (w, p, f, connection):
        p.info(connection, ber(0xa1, ber(4, b"whole")))
        comes(p, connection, "chief", 1, code=b"\x0b")  # administrative limit
        until(lambda: mark_of(w) is not None)
        comes(p, connection, "ada", 2)
        until(lambda: len(events_of(w, "ada")) == 1)
        assert "who reports to somebody" in f.text() and "tried again" not in f.text(), f.text()


def test_a_list_is_not_mixed_with_who_reports_to_somebody_new():
    with heard() as (w, p, f, connection):
        p.info(connection, ber(0xa1, ber(4, b"whole")))
        end = ber(0x30, ber(2, b"\2"), ber(0x65, ber(10, b"\x10\x00"), ber(4), ber(4, b"refresh required")))
        p.tell(connection, "chief", 1, behind=end)
        connection.close()
        connection, request = p.searched()
        assert b"whole" not in request, request
        p.tell(connection, "ada", 2, "chief")
        p.tell(connection, "chief", 1)
        assert not select.select([connection], [], [], 1.5)[0], p.asked(connection)
        p.info(connection, ber(0xa2, ber(4, b"anew")))
        until(lambda: "2 people listed" in f.text())
        assert not select.select([connection], [], [], 1.5)[0], p.asked(connection)


def test_an_entry_that_breaks_off_is_no_entry():
    """Its title is behind the break: taken for an entry, it would clear the title."""
    def attribute(name, value, more=0):
        one = ber(0x30, ber(4, name), ber(0x31, ber(4, value)))
        return one[:1] + bytes((one[1] + more,)) + one[2:]

    def tell(connection, more):
        body = b"".join((attribute(b"uid", b"ada"), attribute(b"sn", b"Byron"), attribute(b"mail", b"ada@example.org"),
                         attribute(b"entryUUID", b"00000000-0000-0000-0000-000000000000"),
                         attribute(b"title", b"Dr", more)))
        entry = long_ber(0x64, ber(4, f"uid=ada,{PEOPLE}".encode()), long_ber(0x30, body))
        state = ber(0x30, ber(10, b"\1"), ber(4, bytes(16)))
        control = ber(0x30, ber(4, b"1.3.6.1.4.1.4203.1.9.1.2"), ber(4, state))
        connection.sendall(long_ber(0x30, ber(2, b"\2"), entry, ber(0xa0, control)))

    with world() as w:
        p = Provider()
        with Follower(w, p) as f:
            connection, _ = p.searched()
            tell(connection, 0)
            p.info(connection, ber(0xa2, ber(4, b"whole")))
            until(lambda: "1 people listed" in f.text())
            tell(connection, 40)
            until(lambda: "cannot be read to its end" in f.text())
            connection.close()
            f.end()
        events = events_of(w, "ada")
        assert len(events) == 1, events


def test_what_another_process_delivers_is_accepted_only():
    with world() as w, Slapd(w, provider=True) as d:
        d.seed()
        d.add(person("ada"))
        with Follower(w, d, "--no-deliver") as f:
            until(lambda: "people listed" in f.text())
            assert not w.org.users()
            f.end()
        settle(w, d)
        compare(w, d)


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
