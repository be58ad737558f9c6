"""`layout jit`: a window of GDB's text interface with the listing around the pc, and below it Python's stack."""
import gdb
from cpyjit_gdb_commands import context, printable
from cpyjit_gdb_sessions import current_session, generation

LAYOUT = "tui new-layout jit jit 3 status 0 cmd 1"
MARGIN = 2  # lines that stay visible above and below the pc
STACK_PART = 3  # the stack gets at most one third of the window


def only(lines):
    return {"title": "JIT", "lines": lines, "mark": None, "stack": []}


class JitWindow:
    """What the core lists, as far as there is room. It is asked once for each stop and width."""

    def __init__(self, window):
        self.window = window
        self.shown = None  # what the content was made of
        self.content = only([])
        self.top = 0
        gdb.events.before_prompt.connect(self.refresh)

    def close(self):
        gdb.events.before_prompt.disconnect(self.refresh)

    def refresh(self):
        """After each command: what has changed?"""
        if not self.window.is_valid():
            return
        try:
            now = context()
            # A line as wide as the window is followed by an empty one.
            now.update(width=self.window.width - 1, color=gdb.parameter("style enabled"))
            if (generation(), now) != self.shown:
                self.ask(now)
        except Exception as reason:
            self.content = only(["cpyjit: %s" % reason])
        self.draw()

    def ask(self, now):
        with current_session() as session:
            self.content = session.window(now)
        self.shown = generation(), now
        self.follow()

    def follow(self):
        """Keep the pc in view, and the text still as long as it is."""
        mark, height = self.content["mark"], self.height()
        if mark is None:
            self.top = 0
        elif not self.top + MARGIN <= mark < self.top + height - MARGIN:
            self.top = max(0, mark - height // 3)

    render = refresh  # GDB asks for it when the window appears or changes its size

    def draw(self):
        lines, stack, height = self.content["lines"], self.stack(), self.height()
        self.top = max(0, min(self.top, len(lines) - height))
        shown = lines[self.top:self.top + height]
        if stack:
            shown += [""] * (height - len(shown)) + stack
        self.window.title = printable(self.content["title"])
        self.window.write(printable("\n".join(shown)), True)

    def stack(self):
        """As much of the stack as has room in the lower part."""
        return self.content["stack"][:self.window.height // STACK_PART]

    def height(self):
        """Lines for the listing."""
        return self.window.height - len(self.stack())

    def vscroll(self, lines):
        self.top += lines
        self.draw()

    def hscroll(self, _columns):
        pass


def register():
    if not hasattr(gdb, "register_window_type"):
        return  # a GDB without text interface
    gdb.register_window_type("jit", JitWindow)
    try:
        gdb.execute(LAYOUT, to_string=True)
    except gdb.error:
        pass  # the same
