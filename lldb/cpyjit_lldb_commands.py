"""The commands `jit-*`: what the user types goes to the core, what comes back is printed or carried out."""
import re

import cpyjit
import lldb
from cpyjit_lldb_actions import context, sentence
from cpyjit_lldb_breakpoints import places_of
from cpyjit_lldb_sessions import current_session
from cpyjit_lldb_settings import JitSet  # noqa: F401 (by its name)
from cpyjit_lldb_stepping import follow
from cpyjit_lldb_stops import notice_core
from cpyjit_lldb_target import Selection


class JitCommand:
    """One command of the core; `register` makes a subclass for each."""

    description = None

    def __init__(self, _debugger, _internal_dict):
        pass

    def get_short_help(self):
        return self.description["summary"]

    def get_long_help(self):
        return self.description["help"]

    def __call__(self, debugger, arguments, exe_ctx, result):
        selection = Selection.of_command(debugger, exe_ctx)
        try:
            notice_core(selection)
            session = current_session(selection, asked_by_person=True)
            places = places_of(selection.target)
            places.notice_deleted(selection)
            reply = session.run(self.description["name"], arguments, context(selection))
            show(*follow(reply, selection, lambda text: say(text, result)), result)
            places.tidy()
        except KeyboardInterrupt:
            result.SetError("interrupted")
        except BaseException as failure:  # a panic of the extension is no Exception
            result.SetError(sentence(failure))


def say(text, result):
    if text:
        result.AppendMessage(text.rstrip("\n"))


def show(reply, beginning, result):
    text = reply.text.rstrip("\n")
    if not reply.failed:
        say(beginning + text, result)
        result.SetStatus(lldb.eReturnStatusSuccessFinishResult)
    elif text.startswith("{"):
        # The JSON of an error must stay JSON, and SetError puts "error: " before what it is given.
        result.AppendMessage(text)
        result.SetStatus(lldb.eReturnStatusFailed)
    else:
        result.SetError(re.sub(r"^(\x1b\[[0-9;]*m)*error: (\x1b\[[0-9;]*m)*", "", text))  # LLDB writes its own


# ---------------------------------------------------------------- start

def register(debugger):
    help_text = "See into CPython's JIT: `jit dis` is `jit-dis`, and so on."
    debugger.HandleCommand('command container add -o -h "%s" jit' % help_text)
    for description in cpyjit.commands():
        name = description["name"]
        class_name = name.replace("-", "_")
        globals()[class_name] = type(class_name, (JitCommand,), {"description": description})
        add(debugger, name, class_name)
    add(debugger, "jit-set", "JitSet")


def add(debugger, name, class_name):
    for spelling in (name, name.replace("-", " ", 1)):
        debugger.HandleCommand("command script add -o -c %s.%s %s" % (__name__, class_name, spelling))
