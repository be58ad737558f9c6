"""What steps cost, against GDB's own through the same instructions, in the hot loop of a program of pyperformance."""
import json
import statistics

import sessions

SCRIPT = sessions.HERE / "in_gdb" / "stepping.py"
PROGRAM, FUNCTION, ROUNDS = "nbody:1", "advance", 500  # rounds of the loop before the first step
UOPS = 1000
TARGETS = "3.15", "3.14"
REPEATS = 3
FASTER = 20


def rows(make, debugger):
    """Rows of the table; `make` is its class."""
    return [row for target in TARGETS for row in of_target(make, Stepping(debugger, target), target)]


class Stepping:
    """One target; each measurement in a GDB of its own."""

    def __init__(self, debugger, target):
        self.debugger, self.target = debugger, target
        driver = sessions.ROOT / "tests" / "programs" / "benchmarks"
        self.program = f"{sessions.HERE / 'workload.py'} {driver} {debugger.testbed.benchmarks} {PROGRAM}"

    def measure(self, side, **more):
        job = {"side": side, "function": FUNCTION, "rounds": ROUNDS, "uops": UOPS} | more
        return self.debugger.launched(self.program, SCRIPT, self.target, CPYJIT_BENCH_STEPS=json.dumps(job))


def of_target(make, stepping, target):
    ours = [stepping.measure("cpyjit") for _ in range(REPEATS)]
    script = stepping.measure("script")
    known = stepping.measure("gdb", instructions=script["instructions"])
    ways = {json.dumps([one["begin"], one["end"]]) for one in [*ours, script, known]}
    if len(ways) != 1:
        raise sessions.Failure(f"{target}: the sides did not step along the same path: {', '.join(sorted(ways))}")
    seconds = statistics.median(one["seconds"] for one in ours)

    def row(peer, its):
        ratio = its["seconds"] / seconds
        return make(f"jit-step-uop {UOPS} --quiet / {peer} of the same {script['instructions']:,} instructions, {target}",
                    f"{seconds * 1000:.0f} ms", f"{its['seconds']:.2f} s", ratio, None, FASTER, judged=ratio)

    return [row("stepi and a look at the pc,", script), row("one stepi N", known)]
