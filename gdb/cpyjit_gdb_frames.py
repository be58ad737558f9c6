"""Frames of JIT code by name in backtraces: `f [uop 12 _GUARD_TOS_INT] at loop.py:8`.

`set jit frames off` and `bt -no-filters` show them as GDB does without us.
"""
import os

import gdb
from cpyjit_gdb_commands import context, printable
from cpyjit_gdb_sessions import current_session, kept_at_stop
from cpyjit_gdb_symbols import has_symbols
from cpyjit_gdb_target import ADDRESS_MASK
from gdb.FrameDecorator import FrameDecorator

NO_ANSWER = {}


class JitFrame(FrameDecorator):
    """A frame with the name and place that the core gives it."""

    def __init__(self, base, found):
        super().__init__(base)
        self.found = found

    def function(self):
        return printable(self.found["name"])

    def filename(self):
        filename = self.found["filename"]
        return printable(filename) if filename else super().filename()

    def line(self):
        return self.found["line"] or super().line()


class UopFrame(FrameDecorator):
    """The innermost frame of JIT code that GDB has symbols of: also with its uop, `leaf [uop 52 _LOAD_FAST, loop.py:8]`.
    File and line stay GDB's own, since editors show them: in most views they are those of a listing."""

    def __init__(self, base, found):
        super().__init__(base)
        self.found = found

    def function(self):
        name, inside = super().function(), self.found["inside"]
        if not isinstance(name, str) or inside.split(" ")[-1] in name:
            return name  # uops are frames
        filename, line = self.found["filename"], self.found["line"]
        if filename and line and filename != super().filename():
            inside += ", %s:%d" % (os.path.basename(filename), line)
        return "%s [%s]" % (name, printable(inside))


class NamelessFrame(FrameDecorator):
    """A frame of which nothing is known. GDB's own decorator leaves its name empty."""

    def function(self):
        return "??"


class JitFrames:
    """The frame filter. What it cannot name it leaves as it is."""

    def __init__(self):
        self.name = "cpyjit"
        self.wanted = True
        self.priority = 100

    @property
    def enabled(self):
        """With any filter GDB writes all frames a little differently: none where there can be no JIT code."""
        return self.wanted and gdb.parameter("jit frames") == "on" and is_python()

    @enabled.setter
    def enabled(self, wanted):  # `disable frame-filter global cpyjit`
        self.wanted = wanted

    def filter(self, frames):
        return map(decorated, frames)


def is_python():
    """Whether the target is a CPython with a JIT."""
    try:
        return frame_at(0) is not NO_ANSWER
    except Exception:
        return False


def decorated(frame):
    try:
        address = code_address(frame.inferior_frame())
        is_known = has_symbols(address)
        if is_known and is_inlined_into(frame.inferior_frame()):
            return frame  # GDB names it
        found = frame_at(address)
        if is_known:
            return UopFrame(frame, found) if found else frame
    except Exception:  # an old name is better than no backtrace; Ctrl-C still ends it
        return frame
    if found:
        return JitFrame(frame, found)
    return frame if frame.function() else NamelessFrame(frame)


def is_inlined_into(frame):
    """Whether the next inner frame runs the same code, of a function that is inlined into that of this one."""
    newer = frame.newer()
    return newer is not None and newer.type() == gdb.INLINE_FRAME


def code_address(frame):
    """Where the frame is at work: a return address may already belong to the next uop."""
    newer = frame.newer()
    called = newer is not None and newer.type() != gdb.SIGTRAMP_FRAME
    return (frame.pc() - called) & ADDRESS_MASK


def frame_at(address):
    """What the core says of a frame there; None outside of JIT code; NO_ANSWER if it cannot look."""
    kept = kept_at_stop()
    if kept is None or not gdb.selected_inferior().pid:
        return NO_ANSWER
    frames = kept.setdefault("frames", {})
    if address not in frames:
        frames[address] = NO_ANSWER  # that too is asked for only once
        if gdb.solib_name(address):
            frames[address] = None
        else:
            with current_session() as session:
                frames[address] = session.frame(address, context())
    return frames[address]


def register():
    gdb.frame_filters["cpyjit"] = JitFrames()
