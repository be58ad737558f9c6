"""The process as GDB itself knows it: settings, symbols, registers, memory. Nothing here comes from the tool under test."""
import json
import os
import re

import gdb

JOB_VARIABLE = "CPYJIT_WITNESS_JOB"
POINTER_MASK = (1 << 64) - 1
# The PyPI builds of GDB export these for their own Python; a target that inherits them cannot import its library.
DEBUGGER_ONLY_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "PYTHONNOUSERSITE", JOB_VARIABLE)

SETTINGS = (
    "set pagination off",
    "set confirm off",
    "set width 0",
    "set print thread-events off",
    "set startup-with-shell off",
    "set breakpoint pending on",
    "set disassembly-flavor intel",
    # With hundreds of breakpoints this halves the price of a hit: they stay in memory instead of going in and out.
    "set breakpoint always-inserted on",
)


def job():
    """What tests/witness/run asks of this session."""
    with open(os.environ[JOB_VARIABLE], encoding="utf-8") as file:
        return json.load(file)


def prepare(environment):
    for setting in SETTINGS:
        gdb.execute(setting, to_string=True)
    for name in DEBUGGER_ONLY_VARIABLES:
        gdb.execute(f"unset environment {name}", to_string=True)
    for name, value in environment.items():
        gdb.execute(f"set environment {name}={value}", to_string=True)


def start(job):
    """The program, stopped in front of its first instruction: started by GDB, or by an emulator that waits for us."""
    gdb.execute(f"target remote {job['remote']}" if job.get("remote") else "starti", to_string=True)


def finish_compile():
    """Runs until the new executor is whole and linked: it is about to be entered."""
    frame = gdb.newest_frame()
    while frame and frame.name() != "_PyOptimizer_Optimize":
        frame = frame.older()
    if frame and frame.older():
        back = gdb.Breakpoint(f"*{frame.older().pc():#x}", internal=True)
        gdb.execute("continue", to_string=True)
        if is_alive():
            back.delete()


def symbols(pattern):
    """(name, address) of every symbol matching `pattern`, from GDB's own minimal symbols.

    Not `&name`: on LTO builds that may meet the optimised-out declaration of another compilation unit.
    """
    listing = gdb.execute("maint print msymbols", to_string=True)
    rows = re.findall(r"^\[ *\d+\] [a-zA-Z] (0x[0-9a-f]+) (\S+)", listing, re.MULTILINE)
    return sorted({(name, int(address, 16)) for address, name in rows if re.fullmatch(pattern, name)})


def register(name):
    return int(gdb.parse_and_eval("$" + name)) & POINTER_MASK


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def read_pointer(address):
    return int.from_bytes(read(address, 8), "little")


def field(type_name, path):
    """The DWARF field at a dotted path, with its bit position counted from the start of the outer type."""
    bits, current, found = 0, gdb.lookup_type(type_name).strip_typedefs(), None
    for part in path.split("."):
        inner, found = find_member(current, part)
        bits += inner
        current = found.type.strip_typedefs()
    return bits, found


def find_member(struct, name):
    """(bit position, field) of a member, also inside unnamed structs and unions."""
    for member in struct.fields():
        if member.name == name:
            return member.bitpos, member
        if not member.name:
            try:
                bits, found = find_member(member.type.strip_typedefs(), name)
                return member.bitpos + bits, found
            except KeyError:
                continue
    raise KeyError(f"{struct} has no member {name}")


def offset(type_name, path):
    return field(type_name, path)[0] // 8


def is_alive():
    return gdb.selected_inferior().pid != 0


def symbol_at(address):
    """The name that GDB gives to an address, or an empty string."""
    text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return "" if text.startswith("No symbol") else text.split()[0]
