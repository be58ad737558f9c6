"""A session of GDB: at uop boundaries, inside uops and in calls from them, what `jit-stack` says and what is true.

Places are chosen as in `notes`. At the start of a uop GDB reads the registers and the memory for itself. Then, if the uop is a
guard that may fail, it is made to fail: the pc is set to the uop it would jump to. CPython's own code now writes the stack back
to memory and returns to the interpreter, which tells what the stack really was; and `frame.f_locals`, asked for by a call, tells
the variables. Otherwise the uop is stepped through, and what the tool says on the way is compared with what it began with.
"""
import json
import re

import gdb

import inferior
import notes
import python_frame
import snapshot

STEPS_OF_ONE = 24  # instructions of one uop
ASK_EVERY = 2      # instructions
LEAVES_OF_ONE = 25  # how often one guard is made to fail
REPRS_OF_ONE = 3   # variables whose repr() is asked for at one stop
# Guards of what was compiled in; the others decide where the program goes on, and must not be made to fail.
MAY_FAIL = re.compile(r"_(GUARD_(TOS|NOS|BOTH|TYPE|GLOBALS|BUILTINS|DORV|KEYS|CALLABLE|THIRD|BINARY_OP_EXTEND)|ITER_CHECK"
                      r"|CHECK_(FUNCTION|STACK_SPACE|RECURSION|MANAGED|ATTR|CALL|METHOD|OBJECT|IS_NOT|VALIDITY))")
CALLED_WITH_SAVED_STACK = "now"
# Written over a frame's saved stack pointer while it is out of date: who shows it as the end of the stack is found out.
POISON = 0x5105105105105108


