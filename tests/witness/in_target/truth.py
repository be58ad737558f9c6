"""Runs a program as __main__ in the target Python and writes what that Python itself says about its code objects.

    truth.py WANTED OUT PROGRAM [ARGUMENT]...

WANTED is a JSON list of [qualname, filename, firstlineno]; only those code objects are written to OUT.
"""
import dis
import gc
import hashlib
import json
import os
import runpy
import sys
import types

started = {}  # by identity: equal code objects of two files are different to us


def collect_started():
    """Every code object that begins to run, also one that is gone at the end (code of exec() for example)."""
    monitoring = sys.monitoring
    monitoring.use_tool_id(monitoring.PROFILER_ID, "witness")
    monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.PY_START, on_start)
    monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.PY_START)


def on_start(code, offset):
    started[id(code)] = code
    return sys.monitoring.DISABLE


def stop_collecting():
    sys.monitoring.free_tool_id(sys.monitoring.PROFILER_ID)


def all_codes():
    """What started to run, what the living functions hold, and all code objects inside those."""
    pending = list(started.values()) + [f.__code__ for f in gc.get_objects() if isinstance(f, types.FunctionType)]
    seen = {}
    while pending:
        code = pending.pop()
        if id(code) not in seen:
            seen[id(code)] = code
            pending += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return seen.values()


def describe(code):
    return {
        "qualname": code.co_qualname, "filename": code.co_filename, "firstlineno": code.co_firstlineno,
        "linetable": hashlib.sha256(code.co_linetable).hexdigest(),
        "instructions": {i.offset: i.opname for i in dis.get_instructions(code, show_caches=False, adaptive=False)},
        "lines": [position[0] for position in code.co_positions()],
    }


def families():
    """Specialised name -> name of the instruction that it is a form of."""
    from _opcode_metadata import _specializations
    return {name: base for base, names in _specializations.items() for name in names}


def run(program, arguments):
    sys.argv = [program, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(program))
    runpy.run_path(program, run_name="__main__")


def main():
    wanted_path, out, program, *arguments = sys.argv[1:]
    with open(wanted_path, encoding="utf-8") as file:
        wanted = {tuple(key) for key in json.load(file)}
    collect_started()
    run(program, arguments)
    stop_collecting()
    codes = [code for code in all_codes() if (code.co_qualname, code.co_filename, code.co_firstlineno) in wanted]
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"families": families(), "codes": [describe(code) for code in codes]}, file)


main()
