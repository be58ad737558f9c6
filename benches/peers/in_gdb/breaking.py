"""Runs inside GDB on breaking_program.py: what breakpoints at uops cost, and what GDB's own breakpoints at the same places
do. Writes the seconds to the file named by CPYJIT_BENCH_RESULT: of the processor where only GDB works."""
import json
import os
import re
import statistics
import time
import traceback

import gdb

HITS = 6000


def seconds(command, clock=time.perf_counter):
    start = clock()
    said = gdb.execute(command, to_string=True)
    return clock() - start, said


def breakpoint_of(said):
    number = int(re.search(r"Breakpoint (\d+)", said).group(1))
    return next(b for b in gdb.breakpoints() if b.number == number)


def places(count_of):
    """Set and removed: many places at once, in executors that exist."""
    gdb.execute("jit-list --quick", to_string=True)  # what is read from files only once
    gdb.execute("jit-break-uop nothing _START_EXECUTOR", to_string=True)  # the hooks are there
    setting, said = seconds("jit-break-uop _*", time.process_time)
    breakpoint = breakpoint_of(said)
    count = len(breakpoint.locations)
    start = time.process_time()
    breakpoint.delete()
    count_of.tell_of_deleted()
    return {"places": count, "set": setting, "removed": time.process_time() - start}


def compiling(ours):
    """The processor time of GDB while 40 executors are compiled that nothing stops in: alone, with GDB's own breakpoints
    where the hooks are, and with ours; and that of the hooks, from when GDB has noticed the hit. At the end with symbols of
    them, which executors with places get before they run."""
    gdb.execute("jit-break-uop nothing _START_EXECUTOR", to_string=True)
    addresses = [hook.description["address"] for hook in ours.places().hooks.values()]
    gdb.execute("delete", to_string=True)
    ours.tell_of_deleted()
    alone, _ = seconds("continue", time.process_time)
    for address in addresses:
        gdb.Breakpoint("*%#x" % address).ignore_count = 10**6
    bare, _ = seconds("continue", time.process_time)
    gdb.execute("delete", to_string=True)
    gdb.execute("jit-break-uop _ERROR_POP_N --function few", to_string=True)
    few = in_hooks(ours)
    gdb.execute("jit-break-uop _* --function f", to_string=True)
    gdb.execute("jit-break-uop _ERROR_POP_N --function many", to_string=True)
    many = {"places": sum(len(breakpoint.locations) for breakpoint in gdb.breakpoints()), **in_hooks(ours)}
    gdb.execute("delete", to_string=True)
    ours.tell_of_deleted()
    gdb.execute("jit-symbols auto", to_string=True)
    gdb.execute("jit-break-uop _ERROR_POP_N --function shown", to_string=True)
    shown = in_hooks(ours)
    gdb.execute("jit-symbols off", to_string=True)
    gdb.execute("delete", to_string=True)
    ours.tell_of_deleted()
    return {"compiles": few["compiles"], "alone": alone, "bare": bare, "few": few, "many": many, "shown": shown}


def in_hooks(ours):
    """What is done at each compilation of one that has a place."""
    taken, ask = [], ours.ask_core

    def timed(question):
        before = len(ours.places().regions)
        start = time.process_time()
        stop = ask(question)
        if len(ours.places().regions) > before:
            taken.append(time.process_time() - start)
        return stop
    ours.ask_core = timed
    whole, _ = seconds("continue", time.process_time)
    ours.ask_core = ask
    return {"compiles": len(taken), "median": statistics.median(taken), "most": max(taken), "whole": whole}


def conditions():
    """The same condition at the same place: GDB's own breakpoint, and one of ours."""
    gdb.execute("continue", to_string=True)
    _, said = seconds("jit-break-uop hot _JUMP_TO_TOP --condition '$rsp == 1'")
    ours = breakpoint_of(said)
    address = ours.locations[0].address
    our_time, _ = seconds("continue")
    gdb.execute("delete", to_string=True)
    gdb.execute("break *%#x if $rsp == 1" % address, to_string=True)
    its_time, _ = seconds("continue")
    gdb.execute("delete", to_string=True)
    none, _ = seconds("continue")
    return {"ours": our_time - none, "gdb": its_time - none, "hits": HITS}


def measure():
    gdb.execute("handle SIGUSR1 stop print nopass", to_string=True)
    gdb.execute("source " + os.environ["CPYJIT_BENCH_TOOL"])
    import cpyjit_gdb_breakpoints as ours
    gdb.execute("jit-symbols off", to_string=True)
    gdb.execute("run", to_string=True)
    return {"places": places(ours), "compiling": compiling(ours), "conditions": conditions()}


try:
    result = measure()
except BaseException:
    result = {"failure": traceback.format_exc(limit=-3)}
with open(os.environ["CPYJIT_BENCH_RESULT"], "w", encoding="utf-8") as file:
    json.dump(result, file)
gdb.execute("kill", to_string=True)
gdb.execute("quit")
