"""Remarks of the core in GDB's own disassembly of JIT code: `x/i`, `disassemble`, `display/i`, `layout asm`."""
import re

import gdb
from cpyjit_gdb_commands import context, printable
from cpyjit_gdb_sessions import current_session, kept_at_stop

try:
    import gdb.disassembler as disassembler
except ImportError:  # before GDB 13
    disassembler = None

# As GDB names them, with what begins a comment in the assembler of each.
ARCHITECTURES = {"i386:x86-64": "#", "aarch64": "//"}
PAGE = 4096  # machine code of the JIT is mapped in pages of its own, of this size or a multiple
NOTE_COLUMN = 40  # of the text behind the address and symbol


class Remarks:
    """The remarks on all that was disassembled at this stop, asked for once for each executor."""

    def __init__(self):
        self.level = gdb.parameter("jit notes")
        self.of_page = {}

    def at(self, address):
        page = address // PAGE
        if page not in self.of_page:
            self.ask(address, page)
        return self.of_page[page].get(address)

    def ask(self, address, page):
        self.of_page[page] = {}  # also what cannot be answered is asked only once
        with current_session() as session:
            region = session.notes(address, context())
        if region:
            for known in range(region["start"] // PAGE, region["end"] // PAGE):
                self.of_page[known] = region["notes"]


def remark_at(address):
    """The remark on the instruction there, or None."""
    inferior = gdb.selected_inferior()
    level = gdb.parameter("jit notes")
    if level == "none" or not inferior.pid or gdb.solib_name(address):
        return None
    kept = kept_at_stop()
    if kept is None:
        return None
    remarks = kept.get("remarks")
    if remarks is None or remarks.level != level:
        remarks = kept["remarks"] = Remarks()
    remark = remarks.at(address) or ""
    if not remark.startswith("[uop") and address == innermost_pc(kept):
        remark = " ".join(filter(None, (uop_at(address), remark)))
    return remark


def innermost_pc(kept):
    if "pc" not in kept:
        thread = gdb.selected_thread()
        kept["pc"] = gdb.newest_frame().pc() if thread is not None and thread.is_stopped() else None
    return kept["pc"]


def uop_at(address):
    """GDB itself names a uop at its first instruction only, and the function of the executor behind that; where the program
    stands is told in any case."""
    with current_session() as session:
        found = session.frame(address, context())
    named = re.search(r"\[uop [^\]]*\]", found["name"]) if found else None
    return named and named.group()


def with_remark(result, remark, info, comment):
    """The result with the remark behind it; a GDB that knows parts of a line keeps their styles."""
    text = " " * max(2, NOTE_COLUMN - len(result.string)) + comment + " " + remark
    if hasattr(result, "parts"):
        part = info.text_part(disassembler.STYLE_COMMENT_START, text)
        return disassembler.DisassemblerResult(result.length, parts=[*result.parts, part])
    return disassembler.DisassemblerResult(length=result.length, string=result.string + text)


def make_disassembler(comment):
    class JitDisassembler(disassembler.Disassembler):
        """GDB's own disassembler and, in JIT code, a remark behind the instruction."""

        def __call__(self, info):
            try:
                remark = remark_at(info.address)
            except BaseException:  # whatever it is, GDB's own line is better than none
                remark = None
            if not remark:
                return None
            result = disassembler.builtin_disassemble(info)
            try:
                return with_remark(result, printable(remark), info, comment)
            except BaseException:
                return result

    return JitDisassembler("cpyjit")


def register():
    if disassembler is None:
        return
    for architecture, comment in ARCHITECTURES.items():
        try:
            disassembler.register_disassembler(make_disassembler(comment), architecture)
        except ValueError:  # this GDB does not know the architecture
            pass
