"""What the end-to-end tests share: the plugin through its ABI, the simulated org, and a runner.

A test is a function named test_...; main() runs all of a file (or those named on the command
line) and prints `FILE: N passed, N failed` last; one that cannot run here raises NotRun. Paths come from the environment, as make check
sets them: SFPROV_PLUGIN, SFPROV_ORG, SFPROV_CLI; defaults fit a build in the source tree.
"""
import contextlib
import ctypes as c
import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import uuid

import canary

TOP = os.path.abspath(os.environ.get("top_builddir", os.path.join(os.path.dirname(__file__), "../..")))
PLUGIN = os.environ.get("SFPROV_PLUGIN", os.path.join(TOP, ".libs/sfprov.so"))
ORG = os.environ.get("SFPROV_ORG", os.path.join(TOP, "tests/org/sfprov-org"))
CLI = os.environ.get("SFPROV_CLI", os.path.join(TOP, "sfprov"))

ACCEPTED, REFUSED, UNKNOWN = 1, 2, 3
IDLE, BUSY, WAITING, HELD, ELSEWHERE = 1, 2, 3, 4, 5
NO_WORKER, NEVER_DELIVER, SQLITE_UNCOUNTED = 1, 2, 4
FORCE, DRY_RUN, TOLERANT = 1, 2, 4
WARNING, INFO = 1, 2
E_INVALID, E_FIELDS, E_STORE, E_REMOTE, E_NOTFOUND, E_STATE = -1, -2, -3, -4, -5, -6
E_ABI, E_UNSUPPORTED, E_LIMIT = -8, -9, -10

URN = "urn:ietf:params:scim:event:"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


# ---- waiting ----

# How long a test waits for what must come: a machine with much else to do is no failure. Whether something comes
# soon enough is asserted of a state, not of a time.
PATIENCE_S = 90


def until(happened, what="it", meanwhile=None):
    """Waits until it happened, and returns what was seen; `meanwhile` is called again and again. `what`: in words, or
    what tells them."""
    end = time.monotonic() + PATIENCE_S
    while not (seen := happened()):
        assert time.monotonic() < end, ("did not come", what() if callable(what) else what)
        if meanwhile:
            meanwhile()
        time.sleep(0.02)
    return seen


