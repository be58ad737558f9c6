"""A session of GDB: single steps through JIT code; at each, what the tool's remarks claim and what GDB finds.

As in `boundaries`, the program is stopped when an executor is about to be compiled, and the tool says what it knows. Then
some uops get a breakpoint; from each hit the program is stepped instruction by instruction, over calls, until it leaves the
code that the tool has described or has seen often enough.
"""
import re

import gdb

import claims
import inferior
import machine
import snapshot
from boundaries import Compile

PLACES = 250       # uops with a breakpoint at a time
WALKS_OF_ONE = 2   # how often one uop is stepped through
WALK_LIMIT = 600   # instructions of one walk
CODE_LIMIT = 1 << 20
TRAMPOLINE_STEPS = 2
REGISTERED = "py::jit:"  # what 3.15 calls its code


class Convention:
    """Which register holds what at a uop boundary (preserve_none; the executor first since 3.15)."""

    def __init__(self, has_shim):
        order = machine.of_target().preserve_none
        self.stack = order[1] if has_shim else order[2]
        self.cached = [] if has_shim else list(order[4:])


class Step:
    """One instruction that is about to run, as GDB sees it, and afterwards what it did."""

    def __init__(self, uop, told):
        self.uop, self.told, self.machine = uop, told, machine.of_target()
        self.registers = {name: inferior.register(name) for name in self.machine.registers}
        self.pc, self.size = inferior.register(self.machine.pc), told["size"]
        text = gdb.selected_frame().architecture().disassemble(self.pc)[0]["asm"].replace("\t", " ")
        text = text.split(self.machine.comment)[0].strip()
        self.mnemonic, _, self.operands = text.removeprefix("lock ").partition(" ")
        operand = self.machine.memory_operand(self)
        self.operand = operand if operand is None else operand & inferior.POINTER_MASK
        names = [self.whole(name) for name in re.sub(r"\[.*?\]", "[]", self.operands).split(",")]
        # A pair has a second place behind the first.
        self.places = [self.operand]
        if self.mnemonic in self.machine.pairs:
            self.places.append(self.operand + claims.WORD)
        self.written_back = self.machine.written_back(self)
        self.source, self.destination = self.machine.source_and_destination(self, names)
        self.pc_after, self.registers_after, self.content = None, None, self.read_memory()

    def whole(self, name):
        """The register that this is or is a part of."""
        name = name.strip()
        return name if name in self.machine.registers else self.machine.parts.get(name)

    def number(self, text):
        """What a register holds, or the number that is written there."""
        whole = self.whole(text)
        return self.registers[whole] if whole else int(text, 0)

    def read_memory(self):
        """The words at all places; None for one that cannot be read."""
        return {place: self.word(place) for place in self.places if place}

    def word(self, place):
        try:
            return inferior.read_pointer(place)
        except gdb.MemoryError:
            return None

    def finish(self, pc_after):
        self.pc_after = pc_after
        self.registers_after = {name: inferior.register(name) for name in self.machine.registers}
        self.content_after = self.read_memory()

    def before(self, name):
        return self.registers[name]

    def after(self, name):
        return self.registers_after[name]

    def memory(self, access, place=None):
        return (self.content if access == "read" else self.content_after).get(place or self.operand)

    def place(self, expected):
        """What is compared with an address: the place of a pair that it is, or the only one."""
        return expected if expected in self.places else self.operand


class Uops:
    """What the tool says of the machine code, by address."""

    def __init__(self):
        self.starts, self.instructions = {}, {}

    def add(self, document):
        for listing in document["data"]["executors"]:
            executor = int(listing["executor"]["address"], 16)
            for uop in listing["uops"]:
                for index, told in enumerate(uop["instructions"] or ()):
                    address = int(told["address"], 16)
                    self.instructions[address] = executor, uop, told
                    if index == 0:
                        self.starts[address] = executor, uop


