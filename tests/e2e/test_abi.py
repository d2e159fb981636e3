"""The binary interface as a host sees it: versions, sizes, wrong calls, forks, threads, processes."""
import contextlib
import ctypes as c
import json
import locale
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading

import harness
from harness import (ACCEPTED, E_ABI, E_FIELDS, E_INVALID, E_LIMIT, E_NOTFOUND, E_STATE, E_UNSUPPORTED, NEVER_DELIVER,
                     REFUSED, SQLITE_UNCOUNTED, Answer, Connector, Delivery, Error, Event, Failure, Host, Open, Table, World,
                     create, patch, person, put, until)

FIELDS = {"domain_name": "http://127.0.0.1:9", "client_id": "id", "client_secret": "secret", "profile": "Standard User",
          "provisioning_domain": "acme.example", "issuer": "https://idp.example", "store": "/nonexistent/store.db"}


def fails(code, function, *arguments, part="", **named):
    try:
        function(*arguments, **named)
    except Failure as failure:
        assert failure.code == code and part in failure.text, (failure.code, failure.text)
        return failure
    raise AssertionError(f"it did not fail with {code}")


def in_child(function):
    """Runs function in a forked child; fails if it does."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            function()
            code = 0
        except BaseException as problem:  # pylint: disable=broad-except
            print(f"    child: {problem!r}", flush=True)
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "the child failed"


def test_one_symbol_is_exported():
    listing = subprocess.run(["nm", "-D", "--defined-only", harness.PLUGIN], capture_output=True, text=True, check=True)
    names = [line.split()[-1] for line in listing.stdout.splitlines() if " A " not in line]
    assert names == ["prov_connector_init"], names


def test_versions_and_sizes_are_checked():
    init, error = c.CDLL(harness.PLUGIN).prov_connector_init, Error(c.sizeof(Error))
    assert init(2, 0, c.byref(Table(c.sizeof(Table))), c.byref(error)) == E_ABI and b"major" in error.text
    assert init(1, 0, None, c.byref(error)) == E_ABI
    assert init(1, 0, c.byref(Table(Table.snapshot_apply.offset - 8)), c.byref(error)) == E_ABI
    table = Table(c.sizeof(Table))
    assert init(1, 7, c.byref(table), None) == 0 and table.name == b"salesforce" and table.size == c.sizeof(Table)


def test_a_host_of_minor_version_0_gets_the_methods_it_knows():
    room = (c.c_char * c.sizeof(Table))(*([b"\xaa"] * c.sizeof(Table)))
    table, known = c.cast(room, c.POINTER(Table)), Table.snapshot_apply.offset
    table.contents.size = known
    assert c.CDLL(harness.PLUGIN).prov_connector_init(1, 0, table, None) == 0
    assert room.raw[known:] == b"\xaa" * (c.sizeof(Table) - known) and table.contents.release


def test_a_larger_table_of_a_newer_host_is_filled_as_far_as_known():
    room = (c.c_char * (c.sizeof(Table) + 64))(*([b"\xaa"] * (c.sizeof(Table) + 64)))
    table = c.cast(room, c.POINTER(Table))
    table.contents.size = c.sizeof(room)
    assert c.CDLL(harness.PLUGIN).prov_connector_init(1, 1, table, None) == 0
    assert room.raw[c.sizeof(Table):] == b"\xaa" * 64 and table.contents.size == c.sizeof(room)


def test_null_and_over_long_calls_are_refused_with_a_reason():
    table, error = harness.load(), Error(c.sizeof(Error))
    handle, text, event = c.c_void_p(), c.c_char_p(), Event(c.sizeof(Event), b"{}", 2)
    answer = Answer(c.sizeof(Answer))
    for code, method, arguments in [
            (E_ABI, "open", (None, c.byref(handle), None)),
            (E_ABI, "open", (c.byref(Open(8)), c.byref(handle), None)),
            (E_INVALID, "open", (c.byref(Open(c.sizeof(Open))), c.byref(handle), None)),
            (E_LIMIT, "open", (c.byref(Open(c.sizeof(Open), b"{}", 1 << 40)), c.byref(handle), None)),
            (E_UNSUPPORTED, "open", (c.byref(Open(c.sizeof(Open), b"{}", 2, 1 << 9)), c.byref(handle), None)),
            (E_INVALID, "check", (None, c.byref(text))),
            (E_INVALID, "preview", (None, c.byref(event), c.byref(text))),
            (E_INVALID, "submit", (None, c.byref(event), c.c_size_t(1), c.byref(answer))),
            (E_INVALID, "snapshot_begin", (None, None, c.c_uint32(0), c.byref(handle))),
            (E_INVALID, "snapshot_add", (None, b"{}", c.c_size_t(2))),
            (E_INVALID, "snapshot_end", (None, c.c_int32(1), c.byref(text))),
            (E_INVALID, "snapshot_apply", (None, c.c_uint32(0), c.byref(text))),
            (E_INVALID, "snapshot_changes", (None, c.c_int64(0), c.c_uint32(9), c.byref(text))),
            (E_INVALID, "deliver", (None, c.c_uint32(0), None)),
            (E_INVALID, "query", (None, b"{}", c.c_size_t(2), c.byref(text))),
            (E_INVALID, "act", (None, b"{}", c.c_size_t(2), c.byref(text))),
            (E_INVALID, "describe", (None,)),
            (E_INVALID, "query", (Connector(FIELDS).handle, None, c.c_size_t(2), c.byref(text))),
            (E_LIMIT, "act", (Connector(FIELDS).handle, b"{}", c.c_size_t(1 << 40), c.byref(text)))]:
        got = getattr(table, method)(*arguments, c.byref(error))
        assert got == code and error.text, (method, got, error.text)
        assert getattr(table, method)(*arguments, None) == code, "an error that nobody wants is no crash"
    table.close(None, c.c_uint32(0))
    table.release(None)


class Short(c.Structure):
    _fields_ = [("size", c.c_size_t), ("code", c.c_int32), ("reserved", c.c_uint32), ("text", c.c_char * 24),
                ("guard", c.c_char * 8)]


def short_error():
    return Short(c.sizeof(Short) - 8, guard=b"untouch")


def test_a_short_error_struct_is_respected():
    error = short_error()
    assert harness.load().check(None, None, c.byref(error)) == E_INVALID
    assert len(error.text) == 23 and error.guard == b"untouch"


def test_wrong_events_are_refused_in_their_answers_and_the_rest_goes_on():
    with World() as w:
        c_ = w.connector()
        big = json.dumps(create("/Users/1", person("x", title="y" * 300000))).encode()
        answers = c_.submit(b"", b"{", big, create("/Users/2", person("ok")), b"[]", b'{"jti":"1"}')
        assert [a.status for a in answers] == [REFUSED, REFUSED, REFUSED, ACCEPTED, REFUSED, REFUSED]
        assert all(a.error.text for a in answers if a.status == REFUSED)
        fails(E_LIMIT, c_.submit, *[b"{}"] * 10001)
        assert c_.submit() == []
        event, answer = Event(4, b"{}", 2), Answer(c.sizeof(Answer))
        code = c_.table.submit(c_.handle, c.byref(event), c.c_size_t(1), c.byref(answer), c.byref(c_.error))
        assert code == E_ABI


def test_strides_of_a_newer_host_are_followed():
    class LongEvent(c.Structure):
        _fields_ = [("event", Event), ("more", c.c_char * 24)]

    class LongAnswer(c.Structure):
        _fields_ = [("answer", Answer), ("more", c.c_char * 40)]
    with World() as w:
        c_ = w.connector()
        events, answers = (LongEvent * 3)(), (LongAnswer * 3)()
        for n in range(3):
            text = json.dumps(create(f"/Users/{n}", person(f"u{n}"))).encode()
            events[n].event = Event(c.sizeof(LongEvent), text, len(text))
            answers[n].answer.size, answers[n].more = c.sizeof(LongAnswer), b"mine"
        c_.call("submit", c_.handle, events, c.c_size_t(3), answers)
        assert [(a.answer.status, a.answer.version, a.more) for a in answers] == [(ACCEPTED, 1, b"mine")] * 3


def test_sizes_that_are_not_set_are_told_and_not_passed_by():
    """Else callbacks are never called, a report stays empty, or an array is read beside its elements."""
    table, error = harness.load(), Error(c.sizeof(Error))
    with World() as w:
        c_ = w.connector()
        data = json.dumps(w.fields).encode()
        for size in (0, c.sizeof(Host) - 4):
            options = Open(c.sizeof(Open), data, len(data), 1, 0, c.pointer(Host(size, None, *c_.keep)))
            assert table.open(c.byref(options), c.byref(c.c_void_p()), None, c.byref(error)) == E_ABI and b"host" in error.text
        for size in (0, c.sizeof(Delivery) - 8):
            assert table.deliver(c_.handle, c.c_uint32(0), c.byref(Delivery(size)), c.byref(error)) == E_ABI and error.text
        text = json.dumps(create("/Users/1", person("x"))).encode()
        events, answers = (Event * 3)(), (Answer * 3)()
        for n in range(3):
            events[n], answers[n].size = Event(c.sizeof(Event), text, len(text)), c.sizeof(Answer)
        for array, size in ((events, 0), (events, 48), (answers, 0)):
            right, array[1].size = array[1].size, size
            code = table.submit(c_.handle, events, c.c_size_t(3), answers, c.byref(error))
            assert code == E_ABI and b"every" in error.text, (code, size)
            array[1].size = right
        events[0].size += 1  # no struct has such a stride
        assert table.submit(c_.handle, events, c.c_size_t(1), answers, None) == E_ABI
        fails(E_NOTFOUND, c_.query, query="events")  # nothing was taken


def test_open_reports_every_fault_and_touches_nothing():
    failure = fails(E_FIELDS, Connector, {"domain_name": "evil.example.com", "api_versoin": "v60.0", "client_id": 7})
    named = {fault["field"] for fault in failure.faults}
    assert {"domain_name", "api_versoin", "client_secret", "profile", "store"} <= named, failure.faults
    assert all(fault["reason"] and fault["remedy"] for fault in failure.faults)
    connector = Connector(FIELDS)  # neither the store's directory nor the org exists
    connector.close()


def test_a_store_that_cannot_be_used_accepts_nothing():
    connector = Connector(FIELDS)
    failure = fails(harness.E_STORE, connector.submit, create("/Users/1", person("x")), part="/nonexistent")
    assert failure.text
    connector.close()


def test_answers_say_why_they_are_unknown_whatever_room_the_error_has():
    """None, and less than an answer's error has: then no memory behind it may be read."""
    connector, text = Connector(FIELDS), json.dumps(create("/Users/1", person("x"))).encode()
    for count in (1, 2):
        for error in (None, c.byref(short_error())):
            events, answers = (Event * count)(), (Answer * count)()
            for n in range(count):
                events[n], answers[n].size = Event(c.sizeof(Event), text, len(text)), c.sizeof(Answer)
            code = connector.table.submit(connector.handle, events, c.c_size_t(count), answers, error)
            assert code == harness.E_STORE, code
            for answer in answers:
                assert (answer.status, answer.error.code) == (harness.UNKNOWN, harness.E_STORE), answer.error.code
                assert b"/nonexistent" in answer.error.text and b"create it" in answer.error.text, answer.error.text
    connector.close()


