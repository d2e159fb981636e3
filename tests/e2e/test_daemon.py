"""`sfprov run --daemon`: a process that delivers what others accept."""
import configparser
import json
import os
import shlex
import signal
import subprocess
import sys
import time

import harness
from harness import CLI, NEVER_DELIVER, NO_WORKER, PLUGIN, Failure, World, create, person, until
from test_cli import Shell, lines

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Daemon:
    def __init__(self, shell, **environment):
        self.log = os.path.join(shell.folder, f"daemon-{time.monotonic_ns()}.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([CLI, "run", "--daemon"], stdout=log, stderr=log, env=dict(
                os.environ, SFPROV_FIELDS=shell.path, SFPROV_PLUGIN=PLUGIN, **environment))

    def text(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(harness.PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end(signal.SIGKILL)


def accept(shell, uri, name):
    shell("submit", "-", stdin=lines(create(uri, person(name))))


def test_what_another_process_accepts_is_delivered():
    with World() as w:
        sh = Shell(w)
        with Daemon(sh) as daemon:
            accept(sh, "/Users/1", "ada")
            until(lambda: "primary-ada@acme.example" in w.org.users())
            accept(sh, "/Users/2", "zoe")
            until(lambda: "primary-zoe@acme.example" in w.org.users())
            assert daemon.process.poll() is None, daemon.text()
            assert daemon.end() == 0, daemon.text()


def test_what_another_process_accepts_waits_for_no_poll():
    with World() as w:
        sh = Shell(w, poll_interval_s=3600)
        with Daemon(sh) as daemon:
            until(lambda: os.path.exists(w.fields["store"]))
            assert f"warning: no store at '{w.fields['store']}' yet" in daemon.text(), daemon.text()
            for n in range(3):
                accept(sh, f"/Users/{n}", f"u{n}")
                until(lambda: len(w.org.users()) == n + 1)
            assert daemon.end() == 0, daemon.text()


def test_what_waited_before_is_delivered_without_any_news():
    with World() as w:
        sh = Shell(w)
        accept(sh, "/Users/1", "ada")
        with Daemon(sh):
            until(lambda: "primary-ada@acme.example" in w.org.users())


def test_when_the_one_that_delivers_is_killed_the_other_goes_on():
    with World() as w:
        sh = Shell(w)
        with Daemon(sh) as first:
            accept(sh, "/Users/1", "ada")
            until(lambda: len(w.org.users()) == 1)
            with Daemon(sh) as second:
                assert first.end(signal.SIGKILL) == -signal.SIGKILL
                accept(sh, "/Users/2", "zoe")
                until(lambda: len(w.org.users()) == 2)
                assert second.end() == 0, second.text()


def test_fields_are_read_anew_and_wrong_ones_change_nothing():
    with World() as w:
        sh = Shell(w)
        with open(sh.path, encoding="utf-8") as file:
            fields = json.load(file)

        def write(**changes):
            with open(sh.path, "w", encoding="utf-8") as file:
                json.dump(dict(fields, **changes), file)
            daemon.process.send_signal(signal.SIGHUP)

        with Daemon(sh) as daemon:
            until(lambda: os.path.exists(w.fields["store"]))  # it has begun
            write(provisioning_separator=["no", "text"])
            until(lambda: "goes on with those before" in daemon.text())
            write(provisioning_separator=".")
            until(lambda: "read anew" in daemon.text())
            accept(sh, "/Users/1", "ada")
            until(lambda: "primary.ada@acme.example" in w.org.users())
            assert daemon.end(signal.SIGINT) == 0, daemon.text()


def test_wrong_fields_and_wrong_use_are_told():
    with World() as w:
        sh = Shell(w, profile=None)
        with Daemon(sh) as daemon:
            assert daemon.process.wait(harness.PATIENCE_S) == 3 and "profile" in daemon.text(), daemon.text()
        sh("run", "--daemon", "-", code=2)
        assert "--daemon takes no file" in sh.err, sh.err
        sh("run", code=2)
        assert "'run' needs FILE|-, or --daemon" in sh.err, sh.err
        for flags in (NO_WORKER, NEVER_DELIVER):
            try:
                w.connector(flags).act(act="start")
                raise AssertionError("it has no worker")
            except Failure as failure:
                assert "without a worker" in str(failure), failure


def test_in_the_journal_each_line_has_its_priority():
    with World() as w:
        sh = Shell(w, client_secret="another")
        with Daemon(sh, JOURNAL_STREAM="8:1") as daemon:
            accept(sh, "/Users/1", "ada")
            until(lambda: any(line[:3] in ("<3>", "<4>") for line in daemon.text().splitlines()))
            assert daemon.end() == 0


def test_the_unit_runs_it():
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    assert unit.read(os.path.join(SOURCES, "hosts/systemd/sfprov@.service.in"))
    command = shlex.split(unit["Service"]["ExecStart"].replace("@bindir@/sfprov", CLI))
    assert command == [CLI, "run", "--daemon"] and unit["Service"]["User"] == "%i"
    assert unit["Service"]["ExecReload"] == "/bin/kill -HUP $MAINPID"


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
