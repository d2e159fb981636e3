#!/usr/bin/env python3
"""HTTPS and gzip: a user's life with an org whose certificate is good, and what happens with one
whose certificate is not: nothing is sent, the events wait, and the admin is told why and what to do."""
import gzip
import http.client
import json
import os
import subprocess
import sys

from harness import *  # noqa: F403


def test_a_users_life_over_https():
    with World(certificate="good") as w:
        assert w.org.url.startswith("https://")
        s = w.connector()
        s.accept(create("/Users/1", person("jane")), create("/Users/2", person("john", "John")))
        s.settle()
        assert sorted(w.org.users()) == ["primary-jane@acme.example", "primary-john@acme.example"]
        s.accept(patch("/Users/1", {"op": "replace", "path": "title", "value": "CEO"}), simple("/Users/2", "prov:deactivate"))
        s.settle()
        assert w.org.user("primary-jane@acme.example")["Title"] == "CEO"
        assert not w.org.user("primary-john@acme.example")["IsActive"]
        assert all(step["status"] in ("ok", "warning") for step in s.check()["steps"]), s.check()


def waits(w, cause, **fields):
    """A new user waits, not refused and not lost; the org heard nothing; the admin is told."""
    s = w.connector(**fields)
    s.accept(create("/Users/1", person("jane")))
    for _ in range(3):
        report = s.deliver()
        assert report.delivered == report.refused == 0 and report.pending == 1, (report.state, report.pending)
    assert w.org.calls()["count"] == 0 and w.org.usage()["token_requests"] == 0
    told = [line for _, line in s.lines if cause in line]
    assert told and "cause:" in told[0], s.lines
    step = next(step for step in s.check()["steps"] if step["name"] == "tls")
    assert step["status"] == "failed" and cause in step["cause"] and "ca_file" in step["remedy"], step
    return s


def test_a_bad_certificate_stops_everything_before_a_byte():
    for kind in ("expired", "wrong-host", "self-signed", "unknown-ca"):
        with World(certificate=kind) as w:
            waits(w, "certificate is not accepted")


def test_what_waits_for_a_ca_file_is_delivered_when_it_is_right():
    with World(certificate="good") as w:
        waits(w, "file of certificate authorities cannot be read", ca_file="/nowhere/ca.pem").close()
        s = w.connector()
        s.settle()
        assert list(w.org.users()) == ["primary-jane@acme.example"]


def test_the_system_s_authorities_count_where_no_ca_file_is_named():
    with World(certificate="good") as w:
        fields = {key: value for key, value in w.fields.items() if key != "ca_file"}
        w.fields = fields
        waits(w, "certificate is not accepted")


def test_check_tells_an_admin_what_to_do():
    with World(certificate="unknown-ca") as w:
        path = os.path.join(w.folder, "fields.json")
        with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(w.fields, file)
        run = subprocess.run([CLI, "--plugin", PLUGIN, "--config", path, "check"], capture_output=True, text=True,
                             timeout=60)
        assert run.returncode != 0
        assert "certificate is not accepted" in run.stdout and "ca_file" in run.stdout, run.stdout


def ask_packed(w, body):
    """A create whose body is packed, by a client that takes packed answers: status, encoding, answer."""
    token = w.org.ask("POST", "/services/oauth2/token?grant_type=client_credentials&client_id=" + w.fields["client_id"] +
                      "&client_secret=" + w.fields["client_secret"])["access_token"]
    connection = http.client.HTTPConnection(w.org.url.split("//")[1], timeout=30)
    connection.request("POST", "/services/data/v67.0/sobjects/User", body,
                       {"Content-Type": "application/json", "Content-Encoding": "gzip", "Accept-Encoding": "gzip",
                        "Authorization": "Bearer " + token})
    answer = connection.getresponse()
    data, encoding = answer.read(), answer.headers["Content-Encoding"]
    connection.close()
    return answer.status, encoding, json.loads(gzip.decompress(data))


def test_the_simulated_org_takes_and_gives_gzip():
    with World() as w:
        profile = w.org.state()["profiles"]["Standard User"]
        user = {"Username": "ann@acme.example", "LastName": "Ann", "Email": "ann@acme.example", "Alias": "ann",
                "TimeZoneSidKey": "GMT", "LocaleSidKey": "en_US", "EmailEncodingKey": "UTF-8",
                "LanguageLocaleKey": "en_US", "ProfileId": profile}
        packed = gzip.compress(json.dumps(user).encode())
        status, encoding, answer = ask_packed(w, packed)
        assert (status, encoding, answer["success"]) == (201, "gzip", True), (status, encoding, answer)
        assert list(w.org.users()) == ["ann@acme.example"]
        status, encoding, answer = ask_packed(w, packed[:-4])
        assert (status, encoding, answer[0]["errorCode"]) == (415, "gzip", "UNSUPPORTED_MEDIA_TYPE"), answer


if __name__ == "__main__":
    main(sys.modules[__name__])