class Session(notes.Session):
    def __init__(self, job, log):
        super().__init__(job, log)
        self.inside = python_frame.Inside(self.claims)
        self.stops = {"boundary": 0, "inside": 0, "in C": 0, "call": 0, "left": 0}
        self.traces = {}

    def is_done(self):
        return super().is_done() and self.stops["left"] >= self.job["leaves"]

    def walks(self, uops):
        self.traces = {}
        for executor, uop in uops.starts.values():
            self.traces.setdefault(executor, {})[uop["index"]] = uop
        super().walks(uops)

    def walk(self, uops, compiles, places):
        start = inferior.register(self.machine.pc)
        if start not in uops.starts:
            return
        executor, uop = uops.starts[start]
        self.seen[executor, uop["index"]] = self.seen.get((executor, uop["index"]), 0) + 1
        where = f"{executor:#x} uop {uop['index']} {uop['name']}"
        frame, truth = self.truth(uop)
        told = self.ask(where, "boundary")
        if told is None:
            return
        self.at_boundary(where, told, frame, truth)
        stub = self.stub(executor, uop)
        if stub is not None and self.stops["left"] < self.job["leaves"]:
            self.leave(where, told, frame, stub)
        elif self.steps < self.job["steps"]:
            self.steps += 1
            self.through(where, uops, uop, frame, truth)

    def run(self):
        super().run()
        return self.stops

    def walks_of(self, executor, uop):
        if self.stops["left"] < self.job["leaves"] and self.stub(executor, uop) is not None:
            return LEAVES_OF_ONE
        return notes.WALKS_OF_ONE

    def ask(self, where, kind):
        """The frame that the tool shows first, and the thread it is of."""
        try:
            document = json.loads(gdb.execute("jit-stack --json", to_string=True))
            self.stops[kind] += 1
            return document["data"]["threads"][0]
        except (gdb.error, ValueError, LookupError) as error:
            self.record("answers", where, kind, "an answer", f"{type(error).__name__}: {error}")
            return None

    def truth(self, uop):
        """The frame, and the words of its stack by GDB's own reading where a uop begins."""
        frame = python_frame.Frame(self.claims.dwarf, self.tstate)
        cached = re.search(r"_r(\d)\d$", uop["name"])
        registers = self.convention.cached[:int(cached[1]) if cached else 0]
        return frame, frame.words(inferior.register(self.convention.stack)) + [inferior.register(name) for name in registers]

    def at_boundary(self, where, told, frame, truth):
        first = told["frames"][0]
        self.record("frame", where, "", hex(frame.address), first["address"])
        self.record("boundary items", where, "", [hex(word) for word in truth], items(first))
        self.record("states", where, "", {"certain"} >= {item["state"] for item in first["stack"] or ()}, True)
        self.record("local words", where, "", [hex(word) for word in frame.local_words()],
                    [local["value"]["bits"] for local in first["locals"]])

    def stub(self, executor, uop):
        """Where a guard jumps that fails, if that is code which goes back to the interpreter."""
        target = self.traces.get(executor, {}).get(uop["jump_target"])
        if target is None or not MAY_FAIL.match(uop["base"]) or target["base"] != "_DEOPT":
            return None
        cached = lambda name: (re.search(r"_r(\d)\d$", name) or "00")[1]
        return int(target["ranges"][0]["address"], 16) if cached(target["name"]) == cached(uop["name"]) else None

    def leave(self, where, told, frame, stub):
        # Each uop can return to whom the first one returns to.
        back, machine_stack = self.machine.caller()
        gdb.execute(f"set $pc = {stub:#x}")
        arrival = gdb.Breakpoint(f"*{back:#x}", internal=True)
        try:
            while inferior.is_alive() and not self.end.hit_count:
                gdb.execute("continue", to_string=True)
                if inferior.register(self.machine.pc) == back and inferior.register(self.machine.sp) == machine_stack:
                    break
        finally:
            if inferior.is_alive():
                arrival.delete()
        self.stops["left"] += 1
        after = python_frame.Frame(self.claims.dwarf, self.tstate)
        first = told["frames"][0]
        self.record("frame", where, "after", hex(after.address), first["address"])
        self.record("items after", where, "", [hex(word) for word in after.words(after.saved)], items(first))
        if after.is_complete:
            self.variables(where, first)

    def variables(self, where, first):
        # The locals of a module or class are no slots of its frame.
        shown = {local["name"]: local["content"] or local["value"] for local in first["locals"] if local["kind"] != "hidden"}
        if not shown:
            return
        is_set = {name: value for name, value in shown.items() if value["tag"] != "null"}
        truth = self.inside.locals()
        self.record("f_locals", where, "", {name: hex(value) for name, value in truth.items() if name in shown},
                    {name: value["object"] for name, value in is_set.items()})
        plain = [name for name, value in is_set.items() if value["repr"] and not re.search(r"<|\.\.\.", value["repr"])]
        for name in plain[:REPRS_OF_ONE]:
            text = self.inside.repr(truth[name]) if name in truth else None
            if text is not None:
                self.record("repr", where, name, text, is_set[name]["repr"])

    def through(self, where, uops, uop, frame, truth):
        """Steps through one uop."""
        if frame.saved:  # debug builds clear it
            gdb.selected_inferior().write_memory(frame.saved_at, POISON.to_bytes(8, "little"))
        for number in range(STEPS_OF_ONE):
            here = uops.instructions.get(inferior.register(self.machine.pc))
            if here is None or here[1]["index"] != uop["index"] or (number and here[2] is uop["instructions"][0]):
                return
            if number and number % ASK_EVERY == 0:
                self.within(f"{where} before {here[2]['mnemonic']} {here[2]['operands']}", "inside", truth)
            behind = inferior.register(self.machine.pc) + here[2]["size"]
            machine_stack = inferior.register(self.machine.sp)
            gdb.execute("stepi", to_string=True)
            if here[2]["mnemonic"] in self.machine.calls:
                self.through_trampoline()
                self.in_call(where, frame, truth)
                self.back_from_call(behind, machine_stack)
            if not inferior.is_alive() or self.end.hit_count:
                return

    def within(self, where, kind, truth):
        told = self.ask(where, kind)
        if told is None or not told["frames"]:
            return
        first = told["frames"][0]
        if first["stack"] is None:
            self.record("known inside", where, first["why"], None, "not known")
        elif first["stack_as_of"] != CALLED_WITH_SAVED_STACK:
            self.compare_items(where, first, truth)

    def compare_items(self, where, first, truth):
        stack = first["stack"][::-1]
        self.record("depth inside", where, "", len(truth), len(stack))
        for item, word in zip(stack, truth):
            if item["state"] == "unknown":
                self.record("known inside", where, "item", None, "not known")
                continue
            value = item["value"]
            found = value["bits"] or value["object"]
            self.record("items inside", where, f"item {item['index']} {item['state']}",
                        hex(word if value["bits"] else word & ~1), found)
            if item["state"] == "certain" and value["tag"] in ("owned", "borrowed"):
                # Memory that was freed keeps no count of references.
                count = int.from_bytes(inferior.read(int(value["object"], 16), 4), "little")
                self.record("alive inside", where, f"item {item['index']}", count > 0, True)

    def in_call(self, where, frame, truth):
        """In a C function that the uop has just called, seen from there and from the frame of the JIT code."""
        told = self.ask(f"{where} in C", "in C")
        if told and told["inside"] == "c" and told["frames"][0]["stack"] is not None:
            self.saved_items(f"{where} in C", frame, told["frames"][0])
        try:
            gdb.execute("up", to_string=True)
        except gdb.error:
            return
        told = self.ask(f"{where} in a call", "call")
        gdb.execute("frame 0", to_string=True)
        if told is None or not told["in_call"]:
            return  # 3.14: GDB does not find the frame of the JIT code without help
        first = told["frames"][0]
        if first["stack"] is None:
            self.record("known inside", where, f"in a call: {first['why']}", None, "not known")
        elif first["stack_as_of"] == CALLED_WITH_SAVED_STACK:
            self.saved_items(where, frame, first)
        else:
            self.compare_items(f"{where} in a call", first, truth)

    def saved_items(self, where, frame, first):
        now = python_frame.Frame(self.claims.dwarf, self.tstate)
        if now.address == frame.address:
            self.record("saved in time", where, "", True, now.saved not in (POISON, 0))
            self.record("items in a call", where, "", [hex(word) for word in now.words(now.saved)], items(first))

    def back_from_call(self, behind, machine_stack):
        back = gdb.Breakpoint(f"*{behind:#x}", internal=True)
        while inferior.is_alive() and not self.end.hit_count:
            if inferior.register(self.machine.pc) == behind and inferior.register(self.machine.sp) == machine_stack:
                break
            gdb.execute("continue", to_string=True)
        if inferior.is_alive():
            back.delete()


def items(frame):
    """The bits of what the tool shows on a stack, from the bottom."""
    if frame["stack"] is None:
        return frame["why"]
    return [item["value"] and item["value"]["bits"] for item in frame["stack"][::-1]]


def main():
    snapshot.record(Session)
