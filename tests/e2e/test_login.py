"""Logging in: the browser's way, tokens that processes share, refresh tokens that survive a crash."""
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import canary
from harness import *

USER = "integr@acme.simulated.example"
SEAL = os.urandom(32).hex()
canary.also(SEAL)
PASTE = "https://login.salesforce.com/services/oauth2/success"


class Login(World):
    """A world whose app takes refresh tokens, with a sealing key."""

    def __init__(self, callback, **fields):
        super().__init__(**fields)
        key = os.path.join(self.folder, "seal.key")
        with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(SEAL + "\n")
        self.fields.update(sealing_key="file:" + key)
        self.org.ask("POST", "/__org/app", {"flows": ["client_credentials", "refresh_token", "authorization_code"],
                                            "callback_urls": [callback], "authorizes_as": USER})

    def write_fields(self):
        path = os.path.join(self.folder, "fields.json")
        with open(os.open(path + ".new", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.fields, file)
        os.rename(path + ".new", path)  # another process may be reading it
        return path

    def cli(self, *arguments, **more):
        return subprocess.Popen([CLI, "-c", self.write_fields(), "--plugin", PLUGIN, *arguments], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def store_bytes(self):
        found = b""
        for name in os.listdir(self.folder):
            if name.startswith("store.db"):
                with open(os.path.join(self.folder, name), "rb") as file:
                    found += file.read()
        return found


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def allow(url):
    """What a person does in the browser: where Salesforce sends it back to."""
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect).open(url)
    except urllib.error.HTTPError as answer:
        assert answer.code == 302, (answer.code, answer.read())
        return answer.headers["Location"]
    raise AssertionError("no redirect")


def shown_url(process):
    for line in process.stderr:
        if line.startswith("http"):
            return line.strip()
    raise AssertionError("no address was shown")


def log_in_pasted(w, text=lambda location: location):
    process = w.cli("login", "--paste")
    location = allow(shown_url(process))
    out, err = process.communicate(text(location) + "\n", timeout=PATIENCE_S)
    return process.returncode, out, err, location


def test_a_browser_on_this_machine_brings_the_code():
    port = free_port()
    with Login(f"http://localhost:{port}/OauthRedirect", flow="refresh_token") as w:
        process = w.cli("login", "--port", str(port))
        url = shown_url(process)
        assert "code_challenge_method=S256" in url and "state=" in url and "verifier" not in url
        # a stranger's answer is not taken
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            opener.open(f"http://127.0.0.1:{port}/OauthRedirect?code=x&state=forged")
            raise AssertionError("a forged state was taken")
        except urllib.error.HTTPError as answer:
            assert answer.code == 404
        answer = opener.open(allow(url).replace("localhost", "127.0.0.1"))
        assert b"close this page" in answer.read()
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0 and "the refresh token is kept" in out, (out, err)
        steps = {step["name"]: step for step in w.connector().check()["steps"]}
        assert steps["token"]["status"] == "ok" and "refresh_token" in steps["token"]["seen"], steps
        assert b"5Aep861" not in w.store_bytes()


def test_the_browser_of_this_machine_is_opened():
    port = free_port()
    with Login(f"http://localhost:{port}/OauthRedirect", flow="refresh_token") as w:
        opened, program = os.path.join(w.folder, "opened"), os.path.join(w.folder, "browser")
        with open(os.open(program, os.O_CREAT | os.O_WRONLY, 0o700), "w") as file:
            file.write('#!/bin/sh\necho noise; echo noise >&2; printf %s "$2" >"$0.new" && mv "$0.new" "$1"\n')
        environment = dict(os.environ, BROWSER=f"{program} {opened}")
        process = w.cli("login", "--port", str(port), env=environment)
        until(lambda: os.path.exists(opened), "a browser")
        with open(opened) as file:
            location = allow(file.read())
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(location.replace("localhost", "127.0.0.1"))
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0 and "noise" not in out + err and "was told to open it" in err, (out, err)
        os.unlink(opened)
        for arguments in (("--no-browser", "--port", str(port)), ("--paste",)):
            process = w.cli("login", *arguments, env=environment)
            shown_url(process)
            with open(f"/proc/{process.pid}/limits") as limits, open(f"/proc/{process.pid}/cmdline") as line:
                assert re.search(r"Max core file size +0 ", limits.read()), "a core dump would hold the token"
                assert not canary.found(line.read())
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_S)
            assert not os.path.exists(opened)


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken, Login(PASTE, flow="refresh_token") as w:
        process = w.cli("login", "--port", str(taken.getsockname()[1]))
        _out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 5 and "--port" in err and "--paste" in err, err


