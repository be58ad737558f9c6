"""Runs in GDB: breakpoints on uops of a program, stops at them, and what was seen, as JSON. With STRESS_SYMBOLS they are
GDB's own, at names of uops and lines of Python."""
import json
import os
import re

import gdb

STOPS = int(os.environ["STRESS_STOPS"])
UOPS = os.environ["STRESS_UOPS"].splitlines()
NOTES = 5   # so many stops apart, new places are noted
STEPS = ("next", "stepi 5", "step", "stepi 5", "next") if "STRESS_STEPS" in os.environ else ()  # behind each stop
RENEWS = 100 if "STRESS_RENEW" in os.environ else 10**9  # so many stops apart, symbols are taken out and come anew
LOOKS = 5 if STEPS else 25  # so many stops apart, memory is looked at
PASS = 1    # hits that are let pass behind each stop, so that stops are spread over the whole run

seen = {"stops": 0, "stray": [], "left": [], "looks": 0, "places": 0, "steps": 0, "counts": [], "exit": None, "failures": []}
placed = set()  # every address at which there has ever been a place
numbers = []


def look_at_memory():
    """At a stop GDB has taken out all it knows of: a breakpoint instruction where there was a place was left behind.
    Read from the kernel, since GDB hides its own."""
    seen["looks"] += 1
    pid = gdb.selected_inferior().pid
    with open("/proc/%d/maps" % pid, encoding="ascii") as maps, open("/proc/%d/mem" % pid, "rb", buffering=0) as memory:
        for line in maps:
            start, end = (int(number, 16) for number in line.split()[0].split("-"))
            for address in [address for address in placed if start <= address < end]:
                memory.seek(address)
                if memory.read(1) == b"\xcc":
                    seen["left"].append("%#x" % address)


def note_places():
    for breakpoint in gdb.breakpoints():
        if breakpoint.number in numbers:
            placed.update(location.address for location in breakpoint.locations if location.address)


def on_stop(event):
    ours = isinstance(event, gdb.BreakpointEvent) and any(b.number in numbers for b in event.breakpoints)
    if ours:
        seen["stops"] += 1
        seen["hits"] = sum(b.hit_count for b in gdb.breakpoints() if b.number in numbers)
    elif getattr(event, "stop_signal", "") == "SIGUSR1":
        seen["counts"].append({b.number: b.hit_count for b in gdb.breakpoints() if b.number in numbers})
    elif type(event) is gdb.StopEvent and STEPS:
        seen["steps"] += 1
    else:
        seen["stray"].append(str(getattr(event, "stop_signal", type(event).__name__)))


def on_exit(event):
    seen["exit"] = getattr(event, "exit_code", None)


def step():
    """Wherever that leads, and whatever is compiled and freed meanwhile."""
    said = ""
    for command in STEPS:
        if gdb.selected_inferior().pid:
            said += gdb.execute(command, to_string=True)
    return said


def renew():
    for mode in ("off", "on"):
        gdb.execute("jit-symbols " + mode, to_string=True)


def set_breakpoints():
    if "STRESS_SYMBOLS" in os.environ:
        gdb.execute("jit-symbols on", to_string=True)
        for place in UOPS:
            numbers.append(gdb.Breakpoint(place).number)
        return
    for uop in UOPS:
        said = gdb.execute("jit-break-uop %s" % uop, to_string=True)
        numbers.append(int(re.match(r"Breakpoint (\d+): ", said).group(1)))


def run():
    said = gdb.execute(os.environ["STRESS_BEFORE"], to_string=True)
    gdb.events.stop.connect(on_stop)
    gdb.events.exited.connect(on_exit)
    set_breakpoints()
    said += gdb.execute(os.environ["STRESS_START"], to_string=True)
    while gdb.selected_inferior().pid:
        if seen["stops"] % NOTES == 0:
            note_places()
        if seen["stops"] % LOOKS == 0:
            look_at_memory()
        if seen["stops"] % RENEWS == 0:
            renew()
        if seen["stops"] >= STOPS and "STRESS_DETACH" in os.environ:
            look_at_memory()
            said += gdb.execute("detach", to_string=True)
            break
        for breakpoint in gdb.breakpoints():
            breakpoint.ignore_count = PASS if seen["stops"] < STOPS else 10**9
        if seen["stops"] < STOPS:
            said += step()
            if not gdb.selected_inferior().pid:
                break
        said += gdb.execute("continue", to_string=True)
    seen["failures"] = [line for line in said.splitlines() if re.search(
        "cpyjit: |Traceback|Cannot (insert|remove|access)|SIGTRAP|Error|problem", line)]
    seen["places"] = len(placed)


try:
    run()
except BaseException as failure:  # what GDB makes of it would be lost in its output
    seen["failures"].append("%s: %s" % (type(failure).__name__, failure))
with open(os.environ["STRESS_REPORT"], "w", encoding="utf-8") as report:
    json.dump(seen, report)
gdb.execute("quit")
