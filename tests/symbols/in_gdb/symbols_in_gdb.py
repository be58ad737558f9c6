"""A session of GDB on tests/symbols/program.py."""
import os
import pathlib
import sys

import gdb

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import judge

ENTRIES = 6          # of one executor that are followed
MOST_OF_ENTRY = 700  # instructions of one entry
CALLS_OF_ONE = 4     # of which one is looked at from within
TAG_BITS = 3


class Machine:
    """Registers by what they are for; `uops`: the arguments of uops, in order."""

    def __init__(self, pc, stack, frame_pointer, saved, argument, uops, link, calls):
        self.pc, self.stack, self.frame_pointer, self.saved, self.argument = pc, stack, frame_pointer, saved, argument
        self.uops, self.link, self.calls = uops, link, calls


X86_64 = Machine("rip", "rsp", "rbp", ("rbx", "rbp", "r12", "r13", "r14", "r15"), "rdi",
                 ("r12", "r13", "r14", "r15", "rdi", "rsi", "rdx"), None, ("call",))
AARCH64 = Machine("pc", "sp", "x29", tuple(f"x{number}" for number in range(19, 30)), "x0",
                  tuple(f"x{number}" for number in range(20, 27)), "x30", ("bl", "blr"))
ENTRY_NAMES = 400    # uop names that get a breakpoint


def register(name):
    return int(gdb.newest_frame().read_register(name)) & (1 << 64) - 1


def word(address):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, 8), "little")


