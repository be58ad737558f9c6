"""Struct layouts: each field and size that the tool reports, against GDB's reading of the same target's DWARF."""
from outcome import Outcome


def compare(records, target, program, minimums):
    outcome = Outcome("layouts", target, program, minimums)
    for record in records:
        outcome.problems += record["problems"]
        for layout in record["layouts"]:
            compare_layout(outcome, layout)
    return outcome


def compare_layout(outcome, layout):
    shape = layout["shape"]
    outcome["shapes"].equal(layout["dwarf_size"], layout["size"], lambda: f"size of {shape}")
    for field in layout["fields"]:
        told, dwarf = field["told"], field["dwarf"]
        where = f"{shape}.{told['name']} ({layout['provenance']})"
        outcome["fields"].equal((dwarf.get("start", dwarf.get("missing")), dwarf.get("width")), bits(told), lambda: where)


def bits(told):
    """(first bit, number of bits): bit fields and whole members in one measure."""
    inner = told["bits"]
    if inner:
        return 8 * told["offset"] + inner["shift"], inner["width"]
    return 8 * told["offset"], 8 * told["size"]
