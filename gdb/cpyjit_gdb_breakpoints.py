"""Breakpoints at uops: one of GDB's own breakpoints for each of the user's, with a place in every executor that has one.

The core decides which places those are. For each region of code it hands over the bytes of an ELF file whose only content
are SDT probes at these places; GDB makes one breakpoint of all probes of a name, whichever files they come from. Unlike
breakpoints at addresses these survive that memory is unmapped and mapped again: GDB never writes old bytes back.
"""
import contextlib
import itertools
import re
import sys

import gdb
from cpyjit_gdb_commands import ACTIONS, act, carry_out, context, printable, sentences_only
from cpyjit_gdb_objects import load_object, unload_object, write_object
from cpyjit_gdb_sessions import current_session
from cpyjit_gdb_settings import parameters
from cpyjit_gdb_target import ADDRESS_MASK, is_core, own_work

# What can only be found in JIT code: a line of Python or of a listing, or a uop.
IN_JIT_CODE = re.compile(r"\.(py|uops):\d+|-source \S+\.(py|uops) -line|^(-\w+ )*_[A-Z][A-Z0-9_]+(_r\d+)?$")
STAND_IN = 0x1000  # the address of probes at which nothing is ever set


class Places:
    """What has been set for one program space. It follows a process through fork, as GDB's breakpoints do."""

    def __init__(self):
        self.breakpoints = {}  # by the core's number
        self.regions = {}      # by where they begin
        self.hooks = {}        # by kind and address
        self.left = set()      # where we disabled a location because its region was left
        self.retired = []      # hooks that are to be deleted
        self.deleted = []      # numbers that the core has not been told of
        self.is_asking = False # a hook is at work: the program goes on behind it
        self.keeps_symbols = False # none are added at this stop
        self.is_stepping = False # these stops are nobody's business
        self.is_out_of_date = False # less is to be followed, maybe
        self.text = ""         # what a catch or a hook wants said at the stop that follows


class Region:
    """Places in the code of one executor, and the file that tells GDB of them."""

    def __init__(self, action):
        self.start, self.size = action["start"], action["size"]
        self.addresses = {place["address"] for place in action["places"]}
        self.breakpoints = {place["breakpoint"] for place in action["places"]}
        self.path = write_probes(action["probes"])

    def contains(self, address):
        return self.start <= address < self.start + self.size


all_places = {}
when_gone = []  # called when the process is gone, after everything was taken out
job = []  # what is handed to and from a Python command of GDB
problems = []  # what failed inside of GDB's work, to be told at the next stop


def places():
    return all_places.setdefault(gdb.selected_inferior().progspace, Places())


# ---------------------------------------------------------------- files of probes

numbers = itertools.count()


def write_probes(content):
    """A file for GDB to load. It stays until GDB has let go of it."""
    return write_object("%d.probes" % next(numbers), content)


def load(region):
    load_object(region.path, region.start)


def unload(region):
    unload_object(region.path)


# ---------------------------------------------------------------- regions

def update_region(action):
    """From now on exactly these places lie there."""
    here = places()
    before = here.regions.pop(action["start"], None)
    disabled = leave(here, before) if before else set()
    if not action["places"]:
        return
    region = Region(action)
    here.regions[region.start] = region
    load(region)
    enable_again(here, region, disabled)


def leave(here, region):
    """Takes out what is in the region: the addresses at which the user had disabled it. While the program is not really
    stopped its breakpoints are inserted, and GDB 13 fails inside if the file of one goes: they are disabled first."""
    disabled = set()
    for location in locations(here, region):
        if not location.enabled:
            disabled.add(location.address)
        elif here.is_asking:
            location.enabled = False
            here.left.add(location.address)
    unload(region)
    return disabled - here.left


def enable_again(here, region, disabled):
    """A new location inherits the state of one that was at the same address."""
    if not here.left & region.addresses:
        return
    for location in locations(here, region):
        if location.address in here.left and location.address not in disabled and not location.enabled:
            location.enabled = True
    here.left -= region.addresses


def enable_rest(here):
    """What was disabled because its code was freed is not what the user has disabled."""
    for breakpoint in here.breakpoints.values():
        for location in breakpoint.locations if breakpoint.is_valid() and here.left else ():
            if location.address in here.left and not location.enabled:
                location.enabled = True
    here.left.clear()


def locations(here, region):
    for number in region.breakpoints:
        breakpoint = here.breakpoints.get(number)
        if breakpoint is not None and breakpoint.is_valid():
            for location in breakpoint.locations:
                if location.address is not None and region.contains(location.address):
                    yield location


# ---------------------------------------------------------------- breakpoints of the user

class UopBreakpoint(gdb.Breakpoint):
    """A breakpoint with all probes of one name as its places."""

    core_number = catch = None


class Catch(UopBreakpoint):
    """A breakpoint at which the core decides whether the program stops."""

    def stop(self):
        kind, registers = self.catch["kind"], self.catch["registers"]
        return ask_core(lambda session: session.caught(self.core_number, kind, values(registers), short_context()))


