"""`jit-symbols`: GDB's own commands understand JIT code by object files with debug information.

The core makes them and says when each comes and goes; GDB resolves breakpoints anew with each. Their line tables name a
listing as the source, which lies beside them until GDB has let go of it.
"""
import contextlib
import os

import cpyjit_gdb_lines as lines
import gdb
from cpyjit_gdb_breakpoints import places, problems, when_gone
from cpyjit_gdb_commands import ACTIONS
from cpyjit_gdb_objects import load_object, unload_object, write_file, write_object
from cpyjit_gdb_settings import parameters, when_chosen


class SymbolFile:
    """An object file about some executors, and their listings."""

    def __init__(self, action):
        executors = action["executors"]
        self.code = [range(one["start"], one["start"] + one["size"]) for one in executors]
        self.listings = [write_file(one["listing_name"], one["listing"].encode()) for one in executors]
        self.path = write_object("%d.elf" % action["file"], action["elf"])

    def contains(self, address):
        return any(address in code for code in self.code)


class SymbolFiles:
    """Those of one program space."""

    def __init__(self):
        self.files = {}    # by number
        self.left = set()  # (breakpoint, address) of locations that we, and not the user, have disabled

    def add(self, action):
        for breakpoint in gdb.breakpoints() if hasattr(gdb, "BreakpointLocation") else ():
            tell_of_moving(breakpoint)
        file = self.files[action["file"]] = SymbolFile(action)
        load_object(file.path)
        self.enable_again(file)
        lines.look_at_all(has_symbols)

    def remove(self, action):
        file = self.files.pop(action["file"], None)
        if file is None:
            return
        if places().is_asking:
            self.leave(file)
        unload_object(file.path)
        lines.forget(file.contains)
        lines.look_at_all(has_symbols)
        for listing in file.listings:
            with contextlib.suppress(OSError):
                os.unlink(listing)

    def leave(self, file):
        """While a hook is being hit breakpoints are inserted, and GDB 13 fails inside if the file of one goes: those of
        the user in this code are disabled first."""
        for breakpoint, location in locations(file.contains):
            if location.enabled:
                location.enabled = False
                self.left.add((breakpoint.number, location.address))

    def enable_again(self, file):
        """A new location inherits the state of one that was at the same address."""
        if not self.left:
            return
        for breakpoint, location in locations(file.contains):
            place = breakpoint.number, location.address
            if place in self.left and not location.enabled:
                location.enabled = True
            self.left.discard(place)

    def enable_rest(self):
        """What was disabled because its code was freed is not what the user has disabled."""
        for breakpoint, location in locations(lambda _address: bool(self.left)):
            if (breakpoint.number, location.address) in self.left and not location.enabled:
                location.enabled = True
        self.left.clear()


def locations(is_wanted):
    """The locations of all breakpoints at such addresses. Before GDB 13 they are GDB's secret."""
    if not hasattr(gdb, "BreakpointLocation"):
        return
    for breakpoint in gdb.breakpoints():
        for location in breakpoint.locations:
            if location.address is not None and is_wanted(location.address):
                yield breakpoint, location


MOVES = ("GDB evaluates %s anew whenever symbols come or go (those of libraries and of CPython 3.15 itself do, too), which moves "
         "breakpoint %d: break *%#x would stay where it is")
told_of = set()  # numbers of the breakpoints of which that was said


def tell_of_moving(breakpoint):
    """While it is still at the address that the user meant."""
    if breakpoint.number < 0 or breakpoint.number in told_of or not is_evaluated(breakpoint.location or ""):
        return
    for address in [location.address for location in breakpoint.locations if location.address is not None][:1]:
        told_of.add(breakpoint.number)
        problems.append(MOVES % (breakpoint.location, breakpoint.number, address))


def is_evaluated(place):
    return place.startswith("*") and "$" in place


def on_created(breakpoint):
    here = known.get(gdb.selected_inferior().progspace)
    if here is not None and here.files and hasattr(breakpoint, "locations"):
        tell_of_moving(breakpoint)
        lines.look(breakpoint, has_symbols)


known = {}  # by program space


def files_here():
    return known.setdefault(gdb.selected_inferior().progspace, SymbolFiles())


def has_symbols(address):
    """Whether GDB itself knows what is at `address` in JIT code."""
    here = known.get(gdb.selected_inferior().progspace)
    return here is not None and any(file.contains(address) for file in here.files.values())


def choose(action):
    parameters[action["name"]].value = action["value"]
    places()  # from now on events are looked at


def chosen(value):
    """`set jit symbols VALUE` is `jit-symbols VALUE`."""
    gdb.execute("jit-symbols " + value)


def register():
    ACTIONS.update({"add-symbols": lambda action: files_here().add(action), "choose": choose,
                    "remove-symbols": lambda action: files_here().remove(action)})
    when_chosen["symbols"] = chosen
    gdb.events.breakpoint_created.connect(on_created)
    when_gone.append(lambda: files_here().enable_rest())
