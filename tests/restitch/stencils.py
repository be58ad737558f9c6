"""A CPython in a core dump: its memory, its stencils and where its JIT puts what (`Python/jit.c`)."""
import collections
import pathlib
import struct

import elf

PAGE = 4096
FORMAT_BIT = 0x8000  # of an opcode in a trace
UOP = 24             # bytes of _PyUOpInstruction
EXIT_SIZE = 16       # bytes of _PyExitData
TRAMPOLINE = 16      # bytes of an AArch64 trampoline
SHIM_CODE = 33       # bytes of the shim of x86-64

# Where an executor has its fields, by the version of CPython; the same on both machines and in debug builds.
EXECUTOR = {"3.14": {"exit_count": 0x60, "jit_size": 0x68, "jit_code": 0x70, "exits": 0x80},
            "3.15": {"exit_count": 0x48, "jit_size": 0x50, "jit_code": 0x58, "exits": 0x68}}

Group = collections.namedtuple("Group", "emit code data trampolines got")
# A call of an emitter: where its code and data go, from the start of the allocation; `index` is None for shim and guard.
Emission = collections.namedtuple("Emission", "group code data instruction index")


class Memory:
    """Pieces at addresses; later ones count."""

    def __init__(self):
        self.pieces = []

    def add(self, address, data):
        if len(data):
            self.pieces.append((address, data))

    def read(self, address, length):
        result = b""
        while length:
            piece = self.up_to_page(address, length)
            result, address, length = result + piece, address + len(piece), length - len(piece)
        return result

    def up_to_page(self, address, length):
        length = min(length, PAGE - address % PAGE)
        for start, data in reversed(self.pieces):
            if start <= address < start + len(data):
                return bytes(data[address - start:address - start + length])
        raise KeyError(f"nothing at {address:#x}")

    def unpack(self, form, address):
        return struct.unpack(form, self.read(address, struct.calcsize(form)))

    def text(self, address):
        text = b""
        while b"\0" not in text:
            text += self.up_to_page(address + len(text), 64)
        return text.split(b"\0")[0].decode()


class Python:
    """`entry` is that of the testbed's index; `core` the path of a core dump of it."""

    def __init__(self, entry, core):
        self.file, self.core = elf.Elf(entry["jit_file"]), elf.Elf(core)
        self.machine = self.file.machine
        self.bias = self.find_bias(entry["jit_file"])
        self.memory = Memory()
        for address, data, _ in self.file.loads():
            self.memory.add(address + self.bias, data)
        for address, data, _ in self.core.loads():
            self.memory.add(address, data)
        self.symbols = self.find_symbols(entry["debug_file"])
        self.builtins = {at + self.bias: name for at, name in self.file.linkage().items()}
        self.series = "3.14" if ".".join(entry["version"].split(".")[:2]) == "3.14" else "3.15"
        self.fields = EXECUTOR[self.series]
        self.read_groups()

    def find_bias(self, path):
        if not self.file.is_position_independent():
            return 0
        name = pathlib.Path(path).name
        starts = [start for start, _, offset, file in self.core.mapped_files()
                  if pathlib.Path(file).name == name and not offset]
        return min(starts) - (min(address for address, _, _ in self.file.loads()) & -PAGE)

    def find_symbols(self, debug_file):
        symbols = dict(self.file.symbols())
        if debug_file:
            for name, place in elf.Elf(debug_file).symbols().items():
                symbols.setdefault(name, place)
        return {name: (address + self.bias, size) for name, (address, size) in symbols.items()}

    def is_aarch64(self):
        return self.machine == elf.AARCH64

    def read_groups(self):
        """3.15 has a set of GOT symbols in each group as well, and larger sets."""
        form = "<QQQ4I" if self.series == "3.14" else "<QQQ8I8I"
        table, size = self.symbols["stencil_groups"]
        step = (struct.calcsize(form) + 7) & ~7
        self.groups = [self.group(form, table + at) for at in range(0, size, step)]
        names, _ = self.symbols["_PyOpcode_uop_name"]
        pointers = self.memory.unpack(f"<{len(self.groups)}Q", names)
        self.names = [self.memory.text(pointer) if pointer else None for pointer in pointers]
        self.guard = self.groups[self.names.index("_FATAL_ERROR" if self.series == "3.14" else "_FATAL_ERROR_r00")]
        self.shim = self.find_shim(form) if self.series == "3.14" else None

    def group(self, form, address):
        emit, code, data, *masks = self.memory.unpack(form, address)
        half = 4 if self.series == "3.14" else 8
        return Group(emit, code, data, masks[:half], masks[half:])

    def find_shim(self, form):
        """A shared library has no `shim`; its emitter's size is what all shims of x86-64 have."""
        if "shim" in self.symbols:
            return self.group(form, self.symbols["shim"][0])
        return Group(self.symbols["emit_shim"][0], SHIM_CODE, 0, [0] * 4, [])


class Plan:
    """Where the parts of an executor go; offsets from the start of its allocation."""

    def __init__(self, python, opcodes, trace):
        self.emissions, self.starts, code, data = [], [], 0, 0
        calls = [(python.shim, 0, None)] if python.shim else []
        calls += [(python.groups[opcode], trace + UOP * index, index) for index, opcode in enumerate(opcodes)]
        for group, instruction, index in [*calls, (python.guard, 0, None)]:
            if index is not None:
                self.starts.append(code)
            self.emissions.append(Emission(group, code, data, instruction, index))
            code, data = code + group.code, data + group.data
        self.code_size, self.data_size = code, data
        self.trampolines = union(emission.group.trampolines for emission in self.emissions)
        self.got = union(emission.group.got for emission in self.emissions)
        self.place_rest(python)

    def place_rest(self, python):
        self.trampolines_size = TRAMPOLINE * bits(self.trampolines) if python.is_aarch64() else 0
        behind, align = self.code_size + self.trampolines_size, 8 if python.is_aarch64() else 1
        # 3.15 pads even what is aligned already.
        self.data_start = behind + (0 if python.series == "3.14" else align - behind % align)
        self.got_start = self.data_start + self.data_size
        self.size = self.got_start + 8 * bits(self.got)
        self.allocation = self.size + PAGE - self.size % PAGE

    def regions(self):
        """(kind, start, end, index of the uop)."""
        for one in self.emissions:
            if one.group.code:
                yield "code", one.code, one.code + one.group.code, one.index
            if one.group.data:
                start = self.data_start + one.data
                yield "data", start, start + one.group.data, one.index
        rest = (("trampolines", self.code_size, self.code_size + self.trampolines_size),
                ("got", self.got_start, self.size), ("tail", self.size, self.allocation))
        for kind, start, end in rest:
            if end > start:
                yield kind, start, end, None

    def state(self, python, base):
        """The JIT's `jit_state`."""
        state = struct.pack(f"<Q{len(self.trampolines)}IQ", base + self.code_size, *self.trampolines, self.trampolines_size)
        if python.series != "3.14":
            state += struct.pack(f"<Q{len(self.got)}IQ", base + self.got_start, *self.got, 8 * bits(self.got))
        return state + b"".join(struct.pack("<Q", base + start) for start in self.starts)


def union(masks):
    return [sum_of_bits(words) for words in zip(*masks)] or []


def sum_of_bits(words):
    result = 0
    for word in words:
        result |= word
    return result


def bits(words):
    return sum(bin(word).count("1") for word in words)
