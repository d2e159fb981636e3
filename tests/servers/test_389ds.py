#!/usr/bin/env python3
"""389 Directory Server with the adapter loaded: what its clients do to people, and what the org holds then."""
import functools
import json
import os
import sys

import common
from ns389 import DS389
from servers import GROUPS, PEOPLE, SUFFIX, compare, events_of, harness, person, resync, settle, world

for case in (common.a_life_from_hire_to_delete, common.a_list_of_the_directory_says_what_the_events_said,
             common.refused_and_irrelevant_changes_hand_nothing_over, common.a_group_takes_users_into_scope_and_out,
             common.a_filter_and_bases_say_who_is_to_be_provisioned, common.configured_attributes_and_a_configured_lock,
             common.the_server_does_not_wait_for_salesforce, common.a_full_disk_marks_that_a_resync_is_needed,
             common.changes_at_the_same_time_end_as_the_directory_says, common.somebody_else_may_deliver,
             common.a_password_in_clear_is_handed_over_where_that_is_wanted, common.a_posix_group_takes_users_into_scope_and_out,
             common.a_manager_who_comes_after_the_reports_is_linked, common.a_killed_server_loses_nothing_after_a_resync,
             common.the_adapters_own_file_says_who_is_listed,
             common.who_cannot_be_read_and_is_locked_is_let_go, common.who_cannot_be_read_keeps_nobody_else_of_a_group,
             common.who_cannot_be_read_leaves_scope_all_the_same, common.an_attribute_counts_by_each_of_its_names,
             common.a_comma_in_the_name_of_a_base_is_found, common.a_filter_names_an_attribute_by_each_of_its_names):
    globals()["test_" + case.__name__] = functools.partial(case, DS389)


def test_a_password_is_a_fact_and_never_a_value():
    common.a_password_is_a_fact_and_never_a_value(DS389, {"passwords": True})  # the server shows none by itself


def test_groups_of_the_memberof_plugin_and_a_transaction_that_is_taken_back():
    crm = f"cn=crm,{GROUPS}"
    with world(scope_groups=[crm]) as w, DS389(w, {}, on=["MemberOf Plugin"]) as d:
        d.seed()
        member = {"objectClass": ["inetOrgPerson", "inetUser"]}
        d.add(person("ada", **member), person("bob", "Bob", "Miller", **member), person("cyd", "Cyd", "Kahn"))
        d.add((crm, {"objectClass": "groupOfNames", "cn": "crm", "member": f"uid=ada,{PEOPLE}"}))
        settle(w, d)
        assert compare(w, d, skip=["bob", "cyd"]) == 1
        # cyd cannot have the attribute, so all of it is taken back, bob's part too, which was handed over
        d.modify(crm, ("add", "member", f"uid=bob,{PEOPLE}", f"uid=cyd,{PEOPLE}"), code=65)
        common.becomes(lambda: len(events_of(w, "bob")) == 3, "bob is not read back")
        settle(w, d)
        assert events_of(w, "bob")[1:] == ["prov:put:full"] * 2, events_of(w, "bob")
        assert "bob@acme.example" not in w.org.users() or not w.org.user("bob@acme.example")["IsActive"]
        d.modify(crm, ("replace", "member", f"uid=bob,{PEOPLE}"))
        settle(w, d)
        compare(w, d, inactive=["ada"], skip=["cyd"])


def test_what_a_role_or_a_class_of_service_gives_is_handed_over():
    """It is stored in no entry, and a list finds it: an event must not say otherwise."""
    role, template = f"cn=locked,{PEOPLE}", f"cn=locks,{PEOPLE}"
    with world() as w, DS389(w, {"filter": f"(&(objectClass=person)(!(nsRole=cn=guests,{PEOPLE})))"}) as d:
        def class_of_service(name, kind, **more):
            return (f"cn={name},{PEOPLE}", {"objectClass": ["LDAPSubEntry", "cosSuperDefinition", kind], "cn": name, **more})

        def a_role(dn):
            return dn, {"objectClass": ["LDAPSubEntry", "nsRoleDefinition", "nsSimpleRoleDefinition", "nsManagedRoleDefinition"]}

        d.seed()
        d.add(a_role(role), a_role(f"cn=guests,{PEOPLE}"), (template, {"objectClass": "nsContainer"}),
              (f'cn="{role}",{template}', {"objectClass": ["extensibleObject", "cosTemplate"], "nsAccountLock": "true"}),
              class_of_service("lock", "cosClassicDefinition", cosTemplateDn=template, cosSpecifier="nsRole",
                               cosAttribute="nsAccountLock operational"),
              (f"cn=place,{PEOPLE}", {"objectClass": ["cosTemplate", "extensibleObject"], "l": "Berlin"}),
              class_of_service("city", "cosPointerDefinition", cosTemplateDn=f"cn=place,{PEOPLE}", cosAttribute="l"))
        d.stop()
        d.start()  # which has read the definitions then
        d.add(person("ada"), person("bob", l="Paris"), person("cyd"))
        ada, cyd = f"uid=ada,{PEOPLE}", f"uid=cyd,{PEOPLE}"

        def is_as_shown(locked):
            settle(w, d)
            assert compare(w, d) == 3 and w.org.user("ada@acme.example")["IsActive"] != locked

        is_as_shown(False)
        assert [w.org.user(f"{name}@acme.example")["City"] for name in ("ada", "bob")] == ["Berlin", "Paris"]
        d.modify(ada, ("add", "nsRoleDN", role))
        is_as_shown(True)
        d.modify(ada, ("replace", "title", "Dr"))
        is_as_shown(True)
        d.modify(ada, ("delete", "nsRoleDN"))
        is_as_shown(False)
        d.modify(cyd, ("add", "nsRoleDN", f"cn=guests,{PEOPLE}"))
        settle(w, d)
        compare(w, d, inactive=["cyd"])
        assert common.mark_of(w) is None, common.mark_of(w)