def test_a_list_that_is_dropped_has_no_report():
    with World() as w:
        c_, snapshot, report = w.connector(), c.c_void_p(), c.c_char_p(b"what was there before")
        c_.call("snapshot_begin", c_.handle, None, c.c_uint32(0), c.byref(snapshot))
        c_.call("snapshot_end", snapshot, c.c_int32(0), c.byref(report))
        assert report.value is None, report.value
        c_.table.release(report)


@contextlib.contextmanager
def turkish_host():
    """The process's locale, in which "I" is no capital of "i"."""
    before = locale.setlocale(locale.LC_ALL)
    with tempfile.TemporaryDirectory(prefix="sfprov-locale-") as folder:
        try:
            subprocess.run(["localedef", "-i", "tr_TR", "-f", "UTF-8", os.path.join(folder, "tr_TR.UTF-8")],
                           capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError) as problem:
            raise harness.NotRun("no Turkish locale can be made here (package locales)") from problem
        os.environ["LOCPATH"] = folder
        try:
            locale.setlocale(locale.LC_ALL, "tr_TR.UTF-8")
            # not strcasecmp(), which a sanitizer replaces by one of its own
            assert c.CDLL(None).tolower(ord("I")) != ord("i"), "this locale tells nothing"
            yield
        finally:
            del os.environ["LOCPATH"]
            locale.setlocale(locale.LC_ALL, before)


