"""What scripts and callbacks of breakpoints may ask: `cpyjit_lldb.uop()`, `cpyjit_lldb.executor("f")` and so on."""
import lldb
from cpyjit_lldb_actions import context, sentence
from cpyjit_lldb_sessions import current_session
from cpyjit_lldb_target import Selection


def executor(spec="", frame=None):
    """The address of the executor that `spec` names, e.g. executor("f") or executor("#3"); None if there is none."""
    return ask(frame, lambda session, about: session.executor(spec, about), None)


def uop(address=None, frame=None):
    """The name of the uop at an address (nothing: the pc); empty outside JIT code."""
    found = uop_at(address, frame)
    return found["name"] if found else ""


def uop_index(address=None, frame=None):
    """The index of that uop in its trace; -1 outside JIT code."""
    found = uop_at(address, frame)
    return found["index"] if found else -1


def tos(number=0, frame=None):
    """The address of the object that item `number` of the evaluation stack refers to, counted from the top."""
    return ask(frame, lambda session, about: session.stack_item(number, about), None)


def local(name, frame=None):
    """The address of the object in a local variable of the running Python function; 0 if it is not set."""
    return ask(frame, lambda session, about: session.local_variable(name, about), None)


def uop_at(address, frame):
    def question(session, about):
        place = about["pc"] if address is None else address
        return None if place is None else session.uop_at(place, about)
    return ask(frame, question, None)


def ask(frame, question, otherwise):
    """Callbacks of breakpoints have a frame and must give it: `lldb.debugger` is only set for `script`."""
    try:
        selection = Selection.of_frame(frame) if frame else Selection.of_debugger(lldb.debugger)
        return question(current_session(selection, asked_by_person=False), context(selection))
    except KeyboardInterrupt:
        raise
    except BaseException as failure:  # LLDB would print a traceback
        print("cpyjit: " + sentence(failure))
        return otherwise
