#!/usr/bin/env python3
"""Writes src/restitch/machine/aarch64/tests/witness.txt: what single AArch64 instructions do, as Unicorn says (PyPI: unicorn).

usage: aarch64_cases.py FILE

Every class of encodings that the interpreter knows gets instructions with random fields. Registers and memory before
an instruction come from a seed, by the same formula here and in the test that reads the file; a line has the seed, the
registers that are set otherwise, the instruction, and everything that is different afterwards.
"""
import random
import sys

import unicorn
from unicorn import arm64_const as arm

CODE, DATA, SIZE = 0x20000, 0x10000, 0x1000
EACH = 10  # instructions of each class
FEW = 2  # of them, at most, that are undefined or change nothing
ALL = (1 << 64) - 1

# Fixed bits, and dots for those of fields, from bit 31 down; then what the fields need.
CLASSES = {
    "adr": "...10000........................",
    "add immediate": "...100010.......................",
    "logical immediate": "...100100.......................",
    "move wide": "...100101.......................",
    "bit field": "...100110.......................",
    "extract": ".00100111.0.....................",
    "logical": "...01010........................",
    "add shifted": "...01011..0.....................",
    "add extended": "...01011001.....................",
    "select": "..011010100.........0...........",
    "compare": "..111010010..........0.....0....",
    "multiply": ".0011011000.....................",
    "shift by": ".0011010110.....0010............",
    "jump": ".00101..........................",
    "conditional": "01010100...................0....",
    "zero": ".011010.........................",
    "bit": ".011011.........................",
    "register": "110101100..11111000000.....00000",
    "return": "11010110010111110000001111000000",
    "hint": "11010101000000110010.......11111",
    "literal": "..011.00111111111111............",
    "pair": "..101.0.........................",
    "scaled": "..111.01........................",
    "unscaled": "..111.00..0.........0...........",
    "unscaled before": "..111.00..0.........11..........",
    "register offset": "..111.00..1.........10..........",
    "fmov in": "0001111000100111000000..........",
    "fmov in 8": "1001111001100111000000..........",
    "fmov in upper": "1001111010101111000000..........",
    "fmov out": "0001111000100110000000..........",
    "fmov out 8": "1001111001100110000000..........",
    "fmov out upper": "1001111010101110000000..........",
    "fmov": "000111100.100000010000..........",
    "dup general": "0.001110000.....000011..........",
    "dup element": "0.001110000.....000001..........",
    "dup one": "01011110000.....000001..........",
    "umov": "0.001110000.....001111..........",
    "ins general": "01001110000.....000111..........",
    "ins element": "01101110000.....0....1..........",
    "uzp": "0.001110..0.....0.0110..........",
    "zip": "0.001110..0.....0.1110..........",
    "ushr": "0.1011110.......000001..........",
    "ushr one": "0111111101......000001..........",
    "shl": "0.0011110.......010101..........",
    "shl one": "0101111101......010101..........",
    "shrn": "0.0011110.......100001..........",
    "xtn": "0.001110..100001001010..........",
    "shll": "0..011110.......101001..........",
    "movi": "0..0111100000.......01..........",
    "cnt": "0.00111000100000010110..........",
    "uaddlp": "0.101110..100000001010..........",
    "addp": "0.001110..1.....101111..........",
    "addv": "0.001110..110001101110..........",
    "addp one": "0101111011110001101110..........",
    "add vector": "0..01110..1.....100001..........",
    "add one": "01.11110111.....100001..........",
    "logical vector": "0.001110..1.....000111..........",
    "eor vector": "0.101110001.....000111..........",
    "addl": "0..01110..1.....000.00..........",
}


def mixed(seed):
    """Splitmix64, which spreads a small number over 64 bits."""
    value = (seed + 1) * 0x9E3779B97F4A7C15 & ALL
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & ALL
    value = (value ^ value >> 27) * 0x94D049BB133111EB & ALL
    return value ^ value >> 31


