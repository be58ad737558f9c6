"""Breakpoints at uops: for each that the user asks for one scripted breakpoint of LLDB, whose places come and go with the
executors, and one more of ours at the places in CPython where the core has to look."""
import json
import re

import lldb
from cpyjit_lldb_actions import ActionFailed, carries_out, carry_out, context, sentence
from cpyjit_lldb_sessions import entry_for
from cpyjit_lldb_settings import chosen
from cpyjit_lldb_target import Selection

HOOKS_TEXT = "cpyjit: where CPython makes and frees JIT code (never stops by itself)"

# What can only be found in JIT code: a line of Python or of a listing, or a uop.
IN_JIT_CODE = re.compile(r"file = '[^']*\.(py|uops)'|'_[A-Z][A-Z0-9_]+(_r\d+)?'")

HOOKS_ENABLED = ("breakpoint %d, which follows JIT code, was disabled and is enabled again; it goes by itself when no "
                 "breakpoint at uops and no symbols of JIT code need it\n")


class Resolver:
    """What LLDB asks about a scripted breakpoint. Its places do not come from a search: we add them."""

    def __init__(self, breakpoint, arguments, *_more):
        self.text = arguments.GetValueForKey("text").GetStringValue(1000)

    def __callback__(self, _symbol_context):
        """Called at its creation, and for each module that is loaded later."""

    def __get_depth__(self):
        return lldb.eSearchDepthModule

    def get_short_help(self):
        return self.text


class HookResolver(Resolver):
    """The hooks' own is also how we learn that a process has begun or has loaded CPython's library."""

    def __init__(self, breakpoint, arguments, *_more):
        super().__init__(breakpoint, arguments)
        self.breakpoint = breakpoint

    def __callback__(self, _symbol_context):
        quietly(self.module_loaded)

    def module_loaded(self):
        target = self.breakpoint.GetTarget()
        places, thread = places_of(target), target.GetProcess().GetThreadAtIndex(0)
        # At its creation LLDB tells of what is loaded already, which who makes it has seen; and of our own modules.
        if places.hooks_breakpoint is not None and thread.IsValid() and not places.entry.own_work:
            places.refresh(Selection.of_thread(thread))


def scripted_breakpoint(target, text, resolver=Resolver):
    """A breakpoint without places that reads `text` in `breakpoint list`."""
    arguments = lldb.SBStructuredData()
    arguments.SetFromJSON(json.dumps({"text": text}))
    none = lldb.SBFileSpecList()
    made = target.BreakpointCreateFromScript("%s.%s" % (__name__, resolver.__name__), arguments, none, none)
    if not made.IsValid():
        raise ActionFailed("LLDB could not make the breakpoint '%s'" % text)
    return made


def add_place(target, breakpoint, address):
    """Makes sure that there is a trap at `address`. LLDB hands out the same location for the same address again, and
    one from an earlier process, or whose memory was unmapped meanwhile, has lost its trap."""
    place = lldb.SBAddress(address, target)
    if not place.GetSection().IsValid() and not target.GetProcess().is_alive:
        place = target.ResolveFileAddress(address)  # so that it moves with its file when that is loaded
    error = breakpoint.AddLocation(place)
    location = breakpoint.FindLocationByAddress(address)
    # One that is not in memory yet is found by its place in the file.
    for location in [location] if location.IsValid() else breakpoint:
        if location.GetLoadAddress() == address or location.GetAddress() == place:
            return location
    raise ActionFailed("LLDB could not put a breakpoint at %#x: %s" % (address, error.GetCString() or "no reason"))


def renew(location):
    location.SetEnabled(False)
    location.SetEnabled(True)


