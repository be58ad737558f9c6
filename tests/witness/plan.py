"""What is run: programs, benchmarks with their parameters, where to stop, and how much each check must find at least."""
import pathlib

PROGRAMS = pathlib.Path(__file__).resolve().parent.parent / "programs"
BENCHMARK_DRIVER = PROGRAMS / "benchmarks" / "run_benchmark.py"

# Each hit of an emitter costs about a millisecond, so the default set is what fits into a few minutes.
BENCHMARKS = {"richards": 3, "nbody": 1, "go": 1}
DEBUG_BENCHMARKS = ("richards", "nbody")
MORE_BENCHMARKS = {
    "deltablue": 1, "pyflate": 1, "raytrace": 1, "fannkuch": 1, "chaos": 1, "hexiom": 1, "spectral_norm": 1, "float": 1,
    "nqueens": 1,
    "generators": 1, "meteor_contest": 1, "barnes_hut": 1, "richards_super": 3, "typing_runtime_protocols": 20, "deepcopy": 10,
    "regex_compile": 1, "async_generators": 1,
}
# Every program is also stopped in mid-run, when this many compiles are done and the next has begun: many executors are
# invalid and gone at its end. 3.14 compiles fewer traces.
STOPS = {"3.14": (2, 6), "3.15": (8,)}
# The same, more often, for programs whose executors come and go.
MID_RUN_STOPS = (2, 5, 11, 23)
LEAST_STOPS = 3
MID_RUN_PROGRAMS = ("invalidation", "exits")
BOUNDARY_STOPS = (2, 3, 4, 6, 9, 13, 19, 28, 40, 60)
BOUNDARY_PROGRAMS = ("inlining", "generators", "exits", "closures")
BOUNDARY_FAULT_PROGRAM = "exits"
# For each of them the target's own `dis` is compared: the program's code objects and some of the library.
BYTECODE_PROGRAMS = ("exits", "loops", "inlining", "generators", "coroutines", "exceptions", "closures", "extended_arg")
MOST_CODES = 250
NOTE_STOPS = (2, *range(3, 40, 3), *range(40, 200, 10))
NOTE_STEPS = 3000  # instructions that are stepped through in one program
NOTE_PROGRAMS = ("classes", "closures", "containers", "exceptions", "exits", "generators", "inlining", "loops")
NOTE_FAULT_PROGRAM = "exits"
STACK_PROGRAMS = ("classes", "closures", "inlining", "loops")
STACK_STEPS = 60    # uops that are stepped through in one program
STACK_LEAVES = 150  # guards that are made to fail
STACK_FAULT_PROGRAM = "classes"
# Stops at which the stack, and the variables, are known from CPython itself: of all targets together, at least.
STACK_STOPS = {"boundary items": 1000, "items after": 1000, "f_locals": 1000}
BYTECODE_FAULT_PROGRAM = "exits"
UNWIND_STOPS = (2, 3, 5, 8, 12, 17, 23, 30, 38, 47, 57)
UNWIND_STEPS = 1100  # instructions that are looked at in one program
UNWIND_WALK = 500    # of those in one go
UNWIND_PROGRAMS = ("exits", "generators")
UNWIND_FAULT_PROGRAM = "exits"
LAYOUT_PROGRAM = "loops"
FAULT_PROGRAM = "loops"
# Emulated targets are ten times slower: a few programs for each check that depends on the machine.
EMULATED_PROGRAMS = {"emitters": ("exits", "generators"), "notes": ("exits", "inlining"), "unwind": ("exits",),
                     "stack": ("classes",)}
EMULATED_NOTE_STEPS = 550
EMULATED_UNWIND_STEPS = 340
EMULATED_UNWIND_WALK = 150
EMULATED_STACK_STEPS = 20
EMULATED_STACK_LEAVES = 60
QUICK_PROGRAMS = ("loops", "inlining", "generators", "extended_arg")


