"""Runs in LLDB: breakpoints on uops of a program, stops at them, and what was seen, as JSON. The same as in_gdb.py."""
import json
import os
import re
import sys

import lldb

STOPS = int(os.environ["STRESS_STOPS"])
UOPS = os.environ["STRESS_UOPS"].splitlines()
WORDS = json.loads(os.environ["STRESS_WORDS"])
VARIABLES = json.loads(os.environ["STRESS_VARIABLES"])
BEFORE = os.environ["STRESS_BEFORE"]
PID = os.environ["STRESS_PID"]
STEPS = "STRESS_STEPS" in os.environ  # behind each stop
LOOKS = 5 if STEPS else 25  # so many stops apart, memory is looked at


class Watch:
    """One program, from its start to its end."""

    def __init__(self, debugger):
        self.debugger = debugger
        self.target = debugger.CreateTarget(WORDS[0])
        self.seen = {"stops": 0, "stray": [], "left": [], "looks": 0, "places": 0, "hits": 0, "steps": 0, "counts": [],
                     "exit": None, "failures": []}
        self.placed = set()  # every address at which there has ever been a place
        self.numbers = []
        self.process = None

    def command(self, text):
        said = lldb.SBCommandReturnObject()
        self.debugger.GetCommandInterpreter().HandleCommand(text, lldb.SBExecutionContext(self.target), said)
        if not said.Succeeded():
            self.seen["failures"].append("%s: %s" % (text, said.GetError()))
        return said.GetOutput() or ""

    def set_breakpoints(self):
        if "STRESS_SYMBOLS" in os.environ:
            self.command("jit-symbols on")
            for place in UOPS:
                file, colon, line = place.partition(":")
                one = (self.target.BreakpointCreateByLocation(file, int(line)) if colon
                       else self.target.BreakpointCreateByName(place))
                self.numbers.append(one.GetID())
            return
        for uop in UOPS:
            said = self.command("jit-break-uop %s" % uop)
            self.numbers.append(int(re.match(r"Breakpoint (\d+): ", said).group(1)))

    def breakpoints(self):
        return [self.target.FindBreakpointByID(number) for number in self.numbers]

    def launch(self):
        error = lldb.SBError()
        if PID:
            self.process = self.target.Attach(lldb.SBAttachInfo(int(PID)), error)
        else:
            launch = lldb.SBLaunchInfo(WORDS[1:])
            launch.SetEnvironmentEntries(["%s=%s" % pair for pair in VARIABLES.items()], True)
            launch.AddOpenFileAction(1, os.environ["STRESS_OUTPUT"], False, True)
            self.process = self.target.Launch(launch, error)
        if error.Fail():
            raise RuntimeError(error.GetCString())

    def look_at_memory(self):
        """LLDB leaves what it knows of in memory, also at a stop. A breakpoint instruction where there was a place and
        is none now was left behind. Read from the kernel, since LLDB hides its own."""
        self.seen["looks"] += 1
        known = {location.GetLoadAddress() for breakpoint in self.target.breakpoint_iter() for location in breakpoint
                 if location.IsEnabled() and location.IsResolved()}
        pid = self.process.GetProcessID()
        with open("/proc/%d/maps" % pid, encoding="ascii") as maps, open("/proc/%d/mem" % pid, "rb", buffering=0) as memory:
            for line in maps:
                start, end = (int(number, 16) for number in line.split()[0].split("-"))
                for address in [address for address in self.placed - known if start <= address < end]:
                    memory.seek(address)
                    if memory.read(1) == b"\xcc":
                        self.seen["left"].append("%#x" % address)

    def note_stop(self):
        for thread in self.process:
            reason = thread.GetStopReason()
            if reason == lldb.eStopReasonBreakpoint:
                hit = {thread.GetStopReasonDataAtIndex(at) for at in range(0, thread.GetStopReasonDataCount(), 2)}
                ours = hit & set(self.numbers)
                self.seen["stops"] += bool(ours)
                if not ours:
                    self.seen["stray"].append("breakpoint %s" % sorted(hit))
            elif reason == lldb.eStopReasonSignal:
                signal = self.process.GetUnixSignals().GetSignalAsCString(thread.GetStopReasonDataAtIndex(0))
                if signal == "SIGUSR1":
                    self.seen["counts"].append({one.GetID(): one.GetHitCount() for one in self.breakpoints()})
                else:
                    self.seen["stray"].append(signal)

    def stop_no_more(self):
        """Where hits are not counted, the breakpoints are only followed from now on: a hit takes LLDB a millisecond."""
        self.seen["hits"] = self.seen["hits"] or sum(breakpoint.GetHitCount() for breakpoint in self.breakpoints())
        for breakpoint in self.breakpoints():
            if STOPS and not STEPS:
                breakpoint.SetEnabled(False)
            else:
                breakpoint.SetIgnoreCount(2**31 - 1)

    def step(self):
        """Wherever that leads, and whatever is compiled and freed meanwhile."""
        for kind in ("over", "instruction", "into", "instruction", "over"):
            if self.process.GetState() != lldb.eStateStopped:
                return
            thread = self.process.GetSelectedThread()
            {"over": thread.StepOver, "into": thread.StepInto,
             "instruction": lambda thread=thread: thread.StepInstruction(False)}[kind]()
            reason = self.process.GetSelectedThread().GetStopReason()
            self.seen["steps"] += reason in (lldb.eStopReasonPlanComplete, lldb.eStopReasonTrace)
            if reason in (lldb.eStopReasonSignal, lldb.eStopReasonException):
                self.seen["stray"].append("%s in a step" % self.process.GetSelectedThread().GetStopDescription(100))

    def run(self):
        self.debugger.SetAsync(False)
        if not PID:
            if BEFORE:
                self.command(BEFORE)
            self.set_breakpoints()
        self.launch()
        if PID:
            self.set_breakpoints()
            self.process.Continue()
        while self.process.GetState() == lldb.eStateStopped:
            self.note_stop()
            self.placed.update(location.GetLoadAddress() for one in self.breakpoints() for location in one)
            if self.seen["stops"] % LOOKS == 0:
                self.look_at_memory()
            if self.seen["stops"] >= STOPS:
                if PID:
                    self.process.Detach()
                    return
                self.stop_no_more()
            elif STEPS:
                self.step()
                if self.process.GetState() != lldb.eStateStopped:
                    break
            self.process.Continue()
        self.seen["exit"] = self.process.GetExitStatus()
        self.seen["places"] = len(self.placed)


def stress(debugger, _arguments, _exe_ctx, _result, _names):
    watch = Watch(debugger)
    try:
        watch.run()
    except BaseException as failure:  # what LLDB makes of it would be lost in its output
        watch.seen["failures"].append("%s: %s" % (type(failure).__name__, failure))
    with open(os.environ["STRESS_REPORT"], "w", encoding="utf-8") as report:
        json.dump(watch.seen, report)
    sys.stdout.flush()


def __lldb_init_module(debugger, _names):
    debugger.HandleCommand("command script add -o -f in_lldb.stress stress")
