"""What a monitor sees: the numbers of `status`, read with Prometheus' own parser, and the files of
docs/monitoring that work on them."""
import configparser
import json
import os
import re
import shutil
import subprocess
import sys

# Debian's packages, whichever python3 comes first in PATH
sys.path.append("/usr/lib/python3/dist-packages")
import yaml
from prometheus_client.parser import text_string_to_metric_families

import harness
from harness import CLI, E_INVALID, NEVER_DELIVER, PLUGIN, Failure, World, create, person, put, simple

SOURCES = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "../.."))
MONITORING = os.path.join(SOURCES, "docs/monitoring")


def status(world, *arguments, code=0, **fields):
    path = os.path.join(world.folder, "fields.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(dict(world.fields, **fields), file)
    os.chmod(path, 0o600)
    done = subprocess.run([CLI, "status", *arguments], capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, SFPROV_PLUGIN=PLUGIN, SFPROV_FIELDS=path))
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def read(text):
    """{(name, label, ...): value}; what Prometheus would refuse or its linter complain of is a failure."""
    samples, store = {}, None
    for family in text_string_to_metric_families(text):
        assert family.documentation and family.type in ("gauge", "counter"), family
        for sample in family.samples:
            assert sample.name == family.name + ("_total" if family.type == "counter" else ""), sample
            labels = dict(sample.labels)
            store = store or labels["store"]
            assert labels.pop("store") == store and sample.timestamp is None, sample
            key = (sample.name, *labels.values()) if sample.name != "sfprov_info" else (sample.name,)
            assert key not in samples, key
            samples[key] = sample.value
    assert text.endswith("\n") and all(name.startswith("sfprov_") for name, *_ in samples)
    return samples


def test_a_version_that_is_being_retired_is_told_until_another_is_set():
    with World() as w:
        w.org.settings(deprecated_below=68)
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")))
        c.settle()
        told = c.query(query="status")["api_usage"]["deprecation"]
        assert told["api_version"] == "v67.0" and told["remedy"], told
        assert told["message"].startswith("This API is deprecated and will be removed by ") and '"' not in told["message"], told
        shown = status(w)
        assert told["message"] in shown and told["remedy"] in shown, shown
        assert "deprecated" not in status(w, api_version="v68.0"), "nothing is known of the new one"
        assert w.connector(api_version="v68.0").query(query="status")["api_usage"]["deprecation"] is None


def test_the_numbers_are_those_of_the_status_and_prometheus_reads_them():
    with World() as w:
        c = w.connector()
        c.act(act="hold"), c.act(act="resume")  # makes the store, which a look does not
        empty = read(c.query(query="status", format="prometheus")["text"])
        assert empty["sfprov_users", "in_step"] == 0 and ("sfprov_org_api_calls_used",) not in empty
        assert empty["sfprov_delivering",] == 0 and ("sfprov_last_delivered_timestamp_seconds",) not in empty
        c.accept(create("/Users/1", person("jdoe")), create("/Users/2", person("bad name")))
        c.settle()
        c.accept(put("/Users/3", person("new")))
        answer, told = c.query(query="status", format="prometheus"), c.query(query="status", format="json")
        assert answer["content_type"] == "text/plain; version=0.0.4; charset=utf-8"
        seen = read(answer["text"])
        states = {state: count for state, count in told["subjects"].items() if state != "total"}
        assert {key[1]: value for key, value in seen.items() if key[0] == "sfprov_users"} == states
        assert sum(states.values()) == told["subjects"]["total"] == 3 and states["parked"] == states["pending"] == 1
        assert seen["sfprov_users_by_code", "parked", "USERNAME"] == 1
        for name in ("events_accepted", "events_settled", "api_calls", "api_calls_failed"):
            assert seen[f"sfprov_{name}_total",] == told[name], name
        for name in ("delivered", "refused", "retried"):
            assert seen["sfprov_changes_total", name] == told["changes_" + name], name
        assert seen["sfprov_org_api_calls_used",] == told["api_usage"]["used"] > 0
        assert seen["sfprov_org_api_calls_limit",] == told["api_usage"]["max"]
        assert seen["sfprov_store_bytes",] == os.stat(w.fields["store"]).st_size == told["files"]["store_bytes"]
        assert seen["sfprov_store_wal_bytes",] == os.stat(w.fields["store"] + "-wal").st_size
        assert seen["sfprov_store_free_bytes",] > 0 and seen["sfprov_info",] == 1
        assert seen["sfprov_last_delivered_timestamp_seconds",] > 1_700_000_000 and told["last_delivered_s"] >= 0
        assert told["version"] and told["schema"] > 0
        try:
            c.query(query="status", format="xml")
            raise AssertionError("xml is no format")
        except Failure as error:
            assert error.code == E_INVALID and "prometheus" in error.text, error


