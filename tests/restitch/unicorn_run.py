"""Unicorn runs the emitters: what the JIT would have written (PyPI: unicorn)."""
import struct

import elf
import unicorn
from unicorn import arm64_const as arm
from unicorn import x86_const as x86

PAGE = 4096
SCRATCH = 0x100000000000  # where no process of Linux in a testbed has anything: stack, state, thread
STACK, STATE, THREAD, RETURN = (SCRATCH + offset for offset in (0x80000, 0x100000, 0x300000, 0x400000))
SCRATCH_SIZE = 0x500000
LIMIT = 20_000_000  # microseconds for one emitter
ARM_ARGUMENTS = [getattr(arm, f"UC_ARM64_REG_X{number}") for number in range(5)]
X86_ARGUMENTS = [x86.UC_X86_REG_RDI, x86.UC_X86_REG_RSI, x86.UC_X86_REG_RDX, x86.UC_X86_REG_RCX, x86.UC_X86_REG_R8]
# Functions of the C library, as machine code: `rep movsb` and `rep stosb`, and loops of bytes. An entry of the procedure
# linkage table has 16 bytes: on AArch64 it can only lead there.
X86_CODE = {"memcpy": "4889f84889d1f3a4c3", "memset": "4989f84889d189f0f3aa4c89c0c3", "__stack_chk_fail": "0f0b"}
ARM_COPY = (0xAA0003E3, 0xB40000A2, 0x38401424, 0x38001464, 0xD1000442, 0x17FFFFFC, 0xD65F03C0)
ARM_FILL = (0xAA0003E3, 0xB4000082, 0x38001461, 0xD1000442, 0x17FFFFFD, 0xD65F03C0)
ARM_FUNCTIONS = {"memcpy": (SCRATCH, ARM_COPY), "memset": (SCRATCH + 0x100, ARM_FILL),
                 "__stack_chk_fail": (SCRATCH + 0x200, (0,))}
ARM_LEAD = (0x58000050, 0xD61F0200)  # ldr x16, 8; br x16


class Unicorn:
    def __init__(self, python):
        self.python, self.is_arm = python, python.machine == elf.AARCH64
        if self.is_arm:
            self.engine = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
            self.engine.reg_write(arm.UC_ARM64_REG_CPACR_EL1, 3 << 20)  # vectors on
        else:
            self.engine = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
            self.engine.reg_write(x86.UC_X86_REG_FS_BASE, THREAD)
        self.mapped = set()  # pages
        self.map(SCRATCH, SCRATCH_SIZE)
        for address, data in python.memory.pieces:
            self.write(address, bytes(data))
        for address, words in ARM_FUNCTIONS.values():
            self.engine.mem_write(address, struct.pack(f"<{len(words)}I", *words))
        for address, name in python.builtins.items():
            self.engine.mem_write(address, self.entry(name.replace("memmove", "memcpy")))

    def entry(self, name):
        if not self.is_arm:
            return bytes.fromhex(X86_CODE.get(name, ""))
        return struct.pack("<2IQ", *ARM_LEAD, ARM_FUNCTIONS[name][0]) if name in ARM_FUNCTIONS else b""

    def map(self, address, size):
        """Runs of pages that are not there yet."""
        pages = range(address // PAGE, (address + size + PAGE - 1) // PAGE)
        missing = [page for page in pages if page not in self.mapped]
        self.mapped.update(missing)
        start = 0
        for index in range(1, len(missing) + 1):
            if index == len(missing) or missing[index] != missing[index - 1] + 1:
                self.engine.mem_map(missing[start] * PAGE, (index - start) * PAGE)
                start = index

    def write(self, address, data):
        self.map(address, len(data))
        self.engine.mem_write(address, data)

    def rebuild(self, plan, base, executor):
        """The allocation as the emitters write it."""
        self.write(base, bytes(plan.allocation))
        self.engine.mem_write(STATE, plan.state(self.python, base))
        for one in plan.emissions:
            self.call(one.group.emit, [base + one.code, base + plan.data_start + one.data, executor, one.instruction, STATE])
        return bytes(self.engine.mem_read(base, plan.allocation))

    def call(self, function, arguments):
        write = self.engine.reg_write
        for register, value in zip(ARM_ARGUMENTS if self.is_arm else X86_ARGUMENTS, arguments):
            write(register, value)
        if self.is_arm:
            write(arm.UC_ARM64_REG_SP, STACK)
            write(arm.UC_ARM64_REG_LR, RETURN)
        else:
            self.engine.mem_write(STACK - 8, struct.pack("<Q", RETURN))
            write(x86.UC_X86_REG_RSP, STACK - 8)
        self.engine.emu_start(function, RETURN, timeout=LIMIT)
        reached = self.engine.reg_read(arm.UC_ARM64_REG_PC if self.is_arm else x86.UC_X86_REG_RIP)
        if reached != RETURN:
            raise RuntimeError(f"an emitter stopped at {reached:#x}")
