//! The machines that CPython's JIT emits code for, each described in one file: names, registers, conventions.
//!
//! What is different about a machine is a fact of its [`Platform`]; the layers above ask for the fact, never for the
//! machine (`tests/layering.rs` sees to it). How instructions are decoded and understood is in `disasm/dialect`.

mod aarch64;
mod register;
mod x86_64;

pub use register::{Register, RegisterSet};

use crate::address::Address;
use crate::error::Error;
use std::fmt;
use std::str::FromStr;

/// An architecture that CPython's JIT emits code for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Architecture {
    /// AMD64; also what is assumed where it makes no difference and nothing is known.
    #[default]
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

/// Where a call leaves the address that it returns to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// It is pushed, and takes so many bytes of the stack.
    Pushed(u64),
    /// In a register.
    Register(Register),
}

/// What is different about a machine.
#[derive(Debug)]
pub struct Platform {
    /// The name, as it is written in JSON and as the kernel has it.
    pub name: &'static str,
    /// The name in sentences.
    pub title: &'static str,
    /// GDB's name.
    pub debugger_name: &'static str,
    /// Whether a debugger's name means it.
    pub is_called: fn(&str) -> bool,
    /// `e_machine` of its ELF files.
    pub elf_machine: u16,
    /// The relocation type of a slot through which imported functions are called.
    pub jump_slot: u32,
    /// The names of the registers of a thread in the kernel's order, all of eight bytes.
    pub kernel_registers: &'static [&'static str],
    /// Those that programs compute with, by the names that every debugger knows: what is asked for of a frame.
    pub frame_registers: &'static [&'static str],
    /// What debuggers call registers besides their own names, and those.
    pub aliases: &'static [(&'static str, &'static str)],
    /// The names of the general registers by their number in instructions.
    pub registers: &'static [&'static str],
    /// DWARF's numbers, from 0 on.
    pub dwarf_registers: &'static [Register],
    /// DWARF's number of the return address, where it is none of a register.
    pub dwarf_return_address: Option<u16>,
    /// What debuggers call the program counter.
    pub pc: &'static str,
    /// The stack pointer.
    pub stack_pointer: Register,
    /// The register that frames are found by where code keeps it for that.
    pub frame_pointer: Register,
    /// The register with the first argument of a function, by C's convention.
    pub first_argument: Register,
    /// The register with what a function returns, by C's convention.
    pub result: Register,
    /// The registers that a function gives back as it got them.
    pub callee_saved: &'static [Register],
    /// The registers that a call may change.
    pub lost_by_calls: RegisterSet,
    /// The arguments of `preserve_none` functions, in order: stencils are such functions.
    pub preserve_none: [Register; 7],
    /// Where a call leaves its return address.
    pub link: Link,
    /// The bits of a pointer to code that are its address; others may hold a signature.
    pub code_address: u64,
    /// Whether unwind tables tell where return addresses get such a signature (`DW_CFA_AARCH64_negate_ra_state`).
    pub signs_return_addresses: bool,
    /// The bytes that an instruction has at least, which is also how far decoding moves on after bytes that are none.
    pub instruction_unit: u8,
    /// What debuggers put in the place of an instruction to stop there.
    pub breakpoint: &'static [u8],
    /// `DATA_ALIGN` in `Python/jit.c`.
    pub data_align: u64,
}

impl Architecture {
    /// All that there are.
    pub const ALL: [Architecture; 2] = [Architecture::X86_64, Architecture::Aarch64];

    /// What is different about it.
    pub fn platform(self) -> &'static Platform {
        match self {
            Architecture::X86_64 => &x86_64::PLATFORM,
            Architecture::Aarch64 => &aarch64::PLATFORM,
        }
    }

    /// The name, as it is written in JSON.
    pub fn name(self) -> &'static str {
        self.platform().name
    }

    /// The one that a debugger calls so (`i386:x86-64`, `x86_64`, `aarch64`).
    pub fn of_debugger(name: &str) -> Option<Architecture> {
        Architecture::first(|platform| (platform.is_called)(name))
    }

    /// The one that ELF files with this `e_machine` are for.
    pub fn of_elf(machine: u16) -> Option<Architecture> {
        Architecture::first(|platform| platform.elf_machine == machine)
    }

    /// The one that this program runs on.
    pub fn of_this_machine() -> Option<Architecture> {
        Architecture::first(|platform| platform.name == std::env::consts::ARCH)
    }

    fn first(is_it: impl Fn(&Platform) -> bool) -> Option<Architecture> {
        let mut all = Architecture::ALL.into_iter();
        all.find(|architecture| is_it(architecture.platform()))
    }

    /// The address in a pointer to code, without a signature that it may carry.
    pub fn code_address(self, pointer: u64) -> Address {
        Address(pointer & self.platform().code_address)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Architecture {
    type Err = Error;

    /// Understands GDB's names (`i386:x86-64`, also with `:intel`), LLDB's and the kernel's.
    fn from_str(name: &str) -> Result<Self, Error> {
        Architecture::of_debugger(name).ok_or_else(|| Error::Usage {
            message: format!("code for {name} cannot be disassembled"),
            hint: Some(format!("{} can", all_names())),
        })
    }
}

/// The names of all architectures, for sentences.
pub fn all_names() -> String {
    Architecture::ALL.map(Architecture::name).join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_is_found_by_each_of_its_names() {
        for architecture in Architecture::ALL {
            let platform = architecture.platform();
            for name in [platform.name, platform.debugger_name] {
                assert_eq!(Architecture::of_debugger(name), Some(architecture));
            }
            let by_elf = Architecture::of_elf(platform.elf_machine);
            assert_eq!(by_elf, Some(architecture));
        }
        assert_eq!(Architecture::of_debugger("i386"), None);
        assert_eq!(Architecture::of_elf(3), None);
        assert!("riscv64".parse::<Architecture>().is_err());
    }

    #[test]
    fn every_name_of_a_register_is_the_kernels() {
        for architecture in Architecture::ALL {
            let platform = architecture.platform();
            let aliased = platform.aliases.iter().map(|(_, name)| name);
            let named = platform.registers.iter().chain(platform.frame_registers);
            for name in named.chain(aliased).chain([&platform.pc]) {
                assert!(platform.kernel_registers.contains(name), "{name}");
            }
            for register in platform.callee_saved {
                assert!(!platform.lost_by_calls.contains(*register));
            }
            assert!(platform.lost_by_calls.contains(platform.result));
            assert!(!platform.lost_by_calls.contains(platform.stack_pointer));
        }
    }

    #[test]
    fn a_signature_is_no_part_of_an_address() {
        let signed = 0x0042_ffff_f7a1_0128;
        let address = Architecture::Aarch64.code_address(signed);
        assert_eq!(address, Address(0xffff_f7a1_0128));
        let kept = Architecture::X86_64.code_address(signed);
        assert_eq!(kept, Address(signed));
    }
}