def free_port():
    """For a server that is told its port, and is perhaps started again: below those that the system gives to whoever
    connects somewhere."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        given = int(file.read().split()[0])
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(min(10000, given - 1), given)))
            return probe.getsockname()[1]


# ---- secrets ----

LEAKS = []  # where one was seen; a test that leaves one has failed


def watch(what, text):
    """Looks through what a program or the plugin gave out."""
    hit = canary.found(text)
    if hit:
        LEAKS.append(f"{what}: {hit}")
    return text


class Watched(subprocess.Popen):
    """Every program that a test reads the output of."""

    def communicate(self, *arguments, **more):
        out, err = super().communicate(*arguments, **more)
        for stream in (out, err):
            if stream:
                watch(f"output of {self.args}"[:200] if canary.found(str(self.args)) is None else "output", stream)
        return out, err


subprocess.Popen = Watched


# ---- where nobody hears of it ----

# What went wrong in a callback that the plugin calls, or in a thread: Python prints it, and nobody fails. A case in
# which one came has failed.
UNHEARD = []


def unheard(what):
    UNHEARD.append(f"{what.exc_type.__name__}: {what.exc_value}")
    traceback.print_exception(what.exc_type, what.exc_value, what.exc_traceback)


sys.unraisablehook = threading.excepthook = unheard


# ---- the ABI ----

class Error(c.Structure):
    _fields_ = [("size", c.c_size_t), ("code", c.c_int32), ("reserved", c.c_uint32), ("text", c.c_char * 1008)]


LOG = c.CFUNCTYPE(None, c.c_void_p, c.c_int32, c.c_char_p)
OUTCOME = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.POINTER(c.c_char), c.c_size_t)


class Question(c.Structure):
    pass


GIVE = c.CFUNCTYPE(None, c.POINTER(Question), c.c_char_p, c.c_size_t)
Question._fields_ = [("size", c.c_size_t), ("issuer", c.c_char_p), ("uri", c.c_char_p), ("kinds", c.c_char_p),
                     ("give", GIVE)]
RESOLVE = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.POINTER(Question))


class Host(c.Structure):
    _fields_ = [("size", c.c_size_t), ("context", c.c_void_p), ("log", LOG), ("outcome", OUTCOME), ("resolve", RESOLVE)]


class Open(c.Structure):
    _fields_ = [("size", c.c_size_t), ("fields", c.c_char_p), ("fields_length", c.c_size_t), ("flags", c.c_uint32),
                ("reserved", c.c_uint32), ("host", c.POINTER(Host))]


class Event(c.Structure):
    _fields_ = [("size", c.c_size_t), ("json", c.c_char_p), ("length", c.c_size_t)]


class Answer(c.Structure):
    _fields_ = [("size", c.c_size_t), ("status", c.c_uint32), ("duplicate", c.c_uint32), ("version", c.c_int64),
                ("error", Error)]


class Delivery(c.Structure):
    _fields_ = [("size", c.c_size_t), ("state", c.c_uint32), ("reserved", c.c_uint32)] + \
               [(name, c.c_uint64) for name in ("delivered", "refused", "retried", "pending", "api_calls")] + \
               [("next_due_us", c.c_int64)]


METHODS = "describe open close check preview submit snapshot_begin snapshot_add snapshot_end deliver query act release " \
          "snapshot_apply snapshot_changes"


class Table(c.Structure):
    _fields_ = [("size", c.c_size_t), ("name", c.c_char_p), ("version", c.c_char_p)] + \
               [(name, c.CFUNCTYPE(c.c_int32)) for name in METHODS.split()]


class Failure(Exception):
    def __init__(self, code, text, faults=None):
        super().__init__(f"{code}: {watch('an error', text)}")
        self.code, self.text, self.faults = code, text, faults


def load():
    library, table, error = c.CDLL(PLUGIN), Table(c.sizeof(Table)), Error(c.sizeof(Error))
    code = library.prov_connector_init(1, 1, c.byref(table), c.byref(error))
    if code:
        raise Failure(code, error.text.decode())
    return table


class Connector:
    """One opened connector; log lines and outcomes are kept in lists."""

    def __init__(self, fields, flags=NO_WORKER, outcome=None, resolve=None):
        """resolve(uri) returns a resource, bytes, a list of several, None (not found), or a code."""
        self.table, self.handle, self.lines, self.outcomes = load(), c.c_void_p(), [], []
        text = json.dumps(fields).encode() if not isinstance(fields, bytes) else fields
        faults, self.error = c.c_char_p(), Error(c.sizeof(Error))

        def log(_context, level, line):
            self.lines.append((level, watch("the log", line.decode())))

        def told(_context, data, length):
            self.hears = json.loads(watch("an outcome", c.string_at(data, length)))
            if outcome and not outcome():
                return 1
            self.outcomes.append(self.hears)
            return 0

        def asked(_context, question):
            answer = resolve(question[0].uri.decode())
            if isinstance(answer, int):
                return answer
            for one in answer if isinstance(answer, list) else [answer]:
                if one is not None:
                    data = one if isinstance(one, bytes) else json.dumps(one).encode()
                    question[0].give(question, data, len(data))
            return E_NOTFOUND if answer is None else 0

        self.keep = (LOG(log), OUTCOME(told), RESOLVE(asked))
        self.host = Host(c.sizeof(Host), None, self.keep[0], self.keep[1] if outcome else OUTCOME(),
                         self.keep[2] if resolve else RESOLVE())
        options = Open(c.sizeof(Open), text, len(text), flags, 0, c.pointer(self.host))
        code = self.table.open(c.byref(options), c.byref(self.handle), c.byref(faults), c.byref(self.error))
        if code:
            found = json.loads(watch("faults of fields", faults.value))["faults"] if faults.value else None
            raise Failure(code, self.error.text.decode(), found)

    def call(self, method, *arguments):
        code = getattr(self.table, method)(*arguments, c.byref(self.error))
        if code:
            raise Failure(code, self.error.text.decode())

    def text(self, method, *arguments):
        result = c.c_char_p()
        self.call(method, self.handle, *arguments, c.byref(result))
        if b"verifier" not in result.value:  # what `login` hands out to be handed back
            watch(method, result.value)
        value = json.loads(result.value)
        self.table.release(result)
        return value

    def submit(self, *events):
        array, answers = (Event * len(events))(), (Answer * len(events))()
        for index, event in enumerate(events):
            data = event if isinstance(event, bytes) else json.dumps(event).encode()
            array[index] = Event(c.sizeof(Event), data, len(data))
            answers[index].size = c.sizeof(Answer)
        self.call("submit", self.handle, array, c.c_size_t(len(events)), answers)
        for answer in answers:
            watch("an answer", answer.error.text)
        return list(answers)

    def accept(self, *events):
        for answer in self.submit(*events):
            assert answer.status == ACCEPTED, (answer.status, answer.error.text)

    def deliver(self, max_ms=20000):
        report = Delivery(c.sizeof(Delivery))
        self.call("deliver", self.handle, c.c_uint32(max_ms), c.byref(report))
        return report

    def settle(self):
        """Delivers until nothing is due any more; back-offs are waited for."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            report = self.deliver(500)
            if report.state == IDLE:
                return report
            time.sleep(0.02)
        raise AssertionError(f"not settled after {PATIENCE_S} s: state {report.state}, {report.pending} pending; "
                             f"log: {self.lines[-5:]}")

    def until(self, happened, what):
        """Delivers until it happened."""
        until(happened, lambda: (what, self.lines[-4:]), lambda: self.deliver(100))

    def query(self, **request):
        data = json.dumps(request).encode()
        return self.text("query", data, c.c_size_t(len(data)))

    def act(self, **request):
        data = json.dumps(request).encode()
        return self.text("act", data, c.c_size_t(len(data)))

    def user(self, name):
        return self.query(query="subject", user=name)

    def preview(self, event):
        data = json.dumps(event).encode()
        return self.text("preview", c.byref(Event(c.sizeof(Event), data, len(data))))

    def check(self):
        return self.text("check")

    def sync(self, people, flags=0, issuer=None, midway=None):
        """people: {uri: resource}."""
        snapshot, result = c.c_void_p(), c.c_char_p()
        self.call("snapshot_begin", self.handle, issuer.encode() if issuer else None, c.c_uint32(flags),
                  c.byref(snapshot))
        for uri, resource in people.items():
            data = json.dumps({"uri": uri, "data": resource}).encode()
            try:
                self.call("snapshot_add", snapshot, data, c.c_size_t(len(data)))
            except Failure:
                pass
        if midway:
            midway()
        self.call("snapshot_end", snapshot, 1, c.byref(result))
        value = json.loads(result.value)
        self.table.release(result)
        return value

    def close(self, timeout_ms=5000):
        if self.handle:
            self.table.close(self.handle, c.c_uint32(timeout_ms))
            self.handle = None


