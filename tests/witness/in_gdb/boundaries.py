"""A session of GDB: breakpoints on uop starts; at each hit, what the processor's registers say about frame and executor.

The program is stopped when an executor is about to be compiled, a few times. At each such stop the tool says where the uops
are; some of them get a breakpoint, and what they see until the next stop is recorded. The tool's claims stay in its document.
"""
import gdb

import inferior
import machine
import snapshot

PLACES = 250     # breakpoints at a time: each costs at every hit
HITS_OF_ONE = 4  # per breakpoint, so that one hot loop does not use up all
HIT_LIMIT = 3000
UNIT = 2           # bytes of a code unit: opcode, oparg
MAX_PREFIXES = 3   # EXTENDED_ARG before one instruction


class Convention:
    """Which register holds what at a uop boundary: preserve_none's order, the executor first since 3.15."""

    def __init__(self, has_shim):
        order = machine.of_target().preserve_none
        self.frame = order[0] if has_shim else order[1]
        self.executor = None if has_shim else order[0]


class Frames:
    def __init__(self, convention):
        self.convention = convention
        frame = "struct _PyInterpreterFrame"
        self.executable = inferior.offset(frame, "f_executable")
        self.instruction = inferior.offset(frame, "instr_ptr")
        self.bytecode = inferior.offset("PyCodeObject", "co_code_adaptive")

    def read(self):
        frame = inferior.register(self.convention.frame)
        code = inferior.read_pointer(frame + self.executable) & ~3
        executor = inferior.register(self.convention.executor) if self.convention.executor else None
        instruction = inferior.read_pointer(frame + self.instruction)
        return {"code": hex(code), "executor": executor, "offset": instruction - code - self.bytecode,
                "before": list(inferior.read(instruction - UNIT * MAX_PREFIXES, UNIT * MAX_PREFIXES)[::UNIT])}


class Place(gdb.Breakpoint):
    """One uop's first byte."""

    def __init__(self, address, key, session):
        super().__init__(f"*{address:#x}", internal=True)
        self.silent = True
        self.executor, self.base, self.index = key
        self.session, self.left = session, HITS_OF_ONE

    def stop(self):
        try:
            self.session.hits.append({"uop": self.index, "in": self.executor, **self.session.frames.read()})
        except Exception as error:
            self.session.failures.append(f"{type(error).__name__}: {error}")
        self.left -= 1
        if self.left == 0:
            self.enabled = False  # not delete(): GDB does not survive that from within stop()
        return False


class Free(gdb.Breakpoint):
    """Code is about to be unmapped: a breakpoint left there would be written into whatever comes to this address."""

    def __init__(self, where, session):
        super().__init__(where, internal=True)
        self.silent = True
        self.session = session

    def stop(self):
        freed = inferior.register(machine.of_target().arguments[0])
        for place in self.session.places:
            if freed in (place.executor, place.base):
                place.enabled = False
        return False


class Compile(gdb.Breakpoint):
    """Stops when one of the chosen compiles begins."""

    def __init__(self, address, rounds):
        super().__init__(f"*{address:#x}", internal=True)
        self.silent = True
        self.count, self.rounds = 0, set(rounds)

    def stop(self):
        self.count += 1
        return self.count in self.rounds


class Session:
    def __init__(self, job, log):
        self.job, self.log = job, log
        self.places, self.hits, self.failures = [], [], []
        self.covered, self.total = set(), 0
        shim = inferior.symbols("emit_shim")
        self.frames = Frames(Convention(bool(shim)))
        # 3.14 emits its shim first; 3.15 has no shim, but its compiler is a function of its own.
        self.compile = Compile((shim or inferior.symbols("_PyJIT_Compile"))[0][1], job["stop_at"])
        freeing = inferior.symbols("_PyJIT_Free")
        self.free = Free(f"*{freeing[0][1]:#x}" if freeing else "munmap", self)
        self.end = gdb.Breakpoint("*&Py_FinalizeEx", internal=True)
        self.end.silent = True

    def run(self):
        number = 0
        while True:
            gdb.execute("continue", to_string=True)
            self.close_round(number)
            if not inferior.is_alive() or self.end.hit_count or self.total >= HIT_LIMIT:
                return
            number += 1
            self.open_round(number)

    def open_round(self, number):
        tool = snapshot.Tool(self.job["tool"], self.job["documents"])
        documents = tool.traces(f"round{number}")
        self.documents, self.problems = tool.documents, tool.problems
        found = [candidate for document in documents if document for listing in document["data"]["executors"]
                 for candidate in self.candidates(listing)]
        for key, address in found[::len(found) // PLACES + 1]:
            self.place(key, address)

    def candidates(self, listing):
        """(key, address) of the uops that no round has watched yet."""
        header = listing["executor"]
        executor, base = int(header["address"], 16), int(header["code"]["address"] or "0", 16)
        if not base:
            return  # an executor that is just being compiled
        for uop in listing["uops"]:
            key = (executor, base, uop["index"])
            # A uop without code has the address of the next one: a hit there would not be its own.
            if key not in self.covered and uop["ranges"] and uop["ranges"][0]["size"]:
                yield key, int(uop["ranges"][0]["address"], 16)

    def place(self, key, address):
        self.covered.add(key)
        self.places.append(Place(address, key, self))

    def close_round(self, number):
        if number:
            self.log.write(kind="round", number=number, documents=self.documents, problems=self.problems + self.failures,
                           hits=self.hits)
        self.total += len(self.hits)
        if inferior.is_alive():
            for place in self.places:
                place.delete()
        self.places, self.hits, self.failures = [], [], []


def main():
    snapshot.record(Session)