class Places:
    """All that we have put into one target."""

    def __init__(self, entry):
        self.entry, self.target, self.core = entry, entry.target, entry.core
        self.breakpoints = {}  # the core's number -> LLDB's breakpoint
        self.regions = {}  # first address of a region -> {(number, address)}
        self.left = set()  # (number, address) of locations that we, and not the user, have disabled
        self.hooks = {}  # address -> all that the core asked for there
        self.hooks_breakpoint = None
        self.catches = {}  # LLDB's number -> (the core's number, what it asked for)
        entry.when_gone.append(self.program_gone)

    # ------------------------------------------------------------ what the core asks for

    def set_breakpoint(self, action):
        made = scripted_breakpoint(self.target, action["text"])
        try:
            self.choose(made, action)
        except BaseException:
            self.target.BreakpointDelete(made.GetID())
            self.core.breakpoint_deleted(action["id"])
            raise
        self.breakpoints[action["id"]] = made
        self.make_hooks_breakpoint()
        return "Breakpoint %d: " % made.GetID()

    def choose(self, made, action):
        """The user's own options."""
        if action["hardware"]:
            ask_for_hardware(made)
        if action["condition"]:
            made.SetCondition(action["condition"])
        if action["ignore"]:
            made.SetIgnoreCount(action["ignore"])
        if action["thread"]:
            made.SetThreadID(self.thread_id(action["thread"]))
        if action["temporary"]:
            made.SetOneShot(True)
        if action["commands"]:
            lines = lldb.SBStringList()
            for line in action["commands"]:
                lines.AppendString(line)
            made.SetCommandLineCommands(lines)
        if action["catch"]:
            self.catches[made.GetID()] = action["id"], action["catch"]
            made.SetScriptCallbackFunction(__name__ + ".on_catch")

    def thread_id(self, word):
        """The user says LLDB's own number of a thread."""
        thread = self.target.GetProcess().GetThreadByIndexID(int(word)) if word.isdigit() else lldb.SBThread()
        if not thread.IsValid():
            raise ActionFailed("there is no thread %s; `thread list` shows them" % word)
        return thread.GetThreadID()

    def update_region(self, action):
        wanted = {(place["breakpoint"], place["address"]) for place in action["places"]}
        for gone in self.regions.pop(action["start"], set()) - wanted:
            self.leave(gone)
        for place in sorted(wanted):
            self.come(place)
        if wanted:
            self.regions[action["start"]] = wanted

    def come(self, place):
        number, address = place
        breakpoint = self.breakpoints.get(number)
        if breakpoint is None or not breakpoint.IsValid():
            return
        location = add_place(self.target, breakpoint, address)
        if place in self.left or (location.IsEnabled() and not location.IsResolved()):
            renew(location)
        self.left.discard(place)

    def leave(self, place):
        number, address = place
        breakpoint = self.breakpoints.get(number)
        location = breakpoint.FindLocationByAddress(address) if breakpoint is not None else lldb.SBBreakpointLocation()
        if location.IsValid() and location.IsEnabled():
            location.SetEnabled(False)
            self.left.add(place)

    def renew_all(self):
        """LLDB drops locations together with the module that they lie in."""
        for place in sorted(place for places in self.regions.values() for place in places):
            self.come(place)

    def set_hooks(self, action):
        """LLDB crashes if a breakpoint is made while it goes through all of them to tell of a new module; so this one
        is there as long as any of ours is, and only its places change."""
        wanted = {}
        for hook in action["hooks"]:
            wanted.setdefault(hook["address"], []).append(hook)
        self.make_hooks_breakpoint()
        for address in self.hooks.keys() - wanted.keys():
            self.hooks_breakpoint.FindLocationByAddress(address).SetEnabled(False)
        for address in wanted:
            location = add_place(self.target, self.hooks_breakpoint, address)
            if not (location.IsEnabled() and location.IsResolved()):
                renew(location)
        self.hooks = wanted

    def make_hooks_breakpoint(self):
        if self.hooks_breakpoint is None or not self.hooks_breakpoint.IsValid():
            self.hooks_breakpoint = None  # that it is being made is what the resolver looks for
            self.hooks_breakpoint = scripted_breakpoint(self.target, HOOKS_TEXT, HookResolver)
            self.hooks_breakpoint.SetScriptCallbackFunction(__name__ + ".on_hook")

    # ------------------------------------------------------------ what has happened

    def refresh(self, selection):
        """A process has begun, a file was loaded, or the program has stopped."""
        self.entry.bring_up_to_date(selection, asked_by_person=False)
        if self.core.wants_refresh():
            self.carry_out(self.core.refresh(context(selection), False, self.awaits_code()), selection)

    def awaits_code(self):
        """Whether the user waits for code that is still to come."""
        return any(IN_JIT_CODE.search(str(breakpoint)) for breakpoint in self.target.breakpoint_iter())

    def notice_deleted(self, selection):
        """LLDB tells nobody."""
        gone = [number for number, breakpoint in self.breakpoints.items() if not breakpoint.IsValid()]
        for number in gone:
            del self.breakpoints[number]
            self.left = {place for place in self.left if place[0] != number}
            self.carry_out(self.core.breakpoint_deleted(number), selection)
        if self.hooks and not self.hooks_breakpoint.IsValid():  # `breakpoint delete` takes it, too
            self.set_hooks({"hooks": [hook for hooks in self.hooks.values() for hook in hooks]})

    def notice_disabled(self):
        """`breakpoint disable` takes the hooks, too: what was compiled and freed meanwhile nobody has told of."""
        if not self.hooks or self.hooks_breakpoint.IsEnabled():
            return None
        self.hooks_breakpoint.SetEnabled(True)
        self.program_gone(replaced=False)  # all that is known is looked up anew
        return "cpyjit: " + HOOKS_ENABLED % self.hooks_breakpoint.GetID()

    def follow_awaited(self):
        """A process that has just begun has not loaded CPython yet: the hooks' breakpoint tells when it does."""
        if chosen["symbols"] == "auto" and self.target.GetProcess().is_alive and self.awaits_code():
            self.make_hooks_breakpoint()

    def tidy(self):
        """Not while LLDB is at work on its breakpoints. Symbols of all executors need the one that tells when CPython is
        loaded."""
        is_needed = self.breakpoints or self.hooks or chosen["symbols"] == "on" or self.awaits_code()
        if self.hooks_breakpoint is not None and not is_needed:
            self.target.BreakpointDelete(self.hooks_breakpoint.GetID())
            self.hooks_breakpoint = None

    def hit(self, selection, location):
        """A hook was hit: whether to stop."""
        self.notice_deleted(selection)
        stop = False
        for hook in self.hooks.get(location.GetLoadAddress(), ()):
            self.entry.bring_up_to_date(selection, asked_by_person=False)
            registers = read_registers(selection.frame, hook["registers"])
            reply = self.core.hook(hook["kind"], registers, context(selection), self.awaits_code())
            stop = self.carry_out(reply, selection) or stop
        return stop

    def caught(self, selection, breakpoint):
        number, catch = self.catches[breakpoint.GetID()]
        self.entry.bring_up_to_date(selection, asked_by_person=False)
        registers = read_registers(selection.frame, catch["registers"])
        return self.carry_out(self.core.caught(number, catch["kind"], registers, context(selection)), selection)

    def carry_out(self, reply, selection):
        for action in reply.actions:
            said = carry_out(action, selection)
            if said:
                print(said)
        if reply.text:
            print(reply.text.rstrip("\n"))
        return reply.stop

    def program_gone(self, replaced):
        """The next process may have other code at the same addresses. LLDB puts no trap there by itself: a place
        without a section stays unresolved."""
        self.carry_out(self.core.process_gone(replaced), self.entry.host.selection)
        for start in list(self.regions):
            self.update_region({"start": start, "places": []})


