"""Callers of JIT code: the registers that they were said to have, against those with which they called."""
from outcome import Outcome


def compare(records, target, program, minimums):
    """`jit`, `callee`: the registers of the caller seen from JIT code and from C functions that it calls; `entry`: from the
    function that enters JIT code; `stack`: the caller in `jit-bt`; `returned`: those that the caller really found."""
    outcome = Outcome("unwind", target, program, minimums)
    for record in records:
        outcome.problems += record.get("problems", [])
        for kind, pc, expected, found in record.get("rows", ()):
            outcome[kind].check(found == expected, lambda: difference(record["names"], pc, expected, found))
    if not any(record["kind"] == "end" for record in records):
        outcome.problem("the recording is incomplete")
    return outcome


def difference(names, pc, expected, found):
    if found is None:
        return f"at {pc:#x}: no caller was found"
    wrong = [f"{name} is said to be {word(told)} and was {word(real)}"
             for name, told, real in zip(names, found, expected) if told != real]
    return f"at {pc:#x}: {', '.join(wrong)}"


def word(value):
    return "unknown" if value is None else hex(value)
