#!/usr/bin/env python3
"""`sfprov sync ldap://...` against a real slapd, which has no adapter loaded: what the directory holds is what
the org holds afterwards."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading

from followers import Provider, ber, long_ber
from servers import (GROUPS, LDAP_PASSWORD, PEOPLE, SUFFIX, certificates, cli, compare, harness, person, secret,
                     world)
from slapd import Slapd


def sync(w, d, *more, url=None, code=0, admin=True):
    who = ("--bind-dn", d.admin, "--password-file", secret(w.folder)) if admin else ()
    done = cli(w, "sync", *who, *more, url or f"{d.uri}/{PEOPLE}")
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


def test_the_org_follows_a_directory_without_an_adapter():
    with world() as w, Slapd(w) as d:
        d.seed()
        d.add(person("chief", "Grace", "Hopper"),
              person("ada", manager=f"uid=chief,{PEOPLE}", mail=["a@example.org", "b@example.org"], title="Analyst"),
              person("zoe", "Zoë", "Martin", l="München"))
        out = sync(w, d)
        assert "3 hired" in out, out
        assert compare(w, d) == 3
        assert w.org.user("ada@acme.example")["ManagerId"] == w.org.user("chief@acme.example")["Id"]
        ada = w.org.user("ada@acme.example")["Id"]
        d.rename(f"uid=ada,{PEOPLE}", "uid=ada.byron")
        d.modify(f"uid=zoe,{PEOPLE}", ("add", "pwdAccountLockedTime", "000001010000Z"))
        d.delete(f"uid=chief,{PEOPLE}")
        sync(w, d)
        compare(w, d, gone=["chief"])
        assert w.org.user("ada.byron@acme.example")["Id"] == ada
        before = w.org.usage()["api_calls"]
        assert "2 unchanged" in sync(w, d)
        assert w.org.usage()["api_calls"] == before, "the same directory again sends nothing"


def test_more_people_than_a_page_holds():
    with world(guard_percent=100) as w, Slapd(w) as d:
        d.seed()
        d.add(*(person(f"u{i}", family=f"Family{i}") for i in range(600)))
        report = json.loads(sync(w, d, "--dry-run", "--json"))
        assert report["counts"]["listed"] == 600, report["counts"]


def test_scope_and_filter_of_the_url_are_heeded():
    with world() as w, Slapd(w) as d:
        d.seed()
        d.add(person("ada", title="Analyst"), person("bob", title="Boss"),
              (f"ou=deep,{PEOPLE}", {"objectClass": "organizationalUnit", "ou": "deep"}),
              (f"uid=eve,ou=deep,{PEOPLE}", person("eve", title="Analyst")[1]))
        for tail, listed in (("??sub?(title=Analyst)", 2), ("??one?(title=Analyst)", 1), ("??one", 2), ("", 3),
                             ("???(title=Analyst)", 2), ("??", 3)):
            report = json.loads(sync(w, d, "--dry-run", "--json", url=f"{d.uri}/{PEOPLE}{tail}"))
            assert report["counts"]["listed"] == listed, (tail, report["counts"])


def test_a_long_name_of_other_letters_is_no_fault():
    far = f"ou={'ü' * 60},{PEOPLE}"
    with world() as w, Slapd(w) as d:
        d.seed()
        d.add((far, {"objectClass": "organizationalUnit", "ou": "ü" * 60}), (f"uid=ada,{far}", person("ada")[1]))
        assert "1 hired" in sync(w, d)
        assert compare(w, d) == 1


def test_a_part_of_the_list_is_no_list():
    with world() as w, Slapd(w, extra='limits users size.soft=5 size.hard=5 size.pr=3 size.prtotal=5') as d:
        d.seed()
        d.add(*(person(f"u{i}") for i in range(10)))
        d.set_password(f"uid=u1,{PEOPLE}", LDAP_PASSWORD)
        admin, d.admin = d.admin, f"uid=u1,{PEOPLE}"
        said = sync(w, d, code=2)
        assert "did not give the whole list" in said and "size limit" in said and "nothing was changed" in said, said
        d.admin = admin
        assert not w.org.users()
    with world() as w, Slapd(w) as d:
        d.seed()
        d.add(person("ada"), (f"ou=far,{PEOPLE}", {"objectClass": ["referral", "extensibleObject"], "ou": "far",
                                                  "ref": "ldap://elsewhere.example/ou=far"}))
        said = sync(w, d, code=2)
        assert "in another directory" in said and "nothing was changed" in said, said


def test_who_cannot_be_read_keeps_nobody_else():
    photo = ("--map", "jpegPhoto=nickName")
    with world() as w, Slapd(w) as d:
        d.seed()
        d.add(*(person(name) for name in ("ada", "bob", "cyd")), person("long", title="T" * 300_000))
        done = cli(w, "sync", "--bind-dn", d.admin, "--password-file", secret(w.folder), *photo, f"{d.uri}/{PEOPLE}")
        assert done.returncode == 1 and "1 unreadable" in done.stdout, (done.returncode, done.stdout)
        assert f"uid=long,{PEOPLE}" in done.stderr and "the rest of them counts" in done.stderr, done.stderr
        compare(w, d, skip=["long"])
        d.delete(f"uid=bob,{PEOPLE}", f"uid=long,{PEOPLE}")
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "jpegPhoto", b"\xff\xd8"), ("add", "employeeType", "?"))
        d.modify(f"uid=cyd,{PEOPLE}", ("replace", "title", "Dr"))
        for more, why in ((photo, "is not UTF-8 text"), (("--map", "employeeType=active"), "neither true nor false")):
            said = sync(w, d, "--dry-run", *more, code=1)
            assert f"entry 'uid=ada,{PEOPLE}', attribute" in said and why in said, said
        sync(w, d, *photo, code=1)
        compare(w, d, gone=["bob"])
        assert w.org.user("ada@acme.example")["IsActive"]
        d.modify(f"uid=ada,{PEOPLE}", ("add", "pwdAccountLockedTime", "000001010000Z"))
        sync(w, d, *photo, code=1)
        assert not w.org.user("ada@acme.example")["IsActive"]


def test_what_can_be_read_of_somebody_counts():
    """So a leaver by a group, or by whatever is mapped, is let go; and what cannot be read stays as it was known."""
    crm, how = f"cn=crm,{GROUPS}", ("--map", "jpegPhoto=nickName", "--groups", GROUPS)
    for attribute, value in (("jpegPhoto", b"\xff\xd8"), ("description", "T" * 300_000)):
        with world(scope_groups=[crm], scope_filter='not (title eq "Alumna")') as w, Slapd(w) as d:
            more = (*how, "--map", "description=profileUrl")
            d.seed()
            names = ("ada", "bob", "cyd", "dan")
            d.add(*(person(name, jpegPhoto="Nick") for name in names),
                  (crm, {"objectClass": "groupOfNames", "cn": "crm", "member": [f"uid={name},{PEOPLE}" for name in names]}))
            sync(w, d, *more)
            compare(w, d)
            for name in names:
                d.modify(f"uid={name},{PEOPLE}", ("replace", attribute, value))
            d.modify(crm, ("delete", "member", f"uid=ada,{PEOPLE}"))
            d.modify(f"uid=bob,{PEOPLE}", ("replace", "title", "Alumna"))
            d.modify(f"uid=cyd,{PEOPLE}", ("replace", "title", "Dr"))
            d.add(person("new", **{attribute: value}))
            d.modify(crm, ("add", "member", f"uid=new,{PEOPLE}"))
            for _ in range(2):
                sync(w, d, *more, code=1)
                compare(w, d, inactive=["ada", "bob"], skip=["new"])
                assert "new@acme.example" not in w.org.users()
                assert "Nick" in cli(w, "show", "--json", "cyd").stdout
            assert json.loads(cli(w, "status", "--json").stdout)["subjects"]["total"] == 4


def test_an_entry_without_a_key_may_be_anybody():
    with world() as w, Slapd(w) as d:
        d.seed()
        d.add(person("ada", employeeNumber="1"), person("bob", employeeNumber="2"))
        sync(w, d, "--key", "employeeNumber")
        d.modify(f"uid=ada,{PEOPLE}", ("delete", "employeeNumber"))
        said = sync(w, d, "--key", "employeeNumber", code=2)
        assert f"'uid=ada,{PEOPLE}' has no employeeNumber" in said and "nothing was changed" in said, said
        d.modify(f"uid=ada,{PEOPLE}", ("add", "employeeNumber", "2"))
        assert "stands twice in the list" in sync(w, d, "--key", "employeeNumber", code=2)
        assert all(user["IsActive"] for user in w.org.users().values())


def test_who_has_lost_their_name_is_let_go_all_the_same():
    with world() as w, Slapd(w) as d:
        d.seed()
        by_number = ("--map", "uid=", "--map", "employeeNumber=userName")
        d.add(person("ada", employeeNumber="ada"))
        sync(w, d, *by_number)
        d.modify(f"uid=ada,{PEOPLE}", ("delete", "employeeNumber"), ("add", "pwdAccountLockedTime", "000001010000Z"))
        done = cli(w, "sync", "--bind-dn", d.admin, "--password-file", secret(w.folder), *by_number,
                   f"{d.uri}/{PEOPLE}")
        assert f"'uid=ada,{PEOPLE}' has no userName" in done.stderr, done.stderr
        assert not any(user["IsActive"] for user in w.org.users().values()), done.stdout


def test_groups_say_who_is_in_scope_as_the_adapters_say_it():
    crm, posix = f"cn=crm,{GROUPS}", f"cn=posix,{GROUPS}"
    with world(scope_groups=[crm, posix]) as w, Slapd(w) as d:
        d.seed()
        d.add(person("ada"), person("cyd", "Cyd", "Kahn"), person("dan"),
              (crm, {"objectClass": "groupOfNames", "cn": "crm", "member": [f"UID=ada, {PEOPLE}"]}),
              (f"cn=other,{GROUPS}", {"objectClass": "groupOfUniqueNames", "cn": "other",
                                      "uniqueMember": f"uid=dan,{PEOPLE}"}),
              (posix, {"objectClass": "posixGroup", "cn": "posix", "gidNumber": "7", "memberUid": ["cyd", "nobody", "ada"]}))
        assert "skipped" not in sync(w, d)
        assert not w.org.users()
        assert "2 " in sync(w, d, "--groups", GROUPS)
        compare(w, d, skip=["dan"])
        assert {"ada@acme.example", "cyd@acme.example"} == set(w.org.users()), w.org.users()
        d.modify(posix, ("delete", "memberUid", "cyd"))
        sync(w, d, "--groups", crm, "--groups", posix)
        assert not w.org.user("cyd@acme.example")["IsActive"] and w.org.user("ada@acme.example")["IsActive"]
        assert "write DN" in sync(w, d, "--groups", "crm", code=2)
        assert "are for a directory" in cli(w, "sync", "--groups", GROUPS, "people.csv").stderr


def test_values_that_come_in_parts_are_read_to_the_last():
    """As Active Directory gives those of which there are more than MaxValRange."""
    groups = [f"cn=g{number},{GROUPS}" for number in range(5)]

    def entry(connection, number, told):
        attributes = (long_ber(0x30, ber(4, name.encode()), long_ber(0x31, *(ber(4, value.encode()) for value in values)))
                      for name, values in told.items())
        found = long_ber(0x64, ber(4, f"uid=ada,{PEOPLE}".encode()), long_ber(0x30, *attributes))
        connection.sendall(long_ber(0x30, ber(2, bytes((number,))), found))
        Provider.end(connection, number)

    def answer(p, rests):
        connection, _ = p.searched()
        entry(connection, 2, {"uid": ["ada"], "memberOf": [], "memberOf;range=0-1": groups[:2], "sn": ["Byron"],
                              "mail": ["a@example.org"], "entryUUID": ["00000000-0000-0000-0000-000000000001"]})
        for asked, told, values in rests:
            number, request = Provider.asked(connection)
            assert f"memberof;range={asked}-*".encode() in request and f"uid=ada,{PEOPLE}".encode() in request, request
            entry(connection, number, {told: values})
        while connection.recv(4096):  # until it is over
            pass

    whole = ((2, "memberOf;Range=2-3", groups[2:4]), (4, "memberOf;range=4-*", groups[4:]))
    for rests, code in ((whole, 0), (whole[:1] + ((4, "memberOf;range=2-3", groups[2:4]),), 2), (((2, "cn", ["ada"]),), 2)):
        with world(scope_groups=[groups[4]]) as w:
            p = Provider()
            server = threading.Thread(target=answer, args=(p, rests))
            server.start()
            done = cli(w, "sync", "--bind-dn", "cn=x", "--password-file", secret(w.folder), f"{p.uri}/{PEOPLE}")
            server.join(30)
            assert not server.is_alive() and done.returncode == code, (done.returncode, done.stdout, done.stderr)
            assert bool(w.org.users()) == (code == 0), done.stdout
            assert code == 0 or "does not give the values from" in done.stderr, done.stderr


def test_values_that_come_in_parts_without_end_are_refused():
    def answer(p, counts):
        connection, _ = p.searched()
        part = 0
        while True:
            told = [long_ber(0x30, ber(4, name.encode()), long_ber(0x31, ber(4, b"v"))) for name in
                    ("uid", "sn", "entryUUID")] if not part else []
            told += [long_ber(0x30, ber(4, f"memberOf;range={part}-{part}".encode()), long_ber(0x31, ber(4, b"cn=g")))]
            found = long_ber(0x64, ber(4, f"uid=ada,{PEOPLE}".encode()), long_ber(0x30, *told))
            number = ber(2, (part + 2).to_bytes(4, "big"))
            connection.sendall(long_ber(0x30, number, found) + long_ber(0x30, number, ber(0x65, ber(10, b"\0"), ber(4), ber(4))))
            part += 1
            counts[0] = part
            if not connection.recv(4096) or part > 20000:
                connection.close()
                return

    with world() as w:
        p, counts = Provider(), [0]
        server = threading.Thread(target=answer, args=(p, counts))
        server.start()
        done = cli(w, "sync", "--bind-dn", "cn=x", "--password-file", secret(w.folder), f"{p.uri}/{PEOPLE}")
        server.join(30)
        assert done.returncode == 2 and "without end" in done.stderr and counts[0] < 20000, (counts, done.stderr)


def test_pages_without_end_are_no_list():
    """Each is empty, or has the same people as the one before, and says that there is a further one."""
    def answer(p, told, counts):
        connection, request = p.searched()
        number = 2
        with contextlib.suppress(OSError):
            while PEOPLE.encode() in request and counts[0] < 20000:
                for name in told:
                    p.tell(connection, name, 1, answer=number)
                p.page_ends(connection, number)
                counts[0] += 1
                number, request = p.asked(connection)
        connection.close()

    for told, why in (((), "empty pages without end"), (("ada",), "stands twice")):
        with world() as w:
            p, counts = Provider(), [0]
            server = threading.Thread(target=answer, args=(p, told, counts))
            server.start()
            done = cli(w, "sync", "--bind-dn", "cn=x", "--password-file", secret(w.folder), f"{p.uri}/{PEOPLE}")
            server.join(30)
            assert counts[0] < 20000, counts
            assert done.returncode == 2 and why in done.stderr and "nothing was changed" in done.stderr, done.stderr


def test_what_is_wrong_is_told_and_changes_nothing():
    with world() as w, Slapd(w) as d:
        d.seed()
        d.add(person("ada"))
        for arguments, password, code, said in (
                (("--bind-dn", d.admin), "", 2, "belong together"), (("--format", "csv"), "", 2, "is a directory"),
                (("--bind-dn", d.admin, "--password-file", secret(w.folder)), "wrong", 5, "does not let us in"),
                (("--bind-dn", d.admin, "--password-file", secret(w.folder)), "", 2, "is empty")):
            secret(w.folder, password)
            done = cli(w, "sync", *arguments, f"{d.uri}/{PEOPLE}")
            assert done.returncode == code and said in done.stderr, (arguments, done.returncode, done.stderr)
        done = cli(w, "sync", "--bind-dn", d.admin, "--password-file", secret(w.folder, mode=0o644), f"{d.uri}/{PEOPLE}")
        assert done.returncode == 2 and "chmod 600" in done.stderr, done.stderr
        for url, code, said in ((d.uri, 2, "names no entry"), (f"{d.uri}/no dn", 2, "Invalid DN"),
                                (f"{d.uri}/{SUFFIX}??sub?(((", 2, "write the filter"), (f"ldap://127.0.0.1:1/{PEOPLE}", 5, "check host, port"),
                                # not this machine by its name, so in clear it is not asked
                                (f"ldap://0.0.0.0:{d.port}/{PEOPLE}", 5, "StartTLS"),
                                (f"ldap://127.sfprov.invalid:{d.port}/{PEOPLE}", 5, "StartTLS"),
                                (f"{d.uri}/ou=none,{SUFFIX}", 2, "No such object")):
            done = cli(w, "sync", url)
            assert done.returncode == code and said in done.stderr, (url, done.returncode, done.stderr)
        assert cli(w, "sync", "--bind-dn", d.admin, "people.csv").returncode == 2
        done = cli(w, "sync", "--key", "objectGUID", f"{d.uri}/{PEOPLE}??sub?title=Dr")  # a filter that needs no brackets
        assert "the list is empty" in done.stderr, done.stderr
        assert not w.org.users()


def test_a_server_that_never_answers_is_told():
    with world() as w, socket.create_server(("127.0.0.1", 0)) as silent:
        done = cli(w, "sync", f"ldap://127.0.0.1:{silent.getsockname()[1]}/{PEOPLE}")
        assert done.returncode == 5 and "does not let us in" in done.stderr and "Timed out" in done.stderr, done.stderr
        assert not w.org.users()


def write_before(d, lines):
    with open(f"{d.folder}/slapd.conf") as file:
        text = file.read()
    with open(f"{d.folder}/slapd.conf", "w") as file:
        file.write(lines + "\n" + text)


def with_certificate(w, name):
    """A server that shows a certificate of a CA that nobody knows but for the file ca.pem."""
    certificates(w.folder, name)
    tls = "\n".join(f"{key} {w.folder}/{file}" for key, file in
                    (("TLSCACertificateFile", "ca.pem"), ("TLSCertificateFile", "server.pem"),
                     ("TLSCertificateKeyFile", "server.key")))
    d = Slapd(w)
    write_before(d, tls)
    return d


@contextlib.contextmanager
def no_authority_is_known():
    os.environ.pop("LDAPTLS_CACERT", None)
    os.environ["LDAPTLS_REQCERT"] = "never"  # is not heeded
    try:
        yield
    finally:
        os.environ.pop("LDAPTLS_CACERT", None)
        del os.environ["LDAPTLS_REQCERT"]


def test_another_machine_is_asked_by_starttls():
    with world() as w, no_authority_is_known():
        d = with_certificate(w, "0.0.0.0")  # leads to this machine, and is not taken for it
        command = d.command
        d.command = lambda: [*command()[:-1], f"ldap://0.0.0.0:{d.port}"]
        with d:
            d.seed()
            d.add(person("ada"))
            d.stop()
            write_before(d, "security ssf=128")  # in clear nobody is told anything any more
            d.start()
            url = f"ldap://0.0.0.0:{d.port}/{PEOPLE}"
            done = cli(w, "sync", url)
            assert done.returncode == 5 and "StartTLS" in done.stderr and "TLS_CACERT" in done.stderr, done.stderr
            assert not w.org.users()
            os.environ["LDAPTLS_CACERT"] = os.path.join(w.folder, "ca.pem")
            done = cli(w, "sync", url)
            assert done.returncode == 0, (done.returncode, done.stderr)
            assert "ada@acme.example" in w.org.users()


def test_ldaps_needs_a_certificate_that_somebody_vouches_for():
    with world() as w, no_authority_is_known():
        d = with_certificate(w, "127.0.0.1")
        with d:
            d.seed()
            d.add(person("ada"))
            d.stop()
            d.command = lambda: [shutil.which("slapd", path="/usr/sbin"), "-d", "0", "-f", f"{d.folder}/slapd.conf",
                                 "-h", f"ldaps://127.0.0.1:{d.port}"]
            d.start()
            url = f"ldaps://127.0.0.1:{d.port}/{PEOPLE}"
            done = cli(w, "sync", url)
            assert done.returncode == 5 and "TLS_CACERT" in done.stderr, (done.returncode, done.stderr)
            os.environ["LDAPTLS_CACERT"] = os.path.join(w.folder, "ca.pem")
            done = cli(w, "sync", f"ldaps://localhost:{d.port}/{PEOPLE}")
            assert done.returncode == 5, "another name than the certificate's"
            done = cli(w, "sync", url)
            assert done.returncode == 0, (done.returncode, done.stderr)
            assert "ada@acme.example" in w.org.users()


def test_by_a_socket_the_system_says_who_asks():
    with world() as w:
        d = Slapd(w, extra=f'authz-regexp "gidNumber={os.getegid()}\\\\+uidNumber={os.geteuid()},cn=peercred,cn=external,cn=auth" '
                           f'"cn=admin,{SUFFIX}"')
        with open(f"{d.folder}/slapd.conf") as file:
            text = file.read()
        with open(f"{d.folder}/slapd.conf", "w") as file:  # it is a global line
            line = next(line for line in text.split("\n") if line.startswith("authz-regexp"))
            file.write(line + "\n" + text.replace(line, "access to * by dn.exact=\"cn=admin," + SUFFIX + "\" write by * none"))
        socket = f"{d.folder}/ldapi"
        quoted = socket.replace("/", "%2f")
        command = d.command
        d.command = lambda: [*command()[:-1], command()[-1] + f" ldapi://{quoted}"]
        with d:
            d.seed()
            d.add(person("ada"))
            done = cli(w, "sync", f"{d.uri}/{PEOPLE}")
            assert done.returncode == 2, "nobody may read it"
            done = cli(w, "sync", f"ldapi://{quoted}/{PEOPLE}")
            assert done.returncode == 0, (done.returncode, done.stderr)
            assert "ada@acme.example" in w.org.users()


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