def general(seed, number):
    """A register's value: every other one is at an edge, where flags change."""
    value = mixed(seed * 64 + number)
    edges = [0, 1, ALL, 1 << 63, (1 << 63) - 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
    return edges[value >> 8 & 7] if value & 1 else value


class Machine:
    def __init__(self):
        self.engine = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        for start in (CODE, DATA):
            self.engine.mem_map(start, SIZE)
        self.engine.reg_write(arm.UC_ARM64_REG_CPACR_EL1, 3 << 20)  # vectors on
        self.x = [getattr(arm, f"UC_ARM64_REG_X{number}") for number in range(31)] + [arm.UC_ARM64_REG_SP]
        self.v = [getattr(arm, f"UC_ARM64_REG_Q{number}") for number in range(32)]

    def fill(self, seed, changed):
        for number, register in enumerate(self.x):
            self.engine.reg_write(register, changed.get(number, general(seed, number)))
        for number, register in enumerate(self.v):
            low, high = mixed(seed * 64 + 1000003 + 2 * number), mixed(seed * 64 + 1000004 + 2 * number)
            self.engine.reg_write(register, high << 64 | low)
        self.engine.reg_write(arm.UC_ARM64_REG_NZCV, (mixed(seed * 64 + 77) & 15) << 28)
        data = b"".join(mixed(seed * 64 + 2000003 + index).to_bytes(8, "little") for index in range(SIZE // 8))
        self.engine.mem_write(DATA, data)

    def state(self):
        read = self.engine.reg_read
        return ([read(register) for register in self.x], [read(register) for register in self.v],
                read(arm.UC_ARM64_REG_NZCV) >> 28, bytes(self.engine.mem_read(DATA, SIZE)))

    def run(self, seed, changed, word):
        """Everything that is different afterwards, or `undefined`; None where it leaves the memory that there is."""
        self.fill(seed, changed)
        before = self.state()
        self.engine.mem_write(CODE, b"\x1f\x20\x03\xd5" * (SIZE // 4))
        self.engine.mem_write(CODE + 0x800, word.to_bytes(4, "little"))
        self.engine.ctl_flush_tb()  # or the last instruction is run again
        try:
            self.engine.emu_start(CODE + 0x800, 0, count=1)
        except unicorn.UcError as error:
            if error.errno in (unicorn.UC_ERR_EXCEPTION, unicorn.UC_ERR_INSN_INVALID):
                return "undefined"
            if error.errno not in (unicorn.UC_ERR_FETCH_UNMAPPED, unicorn.UC_ERR_FETCH_PROT):
                return None
        return self.differences(before)

    def differences(self, before):
        after = self.state()
        words = [f"{'sp' if number == 31 else f'x{number}'}={new:x}"
                 for number, (old, new) in enumerate(zip(before[0], after[0])) if old != new]
        words += [f"v{number}={new:x}" for number, (old, new) in enumerate(zip(before[1], after[1])) if old != new]
        if before[2] != after[2]:
            words.append(f"nzcv={after[2]:x}")
        words += [f"m{offset:x}={after[3][offset:offset + 8].hex()}" for offset in range(0, SIZE, 8)
                  if before[3][offset:offset + 8] != after[3][offset:offset + 8]]
        pc = self.engine.reg_read(arm.UC_ARM64_REG_PC)
        if pc != CODE + 0x804:
            words.append(f"pc={pc:x}")
        return " ".join(words) or "nothing"


def addressed(name, word, chance):
    """The registers that an instruction with an address needs: its base, and maybe its index."""
    base, index = word >> 5 & 31, word >> 16 & 31
    if name == "register":
        return {} if base == 31 else {base: CODE + 4 * chance.randrange(SIZE // 4)}
    if name not in ("pair", "scaled", "unscaled", "unscaled before", "register offset"):
        return {}
    if name == "scaled":  # twelve bits count up to sixteen bytes
        return {base: DATA + 16 * chance.randrange(SIZE // 32)}
    changed = {base: DATA + SIZE // 2 + chance.randrange(64)}
    if name == "register offset" and index not in (base, 31):
        changed[index] = chance.choice([0xFFFFFFFF << 32, 0]) | chance.randrange(32)
    return changed


def unpredictable(name, word):
    """What the manual leaves open: a base that is written and transferred as well, a register loaded twice."""
    base, first, second = word >> 5 & 31, word & 31, word >> 10 & 31
    if name == "pair":
        moves, load, vector = word >> 23 & 1, word >> 22 & 1, word >> 26 & 1
        return (moves and not vector and base in (first, second)) or (load and first == second)
    return name.startswith("unscaled") and word >> 10 & 1 and base == first


def cases(name, template, machine, chance):
    kept = tried = dull = 0
    while kept < EACH and tried < 4000:
        tried += 1
        word = int("".join(chance.choice("01") if bit == "." else bit for bit in template), 2)
        seed = chance.randrange(1 << 20)
        if name == "scaled":
            word &= ~(0x3F << 16)  # not so far
        changed = addressed(name, word, chance)
        # With a base of four bytes and more, an unaligned stack pointer would be another exception.
        if unpredictable(name, word) or (31 in changed and name != "register" and changed[31] % 16):
            continue
        outcome = machine.run(seed, changed, word)
        if outcome is None or (outcome in ("undefined", "nothing") and dull == FEW and name != "hint"):
            continue
        dull += outcome in ("undefined", "nothing")
        kept += 1
        sets = "".join(f" {'sp' if number == 31 else f'x{number}'}={value:x}" for number, value in changed.items())
        yield f"{seed:x} {word:08x}{sets} -> {outcome}"


def main(path):
    chance, machine = random.Random(8), Machine()
    with open(path, "w", encoding="ascii") as file:
        file.write("# What single instructions do, as Unicorn says. Written by tests/restitch/aarch64_cases.py, which tells\n"
                   "# how seeds give registers and memory: SEED WORD REGISTERS -> DIFFERENCES\n")
        for name, template in CLASSES.items():
            file.write(f"# {name}\n")
            for line in cases(name, template, machine, chance):
                file.write(line + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(sys.argv[1])
