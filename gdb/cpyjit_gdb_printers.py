"""Printers for CPython's structures of the JIT: `print *executor`, `print executor->exits[0]`, `print *uop`.

They need CPython's debug information, without which GDB does not know the types. `print/r` shows the bare structure.

And one for objects: a `PyObject *`, such as the locals that `jit-symbols` tells GDB of, reads as Python would write it.
Where CPython's own printers (libpython.py) are loaded, it is theirs.
"""
import gdb
import gdb.printing
from cpyjit_gdb_commands import context, printable
from cpyjit_gdb_sessions import current_session
from cpyjit_gdb_target import ADDRESS_MASK

OBJECT = "_object"
STRUCTURES = ("_PyExecutorObject", "_PyExitData", "_PyUOpInstruction", OBJECT)


class StructurePrinter:
    """A structure in words, with all its fields behind them."""

    def __init__(self, value, text):
        self.value, self.text = value, text

    def to_string(self):
        return self.text

    def children(self):
        return fields_of(self.value)


def fields_of(structure):
    """Names and values of the fields; those of unions and structures without a name as if they were its own."""
    for field in structure.type.strip_typedefs().fields():
        if not field.name:
            yield from fields_of(structure[field])
        elif field.name == "exits":
            yield field.name, exits_of(structure, field)
        else:
            yield field.name, structure[field]


def exits_of(executor, field):
    """The exits lie behind the executor; the array that they are declared as has another length."""
    count = int(executor["exit_count"])
    exits = executor[field]
    if not count:
        return "{}"
    whole = exits.type.target().array(count - 1)
    return exits.address.cast(whole.pointer()).dereference()


class PointerPrinter:
    """A pointer to a structure: GDB's own form, then what it points at."""

    def __init__(self, value, text):
        self.value, self.text = value, text

    def to_string(self):
        return "(%s) %#x <%s>" % (self.value.type, int(self.value) & ADDRESS_MASK, self.text)


class ObjectPrinter:
    """A pointer to an object: the object."""

    def __init__(self, text):
        self.text = text

    def to_string(self):
        return self.text


def has_cpythons_own():
    """Whether libpython.py is loaded: its name for what looks printers up."""
    return any(getattr(lookup, "__name__", "") == "pretty_printer_lookup" for lookup in gdb.pretty_printers)


class Collection(gdb.printing.PrettyPrinter):
    def __init__(self):
        super().__init__("cpyjit", [gdb.printing.SubPrettyPrinter(name) for name in STRUCTURES])

    def __call__(self, value):
        try:
            return self.printer(value)
        except Exception:  # GDB then prints the bare value
            return None

    def printer(self, value):
        kind = value.type.strip_typedefs()
        is_pointer = kind.code == gdb.TYPE_CODE_PTR
        name = structure_name(kind.target() if is_pointer else value.type)
        address = value if is_pointer else value.address
        # A value that was computed is in no memory.
        if address is None or not self.is_enabled(name):
            return None
        if name == OBJECT and (not is_pointer or not address or has_cpythons_own()):
            return None
        text = described(name, int(address) & ADDRESS_MASK)
        if text is None:
            return None
        if name == OBJECT:
            return ObjectPrinter(text)
        return (PointerPrinter if is_pointer else StructurePrinter)(value, text)

    def is_enabled(self, name):
        return any(printer.name == name and printer.enabled for printer in self.subprinters)


def structure_name(kind):
    """Which of the structures it is. On 3.14 some have only the name that a typedef gives them."""
    while kind.name not in STRUCTURES and kind.code == gdb.TYPE_CODE_TYPEDEF:
        kind = kind.target()
    return kind.name


def described(structure, address):
    with current_session() as session:
        text = session.describe(structure, address, context())
    return text and printable(text)


def register():
    gdb.printing.register_pretty_printer(None, Collection(), replace=True)
