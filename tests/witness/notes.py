"""Remarks on instructions: what each claims, against what GDB found when the instruction ran."""
import re

import recording
from outcome import Outcome

# What GDB cannot evaluate is counted; a few things it names otherwise or not at all.
UNKNOWN_SHARE = 0.01
MEMORY_NOTES = ("field", "stack", "spill", "constant", "call")
KINDS = ("role executor", "role stack", "effect", "field", "stack", "spill", "register", "constant", "hole", "call", "branch")


def compare(records, target, program, minimums):
    outcome = Outcome("notes", target, program, {**{kind: 0 for kind in KINDS}, **minimums})
    steps = unknown = 0
    for round_ in rounds(records):
        outcome.problems += round_["problems"]
        steps += round_["steps"]
        for kind, where, text, expected, actual in round_["claims"]:
            if expected is None:
                unknown += 1
                if unknown == 1:
                    outcome.note(f"first unknown: {text}: {actual}")
            else:
                outcome[kind].check(expected == actual, lambda: f"{where}: {text}: expected {shown(expected)}, found {shown(actual)}")
    told = [*outcome.figures.values()]
    right, total = sum(figure.right for figure in told), sum(figure.total for figure in told)
    outcome.note(f"{steps} steps, {right} of {total} claims, {unknown} unknown")
    if steps < minimums.get("steps", 0) or unknown > UNKNOWN_SHARE * max(1, total):
        outcome.problem(f"{steps} steps, {unknown} claims that GDB cannot evaluate")
    return outcome


def rounds(records):
    return [record for record in records if record["kind"] == "round"]


def shown(value):
    return hex(value) if isinstance(value, int) and not isinstance(value, bool) else repr(value)


class Share:
    """How many memory operands and numbers of the listed code carry a remark.

    A memory operand is noted if a remark names what lies there, a number if there is any remark on its instruction: it then
    says what is compared, stored or made with it. Jumps and calls are not counted, their targets always have one.
    """

    def __init__(self):
        self.memory = self.memory_noted = self.numbers = self.numbers_noted = 0
        self.left_out = dict.fromkeys(LEFT_OUT, 0)

    def __add__(self, other):
        total = Share()
        for name in ("memory", "memory_noted", "numbers", "numbers_noted"):
            setattr(total, name, getattr(self, name) + getattr(other, name))
        total.left_out = {reason: count + other.left_out[reason] for reason, count in self.left_out.items()}
        return total

    def add(self, records):
        for round_ in rounds(records):
            for path in round_["documents"]:
                self.document(recording.load(path))
        return self

    def document(self, document):
        for listing in document["data"]["executors"]:
            for uop in listing["uops"]:
                for instruction in uop["instructions"] or ():
                    self.instruction(instruction)
        return self

    def instruction(self, instruction):
        kinds = {note["kind"] for note in instruction["notes"]}
        mnemonic, operands = instruction["mnemonic"], instruction["operands"]
        if "[" in operands and mnemonic not in ("lea", "nop"):
            self.memory += 1
            self.memory_noted += bool(kinds & set(MEMORY_NOTES))
        if not NUMBER.search(operands) or mnemonic.startswith("j") or mnemonic == "call":
            return
        reason = needs_no_note(mnemonic, operands)
        if reason:
            self.left_out[reason] += 1
        else:
            self.numbers += 1
            self.numbers_noted += bool(kinds)

    def words(self):
        left_out = ", ".join(f"{count} {reason}" for reason, count in self.left_out.items())
        both, all_ = self.memory_noted + self.numbers_noted, self.memory + self.numbers
        return (f"{percent(self.memory_noted, self.memory)} of {self.memory} memory operands, "
                f"{percent(self.numbers_noted, self.numbers)} of {self.numbers} numbers, together {percent(both, all_)} with a note; "
                f"numbers not counted: {left_out}")

    def together(self):
        return (self.memory_noted + self.numbers_noted) / max(1, self.memory + self.numbers)


# Numbers that tell a reader nothing about CPython.
LEFT_OUT = ("that move the machine's stack pointer", "that count bits of a shift")
SHIFTS = ("shl", "shr", "sal", "sar", "rol", "ror", "shld", "shrd")
NUMBER = re.compile(r"(?:^|, )(-?0x[0-9a-f]+|-?\d+)$")


def needs_no_note(mnemonic, operands):
    """Why a number is not counted; None if it is."""
    if mnemonic in ("add", "sub") and operands.startswith("rsp,"):
        return LEFT_OUT[0]
    return LEFT_OUT[1] if mnemonic in SHIFTS else None


def percent(part, whole):
    return f"{100 * part / max(1, whole):.1f} %"