def ask_for_hardware(breakpoint):
    if not hasattr(breakpoint, "SetIsHardware"):
        raise ActionFailed("this LLDB cannot make such a breakpoint with debug registers (LLDB 21 and newer can): leave "
                           "--hardware out, or use `breakpoint set --hardware --address` with an address of jit-dis")
    error = breakpoint.SetIsHardware(True)
    if error is not None and error.Fail():
        raise ActionFailed("no debug registers for this breakpoint: %s" % error.GetCString())


def read_registers(frame, names):
    return {name: frame.FindRegister(name).GetValueAsUnsigned() for name in names}


def places_of(target):
    entry = entry_for(target)
    if not hasattr(entry, "places"):
        entry.places = Places(entry)
    return entry.places


@carries_out("set-breakpoint")
def set_breakpoint(action, selection):
    return places_of(selection.target).set_breakpoint(action)


@carries_out("update-region")
def update_region(action, selection):
    places_of(selection.target).update_region(action)


@carries_out("hooks")
def set_hooks(action, selection):
    places_of(selection.target).set_hooks(action)


# ---------------------------------------------------------------- what LLDB calls

def on_hook(frame, location, _extra, _names):
    return quietly(lambda: places_of(target_of(frame)).hit(Selection.of_frame(frame), location))


def on_catch(frame, location, _extra, _names):
    return quietly(lambda: places_of(target_of(frame)).caught(Selection.of_frame(frame), location.GetBreakpoint()))


def target_of(frame):
    return frame.GetThread().GetProcess().GetTarget()


def quietly(work):
    """A failure inside a callback must neither stop the program nor print a traceback."""
    try:
        return bool(work())
    except BaseException as failure:
        print("cpyjit: " + sentence(failure))
        return False