def test_who_delivers_is_told_by_whoever_asks():
    with World() as w:
        c = w.connector()
        looker = w.connector(flags=NEVER_DELIVER)
        c.accept(create("/Users/1", person("jdoe")))
        assert c.query(query="status")["delivering"] is None
        c.settle()
        for asked in (c, looker):
            assert asked.query(query="status")["delivering"] == {"process": os.getpid()}
        out = status(w)
        assert f"process {os.getpid()}" in out and "last delivered" in out and "free" in out, out
        assert json.loads(status(w, "--json"))["delivering"] == {"process": os.getpid()}
        # a look has dropped nothing
        c.accept(put("/Users/1", person("jdoe", title="Chief")))
        c.settle()
        c.close()
        assert "nobody delivers" in status(w)
        assert json.loads(status(w, "--json"))["delivering"] is None


def test_a_hold_the_guard_and_trouble_are_seen_and_end():
    with World(guard_percent=0, guard_floor=1) as w:
        c = w.connector()
        c.accept(*[create(f"/Users/{n}", person(f"u{n}")) for n in range(4)])
        c.settle()
        seen = read(status(w, "--prometheus"))
        assert not seen["sfprov_hold", "admin"] and not seen["sfprov_hold", "salesforce"]
        assert not seen["sfprov_trouble",] and not seen["sfprov_deactivations_held",]
        status(w)
        c.act(act="hold", reason="maintenance")
        assert read(status(w, "--prometheus"))["sfprov_hold", "admin"] == 1
        status(w, code=4)
        c.act(act="resume")
        c.accept(*[simple(f"/Users/{n}", "prov:deactivate") for n in range(4)])
        c.deliver()
        seen = read(status(w, "--prometheus"))
        assert seen["sfprov_deactivations_held",] > 0 and not seen["sfprov_hold", "admin"], seen
        status(w, code=4)
        c.act(act="release")
        c.settle()
        assert read(status(w, "--prometheus"))["sfprov_deactivations_held",] == 0
        w.org.fault({"on": "query", "do": "status", "status": 503, "times": 1})
        c.accept(put("/Users/1", person("u1", title="Chief")), create("/Users/9", person("u9")))
        c.deliver(0)
        assert read(status(w, "--prometheus"))["sfprov_trouble",] == 1
        status(w, code=4)
        c.settle()
        assert read(status(w, "--prometheus"))["sfprov_trouble",] == 0


def test_two_connectors_of_one_machine_do_not_meet():
    with World() as one, World() as two:
        texts = []
        for w in (one, two):
            w.connector().accept(create("/Users/1", person("jdoe")))
            texts.append(status(w, "--prometheus"))
        names = [line.rsplit(" ", 1)[0] for text in texts for line in text.splitlines() if line[0] != "#"]
        assert len(names) == len(set(names))


