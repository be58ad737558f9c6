"""cpyjit for GDB 12 or newer: see into CPython's copy-and-patch JIT.

    (gdb) source /path/to/gdb/cpyjit_gdb.py      (or this line in your gdbinit)
    (gdb) help jit

The files beside this one are thin on purpose. What the commands are, how they read their arguments and what they print
is decided by the extension module `cpyjit` (Rust). They only fetch memory, values and file names for it, print what it
returns and carry out the actions that it asks for. Nothing here ever calls a function of the program being debugged.
"""
import importlib.util
import os
import re
import sys

import gdb

OLDEST_GDB = 12
NEEDED_NAMES = ("Session", "commands", "settings", "__version__")
# In an order in which each finds those that it imports.
PARTS = ("cpyjit_gdb_constants", "cpyjit_gdb_target", "cpyjit_gdb_objects", "cpyjit_gdb_settings", "cpyjit_gdb_sessions",
         "cpyjit_gdb_unwinder", "cpyjit_gdb_commands", "cpyjit_gdb_breakpoints", "cpyjit_gdb_lines", "cpyjit_gdb_symbols",
         "cpyjit_gdb_stepping", "cpyjit_gdb_disassembler", "cpyjit_gdb_printers", "cpyjit_gdb_frames", "cpyjit_gdb_window")


class ExtensionProblem(Exception):
    """The extension cannot be used; the text says why and what to do."""


def load_extension(here):
    """The extension module: the file named by CPYJIT_EXTENSION, or the one beside us, or an installed one."""
    path = extension_file(here)
    try:
        module = import_file("cpyjit", path) if path else importlib.import_module("cpyjit")
    except (ImportError, OSError) as reason:
        raise ExtensionProblem(import_failure(path, reason)) from None
    missing = [name for name in NEEDED_NAMES if not hasattr(module, name)]
    if missing:
        raise ExtensionProblem("the extension %s is too old or not cpyjit's (it has no %s): build it again with "
                               "scripts/build, or update the installed package"
                               % (path or getattr(module, "__file__", "cpyjit"), ", ".join(missing)))
    return module


def extension_file(here):
    """Where the extension's file must be, or None to look among the debugger's installed modules."""
    named = os.environ.get("CPYJIT_EXTENSION")
    if named:
        return named
    # In a package, which any Python's pip may have installed; in the source tree.
    above = os.path.dirname(here)
    places = (os.path.join(above, "cpyjit.abi3.so"), os.path.join(above, "target", "cpyjit", "cpyjit.abi3.so"))
    return next((place for place in places if os.path.exists(place)), None)


def import_file(name, path):
    """Import one file as module `name`. A second time it is the loaded one: extensions cannot be loaded again."""
    known = sys.modules.get(name)
    if known is not None and os.path.realpath(known.__file__) == os.path.realpath(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise ImportError("its name does not end like an extension module's")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module
    return module


def import_failure(path, reason):
    """Two different things to do: build what is missing, or replace what does not fit this debugger."""
    if path is None:
        return ("the extension is missing: build it with scripts/build, install it into the Python of this debugger "
                "(%s), or name its file in CPYJIT_EXTENSION" % sys.version.split()[0])
    if not os.path.exists(path):
        return "the extension %s does not exist (CPYJIT_EXTENSION names it): build it with scripts/build" % path
    return ("the extension %s does not fit this debugger (%s, Python %s): %s. Build it on this machine with "
            "scripts/build, or install the package for it"
            % (path, os.uname().machine, sys.version.split()[0], str(reason).rstrip(".")))


def start(here):
    """Problems are printed, not raised: GDB shows a traceback for whatever leaves a sourced file."""
    if PARTS[-1] in sys.modules:
        return  # sourced again: the commands and events are in place
    if int(re.match(r"\D*(\d+)", gdb.VERSION).group(1)) < OLDEST_GDB:
        complain("this is GDB %s; cpyjit needs GDB %d or newer" % (gdb.VERSION, OLDEST_GDB))
        return
    try:
        load_extension(here)
        # By file, not through sys.path, in which other scripts' modules could stand before ours.
        for name in PARTS:
            part = import_file(name, os.path.join(here, name + ".py"))
            if hasattr(part, "register"):
                part.register()
    except BaseException as problem:
        complain(str(problem))


def complain(sentence):
    gdb.write("cpyjit: %s\n" % sentence, gdb.STDERR)


if __name__ == "__main__":
    # Not `__file__`: where one sourced file sources another, that is still the outer one's.
    start(os.path.dirname(os.path.realpath(start.__code__.co_filename)))
