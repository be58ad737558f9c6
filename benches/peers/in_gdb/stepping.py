"""Runs inside GDB on a program of the testbed: stops in its hot loop and steps, by uop or by instruction. The program runs
the same each time, so both sides begin at the same uop. Writes what it took to the file named by CPYJIT_BENCH_RESULT.

CPYJIT_BENCH_STEPS is JSON: side ("cpyjit", "script" or "gdb"), function, rounds (of its loop before the first step), uops,
and for "gdb" the number of instructions.
"""
import bisect
import json
import os
import time
import traceback

import gdb

RETURN = b"\xc3"
UNMEASURED = 1000  # uops, with a way through the interpreter: what GDB reads from files only once is read in them


def pc():
    return int(gdb.parse_and_eval("$pc"))


def state():
    """Where a side ended: the same path ends at the same."""
    return [int(gdb.parse_and_eval("$" + name)) & (2**64 - 1) for name in ("pc", "sp")]


class Code:
    """All executors: where their uops begin, and where the code of each lies."""

    def __init__(self):
        executors = json.loads(gdb.execute("jit-trace --all --json", to_string=True))["data"]["executors"]
        parts = [part for executor in executors for uop in executor["uops"] for part in uop["ranges"][:1] if part["size"]]
        self.starts = {int(part["address"], 16) for part in parts}
        codes = [executor["executor"]["code"] for executor in executors]
        self.regions = sorted((int(code["address"], 16), int(code["address"], 16) + code["mapped"]) for code in codes)

    def contains(self, address):
        place = bisect.bisect(self.regions, (address, 2**64)) - 1
        return place >= 0 and address < self.regions[place][1]

    def events(self, before, now):
        """What jit-step-uop counts: a uop that begins, or a return to the interpreter."""
        if now in self.starts:
            return 1
        return int(self.contains(before) and not self.contains(now)
                   and bytes(gdb.selected_inferior().read_memory(before, 1)) == RETURN)


def step_uops(job):
    gdb.execute("jit-step-uop %d --quiet" % job["uops"], to_string=True)
    return {}


def step_instructions(job):
    """As a script does it: instruction by instruction, until so many uops have begun."""
    code, at, events, instructions = job["code"], pc(), 0, 0
    while events < job["uops"]:
        gdb.execute("stepi", to_string=True)
        instructions += 1
        before, at = at, pc()
        events += code.events(before, at)
    return {"instructions": instructions}


def step_known(job):
    """As nobody can do it who does not know the number beforehand: by one command."""
    gdb.execute("stepi %d" % job["instructions"], to_string=True)
    return {}


SIDES = {"cpyjit": step_uops, "script": step_instructions, "gdb": step_known}


def measure(job):
    # What the environment holds moves the stack.
    gdb.execute("unset environment CPYJIT_BENCH_STEPS")
    gdb.execute("set environment PYTHONHASHSEED=0")
    gdb.execute("source " + os.environ["CPYJIT_BENCH_TOOL"])
    gdb.execute("jit-break-uop _JUMP_TO_TOP --function %(function)s --ignore %(rounds)d --temporary" % job, to_string=True)
    gdb.execute("run", to_string=True)
    gdb.execute("jit-step-uop %d --quiet" % UNMEASURED, to_string=True)
    gdb.execute("delete", to_string=True)
    job["code"] = Code()
    begin = state()
    with gdb.with_parameter("suppress-cli-notifications", True):
        start = time.perf_counter()
        found = SIDES[job["side"]](job)
        seconds = time.perf_counter() - start
    return found | {"seconds": seconds, "begin": begin, "end": state()}


try:
    result = measure(json.loads(os.environ["CPYJIT_BENCH_STEPS"]))
except BaseException:
    result = {"failure": traceback.format_exc(limit=-3)}
with open(os.environ["CPYJIT_BENCH_RESULT"], "w", encoding="utf-8") as file:
    json.dump(result, file)
gdb.execute("kill", to_string=True)
gdb.execute("quit")