def set_breakpoint(action):
    if not hasattr(gdb, "BreakpointLocation"):
        raise gdb.GdbError("breakpoints at uops need GDB 13 or newer (this is GDB %s)" % gdb.VERSION)
    breakpoint = make(action)
    try:
        settle(breakpoint, action)
    except (gdb.error, ValueError) as reason:
        breakpoint.delete()
        forget(action["id"])
        raise gdb.GdbError("the breakpoint is not set: %s" % reason) from None
    places().breakpoints[action["id"]] = breakpoint
    gdb.write("Breakpoint %d: " % breakpoint.number)  # the core goes on


def make(action):
    """GDB's own words of it are left out: they name a probe where the core says what it stands for. One that is made
    while there is no probe of its name would never be shown with it, so there is one for that moment."""
    stand_in = None if action["places"] else Region({**action, "start": STAND_IN, "size": 0})
    if stand_in:
        load(stand_in)
    job.append(action)
    gdb.execute("python cpyjit_gdb_breakpoints.make_silently()", to_string=True)
    if stand_in:
        unload(stand_in)
    return job.pop()


def make_silently():
    action = job.pop()
    kind = gdb.BP_HARDWARE_BREAKPOINT if action["hardware"] else gdb.BP_BREAKPOINT
    chosen = Catch if action["catch"] else UopBreakpoint
    job.append(chosen("-probe-stap cpyjit:%s" % action["label"], type=kind, temporary=action["temporary"]))


def settle(breakpoint, action):
    breakpoint.core_number = action["id"]
    breakpoint.catch = action["catch"]
    if action["condition"]:
        breakpoint.condition = action["condition"]
    if action["ignore"]:
        breakpoint.ignore_count = action["ignore"]
    if action["thread"]:
        breakpoint.thread = thread_number(action["thread"])
    if action["commands"]:
        breakpoint.commands = "\n".join(action["commands"])


def thread_number(text):
    """GDB's global number of the thread that the user calls 2 or 1.2."""
    inferior, _, number = text.rpartition(".")
    for thread in gdb.selected_inferior().threads() if not inferior else all_threads():
        if text in (str(thread.num), "%d.%d" % (thread.inferior.num, thread.num)):
            return thread.global_num
    raise ValueError("there is no thread %s" % text)


def all_threads():
    return [thread for inferior in gdb.inferiors() for thread in inferior.threads()]


def forget(number):
    with current_session() as session:
        reply = session.breakpoint_deleted(number)
    for action in reply.actions:
        carry_out(action)


# ---------------------------------------------------------------- hooks

def unseen_by_editors():
    """GDB's adapter tells editors of new breakpoints, internal ones as well, which they would show among the user's."""
    adapter = sys.modules.get("gdb.dap.breakpoint")
    return getattr(adapter, "suppress_new_breakpoint_event", contextlib.nullcontext)()


class Hook(gdb.Breakpoint):
    """An internal breakpoint where the core has to look."""

    def __init__(self, description):
        with unseen_by_editors():
            super().__init__("*%#x" % description["address"], internal=True)
        self.silent = True
        self.description = description
        self.kind, self.registers = description["kind"], description["registers"]

    def stop(self):
        return ask_core(lambda session: session.hook(self.kind, values(self.registers), short_context(),
                                                     awaits_code()))


def set_hooks(action):
    here = places()
    wanted = {(hook["kind"], hook["address"]): hook for hook in action["hooks"]}
    for key in [key for key in here.hooks if key not in wanted]:
        retire(here, here.hooks.pop(key))
    for key, hook in wanted.items():
        if key not in here.hooks or not here.hooks[key].is_valid():
            here.hooks[key] = Hook(hook)


def put_back_hooks():
    """A script that deletes all of gdb.breakpoints() takes the hooks, too, whatever of ours it leaves."""
    here = places()
    lost = [key for key, hook in here.hooks.items() if not hook.is_valid()]
    if not lost:
        return
    try:
        for key in lost:
            here.hooks[key] = Hook(here.hooks[key].description)
        gone(gdb.selected_inferior().progspace, False)  # what was found is looked up anew
        look_again()
    except BaseException as failure:
        problems.append("the hooks that follow JIT code were deleted and cannot be set again (%s)" % failure)
    else:
        problems.append("the hooks that follow JIT code were deleted and are set again; what was compiled meanwhile "
                        "has its breakpoints from now on only")


def retire(here, hook):
    """GDB fails inside when a breakpoint is deleted while it is being hit."""
    if not hook.is_valid():
        return
    if here.is_asking:
        hook.enabled = False
        here.retired.append(hook)
    else:
        hook.delete()


def ask_core(question):
    """Whether to stop. Whatever fails here must not: GDB would stop the program in the middle of CPython."""
    here = places()
    here.is_asking = True
    try:
        with current_session() as session:
            reply = question(session)
        for action in reply.actions:
            carry_out(action)
        if reply.stop or reply.failed:
            here.text += reply.text
        elif reply.text:
            problems.append(reply.text.rstrip("\n"))
        return reply.stop
    except BaseException as failure:  # a panic of the extension is no Exception
        problems.append("following JIT code failed inside (%s: %s)" % (type(failure).__name__, failure))
        return False
    finally:
        here.is_asking = False


