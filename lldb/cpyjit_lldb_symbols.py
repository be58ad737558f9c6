"""`jit-symbols`: LLDB's own commands understand JIT code by modules with debug information, one for each executor.

The core makes them and says when each comes and goes; LLDB resolves breakpoints anew with each. Their line tables name a
listing as the source, which lies beside them until the module goes.
"""
import contextlib
import os

import lldb
from cpyjit_lldb_actions import ActionFailed, carries_out
from cpyjit_lldb_breakpoints import places_of
from cpyjit_lldb_lines import lines_of
from cpyjit_lldb_objects import put_module, take_loaders, take_module, write_file
from cpyjit_lldb_sessions import entry_for
from cpyjit_lldb_settings import chosen
from cpyjit_lldb_target import CODE_FOLDER, CODE_NAME

LOADER = "plugin.jit-loader.gdb.enable"


class SymbolModules:
    """Those of one target."""

    def __init__(self, entry):
        self.entry, self.target = entry, entry.target
        self.modules = {}  # number of the file -> (the module, its files)

    def add(self, action):
        executor, = action["executors"]
        listing = write_file(executor["listing_name"], executor["listing"].encode())
        # In a folder of its own: LLDB shows the file's name before those of functions.
        path = write_file(os.path.join("%s%d" % (CODE_FOLDER, action["file"]), CODE_NAME), action["elf"])
        take_loaders(self.target, executor["start"])
        with self.entry.at_own_work():
            module = self.target.AddModule(path, self.target.GetTriple(), None)
            put_module(self.target, module)
        if not module.IsValid():
            remove_files([path, listing])
            raise ActionFailed("LLDB could not load the symbols of %s" % executor["listing_name"])
        self.modules[action["file"]] = module, [path, listing]
        told = lines_of(self.entry).look()
        if told:
            print(told.rstrip("\n"))

    def remove(self, action):
        module, files = self.modules.pop(action["file"], (None, []))
        if module is not None:
            with self.entry.at_own_work():
                take_module(self.target, module)
            remove_files(files)
            places_of(self.target).renew_all()  # LLDB drops the breakpoint locations in it


def remove_files(paths):
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)
    with contextlib.suppress(OSError):
        os.rmdir(os.path.dirname(paths[0]))


def symbols_of(target):
    entry = entry_for(target)
    if not hasattr(entry, "symbol_modules"):
        entry.symbol_modules = SymbolModules(entry)
    return entry.symbol_modules


def has_symbols(target, module):
    """Whether a module is one of those."""
    return any(module == known for known, _ in symbols_of(target).modules.values())


@carries_out("add-symbols")
def add_symbols(action, selection):
    symbols_of(selection.target).add(action)


@carries_out("remove-symbols")
def remove_symbols(action, selection):
    symbols_of(selection.target).remove(action)


@carries_out("choose")
def choose(action, selection):
    chosen[action["name"]] = action["value"]
    if chosen["symbols"] == "on":
        places_of(selection.target).make_hooks_breakpoint()  # that is how we learn that a process begins


def register(debugger):
    """LLDB's own loader of what CPython 3.15 registers does harm: its frames have no lines, and the unwinding is wrong in
    most of them. Who has switched it on by hand keeps it."""
    value = lldb.SBDebugger.GetInternalVariableValue(LOADER, debugger.GetInstanceName()).GetStringAtIndex(0)
    if value == "default":
        debugger.HandleCommand("settings set %s off" % LOADER)
