"""What the user has selected, and the target as the core sees it: memory, values of expressions, and files."""
import os
import re

import lldb
from cpyjit_lldb_expressions import ADDRESS_MASK, NO_ADDRESS, Expression

# The file of a module that we make for JIT code, and the beginning of its folder's name. LLDB shows the former before
# the names of functions.
CODE_NAME = "jit"
CODE_FOLDER = "cpyjit-"


class Selection:
    """Target, process, thread and frame that a command or a call is about. Any of them may be invalid."""

    def __init__(self, debugger, target, process, thread, frame):
        self.debugger, self.target, self.process, self.thread, self.frame = debugger, target, process, thread, frame
        self.is_stopped = False  # while LLDB calls us because of a stop, the process may still count as running

    @classmethod
    def of_command(cls, debugger, exe_ctx):
        """A script that gives a command only a target means its process: taken as none, all places would be taken out."""
        target, process = exe_ctx.GetTarget(), exe_ctx.GetProcess()
        if process.IsValid() or not target.GetProcess().IsValid():
            return cls(debugger, target, process, exe_ctx.GetThread(), exe_ctx.GetFrame())
        process = target.GetProcess()
        thread = process.GetSelectedThread()
        return cls(debugger, target, process, thread, thread.GetSelectedFrame())

    @classmethod
    def of_frame(cls, frame):
        return cls.of_thread(frame.GetThread(), frame)

    @classmethod
    def of_thread(cls, thread, frame=None):
        process = thread.GetProcess()
        target = process.GetTarget()
        selection = cls(target.GetDebugger(), target, process, thread, frame or thread.GetFrameAtIndex(0))
        selection.is_stopped = True
        return selection

    @classmethod
    def of_debugger(cls, debugger):
        target = debugger.GetSelectedTarget()
        thread = target.GetProcess().GetSelectedThread()
        return cls(debugger, target, target.GetProcess(), thread, thread.GetSelectedFrame())

    def has_target(self):
        """LLDB hands out a dummy target when there is none."""
        return self.target.IsValid() and self.debugger.GetIndexOfTarget(self.target) < self.debugger.GetNumTargets()

    def process_state(self):
        if not self.process.IsValid() or not self.process.is_alive:
            return "none"
        if is_core(self.process):
            return "core"
        return "running" if self.process.is_running and not self.is_stopped else "stopped"


def is_core(process):
    name = process.GetPluginName() or ""
    return "core" in name or name == "minidump"


# ---------------------------------------------------------------- what the core asks of us

class Host:
    """Memory, values and file names of the selected target."""

    def __init__(self):
        self.selection = None  # set before each use

    def read_memory(self, address, length):
        stop_if_interrupted(self.selection.debugger)
        if length == 0:
            return b""
        # In a core only the target knows the read-only sections, from the files. The errors tell nothing: 23.1 leaves
        # one set after such a read, and an old one is never cleared. What counts is that all bytes came.
        for read in (self.read_process, self.read_target):
            data = read(address, length)
            if data is not None and len(data) == length:
                return data
        raise LookupError("cannot read %d bytes at %#x" % (length, address))

    def read_process(self, address, length):
        process = self.selection.process
        return process.ReadMemory(address, length, lldb.SBError()) if process.IsValid() else None

    def read_target(self, address, length):
        target = self.selection.target
        return target.ReadMemory(lldb.SBAddress(address, target), length, lldb.SBError())

    def evaluate(self, text):
        return Expression(self.selection, text).address()

    def registers(self, names):
        """Of the selected frame; and whether it waits for a function that it has called."""
        frame = self.selection.frame
        if not frame.IsValid():
            raise ValueError("no frame is selected")
        return [register_value(frame, name) for name in names], frame.GetFrameID() > 0

    def threads(self, names, everything):
        """The selected thread, or all: the kernel's id, whether it is selected, registers of its innermost frame."""
        selected = self.selection.thread
        threads = list(self.selection.process) if everything else [selected]
        return [(one.GetThreadID(), one == selected, [register_value(one.GetFrameAtIndex(0), name) for name in names])
                for one in threads]

    def describe(self):
        selection = self.selection
        target = selection.target
        process = selection.process
        return {
            "architecture": (target.GetTriple() or "unknown").split("-")[0],
            "kind": "core" if is_core(process) else "live",
            "pid": process.GetProcessID() if selection.process_state() != "none" else None,
            "files": loaded_files(target) if selection.has_target() else [],
            "debug_directories": debug_directories(selection.debugger),
            "packet": None,  # LLDB has a cache of its own, and tells neither its packets nor who writes into memory
        }


def register_value(frame, name):
    """None where LLDB does not know it in this frame."""
    error = lldb.SBError()
    value = frame.FindRegister(name)
    number = value.GetValueAsUnsigned(error, 0) if value.IsValid() else None
    return None if number is None or error.Fail() or value.GetError().Fail() else number & ADDRESS_MASK


def stop_if_interrupted(debugger):
    """Ctrl-C does not reach Python code of a command by itself; a command has to ask for it."""
    asked = getattr(debugger, "InterruptRequested", None)  # not before LLDB 17
    if asked is not None and asked():
        raise KeyboardInterrupt


def loaded_files(target):
    """The ELF files of this target, the executable first, each with the debug file that LLDB chose for it."""
    files = []
    for module in target.module_iter():
        path = module.GetFileSpec().fullpath
        if not path or not os.path.isabs(path) or is_ours(module):
            continue  # no file: the vDSO, and modules of JIT code
        symbols = module.GetSymbolFileSpec().fullpath
        files.append({"path": path, "debug_files": [symbols] if symbols and symbols != path else [],
                      "bias": bias(module, target)})
    executable = target.GetExecutable().fullpath
    files.sort(key=lambda file: file["path"] != executable)
    return files


def is_in_file(frame):
    """Whether its pc is in the code of a file of the program."""
    module = frame.GetModule() if frame.IsValid() else lldb.SBModule()
    return module.IsValid() and os.path.isabs(module.GetFileSpec().fullpath or "") and not is_ours(module)


def is_ours(module):
    """Whether a module is one of those that we make for JIT code."""
    file = module.GetFileSpec()
    return file.GetFilename() == CODE_NAME and os.path.basename(file.GetDirectory() or "").startswith(CODE_FOLDER)


def is_loaders(module):
    """Whether it is one that LLDB's own loader makes of what CPython 3.15 registers."""
    return (module.GetFileSpec().GetFilename() or "").startswith("JIT(")


def bias(module, target):
    """Load address minus file address, the same for all sections of a module; None when it is not loaded."""
    for section in module.section_iter():
        loaded = section.GetLoadAddress(target)
        if section.GetByteSize() and loaded != NO_ADDRESS:
            return loaded - section.GetFileAddress()
    return None


def debug_directories(debugger):
    values = lldb.SBDebugger.GetInternalVariableValue("target.debug-file-search-paths", debugger.GetInstanceName())
    entries = [values.GetStringAtIndex(i) for i in range(values.GetSize())]
    return [re.sub(r"^\s*\[\d+\]:\s*", "", entry) for entry in entries]  # LLDB shows a list as `[0]: VALUE`
