#!/usr/bin/env python3
"""What the adapter costs: one client's serial operations against a server with it and one without, in turn.

    top_builddir=build tests/servers/bench.py [slapd|389|samba|kadmind] [OPERATIONS [ROUNDS]]

Prints, for adds and for changes, the median of each in microseconds, their ratio and difference, the server's
processor time, which other programs disturb less, and its flushes (fsync, fdatasync, msync), as strace counts
them. Asserts nothing.
"""
import collections
import os
import re
import socket
import subprocess
import statistics
import sys
import time

import samba
from servers import LDAP_PASSWORD, PEOPLE, alone, person, world


def tlv(tag, *parts):
    body = b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    size = len(body)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + body


class Client:
    """LDAP by hand: a request is made before its time is taken."""

    def __init__(self, directory):
        directory.seed()
        self.socket = socket.create_connection(("127.0.0.1", directory.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.call(tlv(0x60, tlv(2, b"\3"), tlv(4, directory.admin), tlv(0x80, getattr(directory, "password", LDAP_PASSWORD))))

    def call(self, operation):
        message = tlv(0x30, tlv(2, b"\1"), operation)
        began = time.perf_counter_ns()
        self.socket.sendall(message)
        answer = self.socket.recv(4096)
        taken = time.perf_counter_ns() - began
        assert b"\x0a\x01\x00" in answer, answer
        return taken / 1000

    def add(self, uid):
        dn, attributes = person(uid, family=uid)
        return self.call(tlv(0x68, tlv(4, dn), tlv(0x30, *(tlv(0x30, tlv(4, name), tlv(0x31, tlv(4, value)))
                                                           for name, value in attributes.items()))))

    def modify(self, uid, title):
        return self.call(tlv(0x66, tlv(4, f"uid={uid},{PEOPLE}"), tlv(0x30, tlv(0x30, tlv(
            0x0a, b"\2"), tlv(0x30, tlv(4, "title"), tlv(0x31, tlv(4, title)))))))


class Kadmin:
    """One kadmin that stays; its own share of the time is the same with the adapter and without."""

    def __init__(self, realm):
        self.session, self.count = realm.session(), 0

    def timed(self, line, word):
        began = time.perf_counter_ns()
        assert self.session.say(line, word), self.session.said[-3:]
        return (time.perf_counter_ns() - began) / 1000

    def add(self, uid):
        return self.timed(f"addprinc -pw Hello-1-2 {uid}", "created")

    def modify(self, uid, _title):
        self.count += 1
        return self.timed(f"modprinc {'-+'[self.count % 2]}allow_tix {uid}", "modified")


class SambaClient(Client):
    """The same for Active Directory's people; without a password, whose hashes cost more than all else."""

    def add(self, uid):
        attributes = {"objectClass": "user", "sAMAccountName": uid, "sn": uid, "givenName": "Ada",
                      "mail": f"{uid}@example.org", "userAccountControl": "544"}
        return self.call(tlv(0x68, tlv(4, f"CN={uid},{samba.PEOPLE}"), tlv(0x30, *(
            tlv(0x30, tlv(4, name), tlv(0x31, tlv(4, value))) for name, value in attributes.items()))))

    def modify(self, uid, title):
        return self.call(tlv(0x66, tlv(4, f"CN={uid},{samba.PEOPLE}"), tlv(0x30, tlv(0x30, tlv(
            0x0a, b"\2"), tlv(0x30, tlv(4, "title"), tlv(0x31, tlv(4, title)))))))


class StartedSamba(samba.Samba):
    def __init__(self, world_, config):
        super().__init__(world_, config, model="single")

    def __enter__(self):
        super().seed()
        return self.start()

    def seed(self):
        return self


def processor_us(directory):
    total = 0
    for task in os.listdir(f"/proc/{directory.process.pid}/task"):
        with open(f"/proc/{directory.process.pid}/task/{task}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1000


def measure(Server, make_client, configs, operations, rounds):
    """{name: {"add": [us, ...], "modify": [...]}}, and the same of processor time for each round; the servers take
    turns."""
    processor = {name: collections.defaultdict(list) for name in configs}
    times = {name: collections.defaultdict(list) for name in configs}
    for turn in range(rounds):
        for name, config in configs.items():
            with world() as w, Server(w, config) as d:
                client = make_client(d)
                client.add("warm")
                for kind in ("add", "modify"):
                    began = processor_us(d)
                    for number in range(operations // rounds):
                        taken = client.add(f"u{number}") if kind == "add" else client.modify(f"u{number}", f"T {number}")
                        times[name][kind].append(taken)
                    processor[name][kind].append((processor_us(d) - began) * rounds / operations)
    return times, processor


def flushes(Server, make_client, config, operations=100):
    """Flushes of the server for an add, and for a change."""
    counts = {}
    with world() as w, Server(w, config) as d:
        client = make_client(d)
        client.add("warm")
        for kind in ("add", "modify"):
            trace = f"{d.folder}/trace"
            strace = subprocess.Popen(["strace", "-f", "-q", "-e", "trace=fsync,fdatasync,msync", "-o", trace, "-p",
                                       str(d.process.pid)], stderr=subprocess.DEVNULL)
            time.sleep(1)
            for number in range(operations):
                client.add(f"u{number}") if kind == "add" else client.modify(f"u{number}", "Dr")
            strace.terminate()
            strace.wait()
            with open(trace) as file:
                counts[kind] = len(re.findall(r"(?:fsync|fdatasync|msync)\(", file.read())) / operations
    return counts


def main():
    which = sys.argv[1] if len(sys.argv) > 1 else "slapd"
    operations = int(sys.argv[2]) if len(sys.argv) > 2 else 1200
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 6
    deliver, client = {"deliver": False}, Client
    if which == "slapd":
        from slapd import Slapd as Server
    elif which == "kadmind":
        from kerberos import Realm as Server
        deliver, client = {}, Kadmin
    elif which == "samba":
        alone("Samba's ports are fixed")
        Server, deliver, client = StartedSamba, {}, SambaClient
    else:
        from ns389 import DS389 as Server
    configs = {"without": None, "with": deliver, "closed": dict(deliver, on_failure="closed")}
    times, processor = measure(Server, client, configs, operations, rounds)
    bare = {kind: statistics.median(values) for kind, values in times["without"].items()}
    idle = {kind: statistics.median(values) for kind, values in processor["without"].items()}
    for name in configs:
        counted = flushes(Server, client, configs[name])
        for kind, values in times[name].items():
            middle = statistics.median(values)
            more = statistics.median(processor[name][kind]) - idle[kind]
            print(f"{which}.{kind}_{name} {middle:.0f} us, ratio {middle / bare[kind]:.2f}, {middle - bare[kind]:+.0f} us, "
                  f"processor {more:+.0f} us, {counted[kind]:.2f} flushes")


if __name__ == "__main__":
    try:
        main()
    finally:
        samba.forget_templates()
