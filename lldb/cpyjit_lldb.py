"""cpyjit for LLDB 15 or newer: see into CPython's copy-and-patch JIT.

    (lldb) command script import /path/to/lldb/cpyjit_lldb.py      (or this line in your .lldbinit)
    (lldb) help jit

The files beside this one are thin on purpose. What the commands are, how they read their arguments and what they print
is decided by the extension module `cpyjit` (Rust). They only fetch memory, values and file names for it, print what it
returns and carry out the actions that it asks for. Nothing here ever runs code in the program being debugged.

For Python, after the import: `script print(cpyjit_lldb.uop())`, `cpyjit_lldb.uop_index()`, `cpyjit_lldb.executor("f")`.
"""
import importlib.util
import os
import re
import sys

import lldb

OLDEST_LLDB = 15
NEEDED_NAMES = ("Session", "commands", "settings", "__version__")
# In an order in which each finds those that it imports.
PARTS = ("cpyjit_lldb_expressions", "cpyjit_lldb_target", "cpyjit_lldb_objects", "cpyjit_lldb_settings", "cpyjit_lldb_sessions",
         "cpyjit_lldb_actions", "cpyjit_lldb_breakpoints", "cpyjit_lldb_stepping", "cpyjit_lldb_lines", "cpyjit_lldb_symbols",
         "cpyjit_lldb_stops", "cpyjit_lldb_summaries", "cpyjit_lldb_commands", "cpyjit_lldb_functions")
# What scripts and callbacks of breakpoints find in this module.
FOR_SCRIPTS = ("executor", "local", "tos", "uop", "uop_index")


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


def start(debugger, names):
    """Loads the parts, once for all debuggers of this process, and makes what they offer known to this one. `names` are
    the debugger's own: it looks for the classes of commands among them."""
    here = os.path.dirname(os.path.realpath(__file__))
    load_extension(here)
    # By file, not through sys.path, in which other scripts' modules could stand before ours.
    for name in PARTS:
        part = names[name] = import_file(name, os.path.join(here, name + ".py"))
        if hasattr(part, "register"):
            part.register(debugger)
    globals().update({name: getattr(part, name) for name in FOR_SCRIPTS})


def __lldb_init_module(debugger, names):
    """Problems are printed, not raised: LLDB would show a traceback."""
    version = re.match(r"lldb version (\d+)", lldb.SBDebugger.GetVersionString())
    if version and int(version.group(1)) < OLDEST_LLDB:
        print("cpyjit: this is LLDB %s; cpyjit needs LLDB %d or newer" % (version.group(1), OLDEST_LLDB))
        return
    try:
        start(debugger, names)
    except BaseException as problem:
        print("cpyjit: %s" % problem)
