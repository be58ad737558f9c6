"""What happens by itself: a hook at each stop, and what frames of JIT code are called."""
import os

import lldb
from cpyjit_lldb_actions import context, sentence
from cpyjit_lldb_breakpoints import places_of
from cpyjit_lldb_lines import lines_of
from cpyjit_lldb_sessions import entry_for
from cpyjit_lldb_settings import values
from cpyjit_lldb_symbols import has_symbols
from cpyjit_lldb_target import Selection, bias, is_loaders

HOOK = "target stop-hook add -P %s.StopHook" % __name__
FRAME_NAME = "${script.frame:%s.frame_name}" % __name__
LINE_END = '\\n"'  # how LLDB writes the end of a format


class StopHook:
    """Runs before LLDB says where the program has stopped. Its steps are silent while a command of ours runs it."""

    def __init__(self, target, _arguments, _names):
        entry_for(target).has_hook = True

    def handle_stop(self, exe_ctx, stream):
        target = exe_ctx.GetTarget()
        if not entry_for(target).stepping:
            process, thread = exe_ctx.GetProcess(), exe_ctx.GetThread().GetThreadID()
            for part in (renew_frames, notice, stop_text):
                try:
                    # Anew: frames are worth nothing any more when a module has come or gone.
                    stream.Print(part(Selection.of_thread(process.GetThreadByID(thread))) or "")
                except BaseException as failure:  # LLDB would print a traceback
                    stream.Print("cpyjit: %s\n" % sentence(failure))
        return True


def renew_frames(selection):
    """LLDB 22 as an editor's adapter sometimes still has the frames of our last hook, whose pc is not the register's. It looks
    anew when a module is moved, if only to where it is; the vDSO has no breakpoints that would move, too."""
    frame, target = selection.thread.GetFrameAtIndex(0), selection.target
    if frame.GetPC() == frame.FindRegister("pc").GetValueAsUnsigned(frame.GetPC()):
        return
    for module in [module for module in target.module_iter() if module.GetFileSpec().GetFilename() == "[vdso]"]:
        offset = bias(module, target)
        if offset is not None:
            with entry_for(target).at_own_work():
                target.ClearModuleLoadAddress(module)
                target.SetModuleLoadAddress(module, offset)


def notice(selection):
    """What no event tells."""
    entry = entry_for(selection.target)
    if selection.thread.GetStopReason() == lldb.eStopReasonExec:
        entry.program_gone(replaced=True)
    entry.bring_up_to_date(selection, asked_by_person=False)
    entry.has_looked = True
    places = places_of(selection.target)
    places.notice_deleted(selection)
    text = places.notice_disabled()
    places.follow_awaited()
    places.refresh(selection)
    places.tidy()
    return (text or "") + lines_of(entry).look()


def notice_core(selection):
    """LLDB 19 runs no stop hook when a core is loaded."""
    if selection.process_state() == "core" and not entry_for(selection.target).has_looked:
        notice(selection)


def stop_text(selection):
    if values()["stop"] != "none":
        return entry_for(selection.target).core.stop_text(context(selection))
    return None


def frame_name(frame, _names):
    """Text behind a frame, with its blank. LLDB calls it for each frame that it prints."""
    try:
        return name_of(frame)
    except BaseException:  # it would stand in the middle of a backtrace
        return ""


def name_of(frame):
    if values()["frames"] == "off":
        return ""
    selection = Selection.of_frame(frame)
    entry = entry_for(selection.target)
    notice_core(selection)
    module = frame.GetModule()
    is_known = has_symbols(selection.target, module)
    if is_inlined_into(frame) if is_known else module.IsValid() and not is_loaders(module):
        return ""
    entry.bring_up_to_date(selection, asked_by_person=False)
    # The return address may be the first byte of the next uop.
    found = entry.core.frame(frame.GetPC() - (frame.GetFrameID() > 0), context(selection))
    if not found:
        return ""
    return " " + described(found) if not is_known else uop_text(frame, found)


def is_inlined_into(frame):
    """Whether the next inner frame runs the same code, of a function that is inlined into that of this one."""
    return frame.GetFrameID() > 0 and frame.GetThread().GetFrameAtIndex(frame.GetFrameID() - 1).IsInlined()


def uop_text(frame, found):
    """The uop of a frame that LLDB itself names, and its line of Python where LLDB shows that of a listing."""
    inside, filename = found["inside"], os.path.basename(found["filename"] or "")
    if inside.split(" ")[-1] in (frame.GetFunctionName() or ""):
        return ""  # uops are frames
    if filename and found["line"] and filename != frame.GetLineEntry().GetFileSpec().GetFilename():
        inside += ", %s:%d" % (filename, found["line"])
    return " [%s]" % inside


def described(found):
    if not found["filename"] or not found["line"]:
        return found["name"]
    return "%s at %s:%d" % (found["name"], found["filename"].rpartition("/")[2], found["line"])


# ---------------------------------------------------------------- start

def register(debugger):
    name_frames(debugger)
    targets = [debugger.GetTargetAtIndex(index) for index in range(debugger.GetNumTargets())]
    for target in targets or [debugger.GetDummyTarget()]:
        add_hook(debugger, target)


def add_hook(debugger, target):
    """Targets that are made later get the hooks of the dummy target."""
    if not getattr(entry_for(target), "has_hook", False):
        debugger.GetCommandInterpreter().HandleCommand(HOOK, lldb.SBExecutionContext(target),
                                                       lldb.SBCommandReturnObject())


def name_frames(debugger):
    known = lldb.SBDebugger.GetInternalVariableValue("frame-format", debugger.GetInstanceName()).GetStringAtIndex(0)
    if FRAME_NAME not in known and known.endswith(LINE_END):
        longer = known[:-len(LINE_END)] + FRAME_NAME + LINE_END
        debugger.GetCommandInterpreter().HandleCommand("settings set frame-format " + longer,
                                                       lldb.SBCommandReturnObject())
