"""Breakpoints at lines of Python. In a module that has no code of a line LLDB takes the next one that has some, which in a
trace may be another branch or another function: the core knows, and such places are disabled.

LLDB does not tell when a breakpoint is set. Those that are there when symbols come are looked at before the code runs,
others when the program stops next.
"""
import re

from cpyjit_lldb_expressions import NO_ADDRESS

ASKED = re.compile(r"file = '[^']*\.py', line = (\d+)")


class Lines:
    """Those of one target."""

    def __init__(self, entry):
        self.entry, self.target = entry, entry.target
        self.looked_at = set()  # (breakpoint, location), by LLDB's numbers
        self.told = set()       # numbers of breakpoints of which it was said

    def look(self):
        """What to tell people, in lines."""
        return "".join(self.look_at(breakpoint, int(asked.group(1))) for breakpoint, asked in self.asked() if asked)

    def asked(self):
        return [(breakpoint, ASKED.search(str(breakpoint))) for breakpoint in self.target.breakpoint_iter()]

    def look_at(self, breakpoint, asked):
        text = ""
        for location in breakpoint:
            key = breakpoint.GetID(), location.GetID()
            if key not in self.looked_at and location.GetLoadAddress() != NO_ADDRESS:
                self.looked_at.add(key)
                reason = self.entry.core.misplaced(location.GetLoadAddress(), asked)
                if reason:
                    location.SetEnabled(False)
                    if key[0] not in self.told:
                        text += "cpyjit: breakpoint %d: %s\n" % (key[0], reason)
                    self.told.add(key[0])
        return text


def lines_of(entry):
    if not hasattr(entry, "lines"):
        entry.lines = Lines(entry)
    return entry.lines
