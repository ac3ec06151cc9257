"""Reads a program's window through AT-SPI, with the library that Orca uses, and writes what it hears.

    reader.py PROGRAM

Prints JSON lines: a "node" for each part of the window, then "read", then an "event" for each part that got the
keyboard or another name, and for each announcement, until it is ended."""
import json
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

ANNOUNCEMENT = "object:announcement"


def say(**line):
    print(json.dumps(line), flush=True)


def heard(event):
    try:
        text = event.any_data if event.type.startswith(ANNOUNCEMENT) else ""
        say(event=event.type, role=event.source.get_role_name(), name=event.source.get_name(), text=text)
    except GLib.Error:
        pass  # It is gone already.


def read(node):
    states = [state.value_nick for state in node.get_state_set().get_states()]
    value = None if node.get_value_iface() is None else Atspi.Value.get_current_value(node)
    say(node=node.get_role_name(), name=node.get_name(), states=states, value=value)
    for index in range(node.get_child_count()):
        child = node.get_child_at_index(index)
        if child is not None:
            read(child)


def find(name):
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        program = desktop.get_child_at_index(index)
        if program is not None and program.get_name() == name and program.get_child_count() > 0:
            return program
    return None


Atspi.init()
listener = Atspi.EventListener.new(heard)
for kind in ("object:state-changed:focused", "object:property-change:accessible-name", ANNOUNCEMENT):
    listener.register(kind)
while (program := find(sys.argv[1])) is None:
    GLib.MainContext.default().iteration(False)
    time.sleep(0.1)
read(program)
say(read=True)
GLib.MainLoop().run()