def capitals(value):
    """The same, names in capitals."""
    if isinstance(value, dict):
        return {name.upper(): capitals(member) for name, member in value.items()}
    return [capitals(one) for one in value] if isinstance(value, list) else value


def test_names_are_the_same_in_capitals_in_a_host_with_a_turkish_locale():
    with World() as w, turkish_host():
        c_ = w.connector()
        event = create("/Users/1", capitals(person("jdoe", given="Irma", title="Chief", active=False)))
        event["sub_id"] = {"format": "SCIM", "uri": "HTTPS://idp.example/SCIM/USERS/1"}
        event["events"] = {name.upper(): payload for name, payload in event["events"].items()}
        c_.accept(event)
        c_.settle()
        assert w.org.users() == {}, "inactive"
        c_.accept(patch("/Users/1", {"OP": "REPLACE", "PATH": "ACTIVE", "VALUE": True}))
        c_.settle()
        user = w.org.user("primary-jdoe@acme.example")
        assert (user["FirstName"], user["Title"], user["IsActive"]) == ("Irma", "Chief", True), user
        assert c_.query(query="status")["api_usage"], "the header that tells it is found"


def test_methods_that_are_not_deep_yet_say_so():
    with World() as w:
        c_ = w.connector()
        for name in ("adopt", "discard"):
            fails(E_UNSUPPORTED, c_.act, act=name, part=name)
        fails(E_INVALID, c_.act, act="login", part="redirect_uri")
        fails(E_NOTFOUND, c_.act, act="dance")
        fails(E_NOTFOUND, c_.query, query="weather")
        fails(E_INVALID, c_.query, nothing=1)
        fails(E_NOTFOUND, c_.user, "/Users/none", part="no store at")
        c_.accept(create("/Users/1", person("x")))
        fails(E_NOTFOUND, c_.user, "/Users/none", part="/Users/none")


