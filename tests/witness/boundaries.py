"""Uop boundaries of the running program: the frame that the registers hold, against what the tool says about the uop."""
import recording
from outcome import Outcome

# These uops test whether the frame is the expected one; until they have, and where they go if not, it may be another.
GUARDS_OF_THE_FRAME = ("_GUARD_IP_", "_GUARD_CODE_VERSION_")
# A side exit's trace may hold no reference to its code object (no _SET_IP); there are few of them.
UNKNOWN_SHARE = 0.05
UNIT = 2  # bytes of a code unit


def compare(recorded, target, program, minimums, extended_arg):
    outcome = Outcome("boundaries", target, program, minimums)
    counts = {"unknown": 0, "guard": 0}
    for round_ in recorded.rounds:
        outcome.problems += round_.problems
        uops = by_place(round_.listings)
        for hit in round_.hits:
            compare_hit(outcome, counts, hit, uops, extended_arg)
    outcome.note(f"{counts['unknown']} unknown, {counts['guard']} at frame guards")
    if counts["unknown"] > UNKNOWN_SHARE * max(1, outcome["code"].total):
        outcome.problem(f"{counts['unknown']} hits at uops for which the tool names no code object")
    return outcome


class Place:
    """A uop, the one before it, and whether it is where a guard of the frame goes when the frame is another."""

    def __init__(self, uop, before, is_guard_exit):
        self.uop, self.before = uop, before
        self.tests_frame = is_guard_exit or guards_frame(uop)


def guards_frame(uop):
    return uop["base"].startswith(GUARDS_OF_THE_FRAME)


def by_place(listings):
    """{(executor, index): Place}"""
    found = {}
    for listing in listings:
        executor, uops = recording.address(listing["executor"]["address"]), listing["uops"]
        exits = {uop["jump_target"] for uop in uops if guards_frame(uop)}
        for before, uop in zip([None, *uops], uops):
            found[executor, uop["index"]] = Place(uop, before, uop["index"] in exits)
    return found


def compare_hit(outcome, counts, hit, uops, extended_arg):
    place = uops[hit["in"], hit["uop"]]
    uop = place.uop
    where = f"executor {hit['in']:#x}, uop {uop['index']} {uop['name']}"
    if hit["executor"] is not None:
        outcome["executor"].equal(hit["executor"], hit["in"], lambda: where)
    if place.tests_frame:
        counts["guard"] += 1
    elif not uop["code"]:
        counts["unknown"] += 1
    else:
        outcome["code"].equal(hit["code"], uop["code"]["object"], lambda: where)
        compare_instruction(outcome, where, hit, place.before, extended_arg)


def compare_instruction(outcome, where, hit, before, extended_arg):
    """After a _SET_IP the frame knows its instruction: it must be the one that the tool gives to the _SET_IP."""
    if not before or before["base"] != "_SET_IP" or not before["bytecode"]:
        return
    told, real = before["bytecode"]["offset"], own_offsets(hit, extended_arg)
    outcome["offsets"].check(told in real, lambda: f"{where}: the frame is at offset {hit['offset']}, the tool says {told}")


def own_offsets(hit, extended_arg):
    """The offset of the frame's instruction, and those of the EXTENDED_ARG before it: all belong to it."""
    offsets = [hit["offset"]]
    for opcode in reversed(hit["before"]):
        if opcode != extended_arg:
            break
        offsets.append(offsets[-1] - UNIT)
    return offsets
