#!/usr/bin/env python3
"""Small rings of usernames: each wants another one's name, and Salesforce refuses some of them. Whatever comes
when, nobody ends on a temporary name while his own is free."""
import itertools
import random
import sys

import harness
from harness import World, create, person, put

MOST_UPDATES = 24  # calls; they would turn for ever if they did not come to rest
DUPLICATE, INVALID = "DUPLICATE_USERNAME", "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def name_of(name):
    return f"primary-{name}@acme.example"


class Ring:
    """Users who were made, and of whom the first is to get the second's name, and so on; `refused`: user -> why not."""

    def __init__(self, w, names, refused, **fields):
        self.w, self.names, self.fields = w, names, fields
        self.wanted = dict(zip(names, names[1:] + names[:1]))
        self.c = w.connector(**fields)
        self.c.accept(*[create(f"/Users/{name}", person(name, title=name)) for name in names])
        self.c.settle()
        self.ids = {name: w.org.user(name_of(name))["Id"] for name in names}
        for name, code in refused.items():
            w.org.fault({"on": "collections_update", "do": "refuse_record", "times": -1, "message": "no", "statusCode": code,
                         "match": {"Username": name_of(self.wanted[name]), "Title": name}})

    def want(self, names):
        self.c.accept(*[put(f"/Users/{name}", person(self.wanted[name], title=name)) for name in names])

    def has(self):
        """Who has which name."""
        now = {user["Id"]: name for name, user in self.w.org.users().items()}
        return {name: now[self.ids[name]].split("@")[0].removeprefix("primary-") for name in self.names}

    def left_aside(self):
        """Those on a temporary name whose own nobody has."""
        has = self.has()
        return [name for name, now in has.items() if now.startswith("swap-") and name not in has.values()]

    def updates(self):
        return sum(call["kind"] == "collections_update" for call in self.w.org.calls()["calls"])


def rings(size):
    """Rings of so many, with one or two of them refused, in each way that differs; in each order."""
    names = "abcd"[:size]
    for who in [("a",)] + list(itertools.combinations(names, 2)):  # one alone: the others are the ring turned
        for order in itertools.permutations(names):
            yield names, who, order


def run(some, together, **fields):
    wrong = []
    for names, who, order in some:
        with World(**fields) as w:
            ring = Ring(w, list(names), dict(zip(who, (INVALID, DUPLICATE))))
            if together:
                ring.want(order)
            for name in [] if together else order:
                ring.want([name])
                ring.c.settle()
            ring.c.settle()
            sent = ring.updates()
            ring.c.settle()
            if ring.left_aside() or ring.updates() != sent or sent > MOST_UPDATES:
                wrong.append((who, order, ring.has(), sent))
    assert not wrong, (len(wrong), wrong[:6])


def test_of_two():
    run(rings(2), True)
    run(rings(2), False)


def test_of_three_at_once():
    run(rings(3), True)


def test_of_three_one_after_the_other():
    run(rings(3), False)


def test_of_four():
    some = random.Random(4).sample(list(rings(4)), 24)
    run(some[:16], True)
    run(some[16:], False)


def test_of_four_looked_at_in_pieces():
    run(random.Random(5).sample(list(rings(4)), 12), True, batch_size=1, parallel_calls=1)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
