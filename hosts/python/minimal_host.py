#!/usr/bin/env python3
"""A whole host in some thirty lines: loads sfprov.so, submits events, delivers, shows the result.

usage: minimal_host.py SFPROV.SO FIELDS.JSON < events.jsonl
"""
import ctypes as c
import json
import sys


class Error(c.Structure):
    _fields_ = [("size", c.c_size_t), ("code", c.c_int32), ("reserved", c.c_uint32), ("text", c.c_char * 1008)]


class Open(c.Structure):
    _fields_ = [("size", c.c_size_t), ("fields", c.c_char_p), ("length", c.c_size_t), ("flags", c.c_uint32),
                ("reserved", c.c_uint32), ("host", c.c_void_p)]


class Event(c.Structure):
    _fields_ = [("size", c.c_size_t), ("json", c.c_char_p), ("length", c.c_size_t)]


class Answer(c.Structure):
    _fields_ = [("size", c.c_size_t), ("status", c.c_uint32), ("duplicate", c.c_uint32), ("version", c.c_int64),
                ("error", Error)]


METHODS = "describe open close check preview submit snapshot_begin snapshot_add snapshot_end deliver query act release"


class Table(c.Structure):
    _fields_ = [("size", c.c_size_t), ("name", c.c_char_p), ("version", c.c_char_p)] + \
               [(name, c.CFUNCTYPE(c.c_int32)) for name in METHODS.split()]


if len(sys.argv) != 3:
    sys.exit(__doc__)
library, table, error = c.CDLL(sys.argv[1]), Table(c.sizeof(Table)), Error(c.sizeof(Error))
assert library.prov_connector_init(1, 0, c.byref(table), c.byref(error)) == 0, error.text
fields, connector, text = open(sys.argv[2], "rb").read(), c.c_void_p(), c.c_char_p()
options = Open(c.sizeof(Open), fields, len(fields), 1, 0, None)  # 1: we drive with deliver()
assert table.open(c.byref(options), c.byref(connector), None, c.byref(error)) == 0, error.text
for line in sys.stdin.buffer:
    event, answer = Event(c.sizeof(Event), line, len(line)), Answer(c.sizeof(Answer))
    assert table.submit(connector, c.byref(event), c.c_size_t(1), c.byref(answer), c.byref(error)) == 0, error.text
    print(("", "accepted", "refused", "not known")[answer.status], answer.error.text.decode())
assert table.deliver(connector, 10000, None, c.byref(error)) == 0, error.text
request = json.dumps({"query": "subjects"}).encode()
assert table.query(connector, request, c.c_size_t(len(request)), c.byref(text), c.byref(error)) == 0, error.text
for user in json.loads(text.value)["subjects"]:
    print(user["userName"], user["state"], user.get("username"), user.get("salesforce_id"))
table.release(text)
table.close(connector, 1000)
