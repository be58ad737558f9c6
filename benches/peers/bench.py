"""Measures cpyjit against what people use without it, all in one run on one real process; see scripts/bench --help.

The programs run in one CPython, which then waits. Each measurement attaches a GDB of its own to it, so that no side
profits from what another one made GDB read, and the sides take turns, so that a busy machine disturbs all of them alike.
What counts are ratios: the times depend on the machine.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile

import breaking
import postmortem
import sessions
import stepping
import symbols

PROGRAMS = ("raytrace:1", "richards:5", "go:3")  # and their loops
CORE_PROGRAMS = ("go:3",)
ENOUGH_EXECUTORS, ENOUGH_BYTES = 50, 400_000
ROUNDS, REPEATS = 5, 2
QUICK_ROUNDS, QUICK_REPEATS = 2, 1
# The script does not know of executors that are cold stand-ins or wait for being freed: a few bytes.
SCRIPT_SEES = 0.99
BUSY = 1.2  # wall time over processor time from which the wall time is not trusted
# The goals, as ratios; and the most requests that "a small constant" may mean.
OVER_GDB, OVER_SCRIPT, FIRST_COLD, FIRST_CACHED, FEW_REQUESTS = 10, 3, 5, 30, 10
# Remarks on instructions may take as long as all the rest; all of it 1.5 times as long as capstone takes for details.
WITH_REMARKS, OVER_DETAILS = 0.5, 1 / 1.5
REBUILT, WITHIN = 0.05, 1  # seconds for 17,000 uops, as one large benchmark has
OF_A_UOP = 2  # microseconds to write the symbols of a uop
# On a core: against the script in GDB; its memory; a hole of 20 GB may cost nothing, finding tables 3 times the DWARF.
OVER_SCRIPT_ON_CORE, LESS_MEMORY, WITH_HOLE, WITHOUT_SYMBOLS = 10, 3, 0.8, 1 / 3

OURS, GDB, SCRIPT = "cpyjit", "gdb", "capstone"
ARROWS, REMARKS = "cpyjit with arrows", "cpyjit with remarks"
# OURS is like for like: the peers draw no arrows and explain nothing.
ALL = {OURS: "jit-dis --all --no-notes --arrows off", ARROWS: "jit-dis --all --no-notes", REMARKS: "jit-dis --all --all-notes",
       SCRIPT: "pyjit-dis", GDB: None}


@dataclasses.dataclass
class Row:
    """One line of the table. `higher` tells which way the goal goes: ratios up, requests down."""
    what: str
    ours: str
    peer: str
    ratio: float | None = None
    processor_ratio: float | None = None
    goal: float | None = None
    higher: bool = True
    judged: float | None = None  # what is held against the goal

    def met(self):
        if self.goal is None or self.judged is None:
            return None
        return self.judged >= self.goal if self.higher else self.judged <= self.goal

    def cells(self):
        goal = "" if self.goal is None else f"{'≥' if self.higher else '≤'} {self.goal:g}" + ("×" if self.higher else "")
        met = {None: "", True: "yes", False: "NO"}[self.met()]
        return [self.what, self.ours, self.peer, times(self.ratio), times(self.processor_ratio), goal, met]

    def document(self):
        return dataclasses.asdict(self) | {"met": self.met()}


def times(ratio):
    return "" if ratio is None else f"{ratio:.{1 if ratio >= 1 else 2}f}×"


def span(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


class Timing:
    """Wall and processor seconds of calls that do the same work."""

    def __init__(self):
        self.calls, self.instructions = [], None

    def add(self, calls, instructions=None):
        self.calls += calls
        self.instructions = instructions

    def wall(self):
        return statistics.median(wall for wall, _ in self.calls)

    def processor(self):
        return statistics.median(processor for _, processor in self.calls)

    def text(self):
        return span(self.wall())

    def document(self):
        return {"calls": self.calls, "median": self.wall(), "best": min(wall for wall, _ in self.calls),
                "processor_median": self.processor(), "instructions": self.instructions}


def compared(what, ours, peer, goal, busy):
    """How many times longer the peer takes; for each instruction, if both count them. On a busy machine the wall time
    tells more of the other processes, and the goal is judged by the processor time."""
    scale = ours.instructions / peer.instructions if ours.instructions and peer.instructions else 1
    ratio, processor_ratio = peer.wall() / ours.wall() * scale, peer.processor() / ours.processor() * scale
    return Row(what, ours.text(), peer.text(), ratio, processor_ratio, goal, judged=processor_ratio if busy else ratio)


# ---------------------------------------------------------------- measuring

class Bench:
    """All measurements on one target."""

    def __init__(self, debugger, pid, rounds, repeats):
        self.debugger, self.pid, self.rounds, self.repeats = debugger, pid, rounds, repeats
        self.timings = {}
        say("looking at what there is to measure")
        # This also fills the cache on disk.
        self.survey = debugger.session(pid, "survey", OURS, cache=debugger.warm_cache)
        self.executors = self.survey["executors"]
        self.ranges = [piece for executor in self.executors for piece in executor["ranges"]]
        self.check_enough()

    def total(self, name):
        return sum(executor[name] for executor in self.executors)

    def code_bytes(self):
        return sum(size for _, size in self.ranges)

    def check_enough(self):
        if len(self.executors) < ENOUGH_EXECUTORS or self.code_bytes() < ENOUGH_BYTES:
            raise sessions.Failure(
                f"the programs left {len(self.executors)} executors with {self.code_bytes()} bytes of machine code; at least "
                f"{ENOUGH_EXECUTORS} and {ENOUGH_BYTES} are needed: choose others with --programs")

    def timing(self, *key):
        return self.timings.setdefault(key, Timing())

    def measure_times(self):
        sides = [(OURS, "cached"), (GDB, "off"), (SCRIPT, "off"), (OURS, "off"), (ARROWS, "cached"), (REMARKS, "cached")]
        for number in range(self.rounds):
            turn = number % len(sides)
            for side, cache in sides[turn:] + sides[:turn]:
                say(f"round {number + 1} of {self.rounds}: {side}" + (f", cache {cache}" if side == OURS else ""))
                self.measure_disassembly(side, cache)
                if side in (OURS, SCRIPT):
                    self.measure_first_list(side, cache)

    def session(self, task, side, cache, **job):
        return self.debugger.session(self.pid, task, side, self.debugger.warm_cache if cache == "cached" else "off", **job)

    def measure_disassembly(self, side, cache):
        result = self.session("disassemble", OURS if side in (ARROWS, REMARKS) else side, cache, ranges=self.ranges, repeats=self.repeats,
                              command=ALL[side])
        (first, *later), instructions = result["calls"], result["instructions"]
        expected = self.total("instructions")
        if not expected * (SCRIPT_SEES if side == SCRIPT else 1) <= instructions <= expected:
            raise sessions.Failure(f"{side} printed {instructions} instructions of {expected}: the times cannot be compared")
        self.timing(side, cache, "first").add([first], instructions)
        self.timing(side, "later").add(later, instructions)  # of a cache on disk nothing is left to gain

    def measure_first_list(self, side, cache):
        self.timing(side, cache, "list").add(self.session("first-list", side, cache)["calls"])

    def measure_requests(self):
        """{side: {step: (requests, those for memory)}}, and the three executors that they are for."""
        by_uops = sorted(self.executors, key=lambda executor: executor["uops"])
        small, middle, large = (by_uops[place]["address"] for place in (0, len(by_uops) // 2, -1))
        requests = {}
        for side, one, everything, listing in ((OURS, "jit-dis {}", "jit-dis --all", "jit-list"),
                                               (SCRIPT, "pyjit-dis {}", "pyjit-dis", "pyjit-list")):
            say(f"counting requests to gdbserver: {side}")
            steps = [("cold", one.format(large), False), ("same stop", one.format(large), False),
                     ("other executor", one.format(middle), False), ("next stop", one.format(large), True),
                     ("next stop, smallest", one.format(small), True), ("all", everything, True)]
            lists = [("list, cold", listing, False), ("list, same stop", listing, False), ("list, next stop", listing, True)]
            requests[side] = self.debugger.remote(self.pid, side, steps) | self.debugger.remote(self.pid, side, lists)
        return requests


# ---------------------------------------------------------------- reporting

def time_rows(bench):
    busy = is_busy(bench)

    def row(what, cache, peer, step, goal=None):
        cached = "cache on disk" if cache == "cached" else "no cache"
        label = what + ("later call" if step == "later" else ("first call, " if step == "first" else "") + cached)
        ours, theirs = [(side,) if step == "later" else (side, its_cache) for side, its_cache in ((OURS, cache), (peer, "off"))]
        return compared(label, bench.timing(*ours, step), bench.timing(*theirs, step), goal, busy)

    def later(what, ours, peer, goal=None):
        return compared(f"{what}, later call", bench.timing(ours, "later"), bench.timing(peer, "later"), goal, busy)

    gdb, script = "jit-dis --all / GDB disassemble, ", "jit-dis --all / capstone script, "
    first = "load, jit-list / capstone script, "
    return [
        row(gdb, "cached", GDB, "later", OVER_GDB),
        row(gdb, "cached", GDB, "first", OVER_GDB),
        row(gdb, "off", GDB, "first"),
        row(script, "cached", SCRIPT, "later", OVER_SCRIPT),
        row(script, "cached", SCRIPT, "first", OVER_SCRIPT),
        row(script, "off", SCRIPT, "first", OVER_SCRIPT),
        later("jit-dis --all with arrows / GDB disassemble", ARROWS, GDB),
        later("jit-dis --all with arrows and remarks / GDB disassemble", REMARKS, GDB),
        later("jit-dis --all with arrows and remarks / capstone script", REMARKS, SCRIPT),
        later("jit-dis --all with arrows and remarks / with arrows", REMARKS, ARROWS, WITH_REMARKS),
        row(first, "off", SCRIPT, "list", FIRST_COLD),
        row(first, "cached", SCRIPT, "list", FIRST_CACHED),
    ]


def request_rows(requests, executors):
    """GDB's requests to gdbserver, for our commands and for the script's."""
    ours, peer = requests[OURS], requests[SCRIPT]
    # Each function that is inlined into a trace has a name, a file, bytecode and lines of its own, anywhere in the heap.
    functions = max(executors, key=lambda executor: executor["uops"])["functions"]

    def row(what, step, goal=None, divisor=1):
        mine, theirs = ours[step][0] / divisor, peer[step][0] / divisor
        return Row("requests, " + what, number(mine), number(theirs), theirs / mine if mine else None, None, goal, False, mine)

    return [
        row("jit-dis of the largest executor, first command", "cold"),
        row("jit-dis of the largest executor, next stop", "next stop"),
        row(f"jit-dis of the largest executor, next stop, for each of its {functions} functions", "next stop", FEW_REQUESTS,
            functions),
        row("jit-dis of the smallest executor, next stop", "next stop, smallest", FEW_REQUESTS),
        row("jit-dis of another executor, same stop", "other executor", FEW_REQUESTS),
        row("jit-dis of the same executor, same stop", "same stop", FEW_REQUESTS),
        row("jit-dis --all, next stop, for each executor", "all", FEW_REQUESTS, len(executors)),
        row("jit-list, first command", "list, cold"),
        row("jit-list, next stop", "list, next stop"),
        row("jit-list, next stop, for each executor", "list, next stop", FEW_REQUESTS, len(executors)),
        row("jit-list, same stop", "list, same stop"),
    ]


def core_rows(runs, busy):
    """The command line on a core dump, whole processes."""
    def row(what, ours, peer, goal=None):
        mine, theirs = runs[ours], runs[peer]
        ratio = postmortem.seconds(theirs) / postmortem.seconds(mine)
        processor_ratio = postmortem.processor_seconds(theirs) / postmortem.processor_seconds(mine)
        return Row(what, span(postmortem.seconds(mine)), span(postmortem.seconds(theirs)), ratio, processor_ratio, goal,
                   judged=processor_ratio if busy else ratio)

    mine, theirs = (postmortem.peak(runs[name]) for name in ("dis", "script"))
    return [
        row("core to annotated JSON / capstone script in GDB, no cache", "dis", "script", OVER_SCRIPT_ON_CORE),
        row("core to annotated JSON / capstone script in GDB, cache on disk", "dis, cached", "script", OVER_SCRIPT_ON_CORE),
        Row("the same, peak memory", f"{mine >> 20} MB", f"{theirs >> 20} MB", theirs / mine, None, LESS_MEMORY,
            judged=theirs / mine),
        row("core with a hole of 20 GB / core as it is", "dis, hole", "dis", WITH_HOLE),
        row("first command without symbols / with DWARF, no cache", "info, no symbols", "info", WITHOUT_SYMBOLS),
    ]


def native_rows(told):
    """What benches/notes.rs measured on the core: no debugger and no Python takes part."""
    seconds = told["seconds"]
    allowed = REBUILT * told["uops"] / 17_000

    def row(what, ours, peer, goal=None):
        ratio = seconds[peer] / seconds[ours]
        return Row(f"{what}, in Rust", span(seconds[ours]), span(seconds[peer]), ratio, None, goal, judged=ratio)

    return [
        row("jit-dis --all with all remarks / without", "all_notes", "without_notes", WITH_REMARKS),
        row("jit-dis --all / without remarks", "default", "without_notes"),
        row("jit-dis --all with all remarks / capstone with details", "all_notes", "capstone", OVER_DETAILS),
        row("all machine code rebuilt and compared / the map alone", "rebuilt", "maps"),
        Row(f"the same {told['uops']} uops / {1e3 * REBUILT:.0f} ms for 17,000", span(seconds["rebuilt"]), span(allowed),
            allowed / seconds["rebuilt"], None, WITHIN, judged=allowed / seconds["rebuilt"]),
    ]


def symbols_rows(told):
    """What benches/symbols.rs measured on the same core, for each uop: there is no peer that does it."""
    each = {what: seconds * 1e6 / told["uops"] for what, seconds in told["seconds"].items()}

    def row(what, microseconds, goal=None):
        return Row(what, f"{microseconds:.2f} µs", "", None, None, goal, higher=False, judged=microseconds)

    return [
        row("symbols of a uop, written in Rust (µs)", each["frames"], OF_A_UOP),
        row("symbols of a uop with uops as inlined frames (µs)", each["both"]),
        row("what they are about, read from the core (µs)", each["read"]),
    ]


def number(value):
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}"


def table(rows):
    lines = [["what", "ours", "peer", "ratio", "cpu", "goal", "met"]] + [row.cells() for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(" | ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def overload(bench):
    """Wall time over processor time: 1 on a quiet machine."""
    return statistics.median(timing.wall() / timing.processor() for timing in bench.timings.values())


def is_busy(bench):
    return overload(bench) >= BUSY


def conditions(bench, testbed, programs):
    """What the figures hold for, as a paragraph."""
    disturbed = (f" The machine was busy with other things (wall time {overload(bench):.1f} times the processor time), so the "
                 "ratios of processor times (cpu) are the better figures." if is_busy(bench) else "")
    script = bench.timing(SCRIPT, "later").instructions
    python = testbed.python
    return (
        f"Measured with cpyjit {bench.survey['cpyjit']} in GDB {bench.survey['gdb']} attached to CPython {python['version']} "
        f"({python['kind']} build, build id {python['build_id'][:12]}, PYTHON_JIT=1) after pyperformance's {', '.join(programs)} "
        f"(program:loops) in one process: {len(bench.executors)} executors, {bench.total('uops'):,} uops, "
        f"{bench.code_bytes():,} bytes of machine code ({bench.total('mapped'):,} mapped), "
        f"{bench.total('instructions'):,} instructions printed by cpyjit and by GDB, {script:,} by the script, which does not "
        "know of cold or deleted executors. jit-dis prints source lines, bytecode, uops and exits, and arrows and "
        "remarks where the row says so; the script only uop names "
        f"and instructions. Medians: of {bench.rounds} fresh GDBs for each first call, of {bench.rounds * bench.repeats} later "
        "calls, before each of which cpyjit forgot what it had read from the target (the script keeps the names and sizes of "
        "uops, GDB its cache of code). GDB has indexed the debug information before the clock starts; whatever it reads on "
        f"behalf of cpyjit or the script counts. Requests are GDB's packets to gdbserver. "
        f"The core is that of {', '.join(CORE_PROGRAMS)} alone, by gcore; the command line (with remarks) and GDB are timed as "
        f"whole processes.{disturbed}")


def document(bench, testbed, programs, rows, requests):
    return {
        "format": 1,
        "conditions": {
            "gdb": bench.survey["gdb"], "cpyjit": bench.survey["cpyjit"],
            "python": {name: testbed.python[name] for name in ("version", "kind", "build_id")},
            "programs": list(programs), "executors": len(bench.executors), "uops": bench.total("uops"),
            "code_bytes": bench.code_bytes(), "mapped_bytes": bench.total("mapped"),
            "instructions": bench.total("instructions"), "rounds": bench.rounds, "repeats": bench.repeats,
            "processors": os.cpu_count(),
            "wall_over_processor": overload(bench), "judged_by": judged_by(bench),
            "paragraph": conditions(bench, testbed, programs),
        },
        "rows": [row.document() for row in rows],
        "timings": {"/".join(key): timing.document() for key, timing in bench.timings.items()},
        "requests": {side: {step: {"all": count[0], "memory": count[1]} for step, count in steps.items()}
                     for side, steps in requests.items()},
    }


def judged_by(bench):
    return "processor time" if is_busy(bench) else "wall time"


def verdict(bench, rows):
    missed = [row.what for row in rows if row.met() is False]
    result = f"{len(missed)} goals MISSED: {'; '.join(missed)}." if missed else "All goals are met."
    return f"{result} Times are judged by {judged_by(bench)}."


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


# ---------------------------------------------------------------- start

def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", add_help=False, usage="see scripts/bench --help")
    parser.add_argument("--testbed", required=True)
    parser.add_argument("--extension", required=True, type=pathlib.Path)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--notes", required=True, type=pathlib.Path)
    parser.add_argument("--symbols", required=True, type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=positive)
    parser.add_argument("--programs", nargs="+", default=PROGRAMS, metavar="NAME:LOOPS", type=program)
    return parser.parse_args()


def positive(text):
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of rounds")
    return int(text)


def program(text):
    name, _, loops = text.partition(":")
    if not name or not loops.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME:LOOPS, such as {PROGRAMS[0]}")
    return text


def measure(options, directory):
    """The finished Bench, the testbed, the table's rows and the counts of requests."""
    extension = directory / "cpyjit.abi3.so"  # a copy: a build in the meantime changes nothing
    shutil.copy(options.extension, extension)
    testbed = sessions.Testbed(options.testbed)
    debugger = sessions.Debugger(testbed, extension, directory)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    say(f"running {' '.join(options.programs)}")
    with sessions.workload(testbed, options.programs) as pid:
        bench = Bench(debugger, pid, rounds, QUICK_REPEATS if options.quick else REPEATS)
        bench.measure_times()
        requests = bench.measure_requests()
    say(f"making a core dump of {' '.join(CORE_PROGRAMS)}, and measuring the command line on it")
    core = postmortem.PostMortem(testbed, options.binary, directory, rounds)
    with sessions.workload(testbed, CORE_PROGRAMS) as pid:
        core.dump(pid)
    runs = core.measure()
    rows = time_rows(bench) + native_rows(core.native(options.notes)) + symbols_rows(
        core.native(options.symbols)) + core_rows(runs, is_busy(bench))
    say("setting breakpoints at uops")
    rows += breaking.rows(Row, breaking.measure(debugger))
    say("symbols")
    rows += symbols.rows(Row, symbols.measure(debugger))
    say("stepping")
    rows += stepping.rows(Row, debugger)
    rows += request_rows(requests, bench.executors)
    return bench, testbed, rows, requests


def main():
    options = arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="cpyjit-bench-") as directory:
            bench, testbed, rows, requests = measure(options, pathlib.Path(directory))
    except (sessions.Failure, OSError) as problem:
        raise SystemExit(f"bench: {problem}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if options.json:
        print(json.dumps(document(bench, testbed, options.programs, rows, requests), indent=2, ensure_ascii=False))
    else:
        print(table(rows), conditions(bench, testbed, options.programs), verdict(bench, rows), sep="\n\n")


if __name__ == "__main__":
    main()
