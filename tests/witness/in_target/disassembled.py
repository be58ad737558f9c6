"""Runs a program as __main__ in the target Python, writes what its `dis` says about code objects, and stops at once.

    disassembled.py OUT LIMIT PROGRAM [ARGUMENT]...

Where executors are entered is written to OUT.entries, in the same order.

At most LIMIT code objects are written: those of the program, then those of the library. Then the process sends itself SIGABRT,
so that a debugger sees the same bytecode, specialised as it was written.
"""
import dis
import gc
import json
import os
import runpy
import signal
import sys
import types

from _opcode import get_executor


def all_codes(program):
    """The code objects of living functions and inside those, the program's first; none of this file, which is still running."""
    pending = [f.__code__ for f in gc.get_objects() if isinstance(f, types.FunctionType)]
    seen = {}
    while pending:
        code = pending.pop()
        if id(code) not in seen:
            seen[id(code)] = code
            pending += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    directory = os.path.dirname(os.path.abspath(program))
    others = [code for code in seen.values() if code.co_filename != __file__]
    return sorted(others, key=lambda code: (not code.co_filename.startswith(directory), code.co_filename,
                                                   code.co_firstlineno, code.co_qualname))


def describe(code):
    return {
        "address": id(code), "qualname": code.co_qualname, "filename": code.co_filename,
        "instructions": [[i.offset, i.opname, i.arg, i.argrepr, i.line_number, i.label]
                         for i in instructions(code)],
    }


def instructions(code):
    """As dis.dis() prints them: get_instructions() numbers labels without those of exception handlers."""
    lines = dict(dis.findlinestarts(code))
    labels = dis._make_labels_map(code.co_code, exception_entries=dis._parse_exception_table(code))
    resolver = dis.ArgResolver(co_consts=code.co_consts, names=code.co_names, varname_from_oparg=code._varname_from_oparg,
                               labels_map=labels)
    return dis._get_instructions_bytes(dis._get_code_array(code, True), linestarts=lines, co_positions=code.co_positions(),
                                       original_code=code.co_code, arg_resolver=resolver)


def entries(kept):
    """Where ENTER_EXECUTOR stands, and the executor that is there; `kept`: code objects with the places of instructions."""
    enter, found = dis._all_opmap["ENTER_EXECUTOR"], []
    for code, offsets in kept:
        raw = code._co_code_adaptive
        found.append([[offset, id(get_executor(code, offset))] for offset in offsets if raw[offset] == enter])
    return found


def main():
    out, limit, program, *arguments = sys.argv[1:]
    sys.argv = [program, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(program))
    kept = runpy.run_path(program, run_name="__main__")
    codes = all_codes(program)[:int(limit)]
    described = [describe(code) for code in codes]
    # What has changed since is that of functions which the writing itself uses.
    same = [(code, one) for code, one in zip(codes, described) if describe(code) == one]
    offsets = [(code, [row[0] for row in one["instructions"]]) for code, one in same]
    with open(out, "w", encoding="utf-8") as file:
        json.dump([one for _, one in same], file)
    # Last, because 3.14 throws executors away that have not run for a while, and all this has taken a while.
    with open(out + ".entries", "w", encoding="utf-8") as file:
        file.write(json.dumps(entries(offsets)))
    os.kill(os.getpid(), signal.SIGABRT)
    del kept


main()
