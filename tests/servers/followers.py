"""`sfprov follow ldap://...` as a process, and what it follows besides a real slapd."""
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time

from common import same_on_both
from servers import GROUPS, LDAP_PASSWORD, PEOPLE, compare, free_port, harness, person, world
from slapd import Slapd

LOG = "syncprov-sessionlog 1000"  # behind the overlay syncprov


class Follower:
    def __init__(self, w, d, *arguments, base=PEOPLE, tail=""):
        self.log = os.path.join(w.folder, f"follow-{time.monotonic_ns()}.log")
        secret = os.path.join(w.folder, "ldap-password")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(LDAP_PASSWORD)
        fields = os.path.join(w.folder, "fields-follow.json")
        with open(os.open(fields, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(w.fields, file)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [harness.CLI, "--plugin", harness.PLUGIN, "-c", fields, "follow", "--bind-dn", d.admin, "--password-file",
                 secret, *arguments, f"{d.uri}/{base}{tail}"], stdout=log, stderr=log)

    def text(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def end(self, number=signal.SIGTERM, code=0):
        self.process.send_signal(number)
        ended = self.process.wait(30)
        assert ended == code, (ended, self.text())

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.text())
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def until(what, seconds=30):
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            last = what()
            if last is not False:
                return last
        except (AssertionError, KeyError, ValueError) as failure:  # nobody of that name yet
            last = failure
        time.sleep(0.05)
    raise AssertionError(f"it did not come about: {last}")


def in_step(w, d, **more):
    until(lambda: compare(w, d, **more))


class Way:
    """What a follower, or a replica, reaches a server by: a port that leads to whatever server is behind it now."""

    def __init__(self, to=None):
        self.to, self.open, self.port = to, [], free_port()
        self.uri = f"ldap://127.0.0.1:{self.port}"
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            near, _ = self.listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self.to))
            except (OSError, AttributeError, TypeError):  # it leads nowhere
                near.close()
                continue
            self.open += [near, far]
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=ends, daemon=True).start()

    @staticmethod
    def carry(from_, to):
        try:
            while data := from_.recv(65536):
                to.sendall(data)
        except OSError:
            pass
        for end in (from_, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def lead(self, to):
        """To another port; None: nowhere. Who is on the way has to come again."""
        self.to = to
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.open = []


@contextlib.contextmanager
def replica_that_lags(w, extra, identity):
    """A provider, and one of its replicas, which does not get what is changed until `catch_up` leads to the provider
    again; and the way of a follower, which leads to the provider first."""
    way, catch_up = Way(), Way()
    with Slapd(w, provider=True, extra=extra) as d, Slapd(w, peer=catch_up.uri, provider=True, identity=identity, extra=extra) as r:
        way.to = catch_up.to = d.port
        d.seed()
        d.add(person("ada", title="Analyst"), person("bob", "Bob", "Miller"))
        same_on_both(d, r)
        way.admin = d.admin
        yield d, r, way, catch_up


def ber(tag, *parts):
    body = b"".join(parts)
    assert len(body) < 128
    return bytes((tag, len(body))) + body


def long_ber(tag, *parts):
    body = b"".join(parts)
    return bytes((tag, 0x82)) + len(body).to_bytes(2, "big") + body


def whole_number(number):
    return ber(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def uuid(number):
    return f"00000000-0000-0000-0000-{number:012x}"


class Provider:
    """Answers a bind and a search as content synchronization does; what is sent then is the test's."""

    admin = "cn=x"

    def __init__(self):
        self.open = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(30)
        self.uri = f"ldap://127.0.0.1:{self.listener.getsockname()[1]}"

    def searched(self):
        """The next connection, and the request of its search."""
        connection, _ = self.listener.accept()
        self.open.append(connection)
        connection.settimeout(30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.recv(4096)
        connection.sendall(ber(0x30, ber(2, b"\1"), ber(0x61, ber(10, b"\0"), ber(4), ber(4))))
        return connection, connection.recv(65536)

    @staticmethod
    def is_asked(connection, seconds):
        return bool(select.select([connection], [], [], seconds)[0])

    @staticmethod
    def asked(connection):
        """A look-up by DN amid that: its number, and all of it."""
        request = connection.recv(65536)
        at = 2 + (request[1] & 0x7f if request[1] & 0x80 else 0)
        assert request[at] == 2, request
        return int.from_bytes(request[at + 2:at + 2 + request[at + 1]], "big"), request

    @staticmethod
    def tell(connection, name, number, manager=None, answer=None, behind=b"", state=b"\1", change=None, cookie=None):
        """A person, as news; or as the answer of a look-up. behind: what follows in one piece."""
        told = {"uid": name, "sn": "Byron", "mail": f"{name}@example.org",
                "entryUUID": uuid(number)}
        if manager:
            told["manager"] = f"uid={manager},{PEOPLE}"
        if change:
            told["entryCSN"] = change
        attributes = b"".join(ber(0x30, ber(4, key.encode()), ber(0x31, ber(4, value.encode())))
                              for key, value in told.items())
        entry = long_ber(0x64, ber(4, f"uid={name},{PEOPLE}".encode()), long_ber(0x30, attributes))
        if answer:
            connection.sendall(long_ber(0x30, whole_number(answer), entry))
            return
        state = ber(0x30, ber(10, state), ber(4, bytes(15) + bytes((number,))), *([ber(4, cookie.encode())] if cookie else []))
        control = ber(0x30, ber(4, b"1.3.6.1.4.1.4203.1.9.1.2"), ber(4, state))
        connection.sendall(long_ber(0x30, ber(2, b"\2"), entry, ber(0xa0, control)) + behind)

    @staticmethod
    def end(connection, number, code=b"\0", controls=b""):
        connection.sendall(ber(0x30, whole_number(number), ber(0x65, ber(10, code), ber(4), ber(4)), controls))

    def page_ends(self, connection, number):
        """And there is a further one."""
        page = ber(0x30, ber(2, b"\0"), ber(4, b"more"))
        self.end(connection, number, controls=ber(0xa0, ber(0x30, ber(4, b"1.2.840.113556.1.4.319"), ber(4, page))))

    def nobody(self, connection, number):
        self.end(connection, number, b"\x20")

    @staticmethod
    def info(connection, value):
        oid = b"1.3.6.1.4.1.4203.1.9.1.4"
        connection.sendall(ber(0x30, ber(2, b"\2"), ber(0x79, ber(0x80, oid), ber(0x81, value))))


def group_changes(p, connection):
    group = long_ber(0x64, ber(4, f"cn=crm,{GROUPS}".encode()), long_ber(0x30))
    control = ber(0x30, ber(4, b"1.3.6.1.4.1.4203.1.9.1.2"), ber(4, ber(0x30, ber(10, b"\2"), ber(4, b"g" * 16))))
    connection.sendall(long_ber(0x30, ber(2, b"\2"), group, ber(0xa0, control)))


def asks_anew(p, seconds):
    return bool(select.select([p.listener], [], [], seconds)[0])


def csn(second, server):
    """A change as OpenLDAP numbers it, in short."""
    return f"2026112800000{second}Z#0#{server:03d}#0"


def heard_before(w, p, cookie="before", newest=(), list_waits=False, how="", listed=0):
    """So that what it hears first is no list. newest: numbers of people, and their newest changes. list_waits: one was
    not applied. how: the options that say what is read. listed: seconds since a list was applied."""
    with open(w.fields["store"] + ".follow", "w", encoding="utf-8") as file:
        json.dump({"url": f"{p.uri}/{PEOPLE}{how}", "cookie": cookie.encode().hex(), "list_waits": list_waits, "listed": int(time.time()) - listed,
                   "newest": [{"uuid": uuid(number), "csn": change, "gone": False} for number, change in newest]}, file)


@contextlib.contextmanager
def heard(*arguments, **before):
    """A world, a provider that was heard before, the follower that goes on with it, and the connection of its search.
    before: as of heard_before()."""
    with world() as w:
        p = Provider()
        heard_before(w, p, **before)
        with Follower(w, p, "--no-deliver", *arguments) as f:
            connection, _ = p.searched()
            yield w, p, f, connection
            for connection in p.open:
                connection.close()
            f.end()


def kept_cookie(w):
    with open(w.fields["store"] + ".follow", encoding="utf-8") as file:
        return bytes.fromhex(json.load(file)["cookie"]).decode()


def comes(p, connection, name, number, code=b"\0", reports=(), change=None):
    """Somebody new, and who reports to them is asked. change: the reports' newest."""
    p.tell(connection, name, number)
    asked, request = p.asked(connection)
    assert f"uid={name},".encode() in request and b"manager" in request, request
    for report, more in reports:
        p.tell(connection, report, more, name, answer=asked, change=change)
        p.end(connection, asked)
        looked, request = p.asked(connection)
        assert f"uid={name},".encode() in request and b"manager" not in request, request
        p.tell(connection, name, number, answer=looked)
        p.end(connection, looked)
    if not reports:
        p.end(connection, asked, code)


def goes_on(extra, anew):
    """A follower that is killed, and much that happens meanwhile."""
    with world() as w, Slapd(w, provider=True, extra=extra) as d:
        d.seed()
        d.add(*(person(f"u{i}") for i in range(12)))
        with Follower(w, d) as f:
            in_step(w, d)
            d.add(person("ada"))
            in_step(w, d)
            f.end(signal.SIGKILL, -signal.SIGKILL)
        d.add(person("bob"))
        d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"))
        d.delete(f"uid=u1,{PEOPLE}", f"uid=u2,{PEOPLE}")
        with Follower(w, d) as f:
            in_step(w, d, gone=["u1", "u2"])
            assert ("heard anew" in f.text()) == anew, f.text()
            d.delete(f"uid=ada,{PEOPLE}")
            in_step(w, d, gone=["u1", "u2", "ada"])
            f.end()
        calls = w.org.usage()["api_calls"]
        with Follower(w, d) as f:  # nothing happened: nothing is heard, nothing sent
            until(lambda: "is followed" in f.text())
            d.add(person("eve"))
            in_step(w, d, gone=["u1", "u2", "ada"])
            assert "people listed" not in f.text(), f.text()
            f.end()
        assert w.org.usage()["api_calls"] - calls < 5
