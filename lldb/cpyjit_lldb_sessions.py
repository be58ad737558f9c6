"""One session of the core for each target, brought up to date before each use."""
import contextlib
import re

import cpyjit
import lldb
from cpyjit_lldb_objects import FOLDER
from cpyjit_lldb_settings import chosen
from cpyjit_lldb_target import Host, loaded_files

# Before LLDB 21 a function in several pieces is one that contains all between them: CPython's others then have its unwind
# rules, and those that they were called from have wrong registers. A version that is not told may be one of them.
VERSION = re.search(r"version (\d+)", lldb.SBDebugger.GetVersionString())
LOSES_REGISTERS = VERSION is None or int(VERSION.group(1)) < 21


class TargetSession:
    """A session of the core, and the state of the program that it last saw."""

    def __init__(self, target):
        self.target = target
        self.host = Host()
        self.core = cpyjit.Session(self.host)
        self.core.load_symbols("lldb", FOLDER, chosen["symbols"], LOSES_REGISTERS)
        self.process = self.modules = self.files = self.stop = None
        self.has_looked = False  # at this process or core
        self.own_work = False  # while modules of ours come or go
        self.stepping = False  # while a command runs the program bit by bit, its stops are nobody's business
        self.when_gone = []  # called when the process has ended or (True) another program took its place

    def bring_up_to_date(self, selection, asked_by_person):
        self.host.selection = selection
        self.notice_process(selection)
        modules = selection.target.GetNumModules()
        stop = selection.process.GetStopID(True)
        # To list the files takes long, and callbacks come often; a person may also have given a debug file.
        if asked_by_person or modules != self.modules:
            self.notice_files(selection)
        if asked_by_person or stop != self.stop:
            # `memory write` leaves the stop as it is and tells nobody: a command always looks again.
            self.core.invalidate()
        self.modules, self.stop = modules, stop

    @contextlib.contextmanager
    def at_own_work(self):
        """LLDB tells of each module, which would have everything looked up anew."""
        self.own_work = True
        try:
            yield
        finally:
            self.own_work = False

    def notice_process(self, selection):
        process = selection.process.GetUniqueID(), selection.process.is_alive
        if process != self.process:
            if self.process is not None:
                self.program_gone(replaced=False)
            self.process, self.modules = process, None

    def notice_files(self, selection):
        files = loaded_files(selection.target) if selection.has_target() else []
        if files != self.files:
            self.core.forget()
        self.files = files

    def program_gone(self, replaced):
        """It has ended, or (`replaced`) called exec, which a stop tells and nothing else."""
        self.core.forget()
        self.modules, self.has_looked = None, False
        for forget in self.when_gone:
            forget(replaced)


sessions = []  # targets cannot be hashed, and their index changes when one before them is deleted


def entry_for(target):
    """What is known of a target."""
    sessions[:] = [entry for entry in sessions if entry.target.IsValid()]
    for entry in sessions:
        if entry.target == target:
            return entry
    sessions.append(TargetSession(target))
    return sessions[-1]


def current_session(selection, asked_by_person):
    entry = entry_for(selection.target)
    entry.bring_up_to_date(selection, asked_by_person)
    return entry.core
