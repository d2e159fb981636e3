#!/usr/bin/env python3
"""OpenLDAP's slapd with the adapter loaded: what its own clients do to people, and what the org holds then."""
import functools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys

import common
from common import mark_of
from servers import GROUPS, LDAP_PASSWORD, PEOPLE, SUFFIX, cli, compare, events_of, harness, ldif, person, resync, settle, with_jemalloc, world
from slapd import Slapd

for case in (common.a_life_from_hire_to_delete, common.a_list_of_the_directory_says_what_the_events_said,
             common.refused_and_irrelevant_changes_hand_nothing_over, common.a_group_takes_users_into_scope_and_out,
             common.a_filter_and_bases_say_who_is_to_be_provisioned, common.configured_attributes_and_a_configured_lock,
             common.the_server_does_not_wait_for_salesforce, common.a_full_disk_marks_that_a_resync_is_needed,
             common.changes_at_the_same_time_end_as_the_directory_says, common.somebody_else_may_deliver,
             common.closed_refuses_what_could_not_be_kept, common.a_password_is_a_fact_and_never_a_value,
             common.a_password_in_clear_is_handed_over_where_that_is_wanted, common.a_posix_group_takes_users_into_scope_and_out,
             common.a_manager_who_comes_after_the_reports_is_linked, common.a_killed_server_loses_nothing_after_a_resync,
             common.the_adapters_own_file_says_who_is_listed, common.a_mark_is_made_whatever_the_name,
             common.who_cannot_be_read_and_is_locked_is_let_go, common.who_cannot_be_read_keeps_nobody_else_of_a_group,
             common.who_cannot_be_read_leaves_scope_all_the_same, common.an_attribute_counts_by_each_of_its_names,
             common.a_comma_in_the_name_of_a_base_is_found, common.a_filter_names_an_attribute_by_each_of_its_names):
    globals()["test_" + case.__name__] = functools.partial(case, Slapd)


def test_in_the_background_it_delivers_as_well():
    with world() as w:
        d = Slapd(w, {})
        d.start_detached()
        try:
            d.seed()
            d.add(person("ada"), person("bob"))
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Dr"))
            settle(w, d)
            assert compare(w, d) == 2
            d.stop()
        finally:
            d.stop(signal.SIGKILL)
        assert mark_of(w) is None, mark_of(w)


class AddedLive(Slapd):
    """Its configuration is cn=config, with the adapter from the first start on."""

    def start(self, seconds=30):
        first = not os.path.exists(f"{self.folder}/slapd.d")
        super().start(seconds)
        if first:
            code, said = self.add_plugin()
            assert code == 0, said
        return self


class WithJemalloc(Slapd):
    def environment(self):
        return with_jemalloc()


def test_with_another_malloc_it_delivers_as_well():
    common.a_life_from_hire_to_delete(WithJemalloc)


