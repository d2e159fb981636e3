#!/usr/bin/env python3
"""TLS in all that can be wrong with it, pins, client certificates, proxies: what is good works, what is not is
refused before a byte of a request is sent, and `check` says in which words."""
import os
import ssl
import sys
import tempfile

import canary
import harness
from front import DAY, Front, Issuer, Proxy, joined, pin
from harness import World, create, person
from test_check import Golden, rows

FOLDER = tempfile.TemporaryDirectory(prefix="sfprov-tls-")
MY_DOMAIN = "https://acme.my.salesforce.com"
SECRET = "pr0xy:p@ss/cAnArY word"
SEAL = os.urandom(32).hex()
canary.also(SEAL)


def issuers():
    """The authority that is trusted, one below it, and one that nobody knows."""
    if not hasattr(issuers, "made"):
        root = Issuer(FOLDER.name, "root")
        issuers.made = root, Issuer(FOLDER.name, "below", by=root), Issuer(FOLDER.name, "stranger")
        issuers.good = root.issue("good")
    return issuers.made


def front_of(w, certificate=None, **more):
    issuers()
    path, key = certificate or issuers.good
    return Front(w.org.url, path, key, **more)


def fields(front, **more):
    return dict({"domain_name": front.url, "ca_file": issuers()[0].path}, **more)


def works(w, front, **more):
    """A user is made through it, and `check` has nothing to say of TLS."""
    c = w.connector(**fields(front, **more))
    assert not [row for row in rows(c, "tls") if row["status"] == "failed"], c.check()
    c.accept(create("/Users/1", person("ada")))
    c.settle()
    assert list(w.org.users()) == ["primary-ada@acme.example"]
    assert front.bytes
    return c


def is_refused(w, front, step, **more):
    """Nobody is made or lost, the front saw not a byte of a request; the rows of the step that says why."""
    c = w.connector(**fields(front, **more))
    c.accept(create("/Users/1", person("ada")))
    report = c.deliver(500)
    assert report.delivered == report.refused == 0 and report.pending == 1, (report.delivered, report.refused)
    found = rows(c, step)
    assert front.bytes == 0 and not front.requests, front.requests
    assert not w.org.users() and w.org.usage()["token_requests"] == 0
    return found


def test_each_certificate_that_is_not_good_ends_it_before_a_byte_of_a_request():
    root, below, stranger = issuers()
    bad = {
        "expired": root.issue("expired", begin=-9 * DAY, end=-DAY),
        "not yet valid": root.issue("early", begin=DAY, end=9 * DAY),
        "another host": root.issue("elsewhere", hosts="DNS:acme.example,IP:192.0.2.1"),
        "signed by itself": root.issue("alone", own=True),
        "of a stranger": stranger.issue("strange"),
        "a part of the chain is missing": below.issue("lower"),
        "of a client": root.issue("client-only", use="clientAuth"),
    }
    golden = Golden()
    for case, certificate in bad.items():
        with World() as w, front_of(w, certificate) as front:
            golden.compare(f"front: {case}", is_refused(w, front, "tls"))
    for newest in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with World() as w, front_of(w, newest=newest) as front:
            golden.compare("front: old TLS", is_refused(w, front, "tls"))


def test_a_chain_that_is_whole_is_good():
    _, below, _ = issuers()
    path, key = below.issue("whole")
    with World() as w, front_of(w, (joined(FOLDER.name, path, below.path), key)) as front:
        works(w, front)


def test_tls_1_2_will_do():
    with World() as w, front_of(w, newest=ssl.TLSVersion.TLSv1_2) as front:
        works(w, front)


def test_a_certificate_that_ends_soon_is_warned_of():
    golden = Golden()
    root = issuers()[0]
    for days, warned in ((29, True), (31, False)):
        with World() as w, front_of(w, root.issue(f"soon-{days}", end=days * DAY)) as front:
            c = works(w, front)
            found = rows(c, "tls")
            assert bool(found) == warned, found
            if warned:
                golden.compare("front: ends soon", found)


def test_a_pin_is_kept():
    right, wrong = pin(issuers()[0].issue("pinned")[0]), pin(issuers()[2].path)
    pinned = tuple(os.path.join(issuers()[0].folder, name) for name in ("pinned.pem", "pinned.key"))
    for value in (right, wrong + ";" + right):
        with World() as w, front_of(w, pinned) as front:
            works(w, front, tls_pin=value)
    with World() as w, front_of(w, pinned) as front:
        Golden().compare("front: another pin", is_refused(w, front, "tls", tls_pin=wrong))


def client(certificate):
    return {"client_certificate": certificate[0], "client_key": "file:" + certificate[1]}


