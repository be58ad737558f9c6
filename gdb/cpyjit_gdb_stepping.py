"""Steps: carries out `run` and `single-step`, and tells the core how the target stopped, until the core is done."""
import gdb
from cpyjit_gdb_breakpoints import places, refresh, unseen_by_editors
from cpyjit_gdb_commands import ACTIONS, context, printable
from cpyjit_gdb_sessions import current_session
from cpyjit_gdb_target import ADDRESS_MASK

STEPS = ("run", "single-step")


class Place(gdb.Breakpoint):
    """A place of a stretch: seen by nobody, and gone when the step is."""

    def __init__(self, address, ignore, thread):
        with unseen_by_editors():
            super().__init__("*%#x" % address, type=gdb.BP_BREAKPOINT, internal=True)
        self.silent = True
        if thread is not None:
            self.thread = thread
        self.aim(ignore)

    def aim(self, ignore):
        """For another stretch, which counts from its own beginning."""
        if self.hit_count:
            self.hit_count = 0
        if self.ignore_count != ignore:
            self.ignore_count = ignore


class Step:
    """One command: the places that are in the target now, and what was last said of the target."""

    def __init__(self):
        self.thread = gdb.selected_thread()
        self.places = {}
        self.stop = None
        self.users = []  # numbers of the user's breakpoints that have stopped it

    def run_to_end(self, action):
        """Whatever happens, nothing of ours stays in the target."""
        gdb.events.stop.connect(self.on_stop)
        gdb.events.exited.connect(self.on_exited)
        here = places()
        here.is_stepping = True
        try:
            with gdb.with_parameter("suppress-cli-notifications", True):
                while action is not None:
                    action = self.next(self.carry_out(action))
        finally:
            here.is_stepping = False
            gdb.events.stop.disconnect(self.on_stop)
            gdb.events.exited.disconnect(self.on_exited)
            self.set_places([])
        refresh()

    def on_stop(self, event):
        self.stop = event
        # A temporary one is gone when GDB has come to rest.
        self.users = [b.number for b in getattr(event, "breakpoints", []) if b.number > 0]

    def on_exited(self, event):
        self.stop = event

    def carry_out(self, action):
        """Lets the target go and returns how it stopped, in the words of the core."""
        self.stop, self.users = None, []
        try:
            if action["kind"] == "run":
                self.set_places(action["places"])
                gdb.execute("continue", to_string=True)
            else:
                gdb.execute("stepi", to_string=True)
        except KeyboardInterrupt:
            return self.event("interrupt", "interrupted")
        except gdb.error as reason:
            return self.event("other", str(reason))
        return self.judged(action["kind"])

    def judged(self, kind):
        stop = self.stop
        if stop is None or isinstance(stop, gdb.ExitedEvent):
            code = getattr(stop, "exit_code", None)
            return self.event("exited", "the process has exited" + ("" if code is None else " with code %d" % code))
        if isinstance(stop, gdb.SignalEvent):
            if stop.stop_signal == "SIGINT":
                return self.event("interrupt", "interrupted")
            return self.event("signal", "the program received signal %s" % stop.stop_signal)
        if self.users:
            return self.event("breakpoint", "stopped by breakpoint %s" % ", ".join(map(str, self.users)))
        if not isinstance(stop, gdb.BreakpointEvent) and kind == "run":
            return self.event("other", "the program stopped before the step was done")
        event = self.event("place", "")
        if self.thread.is_valid():
            self.thread.switch()  # a place for all threads may have stopped another
            return event
        return self.event("other", "the thread has ended")

    def event(self, reason, text):
        alive = reason != "exited" and gdb.selected_inferior().pid
        return {
            "reason": reason,
            "address": int(gdb.parse_and_eval("$pc")) & ADDRESS_MASK if alive else None,
            "hits": {address: place.hit_count for address, place in self.places.items() if place.is_valid()},
            "text": text,
        }

    def set_places(self, wanted):
        """What is the same in the next stretch is left where it is: that saves half of the time."""
        threads = {place["address"]: None if place["any_thread"] else self.thread.global_num for place in wanted}
        wanted = {place["address"]: place["ignore"] for place in wanted}
        for address in [address for address in self.places if address not in wanted]:
            place = self.places.pop(address)
            if place.is_valid():  # GDB itself deletes those of a thread that has ended
                place.delete()
        for address, ignore in wanted.items():
            place = self.places.get(address)
            if place is not None and place.is_valid():
                place.aim(ignore)
            else:
                self.places[address] = Place(address, ignore, threads[address])

    def next(self, event):
        """Tells the core; prints what it says; the next thing to do, if there is one."""
        with current_session() as session:
            reply = session.resume(event, context())
        gdb.write(printable(reply.text))
        return next((action for action in reply.actions if action["kind"] in STEPS), None)


def step(action):
    Step().run_to_end(action)


def register():
    for kind in STEPS:
        ACTIONS[kind] = step
