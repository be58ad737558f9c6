"""Which instructions have a memory operand or a number that a reader would ask about, for each machine as it is written."""
import re

# Numbers that tell a reader nothing about CPython.
STACK_POINTER, SHIFT = "that move the machine's stack pointer", "that count bits of a shift"
LEFT_OUT = (STACK_POINTER, SHIFT)


class X86_64:
    number = re.compile(r"(?:^|, )(-?0x[0-9a-f]+|-?\d+)$")
    shifts = ("shl", "shr", "sal", "sar", "rol", "ror", "shld", "shrd")

    @staticmethod
    def has_memory(mnemonic, operands):
        return "[" in operands and mnemonic not in ("lea", "nop")

    @classmethod
    def has_number(cls, mnemonic, operands):
        return bool(cls.number.search(operands)) and not mnemonic.startswith("j") and mnemonic != "call"

    @staticmethod
    def moves_stack_pointer(mnemonic, operands):
        return mnemonic in ("add", "sub") and operands.startswith("rsp,")


class Aarch64:
    # Not the shift that an operand may have: `x1, lsl #3`.
    number = re.compile(r"(?:^|, )#?-?(?:0x[0-9a-f]+|\d+)(?:\.\d+)?(?=,|$)")
    shifts = ("lsl", "lsr", "asr", "ror", "extr", "ubfx", "ubfiz", "sbfx", "sbfiz", "bfi", "bfxil")
    jumps = re.compile(r"b|bl|b\..*|cbn?z|tbn?z")

    @staticmethod
    def has_memory(mnemonic, operands):
        return "[" in operands or mnemonic in ("ldr", "ldrsw")  # without brackets from a pool of literals

    @classmethod
    def has_number(cls, mnemonic, operands):
        # What is added to the base of a memory operand is no number of its own.
        is_plain = not cls.has_memory(mnemonic, operands) and not cls.jumps.fullmatch(mnemonic)
        return is_plain and bool(cls.number.search(operands))

    @staticmethod
    def moves_stack_pointer(mnemonic, operands):
        """Also what x86-64 does by `push` and `pop`, where it names no memory."""
        changes_base = "[sp" in operands and ("]!" in operands or "], #" in operands)
        return changes_base or mnemonic in ("add", "sub") and operands.startswith("sp,")


def of(architecture):
    return Aarch64 if architecture == "aarch64" else X86_64
