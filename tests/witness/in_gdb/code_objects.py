"""Code objects as GDB reads them: enough to recognise each one again in another run of the same program."""
import hashlib

import inferior

CODE = "PyCodeObject"
TEXT = "PyASCIIObject"
WIDE_TEXT = "PyCompactUnicodeObject"
ENCODINGS = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}
MAX_NAME = 4096


def integer(address, size):
    return int.from_bytes(inferior.read(address, size), "little")


def member(address, type_name, path, size):
    return integer(address + inferior.offset(type_name, path), size)


def bit_field(address, type_name, path):
    start, found = inferior.field(type_name, path)
    word = integer(address + start // 8, (start % 8 + found.bitsize + 7) // 8)
    return word >> start % 8 & ((1 << found.bitsize) - 1)


def text(address):
    """A compact str: the characters follow the struct, which is longer when they are not all ASCII."""
    length = min(member(address, TEXT, "length", 8), MAX_NAME)
    width = bit_field(address, TEXT, "state.kind")
    ascii_only = bit_field(address, TEXT, "state.ascii")
    start = address + size_of(TEXT if ascii_only else WIDE_TEXT)
    return inferior.read(start, length * width).decode(ENCODINGS[width])


def size_of(type_name):
    return inferior.gdb.lookup_type(type_name).sizeof


def data(address):
    """The content of a bytes object."""
    return inferior.read(address + inferior.offset("PyBytesObject", "ob_sval"),
                         member(address, "PyBytesObject", "ob_base.ob_size", 8))


def describe(address):
    pointer = lambda path: member(address, CODE, path, 8)  # noqa: E731
    return {
        "qualname": text(pointer("co_qualname")),
        "filename": text(pointer("co_filename")),
        "firstlineno": member(address, CODE, "co_firstlineno", 4),
        "units": member(address, CODE, "ob_base.ob_size", 8),
        "linetable": hashlib.sha256(data(pointer("co_linetable"))).hexdigest(),
        # A code object that CPython builds in statically (a shim) belongs to no Python source.
        "symbol": inferior.symbol_at(address),
    }


def describe_all(addresses):
    """{address: facts}; an address at which no code object can be read gets the reason instead."""
    described = {}
    for address in addresses:
        try:
            described[hex(address)] = describe(address)
        except Exception as error:
            described[hex(address)] = {"unreadable": f"{type(error).__name__}: {error}"}
    return described