class Listing:
    """A full list in the making; `with Listing(connector) as listing:` drops it at the end."""

    def __init__(self, connector, flags=0, issuer=None):
        self.connector, self.snapshot = connector, c.c_void_p()
        connector.call("snapshot_begin", connector.handle, issuer.encode() if issuer else None, c.c_uint32(flags),
                       c.byref(self.snapshot))

    def add(self, uri, resource, **more):
        data = json.dumps(dict({"uri": uri, "data": resource}, **more)).encode()
        self.connector.call("snapshot_add", self.snapshot, data, c.c_size_t(len(data)))

    def text(self, method, *arguments):
        result = c.c_char_p()
        self.connector.call(method, self.snapshot, *arguments, c.byref(result))
        value = json.loads(result.value)
        self.connector.table.release(result)
        return value

    def apply(self, max_ms=0):
        return self.text("snapshot_apply", c.c_uint32(max_ms))

    def changes(self, after=0, limit=1000):
        return self.text("snapshot_changes", c.c_int64(after), c.c_uint32(limit))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connector.call("snapshot_end", self.snapshot, 0, None)


# ---- events ----

def person(user_name, given="Jane", family="Doe", **more):
    resource = {"userName": user_name, "active": True, "name": {"givenName": given, "familyName": family},
                "emails": [{"value": f"{family.lower()}@example.com", "type": "work", "primary": True}]}
    resource.update(more)
    return {key: value for key, value in resource.items() if value is not None}


