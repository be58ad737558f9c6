"""What `jit-symbols` costs in GDB and LLDB: in a program of its own, which stops in JIT code."""
import sessions

PROGRAM = sessions.HERE / "symbols_program.py"
SCALE = 50  # executors
AT_STOP, ADDED = 30, 20  # milliseconds


def measure(debugger):
    """What in_gdb/symbols.py and in_lldb/symbols.py measured, by the debugger's name."""
    return {"GDB": debugger.launched(PROGRAM, sessions.HERE / "in_gdb" / "symbols.py"),
            "LLDB": debugger.launched_in_lldb(PROGRAM, sessions.HERE / "in_lldb" / "symbols.py")}


def rows(make, measured):
    """Rows of the table; `make` is its class. Processor times of the debuggers: no peer does it."""
    return [row for name, each in measured.items() for row in rows_of(make, name, each["stops"], each["many"])]


def rows_of(make, name, stops, many):
    scale = SCALE / many["executors"]

    def row(what, seconds, goal=None):
        return make(what, f"{seconds * 1000:.1f} ms", "", None, None, goal, False, seconds * 1000)

    return [
        row(f"{name}: a stop in JIT code, without symbols (ms)", stops["without"]),
        row("  what jit-symbols auto adds to it (ms)", stops["later"] - stops["without"], AT_STOP),
        row("  at the first stop in an executor (ms)", stops["first"] - stops["without"], AT_STOP),
        row(f"{name}: jit-symbols on, {SCALE} executors (ms)", many["added"] * scale, ADDED),
        row(f"{name}: jit-symbols off, {SCALE} executors (ms)", many["removed"] * scale),
    ]
