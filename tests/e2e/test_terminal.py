"""The program sfprov on a terminal: width, colour, and what the shells complete."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import harness
from harness import CLI, PLUGIN, World, create, person, put

SOURCES = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "../.."))
PAINT = re.compile("\033\\[[0-9;]*m")


def on_terminal(columns, *arguments, **environment):
    """What sfprov writes to a terminal of so many columns."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        for name in ("NO_COLOR", "TERM"):
            os.environ.pop(name, None)
        os.environ.update(SFPROV_PLUGIN=PLUGIN, **environment)
        os.execv(CLI, [CLI, *arguments])
    written = b""
    try:
        while more := os.read(terminal, 65536):
            written += more
    except OSError:
        pass  # a terminal that its last user has left
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, written
    return written.decode().replace("\r\n", "\n")


def in_pipe(*arguments, **environment):
    return subprocess.run([CLI, *arguments], capture_output=True, text=True, timeout=60, check=True,
                          env=dict(os.environ, SFPROV_PLUGIN=PLUGIN, **environment)).stdout


def test_a_table_fits_the_terminal_and_loses_nothing():
    whole = in_pipe("fields")
    for columns in (60, 80, 132, 10000):
        lines = PAINT.sub("", on_terminal(columns, "fields")).splitlines()
        assert max(map(len, lines)) <= columns, columns
        heading = lines[0]
        begins = [heading.index(word) for word in ("FIELD", "NEEDED", "DEFAULT", "HELP")] + [None]
        # every column put together again is what the pipe had
        for begin, end in zip(begins, begins[1:]):
            got = "".join("".join(line[begin:end].split()) for line in lines)
            at = [whole.splitlines()[0].index(word) for word in ("FIELD", "NEEDED", "DEFAULT", "HELP")] + [None]
            a, b = at[begins.index(begin)], at[begins.index(begin) + 1]
            assert got == "".join("".join(line[a:b].split()) for line in whole.splitlines()), (columns, begin)
    assert len(lines) == len(whole.splitlines())  # wide enough: one line a row


def test_where_a_table_has_no_room_each_row_is_a_block():
    with World() as w:
        path = write_fields(w)
        c = w.connector()
        c.accept(put("/Users/1", person("ada")), put("/Users/2", person("grace.brewster.murray.hopper")))
        c.settle()
        c.close()
        rows = [row.split() for row in in_pipe("list", "-c", path).splitlines()[1:3]]
        for columns in (24, 30, 50):
            lines = PAINT.sub("", on_terminal(columns, "list", "-c", path)).splitlines()
            assert max(map(len, lines)) <= columns, (columns, lines)
            blocks = "\n".join(lines).split("\n\n")
            assert len(blocks) == 2 and blocks[1].endswith("\n2 users"), blocks
            for row, block in zip(rows, blocks):
                for heading in ("HOST USER", "STATE", "SALESFORCE USERNAME", "SALESFORCE ID", "OUTCOME"):
                    assert heading in block, (columns, heading, block)
                packed = "".join(block.split())
                assert all(cell in packed for cell in row), (columns, row, block)
        assert lines[0].startswith("HOST USER            ada"), lines  # the values stand below each other
        # no heading without a value: who is not in Salesforce has no Id
        w.connector().accept(put("/Users/3", person("bo")))
        assert "SALESFORCE ID" not in on_terminal(30, "list", "bo", "-c", path)


def test_a_pipe_has_one_line_a_row_and_no_colour():
    out = in_pipe("fields")
    assert "\033" not in out
    assert all(re.match("[a-zA-Z_]", line) for line in out.splitlines())