class Session:
    def __init__(self, job, log):
        self.job, self.log, self.machine = job, log, machine.of_target()
        shim = inferior.symbols("emit_shim")
        self.convention = Convention(bool(shim))
        self.claims = claims.Claims()
        self.compile = Compile((shim or inferior.symbols("_PyJIT_Compile"))[0][1], job["stop_at"])
        self.end = gdb.Breakpoint("*&Py_FinalizeEx", internal=True)
        self.end.silent = True
        self.seen, self.steps, self.failures = {}, 0, []

    def run(self):
        number = 0
        while True:
            gdb.execute("continue", to_string=True)
            if not inferior.is_alive() or self.end.hit_count:
                return
            if self.is_done():
                self.compile.enabled = False
                continue  # to the end, so that the program prints all it has to say
            number += 1
            inferior.finish_compile()
            self.round(number)

    def is_done(self):
        return self.steps >= self.job["steps"]

    def round(self, number):
        tool = snapshot.Tool(self.job["tool"], self.job["documents"])
        uops = Uops()
        left = CODE_LIMIT
        for index, header in enumerate(tool.headers(f"round{number}")):
            left -= header["code"]["mapped"]
            if left < 0:
                break
            if header["code"]["address"] != "0x0":
                document = tool.ask(f"jit-dis {header['address']}", f"round{number}-{index}")
                if document:
                    uops.add(document)
        self.tstate = self.main_thread()
        before, self.records = self.steps, []
        self.walks(uops)
        self.log.write(kind="round", number=number, documents=tool.documents, problems=tool.problems + self.failures,
                       steps=self.steps - before, claims=self.records)
        self.failures = []

    def main_thread(self):
        # The only thread of the programs of this plan.
        runtime = min(self.claims.symbols["_PyRuntime"])
        interpreter = inferior.read_pointer(runtime + self.claims.dwarf.offset("_PyRuntimeState", "interpreters.main"))
        return inferior.read_pointer(interpreter + self.claims.dwarf.offset("PyInterpreterState", "threads.head"))

    def walks(self, uops):
        """Steps from some uops that were not seen often enough; stops at the next compile, after which code may be freed."""
        wanted = [address for address, (executor, uop) in uops.starts.items() if not self.is_known(executor, uop)]
        places = [gdb.Breakpoint(f"*{address:#x}", internal=True) for address in wanted[::len(wanted) // PLACES + 1]]
        compiles = self.compile.count
        self.compile.rounds.add(compiles + 1)
        try:
            while any(place.enabled for place in places):
                gdb.execute("continue", to_string=True)
                if not inferior.is_alive() or self.end.hit_count or self.compile.count != compiles:
                    return
                self.walk(uops, compiles, places)
                for place in places:
                    address = int(place.location[1:], 16)
                    start = uops.starts[address]
                    if place.hit_count >= self.walks_of(*start) or self.is_known(*start):
                        place.enabled = False
                if self.is_done() or self.compile.count != compiles:
                    return
        finally:
            if inferior.is_alive():
                for place in places:
                    place.delete()

    def is_known(self, executor, uop):
        return self.seen.get((executor, uop["index"]), 0) >= self.walks_of(executor, uop)

    def walks_of(self, _executor, _uop):
        return WALKS_OF_ONE

    def walk(self, uops, compiles, places):
        moment = last = None
        enabled = [place for place in places if place.enabled]
        for place in enabled:
            place.enabled = False  # or each step would meet them
        try:
            for _ in range(WALK_LIMIT):
                pc = inferior.register(self.machine.pc)
                if pc not in uops.instructions or self.compile.count != compiles:
                    return
                executor, uop, told = uops.instructions[pc]
                if pc in uops.starts:
                    if self.is_known(executor, uop):
                        return
                    self.seen[executor, uop["index"]] = self.seen.get((executor, uop["index"]), 0) + 1
                    before, moment = moment, self.moment(executor, uop)
                    self.roles(moment, uop)
                    if before:
                        self.effect(before, last, moment, uop)
                    last = uop
                if moment is None or moment.executor != executor:
                    return
                self.step(moment, uop, told)
                if not inferior.is_alive() or self.end.hit_count:
                    return
        finally:
            if inferior.is_alive():
                for place in enabled:
                    place.enabled = True

    def moment(self, executor, uop):
        dwarf = self.claims.dwarf
        frame = inferior.read_pointer(self.tstate + dwarf.offset("PyThreadState", "current_frame"))
        cached = re.search(r"_r(\d)\d$", uop["name"])
        facts = {"frame": frame, "tstate": self.tstate, "executor": executor, "stack_register": self.convention.stack,
                 "cached": int(cached[1]) if cached else 0, "cached_registers": self.convention.cached, "machine_stack": self.machine.sp}
        return claims.Moment(facts, {name: inferior.register(name) for name in self.machine.registers})

    def roles(self, moment, uop):
        """What the tool takes for granted where a uop begins: GDB finds executor and depth of the stack for itself."""
        dwarf, where = self.claims.dwarf, f"{moment.executor:#x} uop {uop['index']} {uop['name']}"
        if uop["index"] > 1:
            current = inferior.read_pointer(self.tstate + dwarf.offset("PyThreadState", "current_executor"))
            self.record("role executor", where, "", current, moment.executor)
        code = inferior.read_pointer(moment.frame + dwarf.offset("_PyInterpreterFrame", "f_executable")) & ~3
        read = lambda field: int.from_bytes(inferior.read(code + dwarf.offset("PyCodeObject", field), 4), "little")
        bottom = moment.frame + dwarf.offset("_PyInterpreterFrame", "localsplus") + 8 * read("co_nlocalsplus")
        depth = (moment.stack - bottom) / 8
        self.record("role stack", where, f"depth {depth}", True, 0 <= depth <= read("co_stacksize") + 1 and depth % 1 == 0)

    def effect(self, before, last, moment, uop):
        """By how much the stack grew from the start of one uop to that of the next in the trace."""
        told = (last["stack"] or {}).get("effect")
        if told is None or uop["index"] != last["index"] + 1 or before.frame != moment.frame:
            return
        grown = (moment.stack - before.stack) // 8 + moment.cached - before.cached
        self.record("effect", f"{moment.executor:#x} uop {last['index']} {last['name']}", f"stack {told}", told, grown)

    def step(self, moment, uop, told):
        step = Step(uop, told)
        later = []
        for note in told["notes"]:
            # Most is checked before the instruction changes anything; what needs its result, after it.
            if note["kind"] in ("field", "stack", "constant", "hole"):
                self.judge(moment, note, step)
            else:
                later.append(note)
        is_call = step.mnemonic in self.machine.calls
        gdb.execute("stepi", to_string=True)
        self.steps += 1
        if is_call:
            self.through_trampoline()
        step.finish(inferior.register(self.machine.pc))
        if is_call:
            self.return_from_call(step)
        if inferior.is_alive():
            for note in later:
                self.judge(moment, note, step)

    def through_trampoline(self):
        """To the function, if the call has gone to `ldr x8, 8; br x8` behind the uops (AArch64): no symbol is there."""
        for _ in range(TRAMPOLINE_STEPS):
            name = inferior.symbol_at(inferior.register(self.machine.pc))
            if name and not name.startswith(REGISTERED):
                return
            gdb.execute("stepi", to_string=True)

    def return_from_call(self, step):
        behind = step.pc + step.size
        back = gdb.Breakpoint(f"*{behind:#x}", internal=True)
        while inferior.is_alive() and not self.end.hit_count:
            gdb.execute("continue", to_string=True)
            if inferior.is_alive() and inferior.register(self.machine.pc) == behind and inferior.register(self.machine.sp) == step.registers[self.machine.sp]:
                break
        if inferior.is_alive():
            back.delete()

    def judge(self, moment, note, step):
        check = getattr(self.claims, note["kind"], None)
        where = f"{step.pc:#x} {step.mnemonic} {step.operands} in uop {step.uop['index']} {step.uop['name']}"
        if check is None:
            return
        try:
            found = check(moment, note, step)
        except (claims.Unknown, gdb.error, KeyError, TypeError) as error:
            self.record(note["kind"], where, note["text"], None, f"{type(error).__name__}: {error}")
            return
        if found is not None:
            self.record(note["kind"], where, note["text"], *found)

    def record(self, kind, where, text, expected, actual):
        self.records.append([kind, where, text, expected, actual])


def main():
    snapshot.record(Session)
