"""Bytecode and lines: the tool's, against `dis` and co_positions() of the same code object inside the same Python."""
import collections

from outcome import Outcome

# Uops that belong to the trace and not to an instruction: CPython gives them no target of their own.
WITHOUT_INSTRUCTION = ("_MAKE_WARM", "_SPILL_OR_RELOAD", "_JUMP_TO_TOP", "_GUARD_IP_", "_GUARD_CODE_VERSION_", "_DYNAMIC_EXIT",
                       "_COLD_EXIT", "_COLD_DYNAMIC_EXIT")
# A trace that starts at a side exit may hold no reference to its code object (no _SET_IP): its uops are unknown, and few.
UNKNOWN_SHARE = 0.02


def compare(recorded, truth, target, program, minimums):
    outcome = Outcome("positions", target, program, minimums)
    known, counts = by_key(truth["codes"]), collections.Counter()
    for stop, listing in ((stop, listing) for stop in recorded.stops for listing in stop.listings()):
        for uop in listing["uops"]:
            where = f"stop {stop.number}, executor {listing['executor']['address']}, uop {uop['index']} {uop['name']}"
            counts[compare_uop(outcome, where, uop, stop.codes, known, truth["families"])] += 1
    judge_counts(outcome, counts)
    return outcome


def by_key(codes):
    found = collections.defaultdict(list)
    for code in codes:
        found[code["qualname"], code["filename"], code["firstlineno"], code["linetable"]].append(code)
    return found


def judge_counts(outcome, counts):
    total = sum(counts.values())
    for kind in ("no instruction", "shim"):
        if counts[kind]:
            outcome.note(f"{counts[kind]} {kind}")
    outcome.note(f"{counts['unknown']} unknown")
    if counts["unknown"] > UNKNOWN_SHARE * total:
        outcome.problem(f"{counts['unknown']} of {total} uops without bytecode: more than {UNKNOWN_SHARE:.0%}")


def compare_uop(outcome, where, uop, codes, known, families):
    if not uop["code"]:
        return without_code(outcome, where, uop)
    facts = codes[uop["code"]["object"]]
    if not compare_code(outcome, where, uop["code"], facts):
        return "wrong code"
    if facts["symbol"]:
        return "shim"  # built into the executable: no Python code can look at it
    if not uop["bytecode"] and belongs_to_trace(uop):
        return "no instruction"
    if not uop["bytecode"]:
        outcome["offsets"].check(False, lambda: f"{where}: no bytecode, though its code object is known")
        return "wrong offset"
    truths = known[facts["qualname"], facts["filename"], facts["firstlineno"], facts["linetable"]]
    if not outcome["codes"].check(truths, lambda: f"{where}: no such code object in the target: {facts}"):
        return "wrong code"
    compare_instruction(outcome, where, uop, truths[0], families)
    return "compared"


def belongs_to_trace(uop):
    return uop["base"].startswith(WITHOUT_INSTRUCTION)


def without_code(outcome, where, uop):
    """A uop of no known code object: the tool may not claim an instruction for one that never has one."""
    if not belongs_to_trace(uop):
        return "unknown"
    outcome["offsets"].check(uop["bytecode"] is None,
                             lambda: f"{where}: {uop['bytecode']}, though it belongs to no code object")
    return "no instruction"


def compare_code(outcome, where, code, facts):
    names = (facts.get("qualname"), facts.get("filename"))
    return outcome["codes"].equal(names, (code["qualname"], code["filename"]), lambda: where)


def compare_instruction(outcome, where, uop, truth, families):
    offset = uop["bytecode"]["offset"]
    names = instruction_names(truth["instructions"], offset)
    if not outcome["offsets"].check(names, lambda: f"{where}: offset {offset} is no instruction of {truth['qualname']}"):
        return
    told = uop["bytecode"]["opname"]
    right = told in names or families.get(told) in names
    outcome["opnames"].check(right, lambda: f"{where}: {told} at offset {offset}, where {' or '.join(names)} is")
    line = truth["lines"][offset // 2]
    outcome["lines"].equal(line, uop["line"], lambda: f"{where}, offset {offset} of {truth['qualname']}")


def instruction_names(instructions, offset):
    """The instruction at an offset; for a prefix also the instruction that it belongs to. Empty: not a boundary."""
    names = []
    while str(offset) in instructions:
        names.append(instructions[str(offset)])
        if names[-1] != "EXTENDED_ARG":
            break
        offset += 2
    return names
