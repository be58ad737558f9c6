"""Remarks on instructions: what each claims, against what GDB found when the instruction ran."""
import operands
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
        self.left_out = dict.fromkeys(operands.LEFT_OUT, 0)

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
        machine = operands.of(document["target"]["arch"])
        for listing in document["data"]["executors"]:
            for uop in listing["uops"]:
                for instruction in uop["instructions"] or ():
                    self.instruction(machine, instruction)
        return self

    def instruction(self, machine, instruction):
        kinds = {note["kind"] for note in instruction["notes"]}
        words = instruction["mnemonic"], instruction["operands"]
        has_memory, has_number = machine.has_memory(*words), machine.has_number(*words)
        if machine.moves_stack_pointer(*words):
            self.left_out[operands.STACK_POINTER] += has_memory or has_number
            return
        self.memory += has_memory
        self.memory_noted += has_memory and bool(kinds & set(MEMORY_NOTES))
        if has_number and words[0] in machine.shifts:
            self.left_out[operands.SHIFT] += 1
        elif has_number:
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


def percent(part, whole):
    return f"{100 * part / max(1, whole):.1f} %"
