"""The demo's helper around the simulated org: python3, nothing but its standard library.

    org.py fields READY.json DIRECTORY   writes the connector fields, prints the org's address
    org.py calls URL                     prints the number of API calls the org has counted
    org.py view URL LIST.csv             prints the org's own view, and ends with 1 unless it is
                                         what the list says
"""
import csv
import json
import os
import sys
import unicodedata
import urllib.request

DOMAIN = "acme.example"
SEPARATOR = "-"


def write_fields(ready_file, directory):
    with open(ready_file, encoding="utf-8") as file:
        ready = json.load(file)
    fields = {
        "domain_name": ready["orgs"]["acme"],
        "client_id": ready["client_id"],
        "client_secret": ready["client_secret"],
        "provisioning_pattern": "{UD,UN}",
        "provisioning_separator": SEPARATOR,
        "provisioning_domain": DOMAIN,
        "profile": "Standard User",
        "issuer": "https://idp.acme.example",
        "store": os.path.join(os.path.realpath(directory), "acme.db"),
    }
    path = os.path.join(directory, "fields.json")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(fields, file, indent=2)
    print(ready["orgs"]["acme"])


def read_state(url):
    with urllib.request.urlopen(url + "/__org/state", timeout=30) as answer:
        return json.load(answer)


def width(text):
    """Columns on a terminal: East Asian characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def print_table(rows):
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(cell + " " * (w - width(cell)) for cell, w in zip(row, widths))
        print(line.rstrip())


def username(user_name):
    """{UD,UN} of the host user, as the org keeps it: in lower case."""
    store, name = user_name.split("/", 1)
    return (store + SEPARATOR + name + "@" + DOMAIN).lower()


def expected(list_file):
    """What the list wants of each active person: the fields that the demo looks at."""
    with open(list_file, encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    by_key = {person["externalId"]: username(person["userName"]) for person in people}
    return {
        username(person["userName"]): {
            "FirstName": person["name.givenName"],
            "LastName": person["name.familyName"],
            "Title": person["title"],
            "Department": person["department"],
            "EmployeeNumber": person["employeeNumber"],
            "manager": by_key.get(person["manager"], ""),
        }
        for person in people
        if person["active"] == "true"
    }


def compare(wanted, users):
    """Names every difference between the list and the org's active users."""
    differences = []
    for name in sorted(wanted.keys() | users.keys()):
        if name not in users:
            differences.append(f"{name}: in the list, but not active in the org")
        elif name not in wanted:
            differences.append(f"{name}: active in the org, but not in the list")
        else:
            for field, value in wanted[name].items():
                there = users[name].get(field) or ""
                if there != value:
                    differences.append(f"{name}: {field} is '{there}', the list says '{value}'")
    return differences


def view(url, list_file):
    state = read_state(url)
    admins = {state["execution_user"], state["other_admin"]}
    users = [user for user in state["users"] if user["Id"] not in admins]
    names = {user["Id"]: user["Username"].lower() for user in state["users"]}
    rows = [("USERNAME", "NAME", "TITLE", "DEPARTMENT", "MANAGER", "ACTIVE")]
    active = {}
    for user in users:
        user["manager"] = names.get(user.get("ManagerId"), "")
        name = " ".join(part for part in (user.get("FirstName"), user["LastName"]) if part)
        rows.append((
            user["Username"], name, user.get("Title") or "", user.get("Department") or "",
            user["manager"].split("@")[0], "yes" if user["IsActive"] else "no",
        ))
        if user["IsActive"]:
            active[user["Username"].lower()] = user
    print_table(rows)
    wanted = expected(list_file)
    differences = compare(wanted, active)
    print(f"\n{len(users)} users in the org, {len(active)} of them active; "
          f"the list has {len(wanted)} active people.")
    for difference in differences:
        print("DIFFERENT  " + difference)
    return 1 if differences else 0


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "fields":
        write_fields(arguments[1], arguments[2])
        return 0
    if len(arguments) == 2 and arguments[0] == "calls":
        print(read_state(arguments[1])["usage"]["api_calls"])
        return 0
    if len(arguments) == 3 and arguments[0] == "view":
        return view(arguments[1], arguments[2])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main(sys.argv[1:]))
