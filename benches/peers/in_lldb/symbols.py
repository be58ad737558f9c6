"""Runs inside LLDB on symbols_program.py: what `jit-symbols` adds to a stop, and what it takes to give many executors their
symbols. Writes the processor seconds of LLDB, without those of its server, to the file named by CPYJIT_BENCH_RESULT."""
import json
import os
import re
import statistics
import time
import traceback

import lldb

STOPS = 10  # of each kind


class Session:
    """Commands as a person types them."""

    def __init__(self, debugger):
        debugger.SetAsync(False)
        self.interpreter, self.target = debugger.GetCommandInterpreter(), debugger.GetSelectedTarget()

    def seconds(self, command):
        # Given by itself a command would see what the import saw, which had no process yet.
        thread, result = self.target.GetProcess().GetSelectedThread(), lldb.SBCommandReturnObject()
        seen = lldb.SBExecutionContext(thread if thread.IsValid() else self.target)
        start = time.process_time()
        self.interpreter.HandleCommand(command, seen, result)
        taken = time.process_time() - start
        if not result.Succeeded():
            raise AssertionError("%s: %s" % (command, result.GetError()))
        return taken, result.GetOutput()

    def at_stops(self):
        """Stops in JIT code, without and with symbols of what runs there; the first of the latter by itself."""
        self.seconds("jit-symbols off")
        without = [self.seconds("process continue")[0] for _ in range(STOPS)]
        self.seconds("jit-symbols auto")
        first, *later = [self.seconds("process continue")[0] for _ in range(STOPS)]
        _, status = self.seconds("jit-symbols status")
        if "1 executor has symbols" not in status:
            raise AssertionError("the executor that stops has no symbols: " + status)
        self.seconds("jit-symbols off")
        return {"without": statistics.median(without), "first": first, "later": statistics.median(later)}

    def many(self):
        """All executors of the process at once."""
        added, said = self.seconds("jit-symbols on")
        removed, _ = self.seconds("jit-symbols off")
        return {"executors": int(re.search(r": (\d+) executors", said).group(1)), "added": added, "removed": removed}

    def measure(self):
        self.seconds("command script import " + os.environ["CPYJIT_BENCH_TOOL"])
        self.seconds("process launch --stop-at-entry")
        self.seconds("process handle SIGUSR1 --stop true --pass false --notify true")
        self.seconds("process continue")
        stops = self.at_stops()
        self.seconds("process continue")
        return {"stops": stops, "many": self.many()}


def __lldb_init_module(debugger, _names):
    try:
        result = Session(debugger).measure()
    except BaseException:
        result = {"failure": traceback.format_exc(limit=-3)}
    with open(os.environ["CPYJIT_BENCH_RESULT"], "w", encoding="utf-8") as file:
        json.dump(result, file)
    debugger.HandleCommand("process kill")