def test_a_wrong_configuration_stops_the_server_with_a_clear_line():
    with world() as w:
        for config, words in common.wrong_configurations(w):
            d = DS389(w, config)
            said = d.refuses_to_start()
            assert words in said, (config, said)
        with DS389(w, {}) as d:
            d.seed()
        d.write_adapter("{")
        for name, *arguments in (("db2ldif", "-n", "userroot", "-a", f"{d.folder}/ldif/out.ldif"),
                                 ("ldif2db", "-n", "userroot", "-i", f"{d.folder}/ldif/out.ldif"), ("dbverify",),
                                 ("db2index", "-n", "userroot", "-t", "uid"),
                                 ("db2archive", "-a", f"{d.folder}/bak/all"), ("archive2db", "-a", f"{d.folder}/bak/all")):
            done = d.tool(name, *arguments)
            assert done.returncode == 0, ("a tool must work all the same", name, done.returncode, done.stderr, d.said())
        assert SUFFIX in open(f"{d.folder}/ldif/out.ldif").read()


def test_the_tools_do_no_harm():
    with world() as w, DS389(w, {"deliver": False}) as d:
        d.seed()
        d.add(person("ada"))
        d.stop()
        mark = common.mark_file(w)
        assert common.mark_of(w) is None, common.mark_of(w)
        done = d.tool("db2ldif", "-n", "userroot", "-a", f"{d.folder}/ldif/out.ldif")
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert "uid: ada" in open(f"{d.folder}/ldif/out.ldif").read()
        assert common.mark_file(w) == mark, "db2ldif wrote the mark"
        text = open(f"{d.folder}/ldif/out.ldif").read()
        with open(f"{d.folder}/ldif/in.ldif", "w") as file:
            dn, attributes = person("new", "New", "Comer")
            file.write(text + f"\ndn: {dn}\n" + "".join(f"{key}: {value}\n" for key, value in attributes.items()))
        d.own()
        done = d.tool("ldif2db", "-n", "userroot", "-i", f"{d.folder}/ldif/in.ldif")
        assert done.returncode == 0, (done.stdout, done.stderr)
        d.start()
        assert resync(w, d)["counts"]["hired"] == 1
        settle(w, d)
        compare(w, d)


def test_of_two_replicated_nodes_one_is_active():
    with world() as w, DS389(w, {"active": False}) as first, DS389(w, {}) as second:
        first.seed()
        first.replicate_to(second)
        first.add(person("ada"), person("bob", "Bob", "Miller"))
        first.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"))
        first.rename(f"uid=bob,{PEOPLE}", "uid=rob")
        first.add(person("cyd", "Cyd", "Kahn"))
        common.same_on_both(first, second)
        first.delete(f"uid=cyd,{PEOPLE}")
        first.modify(f"uid=ada,{PEOPLE}", ("add", *first.lock))
        common.same_on_both(first, second)
        settle(w, second)
        compare(w, first, gone=["cyd"] if "cyd@acme.example" in w.org.users() else [])
        assert events_of(w, "ada")[-1] == "prov:put:full" and not w.org.users().get("ada@acme.example", {}).get("IsActive")


def take_out(d, installed):
    """Its entry: one that is switched off is loaded all the same."""
    entry = "cn=sfprov,cn=plugins,cn=config"
    d.modify(entry, ("replace", "nsslapd-pluginEnabled", "off"))
    d.stop()
    away = installed.adapter + ".away"
    os.rename(installed.adapter, away)
    d.refuses_to_start()
    os.rename(away, installed.adapter)
    d.start()
    d.delete(entry)
    d.stop()


def works_without(d):
    out = f"{d.folder}/ldif/out.ldif"
    for name, *arguments in (("db2ldif", "-n", "userroot", "-a", out), ("dbverify",)):
        done = d.tool(name, *arguments)
        assert done.returncode == 0, (name, done.stdout, done.stderr)
    with open(out, encoding="utf-8") as file, open(f"{d.conf}/dse.ldif", encoding="utf-8") as configuration:
        assert "uid: nora" in file.read() and "sfprov-389" not in configuration.read()


def test_an_upgrade_loses_nothing_and_a_removal_leaves_nothing_behind():
    common.an_upgrade_loses_nothing_and_a_removal_leaves_nothing_behind(DS389, take_out, works_without)