def test_a_client_certificate_is_shown_where_it_is_wanted():
    root, _, stranger = issuers()
    good = root.issue("client", hosts="DNS:host.acme.example", use="clientAuth")
    bad = {
        "none": {},
        "of a stranger": client(stranger.issue("client", hosts="DNS:host.acme.example", use="clientAuth")),
        "expired": client(root.issue("old-client", hosts="DNS:host.acme.example", use="clientAuth", begin=-9 * DAY, end=-DAY)),
        "key of another": {"client_certificate": good[0], "client_key": "file:" + root.issue("other")[1]},
        "key not there": {"client_certificate": good[0], "client_key": "file:/nonexistent/client.key"},
        "file not there": {"client_certificate": "/nonexistent/client.pem", "client_key": "file:" + good[1]},
    }
    golden = Golden()
    for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with World() as w, front_of(w, clients=root.path, newest=newest) as front:
            works(w, front, **client(good))
        for case, more in bad.items():
            with World() as w, front_of(w, clients=root.path, newest=newest) as front:
                golden.compare(f"front: client certificate, {case}, {newest.name}", is_refused(w, front, "tls", **more))


def by_proxy(w, proxy, front, **more):
    return w.connector(domain_name=MY_DOMAIN, ca_file=issuers()[0].path, proxy=proxy.url, **more)


def moving(w, front, proxy, keeps):
    """A connector that has a token of an org, which is somewhere else since."""
    front.origin = "https://acme--old.my.salesforce.com"
    if keeps:
        key = os.path.join(w.folder, "seal.key")
        with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(SEAL + "\n")
        w.fields["sealing_key"] = "file:" + key
    c = by_proxy(w, proxy, front)
    c.accept(create("/Users/1", person("ada")))
    c.settle()
    if keeps:  # another process takes the token that is kept
        c.close()
        c = by_proxy(w, proxy, front)
    proxy.lose("acme--old.my.salesforce.com")
    return c


def test_an_org_that_was_moved_is_found_by_the_next_login():
    for keeps in (True, False):
        with World() as w, front_of(w) as front, Proxy(front.port) as proxy:
            c = moving(w, front, proxy, keeps)
            front.origin = "https://acme--new.my.salesforce.com"
            c.accept(create("/Users/2", person("bob")))
            c.settle()
            assert len(w.org.users()) == 2 and w.org.usage()["token_requests"] == 2, (keeps, w.org.usage())
            c.close()
            c = by_proxy(w, proxy, front)
            c.accept(create("/Users/3", person("eve")))
            c.settle()
            assert w.org.usage()["token_requests"] == (2 if keeps else 3), (keeps, w.org.usage())


def test_an_instance_that_is_away_for_a_moment_costs_no_login():
    with World() as w, front_of(w) as front, Proxy(front.port) as proxy:
        c = moving(w, front, proxy, False)
        c.accept(create("/Users/2", person("bob")))
        c.deliver(0)
        assert w.org.usage()["token_requests"] == 1, w.org.usage()
        proxy.gone.clear()
        c.settle()
        assert len(w.org.users()) == 2 and w.org.usage()["token_requests"] == 1, w.org.usage()


def test_a_proxy_that_asks_for_a_password():
    golden = Golden()
    right = {"proxy_username": "pr0xy", "proxy_password": "p@ss/cAnArY word"}
    for case, more in {"right": right, "wrong": dict(right, proxy_password="cAnArY-other"), "none": {}}.items():
        with World() as w, front_of(w, origin=MY_DOMAIN) as front, Proxy(front.port, wants=SECRET) as proxy:
            c = by_proxy(w, proxy, front, **more)
            c.accept(create("/Users/1", person("ada")))
            c.deliver(500)
            steps = {row["name"]: row for row in c.check()["steps"]}
            assert all(head.startswith("CONNECT acme.my.salesforce.com:443 ") for head in proxy.heads), proxy.heads
            assert not any(word in "".join(proxy.heads) for word in ("Bearer", "client_secret", "oauth2"))
            if case == "right":
                c.settle()
                assert list(w.org.users()) == ["primary-ada@acme.example"] and proxy.url in steps["proxy"]["seen"]
                assert steps["tls"]["status"] == "ok", steps
            else:
                assert front.bytes == 0 and not front.refused
                golden.compare(f"proxy: {case}", rows(c, "proxy"))


def test_a_proxy_that_opens_tls_is_refused_unless_its_authority_is_named():
    """As companies do: it answers in the place of every host, with certificates of its own."""
    root, _, stranger = issuers()
    opened = stranger.issue("opened")
    with World() as w, front_of(w, opened, origin=MY_DOMAIN) as front, Proxy(front.port) as proxy:
        c = by_proxy(w, proxy, front)
        Golden().compare("proxy: opens TLS", rows(c, "tls"))
        assert front.bytes == 0
        c = w.connector(domain_name=MY_DOMAIN, ca_file=stranger.path, proxy=proxy.url)
        c.accept(create("/Users/1", person("ada")))
        c.settle()
        assert list(w.org.users()) == ["primary-ada@acme.example"]


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