def values(registers):
    """Not through a frame: the first one costs up to half a second of reading debug information."""
    return {name: int(gdb.parse_and_eval("$" + name)) & ADDRESS_MASK for name in registers}


def short_context():
    thread = gdb.selected_thread()
    return {"process": "stopped", "thread": thread.ptid[1] or thread.ptid[0] if thread else None}


# ---------------------------------------------------------------- events

def is_in_jit_code(breakpoint):
    return breakpoint.is_valid() and bool(IN_JIT_CODE.search(breakpoint.location or ""))


def awaits_code():
    """Whether the user waits for code that is still to come."""
    return any(map(is_in_jit_code, gdb.breakpoints()))


def on_created(breakpoint):
    """What it waits for may be compiled before GDB comes to rest again."""
    if breakpoint.number > 0 and is_in_jit_code(breakpoint):
        refresh()


def on_deleted(breakpoint):
    """Only noted: GDB still holds the breakpoint while it tells of this."""
    is_awaited = is_in_jit_code(breakpoint)
    for here in all_places.values():
        here.is_out_of_date |= is_awaited
        for number, known in list(here.breakpoints.items()):
            if known is breakpoint:
                del here.breakpoints[number]
                here.deleted.append(number)


def tell_of_deleted():
    """Never while a hook is being hit: the hooks themselves may go with the last breakpoint."""
    here = places()
    while here.retired:
        retire(here, here.retired.pop())
    while here.deleted:
        forget(here.deleted.pop())
    put_back_hooks()


def on_stop(event):
    here = places()
    tell_of_deleted()
    hit = event.breakpoints if isinstance(event, gdb.BreakpointEvent) else []
    ours = any(breakpoint in here.breakpoints.values() for breakpoint in hit)
    here.keeps_symbols = any(is_counted(breakpoint) for breakpoint in hit)
    if not here.is_stepping:
        refresh()
    if ours or here.text:
        with sentences_only():
            with current_session() as session:
                text = session.stop_text(context())
        gdb.write(printable(here.text or text))
    here.text = ""
    report_problems()


def is_counted(breakpoint):
    """GDB says which of several locations was hit, and warns behind every command that it cannot find it any more if
    symbols come meanwhile, for which it makes all locations anew."""
    return hasattr(gdb, "BreakpointLocation") and breakpoint.is_valid() and len(breakpoint.locations) > 1


def on_new_file(event):
    """A library may be the one that CPython is in; hooks have to be there before its code runs."""
    objfile = event.new_objfile
    if not own_work and not objfile.filename.startswith("<in-memory"):
        if not places().hooks:
            refresh()


def before_prompt():
    tell_of_deleted()
    here = places()
    # A core comes without any event before GDB 15.
    if here.is_out_of_date or not here.hooks or is_core(gdb.selected_inferior()):
        here.is_out_of_date = False
        refresh()
    report_problems()


def refresh():
    if gdb.selected_inferior().progspace not in all_places and parameters["symbols"].value == "off":
        return
    try:
        with current_session() as session:
            wanted = session.wants_refresh()
        if wanted:
            look_again()
    except BaseException as failure:
        problems.append("setting breakpoints in JIT code failed inside (%s: %s)" % (type(failure).__name__, failure))


def look_again():
    with current_session() as session:
        reply = session.refresh(short_context(), places().keeps_symbols, awaits_code())
    for action in reply.actions:
        carry_out(action)


def on_exited(event):
    gone(event.inferior.progspace, False)


def on_replaced(event):
    """Another program takes the place of this one: nothing that was set may come alive in it."""
    if not own_work:
        gone(event.progspace, True)


def gone(space, replaced):
    if space not in all_places or space is not gdb.selected_inferior().progspace:
        return
    with current_session() as session:
        reply = session.process_gone(replaced)
    for action in reply.actions:
        carry_out(action)
    enable_rest(places())
    for forget in when_gone:
        forget()


def report_problems():
    while problems:
        gdb.write("cpyjit: %s\n" % printable(problems.pop(0)), gdb.STDERR)


def register():
    gdb.execute("python import cpyjit_gdb_breakpoints")
    ACTIONS.update({"set-breakpoint": set_breakpoint, "update-region": update_region, "hooks": set_hooks})
    gdb.events.breakpoint_created.connect(on_created)
    gdb.events.breakpoint_deleted.connect(on_deleted)
    gdb.events.stop.connect(on_stop)
    gdb.events.new_objfile.connect(on_new_file)
    gdb.events.before_prompt.connect(before_prompt)
    gdb.events.exited.connect(on_exited)
    gdb.events.clear_objfiles.connect(on_replaced)
    if hasattr(gdb.events, "corefile_changed"):
        gdb.events.corefile_changed.connect(lambda _event: refresh())