def test_memory_is_flat_over_many_changes():
    operations = int(os.environ.get("SFPROV_OPERATIONS", 3000))
    print(f"    {common.memory_is_flat(DS389, operations, 8192)} KiB more after {operations} changes")


def test_closed_refuses_what_could_not_be_kept_and_misses_nothing():
    assert not common.closed_refuses_what_could_not_be_kept(DS389)


def test_closed_refuses_of_who_cannot_be_read_all_but_a_lock():
    with world() as w, DS389(w, {"deliver": False, "on_failure": "closed", "columns": common.columns_with_a_photo(w)}) as d:
        ada = f"uid=ada,{PEOPLE}"
        d.seed()
        d.add(person("ada", title="Analyst"))
        settle(w, d)
        d.modify(ada, ("replace", "jpegPhoto", common.PHOTO), code=53)
        assert common.mark_of(w) is None, common.mark_of(w)
        d.modify(ada, ("replace", "jpegPhoto", common.PHOTO), ("add", *d.lock))
        settle(w, d)
        assert not w.org.user("ada@acme.example")["IsActive"] and "not UTF-8" in common.mark_of(w)["reason"]
        d.modify(ada, ("delete", d.lock[0]), code=53)
        d.modify(ada, ("delete", d.lock[0]), ("delete", "jpegPhoto"))
        settle(w, d)
        assert compare(w, d) == 1


def test_who_cannot_be_read_when_a_transaction_is_taken_back_is_not_gone():
    crm = f"cn=crm,{GROUPS}"
    with world() as w, DS389(w, {"columns": common.columns_with_a_photo(w), "filter": "(employeeType=staff)"},
                             on=["MemberOf Plugin"]) as d:
        d.seed()
        d.add(*(person(name, objectClass=["inetOrgPerson", "inetUser"], employeeType="staff") for name in ("ada", "bob")),
              person("cyd", employeeType="staff"), (crm, {"objectClass": "groupOfNames", "cn": "crm"}))
        d.modify(f"uid=bob,{PEOPLE}", ("replace", "employeeType", "guest"))
        photo = ("replace", "jpegPhoto", common.PHOTO)
        d.modify(f"uid=ada,{PEOPLE}", photo)
        d.modify(f"uid=bob,{PEOPLE}", photo, ("replace", "employeeType", "staff"))
        events = events_of(w, "ada"), events_of(w, "bob")
        # cyd cannot have the attribute, so all of it is taken back
        d.modify(crm, ("add", "member", *(f"uid={name},{PEOPLE}" for name in ("ada", "bob", "cyd"))), code=65)
        settle(w, d)
        assert common.mark_of(w)["missed"] == 6, "two are looked at again: " + str(common.mark_of(w))
        assert events[1][-1] == "feed:remove" and events_of(w, "bob") == events[1], "who is out and cannot be read stays that"
        assert set(events_of(w, "ada")[len(events[0]):]) == {"prov:put:full feed:add"}, events_of(w, "ada")
        assert w.org.user("ada@acme.example")["IsActive"]


def test_a_large_group_asks_for_no_resync():
    crm = f"cn=crm,{GROUPS}"
    with world(scope_groups=[crm]) as w, DS389(w, {"groups": [GROUPS]}) as d:
        names = [f"user{i}" for i in range(300)]
        d.seed()
        d.add(*(person(name, family=name.title()) for name in names),
              (crm, {"objectClass": "groupOfNames", "cn": "crm", "member": [f"uid={name},{PEOPLE}" for name in names]}))
        d.delete(crm)
        assert common.mark_of(w) is None, common.mark_of(w)
        settle(w, d)
        assert not any(user["IsActive"] for user in w.org.users().values())
        assert all(events_of(w, name)[-1] == "prov:put:full" for name in (names[0], names[-1]))


def test_who_cannot_be_read_and_is_locked_in_a_transaction_that_is_taken_back_stays():
    """Who is in a group is locked, so that another plugin writes the lock."""
    left = f"cn=left,{GROUPS}"
    with world() as w:
        columns = os.path.join(w.folder, "columns.json")
        with open(columns, "w", encoding="utf-8") as file:
            json.dump({"columns": {"jpegPhoto": "nickName",
                                   "memberOf": {"path": "active", "false": [left], "otherwise": True}}}, file)
        with DS389(w, {"columns": columns}, on=["MemberOf Plugin"]) as d:
            ada = f"uid=ada,{PEOPLE}"
            d.seed()
            d.add(person("ada", objectClass=["inetOrgPerson", "inetUser"]), person("cyd"),
                  (left, {"objectClass": "groupOfNames", "cn": "left"}))
            d.modify(ada, ("replace", "jpegPhoto", common.PHOTO))
            d.modify(left, ("add", "member", ada, f"uid=cyd,{PEOPLE}"), code=65)
            settle(w, d)
            assert w.org.user("ada@acme.example")["IsActive"], events_of(w, "ada")
            d.modify(left, ("add", "member", ada))
            settle(w, d)
            assert not w.org.user("ada@acme.example")["IsActive"], events_of(w, "ada")


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
