"""The tool's map against the emitters' records: each uop under the right name, at the right address, of the right size."""
import recording
from outcome import Outcome

FORMAT_JUMP = 1
CLOSING = -2
SHIM = -1
# Field order of the trace rows in in_gdb/executors.py.
OPCODE, OPARG, FORMAT, TARGET, JUMP_TARGET, ERROR_TARGET, OPERAND0, OPERAND1 = range(8)


def compare(recorded, target, program, minimums):
    outcome = Outcome("emitters", target, program, minimums)
    for stop in recorded.stops:
        outcome.problems += stop.problems
        compare_stop(outcome, stop)
    outcome.note(f"{len(recorded.stops)} stops")
    return outcome


def compare_stop(outcome, stop):
    listed = set()
    for listing in stop.listings():
        executor = recording.address(listing["executor"]["address"])
        if executor == stop.compiling and not recording.address(listing["executor"]["code"]["address"]):
            continue  # in the lists already, but without code: the stop is in the midst of its compile
        listed.add(executor)
        compare_executor(outcome, stop, executor, listing)
    for executor, facts in stop.alive.items():
        # An invalid executor may be unlinked from every list; a valid one may not be missing.
        if facts["valid"]:
            outcome["listed"].check(executor in listed, lambda: f"executor {executor:#x} is valid but not listed")


def compare_executor(outcome, stop, executor, listing):
    where = f"stop {stop.number}, executor {executor:#x}"
    emits, facts = stop.compiles.get(executor), stop.alive.get(executor)
    if not outcome["executors"].check(emits and facts, lambda: f"{where} is listed, but its compile was never seen"):
        return
    uops = listing["uops"]
    outcome.longest = max(outcome.longest, len(uops))
    emitted = [emit for emit in emits if emit[0] >= 0]
    right_length = len(uops) == len(emitted) == listing["executor"]["uop_count"] == len(facts["trace"])
    outcome["lengths"].check(right_length, lambda: f"{where} has {len(emitted)} uops, the tool lists {len(uops)}")
    ends = [emit[2] for emit in emits if emit[0] >= 0 or emit[0] == CLOSING][1:]
    for uop, emit, end, row in zip(uops, emitted, ends, facts["trace"]):
        compare_uop(outcome, f"{where}, uop {emit[0]}", uop, emit, end)
        compare_fields(outcome, f"{where}, uop {emit[0]}", uop, row)
    compare_regions(outcome, where, listing, emits, facts)


def compare_uop(outcome, where, uop, emit, end):
    index, name, code, _ = emit
    outcome["names"].equal((index, name), (uop["index"], uop["name"]), lambda: where)
    ranges = [(recording.address(r["address"]), r["size"]) for r in uop["ranges"]]
    starts = [start for start, _ in ranges]
    outcome["addresses"].equal([hex(code)], [hex(start) for start in starts], lambda: where)
    outcome["sizes"].equal([end - code], [size for _, size in ranges], lambda: where)


def compare_fields(outcome, where, uop, row):
    """The uop's own data, as the raw trace has it. The other member of the union says nothing and may be anything."""
    pairs = [(row[OPCODE], uop["opcode"]), (row[OPARG], uop["oparg"]),
             (row[OPERAND0], number(uop["operand0"])), (row[OPERAND1], number(uop["operand1"]))]
    if row[FORMAT] == FORMAT_JUMP:
        pairs += [(row[JUMP_TARGET] or None, uop["jump_target"]), (row[ERROR_TARGET] or None, uop["error_target"])]
    else:
        pairs.append((row[TARGET], uop["target"]))
    outcome["fields"].equal([ours for ours, _ in pairs], [theirs for _, theirs in pairs], lambda: where)


def number(text):
    return None if text is None else recording.address(text)


def compare_regions(outcome, where, listing, emits, facts):
    """Regions lie where the emitters put them and tile the whole allocation."""
    regions = [(r["kind"], recording.address(r["address"]), r["size"]) for r in listing["regions"]]
    outcome["regions"].check(tiles(regions, facts["base"], facts["mapped"]),
                             lambda: f"{where}: the regions leave gaps or overlap in {facts['mapped']} bytes: {regions}")
    for kind, start, size in witnessed_regions(emits):
        found = [(s, n) for k, s, n in regions if k == kind]
        right = found == [(start, size)] if size is not None else [s for s, _ in found] == [start]
        outcome["regions"].check(right, lambda: f"{where}: region {kind} starts at {start:#x} (size {size}), not {found}")


def tiles(regions, start, size):
    at = start
    for _, address, length in sorted(regions, key=lambda region: region[1:]):
        if address != at:
            return False
        at += length
    return at == start + size


def witnessed_regions(emits):
    """(kind, start, size or None when the emitters do not show it)"""
    if emits[0][0] == SHIM:
        yield "shim", emits[0][2], emits[1][2] - emits[0][2]
    first = next(emit for emit in emits if emit[0] == 0)
    yield "uops", first[2], emits[-1][2] - first[2]
    yield "guard", emits[-1][2], None
    if emits[-1][3] > emits[0][3]:
        yield "data", emits[0][3], None
