"""Runs the requests of a script with a client, and checks the answers."""

import json
import sys
import time

# The longest wait for a value, in seconds. The computer may be busy.
LIMIT = 60


def read():
    """Returns the URL, the password and the script of the command line."""
    url, password, path = sys.argv[1:4]
    with open(path, encoding="utf-8") as file:
        return url, password, json.load(file)


def with_saved(value, saved):
    """Replaces names such as `$item` by saved values."""
    if isinstance(value, str) and value.startswith("$"):
        return saved[value[1:]]
    if isinstance(value, dict):
        return {key: with_saved(inner, saved) for key, inner in value.items()}
    return value


def at(data, path):
    for part in path.split("."):
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data


def fits(found, wanted):
    if isinstance(wanted, str) and "*" in wanted:
        start, end = wanted.split("*", 1)
        return isinstance(found, str) and found.startswith(start) and found.endswith(end)
    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
        return isinstance(found, (int, float)) and abs(found - wanted) < 1e-6
    return found == wanted


def wrong(data, expected):
    """Returns the first value that differs."""
    for path, wanted in expected.items():
        try:
            found = at(data, path)
        except (KeyError, IndexError, TypeError):
            return f"{path} is missing"
        if not fits(found, wanted):
            return f"{path} is {found!r} instead of {wanted!r}"
    return None


def steps(script):
    """Yields each request, and receives its status code, comment and data."""
    saved = {}
    for number, (name, data, expected, *more) in enumerate(script["requests"]):
        more = more[0] if more else {}
        end = time.monotonic() + (LIMIT if more.get("wait") else 0)
        while True:
            code, comment, answer = yield name, with_saved(data, saved)
            problem = None
            if code != more.get("code", 100):
                problem = f"status {code}: {comment}"
            else:
                problem = wrong(answer or {}, with_saved(expected, saved))
            if problem is None:
                break
            if time.monotonic() > end:
                sys.exit(f"request {number} {name} {data}: {problem}")
            time.sleep(0.05)
        for key, path in more.get("save", {}).items():
            saved[key] = at(answer, path)