def test_a_connector_that_never_delivers_does_not():
    with World() as w:
        c_ = w.connector(flags=NEVER_DELIVER)
        c_.accept(create("/Users/1", person("x")))
        fails(E_STATE, c_.deliver)
        assert w.org.usage()["token_requests"] == 0


def test_where_sqlite_is_in_use_its_memory_stays_counted():
    with World() as w, contextlib.closing(sqlite3.connect(":memory:")) as ours:
        used = c.CDLL("libsqlite3.so.0").sqlite3_memory_used
        used.restype = c.c_int64
        before = used()
        c_ = w.connector(flags=NEVER_DELIVER | SQLITE_UNCOUNTED)
        c_.accept(create("/Users/1", person("x")))
        assert used() > before > 0
        assert ours.execute("SELECT 1").fetchone() == (1,)


def test_fork_between_open_and_first_use():
    with World() as w:
        c_ = w.connector(flags=0)
        in_child(lambda: (c_.accept(create("/Users/1", person("child"))), c_.close()))
        c_.accept(create("/Users/2", person("parent")))
        until(lambda: len(w.org.users()) == 2)


def test_fork_after_first_use_while_delivering():
    with World() as w:
        w.org.settings(latency_ms=20)
        c_ = w.connector(flags=0)
        for n in range(10):
            c_.accept(create(f"/Users/p{n}", person(f"p{n}")))
            in_child(lambda number=n: c_.accept(create(f"/Users/c{number}", person(f"c{number}"))))
        until(lambda: len(w.org.users()) == 20)
        until(lambda: c_.query(query="status")["subjects"].get("in_step") == 20)
        assert c_.query(query="status")["subjects"]["total"] == 20


def test_a_daemon_that_forks_and_lets_the_parent_end_keeps_its_store():
    if "libtsan" in os.environ.get("LD_PRELOAD", ""):
        raise harness.NotRun("ThreadSanitizer ends a child that begins a thread where its parent had one (dup thread with used id)")
    with World() as w:
        code = f"""
import sys, os, json, time
sys.path.insert(0, {os.path.dirname(os.path.abspath(harness.__file__))!r})
import harness
c = harness.Connector(json.loads(sys.argv[1]), flags=0)
c.accept(harness.create("/Users/1", harness.person("before")))
if os.fork():
    os._exit(0)
time.sleep(0.3)
for n in range(2, 30):
    c.accept(harness.create(f"/Users/{{n}}", harness.person(f"u{{n}}")))
harness.until(lambda: c.query(query="status")["subjects"].get("in_step") == 29)
c.close()
print("delivered")
"""
        daemon = subprocess.Popen([sys.executable, "-c", code, json.dumps(w.fields)], stdout=subprocess.PIPE)
        assert daemon.wait(harness.PATIENCE_S) == 0
        looker = w.connector()  # opens and closes the store while the daemon works
        looker.query(query="status")
        looker.close()
        assert daemon.stdout.read() == b"delivered\n"  # when the child is gone, and needs the store no more
        assert len(w.org.users()) == 29


