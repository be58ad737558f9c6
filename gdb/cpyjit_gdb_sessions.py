"""One session of the core for each inferior, and the events after which it must forget what it has read."""
import contextlib

import cpyjit
import gdb
from cpyjit_gdb_objects import FOLDER
from cpyjit_gdb_settings import parameters
from cpyjit_gdb_target import Host, own_work


class InferiorSession:
    """A session of the core and what must be told to it before its next use. Events only leave a mark here: they may
    arrive while the session is at work (it reads memory through GDB), when it could not take a call."""

    def __init__(self):
        self.host = Host()
        self.core = cpyjit.Session(self.host)
        self.core.load_symbols("gdb", FOLDER, parameters["symbols"].value if parameters else "off")
        self.identity = None
        self.memory_changed = False
        self.memory_written = False
        self.files_changed = False
        self.running = False
        self.stop_noticed = False
        self.at_work = False
        self.generation = 0
        self.kept = {}

    def bring_up_to_date(self):
        if self.running and has_stopped():
            self.notice_stop()
        identity = process_identity()
        if self.files_changed or identity != self.identity:
            self.core.forget()
        elif self.memory_changed or self.memory_written or self.running:
            self.core.invalidate(self.memory_written)
        else:
            return
        self.generation += 1
        self.kept.clear()
        self.identity = identity
        self.files_changed = self.memory_changed = self.memory_written = False

    def notice_stop(self):
        """Once a stop: GDB displays what the user asked for before it raises the event."""
        self.memory_changed |= not self.stop_noticed
        self.running, self.stop_noticed = False, True


def has_stopped():
    thread = gdb.selected_thread()
    return thread is not None and not thread.is_running()


def process_identity():
    """Changes when another process or core takes this inferior's place: loading a core raises no event in GDB 13."""
    inferior = gdb.selected_inferior()
    connection = inferior.connection
    return inferior.pid, connection and connection.num, gdb.current_progspace().filename


sessions = {}


def kept_in(known):
    """The selected inferior's entry there. It stays with the process that GDB follows through a fork."""
    space = gdb.selected_inferior().progspace
    if space not in known:
        known[space] = InferiorSession()
    return known[space]


def selected_session():
    """What stands for the selected inferior, up to date; None while it is at work and cannot be."""
    entry = kept_in(sessions)
    if entry.at_work:
        return None
    entry.bring_up_to_date()
    return entry


def kept_at_stop():
    """A dictionary in which the parts of us keep what they know of the selected inferior: it is emptied when that may
    have changed. None while its session is at work."""
    entry = selected_session()
    return None if entry is None else entry.kept


def generation():
    """Another number whenever the selected inferior may have changed."""
    entry = selected_session()
    return None if entry is None else (id(entry), entry.generation)


@contextlib.contextmanager
def current_session():
    """The selected inferior's session, for one call. `jit-dis $_jit_executor("f")` needs a second one while the first
    is at work."""
    entry = selected_session()
    if entry is None:
        entry = InferiorSession()
        entry.bring_up_to_date()
    entry.at_work = True
    try:
        yield entry.core
    finally:
        entry.at_work = False


# For unwinding while the session itself is at work: kept, since opening one takes a while.
spare_sessions = {}


@contextlib.contextmanager
def unwinding_session():
    """A session that is free, for one frame. GDB is in the middle of finding that frame, so nothing is evaluated."""
    entry = kept_in(sessions)
    if entry.at_work:
        entry = kept_in(spare_sessions)
    if entry.at_work:
        raise gdb.GdbError("a frame is asked for while one is being found")
    entry.at_work, entry.host.may_evaluate = True, False
    try:
        entry.bring_up_to_date()
        yield entry.core
    finally:
        entry.at_work, entry.host.may_evaluate = False, True


def every_session():
    return [*sessions.values(), *spare_sessions.values()]


def mark_all(**marks):
    """Which inferior an event belongs to is not always told, and a mark too many costs only time."""
    for entry in every_session():
        for name, mark in marks.items():
            setattr(entry, name, mark)


def on_continue(_event):
    # Breakpoint conditions run our functions while the program goes on between this event and the next stop.
    mark_all(memory_changed=True, running=True, stop_noticed=False)


def on_stop(_event):
    for entry in every_session():
        entry.notice_stop()


def on_memory_changed(_event):
    mark_all(memory_written=True)


def on_inferior_call(_event):
    mark_all(memory_changed=True)


def on_exited(_event):
    mark_all(files_changed=True, running=False)


def on_files_changed(event):
    """The JIT of 3.15 registers each executor as an in-memory object file: that is no other program."""
    if own_work:
        return
    objfile = getattr(event, "new_objfile", None) or getattr(event, "objfile", None)
    in_memory = objfile is not None and (objfile.filename or "").startswith("<in-memory")
    mark_all(**{"memory_changed" if in_memory else "files_changed": True})


HANDLERS = {
    "cont": on_continue,
    "stop": on_stop,
    "memory_changed": on_memory_changed,
    "inferior_call": on_inferior_call,
    "exited": on_exited,
    "new_objfile": on_files_changed,
    "free_objfile": on_files_changed,
    "clear_objfiles": on_files_changed,
    "executable_changed": on_files_changed,
    "corefile_changed": on_files_changed,
}


def connect_events():
    for name, handler in HANDLERS.items():
        registry = getattr(gdb.events, name, None)  # older GDBs lack some
        if registry is not None:
            registry.connect(handler)
