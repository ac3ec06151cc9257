"""Tells where the parts of a program's window are, through AT-SPI, to whoever is to press them.

    widgets.py PROGRAM

PROGRAM is a process id, or the name of the program's file: that is the name which the window gives. A program that is
not there within 30 s ends this one, which says who else is there.

Each line on standard input is a question: JSON with a "role", a "name" that begins so, both or neither. The answer is
one JSON line: a list of the parts that fit, with their places in the window."""
import json
import os
import sys
import time
from collections import defaultdict, namedtuple

import gi

gi.require_version("Atspi", "2.0")
# Atspi only names roles and states here. It would read the window with several calls for each node, one after another.
from gi.repository import Atspi, Gio, GLib  # noqa: E402


LIMIT = 30
ANSWER_LIMIT_MS = 10_000
ROOT = "/org/a11y/atspi/accessible/root"
ACCESSIBLE = "org.a11y.atspi.Accessible"
COMPONENT = "org.a11y.atspi.Component"

# A node as its program's cache describes it. A reference is a name on the bus with a path.
Node = namedtuple("Node", "reference program parent index child_count interfaces name role description states")


def ask(bus, whom, path, interface, method, arguments=None):
    flags = Gio.DBusCallFlags.NONE
    return bus.call_sync(whom, path, interface, method, arguments, None, flags, ANSWER_LIMIT_MS).unpack()


def accessibility_bus():
    address = os.environ.get("AT_SPI_BUS_ADDRESS")
    if not address:
        session = Gio.bus_get_sync(Gio.BusType.SESSION)
        (address,) = ask(session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress")
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    return Gio.DBusConnection.new_for_address_sync(address, flags)


def value(bus, program, member):
    arguments = GLib.Variant("(ss)", (ACCESSIBLE, member))
    return ask(bus, program, ROOT, "org.freedesktop.DBus.Properties", "Get", arguments)[0]


def process_of(bus, program):
    daemon = "org.freedesktop.DBus"
    arguments = GLib.Variant("(s)", (program,))
    return ask(bus, daemon, "/org/freedesktop/DBus", daemon, "GetConnectionUnixProcessID", arguments)[0]


def programs(bus):
    (children,) = ask(bus, "org.a11y.atspi.Registry", ROOT, ACCESSIBLE, "GetChildren")
    for program, _ in children:
        try:
            yield program, value(bus, program, "Name"), process_of(bus, program), value(bus, program, "ChildCount")
        except GLib.Error:
            continue  # It is gone already.


def find(bus, wanted):
    for program, name, process, windows in programs(bus):
        if wanted in (name, str(process)) and windows > 0:
            return program
    return None


def who(bus):
    for _, name, process, windows in programs(bus):
        yield f"{name} (process {process}, {windows} windows)"


def depth_first(nodes):
    # The cache promises no order.
    children = defaultdict(list)
    for node in nodes:
        children[node.parent].append(node)
    left = [node for node in nodes if node.reference[1] == ROOT]
    while left:
        node = left.pop()
        yield node
        left += sorted(children[node.reference], key=lambda child: child.index, reverse=True)


def places(bus, nodes):
    """The places of these nodes, by reference. A node that is gone has none."""
    found = {}
    awaited = {node.reference for node in nodes}

    def take(_, answer, reference):
        awaited.remove(reference)
        try:
            (found[reference],) = bus.call_finish(answer).unpack()
        except GLib.Error:
            pass  # It is gone already.

    arguments = GLib.Variant("(u)", (Atspi.CoordType.WINDOW,))
    # All calls are on their way before the first answer is awaited: that is many times faster.
    for node in nodes:
        bus.call(*node.reference, COMPONENT, "GetExtents", arguments, None, Gio.DBusCallFlags.NONE, ANSWER_LIMIT_MS,
                 None, take, node.reference)
    while awaited:
        GLib.MainContext.default().iteration(True)
    return found


def names_of_states(words):
    bits = sum(word << 32 * at for at, word in enumerate(words))
    return [Atspi.StateType(at).value_nick for at in range(bits.bit_length()) if bits >> at & 1]


def look(bus, program, question):
    try:
        (items,) = ask(bus, program, "/org/a11y/atspi/cache", "org.a11y.atspi.Cache", "GetItems")
    except GLib.Error:
        return []  # It is gone already.
    fitting = []
    for node in depth_first([Node(*item) for item in items]):
        role = Atspi.role_get_name(node.role)
        if question.get("role") in (None, role) and node.name.startswith(question.get("name", "")):
            fitting.append((role, node))
    placed = places(bus, [node for _, node in fitting if COMPONENT in node.interfaces])
    found = []
    for role, node in fitting:
        # The program itself is nowhere.
        place = placed.get(node.reference) if COMPONENT in node.interfaces else [0, 0, 0, 0]
        if place is not None:
            found.append({"role": role, "name": node.name, "states": names_of_states(node.states), "place": place})
    return found


def main():
    bus = accessibility_bus()
    begun = time.monotonic()
    while (program := find(bus, sys.argv[1])) is None:
        if time.monotonic() - begun > LIMIT:
            sys.exit(f"No window of {sys.argv[1]} within {LIMIT} s. There: {', '.join(who(bus)) or 'nobody'}")
        time.sleep(0.1)
    for line in sys.stdin:
        print(json.dumps(look(bus, program, json.loads(line))), flush=True)


main()