def test_a_code_may_be_pasted_in_every_form():
    forms = [lambda location: location,
             lambda location: location.split("?")[1],
             lambda location: location.split("code=")[1].split("&")[0],  # ends in %3D%3D
             lambda location: urllib.parse.unquote(location.split("code=")[1].split("&")[0])]
    with Login(PASTE, flow="refresh_token") as w:
        for form in forms:
            code, out, err, location = log_in_pasted(w, form)
            assert "%3D%3D" in location
            assert code == 0, (out, err)
            assert location.split("code=")[1][:20] not in out + err


def test_what_goes_wrong_at_the_browser_is_told():
    with Login(PASTE, flow="refresh_token") as w:
        w.org.ask("POST", "/__org/app", {"authorizes_as": None})
        code, _out, err, _location = log_in_pasted(w)
        assert code == 5 and "access_denied" in err, err
        w.org.ask("POST", "/__org/app", {"authorizes_as": USER, "flows": ["client_credentials", "authorization_code"]})
        code, _out, err, _location = log_in_pasted(w)
        assert code == 5 and "refresh_token, offline_access" in err, err
        code, _out, err, _location = log_in_pasted(w, lambda _: "aPrxNoSuchCode%3D%3D")
        assert code == 5 and "invalid authorization code" in err, err
        code, _out, err, _location = log_in_pasted(w, lambda location: re.sub("state=.*", "state=other", location))
        assert code == 4 and "another login" in err, err
    with Login(PASTE) as w:
        process = w.cli("login", "--paste")
        _out, err = process.communicate("", timeout=PATIENCE_S)
        assert process.returncode != 0 and "set the field flow to refresh_token" in err, err


def test_without_a_login_the_hold_says_what_to_do():
    with Login(PASTE, flow="refresh_token") as w:
        connector = w.connector()
        connector.accept(create("/Users/1", person("jane")))
        connector.deliver(1000)
        hold = connector.query(query="status")["hold"]
        assert "sfprov login" in hold["reason"], hold
        assert log_in_pasted(w)[0] == 0
        connector.act(act="resume")
        connector.settle()
        assert len(w.org.users()) == 1


def test_processes_share_one_token():
    with Login(PASTE) as w:
        first, second = w.connector(), w.connector()
        first.accept(create("/Users/1", person("jane")))
        first.settle()
        first.close()
        second.accept(create("/Users/2", person("john")))
        second.settle()
        process = w.cli("match")
        process.communicate("", timeout=PATIENCE_S)
        assert w.org.usage()["token_requests"] == 1, w.org.usage()
        # what was refused is not taken again, by nobody
        w.org.ask("POST", "/__org/expire_tokens")
        second.accept(create("/Users/3", person("joan")))
        second.settle()
        third = w.connector()
        third.accept(create("/Users/4", person("jim")))
        second.close()
        third.settle()
        assert w.org.usage()["token_requests"] == 2, w.org.usage()
        assert len(w.org.users()) == 4
        assert w.org.facts["client_secret"].encode() not in w.store_bytes()


def test_a_token_of_more_than_4_kib_is_shared_as_well():
    with Login(PASTE) as w:
        w.org.ask("POST", "/__org/app", {"jwt_access_tokens": True})
        for number in range(2):
            connector = w.connector()
            connector.accept(create(f"/Users/{number}", person(f"jane{number}")))
            connector.settle()
            connector.close()
        assert w.org.usage()["token_requests"] == 1 and len(w.org.users()) == 2, w.org.usage()


