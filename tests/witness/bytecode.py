"""Bytecode and exits: `jit-bytecode` against the `dis` of the very same process, `jit-exits` against GDB's expressions."""
from outcome import Outcome

# Of so many meanings of arguments at most one may be left out.
LEAST_TOLD = 200


def compare(records, target, program, minimums):
    outcome = Outcome("bytecode", target, program, minimums)
    left_out = 0
    colds = next((record["witness"] for record in records if record["kind"] == "colds"), [])
    for record in records:
        if record["kind"] == "bytecode":
            left_out += compare_code(outcome, record["witness"], record["tool"])
        elif record["kind"] == "exits":
            compare_exits(outcome, record["witness"], record["tool"], colds)
        elif record["kind"] == "end":
            outcome.problems += record["problems"]
    if not any(record["kind"] == "end" for record in records):
        outcome.problem("the recording is incomplete")
    outcome.note(f"{left_out} meanings left out")
    told = outcome["meanings"].total
    if left_out * LEAST_TOLD > told:
        outcome.problem(f"{left_out} meanings are left out, {told} told")
    return outcome


def compare_code(outcome, code, document):
    """How many meanings of arguments the tool does not tell: constants of kinds that it does not know."""
    where = f"{code['qualname']} ({code['filename']})"
    if document is None:
        outcome.problem(f"no answer for {where}")
        return 0
    rows = document["data"]["instructions"]
    theirs = code["instructions"]
    outcome["instructions"].equal([row[:2] for row in theirs], [[row["offset"], row["opname"]] for row in rows], lambda: where)
    left_out = 0
    for witness, row in zip(theirs, rows):
        offset, _, argument, meaning, line, label = witness
        place = f"{where} at {offset}"
        outcome["arguments"].equal(argument, row["oparg"], lambda: place)
        outcome["lines"].equal(line, row["line"], lambda: place)
        outcome["labels"].equal(label, row["label"], lambda: place)
        if meaning and row["argrepr"] is None:
            left_out += 1
        else:
            outcome["meanings"].equal(meaning, row["argrepr"] or "", lambda: place)
    entries = sorted([row["offset"], int(entry["executor"], 16)] for row in rows for entry in row["entries"])
    for entry in sorted(set(map(tuple, entries)) | set(map(tuple, code["entries"]))):
        outcome["entries"].check(list(entry) in entries and list(entry) in code["entries"],
                                 lambda: f"{where}: {entry}, the tool has {entries}, the witness {code['entries']}")
    return left_out


def compare_exits(outcome, witness, told, colds):
    where = told["executor"]["address"]
    ours = [[address, target, 0 if linked in colds else linked, counter] for address, target, linked, counter in witness]
    theirs = [[int(row["address"], 16), row["target"],
               int(row["linked_to"]["executor"], 16) if row["linked_to"] else 0, row["temperature"]["raw"]]
              for row in told["exits"]]
    outcome["exits"].equal(len(ours), len(theirs), lambda: f"number of exits of {where}")
    for index, (our, their) in enumerate(zip(ours, theirs)):
        outcome["exits"].equal(our, their, lambda: f"exit {index} of {where}")
        row = told["exits"][index]
        # The stub's own target says it once more, where the tool names an instruction.
        if row["bytecode"]:
            outcome["targets"].equal(2 * our[1], row["bytecode"]["offset"], lambda: f"exit {index} of {where}")
