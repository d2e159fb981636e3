#!/usr/bin/env python3
"""That secrets which are given out are seen: each way is tried with a mark that stands where no secret is."""
import base64
import os
import subprocess
import sys
import tempfile

import canary
import harness
from harness import LEAKS, World, create, person, token
from test_cli import Shell

M = canary.MARK


def leaks():
    """What was seen since; the test's own, so it is forgotten."""
    seen = list(LEAKS)
    LEAKS.clear()
    return seen


def test_a_secret_is_seen_in_every_form():
    for at in range(3):
        assert canary.found(base64.b64encode(b"x" * at + M.encode() + b"y" * at)), at
    for data in (M, "password=" + M, M.encode().hex(), M.encode().hex().upper(), M.encode("utf-16-le"),
                 "-----BEGIN PRIVATE KEY-----", "assertion=eyJhbGciOiJSUzI1NiJ9.eyJp"):
        assert canary.found(data), data
    canary.also("a/b+c d-eFgH")
    assert canary.found("x=a%2Fb%2Bc%20d-eFgH&y") and canary.found(base64.b64encode(b"12a/b+c d-eFgH34"))
    for data in ("", M.lower(), M[:5], base64.b64encode(b"canary bird")):
        assert not canary.found(data), data


def test_a_file_that_holds_one_is_named_and_what_programs_are_given_is_left_out():
    with tempfile.TemporaryDirectory() as folder:
        assert canary.in_folder(folder) == ([], 0)
        os.mkdir(os.path.join(folder, "below"))
        for name in ("fields.json", "a.key", "below/store.db-wal"):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(b"\\0\\1" + M.encode())
        hits, count = canary.in_folder(folder)
        assert count == 1 and len(hits) == 1 and "below/store.db-wal: in clear" in hits[0], hits


def test_logs_are_looked_through_at_the_end():
    with tempfile.TemporaryDirectory() as folder:
        def look():
            return subprocess.run([sys.executable, canary.__file__, folder], capture_output=True, text=True, check=False)

        assert look().returncode == 1, "to look at nothing is no success"
        for text, code in (("nothing", 0), ("client_secret=" + M, 1), (base64.b64encode(M.encode()).decode(), 1)):
            with open(os.path.join(folder, "a.log"), "w") as file:
                file.write(text)
            done = look()
            assert done.returncode == code and ("a.log" in done.stdout) == bool(code), done
        leaks()


def test_every_way_out_is_watched():
    with World() as w:
        c = w.connector(outcome=lambda: True)
        assert not leaks()
        event = create("/Users/1", person("ada", title=M))
        c.preview(event)
        assert any(leak.startswith("preview") for leak in leaks())
        c.accept(event)
        assert not leaks(), "accepting gives nothing out"
        c.user("/Users/1")
        assert any(leak.startswith("query") for leak in leaks())
        bad = token("/Users/1", (f"prov:{M}", {}))
        c.submit(bad)
        assert any(leak.startswith("an answer") for leak in leaks())
        c.accept(create("/Users/2", person("bob", title="x" * 200, userName=M)))
        c.settle()
        assert any(leak.startswith("the log") for leak in leaks())
        c.accept(create("/Users/3/" + M, person("cy")))
        c.settle()
        assert any(leak.startswith("an outcome") for leak in leaks())
        try:
            c.query(query=M)
            raise AssertionError("that is no query")
        except harness.Failure:
            assert any(leak.startswith("an error") for leak in leaks())
        try:
            w.connector(**{M: 1})
            raise AssertionError("that is no field")
        except harness.Failure:
            assert any(leak.startswith("faults") for leak in leaks())
        Shell(w)("list")
        assert any(leak.startswith("output") for leak in leaks())
    assert any("store.db" in leak for leak in leaks())


def test_a_test_that_leaves_one_fails():
    class Module:  # pylint: disable=too-few-public-methods
        __file__ = "leaky"

        @staticmethod
        def test_leaky():
            harness.watch("a test", M)

    kept, sys.argv = sys.argv, ["leaky"]
    out, sys.stdout = sys.stdout, open(os.devnull, "w")
    try:
        harness.main(Module)
        raise AssertionError("it did not end")
    except SystemExit as end:
        assert end.code == 1
    finally:
        sys.stdout.close()
        sys.argv, sys.stdout = kept, out
        leaks()


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