class Program:
    """A program of the plan, as a command line for the target."""

    def __init__(self, name, path, *arguments):
        self.name, self.path, self.arguments = name, str(path), [str(argument) for argument in arguments]

    def command(self):
        return [self.path, *self.arguments]


def programs(quick):
    return [Program(path.stem, path) for path in sorted(PROGRAMS.glob("*.py")) if not quick or path.stem in QUICK_PROGRAMS]


def program(name):
    return Program(name, PROGRAMS / f"{name}.py")


def unwind_programs(debug_build):
    """The stencils of debug builds are not in what people run: one program of them must do."""
    return UNWIND_PROGRAMS[:1] if debug_build else UNWIND_PROGRAMS


def benchmarks(directory, full, debug_build):
    """Debug builds run a few only: they are ten times slower and make ten times as much machine code."""
    names = {**BENCHMARKS, **(MORE_BENCHMARKS if full else {})}
    chosen = {name: names[name] for name in DEBUG_BENCHMARKS} if debug_build else names
    return [Program("bm_" + name, BENCHMARK_DRIVER, directory / f"bm_{name}" / "run_benchmark.py", loops)
            for name, loops in chosen.items()]


# The least that one program must give a check to compare. 3.14 compiles few traces of some programs.
EMITTERS = {"executors": 1, "listed": 0, "lengths": 1, "names": 20, "addresses": 20, "sizes": 20, "fields": 20, "regions": 4}
POSITIONS = {"codes": 20, "offsets": 15, "opnames": 15, "lines": 15}
INSTRUCTIONS = {"boundaries": 10, "bytes": 100, "mnemonics": 100, "branches": 10}
BYTECODE = {"instructions": 50, "arguments": 3000, "lines": 3000, "labels": 3000, "meanings": 2500, "entries": 0, "exits": 2,
            "targets": 1}
LAYOUTS = {"shapes": 10, "fields": 500}
NOTES = {"field": 20, "register": 20, "constant": 10, "stack": 5}
# The share of memory operands and numbers together with a note, where a goal is set.
NOTE_SHARES = {"3.15": 0.9}
UNWIND = {"jit": 300, "callee": 100, "entry": 0, "stack": 20, "returned": 2}
EMULATED_UNWIND = {"jit": 100, "callee": 20, "entry": 0, "stack": 10, "returned": 1}
STACK = {"boundary items": 60, "items after": 20, "f_locals": 20, "items inside": 100}
EMULATED_STACK = {**STACK, "items inside": 50}
BOUNDARIES = {"code": 20, "executor": 20, "offsets": 2}
# The least that all programs of one target must give together: well below what is found today, far above a broken search.
COVERAGE = {
    ("emitters", "executors"): 80, ("emitters", "listed"): 60, ("emitters", "addresses"): 6000, ("positions", "lines"): 5000,
    ("instructions", "mnemonics"): 10_000, ("mid-run", "executors"): 15, ("boundaries", "code"): 400,
    ("boundaries", "offsets"): 40, ("bytecode", "entries"): 20, ("bytecode", "exits"): 300, ("bytecode", "meanings"): 20_000,
    ("unwind", "jit"): 400, ("unwind", "callee"): 200,
    ("stack", "items after"): 100, ("stack", "f_locals"): 100, ("stack", "items inside"): 500,
    ("notes", "field"): 500, ("notes", "register"): 500,
}
# One program must do for them, see unwind_programs().
COVERAGE_OF_DEBUG_BUILDS = {**COVERAGE, ("unwind", "callee"): 100}
# The longest trace is one of a benchmark.
EMULATED_COVERAGE = {
    ("emitters", "executors"): 20, ("emitters", "addresses"): 1000, ("positions", "lines"): 1000,
    ("instructions", "mnemonics"): 3000, ("notes", "field"): 120, ("notes", "register"): 80,
    ("unwind", "jit"): 100, ("unwind", "callee"): 20, ("stack", "boundary items"): 60, ("stack", "items after"): 20,
}
LONGEST_TRACE = 500
