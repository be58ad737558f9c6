"""GDB's own disassembly of the witnessed code."""
import contextlib

import gdb

import inferior

# GDB's disassembler makes some 100,000 instructions a second and a debug build has millions. The copies of a stencil
# differ only in their holes: a few of each name say everything, up to a bound in all.
COPIES_OF_ONE_NAME = 3
BYTES_IN_ALL = 400_000


def of_compiles(compiles):
    """Rows (address, bytes, [[address, length, text]]) for uops of the given compiles (lists of emits)."""
    architecture = gdb.selected_inferior().architecture()
    with nobody_else(architecture.name()):
        return [disassemble(architecture, start, end) for start, end in chosen(compiles)]


@contextlib.contextmanager
def nobody_else(architecture):
    """Without disassemblers that are written in Python: the tool may have put its own before GDB's."""
    try:
        from gdb.disassembler import register_disassembler
    except ImportError:  # GDB 12 knows none
        yield
        return
    before = [(scope, register_disassembler(None, scope)) for scope in (None, architecture)]
    try:
        yield
    finally:
        for scope, disassembler in before:
            register_disassembler(disassembler, scope)


def chosen(compiles):
    """Address ranges of uops: where one was emitted up to where the next one was."""
    copies, total = {}, 0
    for emits in compiles:
        for (index, name, start, _), (_, _, end, _) in zip(emits, emits[1:]):
            if index < 0 or start == end or copies.get(name, 0) == COPIES_OF_ONE_NAME or total > BYTES_IN_ALL:
                continue
            copies[name] = copies.get(name, 0) + 1
            total += end - start
            yield start, end


def disassemble(architecture, start, end):
    rows = architecture.disassemble(start, end - 1)  # GDB's interval is closed
    return {"address": start, "bytes": inferior.read(start, end - start).hex(),
            "instructions": [[row["addr"], row["length"], row["asm"]] for row in rows]}
