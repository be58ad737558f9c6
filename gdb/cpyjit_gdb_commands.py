"""The commands `jit-*` and the functions `$_jit_*`: what the user types goes to the core, what comes back is printed or
carried out."""
import contextlib
import os

import cpyjit
import cpyjit_gdb_settings as settings
import gdb
from cpyjit_gdb_sessions import connect_events, current_session
from cpyjit_gdb_target import ADDRESS_MASK, is_core


class JitCommand(gdb.Command):
    """One command of the core. Its help is the core's, set on the instance because GDB reads it there."""

    def __init__(self, name, spelling, description):
        self.name = name
        self.__doc__ = description["help"]
        super().__init__(spelling, gdb.COMMAND_DATA)

    def invoke(self, arguments, _from_tty):
        with sentences_only():
            with current_session() as session:
                reply = session.run(self.name, arguments, context())
            act(reply)

    def complete(self, text, word):
        if word is None:  # GDB asks first where the word begins
            return gdb.COMPLETE_NONE
        try:
            with current_session() as session:
                candidates = session.complete(self.name, text, context())
        except BaseException:  # a message in the middle of the user's typing would help nobody
            return []
        # The word begins after the last `-`, `*` or `$`; the core completes the whole item before the cursor.
        typed_before_word = len(text.split(" ")[-1]) - len(word)
        return [candidate[typed_before_word:] for candidate in candidates]


class JitPrefix(gdb.Command):
    """See into CPython's JIT: `jit dis` is `jit-dis`, and so on."""

    def __init__(self):
        super().__init__("jit", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, _arguments, _from_tty):
        gdb.execute("help jit")


def context():
    """What the core cannot know: where it prints to and what the user has selected."""
    process = process_state()
    stopped = process in ("stopped", "core")
    thread = gdb.selected_thread()
    pc = program_counter() if stopped else None
    return {
        "width": gdb.parameter("width") or 0,
        "color": bool(gdb.parameter("style enabled")) and os.isatty(1),
        "ascii": printable("│") != "│",
        "pc": pc,
        "in_file": pc is not None and gdb.solib_name(pc) is not None,
        "thread": thread.ptid[1] or thread.ptid[0] if thread else None,
        "process": process,
        "settings": settings.values(),
    }


def process_state():
    inferior = gdb.selected_inferior()
    if not inferior.pid:
        return "none"
    if is_core(inferior):
        return "core"
    thread = gdb.selected_thread()
    return "running" if thread is None or thread.is_running() else "stopped"


def program_counter():
    """Not through gdb.newest_frame(): unwinding makes GDB read debug information for up to half a second."""
    try:
        return int(gdb.parse_and_eval("$pc")) & ADDRESS_MASK
    except gdb.error:
        return None


def act(reply):
    """Carry out a reply. A failed one becomes GDB's error, so that scripts stop there."""
    for action in reply.actions:
        carry_out(action)
    if reply.failed:
        raise gdb.GdbError(printable(reply.text.rstrip("\n")))
    gdb.write(printable(reply.text))


def printable(text):
    """In a C locale GDB cannot print names and source that are not ASCII: it gets their escapes."""
    charset = gdb.host_charset() if hasattr(gdb, "host_charset") else gdb.parameter("host-charset")
    if charset.lower() in ("utf-8", "utf8"):  # can print all; listings may have many megabytes
        return text
    try:
        return text.encode(charset, "backslashreplace").decode(charset)
    except LookupError:  # "auto; currently UTF-8" is GDB 12's answer, and then it can print all
        return text


def carry_out(action):
    act_on = ACTIONS.get(action["kind"])
    if act_on is not None:
        act_on(action)
    else:
        gdb.write("cpyjit: this front-end does not know the action '%s'; it is older than the extension\n"
                  % action["kind"], gdb.STDERR)


def write_file(action):
    path = action["path"]
    try:
        with open(os.path.expanduser(path), "w", encoding="utf-8", newline="") as out:
            out.write(action["content"])
    except OSError as reason:
        raise gdb.GdbError("cannot write %s: %s" % (path, reason.strerror or reason)) from None


ACTIONS = {"write-file": write_file}  # by kind; other parts add theirs when they are registered


@contextlib.contextmanager
def sentences_only():
    """No traceback reaches the user. A panic of the extension is a BaseException; at Ctrl-C GDB ends the command."""
    try:
        yield
    except (gdb.GdbError, KeyboardInterrupt):
        raise
    except ValueError as sentence:
        raise gdb.GdbError(str(sentence)) from None
    except BaseException as failure:
        raise gdb.GdbError("cpyjit %s failed inside (%s: %s); please report this with the command that you gave"
                           % (cpyjit.__version__, type(failure).__name__, failure)) from None


# ---------------------------------------------------------------- convenience functions

class JitExecutor(gdb.Function):
    """$_jit_executor(SPEC): the executor that SPEC names, e.g. $_jit_executor("f") or $_jit_executor("#3")."""

    def __init__(self):
        super().__init__("_jit_executor")

    def invoke(self, spec):
        with sentences_only():
            with current_session() as session:
                address = session.executor(spec.string(), context())
            return gdb.Value(address).cast(executor_pointer_type())


class JitUop(gdb.Function):
    """$_jit_uop(ADDRESS): the name of the uop at ADDRESS, e.g. $_jit_uop($pc); empty outside JIT code."""

    def __init__(self):
        super().__init__("_jit_uop")

    def invoke(self, address):
        uop = uop_at(address)
        return text_value(uop["name"] if uop else "")


class JitUopIndex(gdb.Function):
    """$_jit_uop_index(ADDRESS): the index of the uop at ADDRESS in its trace; -1 outside JIT code."""

    def __init__(self):
        super().__init__("_jit_uop_index")

    def invoke(self, address):
        uop = uop_at(address)
        return uop["index"] if uop else -1


class JitTos(gdb.Function):
    """$_jit_tos(N): the object that item N of the evaluation stack refers to, counted from the top (0)."""

    def __init__(self):
        super().__init__("_jit_tos")

    def invoke(self, number):
        with sentences_only():
            with current_session() as session:
                return object_value(session.stack_item(int(number), context()))


class JitLocal(gdb.Function):
    """$_jit_local(NAME): the object in a local variable of the running Python function; 0 if it is not set."""

    def __init__(self):
        super().__init__("_jit_local")

    def invoke(self, name):
        with sentences_only():
            with current_session() as session:
                return object_value(session.local_variable(name.string(), context()))


def uop_at(address):
    with sentences_only():
        with current_session() as session:
            return session.uop_at(int(address) & ADDRESS_MASK, context())


def text_value(text):
    """A C string. GDB 13 makes a null value of Python's empty string, which `$_streq` cannot compare."""
    content = text.encode() + b"\0"
    return gdb.Value(content, gdb.lookup_type("char").array(len(content) - 1))


def executor_pointer_type():
    return pointer_type("_PyExecutorObject")


def object_value(address):
    return gdb.Value(address).cast(pointer_type("PyObject"))


def pointer_type(name):
    """A pointer that can be followed when the debug information is there, else just a number."""
    try:
        return gdb.lookup_type(name).pointer()
    except gdb.error:
        return gdb.lookup_type("unsigned long")


# ---------------------------------------------------------------- start

def register():
    """Makes all commands and functions known to GDB."""
    JitPrefix()
    for description in cpyjit.commands():
        name = description["name"]
        JitCommand(name, name, description)
        JitCommand(name, name.replace("-", " ", 1), description)
    JitExecutor()
    JitUop()
    JitUopIndex()
    JitTos()
    JitLocal()
    connect_events()