def test_of_processes_that_want_a_token_at_once_one_logs_in():
    with Login(PASTE) as w:
        first = w.connector()
        first.accept(create("/Users/1", person("jane")))
        first.settle()
        first.close()
        w.org.ask("POST", "/__org/expire_tokens")
        w.org.fault({"on": "token", "do": "delay", "delay_ms": 1000, "times": -1})
        before = w.org.usage()["token_requests"]
        processes = [w.cli("org", "--refresh") for _ in range(4)]
        for process in processes:
            _out, err = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, err
        assert w.org.usage()["token_requests"] == before + 1, w.org.usage()


def test_a_check_does_not_wait_long_for_who_is_logging_in():
    with Login(PASTE) as w:
        w.connector().accept(create("/Users/1", person("jane")))
        w.org.fault({"on": "token", "do": "delay", "delay_ms": 8000})
        process = w.cli("deliver")
        w.org.met("delay")
        steps = {step["name"]: step for step in w.connector().check()["steps"]}
        assert "another process is logging in" in steps["token"]["seen"], steps
        assert steps["token"]["cause"] and steps["token"]["remedy"] and steps["api"]["status"] == "skipped", steps
        _out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0 and len(w.org.users()) == 1, err


def test_a_login_and_a_renewal_do_not_cross():
    with Login(PASTE, flow="refresh_token") as w:
        w.org.ask("POST", "/__org/app", {"refresh_token_rotation": True})
        assert log_in_pasted(w)[0] == 0
        w.connector().accept(create("/Users/1", person("jane")))
        w.org.ask("POST", "/__org/expire_tokens")
        login = w.cli("login", "--paste")
        location = allow(shown_url(login))
        w.org.ask("DELETE", "/__org/calls")
        w.org.fault({"on": "token", "do": "delay", "delay_ms": 2000})
        renewal = w.cli("deliver")
        w.org.met("delay")
        _out, err = login.communicate(location + "\n", timeout=PATIENCE_S)
        assert login.returncode == 0, err
        _out, err = renewal.communicate(timeout=PATIENCE_S)
        assert renewal.returncode == 0, err
        # they stand in the order in which they ended: the login began when the slow renewal was over
        token_calls = [call["fault"] for call in w.org.calls()["calls"] if call["kind"] == "token"]
        assert token_calls == ["delay", None], token_calls
        w.org.ask("POST", "/__org/expire_tokens")
        connector = w.connector()
        connector.accept(create("/Users/2", person("joan")))
        connector.settle()
        assert len(w.org.users()) == 2


def test_without_a_sealing_key_nothing_is_kept():
    with World() as w:
        for number in (1, 2):
            connector = w.connector()
            connector.accept(create(f"/Users/{number}", person(f"jane{number}")))
            connector.settle()
            connector.close()
        assert w.org.usage()["token_requests"] == 2


def test_a_rotated_refresh_token_survives_a_kill():
    with Login(PASTE, flow="refresh_token") as w:
        w.org.ask("POST", "/__org/app", {"refresh_token_rotation": True})
        assert log_in_pasted(w)[0] == 0
        for number in range(4):
            w.org.ask("POST", "/__org/expire_tokens")
            # one query finds the kept token expired; the process is killed in the one after the renewal
            w.org.fault({"on": "query", "do": "delay", "delay_ms": 20000, "skip": 1})
            before = w.org.usage()["token_requests"]
            script = ("import sys, json; sys.path.insert(0, sys.argv[1])\n"
                      "from harness import *\n"
                      "c = Connector(json.loads(sys.argv[2]))\n"
                      "c.accept(create(f'/Users/{sys.argv[3]}', person(f'jane{sys.argv[3]}')))\n"
                      "c.deliver(20000)\n")
            process = subprocess.Popen([sys.executable, "-c", script, os.path.dirname(os.path.abspath(__file__)),
                                        json.dumps(w.fields), str(number)])
            until(lambda: w.org.usage()["token_requests"] > before, "a renewal")
            w.org.met("delay")
            process.send_signal(signal.SIGKILL)
            process.wait()
            w.org.ask("DELETE", "/__org/faults")
        connector = w.connector()
        connector.settle()
        assert len(w.org.users()) == 4
        assert w.org.usage()["token_requests"] == 5, w.org.usage()  # the login, and a renewal for each kill


