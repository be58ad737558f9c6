"""Names, Python source lines and unwinding of JIT code: for each executor that runs a module of its own, whose symbol file
comes from the core. LLDB has no other way to be told how to unwind."""
import os
import shutil
import tempfile

import lldb
from cpyjit_lldb_actions import context
from cpyjit_lldb_breakpoints import places_of
from cpyjit_lldb_objects import put_module, take_loaders, take_module
from cpyjit_lldb_sessions import entry_for
from cpyjit_lldb_target import CODE_FOLDER, CODE_NAME

LOADER = "plugin.jit-loader.gdb.enable"
# A backtrace through more executors than this is a runaway recursion; each module costs about a millisecond.
MOST_MODULES = 200


class CodeModules:
    """The modules that we have put into one target."""

    def __init__(self, entry):
        self.entry, self.target, self.core = entry, entry.target, entry.core
        self.loaded = {}  # address of the executor -> (what tells its code from other code, the module)
        entry.when_gone.append(self.remove_all)

    def follow(self, selection):
        """Called at a stop: afterwards there are modules for the executors that run now. Older ones stay as long as
        their executor is the same."""
        about = context(selection)
        known = list(self.loaded)
        running, identities = self.core.running_code(known, about)
        for executor, identity in zip(known, identities):
            if identity != self.loaded[executor][0]:
                self.remove(executor)
        for executor, identity in running[:MOST_MODULES]:
            if executor not in self.loaded:
                self.add(executor, identity, about)

    def add(self, executor, identity, about):
        elf, text, start, size = self.core.breakpad(executor, about)
        take_loaders(self.target, start, size)
        module = add_module(self.target, elf, text)
        if module.IsValid():
            put_module(self.target, module)
            self.loaded[executor] = identity, module

    def remove(self, executor):
        _, module = self.loaded.pop(executor)
        take_module(self.target, module)
        places_of(self.target).renew_all()  # LLDB drops the breakpoint locations in it

    def remove_all(self, _replaced=False):
        for executor in list(self.loaded):
            self.remove(executor)


def add_module(target, elf, text):
    """LLDB reads both files at once and keeps them mapped, so that they need not stay."""
    folder = tempfile.mkdtemp(prefix=CODE_FOLDER)
    try:
        path = os.path.join(folder, CODE_NAME)
        with open(path, "wb") as out:
            out.write(elf)
        with open(path + ".sym", "w", encoding="utf-8") as out:
            out.write(text)
        return target.AddModule(path, target.GetTriple(), None, path + ".sym")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def modules_of(target):
    entry = entry_for(target)
    if not hasattr(entry, "code_modules"):
        entry.code_modules = CodeModules(entry)
    return entry.code_modules


def register(debugger):
    """Where our modules are, LLDB's own loader of what CPython 3.15 registers does harm: its frames have no lines, and
    the unwinding is wrong in most of them. Who has switched it on by hand keeps it."""
    value = lldb.SBDebugger.GetInternalVariableValue(LOADER, debugger.GetInstanceName()).GetStringAtIndex(0)
    if value == "default":
        debugger.HandleCommand("settings set %s off" % LOADER)
