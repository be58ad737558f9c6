"""What `jit-symbols` costs in GDB: in a program of its own, which stops in JIT code."""
import re

import sessions

PROGRAM = sessions.HERE / "in_gdb" / "symbols.py"
SCALE = 50  # executors
AT_STOP, ADDED = 30, 20  # milliseconds


def measure(debugger):
    """What in_gdb/symbols.py measured."""
    source = re.search(r'PROGRAM = """\n(.*?)"""', PROGRAM.read_text(encoding="utf-8"), re.DOTALL).group(1)
    program = debugger.directory / "symbols_program.py"
    program.write_text(source, encoding="utf-8")
    return debugger.launched(program, PROGRAM)


def rows(make, measured):
    """Rows of the table; `make` is its class. Processor times of GDB: no peer does it."""
    stops, many = measured["stops"], measured["many"]
    scale = SCALE / many["executors"]

    def row(what, seconds, goal=None):
        return make(what, f"{seconds * 1000:.1f} ms", "", None, None, goal, False, seconds * 1000)

    return [
        row("a stop in JIT code, without symbols (ms)", stops["without"]),
        row("  what jit-symbols auto adds to it (ms)", stops["later"] - stops["without"], AT_STOP),
        row("  at the first stop in an executor (ms)", stops["first"] - stops["without"], AT_STOP),
        row(f"jit-symbols on, {SCALE} executors (ms)", many["added"] * scale, ADDED),
        row(f"jit-symbols off, {SCALE} executors (ms)", many["removed"] * scale),
    ]
