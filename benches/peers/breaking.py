"""What breakpoints at uops cost: in a program of their own, since they need one that runs."""
import sessions

PROGRAM = sessions.HERE / "breaking_program.py"
SCALE = 1000  # places
SET, HOOK = 0.2, 1.0  # seconds for SCALE places; milliseconds for one compilation
AS_SLOW = 0.8  # of GDB's own breakpoint with the same condition; what differs less is the machine


def measure(debugger):
    """What in_gdb/breaking.py measured."""
    return debugger.launched(PROGRAM, sessions.HERE / "in_gdb" / "breaking.py")


def rows(make, measured):
    """Rows of the table; `make` is its class."""
    places, compiling, conditions = measured["places"], measured["compiling"], measured["conditions"]
    scale = SCALE / places["places"]
    few, many, shown = compiling["few"], compiling["many"], compiling["shown"]

    def limit(what, value, unit, goal):
        return make(what, f"{value:.2f} {unit}", "", None, None, goal, False, value)

    def added(whole, less):
        return (whole - less) / compiling["compiles"] * 1000

    ratio = conditions["gdb"] / conditions["ours"]
    return [
        limit(f"jit-break-uop, {SCALE:,} places set", places["set"] * scale, "s", SET),
        limit(f"jit-break-uop, {SCALE:,} places removed", places["removed"] * scale, "s", SET),
        limit(f"compiling an executor that gets a place, up to {few['compiles']} others set: in the hooks",
              few["median"] * 1000, "ms", HOOK),
        limit("  all that it adds to GDB's own work", added(few["whole"], compiling["bare"]), "ms", None),
        limit("  GDB's own breakpoints at the hooks' addresses", added(compiling["bare"], compiling["alone"]), "ms", None),
        limit(f"  in the hooks, with {many['places']:,} places set elsewhere", many["median"] * 1000, "ms", None),
        limit("  in the hooks, with symbols of the executor (jit-symbols auto)", shown["median"] * 1000, "ms", None),
        make(f"{conditions['hits']:,} rounds with a false condition at a uop / GDB's own breakpoint",
             f"{conditions['ours']:.2f} s", f"{conditions['gdb']:.2f} s", ratio, None, AS_SLOW, True, ratio),
    ]
