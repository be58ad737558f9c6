"""Runs inside GDB on symbols_program.py: what `jit-symbols` adds to a stop, and what it takes to give many executors their
symbols. Writes the processor seconds of GDB to the file named by CPYJIT_BENCH_RESULT."""
import json
import os
import re
import statistics
import time
import traceback

import gdb

STOPS = 10  # of each kind


def seconds(command):
    start = time.process_time()
    said = gdb.execute(command, to_string=True)
    return time.process_time() - start, said


def at_stops():
    """Stops in JIT code, without and with symbols of what runs there; the first of the latter by itself."""
    gdb.execute("jit-symbols off", to_string=True)
    without = [seconds("continue")[0] for _ in range(STOPS)]
    gdb.execute("jit-symbols auto", to_string=True)
    first, *later = [seconds("continue")[0] for _ in range(STOPS)]
    status = gdb.execute("jit-symbols status", to_string=True)
    if "1 executor has symbols" not in status:
        raise AssertionError("the executor that stops has no symbols: " + status)
    gdb.execute("jit-symbols off", to_string=True)
    return {"without": statistics.median(without), "first": first, "later": statistics.median(later)}


def many():
    """All executors of the process at once."""
    added, said = seconds("jit-symbols on")
    removed, _ = seconds("jit-symbols off")
    return {"executors": int(re.search(r": (\d+) executors", said).group(1)), "added": added, "removed": removed}


def measure():
    gdb.execute("handle SIGUSR1 stop print nopass", to_string=True)
    gdb.execute("source " + os.environ["CPYJIT_BENCH_TOOL"])
    gdb.execute("run", to_string=True)
    stops = at_stops()
    gdb.execute("continue", to_string=True)
    return {"stops": stops, "many": many()}


try:
    result = measure()
except BaseException:
    result = {"failure": traceback.format_exc(limit=-3)}
with open(os.environ["CPYJIT_BENCH_RESULT"], "w", encoding="utf-8") as file:
    json.dump(result, file)
gdb.execute("kill", to_string=True)
gdb.execute("quit")
