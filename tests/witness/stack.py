"""`jit-stack` against GDB's own reading, against what CPython writes back when JIT code is left, and against `f_locals`."""
from outcome import Outcome

KINDS = ("answers", "frame", "boundary items", "states", "local words", "items after", "f_locals", "repr", "depth inside",
         "items inside", "alive inside", "saved in time", "items in a call")
# What is not known is no error, but it must stay rare.
UNKNOWN_SHARE = 0.25


def together(outcomes, minimums):
    """All stops of all targets and programs, since each figure counts a stop once."""
    whole = Outcome("stack", "all", "all programs", minimums)
    for outcome in outcomes:
        for name, figure in whole.figures.items():
            if outcome.check == "stack" and name in outcome.figures:
                figure.add(outcome[name])
    whole.note("figures count stops")
    return whole


def compare(records, target, program, minimums):
    outcome = Outcome("stack", target, program, {**{kind: 0 for kind in KINDS}, **minimums})
    unknown = 0
    for record in records:
        if record["kind"] == "end":
            outcome.stops = sum(record["stops"].values())
            outcome.note(", ".join(f"{count} {name}" for name, count in record["stops"].items()))
        if record["kind"] != "round":
            continue
        outcome.problems += record["problems"]
        for kind, where, text, expected, actual in record["claims"]:
            if expected is None:
                unknown += 1
                if unknown == 1:
                    outcome.note(f"first unknown: {where}: {text}")
            else:
                outcome[kind].check(expected == actual, lambda: f"{where} {text}: expected {expected}, found {actual}")
    inside = outcome["items inside"].total
    outcome.note(f"{unknown} not known inside uops")
    if unknown > UNKNOWN_SHARE * max(1, inside + unknown):
        outcome.problem(f"{unknown} items are not known inside uops, {inside} are")
    return outcome
