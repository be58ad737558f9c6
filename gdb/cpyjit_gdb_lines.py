"""Breakpoints at lines of Python. For a line without code GDB takes the next one that has some, which in a trace may be
another branch or another function: the core knows, and such places are disabled before they are hit."""
import re

import gdb
from cpyjit_gdb_breakpoints import problems
from cpyjit_gdb_sessions import current_session

ASKED = re.compile(r"\.py(?::| -line )(\d+)$")

looked_at = set()  # (breakpoint, address)
misplaced = set()  # numbers of breakpoints that have had such a place


def look(breakpoint, is_wanted):
    """At its new places among those addresses. With each file that comes or goes GDB may take other lines everywhere.
    A place whose file has gone stays, without a line of source, where other code may be by now."""
    asked = ASKED.search(breakpoint.location or "")
    if not asked or breakpoint.number < 0:
        return
    for location in breakpoint.locations:
        key = breakpoint.number, location.address
        if location.source and key not in looked_at and is_wanted(location.address):
            looked_at.add(key)
            settle(breakpoint, location, int(asked.group(1)))


def settle(breakpoint, location, asked):
    with current_session() as session:
        reason = session.misplaced(location.address, asked)
    if reason:
        location.enabled = False
        if breakpoint.number not in misplaced:
            problems.append("breakpoint %d: %s" % (breakpoint.number, reason))
        misplaced.add(breakpoint.number)
    elif breakpoint.number in misplaced and not location.enabled:
        location.enabled = True  # GDB has it inherit the state of one in the same function


def look_at_all(is_wanted):
    for breakpoint in gdb.breakpoints() if hasattr(gdb, "BreakpointLocation") else ():
        look(breakpoint, is_wanted)


def forget(is_gone):
    """The next code there has other lines."""
    looked_at.difference_update([key for key in looked_at if is_gone(key[1])])
