# Tells `cpyjit doctor` in one line about the Python that this runs in, which may be of any age.
import json
import os
import sys


def file_with_interpreter():
    """The libpython, if the interpreter is in one, or the program."""
    try:
        with open("/proc/self/maps") as maps:
            files = [line.split(None, 5)[5].strip() for line in maps if "libpython" in line]
    except (IOError, OSError):
        files = []
    return files[0] if files else os.path.realpath(sys.executable)


jit = getattr(sys, "_jit", None)
print("cpyjit-doctor " + json.dumps({
    "cpython": getattr(getattr(sys, "implementation", None), "name", "cpython") == "cpython",
    "version": list(sys.version_info[:3]),
    "debug": hasattr(sys, "gettotalrefcount"),
    "compiled_in": bool(jit and jit.is_available()),
    "switched_on": bool(jit and jit.is_enabled()),
    "file": file_with_interpreter(),
}))
