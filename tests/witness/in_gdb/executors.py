"""Executors as GDB reads them, with offsets from the target's DWARF."""
import gdb

import inferior

EXECUTOR = "struct _PyExecutorObject"
UOP = "_PyUOpInstruction"
UOP_FIELDS = ("opcode", "oparg", "format", "target", "jump_target", "error_target", "operand0", "operand1")


class Bits:
    """One field of a struct, as the bits it occupies: DWARF tells bit fields and whole members in the same way."""

    def __init__(self, type_name, path):
        self.start, member = inferior.field(type_name, path)
        self.width = member.bitsize or member.type.sizeof * 8

    def of(self, raw):
        return int.from_bytes(raw, "little") >> self.start & ((1 << self.width) - 1)


class Reader:
    def __init__(self):
        self.type = inferior.symbols("_PyUOpExecutor_Type")[0][1]
        self.size = inferior.offset(EXECUTOR, "exits")
        self.fields = {name: Bits(EXECUTOR, name) for name in ("trace", "code_size", "jit_size", "jit_code")}
        self.fields["type"] = Bits(EXECUTOR, "ob_base.ob_base.ob_type")
        self.fields["valid"] = Bits(EXECUTOR, "vm_data.valid")
        self.uop_size = gdb.lookup_type(UOP).sizeof
        self.uop_fields = [Bits(UOP, name) for name in UOP_FIELDS]

    def header(self, address):
        """The fields of an executor, or None when the memory is no longer one."""
        try:
            raw = inferior.read(address, self.size)
        except gdb.MemoryError:
            return None
        header = {name: bits.of(raw) for name, bits in self.fields.items()}
        return header if header["type"] == self.type else None

    def trace(self, header):
        raw = inferior.read(header["trace"], header["code_size"] * self.uop_size)
        steps = range(0, len(raw), self.uop_size)
        return [[bits.of(raw[at:at + self.uop_size]) for bits in self.uop_fields] for at in steps]


def alive(bases):
    """The witnessed executors that still own the code which was witnessed. `bases`: executor -> its code address."""
    reader, found = Reader(), []
    for address, base in bases.items():
        header = reader.header(address)
        if header and header["jit_code"] == base:
            found.append({"address": address, "base": base, "valid": bool(header["valid"]), "mapped": header["jit_size"],
                          "trace": reader.trace(header)})
    return found
