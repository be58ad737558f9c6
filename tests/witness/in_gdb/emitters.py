"""A session of GDB: where every uop really went, told by CPython's own emitters.

A breakpoint on each static `emit_*` function of the target (939 in 3.15) sees each uop at the moment when its stencil is
copied: the registers hold the code address, the data address, the executor and the uop. From these records alone, and from
GDB's reading of the same process, the other checks judge what the tool says at the stops.
"""
import time

import gdb

import inferior
import machine
import snapshot

SHIM, CLOSING = -1, -2
PREFIX = "emit_"


class Recorder:
    """Gathers the calls of one compile, and writes them when the closing _FATAL_ERROR has been emitted."""

    def __init__(self, log):
        self.log = log
        # `emit(code, data, executor, instruction, state)`, and the stack pointer.
        self.arguments = (*machine.of_target().arguments, machine.of_target().sp)
        self.last_call = self.executor = None
        self.pending = []
        self.compiles = self.emits = self.folded = self.abandoned = 0
        self.latest = {}  # executor -> the emits of its last compile
        self.trace_offset = inferior.offset("struct _PyExecutorObject", "trace")
        self.uop_size = gdb.lookup_type("_PyUOpInstruction").sizeof

    def called(self, name):
        call = tuple(inferior.register(argument) for argument in self.arguments)
        if call == self.last_call:
            # Identical-code folding makes one emitter a jump to another: one call, two breakpoints, the same registers.
            self.folded += 1
            return
        self.last_call = call
        code, data, self.executor, instruction = call[:4]
        index = self.index_of(name, instruction)
        if index == SHIM or (index == 0 and not self.has_shim_only()):
            self.begin()
        self.pending.append([index, name, code, data])
        if index == CLOSING:
            self.finish()

    def index_of(self, name, instruction):
        if instruction == 0:
            return SHIM if name == "shim" else CLOSING
        distance = instruction - inferior.read_pointer(self.executor + self.trace_offset)
        index, rest = divmod(distance, self.uop_size)
        if rest or index < 0:
            raise gdb.GdbError(f"{name} was called for a uop outside its executor's trace")
        return index

    def has_shim_only(self):
        return len(self.pending) == 1 and self.pending[0][0] == SHIM

    def begin(self):
        self.abandoned += bool(self.pending)
        self.pending = []

    def finish(self):
        self.compiles += 1
        self.emits += len(self.pending)
        self.latest[self.executor] = self.pending
        self.log.write(kind="compile", executor=self.executor, emits=self.pending)
        self.pending = []

    def is_starting(self):
        """True at the first call of a compile: every earlier executor is complete, this one is not."""
        return len(self.pending) == 1


class Emitter(gdb.Breakpoint):
    """One `emit_*` function."""

    def __init__(self, name, address, witness):
        super().__init__(f"*{address:#x}", internal=True)
        self.silent = True
        self.name, self.witness = name, witness

    def stop(self):
        return self.witness.emitted(self.name)


class Witness:
    def __init__(self, recorder, stop_at):
        self.recorder = recorder
        self.stop_at = set(stop_at)
        self.failure = None

    def emitted(self, name):
        try:
            self.recorder.called(name)
        except Exception as error:  # an exception in stop() would be printed and lost: keep it, end the run with it
            self.failure = f"{type(error).__name__}: {error}"
            return True
        return self.recorder.is_starting() and self.wants_stop()

    def wants_stop(self):
        if self.recorder.compiles not in self.stop_at:
            return False
        self.stop_at.remove(self.recorder.compiles)
        return True


def set_breakpoints(witness):
    """Before the program is started: then GDB writes them all at once, and the addresses of a non-PIE program are known."""
    found = inferior.symbols(PREFIX + r"(_[A-Z]\w*|shim)")
    if not found:
        raise gdb.GdbError("the target has no emit_* symbols: its .symtab or debug file is missing")
    # One name for one address: two static functions at the same place would make the record ambiguous.
    if len({address for _, address in found}) != len(found):
        raise gdb.GdbError("two emit_* symbols share an address")
    return [Emitter(name[len(PREFIX):], address, witness) for name, address in found]


def main():
    job, started = inferior.job(), time.time()
    inferior.prepare(job["environment"])
    with snapshot.Log(job["records"]) as log:
        recorder = Recorder(log)
        witness = Witness(recorder, job["stop_at"])
        emitters = set_breakpoints(witness)
        end = gdb.Breakpoint("*&Py_FinalizeEx", internal=True)
        end.silent = True
        stops = run(job, log, witness, end)
        log.write(kind="end", emitters=len(emitters), compiles=recorder.compiles, emits=recorder.emits,
                  folded=recorder.folded, abandoned=recorder.abandoned, stops=stops,
                  failure=witness.failure, seconds=round(time.time() - started, 1))


def resume(job, stops):
    if stops or not job.get("remote"):
        gdb.execute("continue" if stops else "run", to_string=True)
    else:
        inferior.start(job)
        gdb.execute("continue", to_string=True)


def run(job, log, witness, end):
    """Runs the program; at each chosen compile, and at its end, asks the tool. Returns the number of stops."""
    stops = 0
    while True:
        resume(job, stops)
        if not inferior.is_alive() or witness.failure:
            return stops
        snapshot.take(job, log, witness.recorder.latest, stops, compiling=None if end.hit_count else witness.recorder.executor)
        stops += 1
        if end.hit_count:
            gdb.execute("kill", to_string=True)
            return stops
