#!/usr/bin/env python3
"""Test connection: each step fails in its own way, and says with which words.

tests/golden/check.json holds the words of each case: what was seen (numbers and ids made equal), the cause,
the remedy. SFPROV_RECORD=1 writes it anew; read the difference before it is kept.
"""
import json
import os
import re
import socket
import sys
import time

import harness
from harness import World, create, person

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden/check.json")
# Every step there is, in order: names are promised in sfprov-connector(7).
STEPS = ["fields", "store", "sealing", "username", "address", "proxy", "dns", "tcp", "tls", "clock", "version", "token",
         "key", "org", "api", "permissions", "correlation", "profile", "seats", "roles", "mapping", "picklists",
         "email", "freeze", "quota"]
# Steps that cannot fail by themselves: what would make them fail is a fault of the connector fields before.
NEVER = {"address"}


# what libcurl and OpenSSL say, which differs from version to version
LIBRARIES = {
    r"OpenSSL/[\d.]+:|TLS connect error:": "<library>:",
    r"sslv3 alert|ssl/tls alert": "<alert>",
    r"Couldn't connect|Could not connect": "<no connection>",
    r"target host name|target ipv4 address": "<target>",
    r"(Failed to connect to <host> after <n> ms: Timeout was reached|SSL connection timeout|"
    r"Connection timed out after <n> milliseconds|SSL connection timed out after <n> milliseconds)": "<timeout>",
}