def test_a_wrong_configuration_stops_the_server_with_a_clear_line():
    with world() as w:
        for config, words in common.wrong_configurations(w):
            d = Slapd(w, config)
            said = d.refuses_to_start()
            assert words in said, (config, said)
            done = d.tool("slaptest")
            assert done.returncode != 0 and words in done.stderr, (config, done.stderr)
            done = d.tool("slapadd", input=f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: E\n")
            assert done.returncode == 0, ("a tool must work all the same", config, done.stderr)
            done = d.tool("slapcat")
            assert done.returncode == 0 and SUFFIX in done.stdout, (config, done.stderr)


def test_what_an_overlay_shows_is_handed_over():
    """An attribute that is stored nowhere in the person's entry."""
    with world() as w, Slapd(w, {}, extra=f'moduleload collect\noverlay collect\ncollectinfo "{PEOPLE}" l') as d:
        d.seed()
        d.modify(PEOPLE, ("replace", "l", "berlin"))
        d.add(person("ada"))
        for title in ("Dr", "Prof"):
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", title))
            settle(w, d)
            assert compare(w, d) == 1
            assert w.org.users()["ada@acme.example"]["City"] == "berlin"


def test_who_is_renamed_leaves_no_group_that_refint_puts_right_later():
    """Also with what lies above him; and nothing of that is taken for replication."""
    crm, unit = f"cn=crm,{GROUPS}", f"ou=unit,{PEOPLE}"
    with world(scope_groups=[crm]) as w, Slapd(w, {"groups": [GROUPS]},
                                               extra="moduleload refint\noverlay refint\nrefint_attributes member manager") as d:
        d.seed()
        d.add((unit, {"objectClass": "organizationalUnit"}), person("chief"), person("ada", manager=f"uid=chief,{PEOPLE}"),
              (f"uid=eve,{unit}", person("eve")[1]),
              (crm, {"objectClass": "groupOfNames", "cn": "crm", "member": [f"uid=ada,{PEOPLE}", f"uid=eve,{unit}", f"uid=chief,{PEOPLE}"]}))
        settle(w, d)
        assert compare(w, d) == 3
        d.rename(f"uid=ada,{PEOPLE}", "uid=ada.byron")
        d.rename(unit, "ou=sales")
        d.rename(f"uid=ada.byron,{PEOPLE}", "uid=ada.king")
        new = {f"uid=ada.king,{PEOPLE}", f"uid=eve,ou=sales,{PEOPLE}"}
        common.becomes(lambda: new <= set(d.entries(base=crm)[crm]["member"]), "refint does not put it right")
        d.delete(f"uid=chief,{PEOPLE}")
        common.becomes(lambda: len(events_of(w, "ada.king")) >= 6, "what refint changes of a person is not handed over")
        settle(w, d)
        compare(w, d, gone=["chief"])
        left = [call["body"] for call in w.org.calls()["calls"] if '"IsActive":false' in call.get("body", "")]
        assert len(left) == 1, ("more than the one who is gone were deactivated", left)
        assert not w.org.user("ada.king@acme.example").get("ManagerId") and mark_of(w) is None
        assert "syncrepl" not in d.said(), d.said()


def test_without_a_rootdn_a_resync_is_asked_for():
    with world() as w:
        d = Slapd(w, {}, rootdn=False)
        people = "".join(f"dn: {dn}\n" + "".join(f"{key}: {value}\n" for key, value in attributes.items()) + "\n"
                         for dn, attributes in (
                             (SUFFIX, {"objectClass": "dcObject", "objectclass": "organization", "o": "E"}),
                             (PEOPLE, {"objectClass": "organizationalUnit"}),
                             (d.admin, {"objectClass": "organizationalRole", "objectclass": "simpleSecurityObject",
                                        "userPassword": "secret-secret"}), person("ada")))
        done = d.tool("slapadd", input=people)
        assert done.returncode == 0, done.stderr
        with d:
            d.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Dr"))
            assert "rootdn" in mark_of(w)["reason"], mark_of(w)


def test_the_adapter_is_added_to_a_server_that_runs_and_is_there_after_a_restart():
    with world() as w, Slapd(w, {}, dynamic=True) as d:
        d.seed()
        d.add(person("before"))
        code, said = d.add_plugin()
        assert code == 0, said
        d.add(person("ada"))
        settle(w, d)
        assert set(w.org.users()) == {"ada@acme.example"}, w.org.users()
        d.stop()
        d.start()
        d.modify(f"uid=before,{PEOPLE}", ("replace", "title", "Dr"))
        settle(w, d)
        assert compare(w, d) == 2


def test_a_wrong_configuration_is_not_added_to_a_server_that_runs():
    with world() as w, Slapd(w, {"filed": 1}, dynamic=True) as d:
        d.seed()
        code, said = d.add_plugin()
        assert code != 0, said
        assert "'filed' is not known" in d.said(), d.said()
        d.add(person("ada"))


def take_out(d, installed):
    """Past the server, and while the file is there: without it there is no way to read the configuration."""
    d.stop()
    away = installed.adapter + ".away"
    lines = d.of_page("Remove")
    os.rename(installed.adapter, away)
    assert "file not found" in d.refuses_to_start()
    done = of_config(d, "slapmodify", "-n", "0", text=lines)
    assert done.returncode and "file not found" in done.stderr, done.stderr
    os.rename(away, installed.adapter)
    done = of_config(d, "slapmodify", "-n", "0", text=lines)
    assert done.returncode == 0, done.stderr


def of_config(d, name, *arguments, text=""):
    """A tool of slapd on the configuration that slapd itself has written."""
    return subprocess.run([shutil.which(name, path="/usr/sbin:" + os.environ.get("PATH", "")), "-F", f"{d.folder}/slapd.d", *arguments],
                          input=text, capture_output=True, text=True, timeout=60, check=False)


def works_without(d):
    for name, arguments, word in (("slaptest", (), ""), ("slapcat", ("-n", "0"), "olcDatabase"), ("slapcat", (), "uid=nora")):
        done = of_config(d, name, *arguments)
        assert done.returncode == 0 and word in done.stdout, (name, done.stderr)
        assert "olcPlugin:" not in done.stdout, name


def test_an_upgrade_loses_nothing_and_a_removal_leaves_nothing_behind():
    common.an_upgrade_loses_nothing_and_a_removal_leaves_nothing_behind(AddedLive, take_out, works_without, dynamic=True)


def test_memory_is_flat_over_many_changes():
    operations = int(os.environ.get("SFPROV_OPERATIONS", 3000))
    print(f"    {common.memory_is_flat(Slapd, operations, 4096)} KiB more after {operations} changes")


def test_a_list_by_a_command_leaves_alone_who_changes_while_it_runs():
    """By slapcat, as the documentation says, and by two searches."""
    other = f"ou=other,{SUFFIX}"
    with world() as w, Slapd(w, {"deliver": False}) as d:
        d.seed()
        d.add((other, {"objectClass": "organizationalUnit"}), person("ada"), person("bob", "Bob", "Miller"),
              (f"uid=cyd,{other}", person("cyd")[1]))
        who = ["-x", "-H", d.uri, "-D", d.admin, "-w", LDAP_PASSWORD]
        search = ["ldapsearch", "-LLL", *who, "-b"]
        slapcat = shutil.which("slapcat", path="/usr/sbin:" + os.environ.get("PATH", ""))
        late = os.path.join(w.folder, "late.ldif")
        for name, first, then, counts in (
                ("late", [slapcat, "-f", f"{d.folder}/slapd.conf", "-H",
                          f"ldap:///{SUFFIX}??sub?(objectClass=person)"], ["true"], (3, 3)),
                ("later", [*search, PEOPLE, "*", "+"], [*search, other, "*", "+"], (4, 4))):
            entry = person(name)
            with open(late, "w", encoding="utf-8") as file:
                file.write(ldif(*entry) + "\n")
            add = shlex.join(["ldapadd", *who, "-f", late]) + " >&2"
            command = f"{shlex.join(first)} && {add} && {shlex.join(then)}"
            done = cli(w, "sync", "--json", "--no-deliver", "--format", "ldif", "--command", "--", "sh", "-c", command)
            assert done.returncode == 0, done.stderr
            report = json.loads(done.stdout)
            assert not report["counts"]["lost"], report["counts"]
            assert (report["counts"]["listed"], report["counts"]["unchanged"]) == counts, report["counts"]
            assert name in {row["userName"] for row in json.loads(cli(w, "list", "--json").stdout)}, "nothing came meanwhile"


def transaction(d, *changes, code=0):
    """slapd answers a change of an LDAP transaction before it has done with it, and crashes, with a plugin or without, if the
    end of the transaction comes meanwhile (docs/hosts/openldap.md). ldapmodify sends the end when its input ends: that is once
    slapd has done with all before. What it does then is judged as everywhere: a slapd that is gone is a failure."""
    command = ["ldapmodify", "-x", "-H", d.uri, "-D", d.admin, "-w", LDAP_PASSWORD, "-E", "!txn=commit"]
    received = str(2 + len(changes))  # the bind and the start of the transaction as well

    def done_with_all():
        connections = d.entries(base="cn=Connections,cn=Monitor", filter="(objectClass=monitorConnection)").values()
        return any(entry["monitorconnectionopsreceived"] == entry["monitorconnectionopscompleted"] == [received] for entry in connections)

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:
        client.stdin.write("\n\n".join(changes) + "\n\n")
        client.stdin.flush()
        common.becomes(done_with_all, "slapd does not take the changes of a transaction")
        said, _ = client.communicate(timeout=60)
    assert client.returncode == code, (client.returncode, said, d.said()[-2000:])


def test_an_ldap_transaction_is_not_taken_for_done():
    """RFC 5805: slapd calls plugins before it commits, and not when it takes all of it back."""
    add = ldif(*person("new")).replace("\n", "\nchangetype: add\n", 1)
    delete = f"dn: uid=ada,{PEOPLE}\nchangetype: delete\n"
    change = f"dn: uid={{}},{PEOPLE}\nchangetype: modify\nreplace: title\ntitle: Dr\n"
    monitored = functools.partial(Slapd, extra="database monitor")

    with world() as w, monitored(w, {}) as d:
        d.seed()
        d.add(person("ada"), person("bob"))
        transaction(d, add, delete, change.format("nobody"), code=32)
        settle(w, d)
        assert compare(w, d) == 2 and "LDAP transaction" in mark_of(w)["reason"], mark_of(w)
        resync(w, d)
        transaction(d, change.format("bob").replace("title", "description"))
        assert mark_of(w) is None, mark_of(w)
        transaction(d, add, delete, change.format("bob"))
        assert "LDAP transaction" in mark_of(w)["reason"], mark_of(w)
        resync(w, d)
        settle(w, d)
        assert compare(w, d, gone=["ada"]) == 3 and mark_of(w) is None
    with world() as w, monitored(w, {"on_failure": "closed"}) as d:
        d.seed()
        d.add(person("ada"), person("bob"))
        for changes in ((add,), (delete,), (change.format("bob"),)):
            transaction(d, *changes, code=53)
        settle(w, d)
        assert compare(w, d) == 2 and mark_of(w) is None


def test_the_tools_do_no_harm():
    with world() as w, Slapd(w, {"deliver": False}) as d:
        d.seed()
        d.add(person("ada"))
        state = cli(w, "status", "--json").stdout
        done = d.tool("slaptest")
        assert done.returncode == 0, done.stderr
        done = d.tool("slapcat")
        assert done.returncode == 0 and "uid=ada" in done.stdout, done.stderr
        d.stop()
        mark = common.mark_file(w)
        assert mark_of(w) is None, mark_of(w)
        entry = person("new", "New", "Comer")
        text = f"dn: {entry[0]}\n" + "".join(f"{k}: {v}\n" for k, v in entry[1].items())
        done = d.tool("slapadd", input=text)
        assert done.returncode == 0, done.stderr
        assert common.mark_file(w) == mark, "slapadd wrote the mark"
        after = cli(w, "status", "--json").stdout
        assert json.loads(after)["subjects"] == json.loads(state)["subjects"], "slapadd handed something over"
        d.start()
        assert resync(w, d)["counts"]["hired"] == 1
        settle(w, d)
        compare(w, d)


def test_the_provider_of_two_replicated_nodes_is_the_active_one():
    with world() as w, Slapd(w, {}, provider=True) as first, Slapd(w, None, peer=first.uri, identity=2) as second:
        first.seed()
        first.add(person("ada"), person("bob", "Bob", "Miller"), person("cyd", "Cyd", "Kahn"))
        first.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "Countess"))
        settle(w, first)
        first.rename(f"uid=bob,{PEOPLE}", "uid=rob")
        first.delete(f"uid=cyd,{PEOPLE}")
        first.modify(f"uid=ada,{PEOPLE}", ("add", *first.lock))
        second.modify(f"uid=ada,{PEOPLE}", ("replace", "title", "refused here"), code=10)
        common.same_on_both(first, second)
        settle(w, first)
        compare(w, second, gone=["cyd"])


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
