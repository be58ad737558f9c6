"""A core dump with one executor more, which has every uop once."""
import random
import struct

import stencils
from elf import LOAD

# Free in every process of the testbed: mappings begin at the top of the address space, the heap at the bottom.
EXECUTOR = 0x7E0000001000
FAR = 0x7D0000000000
NEAR_STEP = 1 << 20
WIDTHS = (16, 48, 64)      # bits of operands
VALID = 0x22               # where an executor has its flag


class Executor:
    """Random operands and targets, from a seed."""

    def __init__(self, python, seed, base):
        self.python, self.base, chance = python, base, random.Random(seed)
        guard = python.groups.index(python.guard)
        self.opcodes = [number for number, group in enumerate(python.groups) if group.emit and number != guard]
        chance.shuffle(self.opcodes)
        self.trace_address = EXECUTOR + python.fields["exits"]
        self.trace = b"".join(self.uop(opcode, chance) for opcode in self.opcodes)
        self.plan = stencils.Plan(python, self.opcodes, self.trace_address)

    def uop(self, opcode, chance):
        targets = [chance.randrange(len(self.opcodes)) for _ in range(2)]
        operands = [chance.getrandbits(chance.choice(WIDTHS)) for _ in range(2)]
        return struct.pack("<HHHHQQ", opcode | chance.choice((0, stencils.FORMAT_BIT)), chance.getrandbits(16), *targets,
                           *operands)

    def bytes(self):
        """The object, without exits."""
        fields, count = self.python.fields, len(self.opcodes)
        head = bytearray(fields["exits"])
        kind = self.python.symbols["_PyUOpExecutor_Type"][0]
        struct.pack_into("<QQQQ", head, 0, 1, kind, stencils.UOP * count, self.trace_address)
        struct.pack_into("<II", head, fields["exit_count"], 0, count)
        struct.pack_into("<QQ", head, fields["jit_size"], self.plan.allocation, self.base)
        if self.python.series == "3.14":  # jit_side_entry
            struct.pack_into("<Q", head, fields["jit_code"] + 8, self.base + self.plan.starts[0])
        head[VALID] = 1
        whole = bytes(head) + self.trace
        return whole + bytes(-len(whole) % stencils.PAGE)


def near(python, size):
    """A free address not far behind CPython's own code, where its GOT is not needed."""
    taken = [(start, start + len(data)) for start, data in python.memory.pieces]
    taken += [(start, end) for start, end, _, _ in python.core.mapped_files()]
    image = [address + len(data) + python.bias for address, data, _ in python.file.loads()]
    base = (max(image) + NEAR_STEP) & -NEAR_STEP
    while any(start < base + size + NEAR_STEP and base < end for start, end in taken):
        base += NEAR_STEP
    return base


def write_core(source, path, pieces):
    """The core dump `source` with these pieces of memory as well: (address, bytes)."""
    data = bytearray(source.bytes)
    headers = b"".join(raw_headers(source))
    for address, piece in pieces:
        data += bytes(-len(data) % stencils.PAGE)
        headers += struct.pack("<IIQQQQQQ", LOAD, 7, len(data), address, 0, len(piece), len(piece), stencils.PAGE)
        data += piece
    data += bytes(-len(data) % 8)
    struct.pack_into("<Q", data, 32, len(data))
    struct.pack_into("<H", data, 56, len(source.segments) + len(pieces))
    path.write_bytes(data + headers)


def raw_headers(source):
    offset, = source.unpack("<Q", 32)
    return [source.bytes[offset + 56 * index:offset + 56 * (index + 1)] for index in range(len(source.segments))]
