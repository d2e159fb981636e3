#!/usr/bin/env python3
"""MIT Kerberos' kadmind and kadmin.local with the adapter loaded: what their own clients do to principals, and what
the org holds then."""
import sys

import kerberos
import servers
from kerberos import MAPPING, Realm, compare
from servers import cli, events_of, harness


def world(**fields):
    return servers.world(**dict({"issuer": "krb5://EXAMPLE.ORG", "mapping": MAPPING}, **fields))


def settle(w):
    connector = w.connector()
    try:
        return connector.settle(60)
    finally:
        connector.close()


def test_a_life_from_hire_to_delete():
    with world() as w, Realm(w, {}) as r:
        r.admin("addprinc -pw Hello-1-2 ada.lovelace", "addprinc -pw Hello-1-2 bob", "addprinc -randkey host/a.example.org",
                "addprinc -pw Hello-1-2 ada/admin")
        settle(w)
        assert compare(w, r) == 2
        ada = w.org.user("ada.lovelace@acme.example")
        assert ada["LastName"] == "lovelace" and ada["Email"] == "ada.lovelace@example.org", ada
        r.admin("modprinc -allow_tix bob")
        settle(w)
        assert not w.org.user("bob@acme.example")["IsActive"]
        compare(w, r)
        r.admin("modprinc +allow_tix bob")
        settle(w)
        assert w.org.user("bob@acme.example")["IsActive"]
        r.admin("renprinc -force ada.lovelace ada.byron")
        settle(w)
        compare(w, r)
        assert w.org.user("ada.byron@acme.example")["Id"] == ada["Id"], "a renamed user is another one"
        r.admin("delprinc -force ada.byron")
        settle(w)
        compare(w, r, gone=["ada.byron"])


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
