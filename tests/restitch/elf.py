"""ELF files, as far as the checks need them: segments, symbols, notes, and the entries of the procedure linkage table."""
import collections
import struct

LOAD, NOTE = 1, 4
SYMBOL_TABLES, RELOCATIONS, DYNAMIC_SYMBOLS = (2, 11), 4, 11
BUILD_ID, FILE_NOTE = 3, 0x46494C45
X86_64, AARCH64 = 62, 183

Segment = collections.namedtuple("Segment", "kind flags offset address size")
Section = collections.namedtuple("Section", "name kind address offset size link")


class Elf:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        if self.bytes[:5] != b"\x7fELF\x02":
            raise ValueError(f"{path} is no ELF file of 64 bits")
        self.kind, self.machine = self.unpack("<HH", 16)
        phoff, shoff = self.unpack("<QQ", 32)
        phsize, phnum, shsize, shnum, names = self.unpack("<HHHHH", 54)
        self.segments = [self.segment(phoff + phsize * index) for index in range(phnum)]
        self.sections = self.read_sections(shoff, shsize, shnum, names) if shoff else []

    def unpack(self, form, offset):
        return struct.unpack_from(form, self.bytes, offset)

    def segment(self, offset):
        kind, flags, start, address, _, size, _, _ = self.unpack("<IIQQQQQQ", offset)
        return Segment(kind, flags, start, address, size)

    def read_sections(self, offset, size, count, names):
        raw = [self.unpack("<IIQQQQIIQQ", offset + size * index) for index in range(count)]
        return [Section(self.text(raw[names][4] + name), kind, address, start, length, link)
                for name, kind, _, address, start, length, link, *_ in raw]

    def text(self, offset):
        return self.bytes[offset:self.bytes.index(b"\0", offset)].decode(errors="replace")

    def loads(self):
        """(address, bytes, flags) of what is loaded."""
        view = memoryview(self.bytes)
        return [(one.address, view[one.offset:one.offset + one.size], one.flags) for one in self.segments if one.kind == LOAD]

    def is_position_independent(self):
        return self.kind == 3

    def symbols(self):
        """Name: (address, size)."""
        found = {}
        for table in self.sections:
            if table.kind in SYMBOL_TABLES:
                strings = self.sections[table.link].offset
                for at in range(table.offset, table.offset + table.size, 24):
                    name, info, _, section, value, size = self.unpack("<IBBHQQ", at)
                    if name and section and info & 15 in (0, 1, 2, 10):
                        found.setdefault(self.text(strings + name), (value, size))
        return found

    def notes(self):
        """(type, descriptor)."""
        for one in self.segments:
            at, end = one.offset, one.offset + one.size
            while one.kind == NOTE and at + 12 <= end:
                name, length, kind = self.unpack("<III", at)
                start = at + 12 + (name + 3 & ~3)
                yield kind, self.bytes[start:start + length]
                at = start + (length + 3 & ~3)

    def mapped_files(self):
        """(start, end, offset in the file, path) of a core dump."""
        for kind, descriptor in self.notes():
            if kind == FILE_NOTE:
                count, page = struct.unpack_from("<QQ", descriptor)
                paths = descriptor[16 + 24 * count:].split(b"\0")
                for index, path in zip(range(count), paths):
                    start, end, offset = struct.unpack_from("<QQQ", descriptor, 16 + 24 * index)
                    yield start, end, offset * page, path.decode(errors="replace")

    def linkage(self):
        """Entry of the procedure linkage table: the function that it stands for."""
        slots = self.imported_slots()
        entries = {}
        for section in self.sections:
            if section.name.startswith(".plt"):
                code = self.bytes[section.offset:section.offset + section.size]
                found = entries_of_x86_64 if self.machine == X86_64 else entries_of_aarch64
                entries.update((at, slots[slot]) for at, slot in found(code, section.address) if slot in slots)
        return entries

    def imported_slots(self):
        slots = {}
        for table in self.sections:
            if table.kind == RELOCATIONS and self.sections[table.link].kind == DYNAMIC_SYMBOLS:
                symbols = self.sections[table.link]
                strings = self.sections[symbols.link].offset
                for at in range(table.offset, table.offset + table.size, 24):
                    slot, info, _ = self.unpack("<QQq", at)
                    if info >> 32:
                        name, = self.unpack("<I", symbols.offset + 24 * (info >> 32))
                        slots[slot] = self.text(strings + name)
        return slots


def entries_of_x86_64(code, base):
    """`jmp [rip + slot]`, maybe behind `endbr64`."""
    at = code.find(b"\xff\x25")
    while at >= 0:
        slot = base + at + 6 + struct.unpack_from("<i", code, at + 2)[0]
        start = next((at - back for back in (4, 5) if code[at - back:at - back + 4] == b"\xf3\x0f\x1e\xfa"), at)
        yield base + start, slot
        at = code.find(b"\xff\x25", at + 6)


def entries_of_aarch64(code, base):
    """`adrp x16; ldr x17, [x16 + low]`, maybe behind `bti`."""
    words = struct.unpack(f"<{len(code) // 4}I", code[:len(code) // 4 * 4])
    for index, (first, second) in enumerate(zip(words, words[1:])):
        if first & 0x9F00001F == 0x90000010 and second & 0xFFC003FF == 0xF9400211:
            page = (first >> 5 & 0x7FFFF) << 2 | first >> 29 & 3
            page -= (page & 1 << 20) << 1
            slot = (base + 4 * index & ~4095) + (page << 12) + ((second >> 10 & 0xFFF) << 3)
            has_pad = index and words[index - 1] == 0xD503245F
            yield base + 4 * (index - has_pad), slot