def test_who_begins_before_a_fork_and_ends_in_the_child_has_missed_nothing():
    with World() as w:
        looker = w.connector()
        for states in (["ended"], ["begun", "ended"]):
            code = f"""
import sys, os, json
sys.path.insert(0, {os.path.dirname(os.path.abspath(harness.__file__))!r})
import harness
c = harness.Connector(json.loads(sys.argv[1]))
c.accept(harness.create("/Users/1", harness.person("before")))
c.act(act="host", name="slapd", state="begun")
if os.fork():
    os._exit(0)
sys.stdin.readline()
for state in {states!r}:
    c.act(act="host", name="slapd", state=state)
"""
            daemon = subprocess.Popen([sys.executable, "-c", code, json.dumps(w.fields)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
            assert daemon.wait(harness.PATIENCE_S) == 0
            assert not looker.query(query="status")["resync"], "the child is at work"
            daemon.stdin.close()
            daemon.stdout.read()  # until the child is gone
            assert not looker.query(query="status")["resync"], states


def test_two_connectors_in_one_process_do_not_mix():
    with World() as w:
        one = w.connector()
        two = w.connector(store=os.path.join(w.folder, "two.db"), domain_name=w.org.facts["orgs"]["globex"],
                          provisioning_domain="globex.example")
        one.accept(create("/Users/1", person("jdoe")))
        two.accept(create("/Users/1", person("jdoe")))
        one.settle()
        two.settle()
        assert list(w.org.users()) == ["primary-jdoe@acme.example"]
        assert list(w.org.users("globex")) == ["primary-jdoe@globex.example"]


def test_many_threads_submit_into_one_store():
    with World() as w:
        c_, problems = w.connector(flags=0), []

        def work(number):
            mine = Connector(w.fields, flags=harness.NO_WORKER) if number % 3 == 0 else c_
            try:
                for n in range(25):
                    answer = mine.submit(create(f"/Users/{number}-{n}", person(f"u{number}.{n}")))[0]
                    assert answer.status == ACCEPTED, answer.error.text
                    mine.submit(patch(f"/Users/{number}-{n}", {"op": "replace", "path": "title", "value": "T"}))
            except Exception as problem:  # pylint: disable=broad-except
                problems.append(problem)
            if mine is not c_:
                mine.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems, problems
        until(lambda: c_.query(query="status")["subjects"].get("in_step") == 300)
        users = w.org.users()
        assert len(users) == 300 and all(user["Title"] == "T" for user in users.values())


def test_all_calls_at_the_same_time_as_delivery():
    """Under ThreadSanitizer this tells what they share without a lock."""
    users = range(30)
    with World(match=["EmployeeNumber"], parallel_calls=4, batch_size=3, guard_percent=100) as w:
        c_, problems = w.connector(flags=0, outcome=lambda: True), []
        c_.accept(*[create(f"/Users/{n}", person(f"u{n}", title="0")) for n in users])
        event = create("/Users/other", person("other"))

        def write(turn):
            c_.accept(*[put(f"/Users/{n}", person(f"u{n}", title=f"{turn}", active=n % 5 != turn)) for n in users])

        calls = [write, write, lambda _: c_.sync({}, flags=harness.DRY_RUN), lambda _: c_.check(),
                 lambda _: c_.preview(event), lambda _: c_.deliver(50), lambda _: c_.act(act="retry", user="/Users/3")]
        calls += [lambda _, more=more: c_.query(**more) for more in (
            {"query": "status"}, {"query": "subjects"}, {"query": "events"}, {"query": "match"}, {"query": "drift"},
            {"query": "collisions"}, {"query": "store"}, {"query": "fields"}, {"query": "org", "refresh": True})]
        calls += [lambda _, more=more: c_.act(**more) for more in (
            {"act": "replan", "all": True}, {"act": "repair", "all": True}, {"act": "release"}, {"act": "resume"}, {"act": "vacuum"})]

        def work(call):
            try:
                for turn in range(6):
                    call(turn)
            except Exception as problem:  # pylint: disable=broad-except
                problems.append(problem)

        threads = [threading.Thread(target=work, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems, problems
        c_.accept(*[put(f"/Users/{n}", person(f"u{n}", title="end")) for n in users])
        until(lambda: c_.query(query="status")["subjects"].get("in_step") == len(users))
        assert all(user["Title"] == "end" and user["IsActive"] for user in w.org.users().values()), w.org.users()


def test_several_processes_submit_into_one_store():
    with World() as w:
        code = f"""
import sys, json
sys.path.insert(0, {os.path.dirname(os.path.abspath(harness.__file__))!r})
import harness
c = harness.Connector(json.loads(sys.argv[1]), flags=0)
for n in range(40):
    c.accept(harness.create(f"/Users/{{sys.argv[2]}}-{{n}}", harness.person(f"u{{sys.argv[2]}}.{{n}}")))
c.close()
"""
        children = [subprocess.Popen([sys.executable, "-c", code, json.dumps(w.fields), str(number)])
                    for number in range(5)]
        assert [child.wait(harness.PATIENCE_S) for child in children] == [0] * 5
        c_ = w.connector()
        c_.settle()
        assert len(w.org.users()) == 200
        assert c_.query(query="status")["subjects"] == {"in_step": 200, "pending": 0, "waiting": 0, "parked": 0, "in_flight": 0,
                                                        "total": 200}


def test_close_is_bounded_while_a_call_hangs():
    with World(request_timeout_s=60) as w:
        c_ = w.connector(flags=0)
        w.org.fault({"on": "collections_create", "do": "delay", "delay_ms": 6000})
        c_.accept(create("/Users/1", person("jdoe")))
        until(lambda: c_.user("/Users/1")["state"] == "in_flight")
        c_.close(1000)
        assert not w.org.users(), "it waited for the end of the call"
        c_ = w.connector()
        c_.settle()
        assert len(w.org.users()) == 1 and c_.user("/Users/1")["state"] == "in_step"


def test_nothing_is_written_to_stdout_or_stderr_and_no_handler_is_installed():
    """Signals as the kernel has them: what Python says of them knows nothing of handlers that C installs."""
    with World() as w:
        code = f"""
import sys, json, signal
sys.path.insert(0, {os.path.dirname(os.path.abspath(harness.__file__))!r})
import harness
signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it
def signals():
    return [line for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]
before = signals()
assert len(before) == 3
c = harness.Connector(json.loads(sys.argv[1]))
c.accept(harness.create("/Users/1", harness.person("jdoe")))
c.submit(b"nonsense")
c.settle()
c.check()
assert signals() == before, (before, signals())
c.close()
assert signals() == before, (before, signals())
"""
        child = subprocess.run([sys.executable, "-c", code, json.dumps(w.fields)], capture_output=True, timeout=harness.PATIENCE_S)
        assert (child.returncode, child.stdout, child.stderr) == (0, b"", b""), child


def test_our_threads_take_no_signal_and_no_program_gets_our_files():
    with World(parallel_calls=3, batch_size=1) as w:
        def threads():
            return set(os.listdir("/proc/self/task"))

        def line_of(path, name):
            with open(path, encoding="ascii") as file:
                return next(line.split()[1] for line in file if line.startswith(name))

        def files():
            """What is open, with its flags; not what came in the place of another meanwhile."""
            found = {}
            for number in os.listdir("/proc/self/fd"):
                with contextlib.suppress(OSError, StopIteration):
                    what = os.readlink(f"/proc/self/fd/{number}")
                    flags = int(line_of(f"/proc/self/fdinfo/{number}", "flags:"), 8)
                    if os.readlink(f"/proc/self/fd/{number}") == what:
                        found[number, what] = flags
            return found

        def tcp():
            with open("/proc/net/tcp", encoding="ascii") as file:
                return {f"socket:[{line.split()[9]}]" for line in file}

        others, before = threads(), files()
        most, kinds, everything = 0, set(), sum(1 << number - 1 for number in range(1, 32) if number not in (9, 19))
        c_ = w.connector(0)
        c_.accept(*(create(f"/Users/{n}", person(f"u{n}")) for n in range(6)))
        until(lambda: c_.query(query="status")["state"] == "idle")
        w.org.fault({"on": "write", "do": "slow", "delay_ms": 100, "times": 6})
        c_.accept(*(patch(f"/Users/{n}", {"op": "replace", "path": "title", "value": "Dr"}) for n in range(6)))
        while c_.query(query="status")["state"] != "idle":
            ours = threads() - others
            most = max(most, len(ours))
            for thread in ours:
                with contextlib.suppress(OSError, StopIteration):
                    blocked = int(line_of(f"/proc/self/task/{thread}/status", "SigBlk"), 16)
                    assert blocked & everything == everything, hex(blocked)
            connections = tcp()  # the pair by which libcurl wakes itself is libcurl's, and holds nothing
            for (number, what), flags in files().items():
                ours_too = what in connections or what.startswith(w.folder) or "inotify" in what
                if ours_too and (number, what) not in before:
                    assert flags & os.O_CLOEXEC, f"another program would get {what}"
                    kinds.add("socket" if what in connections else what.rsplit("/", 1)[-1])
        assert most > 1, "no call had a thread of its own"
        assert {"socket", "store.db", "store.db-wal", "store.db.lease", "anon_inode:inotify"} <= kinds, kinds


def test_a_host_of_thirty_lines_in_python():
    with World() as w:
        fields = os.path.join(w.folder, "fields.json")
        with open(fields, "w") as file:
            json.dump(w.fields, file)
        host = os.path.join(os.path.dirname(os.path.abspath(harness.__file__)), "../../hosts/python/minimal_host.py")
        events = "\n".join(json.dumps(create(f"/Users/{n}", person(f"u{n}"))) for n in range(3)) + "\n{}\n"
        done = subprocess.run([sys.executable, host, harness.PLUGIN, fields], input=events, text=True,
                              capture_output=True, timeout=harness.PATIENCE_S)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("accepted") == 3 and "refused" in done.stdout, done.stdout
        for username, user in w.org.users().items():
            assert f"in_step {username} {user['Id']}" in done.stdout, done.stdout
        assert len(w.org.users()) == 3


def test_the_example_of_a_host_in_c():
    """It hears what became of all that it handed over: one delivered, one parked, and one that it was told is no event."""
    top = os.path.join(os.path.dirname(os.path.abspath(harness.__file__)), "../..")
    with World() as w:
        host, fields = os.path.join(w.folder, "host"), os.path.join(w.folder, "fields.json")
        subprocess.run(["cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-I" + os.path.join(top, "include"), "-o", host,
                        os.path.join(top, "hosts/example/host.c"), "-pthread", "-ldl"], check=True,
                       env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"})
        with open(fields, "w") as file:
            json.dump(w.fields, file)
        events = [create("/Users/1", person("ada")), create("/Users/2", person("bob", profile="no such")), {}]
        events[1]["events"][harness.URN + "prov:create:full"]["data"].pop("name")
        done = subprocess.run([host, harness.PLUGIN, fields], input="".join(json.dumps(e) + "\n" for e in events), text=True,
                              capture_output=True, timeout=harness.PATIENCE_S)
        assert done.returncode == 0, (done.stdout, done.stderr)
        lines = done.stdout.splitlines()
        assert lines[0].startswith("loaded salesforce ") and lines.count("accepted") == 2, lines
        assert sum(line.startswith("refused ") for line in lines) == 1, lines
        told = [json.loads(line.split(" ", 1)[1]) for line in lines if line.startswith("outcome ")]
        status = {t["sub_id"]["uri"]: t["events"][harness.URN + "misc:asyncresp"]["status"] for t in told}
        assert status == {"/Users/1": "200", "/Users/2": "400"}, (status, done.stderr)
        assert len(w.org.users()) == 1


def test_a_library_that_is_closed_stays_and_can_be_loaded_again():
    with World() as w:
        for round_ in range(3):
            library = c.CDLL(harness.PLUGIN)
            c_ = w.connector(flags=0)  # with a thread of its own
            c_.accept(create(f"/Users/{round_}", person(f"u{round_}")))
            until(lambda c_=c_: c_.query(query="status")["state"] == "idle")
            c_.close()
            assert c.CDLL(None).dlclose(c.c_void_p(library._handle)) == 0
        assert len(w.org.users()) == 3


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
