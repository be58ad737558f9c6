"""`jit-set NAME VALUE`: the settings of the core. LLDB lets nobody add to its own `settings`.

A line `jit-set stop uop` in your .lldbinit, behind the one that loads cpyjit, keeps a choice.
"""
import shlex

import cpyjit
import lldb

# What the core can choose and LLDB has no place for.
NOT_HERE = {"notes": "LLDB's own disassembly cannot be added to; jit-dis shows JIT code with notes"}

# What a command of the core does, which chooses it, too.
COMMANDS = {"symbols": "jit-symbols"}

chosen = {setting["name"]: setting["default"] for setting in cpyjit.settings()}


def values():
    """What is chosen, by name."""
    return dict(chosen)


def offered():
    return [setting for setting in cpyjit.settings() if setting["name"] not in NOT_HERE]


class JitSet:
    """Raw words, as for the core's own commands."""

    def __init__(self, _debugger, _names):
        pass

    def get_short_help(self):
        return "Choose what cpyjit shows in LLDB's own commands and at stops"

    def get_long_help(self):
        about = ["%s  (%s; now %s)\n%s" % (one["name"], "|".join(one["values"]), chosen[one["name"]], one["help"])
                 for one in offered()]
        return ("jit-set [NAME [VALUE]]\n\nWithout VALUE: shows what is chosen. A line `jit-set NAME VALUE` in your "
                ".lldbinit, behind the one that loads cpyjit, keeps it.\n\n" + "\n\n".join(about))

    def __call__(self, debugger, arguments, exe_ctx, result):
        try:
            words = shlex.split(arguments)
            if len(words) == 2 and words[0] in COMMANDS:
                debugger.GetCommandInterpreter().HandleCommand("%s %s" % (COMMANDS[words[0]], words[1]), exe_ctx, result)
                return
            if len(words) == 2:
                choose(*words)
            else:
                result.AppendMessage("\n".join(shown(words)))
            result.SetStatus(lldb.eReturnStatusSuccessFinishResult)
        except ValueError as reason:
            result.SetError(str(reason))


def choose(name, value):
    setting = known(name)
    if value not in setting["values"]:
        raise ValueError("'%s' is no value of '%s'; it can be %s" % (value, name, ", ".join(setting["values"])))
    chosen[name] = value


def shown(words):
    if len(words) > 1:
        raise ValueError("jit-set takes a name and a value")
    settings = [known(words[0])] if words else offered()
    return ["%s: %s (%s)" % (one["name"], chosen[one["name"]], one["summary"]) for one in settings]


def known(name):
    for setting in offered():
        if setting["name"] == name:
            return setting
    names = ", ".join(setting["name"] for setting in offered())
    raise ValueError(NOT_HERE.get(name) or "there is no setting '%s'; there are %s" % (name, names))
