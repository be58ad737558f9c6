"""Goes through JIT code instruction by instruction and records every uop that begins, and every return to the interpreter.

Only `stepi`, breakpoints and registers decide where the thread is. Of the tool under test, this takes which bytes are
which uop (`jit-list` and `jit-trace`, which have their own witness), and nothing of its steps.
"""
import json

import gdb

MASK = 2**64 - 1


def register(name):
    return int(gdb.parse_and_eval("$" + name)) & MASK


def word(address):
    return int.from_bytes(bytes(gdb.selected_inferior().read_memory(address, 8)), "little")


def document(command):
    return json.loads(gdb.execute(command + " --json", to_string=True))["data"]


def function_address(name):
    return int(gdb.parse_and_eval("(unsigned long)&" + name)) & MASK


class X86_64:
    """How calls and returns show, between two instructions of which the second is outside of the known code."""

    @staticmethod
    def return_address(stack):
        """Of a function that has just begun."""
        return word(stack)

    @staticmethod
    def called_from(_walk, stack):
        """(pc, sp) to which a call returns that has just been made; None if none was."""
        return (word(stack - 8), stack) if register("sp") == stack - 8 else None

    @staticmethod
    def has_returned(stack):
        return register("sp") == stack + 8


class Aarch64:
    @staticmethod
    def return_address(_stack):
        return register("x30")

    @staticmethod
    def called_from(walk, stack):
        """By way of a trampoline or not: only a call leaves a place within a uop to return to."""
        link = register("x30")
        region = walk.region(link - 1)
        return (link, stack) if region and region.range_of(link - 1) else None

    @staticmethod
    def has_returned(_stack):
        return register("x30") == register("pc")


class Region:
    """The code of one executor, for as long as its bytes stay the same."""

    def __init__(self, pc):
        listing = document("jit-trace %#x" % pc)["executors"][0]
        header = listing["executor"]
        self.start = int(header["code"]["address"], 16)
        self.end = self.start + header["code"]["mapped"]
        self.function = header["qualname"]
        self.content = self.read()
        self.uops = {}
        self.ranges = []
        for uop in listing["uops"]:
            for part in uop["ranges"][:1]:
                if part["size"]:
                    start = int(part["address"], 16)
                    self.uops[start] = (uop["index"], uop["name"])
                    self.ranges.append((start, start + part["size"]))

    def read(self):
        return bytes(gdb.selected_inferior().read_memory(self.start, self.end - self.start))

    def is_still(self):
        try:
            return self.read() == self.content
        except gdb.MemoryError:
            return False

    def range_of(self, pc):
        return next((own for own in self.ranges if own[0] <= pc < own[1]), None)


class Walk:
    def __init__(self):
        name = gdb.selected_inferior().architecture().name()
        self.machine = Aarch64 if name == "aarch64" else X86_64
        self.regions = []
        self.records = []
        self.calls = []  # of JIT code into C: where it goes on, and with which stack pointer
        self.last = None  # the range of the uop that the thread was in
        self.evaluation = function_address("_PyEval_EvalFrameDefault")
        self.compiler = function_address("_PyOptimizer_Optimize")

    def region(self, pc):
        """The region that contains pc, if it is known."""
        return next((region for region in self.regions if region.start <= pc < region.end), None)

    def refresh(self):
        """All entries of executors that there are. Regions whose bytes are others now are read anew when met."""
        self.regions = [region for region in self.regions if region.is_still()]
        entries = []
        for header in document("jit-list")["executors"]:
            start = int(header["code"]["address"], 16)
            entries.append(start)
            if not self.region(start):
                self.regions.append(Region(start))
        return entries

    def run_to(self, places):
        """Continues until one of these places is reached by the only thread."""
        breakpoints = [gdb.Breakpoint("*%#x" % place, internal=True) for place in set(places)]
        try:
            gdb.execute("continue", to_string=True)
        finally:
            for breakpoint in breakpoints:
                breakpoint.delete()
        return register("pc")

    def go_outside(self, called):
        """Runs other code until the thread is in JIT code again: a C function that JIT code has called, or the
        interpreter. Before a called function can enter JIT code, Python code begins to be evaluated."""
        while True:
            places = [self.evaluation] if called else self.refresh() + [self.compiler]
            back = self.calls[-1] if self.calls else (None, None)
            pc = self.run_to(places + [back[0]] if self.calls else places)
            if (pc, register("sp")) == back:
                self.calls.pop()
                return pc
            if pc == self.compiler:
                self.run_to([self.machine.return_address(register("sp"))])
            elif pc == self.evaluation:
                called = False
            elif pc != back[0]:
                self.last = None
                return pc

    def step(self, pc):
        """One instruction, or a call as a whole, or the whole way through the interpreter."""
        stack = register("sp")
        gdb.execute("stepi", to_string=True)
        now = register("pc")
        if self.region(now):
            return now
        back = self.machine.called_from(self, stack)
        if back:
            self.calls.append(back)
            return self.go_outside(called=True)
        if self.machine.has_returned(stack):
            self.records.append([len(self.calls), "left"])
            self.last = None
            return self.go_outside(called=False)
        # A jump into code that was compiled a moment ago.
        self.refresh()
        return now

    def record(self, pc):
        region = self.region(pc)
        own = region.range_of(pc)
        if own and own[0] == pc and own != self.last:
            index, name = region.uops[pc]
            self.records.append([len(self.calls), region.function, index, name])
        self.last = own

    def go(self, wanted):
        pc = self.go_outside(called=False)
        while len(self.records) < wanted:
            self.record(pc)
            pc = self.step(pc)


def main(wanted, path):
    with gdb.with_parameter("suppress-cli-notifications", True):
        walk = Walk()
        walk.go(wanted)
    with open(path, "w", encoding="utf-8") as out:
        json.dump(walk.records[:wanted], out)
