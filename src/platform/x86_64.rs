//! x86-64 on Linux.

use super::register::of_numbers;
use super::{Link, Platform, Register, RegisterSet};

/// `rax` … `r15`, by the number of their encoding.
const REGISTERS: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];

/// `struct user_regs_struct` (Linux: arch/x86/include/asm/user_64.h).
const KERNEL: [&str; 27] = [
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi",
    "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs",
    "gs",
];

const FRAME: [&str; 17] = [
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15", "rip",
];

/// System V x86-64 ABI, figure 3.36: the first eight are not in the order of their encodings.
const DWARF: [Register; 16] = of_numbers([0, 2, 1, 3, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15]);

/// rbx, rbp, r12 … r15.
const CALLEE_SAVED: [Register; 6] = of_numbers([3, 5, 12, 13, 14, 15]);

pub(super) const PLATFORM: Platform = Platform {
    name: "x86_64",
    title: "x86-64",
    debugger_name: "i386:x86-64",
    is_called: |name| name == "amd64" || name.contains("x86-64") || name.contains("x86_64"),
    // EM_X86_64, R_X86_64_JUMP_SLOT
    elf_machine: 62,
    jump_slot: 7,
    kernel_registers: &KERNEL,
    frame_registers: &FRAME,
    aliases: &[("pc", "rip"), ("sp", "rsp"), ("fp", "rbp")],
    registers: &REGISTERS,
    dwarf_registers: &DWARF,
    dwarf_return_address: Some(16),
    pc: "rip",
    stack_pointer: Register::new(4),
    frame_pointer: Register::new(5),
    first_argument: Register::new(7),
    result: Register::new(0),
    callee_saved: &CALLEE_SAVED,
    // All but rbx 3, rsp 4, rbp 5, r12 … r15.
    lost_by_calls: RegisterSet::of_bits(0x0fc7),
    preserve_none: of_numbers([12, 13, 14, 15, 7, 6, 2]),
    link: Link::Pushed(8),
    code_address: u64::MAX,
    signs_return_addresses: false,
    instruction_unit: 1,
    // int3
    breakpoint: &[0xcc],
    data_align: 1,
};
