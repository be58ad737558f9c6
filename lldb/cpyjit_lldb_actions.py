"""What is told to the core with each call, and what it asks to be done."""
import os

import cpyjit
from cpyjit_lldb_settings import values
from cpyjit_lldb_target import is_in_file

carriers = {}  # kind of an action -> what carries it out: called with the action and what is selected


def carries_out(kind):
    """Says that a function carries out the actions of this kind."""
    def remember(function):
        carriers[kind] = function
        return function
    return remember


def carry_out(action, selection):
    """What there is to say of it, or None."""
    carrier = carriers.get(action["kind"])
    if carrier is None:
        return ("cpyjit: this front-end does not know the action '%s'; it is older than the extension\n"
                % action["kind"])
    return carrier(action, selection)


class ActionFailed(Exception):
    """An action could not be carried out; the text is for people."""


def context(selection):
    """What the core cannot know: where it prints to and what the user has selected."""
    process = selection.process_state()
    stopped = process in ("stopped", "core")
    terminal = os.isatty(1)
    return {
        "width": selection.debugger.GetTerminalWidth() if terminal else 0,
        "color": terminal and selection.debugger.GetUseColor(),
        "pc": selection.frame.GetPC() if stopped and selection.frame.IsValid() else None,
        "in_file": stopped and is_in_file(selection.frame),
        "thread": selection.thread.GetThreadID() if stopped and selection.thread.IsValid() else None,
        "process": process,
        "settings": values(),
    }


@carries_out("write-file")
def write_file(action, _selection):
    path = action["path"]
    try:
        with open(os.path.expanduser(path), "w", encoding="utf-8", newline="") as out:
            out.write(action["content"])
    except OSError as reason:
        raise ActionFailed("cannot write %s: %s" % (path, reason.strerror or reason)) from None


def sentence(failure):
    """No traceback reaches the user. What the core says on purpose is a ValueError."""
    if isinstance(failure, (ValueError, ActionFailed)):
        return str(failure)
    return ("cpyjit %s failed inside (%s: %s); please report this with the command that you gave"
            % (cpyjit.__version__, type(failure).__name__, failure))
