"""Faults planted into good documents: each check must notice each of them, or it is no check."""
import contextlib

import boundaries
import bytecode
import instructions
import layouts
import notes
import positions
import stack
import unwind
from compare import compare as compare_map


def victim(recorded):
    """A listing and a uop in its middle with everything that a fault needs."""
    for listing in recorded.stops[-1].listings():
        for uop in listing["uops"]:
            facts = ("bytecode", "code", "line", "ranges", "instructions")
            if all(uop[fact] for fact in facts) and uop["ranges"][0]["size"]:
                return listing, uop
    raise LookupError("the documents hold no uop that a fault could be planted into")


@contextlib.contextmanager
def replaced(holder, key, value):
    old = holder[key]
    holder[key] = value
    try:
        yield
    finally:
        holder[key] = old


@contextlib.contextmanager
def emptied(holders, name):
    """Takes a list out of all of these objects for a while: the check must not pass on nothing."""
    with contextlib.ExitStack() as stack:
        for holder in holders:
            stack.enter_context(replaced(vars(holder), name, []))
        yield


def plus(text, distance):
    return hex(int(text, 16) + distance)


def map_faults(recorded):
    listing, uop = victim(recorded)
    place, region = uop["ranges"][0], listing["regions"][-1]
    return {
        "address one too high": replaced(place, "address", plus(place["address"], 1)),
        "size one too small": replaced(place, "size", place["size"] - 1),
        "another name": replaced(uop, "name", "_NOP" if uop["name"] != "_NOP" else "_POP_TOP"),
        "another index": replaced(uop, "index", uop["index"] + 1),
        "another oparg": replaced(uop, "oparg", uop["oparg"] + 1),
        "a uop left out": replaced(listing, "uops", listing["uops"][:-1]),
        "a region too long": replaced(region, "size", region["size"] + 1),
        "another executor": replaced(listing["executor"], "address", plus(listing["executor"]["address"], 16)),
        "no executors": emptied(recorded.stops, "documents"),
    }


def position_faults(recorded):
    _, uop = victim(recorded)
    return {
        "another line": replaced(uop, "line", uop["line"] + 1),
        "an odd offset": replaced(uop["bytecode"], "offset", uop["bytecode"]["offset"] + 1),
        "another instruction": replaced(uop["bytecode"], "opname", "GET_AITER"),
        "another function": replaced(uop["code"], "qualname", uop["code"]["qualname"] + "x"),
        "no line": replaced(uop, "line", None),
        "no executors": emptied(recorded.stops, "documents"),
    }


def instruction_faults(recorded):
    covered = {row[0] for stop in recorded.stops for uop in stop.disassembly for row in uop["instructions"]}
    told = [i for i in instructions.told_instructions(recorded.stops[-1]) if int(i["address"], 16) in covered]
    branch = next(i for i in told if i["mnemonic"] == "jmp" and i["operands"].startswith("0x"))
    return {
        "another mnemonic": replaced(branch, "mnemonic", "jo"),
        "other bytes": replaced(branch, "bytes", "00" + branch["bytes"][2:]),
        "another size": replaced(branch, "size", branch["size"] + 1),
        "another branch target": replaced(branch, "operands", plus(branch["operands"], 1)),
        "a boundary inside": replaced(branch, "address", plus(branch["address"], 1)),
        "no executors": emptied(recorded.stops, "documents"),
    }


def boundary_faults(recorded):
    claims = boundaries.by_place(recorded.rounds[-1].listings)
    hit = next(hit for hit in recorded.rounds[-1].hits if is_plain(claims[hit["in"], hit["uop"]]))
    after = [hit for hit in recorded.rounds[-1].hits if follows_set_ip(claims[hit["in"], hit["uop"]])]
    code = claims[hit["in"], hit["uop"]].uop["code"]
    faults = {
        "another code object": replaced(code, "object", plus(code["object"], 8)),
        "no hits": emptied(recorded.rounds, "hits"),
    }
    if after:
        bytecode = claims[after[0]["in"], after[0]["uop"]].before["bytecode"]
        faults["another offset"] = replaced(bytecode, "offset", bytecode["offset"] + 2)
    return faults


def is_plain(place):
    return place.uop["code"] and not place.tests_frame


def follows_set_ip(place):
    return is_plain(place) and place.before and place.before["base"] == "_SET_IP"


def layout_faults(records):
    layout = records[0]["layouts"][-1]
    field = layout["fields"][-1]["told"]
    return {
        "another offset": replaced(field, "offset", field["offset"] + 8),
        "another size": replaced(field, "size", field["size"] + 1),
        "another struct size": replaced(layout, "size", layout["size"] + 8),
        "no layouts": replaced(records[0], "layouts", []),
    }


