//! AArch64 on Linux.

use super::register::of_numbers;
use super::{Link, Platform, Register, RegisterSet};

/// By number.
const REGISTERS: [&str; 32] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "x29", "x30", "sp",
];

/// `struct user_pt_regs` (Linux: arch/arm64/include/uapi/asm/ptrace.h).
const KERNEL: [&str; 34] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "x29", "x30", "sp", "pc", "pstate",
];

/// DWARF for the Arm 64-bit Architecture, section 4.1: the numbers are the registers' own.
const DWARF: [Register; 32] = of_numbers([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31,
]);

/// x19 … x29.
const CALLEE_SAVED: [Register; 11] = of_numbers([19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);

pub(super) const PLATFORM: Platform = Platform {
    name: "aarch64",
    title: "AArch64",
    debugger_name: "aarch64",
    is_called: |name| matches!(name, "aarch64" | "arm64" | "arm64e"),
    // EM_AARCH64, R_AARCH64_JUMP_SLOT
    elf_machine: 183,
    jump_slot: 1026,
    kernel_registers: &KERNEL,
    frame_registers: KERNEL.split_at(33).0,
    aliases: &[("fp", "x29"), ("lr", "x30")],
    registers: &REGISTERS,
    dwarf_registers: &DWARF,
    dwarf_return_address: None,
    pc: "pc",
    stack_pointer: Register::new(31),
    frame_pointer: Register::new(29),
    first_argument: Register::new(0),
    result: Register::new(0),
    callee_saved: &CALLEE_SAVED,
    // x0 … x18 and the link register x30; x19 … x29 and sp survive.
    lost_by_calls: RegisterSet::of_bits(0x4007_ffff),
    preserve_none: of_numbers([20, 21, 22, 23, 24, 25, 26]),
    link: Link::Register(Register::new(30)),
    // A process has 48 bits unless it asks for more; above them is the signature of pointer authentication.
    code_address: 0x0000_ffff_ffff_ffff,
    signs_return_addresses: true,
    instruction_unit: 4,
    // brk #0
    breakpoint: &[0x00, 0x00, 0x20, 0xd4],
    data_align: 8,
};