def offset(kind, field):
    return next(one.bitpos // 8 for one in gdb.lookup_type(kind).fields() if one.name == field)


class Memory:
    """Frames as they stand in memory."""

    def __init__(self):
        frame = "struct _PyInterpreterFrame"
        self.executable, self.previous = offset(frame, "f_executable"), offset(frame, "previous")
        self.localsplus = offset(frame, "localsplus")
        self.code_name, self.names_at = offset("PyCodeObject", "co_name"), offset("PyCodeObject", "co_localsplusnames")
        self.text_at = gdb.lookup_type("PyASCIIObject").sizeof
        self.length_at = offset("PyASCIIObject", "length")
        self.items_at = offset("PyTupleObject", "ob_item")
        self.codes = {}
        # What CPython puts below __init__, and shows to nobody.
        self.init_shim = int(gdb.parse_and_eval("(unsigned long)&_Py_InitCleanup"))

    def text(self, address):
        return bytes(gdb.selected_inferior().read_memory(address + self.text_at, word(address + self.length_at))).decode()

    def code(self, frame):
        """Name and variables of what a frame executes."""
        code = word(frame + self.executable) & ~TAG_BITS
        if code not in self.codes:
            names = word(code + self.names_at)
            count = word(names + 16)
            self.codes[code] = (self.text(word(code + self.code_name)),
                                [self.text(word(names + self.items_at + 8 * slot)) for slot in range(count)])
        return self.codes[code]

    def chain(self, frame, count):
        """So many frames: address, name, variables."""
        while count:
            if word(frame + self.executable) & ~TAG_BITS != self.init_shim:
                yield (frame, *self.code(frame))
                count -= 1
            frame = word(frame + self.previous)

    def local(self, frame, slot):
        return word(frame + self.localsplus + 8 * slot) & ~TAG_BITS


class Entry(gdb.Breakpoint):
    """Where JIT code is entered from C: the first times of each executor."""

    def __init__(self, address, followed):
        super().__init__(f"*{address:#x}", internal=True)
        self.silent, self.followed = True, followed

    def stop(self):
        # 3.14 has one entry for each executor; of 3.15's, the executor is the first argument.
        machine = self.followed.machine
        key = register(machine.pc if self.followed.per_executor else machine.argument)
        self.followed.counts[key] = self.followed.counts.get(key, 0) + 1
        return self.followed.counts[key] <= ENTRIES


class Followed:
    def __init__(self, machine, per_executor):
        self.machine, self.per_executor, self.counts = machine, per_executor, {}


class Session:
    def __init__(self, job):
        self.job = job
        names = ("unwinding", "unwinding from callees", "Python frames at uops", "variables at uops", "variables inside uops",
                 "stack items at uops")
        self.checks = {name: judge.Check(name, None if name == "unwinding" else 1) for name in names}
        self.unknown = self.calls = 0
        self.is_314 = "3.14" in job.version
        self.machine = AARCH64 if job.port else X86_64
        self.frame_register = self.machine.uops[0 if self.is_314 else 1]

    def run(self):
        gdb.execute("set confirm off")
        gdb.execute("set pagination off")
        gdb.execute("set breakpoint pending on")
        for setting in ("PYTHON_JIT 1", "PYTHONHASHSEED 0"):
            gdb.execute(f"set environment {setting}")
        if self.job.port:
            gdb.execute(f"target remote 127.0.0.1:{self.job.port}", to_string=True)
        marker = gdb.Breakpoint("os_getppid", internal=True)
        gdb.execute("continue" if self.job.port else "run", to_string=True)
        marker.delete()
        pid = gdb.selected_inferior().pid
        self.map = self.job.code_map(pid)
        self.job.write_symbols(pid, "gdb")
        self.check_code()
        gdb.execute(f"source {self.job.folder}/load.gdb", to_string=True)
        self.memory = Memory()
        names = self.names()
        self.follow()
        for one in gdb.breakpoints() or ():
            one.delete()
        gdb.execute("continue", to_string=True)
        inside = self.checks["variables inside uops"]
        inside.words = f", {self.unknown} said to be unknown"
        self.job.write([*self.checks.values(), names])

    def check_code(self):
        """An emulated program is read from the core of another run: its code must be the same at the same places, but for
        addresses of objects that uops have as operands."""
        other = [(start, self.map.uops[start]["name"]) for start, data in self.map.bytes.items()
                 if self.map.uops[start]["operand0"] == "0x0"
                 and bytes(gdb.selected_inferior().read_memory(start, len(data))) != data]
        if other:
            raise RuntimeError(f"{len(other)} of {len(self.map.bytes)} uops have other code than the map's: "
                               + ", ".join(f"{name} at {start:#x}" for start, name in other[:8]))

    def names(self):
        """`break UOP` is all places where that uop begins."""
        check = judge.Check("break UOP", 1)
        for name, places in sorted(self.map.names.items())[:ENTRY_NAMES]:
            point = gdb.Breakpoint(name)
            found = {location.address for location in point.locations}
            check.add(found == places, lambda: f"{name}: {sorted(map(hex, found ^ places))} are not in both")
            point.delete()
        return check

    def follow(self):
        unwinding = self.checks["unwinding"]
        followed = Followed(self.machine, self.is_314)
        places = self.map.starts if self.is_314 else [int(gdb.parse_and_eval("(long)&_PyJIT_Entry"))]
        breakpoints = [Entry(place, followed) for place in places]
        end = gdb.Breakpoint("Py_FinalizeEx", internal=True)
        while unwinding.done < self.job.places:
            gdb.execute("continue", to_string=True)
            if not gdb.selected_inferior().pid or end.hit_count:
                break
            self.entered()
        for one in [*breakpoints, end]:
            if one.is_valid():
                one.delete()

    def entered(self):
        """At the first instruction of what enters JIT code: what it was called with, and then each instruction."""
        machine, stack = self.machine, register(self.machine.stack)
        returns = (register(machine.link), stack) if machine.link else (word(stack), stack + 8)
        self.caller = {machine.pc: returns[0], machine.stack: returns[1], **{name: register(name) for name in machine.saved}}
        self.frames = None
        for _ in range(MOST_OF_ENTRY):
            pc = register(machine.pc)
            if pc == self.caller[machine.pc]:
                return
            if self.map.contains(pc):
                self.look(pc)
            self.step(pc)

    def step(self, pc):
        instruction = gdb.newest_frame().architecture().disassemble(pc)[0]
        gdb.execute("stepi", to_string=True)
        behind = pc + instruction["length"]
        is_call = instruction["asm"].split()[0] in self.machine.calls
        if not is_call or self.map.contains(register(self.machine.pc)) or not self.map.contains(pc):
            return
        self.calls += 1
        if self.calls % CALLS_OF_ONE == 1:
            self.look_at_caller(gdb.newest_frame(), "unwinding from callees", pc)
        back = gdb.Breakpoint(f"*{behind:#x}", internal=True)
        back.silent = True
        while gdb.selected_inferior().pid and register(self.machine.pc) != behind:
            gdb.execute("continue", to_string=True)  # also where executors are entered from within
        back.delete()

    def look(self, pc):
        self.look_at_caller(gdb.newest_frame(), "unwinding", pc)
        uop, blocks = self.map.uops.get(pc), self.blocks(pc)
        python = self.python_blocks(blocks)
        if uop:
            self.frames = list(self.memory.chain(register(self.frame_register), len(python)))
            self.look_at_frames(pc, uop, python)
            self.look_at_items(pc, uop, blocks[-1])
        if self.frames is not None:
            self.look_at_variables(pc, python, "variables at uops" if uop else "variables inside uops")

    def look_at_caller(self, frame, name, pc):
        """The frame that called into the JIT, with the registers that it had."""
        machine = self.machine
        while frame is not None and frame.pc() != self.caller[machine.pc]:
            frame = frame.older()
        # GDB takes CPython 3.15's own unwind rules before any other; they do not tell of other registers.
        registers = self.caller if self.is_314 else {
            key: self.caller[key] for key in (machine.pc, machine.stack, machine.frame_pointer)}
        check = self.checks[name]
        if frame is None:
            check.add(False, lambda: f"{pc:#x}: the caller is not found")
            return
        found = {key: int(frame.read_register(key)) & (1 << 64) - 1 for key in registers}
        check.add(found == registers, lambda: f"{pc:#x}: {found}, not {registers}")

    def blocks(self, pc):
        """The functions that the object says to be inlined there, the innermost first, and the executor."""
        block, found = gdb.current_progspace().block_for_pc(pc), []
        while block and not block.is_static and not block.is_global:
            if block.function is not None:
                found.append(block)
            block = block.superblock
        return found

    def python_blocks(self, blocks):
        """Those of Python: uops are inlined too, in the view that shows both."""
        return [block for block in blocks[:-1] if block.function.name not in self.map.names]

    def look_at_frames(self, pc, uop, python):
        names = [block.function.name for block in python]
        # A frame whose function is still to be tested is said to be there, but not which it is.
        real = ["?" if said == "?" else name for said, (_, name, _) in zip(names, self.frames)]
        check = self.checks["Python frames at uops"]
        if names or uop["bytecode"] and uop["target"] is not None:
            check.add(names == real and names, lambda: f"{pc:#x} {uop['index']} {uop['name']}: {names}, not {real}")

    def look_at_variables(self, pc, python, name):
        check = self.checks[name]
        for block, (frame, _, variables) in zip(python, self.frames):
            for symbol in (one for one in block if one.is_variable or one.is_argument):
                if symbol.name not in variables:
                    check.add(False, lambda: f"{pc:#x}: {block.function.name} has no {symbol.name}")
                    continue
                value = gdb.newest_frame().read_var(symbol, block)
                if value.is_optimized_out:
                    self.unknown += 1
                    if name == "variables at uops":
                        check.add(False, lambda: f"{pc:#x}: {symbol.name} is unknown")
                    continue
                real = self.memory.local(frame, variables.index(symbol.name))
                check.add(int(value) == real, lambda: f"{pc:#x}: {symbol.name} is {int(value):#x}, not {real:#x}")

    def look_at_items(self, pc, uop, block):
        cached = (uop.get("stack") or {}).get("cached_before", 0)
        check = self.checks["stack items at uops"]
        for number, name in enumerate(self.machine.uops[4:]):
            symbol = next((one for one in block if one.name == f"tos{number}"), None)
            value = symbol and gdb.newest_frame().read_var(symbol, block)
            is_known = value is not None and not value.is_optimized_out
            bits = register(name)
            real = bits if bits & TAG_BITS == TAG_BITS else bits & ~TAG_BITS
            right = is_known == (number < cached) and (not is_known or int(value) == real)
            check.add(right, lambda: f"{pc:#x} {uop['name']}: tos{number} is {value}, not {real:#x}")


if __name__ == "__main__":
    Session(judge.Job(os.environ["CPYJIT_SYMBOLS_JOB"])).run()