def plain(text):
    """Without what differs from run to run."""
    text = re.sub(r"\b00[0-9A-Za-z]{13,16}\b", "<id>", text or "")
    text = re.sub(r"/tmp/[^ ']*/", "<dir>/", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>", text)
    text = re.sub(r"127\.0\.0\.1(:| port )\d+", "<host>", text)
    text = re.sub(r"after \d+ ms", "after <n> ms", text)
    text = re.sub(r"\d+ milliseconds", "<n> milliseconds", text)
    for words, in_short in LIBRARIES.items():
        text = re.sub(words, in_short, text)
    return text


def rows(connector, step):
    return [row for row in connector.check()["steps"] if row["name"] == step and row["status"] not in ("ok", "skipped")]


def token_error(error, description):
    return lambda w: w.org.fault({"on": "token", "do": "status", "status": 400, "times": -1,
                                  "body": {"error": error, "error_description": description}})


def answers(on, status, code, message):
    return lambda w: w.org.fault({"on": on, "do": "status", "status": status, "times": -1,
                                  "body": [{"errorCode": code, "message": message}]})


def rule(field, **more):
    return {"mapping": [dict({"field": field}, **more)]}


def settings(**values):
    return lambda w: w.org.settings(**values)


def custom(**field):
    return settings(custom_fields=[field])


def versions(*offered):
    return lambda w: w.org.fault({"on": "versions", "do": "status", "status": 200, "times": -1, "body": [
        {"label": "Summer", "url": f"/services/data/v{version}", "version": version} for version in offered]})


OAUTH = {
    "authentication failure": ("invalid_grant", "authentication failure"),
    "no run-as user": ("invalid_grant", "no client credentials user enabled"),
    "flow not enabled": ("invalid_grant", "client credentials flow not enabled"),
    "wrong domain": ("invalid_grant", "request not supported on this domain"),
    "not approved": ("invalid_grant", "user hasn't approved this consumer"),
    "assertion": ("invalid_grant", "invalid assertion"),
    "audience": ("invalid_grant", "audience is invalid"),
    "expired token": ("invalid_grant", "expired access/refresh token"),
    "ip": ("invalid_grant", "ip restricted"),
    "hours": ("invalid_grant", "invalid login hours"),
    "inactive user": ("inactive_user", "inactive user"),
    "inactive user, as a grant": ("invalid_grant", "inactive user"),
    "inactive org": ("inactive_org", "organization is inactive"),
    "app access": ("invalid_app_access", "user is not admin approved to access this app"),
    "client id": ("invalid_client_id", "client identifier invalid"),
    "client": ("invalid_client", "invalid client credentials"),
    "request": ("invalid_request", "must use HTTP POST"),
    "grant type": ("unsupported_grant_type", "grant type not supported"),
    "scope": ("invalid_scope", "the requested scope is not allowed"),
    "access denied": ("access_denied", "end-user denied authorization"),
    "rate": ("rate_limit_exceeded", "number of logins exceeded"),
    "login rate": ("LOGIN_RATE_EXCEEDED", "LOGIN_RATE_EXCEEDED"),
    "unknown": ("unknown_error", "retry your request"),
}

# case: step, connector fields, what is done to the org before
CASES = {
    "store without a directory": ("store", {"store": "/nonexistent/store.db"}, None),
    "sealing key not there": ("sealing", {"sealing_key": "file:/nonexistent/key"}, None),
    "username without a domain": ("username", {"provisioning_domain": None}, None),
    "fields warn of http": ("fields", {}, None),
    "proxy not there": ("proxy", {"domain_name": "https://acme.my.salesforce.com", "proxy": "http://127.0.0.1:1"}, None),
    "port closed": ("tcp", {"domain_name": "http://127.0.0.1:1"}, None),
    "clock ahead": ("clock", {}, settings(clock_offset_s=-3600)),
    "version not offered": ("version", {"api_version": "v99.0"}, None),
    "version retiring": ("version", {}, versions("67.0", "68.0")),
    "no org there": ("version", {}, lambda w: w.org.fault({"on": "versions", "do": "garbage", "times": -1})),
    "cut off": ("version", {}, lambda w: w.org.fault({"on": "versions", "do": "drop_before", "times": -1})),
    "maintenance": ("version", {}, answers("versions", 503, "SERVICE_UNAVAILABLE", "down for maintenance")),
    "api disabled for the user": ("api", {}, settings(api_enabled=False)),
    "api disabled for the org": ("api", {}, answers("query", 403, "API_DISABLED_FOR_ORG",
                                                    "The REST API is not enabled for this Organization.")),
    "quota used up": ("api", {}, settings(api_max=10, api_used=10)),
    "session refused": ("api", {}, answers("query", 401, "INVALID_SESSION_ID",
                                           "This session is not valid for use with the REST API")),
    "version deprecated": ("api", {}, settings(deprecated_below=68)),
    "may not write users": ("permissions", {}, settings(manage_users=False)),
    "may not see the setup": ("permissions", {}, settings(view_setup=False)),
    "rights in no permission set": ("permissions", {}, settings(grouped_rights=True)),
    "correlation field not there": ("correlation", {"correlation_field": "Host_Id__c"}, None),
    "profile misspelt": ("profile", {"profile": "Standrd User"}, None),
    "no seats": ("seats", {}, settings(seats={"Salesforce": 2})),
    "few seats": ("seats", {}, settings(seats={"Salesforce": 5})),
    "role misspelt": ("roles", rule("UserRoleId", constant="Sales Manger"), None),
    "role of a lookup": ("roles", rule("UserRoleId", source={"source": "title", "steps": [
        {"lookup": {"CEO": "CEO", "Agent": "Suport Agent"}, "unknown": "absent"}]}), None),
    "profile of a rule": ("roles", rule("ProfileId", constant="Chatter Free Usr"), None),
    "field not there": ("mapping", rule("Badge__c", source="title"), None),
    "field misspelt": ("mapping", rule("Badge_No__c", source="title"), custom(name="Badge_Nr__c")),
    "field read-only": ("mapping", rule("Badge__c", source="title"), custom(name="Badge__c", read_only=True)),
    "field too short": ("mapping", rule("Badge__c", source="title", kind="text", length=200),
                        custom(name="Badge__c", length=20)),
    "number too small": ("mapping", rule("Cost__c", source="title", kind="number", precision=12, scale=2),
                         custom(name="Cost__c", type="double", precision=10, scale=2)),
    "lists of countries": ("mapping", {}, settings(address_picklists=True)),
    "a code beside the name": ("mapping", {"mapping": [{"field": "CountryCode", "source": "addresses.country"},
                                                       {"field": "Country", "constant": "Germany"},
                                                       {"field": "State", "remove": True}]},
                               settings(address_picklists=True)),
    "field of another kind": ("mapping", rule("Badge__c", source="active", kind="boolean"), custom(name="Badge__c")),
    "field required": ("mapping", {}, custom(name="Badge__c", required=True)),
    "time zone": ("picklists", {"time_zone": "Europe/Berln"}, None),
    "picklist of a rule": ("picklists", rule("Site__c", constant="Brlin", kind="picklist"),
                           custom(name="Site__c", type="picklist", values=["Berlin", "Bonn"])),
    "freezing": ("freeze", {}, settings(manage_users=False)),
    "freezing is wanted": ("freeze", {"leaver_action": "freeze"}, settings(manage_users=False)),
    "reserve": ("quota", {}, settings(api_max=100, api_used=88)),
}
CASES.update({f"token: {name}": ("token", {}, token_error(*error)) for name, error in OAUTH.items()})


class Golden:
    def __init__(self):
        self.record = bool(os.environ.get("SFPROV_RECORD"))
        with open(GOLDEN, encoding="utf-8") as file:
            self.words = json.load(file)

    def compare(self, case, found):
        found = [{key: plain(row.get(key)) for key in ("name", "status", "seen", "cause", "remedy")} for row in found]
        assert found, f"{case}: nothing failed"
        for row in found:
            assert row["cause"] and row["remedy"] and row["seen"], (case, row)
        if self.record:
            self.words[case] = found
            with open(GOLDEN, "w", encoding="utf-8") as file:
                json.dump(self.words, file, indent=1, sort_keys=True, ensure_ascii=False)
                file.write("\n")
        assert found == self.words.get(case), f"{case}: {found} is not {self.words.get(case)}"


def test_every_step_says_what_was_seen_the_cause_and_what_to_do():
    golden = Golden()
    with World() as w:
        for case, (step, fields, before) in CASES.items():
            w.org.ask("POST", "/__org/reset")
            if before:
                before(w)
            fields = {key: value for key, value in dict(w.fields, **fields).items() if value is not None}
            connector = harness.Connector(fields)
            golden.compare(case, rows(connector, step))
            connector.close()
            w.org.ask("DELETE", "/__org/faults")
            w.org.settings(clock_offset_s=0)


def test_certificates():
    golden = Golden()
    for kind in ("expired", "wrong-host", "self-signed", "unknown-ca", "old-tls"):
        with World(certificate=kind) as w:
            golden.compare(f"certificate: {kind}", rows(w.connector(), "tls"))
    with World(certificate="good") as w:
        assert not rows(w.connector(), "tls")
        golden.compare("certificate: no ca_file", rows(w.connector(ca_file="/nowhere/ca.pem"), "tls"))


def test_a_name_that_is_none():
    with World() as w:
        found = rows(w.connector(domain_name="https://sfprov-no-such-org-0.my.salesforce.com"), "dns")
        assert len(found) == 1 and "Verify the domain name" in found[0]["remedy"] or "name server" in found[0]["cause"], found


def test_a_dead_network_is_told_by_the_step_that_waits():
    """Each phase has its own limit: that the step ends is what is shown here."""
    golden = Golden()
    with socket.socket() as full, World() as w:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        for _ in range(4):  # until the queue is full, and whoever comes is not answered
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        time.sleep(0.2)
        c = w.connector(domain_name=f"http://127.0.0.1:{port}")
        golden.compare("dead: nothing comes back", rows(c, "tcp"))
        for one in waiting:
            one.close()
    with socket.socket() as mute, World() as w:
        mute.bind(("127.0.0.1", 0))
        mute.listen(5)
        port = mute.getsockname()[1]
        golden.compare("dead: TLS is held back", rows(w.connector(domain_name=f"https://127.0.0.1:{port}"), "tls"))
        golden.compare("dead: no answer", rows(w.connector(domain_name=f"http://127.0.0.1:{port}"), "version"))


def test_a_network_that_trickles_does_not_draw_it_out():
    """Each answer comes whole in the end, all of them together would take minutes."""
    with World() as w:
        for on in ("query", "describe", "limits"):
            w.org.fault({"on": on, "do": "slow", "delay_ms": 6000, "times": -1})
        steps = w.connector().check()["steps"]
        failed = [row["name"] for row in steps if row["status"] == "failed"]
        assert failed == ["api"] and [row["name"] for row in steps] == STEPS, steps


def test_after_one_call_without_an_answer_no_other_is_made():
    with World() as w:
        w.org.fault({"on": "query", "do": "drop_before", "times": -1})
        steps = w.connector().check()["steps"]
        failed = [row["name"] for row in steps if row["status"] == "failed"]
        assert failed == ["api"], failed
        assert all("'api'" in row["seen"] for row in steps if row["status"] == "skipped"), steps


def test_all_steps_are_there_in_order_and_all_have_a_case():
    with World() as w:
        c = w.connector()
        names = [row["name"] for row in c.check()["steps"]]
        assert names == STEPS, names
        assert not os.path.exists(w.fields["store"]), "a look makes no store"
        dead = [row["name"] for row in w.connector(domain_name="http://127.0.0.1:1").check()["steps"]]
        assert dead == STEPS, dead
    covered = {rows[0]["name"] for rows in Golden().words.values()}
    elsewhere = {"dns",  # test_a_name_that_is_none
                 "email",  # test_allowed_domains_are_told
                 "key",  # test_login.py
                 "org"}  # test_another_org
    assert set(STEPS) == covered | elsewhere | NEVER, set(STEPS) ^ (covered | elsewhere | NEVER)


def seen(connector, step):
    return [(row["status"], row["seen"]) for row in connector.check()["steps"] if row["name"] == step]


def test_allowed_domains_are_told():
    with World() as w:
        c = w.connector()
        assert seen(c, "email") == [("ok", "no list of allowed e-mail domains is shown to the execution user")]
        w.org.settings(email_domains=["acme.example", "emea.acme.example"])
        assert seen(c, "email") == [("ok", "e-mail addresses of 'acme.example', 'emea.acme.example' are taken, and no "
                                           "others (Setup > Allowed Email Domains)")]


def test_whether_domains_are_allowed_is_not_said_when_it_cannot_be_asked():
    with World() as w:
        c, failed = w.connector(), set()
        for skip in range(10):  # of the queries one after the other
            w.org.fault({"on": "query", "do": "status", "status": 503, "skip": skip})
            failed |= {row["name"] for row in c.check()["steps"] if row["status"] == "failed"}
        assert "email" in failed, failed


def test_a_mapping_of_codes_fits_an_org_with_lists_of_countries():
    with World(mapping=[{"field": "Country", "remove": True}, {"field": "State", "remove": True},
                        {"field": "CountryCode", "source": "addresses[type eq \"work\"].country"},
                        {"field": "StateCode", "source": "addresses[type eq \"work\"].region"}]) as w:
        w.org.settings(address_picklists=True)
        assert seen(w.connector(), "mapping")[0][0] == "ok", seen(w.connector(), "mapping")
        w.org.settings(address_picklists=False)  # and the other way round: the fields are not there
        assert [status for status, _ in seen(w.connector(), "mapping")] == ["failed", "failed"]


def test_another_org():
    with World() as w:
        first = w.connector()
        first.accept(create("/Users/1", person("ada")))
        first.settle()
        other = w.connector(domain_name=w.org.facts["orgs"]["globex"])
        result = other.check()
        found = [row for row in result["steps"] if row["status"] == "failed"]
        assert [row["name"] for row in found] == ["org"] and "new store" in found[0]["remedy"], result
        skipped = [row["name"] for row in result["steps"] if row["status"] == "skipped"]
        assert skipped == STEPS[STEPS.index("org") + 1:], skipped


def test_a_check_works_beside_a_delivery_and_changes_nothing():
    with World() as w:
        first = w.connector()
        first.accept(create("/Users/1", person("ada")))
        first.settle()
        writes = w.org.calls()["totals"]
        result = w.connector(flags=harness.NEVER_DELIVER).check()
        assert result["ok"] and result["worst"] == "warning", result
        after = w.org.calls()["totals"]
        changed = {key for key in after if after[key] != writes.get(key)}
        assert not any("POST /services/data" in key or "PATCH" in key for key in changed), changed
        assert first.user("/Users/1")["state"] == "in_step"


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