def token(uri, *events, jti=None, iss="https://idp.example", **more):
    """token("/Users/7", ("prov:put:full", {"data": {...}}), ("prov:activate", {}))"""
    return dict({"jti": jti or uuid.uuid4().hex, "iss": iss, "sub_id": {"format": "scim", "uri": uri},
                 "events": {URN + name: payload for name, payload in events}}, **more)


def create(uri, resource, **more):
    return token(uri, ("prov:create:full", {"data": resource}), **more)


def put(uri, resource, **more):
    return token(uri, ("prov:put:full", {"data": resource}), **more)


def patch(uri, *operations, **more):
    return token(uri, ("prov:patch:full", {"data": {"Operations": list(operations)}}), **more)


def simple(uri, kind, **more):
    return token(uri, (kind, {}), **more)


# ---- the simulated org ----

class Org:
    """The simulated org as a process of its own; ends with the test. certificate: over HTTPS, with one
    of that kind."""

    def __init__(self, *arguments, certificate=None):
        self.folder = tempfile.mkdtemp(prefix="sfprov-org-")
        if certificate:
            arguments += ("--ca-file", os.path.join(self.folder, "ca.pem"), "--certificate", certificate)
        ready = os.path.join(self.folder, "ready.json")
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen([ORG, "--die-with-parent", "--ready-file", ready, *arguments],
                                        stdout=self.log, stderr=self.log)
        until(lambda: os.path.exists(ready) or self.process.poll() is not None, "sfprov-org")
        if not os.path.exists(ready):
            raise AssertionError(f"sfprov-org ended: {open(self.log.name).read()}")
        with open(ready) as file:
            self.facts = json.load(file)
        self.url = self.facts["orgs"]["acme"]

    def ask(self, method, path, body=None, org="acme"):
        scheme, host = self.facts["orgs"][org].split("://")
        if scheme == "https":  # whatever its certificate is like: it is our own
            connection = http.client.HTTPSConnection(host, timeout=PATIENCE_S, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection(host, timeout=PATIENCE_S)
        data = json.dumps(body) if body is not None else None
        connection.request(method, path, data, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status < 300, (method, path, answer.status, text)
        return json.loads(text) if text else None

    def state(self, org="acme"):
        return self.ask("GET", "/__org/state", org=org)

    def users(self, org="acme"):
        """Users made through the API or by other admins, by username; those of the org itself left out."""
        return {user["Username"]: user for user in self.state(org)["users"] if not user["Username"].endswith(".simulated.example")}

    def user(self, username):
        return self.users()[username]

    def calls(self, org="acme"):
        return self.ask("GET", "/__org/calls", org=org)

    def usage(self):
        return self.state()["usage"]

    def fault(self, *faults, org="acme"):
        self.ask("POST", "/__org/faults", list(faults), org=org)

    def met(self, do):
        """Waits until faults that do so have met as many calls as they are to."""
        until(lambda: not any(fault["times"] for fault in self.ask("GET", "/__org/faults") if fault["do"] == do), do)

    def settings(self, **settings):
        self.ask("POST", "/__org/settings", settings)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.log.close()
        text = open(self.log.name, errors="replace").read()
        shutil.rmtree(self.folder)
        assert code == 0, f"sfprov-org ended with {code}: {text[-2000:]}"


class World:
    """An org, a directory for the store, and connectors on it; `with World() as w:`"""

    def __init__(self, *arguments, certificate=None, **fields):
        self.org, self.folder, self.open = Org(*arguments, certificate=certificate), tempfile.mkdtemp(prefix="sfprov-e2e-"), []
        os.chmod(self.folder, 0o700)
        self.fields = dict({"domain_name": self.org.url, "client_id": self.org.facts["client_id"],
                            "client_secret": self.org.facts["client_secret"], "profile": "Standard User",
                            "provisioning_pattern": "{UD,UN}", "provisioning_separator": "-",
                            "provisioning_domain": "acme.example", "issuer": "https://idp.example",
                            "store": os.path.join(self.folder, "store.db"), "retry_first_s": 1,
                            "retry_max_s": 2, "settle_window_s": 600, "request_timeout_s": 10}, **fields)
        if certificate:
            self.fields.setdefault("ca_file", self.org.facts["ca_file"])

    def connector(self, flags=NO_WORKER, outcome=None, resolve=None, **fields):
        connector = Connector(dict(self.fields, **fields), flags, outcome, resolve)
        self.open.append(connector)
        return connector

    def __enter__(self):
        return self

    def __exit__(self, *_):
        LEAKS.extend(canary.in_folder(self.folder)[0])  # while the write-ahead log is there
        for connector in self.open:
            connector.close()
        LEAKS.extend(canary.in_folder(self.folder)[0])
        self.org.close()
        shutil.rmtree(self.folder)


def waits(row):
    """What a user waits for: kind -> which one, None where it is any."""
    return {wait["kind"]: wait.get("for") for wait in row["waits"]}


def window_over(w, c, **more):
    """Another process finds what is in flight when the settle window is over, and settles it."""
    c.close()
    c = w.connector(settle_window_s=1, **more)
    c.settle()
    return c


def hours_later(w, c, hours, **more):
    """Another process finds the store as it is so many hours later."""
    c.close()
    with sqlite3.connect(w.fields["store"]) as store:
        store.execute(f"UPDATE link SET updated_us = updated_us - {hours} * 3600000000, next_us = max(0, next_us"
                      f" - {hours} * 3600000000)")
        store.execute(f"UPDATE wait SET since_us = max(0, since_us - {hours} * 3600000000)")
        store.execute(f"UPDATE due SET at = max(2, at - {hours} * 3600000000) WHERE at > 1")
        store.execute(f"UPDATE fact SET value = value - {hours} * 3600000000 WHERE key = 'parked_looked_us'")
    store.close()
    c = w.connector(**more)
    c.settle()
    return c


# ---- the runner ----

class NotRun(Exception):
    """What a case needs is not there: it has neither passed nor failed, and is named."""


def meanwhile(function):
    """A case that waits and does little else: it runs while the others of its file do."""
    function.meanwhile = True
    return function


def run_case(name, function, outcomes):
    # those of a case that runs meanwhile may be told twice, and are never lost
    began, leaks, failures = time.monotonic(), len(LEAKS), len(UNHEARD)
    try:
        function()
        assert not LEAKS[leaks:], "a secret was given out"
        assert not UNHEARD[failures:], ("in a callback or a thread", UNHEARD[failures:])
        outcomes.append("passed")
        print(f"  passed  {name} ({time.monotonic() - began:.2f} s)", flush=True)
    except NotRun as why:
        outcomes.append("left out")
        print(f"  left out: {os.path.basename(sys.argv[0])}: {name}: {why}", flush=True)
    except (Exception, SystemExit):  # pylint: disable=broad-except
        outcomes.append("failed")
        print(f"  FAILED  {name}\n{traceback.format_exc()}", flush=True)


def main(module):
    wanted, outcomes = sys.argv[1:], []
    tests = [(name, function, outcomes) for name, function in vars(module).items()
             if name.startswith("test_") and (not wanted or any(part in name for part in wanted))]
    waiting = [threading.Thread(target=run_case, args=test) for test in tests if hasattr(test[1], "meanwhile")]
    for thread in waiting:
        thread.start()
    for test in tests:
        if not hasattr(test[1], "meanwhile"):
            run_case(*test)
    for thread in waiting:
        thread.join()
    passed, failed = outcomes.count("passed"), outcomes.count("failed")
    print(f"{os.path.basename(module.__file__)}: {passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not outcomes else 0)
