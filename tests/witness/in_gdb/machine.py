"""What is different about the machines that a target may be for: registers, the order of arguments, how operands are written."""
import re

import gdb

import inferior

LONGEST_X86_INSTRUCTION = 15
INSTRUCTION = 4  # bytes of each on AArch64


class X86_64:
    pc, sp = "rip", "rsp"
    registers = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
                 "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15")
    arguments = ("rdi", "rsi", "rdx", "rcx", "r8")
    # The arguments of preserve_none functions, which stencils are.
    preserve_none = ("r12", "r13", "r14", "r15", "rdi", "rsi", "rdx")
    # What a function must give back to its caller as it was.
    saved = ("rbp", "rbx", "r12", "r13", "r14", "r15")
    calls = ("call",)
    pairs = ()
    comment = "#"
    parts = {f"e{name}": f"r{name}" for name in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp")}
    parts |= {f"r{number}{size}": f"r{number}" for number in range(8, 16) for size in "dwb"}
    parts |= {f"{name}l": f"r{name}x" for name in "abcd"} | {f"{name}l": f"r{name}" for name in ("si", "di", "bp", "sp")}

    @staticmethod
    def caller():
        """(pc, sp) behind the call, where a function has just begun."""
        sp = inferior.register("rsp")
        return inferior.read_pointer(sp), sp + 8

    @staticmethod
    def called_from(pc, sp):
        """(pc, sp) to which the call returns that stood at `pc`; None if none did."""
        if inferior.register("rsp") != sp - 8:
            return None
        back = inferior.read_pointer(sp - 8)
        return (back, sp) if pc < back <= pc + LONGEST_X86_INSTRUCTION else None

    @staticmethod
    def memory_operand(step):
        """The address that an instruction reads or writes; None if there is none."""
        if step.mnemonic == "push":
            return step.registers["rsp"] - 8
        if step.mnemonic == "pop":
            return step.registers["rsp"]
        found = re.search(r"\[(.*?)\]", step.operands)
        if not found:
            return None
        address = 0
        for sign, term in re.findall(r"([+-]?)([^+-]+)", found[1]):
            value = 1
            for factor in term.split("*"):
                value *= step.pc + step.size if factor == "rip" else step.number(factor)
            address += -value if sign == "-" else value
        return address

    @staticmethod
    def written_back(_step):
        """The register that a memory operand changes."""
        return None

    @staticmethod
    def source_and_destination(step, names):
        """The registers that come first and second, by their whole names."""
        source = names[1] if len(names) > 1 else names[0] if step.mnemonic in ("push", "jmp", "call") else None
        return source, names[0]


class Aarch64:
    pc, sp = "pc", "sp"
    registers = tuple(f"x{number}" for number in range(31)) + ("sp",)
    arguments = ("x0", "x1", "x2", "x3", "x4")
    preserve_none = tuple(f"x{number}" for number in range(20, 27))
    # Not x30: the call itself has written that, and pc is what was in it.
    saved = tuple(f"x{number}" for number in (29, *range(19, 29)))
    calls = ("bl", "blr")
    pairs = ("ldp", "stp")
    comment = "//"
    parts = {f"w{number}": f"x{number}" for number in range(31)} | {"wsp": "sp"}
    stores = ("str", "strb", "strh", "stur", "sturb", "sturh", "stp")

    @staticmethod
    def caller():
        return inferior.register("x30"), inferior.register("sp")

    @staticmethod
    def called_from(pc, sp):
        behind = pc + INSTRUCTION
        return (behind, sp) if inferior.register("x30") == behind != inferior.register("pc") else None

    @classmethod
    def memory_operand(cls, step):
        found = re.search(r"\[(.*?)\](!?)", step.operands)
        if not found:
            # `ldr x8, 0x5500…`: a literal.
            literal = re.search(r", (0x[0-9a-f]+)\b", step.operands) if step.mnemonic in ("ldr", "ldrsw") else None
            return int(literal[1], 16) if literal else None
        base, *index = (part.strip() for part in found[1].split(","))
        return step.registers[base] + (cls.index(step, *index) if index else 0)

    @classmethod
    def index(cls, step, index, extension=""):
        value = step.number(index.lstrip("#"))
        kind, _, amount = extension.partition(" ")
        if kind in ("sxtw", "uxtw"):
            value &= 0xffffffff
        if kind == "sxtw" and value >> 31:
            value -= 1 << 32
        return value << int(amount.lstrip("#") or "0", 0)

    @staticmethod
    def written_back(step):
        found = re.search(r"\[(\w+)(\]!?, #|.*\]!)", step.operands)
        return found[1] if found else None

    @classmethod
    def source_and_destination(cls, step, names):
        if step.mnemonic in cls.stores or step.mnemonic in ("br", "blr"):
            return names[0], names[0]
        return (names[1] if len(names) > 1 else None), names[0]


def of_target():
    """The machine of the program that GDB has loaded."""
    return Aarch64 if gdb.selected_inferior().architecture().name() == "aarch64" else X86_64
