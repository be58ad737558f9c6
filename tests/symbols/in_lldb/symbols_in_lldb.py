"""A session of LLDB on tests/symbols/program.py."""
import os
import pathlib
import sys

import lldb

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import judge

ENTRIES = 6          # of one executor that are followed
MOST_OF_ENTRY = 700  # instructions of one entry
MOST_FRAMES = 24     # up to the caller of JIT code, inlined ones included
CALLEE_SAVED = ("rbx", "rbp", "r12", "r13", "r14", "r15")
TAG_BITS = 3


class Session:
    def __init__(self, job, debugger):
        self.job, self.debugger = job, debugger
        self.is_314 = job.version == "3.14"
        names = ("unwinding", "variables at uops", "variables inside uops")
        self.checks = {name: judge.Check(name, None if name == "unwinding" else 1) for name in names}
        self.unknown = 0

    def run(self):
        self.debugger.SetAsync(False)
        self.target = self.debugger.GetSelectedTarget()
        marker = self.target.BreakpointCreateByName("os_getppid")
        info = self.target.GetLaunchInfo()
        info.SetEnvironmentEntries(["PYTHON_JIT=1", "PYTHONHASHSEED=0"], True)
        self.process = self.target.Launch(info, lldb.SBError())
        self.target.BreakpointDelete(marker.GetID())
        pid = self.process.GetProcessID()
        self.map = self.job.code_map(pid)
        for path in self.job.write_symbols(pid, "lldb"):
            module = self.target.AddModule(path, None, None)
            self.target.SetModuleLoadAddress(module, 0)
        names = self.names()
        self.follow()
        self.target.DeleteAllBreakpoints()
        self.process.Continue()
        self.checks["variables inside uops"].words = f", {self.unknown} said to be unknown"
        self.job.write([*self.checks.values(), names])
        sys.stdout.write(self.process.GetSTDOUT(1 << 16))

    def names(self):
        """`breakpoint set -n UOP` is all places where that uop begins."""
        check = judge.Check("breakpoint set -n UOP", 1)
        for name, places in sorted(self.map.names.items()):
            point = self.target.BreakpointCreateByName(name)
            found = {point.GetLocationAtIndex(index).GetLoadAddress() for index in range(point.GetNumLocations())}
            check.add(found == places, lambda: f"{name}: {sorted(map(hex, found ^ places))} are not in both")
            self.target.BreakpointDelete(point.GetID())
        return check

    def follow(self):
        counts, unwinding = {}, self.checks["unwinding"]
        if self.is_314:
            points = {self.target.BreakpointCreateByAddress(place).GetID(): place for place in self.map.starts}
        else:
            entry = self.target.FindSymbols("_PyJIT_Entry")[0].GetSymbol().GetStartAddress().GetLoadAddress(self.target)
            points = {self.target.BreakpointCreateByAddress(entry).GetID(): entry}
        end = self.target.BreakpointCreateByName("Py_FinalizeEx")
        while unwinding.done < self.job.places:
            self.process.Continue()
            if self.process.GetState() != lldb.eStateStopped or end.GetHitCount():
                break
            key = self.register("rip") if self.is_314 else self.register("rdi")
            counts[key] = counts.get(key, 0) + 1
            if counts[key] <= ENTRIES:
                self.target.DisableAllBreakpoints()
                self.entered()
                self.target.EnableAllBreakpoints()
            elif self.is_314 and counts[key] > 3 * ENTRIES:
                for number, place in points.items():
                    if place == key:
                        self.target.FindBreakpointByID(number).SetCondition("0 == 1")

    def thread(self):
        return self.process.GetSelectedThread()

    def register(self, name):
        return self.thread().GetFrameAtIndex(0).FindRegister(name).GetValueAsUnsigned()

    def word(self, address):
        return self.process.ReadPointerFromMemory(address, lldb.SBError())

    def entered(self):
        stack = self.register("rsp")
        registers = {name: self.register(name) for name in CALLEE_SAVED}
        self.caller = {"rip": self.word(stack), "rsp": stack + 8, **registers}
        self.frame = None
        for _ in range(MOST_OF_ENTRY):
            pc = self.register("rip")
            if pc == self.caller["rip"]:
                return
            inside = self.map.contains(pc)
            if inside:
                self.look(pc)
            # The shim and the entry function call the first uop: that is not to be stepped over.
            first = self.target.ReadInstructions(lldb.SBAddress(pc, self.target), 1)[0]
            over = first.GetMnemonic(self.target).startswith("call") and inside and pc not in self.calls_of_shim(pc, first)
            self.thread().StepInstruction(over)

    def calls_of_shim(self, pc, instruction):
        """Calls into JIT code."""
        words = instruction.GetOperands(self.target).split()
        is_address = words and words[0].startswith("0x")
        return (pc,) if is_address and self.map.contains(int(words[0], 16)) else ()

    def look(self, pc):
        thread = self.thread()
        caller = next((frame for frame in (thread.GetFrameAtIndex(number) for number in range(MOST_FRAMES))
                       if frame.IsValid() and frame.GetPC() == self.caller["rip"]), None)
        check = self.checks["unwinding"]
        if caller is None:
            check.add(False, lambda: f"{pc:#x}: the caller is not found")
        else:
            found = {name: caller.FindRegister(name).GetValueAsUnsigned() for name in self.caller}
            check.add(found == self.caller, lambda: f"{pc:#x}: {found}, not {self.caller}")
        uop = self.map.uops.get(pc)
        if uop:
            self.frame = self.register("r12" if self.is_314 else "r13")
            self.names_of_frame = self.variable_names()
        if self.frame is not None:
            self.look_at_variables(pc, "variables at uops" if uop else "variables inside uops")

    def look_at_variables(self, pc, name):
        """Those of the innermost frame of Python, whose block LLDB shows although it hides a frame that just begins."""
        block = self.target.ResolveLoadAddress(pc).GetBlock()
        if not block.IsValid() or not block.IsInlined() or block.GetInlinedName() == "?":
            return
        frame = self.thread().GetFrameAtIndex(0)
        if frame.GetFunctionName() != block.GetInlinedName():
            return  # it is hidden
        check = self.checks[name]
        slots = {word: slot for slot, word in enumerate(self.names_of_frame)}
        for value in frame.GetVariables(True, True, False, False):
            if value.GetName() not in slots:
                continue
            if value.GetError().Fail():
                self.unknown += 1
                check.add(name != "variables at uops", lambda: f"{pc:#x}: {value.GetName()}: {value.GetError()}")
                continue
            real = self.word(self.frame + self.localsplus + 8 * slots[value.GetName()]) & ~TAG_BITS
            check.add(value.GetValueAsUnsigned() == real, lambda: f"{pc:#x}: {value.GetName()} {value.GetValue()}, not {real:#x}")

    def offset(self, kind, field):
        fields = self.target.FindFirstType(kind).fields
        return next(one.GetOffsetInBytes() for one in fields if one.GetName() == field)

    def variable_names(self):
        """The names of the variables of the frame's function, from memory."""
        if not hasattr(self, "localsplus"):
            self.localsplus = self.offset("_PyInterpreterFrame", "localsplus")
            self.executable = self.offset("_PyInterpreterFrame", "f_executable")
            self.names_at = self.offset("PyCodeObject", "co_localsplusnames")
            self.items_at = self.offset("PyTupleObject", "ob_item")
            self.text_at = self.target.FindFirstType("PyASCIIObject").GetByteSize()
            self.known = {}
        code = self.word(self.frame + self.executable) & ~TAG_BITS
        if code not in self.known:
            names = self.word(code + self.names_at)
            items = (self.word(names + self.items_at + 8 * slot) for slot in range(self.word(names + 16)))
            self.known[code] = [self.text(item) for item in items]
        return self.known[code]

    def text(self, address):
        return self.process.ReadMemory(address + self.text_at, self.word(address + 16), lldb.SBError()).decode()


def __lldb_init_module(debugger, _):
    try:
        Session(judge.Job(os.environ["CPYJIT_SYMBOLS_JOB"]), debugger).run()
    except BaseException as error:
        import traceback
        traceback.print_exc()
        raise error
