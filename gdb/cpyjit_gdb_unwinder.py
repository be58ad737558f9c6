"""The callers of JIT code: `bt` goes through it on 3.14, which tells GDB nothing of its code, and gives the older frames
their right registers on 3.15, whose registered unwind tables leave them out.

GDB asks an unwinder for every frame, at each step, also while a command of ours reads memory or evaluates something: so
this reads memory only, asks for no other frame, and leaves a frame that it cannot tell to GDB's own unwinders.
"""
import cpyjit_gdb_sessions as sessions
import gdb
from cpyjit_gdb_target import ADDRESS_MASK
from gdb.unwinder import Unwinder, register_unwinder

# The program counter first, then what frames are found with and what a function gives back as it got it.
REGISTERS = {
    "i386:x86-64": ("rip", "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15"),
    "aarch64": ("pc", "sp", "x30", "x29", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28"),
}
NO_SELECTION = {"process": "stopped"}


class FrameId:
    """What makes a frame the same one at the next stop."""

    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class JitUnwinder(Unwinder):
    """Knows frames in machine code of CPython's JIT."""

    def __init__(self):
        super().__init__("cpyjit")
        self.missed = False  # a frame could not be told because nothing may be evaluated meanwhile

    def __call__(self, pending_frame):
        try:
            return self.unwind(pending_frame)
        except KeyboardInterrupt:
            raise
        except BaseException:  # GDB would end the backtrace, or the user's command
            self.missed = True
            return None

    def unwind(self, frame):
        names = REGISTERS.get(frame.architecture().name())
        pc = names and value_of(frame, names[0])
        if pc is None or gdb.solib_name(pc) is not None:
            return None
        with sessions.unwinding_session() as session:
            region = session.jit_region(pc, NO_SELECTION)
            if region is None:
                return None
            values = {name: value_of(frame, name) for name in names}
            known = {name: value for name, value in values.items() if value is not None}
            caller = session.jit_caller(known, NO_SELECTION)
        return caller and unwind_info(frame, region[0], *caller)


def unwind_info(frame, start, cfa, registers):
    """All code of one executor is one function to GDB: a step from uop to uop stays in the frame."""
    word = frame.architecture().integer_type(64, False)
    info = frame.create_unwind_info(FrameId(gdb.Value(cfa).cast(word), gdb.Value(start).cast(word)))
    for name, value in registers.items():
        info.add_saved_register(name, gdb.Value(value).cast(word))
    return info


def value_of(frame, name):
    """None where GDB does not know it in this frame."""
    try:
        return int(frame.read_register(name)) & ADDRESS_MASK
    except (gdb.error, ValueError):
        return None


unwinder = JitUnwinder()


def open_session(*_event):
    """Where the program lies may take an expression to find out, which must wait for a moment when GDB is at no frame."""
    if not unwinder.missed:
        return
    unwinder.missed = False
    try:
        with sessions.current_session() as session:
            session.jit_region(0, NO_SELECTION)
    except BaseException:  # no Python, or nothing that can be read: the commands say so
        return
    gdb.invalidate_cached_frames()


def register():
    register_unwinder(None, unwinder, replace=True)
    gdb.events.stop.connect(open_session)
    gdb.events.before_prompt.connect(open_session)
    gdb.invalidate_cached_frames()