def new_key(folder, name, days):
    """An RSA key and its certificate, both in files."""
    key, certificate = (os.path.join(folder, f"{name}.{kind}") for kind in ("key", "pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", "/CN=sfprov",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    canary.of_key(key)
    return key, certificate


def key_step(connector):
    steps = {step["name"]: step for step in connector.check()["steps"]}
    assert steps["token"]["status"] == "ok", steps["token"]
    return steps["key"]


def test_a_jwt_with_two_keys_while_one_is_changed():
    with World() as w:
        old, new = new_key(w.folder, "old", 20), new_key(w.folder, "new", 200)

        def takes(*certificates):
            w.org.ask("POST", "/__org/app", {"flows": ["jwt_bearer"], "approved": [USER],
                                             "certificates": [open(path).read() for path in certificates]})

        takes(old[1])
        del w.fields["client_secret"]
        w.fields.update(username=USER, private_key="file:" + old[0], certificate=old[1])
        c = w.connector()
        c.accept(create("/Users/1", person("jane")))
        c.settle()
        step = key_step(c)
        assert step["status"] == "warning" and "'private_key' is the key in use" in step["seen"] and step["remedy"], step
        w.fields.update(private_key_next="file:" + new[0])
        assert "'private_key' is" in key_step(w.connector())["seen"]
        takes(new[1])
        c.close()
        c = w.connector()
        assert "'private_key_next' is" in key_step(c)["seen"]
        c.accept(create("/Users/2", person("john")))
        c.settle()
        both = subprocess.run(["openssl", "pkcs12", "-export", "-inkey", new[0], "-in", new[1], "-passout", "pass:p12-cAnArY",
                               "-out", os.path.join(w.folder, "both.p12")], check=True, capture_output=True)
        assert not both.stderr, both.stderr
        os.chmod(os.path.join(w.folder, "both.p12"), 0o600)
        w.fields = {key: value for key, value in w.fields.items() if key not in ("private_key_next", "certificate")}
        w.fields.update(private_key=f"file:{w.folder}/both.p12", private_key_password="p12-cAnArY")
        step = key_step(w.connector())
        assert step["status"] == "ok" and "holds until" in step["seen"], step
        w.org.ask("POST", "/__org/app", {"approved": []})
        step = next(step for step in w.connector().check()["steps"] if step["name"] == "token")
        assert step["status"] == "failed" and "approved" in step["seen"] + step["cause"] + step["remedy"], step
        assert len(w.org.users()) == 2


def test_username_and_password_where_an_org_still_has_it():
    with World() as w:
        w.org.ask("POST", "/__org/app", {"flows": ["password"]})
        w.org.ask("POST", f"/__org/users/{USER}/password", {"password": "Passw0rd-cAnArY"})
        w.fields.update(flow="password", username=USER, password="Passw0rd-cAnArY", security_token="simulatedcAnArYToken0000")
        c = w.connector()
        c.accept(create("/Users/1", person("jane")))
        c.settle()
        steps = {step["name"]: step for step in c.check()["steps"]}
        assert steps["token"]["status"] == "ok" and "legacy" in str(steps["fields"]) + str(c.check()), steps
        bad = w.connector(security_token="cAnArY-other")
        step = next(step for step in bad.check()["steps"] if step["name"] == "token")
        assert step["status"] == "failed" and "authentication failure" in step["seen"] and step["remedy"], step
        assert len(w.org.users()) == 1


def test_what_a_kill_in_the_middle_of_the_answer_leaves_is_told():
    """Salesforce has rotated the token, and the answer with the new one did not come: nobody has it."""
    with Login(PASTE, flow="refresh_token") as w:
        w.org.ask("POST", "/__org/app", {"refresh_token_rotation": True})
        assert log_in_pasted(w)[0] == 0
        w.connector().accept(create("/Users/1", person("jane")))
        w.org.ask("POST", "/__org/expire_tokens")
        w.org.fault({"on": "token", "do": "slow", "delay_ms": 3000})
        process = w.cli("deliver")
        w.org.met("slow")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        connector = w.connector()
        connector.deliver(1000)
        hold = connector.query(query="status")["hold"]
        assert "sfprov login" in hold["remedy"], hold
        assert log_in_pasted(w)[0] == 0
        connector.act(act="resume")
        connector.settle()
        assert len(w.org.users()) == 1


if __name__ == "__main__":
    main(sys.modules[__name__])
