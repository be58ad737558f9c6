"""Operands that listings name behind numbers: if one is changed, Unicorn's run of the emitters writes other bytes in
exactly the instructions that were said to have it."""
import random
import struct

import stencils
import synthetic
import targets
import unicorn_run

SEED = 5
# By the operand that is named: place in a uop, width in bytes.
COPIED = {"oparg": (2, 2), "operand0": (8, 8), "operand1": (16, 8)}
TARGETS = ("target", "jump_target", "error_target")


def check(target, folder, quick):
    core = target.core(targets.plan.program("loops"), folder)
    python = stencils.Python(target.entry, core)
    engine = unicorn_run.Unicorn(python)
    executor = synthetic.Executor(python, SEED, synthetic.FAR)
    code = rebuild(engine, executor)
    path = folder / "synthetic.core"
    synthetic.write_core(python.core, path, [(synthetic.EXECUTOR, executor.bytes()), (executor.base, code)])
    listing, = targets.answer(target, "dis", ["--core", path, hex(synthetic.EXECUTOR)])["executors"]
    path.unlink()
    core.unlink()
    told, in_data = instructions(listing, executor), data(listing, executor)
    return [one_operand(target, engine, executor, code, (told, in_data), operand) for operand in (*COPIED, "target")]


def rebuild(engine, executor):
    engine.write(synthetic.EXECUTOR, executor.bytes())
    return engine.rebuild(executor.plan, executor.base, synthetic.EXECUTOR)


def data(listing, executor):
    """(bytes of its data, the operand that all of it is said to be) of each uop of which that is said."""
    said = {uop["index"]: {note["text"].split(": ")[1] for one in uop["instructions"] for note in one["notes"]
                           if note["kind"] == "hole" and note["text"].startswith("data: ")} for uop in listing["uops"]}
    return [(range(executor.plan.data_start + one.data, executor.plan.data_start + one.data + one.group.data), operand)
            for one in executor.plan.emissions if one.index is not None
            for operand in said.get(one.index, ()) if operand in (*COPIED, *TARGETS)]  # others name a constant there


def instructions(listing, executor):
    """(offset, size, operands that are named) of each instruction of a uop."""
    return [(int(one["address"], 16) - executor.base, one["size"],
             {note["operand"] for note in one["notes"] if note["kind"] == "hole"})
            for uop in listing["uops"] for one in uop["instructions"]]


def one_operand(target, engine, executor, code, said, operand):
    told, in_data = said
    names = TARGETS if operand == "target" else (operand,)
    trace, executor.trace = executor.trace, changed(executor, operand)
    after = rebuild(engine, executor)
    executor.trace = trace
    different = {at for at in range(executor.plan.code_size) if code[at] != after[at]}
    named = [range(start, start + size) for start, size, operands in told if operands.intersection(names)]
    # A jump to a uop that happens to lie as far away stays what it is; what is copied has all its bits changed.
    idle = [place for place in named if not different.intersection(place)]
    untold = different.difference(*named) - stubs(executor)
    problems = [f"{len(untold)} bytes change that nothing was said of, at {executor.base + min(untold):#x}"] if untold else []
    if operand in COPIED and idle:
        problems.append(f"{len(idle)} of {len(named)} instructions do not depend on it, at {executor.base + idle[0].start:#x}")
    wrong = [place for place, of in in_data if any(code[at] != after[at] for at in place) != (of in names)]
    if wrong and operand in COPIED:
        problems.append(f"data of {len(wrong)} uops is said to be another operand, at {executor.base + wrong[0].start:#x}")
    own = sum(of in names for _, of in in_data)
    if not different and not named:
        return targets.Outcome("holes", target.name, not problems, "; ".join(problems) or
                               f"{operand}: data of {own} uops depends on it, and no code ({len(in_data)} in all)")
    if not named:
        problems.append("no instruction was said to have it")
    return targets.Outcome("holes", target.name, not problems, "; ".join(problems) or
                           f"{'/'.join(names)}: {len(named)} instructions depend on it, and no other ({len(told)} in all)")


def stubs(executor):
    """The bytes of shim and guard: they have no operands, and no listing of uops has them."""
    own = (range(one.code, one.code + one.group.code) for one in executor.plan.emissions if one.index is None)
    return {at for place in own for at in place}


def changed(executor, operand):
    """The trace with all bits of an operand changed; with other targets that are uops."""
    trace, chance = bytearray(executor.trace), random.Random(SEED)
    count = len(executor.opcodes)
    for start in range(0, len(trace), stencils.UOP):
        if operand in COPIED:
            at, width = COPIED[operand]
            for place in range(start + at, start + at + width):
                trace[place] ^= 0xff
        else:
            before = struct.unpack_from("<HH", trace, start + 4)
            others = [(index + chance.randrange(1, count)) % count for index in before]
            struct.pack_into("<HH", trace, start + 4, *others)
    return bytes(trace)
