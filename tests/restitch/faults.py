"""Single bits that are flipped in a core dump: in machine code each is found, with the uop that it is in; in the trace each
one that changes what the emitters write, as Unicorn says."""
import collections
import random
import struct

import stencils
import targets
import unicorn
import unicorn_run

PROGRAM = "inlining"
CODE_FLIPS = {"code": 150, "data": 100, "got": 100, "trampolines": 100, "tail": 60}
TRACE_FLIPS = 60  # of each field
FIELDS = {"opcode": (0, 2), "oparg": (2, 2), "target": (4, 2), "error target": (6, 2), "operand0": (8, 8), "operand1": (16, 8)}
QUICK_SHARE = 5   # so many times fewer in quick mode
# The tool calls them so.
REGIONS = {"code": ("uops", "shim", "guard"), "data": ("data",), "got": ("got",), "trampolines": ("trampolines",),
           "tail": ("padding",)}


class Subject:
    """An executor of the core dump, as the test reads it."""

    def __init__(self, python, address):
        self.address, fields = address, python.fields
        self.exits, count = python.memory.unpack("<II", address + fields["exit_count"])
        self.size, self.base = python.memory.unpack("<QQ", address + fields["jit_size"])
        self.trace = address + fields["exits"] + stencils.EXIT_SIZE * self.exits
        self.opcodes = [python.memory.unpack("<H", self.trace + stencils.UOP * index)[0] & ~stencils.FORMAT_BIT
                        for index in range(count)]
        self.count, self.plan = count, stencils.Plan(python, self.opcodes, self.trace)
        if self.plan.allocation != self.size:
            raise targets.Failure(f"executor {address:#x} has {self.size} bytes, not {self.plan.allocation}")


def check(target, folder, quick):
    core = target.core(targets.plan.program(PROGRAM), folder)
    python = stencils.Python(target.entry, core)
    core.unlink()
    session = targets.Session(target, python)
    listed = session.ask("jit-list", "")["data"]["executors"]
    subjects = [Subject(python, int(one["address"], 16)) for one in listed]
    chance = random.Random(target.name)
    share = QUICK_SHARE if quick else 1
    return [in_code(target, session, subjects, chance, share), in_trace(target, session, python, subjects, chance, share)]


def ask(session, subject):
    return session.ask("jit-verify", hex(subject.address))["data"]["executors"][0]["bytes"]


def in_code(target, session, subjects, chance, share):
    figures, problems, total = [], [], 0
    for kind, count in CODE_FLIPS.items():
        places = [(one, region) for one in subjects for region in one.plan.regions() if region[0] == kind]
        right = tried = 0
        for _ in range(count // share if places else 0):
            subject, region = chance.choice(places)
            wrong = flip(session, subject, region, chance)
            tried, right = tried + 1, right + (wrong is None)
            problems += [f"{kind}: {wrong}"] if wrong else []
        if tried:
            figures.append(f"{kind} {right} of {tried}")
            total += tried
    return targets.Outcome("faults", target.name, not problems and total > 0, "; ".join([", ".join(figures), *problems[:4]]))


def flip(session, subject, region, chance):
    """What is wrong with the answer, if anything."""
    kind, start, end, index = region
    place = subject.base + chance.randrange(start, end)
    bit = 1 << chance.randrange(8)
    session.changed = {place: session.python.memory.read(place, 1)[0] ^ bit}
    found = ask(session, subject)
    session.changed = {}
    difference = found["difference"]
    if found["verdict"] != "differs" or not difference:
        return f"a flipped bit at {place:#x} is not found: {found['verdict']}"
    first = int(difference["range"]["address"], 16)
    if difference["count"] != 1 or not first <= place < first + difference["range"]["size"]:
        return f"{place:#x} is wrong, {difference['count']} at {difference['range']} are named"
    if difference["region"] not in REGIONS[kind] or (index is not None and difference["uop"] != index):
        return f"{place:#x} is in {kind} of uop {index}, not in {difference['region']} of uop {difference['uop']}"
    return None


def in_trace(target, session, python, subjects, chance, share):
    """As many as change a byte must be found; where no size changes, with the uop."""
    engine = unicorn_run.Unicorn(python)
    figures, problems = [], []
    for field, (offset, size) in FIELDS.items():
        counts = collections.Counter()
        for _ in range(TRACE_FLIPS // share):
            subject, index = chance.choice(subjects), 0
            index = chance.randrange(subject.count)
            place = subject.trace + stencils.UOP * index + offset + chance.randrange(size)
            value = python.memory.read(place, 1)[0] ^ 1 << chance.randrange(8)
            session.changed = {place: value}
            wrong = judge(field, index, ask(session, subject), expected(engine, python, subject, place, value), counts)
            session.changed = {}
            problems += [f"{field} of uop {index} of {subject.address:#x}: {wrong}"] if wrong else []
        figures.append(f"{field} {counts['found']} found ({counts['right uop']} with the uop), {counts['same']} change nothing")
    return targets.Outcome("operands", target.name, not problems, "; ".join([", ".join(figures), *problems[:4]]))


def expected(engine, python, subject, place, value):
    """Whether the emitters write other bytes now; None where there is no emitter, or it cannot run."""
    index, offset = divmod(place - subject.trace, stencils.UOP)
    layout = subject.plan if offset >= 2 else replanned(python, subject, index, changed_word(python, place, value))
    if layout is None:
        return None
    old = python.memory.read(place, 1)
    engine.write(place, bytes([value]))
    try:
        return engine.rebuild(layout, subject.base, subject.address) != python.memory.read(subject.base, subject.size)
    except (unicorn.UcError, RuntimeError):
        return None
    finally:
        engine.write(place, old)


def replanned(python, subject, index, word):
    """The plan with another opcode for a uop."""
    opcodes = list(subject.opcodes)
    opcodes[index] = struct.unpack("<H", word)[0] & ~stencils.FORMAT_BIT
    if opcodes[index] >= len(python.groups) or not python.groups[opcodes[index]].emit:
        return None
    return stencils.Plan(python, opcodes, subject.trace)


def changed_word(python, place, value):
    start = place & ~1
    word = bytearray(python.memory.read(start, 2))
    word[place - start] = value
    return bytes(word)


def judge(field, index, found, differs, counts):
    """Counts an answer; what is wrong with it, if anything."""
    difference, verdict = found["difference"], found["verdict"]
    if differs is False:
        counts["same"] += 1
        return None if verdict == "identical" else f"nothing changes, but it is said to be: {verdict}"
    if verdict == "identical":
        return "not found"
    counts["found"] += 1
    uop = difference["uop"] if difference else next((gap["uop"] for gap in found["gaps"]), None)
    counts["right uop"] += uop == index
    if field != "opcode" and verdict == "differs" and uop != index and difference["region"] == "uops":
        return f"uop {uop} is named"
    return None
