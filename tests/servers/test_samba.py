#!/usr/bin/env python3
"""Samba's domain controller with the module loaded: what its own tools and LDAP clients do to people, and what the
org holds then."""
import json
import os
import sys

from samba import GROUPS, PEOPLE, SUFFIX, Samba, alone, compare, forget_template, user_ldif
from common import mark_of, stored
from servers import SmallDisk, cli, events_of, harness, settle, world

CREATED, PUT, NOTICE, DELETED = "prov:create:full", "prov:put:full", "prov:patch:notice", "prov:delete"


def test_a_life_from_hire_to_delete_by_its_tools():
    with world() as w, Samba(w, {}) as d:
        d.seed()
        d.hire("chief", "Grace", "Hopper", "--job-title=Admiral")
        d.hire("ada", "Ada", "Lovelace", "--job-title=Analyst", "--telephone-number=+44 20 1", "--department=Engines",
               "--company=Acme")
        settle(w, d)
        assert compare(w, d) == 2
        assert events_of(w, "ada") == [CREATED], ("one event for a transaction", events_of(w, "ada"))
        ada = w.org.user("ada@acme.example")["Id"]
        d.replace("ada", title="Countess", l="London", st="Kent", c="GB", employeeID="7",
                  manager=f"CN=chief,{PEOPLE}")
        settle(w, d)
        assert compare(w, d) == 2
        assert w.org.user("ada@acme.example")["ManagerId"] == w.org.user("chief@acme.example")["Id"]
        d.tool("user", "rename", "ada", "--samaccountname=ada.byron", "--surname=Byron", "--force-new-cn=Ada Byron")
        settle(w, d)
        compare(w, d)
        assert w.org.user("ada.byron@acme.example")["Id"] == ada, "a renamed user is another one"
        d.tool("user", "move", "ada.byron", SUFFIX)
        d.tool("user", "move", "ada.byron", PEOPLE)
        d.tool("user", "disable", "ada.byron")
        settle(w, d)
        assert not w.org.user("ada.byron@acme.example")["IsActive"]
        compare(w, d)
        d.tool("user", "enable", "ada.byron")
        settle(w, d)
        assert w.org.user("ada.byron@acme.example")["IsActive"]
        compare(w, d)
        d.tool("user", "delete", "ada.byron")
        settle(w, d)
        compare(w, d, gone=["ada.byron"])
        assert events_of(w, "ada.byron")[-1] == DELETED


def test_its_ldap_service_hands_over_what_clients_do():
    with world() as w, Samba(w, {}) as d:
        d.seed().start()
        d.client("ldapadd", text=user_ldif("ada") + "\n\n" + user_ldif("bob", "Bob", "Miller", title="Boss") + "\n")
        settle(w, d)
        assert compare(w, d) == 2
        d.client("ldapmodify", text=f"dn: CN=ada,{PEOPLE}\nchangetype: modify\nreplace: title\ntitle: Dr\n-\n"
                 "replace: userAccountControl\nuserAccountControl: 546\n")
        d.client("ldapmodrdn", "-r", f"CN=bob,{PEOPLE}", "CN=Robert")
        settle(w, d)
        compare(w, d)
        assert not w.org.user("ada@acme.example")["IsActive"]
        d.client("ldapdelete", f"CN=Robert,{PEOPLE}")
        d.client("ldapdelete", f"CN=Robert,{PEOPLE}", code=32)
        settle(w, d)
        compare(w, d, gone=["bob"])


if __name__ == "__main__":
    alone()
    try:
        harness.main(sys.modules[__name__])
    finally:
        forget_template()
