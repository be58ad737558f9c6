"""Steps by uop and the like: the core says where to stop next, we run there, until it has nothing more to ask."""
import lldb
from cpyjit_lldb_actions import carry_out, context
from cpyjit_lldb_breakpoints import add_place, places_of, renew, scripted_breakpoint
from cpyjit_lldb_sessions import entry_for
from cpyjit_lldb_target import Selection

STEP_TEXT = "cpyjit: where a step ends"
STEPS = ("run", "single-step")
STOP_WORDS = {lldb.eStopReasonSignal: "signal", lldb.eStopReasonException: "signal"}


def follow(reply, selection, say):
    """Carries out a reply, and those that come of its runs: the last one, and what comes in front of its text."""
    with Step(selection) as step:
        while True:
            # The user's breakpoint first: what else is set for it should have the higher number.
            actions = sorted(reply.actions, key=lambda action: action["kind"] != "set-breakpoint")
            said = [carry_out(action, step.selection) for action in actions if action["kind"] not in STEPS]
            run = next((action for action in actions if action["kind"] in STEPS), None)
            if run is None:
                return reply, "".join(filter(None, said))
            say(reply.text)
            reply = step.carry_out(run)


class Step:
    """One command of the user, from its first run to its end. Whatever ends it, its breakpoint goes away."""

    def __init__(self, selection):
        self.entry, self.selection = entry_for(selection.target), selection
        self.target, self.process = selection.target, selection.process
        self.thread = selection.thread.GetThreadID()
        self.was_async = None
        self.temporary = None
        self.before = {}  # address -> hits before this run

    def __enter__(self):
        return self

    def begin(self):
        """Only with the first run. Otherwise Continue() would return before the program stops."""
        if self.was_async is None:
            self.was_async = self.selection.debugger.GetAsync()
            self.selection.debugger.SetAsync(False)
            self.entry.stepping = True

    def __exit__(self, *_failure):
        if self.temporary is not None and self.temporary.IsValid():
            self.target.BreakpointDelete(self.temporary.GetID())
        if self.was_async is not None:
            self.entry.stepping = False
            self.selection.debugger.SetAsync(self.was_async)

    def carry_out(self, action):
        """Runs, and tells the core of what came of it."""
        self.begin()
        self.thread = action["thread"] or self.thread
        if action["kind"] == "single-step":
            self.before = {}
            self.process.GetThreadByID(self.thread).StepInstruction(False)
            event = self.event()
        else:
            event = self.run(action["places"])
        self.entry.bring_up_to_date(self.selection, asked_by_person=False)
        return self.entry.core.resume(event, context(self.selection))

    def run(self, places):
        self.put_places(places)
        try:
            self.process.Continue()
            return self.event()  # LLDB 19 forgets which breakpoint it was when that is disabled
        finally:
            self.take_places()

    def put_places(self, places):
        if self.temporary is None:
            self.temporary = scripted_breakpoint(self.target, STEP_TEXT)
            self.temporary.SetThreadID(self.thread)
        self.before = {}
        for place in places:
            location = add_place(self.target, self.temporary, place["address"])
            if not (location.IsEnabled() and location.IsResolved()):
                renew(location)
            location.SetIgnoreCount(place["ignore"])
            self.before[place["address"]] = location.GetHitCount()

    def take_places(self):
        for location in self.locations():
            location.SetEnabled(False)

    def locations(self):
        found = (self.temporary.FindLocationByAddress(address) for address in self.before)
        return [location for location in found if location.IsValid()]

    def selected_now(self):
        thread = self.process.GetThreadByID(self.thread)
        if not thread.IsValid():
            thread = self.process.GetSelectedThread()
        frame = thread.GetFrameAtIndex(0)
        return Selection(self.selection.debugger, self.target, self.process, thread, frame)

    # ------------------------------------------------------------ why it has stopped

    def event(self):
        self.selection = self.selected_now()
        reason, text = self.reason()
        hits = {location.GetLoadAddress(): location.GetHitCount() - self.before[location.GetLoadAddress()]
                for location in self.locations()} if self.temporary is not None else {}
        frame = self.selection.frame
        return {"reason": reason, "text": text, "hits": hits, "address": frame.GetPC() if frame.IsValid() else None}

    def reason(self):
        state = self.process.GetState()
        if state != lldb.eStateStopped:
            return "exited", ending(self.process, state)
        return self.reason_of(self.stopping_thread())

    def stopping_thread(self):
        """Ours if it has a reason to stop, else whoever has."""
        own = self.process.GetThreadByID(self.thread)
        threads = [own, *self.process.threads] if own.IsValid() else list(self.process.threads)
        for thread in threads:
            if thread.GetStopReason() not in (lldb.eStopReasonInvalid, lldb.eStopReasonNone):
                return thread
        return threads[0]

    def reason_of(self, thread):
        reason, text = thread.GetStopReason(), thread.GetStopDescription(1000) or ""
        if reason == lldb.eStopReasonBreakpoint:
            numbers = {thread.GetStopReasonDataAtIndex(at) for at in range(0, thread.GetStopReasonDataCount(), 2)}
            ours = (self.temporary, places_of(self.target).hooks_breakpoint)
            users = sorted(numbers - {breakpoint.GetID() for breakpoint in ours if breakpoint is not None})
            if users:
                return "breakpoint", "stopped by breakpoint %s" % ", ".join(map(str, users))
            if thread.GetFrameAtIndex(0).GetPC() not in self.before:
                return "breakpoint", "stopped by a breakpoint"  # which is gone: it was for one stop
            return "place", ""
        if reason == lldb.eStopReasonTrace or reason == lldb.eStopReasonPlanComplete:
            return "place", text
        if reason == lldb.eStopReasonSignal and interrupted(thread):
            return "interrupt", text
        return STOP_WORDS.get(reason, "other"), text


def interrupted(thread):
    """LLDB stops a program with SIGSTOP, or SIGINT, when the user presses Ctrl-C."""
    signals = thread.GetProcess().GetUnixSignals()
    names = {signals.GetSignalAsCString(thread.GetStopReasonDataAtIndex(0))}
    return bool(names & {"SIGSTOP", "SIGINT"})


def ending(process, state):
    if state == lldb.eStateExited:
        return "the process has exited with code %d" % process.GetExitStatus()
    return "the process is %s" % lldb.SBDebugger.StateAsCString(state)
