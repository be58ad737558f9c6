"""A session of GDB: what the caller of JIT code will find in its registers, and what is said of them before it comes to that.

Where JIT code is entered, the processor's registers are what its caller has a right to get back. From there the program is
stepped, instruction by instruction, through JIT code and the beginnings of the C functions that it calls. At each step GDB's
own frames, which the tool unwinds, and the tool's `jit-bt` must show that caller with these registers. When the caller is
reached, the processor says whether they were the right ones.
"""
import gdb

import inferior
import machine
import snapshot
from boundaries import Compile

WALKS_OF_ONE = 2     # how often one executor is entered
RETURN_LIMIT = 20    # of those behind the call that enters the first uop
CALLEE_LIMIT = 25    # of those, in one C function; then on to its end
DEPTH_LIMIT = 8      # C functions between the pc and JIT code
STACKS_EVERY = 12    # steps from one `jit-bt` to the next
IDLE_HITS = 40       # of an entry that leads to nothing new, at once


class Reference:
    """The caller of JIT code, by the registers at the entry of a function."""

    def __init__(self, target):
        self.pc, self.sp = target.caller()
        self.values = [self.pc, self.sp] + [inferior.register(name) for name in target.saved]


class Session:
    def __init__(self, job, log):
        self.job, self.log, self.machine = job, log, machine.of_target()
        shim = inferior.symbols("emit_shim")
        entry = inferior.symbols("_PyJIT_Entry")
        # 3.15 enters all executors through one function, 3.14 each through its own first bytes.
        self.entry = entry[0][1] if entry else None
        self.compile = Compile((shim or inferior.symbols("_PyJIT_Compile"))[0][1], job["stop_at"])
        self.end = gdb.Breakpoint("*&Py_FinalizeEx", internal=True)
        self.end.silent = True
        self.steps, self.walked = 0, {}
        self.program = program_range()

    def run(self):
        while True:
            gdb.execute("continue", to_string=True)
            if not inferior.is_alive() or self.end.hit_count:
                return
            if self.steps >= self.job["steps"]:
                self.compile.enabled = False
                continue  # to the end, so that the program prints all it has to say
            inferior.finish_compile()
            self.round()

    def round(self):
        self.tool = snapshot.Tool(self.job["tool"], self.job["documents"])
        headers = [header for header in self.tool.headers("list") if header["code"]["address"] != "0x0"]
        self.ranges = [(int(header["code"]["address"], 16), header["code"]["mapped"]) for header in headers]
        self.records, self.compiles = [], self.compile.count
        self.compile.rounds.add(self.compiles + 1)
        starts = [self.entry] if self.entry else [start for start, _ in self.ranges if not self.is_known(start)]
        places = [gdb.Breakpoint(f"*{start:#x}", internal=True) for start in starts]
        try:
            self.walks(places)
        finally:
            if inferior.is_alive():
                for place in places:
                    place.delete()
        self.log.write(kind="walks", names=["pc", *self.names()], rows=self.records, problems=self.tool.problems)

    def is_known(self, executor):
        return self.walked.get(executor, 0) >= WALKS_OF_ONE

    def walks(self, places):
        while not self.is_over() and any(place.enabled for place in places):
            gdb.execute("continue", to_string=True)
            if self.is_over():
                return
            pc = inferior.register(self.machine.pc)
            executor = inferior.register(self.machine.arguments[0]) if self.entry else pc
            place = next((place for place in places if place.location == f"*{pc:#x}"), None)
            if place is None:
                return
            if self.is_known(executor):
                place.ignore_count = IDLE_HITS
                place.enabled = bool(self.entry)
                continue
            self.walked[executor] = self.walked.get(executor, 0) + 1
            for one in places:
                one.enabled = False  # or each step would meet them
            self.walk()
            if inferior.is_alive():
                for one in places:
                    one.enabled = True

    def is_over(self):
        return (not inferior.is_alive() or self.end.hit_count or self.compile.count != self.compiles
                or self.steps >= self.job["steps"])

    def walk(self):
        """Steps for a while, then on to where uops return to, and from there step by step to the caller."""
        reference = Reference(self.machine)
        inner = self.step_along(reference, self.job["walk"])
        if inner and not self.is_over():
            self.run_to(*inner)
            if not self.is_over():
                self.step_along(reference, RETURN_LIMIT)

    def step_along(self, reference, limit):
        """Looks at each step until the caller is reached. Else gives the place (pc, sp) behind the first call, which is
        that of the entering code."""
        inner, callee = None, 0
        for _ in range(limit):
            pc, sp = self.place()
            if (pc, sp) == (reference.pc, reference.sp):
                self.returned(reference)
                return None
            if not self.is_jit(pc) and not self.is_file(pc) or sp > reference.sp:
                return None  # an executor that was compiled meanwhile, or somebody else's stack
            self.look(pc, reference)
            callee = 0 if self.is_jit(pc) else callee + 1
            self.steps += 1
            if callee > CALLEE_LIMIT:
                if not self.finish_callee():
                    return None
                callee = 0
                continue
            gdb.execute("stepi", to_string=True)
            if self.is_over():
                return None
            inner = inner or self.machine.called_from(pc, sp)
        return inner

    def returned(self, reference):
        actual = [inferior.register(name) for name in (self.machine.pc, *self.names())]
        self.records.append(["returned", actual[0], reference.values, actual])

    def look(self, pc, reference):
        """What the frames say that the caller will find."""
        frame = gdb.newest_frame()
        if frame.name() == "_PyJIT_Entry":
            kind = "entry"  # the C function that enters JIT code (3.15): no uop runs yet, or none any more
        else:
            kind, frame = ("jit", frame) if self.is_jit(pc) else ("callee", self.jit_frame(frame))
        self.records.append([kind, pc, reference.values, self.values(frame and frame.older())])
        if self.steps % STACKS_EVERY == 0 and kind != "entry":
            self.records.append(["stack", pc, reference.values[:2], self.stack()])

    def jit_frame(self, frame):
        """The JIT code that has called a C function; None if none has."""
        for _ in range(DEPTH_LIMIT):
            frame = frame.older()
            if frame is None or self.is_jit(frame.pc() - 1):
                return frame
        return None

    def stack(self):
        document = self.tool.ask("jit-bt --limit 30", "stack")
        self.tool.documents.clear()
        frames = document["data"]["threads"][0]["frames"] if document else []
        for frame, older in zip(frames, frames[1:]):
            if frame["kind"] == "jit":
                return [int(older["pc"], 16), int(older["sp"], 16)]
        return None

    def finish_callee(self):
        """Goes on to where the C function returns to JIT code; whether it did."""
        frame = self.jit_frame(gdb.newest_frame())
        if frame is None:
            return False
        self.run_to(frame.pc(), int(frame.read_register(self.machine.sp)))
        return not self.is_over()

    def run_to(self, pc, sp):
        """To a place with this stack pointer: nested calls come by there too."""
        if self.place() == (pc, sp):
            return
        back = gdb.Breakpoint(f"*{pc:#x}", internal=True)
        while not self.is_over():
            gdb.execute("continue", to_string=True)
            if not self.is_over() and self.place() == (pc, sp):
                break
        if inferior.is_alive():
            back.delete()

    def place(self):
        return inferior.register(self.machine.pc), inferior.register(self.machine.sp)

    def names(self):
        return self.machine.sp, *self.machine.saved

    def values(self, frame):
        """None for what GDB does not know."""
        if frame is None:
            return None
        found = [frame.pc()]
        for name in self.names():
            try:
                found.append(int(frame.read_register(name)) & inferior.POINTER_MASK)
            except (gdb.error, ValueError):
                found.append(None)
        return found

    def is_jit(self, address):
        return any(start <= address < start + size for start, size in self.ranges)

    def is_file(self, address):
        start, end = self.program
        return start <= address < end or gdb.solib_name(address) is not None


def program_range():
    """The executable of these targets is loaded at its own addresses."""
    sections = gdb.execute("maint info sections", to_string=True).splitlines()
    code = [line for line in sections if " CODE" in line and "->" in line]
    bounds = [[int(word, 16) for word in line.split("]")[1].split(" at ")[0].split("->")] for line in code]
    return min(start for start, _ in bounds), max(end for _, end in bounds)


def main():
    snapshot.record(Session)
