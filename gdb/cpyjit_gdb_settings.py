"""`set jit NAME VALUE` and `show jit NAME`: the settings of the core as parameters of GDB.

A line `set jit notes all` in your gdbinit, behind the one that loads cpyjit, keeps a choice.
"""
import cpyjit
import gdb

parameters = {}
when_chosen = {}  # name -> what is called with a value that the user has set


def values():
    """What is chosen, by name."""
    return {name: parameter.value for name, parameter in parameters.items()}


class JitParameter(gdb.Parameter):
    """One setting of the core. Its texts are set on the instance because GDB reads them there."""

    def __init__(self, setting):
        self.setting = setting
        self.set_doc = "Set %s (%s)." % (setting["summary"], ", ".join(setting["values"]))
        self.show_doc = "Show %s." % setting["summary"]
        self.__doc__ = setting["help"]
        super().__init__("jit " + setting["name"], gdb.COMMAND_DATA, gdb.PARAM_ENUM, setting["values"])
        self.value = setting["default"]

    def get_set_string(self):
        gdb.invalidate_cached_frames()  # their names depend on a setting
        if self.setting["name"] in when_chosen:
            when_chosen[self.setting["name"]](self.value)
        return ""

    def get_show_string(self, value):
        return "jit %s: %s (%s)" % (self.setting["name"], value, self.setting["summary"])


class SetJit(gdb.Command):
    """Choose what cpyjit shows in GDB's own commands and at stops."""

    def __init__(self):
        super().__init__("set jit", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, _arguments, _from_tty):
        gdb.execute("help set jit")


class ShowJit(gdb.Command):
    """Show what is chosen with `set jit`."""

    def __init__(self):
        super().__init__("show jit", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, _arguments, _from_tty):
        for name in parameters:  # GDB 13 shows nothing by itself
            gdb.execute("show jit " + name)


def register():
    SetJit()
    ShowJit()
    for setting in cpyjit.settings():
        parameters[setting["name"]] = JitParameter(setting)