def note_faults(records):
    """Each kind of claim once with another answer of GDB, and no claims at all."""
    claims = [claim for round_ in notes.rounds(records) for claim in round_["claims"] if claim[3] is not None]
    first = {claim[0]: claim for claim in reversed(claims)}
    faults = {f"a wrong {kind}": replaced(claim, 4, "something else") for kind, claim in first.items()}
    faults["no claims"] = emptied_rounds(notes.rounds(records))
    return faults


@contextlib.contextmanager
def emptied_rounds(rounds):
    with contextlib.ExitStack() as stack:
        for round_ in rounds:
            stack.enter_context(replaced(round_, "claims", []))
        yield


def bytecode_faults(records):
    told = [record["tool"]["data"] for record in records if record["kind"] == "bytecode"]
    rows = [row for data in told for row in data["instructions"]]
    row = next(row for row in rows if row["argrepr"] and row["line"])
    labelled = next(row for row in rows if row["label"])
    entered = next(row for row in rows if row["entries"])
    plain = next(row for row in rows if not row["entries"] and not row["argrepr"])
    exits = [exit for record in records if record["kind"] == "exits" for exit in record["tool"]["exits"]]
    exit = next(exit for exit in exits if exit["bytecode"])
    linked = next(exit for exit in exits if exit["linked_to"])
    return {
        "another opname": replaced(row, "opname", "GET_AITER"),
        "another offset": replaced(row, "offset", row["offset"] + 2),
        "another argument": replaced(row, "oparg", row["oparg"] + 1),
        "another meaning": replaced(row, "argrepr", row["argrepr"] + "x"),
        "a meaning where there is none": replaced(plain, "argrepr", "x"),
        "another instruction's line": replaced(row, "line", row["line"] + 1),
        "another label": replaced(labelled, "label", labelled["label"] + 1),
        "an entry left out": replaced(entered, "entries", []),
        "an entry elsewhere": replaced(plain, "entries", entered["entries"]),
        "an instruction left out": replaced(told[0], "instructions", told[0]["instructions"][:-1]),
        "another target": replaced(exit, "target", exit["target"] + 1),
        "another place": replaced(exit["bytecode"], "offset", exit["bytecode"]["offset"] + 2),
        "another counter": replaced(exit["temperature"], "raw", exit["temperature"]["raw"] + 1),
        "a link left out": replaced(linked, "linked_to", None),
        "a link elsewhere": replaced(linked["linked_to"], "executor", plus(linked["linked_to"]["executor"], 16)),
    }


def unnoticed(faults, compare):
    """The names of the faults that a comparison let pass."""
    missed = []
    for name, fault in faults.items():
        with fault:
            if compare().status() != "failed":
                missed.append(name)
    return missed


def of_session(recorded, truth, minimums):
    """(what, faults, comparison) of the checks that judge the main session of a program."""
    return [
        ("emitters", map_faults(recorded), lambda: compare_map(recorded, "", "", minimums["emitters"])),
        ("positions", position_faults(recorded), lambda: positions.compare(recorded, truth, "", "", minimums["positions"])),
        ("instructions", instruction_faults(recorded),
         lambda: instructions.compare(recorded, "", "", minimums["instructions"])),
    ]


def of_boundaries(recorded, minimums, extended_arg):
    yield "boundaries", boundary_faults(recorded), lambda: boundaries.compare(recorded, "", "", minimums, extended_arg)


def of_layouts(records, minimums):
    yield "layouts", layout_faults(records), lambda: layouts.compare(records, "", "", minimums)


def of_notes(records, minimums):
    yield "notes", note_faults(records), lambda: notes.compare(records, "", "", minimums)


def unwind_faults(records):
    def row(kind):
        return next(row for record in records for row in record.get("rows", ()) if row[0] == kind)

    jit, callee, stack, returned = row("jit"), row("callee"), row("stack"), row("returned")
    return {
        "another caller": replaced(jit[3], 0, jit[3][0] + 1),
        "a saved register that is wrong": replaced(callee[3], 5, 0x1234567),
        "a register that is not known": replaced(jit[3], 2, None),
        "no caller": replaced(callee, 3, None),
        "another caller in the stack": replaced(stack[3], 0, stack[3][0] + 1),
        "a caller that finds something else": replaced(returned[3], 7, returned[3][7] ^ 1),
        "nothing compared": without_rows(records),
    }


@contextlib.contextmanager
def without_rows(records):
    with contextlib.ExitStack() as stack:
        for record in records:
            stack.enter_context(replaced(record, "rows", []) if "rows" in record else contextlib.nullcontext())
        yield


def of_unwinding(records, minimums):
    yield "unwind", unwind_faults(records), lambda: unwind.compare(records, "", "", minimums)


def of_stack(records, minimums):
    # Its records have the form of those of notes: a claim of each kind gets another answer.
    yield "stack", note_faults(records), lambda: stack.compare(records, "", "", minimums)


def of_bytecode(records, minimums):
    yield "bytecode", bytecode_faults(records), lambda: bytecode.compare(records, "", "", minimums)