def test_no_half_answer_where_there_is_none():
    with World() as w:
        assert status(w, "--prometheus", code=3, batch_size=900) == ""
        with open(w.fields["store"], "w", encoding="utf-8") as file:
            file.write("this is no database" * 99)
        os.chmod(w.fields["store"], 0o600)
        assert status(w, "--prometheus", code=5) == ""
        assert status(w, "--prometheus", "--json", code=2) == ""


def test_the_alerts_ask_for_numbers_that_there_are():
    with World("--seats", "3") as w:
        c = w.connector()
        c.accept(create("/Users/1", person("jdoe")), create("/Users/2", person("bad name")), create("/Users/3", person("u3")))
        c.settle()
        text = c.query(query="status", format="prometheus")["text"]
    labels, words = {}, set(re.findall(r"^# TYPE (\S+)", text, re.M))
    for name, inner in re.findall(r"^(\w+)\{(.*)\} ", text, re.M):
        labels.setdefault(name, set()).update(re.findall(r'(\w+="[^"]*")', inner))
    with open(os.path.join(MONITORING, "sfprov.rules.yml"), encoding="utf-8") as file:
        rules = yaml.safe_load(file)["groups"][0]["rules"]
    assert len(rules) > 10 and len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        asked = re.findall(r"(sfprov_\w+)(?:\{([^}]*)\})?", rule["expr"])
        assert asked or "node_textfile" in rule["expr"], rule
        assert rule["annotations"]["summary"] and rule["labels"]["severity"] in ("warning", "critical"), rule
        for name, selector in asked:
            assert name in words, (rule["alert"], name)
            assert set(re.findall(r'\w+="[^"]*"', selector)) <= labels[name], (rule["alert"], selector)
    with open(os.path.join(SOURCES, "docs/monitoring.md"), encoding="utf-8") as file:
        told = set(re.findall(r"sfprov_[a-z_]+", file.read()))
    assert told <= words, told - words


def test_prometheus_takes_the_alerts():
    promtool = shutil.which("promtool")
    if not promtool:  # Debian has it in `prometheus`, of 100 MB; so it is in no list of packages
        raise harness.NotRun("promtool is not installed")
    done = subprocess.run([promtool, "check", "rules", os.path.join(MONITORING, "sfprov.rules.yml")], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)


def test_systemd_takes_each_line_of_the_units():
    if not shutil.which("systemd-analyze"):
        raise harness.NotRun("systemd-analyze is not installed")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                           *(os.path.join(MONITORING, f"sfprov-metrics.{kind}") for kind in ("service", "timer"))],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_service_writes_the_numbers_for_the_collector():
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    assert unit.read(os.path.join(MONITORING, "sfprov-metrics.service"))
    line = re.fullmatch(r"/bin/sh -c '(.*)'", unit["Service"]["ExecStart"])[1]
    with World() as w:
        w.connector().accept(create("/Users/1", person("bad name")))
        status(w)  # writes the fields file
        into = os.path.join(w.folder, "collector")
        os.mkdir(into)
        environment = dict(os.environ, SFPROV_PLUGIN=os.path.abspath(PLUGIN), SFPROV_FIELDS=os.path.join(w.folder, "fields.json"),
                           PATH=os.path.dirname(os.path.abspath(CLI)) + ":" + os.environ["PATH"])
        subprocess.run(["/bin/sh", "-c", line], cwd=into, env=environment, check=True, timeout=60)
        assert os.listdir(into) == ["sfprov.prom"]
        with open(os.path.join(into, "sfprov.prom"), encoding="utf-8") as file:
            before = file.read()
        assert read(before)["sfprov_users", "pending"] == 1
        # what cannot be had takes no good file's place
        failed = subprocess.run(["/bin/sh", "-c", line], cwd=into, timeout=60, stderr=subprocess.DEVNULL,
                                env=dict(environment, SFPROV_FIELDS="/nonexistent"))
        assert failed.returncode != 0
        with open(os.path.join(into, "sfprov.prom"), encoding="utf-8") as file:
            assert file.read() == before


if __name__ == "__main__":
    harness.main(sys.modules["__main__"])
