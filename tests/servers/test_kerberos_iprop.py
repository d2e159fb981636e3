#!/usr/bin/env python3
"""A realm whose changes go to a replica as they come (iprop), with the hook in the krb5.conf of both."""
import json
import subprocess
import sys

from common import becomes, mark_of
from kerberos import Primary, Replica, compare, resync
from servers import alone, cli, events_of, harness
from test_kerberos import settle, world


def same(r, p):
    """Waits until the replica says what the primary says."""
    def arrived():
        try:
            return p.principals() == r.principals()
        except AssertionError:
            return False  # it has no database yet
    becomes(arrived, "the replica does not follow", 60)


def accepted(w):
    return json.loads(cli(w, "status", "--json").stdout)["events"]


def test_each_change_is_handed_over_once_and_a_replica_that_becomes_the_primary_goes_on():
    with world() as w:
        with Primary(w, {}) as r:
            r.admin("addprinc -pw Hello-1-2 ada")
            with Replica(r) as p:
                same(r, p)
                settle(w)
                assert "Full propagation transfer finished" in p.said(), p.said()
                r.admin("addprinc -pw Hello-1-2 bob", "modprinc -allow_tix ada", "addprinc -pw Hello-1-2 cyd",
                        "renprinc -force cyd cyd.kahn")
                same(r, p)
                assert "Incremental updates:" in p.said(), p.said()
                settle(w)
                assert compare(w, r) == 3 == compare(w, p)
                assert accepted(w) == 5 and mark_of(w) is None, "the replica hands nothing over"
        counts = resync(w, p)["counts"]
        assert counts["unchanged"] == 3 == counts["listed"], "a list of the replica says something else: " + str(counts)
        p.local("modprinc +allow_tix ada", "addprinc -pw Hello-1-2 eve", "delprinc -force cyd.kahn")
        settle(w)
        assert compare(w, p, gone=["cyd.kahn"]) == 4
        assert len(events_of(w, "ada")) == 3, "somebody else than before"


def test_a_database_that_is_loaded_on_the_primary_is_seen_by_the_next_list():
    with world() as w, Primary(w, {}) as r, Replica(r) as p:
        r.admin("addprinc -pw Hello-1-2 ada", "addprinc -pw Hello-1-2 bob")
        r.tool("kdb5_util", "dump", f"{r.folder}/dump")
        r.admin("modprinc -allow_tix ada", "addprinc -pw Hello-1-2 cyd")
        same(r, p)
        settle(w)
        before = accepted(w)
        r.tool("kdb5_util", "load", f"{r.folder}/dump")
        same(r, p)
        assert p.said().count("Full propagation transfer finished") == 2, p.said()
        assert accepted(w) == before and mark_of(w) is None, "a load calls no hook, on neither"
        counts = resync(w, r)["counts"]
        assert (counts["listed"], counts["unchanged"], counts["lost"]) == (2, 1, 1), counts
        settle(w)
        assert compare(w, p, gone=["cyd"]) == 3


if __name__ == "__main__":
    alone("kpropd listens on every address", "localhost")
    # it listens nowhere where there is loopback alone
    subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", "lo"], check=True)
    harness.main(sys.modules[__name__])
