"""Tells where the parts of a program's window are, through AT-SPI, to whoever is to press them.

    widgets.py PROGRAM

PROGRAM is a process id, or the name of the program's file: that is the name which the window gives. A program that is
not there within 30 s ends this one, which says who else is there.

Each line on standard input is a question: JSON with a "role", a "name" that begins so, both or neither. The answer is
one JSON line: a list of the parts that fit, with their places in the window."""
import json
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402


LIMIT = 30


def programs():
    desktop = Atspi.get_desktop(0)
    children = (desktop.get_child_at_index(index) for index in range(desktop.get_child_count()))
    return [child for child in children if child is not None]


def find(wanted):
    for program in programs():
        try:
            known = (program.get_name(), str(program.get_process_id()))
            if wanted in known and program.get_child_count() > 0:
                return program
        except GLib.Error:
            continue  # It is gone already.
    return None


def who():
    for program in programs():
        try:
            yield f"{program.get_name()} (process {program.get_process_id()}, {program.get_child_count()} windows)"
        except GLib.Error:
            continue


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
begun = time.monotonic()
while (program := find(sys.argv[1])) is None:
    if time.monotonic() - begun > LIMIT:
        sys.exit(f"No window of {sys.argv[1]} within {LIMIT} s. There: {', '.join(who()) or 'nobody'}")
    time.sleep(0.1)
# What is answered is what is there now.
program.set_cache_mask(Atspi.Cache.NONE)
for line in sys.stdin:
    found = []
    look(program, json.loads(line), found)
    print(json.dumps(found), flush=True)