def test_colour_is_for_terminals_and_can_be_chosen():
    assert PAINT.search(on_terminal(80, "fields"))
    assert PAINT.search(on_terminal(80, "fields", "--color=auto"))
    assert not PAINT.search(on_terminal(80, "fields", NO_COLOR="1"))
    assert not PAINT.search(on_terminal(80, "fields", TERM="dumb"))
    assert not PAINT.search(on_terminal(80, "fields", "--color=never"))
    assert PAINT.search(on_terminal(80, "fields", "--color=always", NO_COLOR="1"))
    assert PAINT.search(in_pipe("fields", "--color", "always"))
    assert not PAINT.search(in_pipe("fields", "--color", "always", "--json"))


def test_long_reasons_are_wrapped_under_their_label():
    with World() as w:
        path = write_fields(w)
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe", title="x" * 99)))
        c.settle()
        lines = PAINT.sub("", on_terminal(60, "show", "jdoe", "-c", path)).splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("remedy"))
        assert lines[at + 1].startswith(" " * 16) and lines[at + 1].strip(), lines[at:at + 3]
        assert all(len(line) <= 60 for line in lines[:at + 2]), lines


def write_fields(world):
    path = os.path.join(world.folder, "fields.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(harness.json.dumps(world.fields))
    os.chmod(path, 0o600)
    return path


def words(*line, **environment):
    return [answer.split("\t")[0] for answer in in_pipe("complete", "--", *line, **environment).splitlines()]


def test_the_program_knows_what_completes_a_line():
    assert {"sync", "help", "status"} <= set(words("")) and "complete" not in words("")
    assert set(words("st")) == {"status", "store"}
    assert words("sync", "--dr") == ["--dry-run"] and words("status", "--dr") == []
    assert words("list", "--state", "par") == ["parked"] and words("list", "--state=par") == ["--state=parked"]
    assert words("--color", "") == ["auto", "always", "never"]
    assert words("sync", "") == [":files"] and words("-c", "") == [":files"] and words("-c", "x", "stat") == ["status"]
    assert words("help", "fie") == ["fields"] and words("nonsense", "") and words("sync", "--issuer", "") == []
    assert words("store", "") == ["check", "vacuum"] and words("store", "v") == ["vacuum"]
    assert words() == words("")


def test_users_are_completed_from_the_store():
    with World() as w:
        path = write_fields(w)
        w.connector().accept(put("/Users/1", person("ada")), put("/Users/2", person("ada.l@b.example")),
                             put("/Users/3", person("bo")))
        assert words("-c", path, "show", "ad") == ["ada", "ada.l@b.example"]
        assert words("show", "ad", SFPROV_FIELDS=path) == words("-c", path, "show", "ad")
        assert words("-c", "/nonexistent", "show", "ad") == []


BASH = """
source "$1/hosts/completion/sfprov.bash"
ask() { # the line up to the cursor, and bash's own words of it
    COMP_LINE=$1 COMP_POINT=${#1}; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _sfprov "$1"; printf '%s,' "${COMPREPLY[@]}"; echo
}
complete -p sfprov >/dev/null || exit 1
cd "$2"
ask "$3 sta" "$3" sta
ask "$3 sync --dry" "$3" sync --dry
ask "$3 list --state=pa" "$3" list --state = pa
ask "$3 list --state=" "$3" list --state =
ask "$3 -c $4 show ada.l@b" "$3" -c "$4" show ada.l @ b
ask "$3 sync peo" "$3" sync peo
"""


def test_bash_completes_commands_options_values_users_and_files():
    with World() as w:
        path = write_fields(w)
        open(os.path.join(w.folder, "people here.csv"), "w", encoding="utf-8").close()
        w.connector().accept(put("/Users/2", person("ada.l@b.example")))
        done = subprocess.run(["bash", "--norc", "-c", BASH, "bash", SOURCES, w.folder, CLI, path], text=True,
                              capture_output=True, timeout=60, env=dict(os.environ, SFPROV_PLUGIN=os.path.abspath(PLUGIN)))
        assert done.stdout.splitlines() == ["status,", "--dry-run,", "parked,", "all,in_step,pending,waiting,parked,in_flight,",
                                            "b.example,", "people here.csv,"], done


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
