"""Tells where the parts of a program's window are, through AT-SPI, to whoever is to press them.

    widgets.py PROGRAM

Each line on standard input is a question: JSON with a "role", a "name" that begins so, both or neither. The answer is
one JSON line: a list of the parts that fit, with their places in the window."""
import json
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402


def find(name):
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        program = desktop.get_child_at_index(index)
        if program is not None and program.get_name() == name and program.get_child_count() > 0:
            return program
    return None


def place(node):
    try:
        extents = node.get_extents(Atspi.CoordType.WINDOW)
        return [extents.x, extents.y, extents.width, extents.height]
    except GLib.Error:
        return [0, 0, 0, 0]  # The program itself is nowhere.


def look(node, question, found):
    try:
        role, name = node.get_role_name(), node.get_name() or ""
        if question.get("role") in (None, role) and name.startswith(question.get("name", "")):
            states = [state.value_nick for state in node.get_state_set().get_states()]
            found.append({"role": role, "name": name, "states": states, "place": place(node)})
        children = [node.get_child_at_index(at) for at in range(node.get_child_count())]
    except GLib.Error:
        return  # It is gone already.
    for child in children:
        if child is not None:
            look(child, question, found)


Atspi.init()
while (program := find(sys.argv[1])) is None:
    time.sleep(0.1)
# What is answered is what is there now.
program.set_cache_mask(Atspi.Cache.NONE)
for line in sys.stdin:
    found = []
    look(program, json.loads(line), found)
    print(json.dumps(found), flush=True)
