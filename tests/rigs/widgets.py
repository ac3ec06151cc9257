"""Tells where the parts of a program's window are, through AT-SPI, to whoever is to press them.

    widgets.py PROGRAM

PROGRAM is a process id, or the name of the program's file: that is the name which the window gives. A program that is
not there within 30 s ends this one, which says who else is there.

Each line on standard input is a question: JSON with a "role", a "name" that begins so, and a "state", each of them
or none. The answer is one JSON line: a list of the parts that fit, in reading order, with their places in the window."""
import json
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402


LIMIT = 30
ACCESSIBLE = "org.a11y.atspi.Accessible"
PROPERTIES = "org.freedesktop.DBus.Properties"
DRIVER = "org.freedesktop.DBus"
ROOT = "/org/a11y/atspi/accessible/root"


def connect():
    """The bus of the accessibility services."""
    session = Gio.bus_get_sync(Gio.BusType.SESSION)
    address = call(session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress")
    client = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    return Gio.DBusConnection.new_for_address_sync(address, client)


def call(bus, name, path, interface, method, form="()", *values):
    arguments = GLib.Variant(form, values)
    answer = bus.call_sync(name, path, interface, method, arguments, None, Gio.DBusCallFlags.NONE, LIMIT * 1000)
    return answer.unpack()[0]


def programs():
    """The bus name, the name, the process id and the number of windows of each program."""
    for name, path in call(bus, "org.a11y.atspi.Registry", ROOT, ACCESSIBLE, "GetChildren"):
        try:
            title = call(bus, name, path, PROPERTIES, "Get", "(ss)", ACCESSIBLE, "Name")
            windows = call(bus, name, path, PROPERTIES, "Get", "(ss)", ACCESSIBLE, "ChildCount")
            process = call(bus, DRIVER, "/org/freedesktop/DBus", DRIVER, "GetConnectionUnixProcessID", "(s)", name)
            yield name, title, str(process), windows
        except GLib.Error:
            continue  # It is gone already.


def find(wanted):
    return next((it[0] for it in programs() if wanted in it[1:3] and it[3] > 0), None)


def place(path):
    try:
        return call(bus, program, path, "org.a11y.atspi.Component", "GetExtents", "(u)", Atspi.CoordType.WINDOW)
    except GLib.Error:
        return [0, 0, 0, 0]  # The program itself is nowhere, and what is gone already too.


def states(bits):
    number = bits[0] | bits[1] << 32
    return [Atspi.StateType(bit).value_nick for bit in range(64) if number >> bit & 1]


def look(question):
    """The parts that fit. One call gets all parts, and one more the place of each that fits."""
    role, name, state = question.get("role"), question.get("name") or "", question.get("state")
    found = []
    for (_, path), *_, title, kind, _, bits in call(bus, program, "/org/a11y/atspi/cache", "org.a11y.atspi.Cache", "GetItems"):
        part = {"id": path, "role": Atspi.role_get_name(Atspi.Role(kind)), "name": title}
        if role not in (None, part["role"]) or not title.startswith(name):
            continue
        part["states"] = states(bits)
        if state is None or state in part["states"]:
            found.append({**part, "place": place(path)})
    return found


bus = connect()
begun = time.monotonic()
while (program := find(sys.argv[1])) is None:
    if time.monotonic() - begun > LIMIT:
        others = [f"{name} (process {process}, {windows} windows)" for _, name, process, windows in programs()]
        sys.exit(f"No window of {sys.argv[1]} within {LIMIT} s. There: {', '.join(others) or 'nobody'}")
    time.sleep(0.1)
for line in sys.stdin:
    print(json.dumps(look(json.loads(line))), flush=True)
