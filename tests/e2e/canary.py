"""Every secret of the tests holds MARK, or is named to also(). What the programs write is looked through for
them: in clear, in base64, in hexadecimal, percent-encoded, as UTF-16.

    python3 canary.py FOLDER...     looks through the logs of a test run, and ends with what it found
"""
import base64
import os
import re
import sys
import urllib.parse

MARK = "cAnArY"
# Files of a test that hold secrets by their nature: what the programs are given.
INPUT = re.compile(r"(^|/)fields[^/]*\.json(\.new)?$|\.(key|pem|p12|csr|cnf)$|(^|/)secret[^/]*$")
_needles = {}


def also(secret):
    """A secret that cannot hold the mark."""
    data = secret if isinstance(secret, bytes) else secret.encode()
    forms = {"in clear": data, "in hexadecimal": data.hex().encode(), "in HEXADECIMAL": data.hex().upper().encode(),
             "as UTF-16": data.decode("latin-1").encode("utf-16-le")}
    quoted = urllib.parse.quote(data, safe="").encode()
    if quoted != data:
        forms["percent-encoded"] = quoted
    for shift in range(3):  # the letters that do not depend on what stands before and after
        text = base64.b64encode(b"\0" * shift + data)
        forms[f"in base64 ({shift})"] = text[(0, 2, 3)[shift]:len(text) - (0, 3, 2)[(shift + len(data)) % 3]]
    for name, form in forms.items():
        _needles[form] = name


def of_key(path):
    """A private key, which is made by another program: each line of its middle is a secret."""
    with open(path) as file:
        lines = [line.strip() for line in file if "-----" not in line]
    for line in lines[:-1] or lines:
        _needles[line.encode()] = "a line of a private key"


also(MARK)
_needles[b"PRIVATE KEY-----"] = "a private key"
_needles[b"eyJhbGciOiJSUzI1NiJ9"] = "a signed token"


def found(data):
    """How a secret stands in it, and what is around; None: none does."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    for needle, form in _needles.items():
        at = data.find(needle)
        if at >= 0:
            return f"{form}: {data[max(0, at - 60):at + 60]!r}"
    return None


def in_folder(folder, skip=INPUT.search):
    """Files below it that hold one, as texts, and how many were looked through."""
    hits, count = [], 0
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if skip(path) or not os.path.isfile(path) or os.path.islink(path):
                continue
            count += 1
            with open(path, "rb") as file:
                hit = found(file.read())
            if hit:
                hits.append(f"{path}: {hit}")
    return hits, count


if __name__ == "__main__":
    everything, total = [], 0
    for one in sys.argv[1:]:
        some, number = in_folder(one, skip=lambda path: not re.search(r"\.(log|trs|tally|out)$", path))
        everything, total = everything + some, total + number
    for line in everything:
        print(line)
    print(f"{total} files looked through, {len(everything)} hold a secret")
    sys.exit(1 if everything or not total else 0)
