"""Tells `cpyjit doctor` in one line about the GDB that this runs in."""
import json
import sys

import gdb


def knows_commands():
    try:
        gdb.execute("help jit-dis", to_string=True)
    except gdb.error:
        return False
    return True


def file_of(name):
    return getattr(sys.modules.get(name), "__file__", None)


print("cpyjit-doctor " + json.dumps({
    "version": gdb.VERSION,
    "python": list(sys.version_info[:3]),
    "commands": knows_commands(),
    "script": file_of("cpyjit_gdb_commands"),
    "extension": file_of("cpyjit"),
    "debug_directories": (gdb.parameter("debug-file-directory") or "").split(":"),
}))
