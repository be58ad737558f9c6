//! The registers of a frame, as far as they are known.

use crate::address::Address;
use crate::disasm::{Architecture, Register, calling_convention};
use crate::target::Registers;

/// `rax` … `r15`, by the number of their encoding.
const X86_64: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];

const AARCH64: [&str; 32] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "x29", "x30", "sp",
];

/// System V x86-64 ABI, figure 3.36: DWARF's numbers of the first eight registers, as encodings.
const DWARF_X86_64: [u8; 8] = [0, 2, 1, 3, 6, 7, 5, 4];

/// DWARF's number of the return address of x86-64.
const DWARF_RETURN_ADDRESS: u16 = 16;

/// The registers of one frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// Where it is, or goes on when what it called returns.
    pub pc: Address,
    /// The machine.
    pub architecture: Architecture,
    values: [Option<u64>; Register::COUNT],
}

impl Context {
    /// A frame of which nothing but its place is known.
    pub fn at(architecture: Architecture, pc: Address) -> Context {
        Context {
            pc,
            architecture,
            values: [None; Register::COUNT],
        }
    }

    /// The innermost frame of a thread; `None` without a program counter.
    pub fn of_thread(architecture: Architecture, registers: &Registers) -> Option<Context> {
        Context::of_names(architecture, &|name| registers.get(name))
    }

    /// A frame whose registers are known by name; `None` without a program counter.
    pub fn of_names(
        architecture: Architecture,
        value: &dyn Fn(&str) -> Option<u64>,
    ) -> Option<Context> {
        let pc = value(Context::pc_name(architecture))?;
        let mut context = Context::at(architecture, Address(pc));
        for (number, name) in (0u8..).zip(names(architecture)) {
            context.set(Register::new(number), value(name));
        }
        Some(context)
    }

    /// What debuggers call the program counter.
    pub fn pc_name(architecture: Architecture) -> &'static str {
        match architecture {
            Architecture::X86_64 => "rip",
            Architecture::Aarch64 => "pc",
        }
    }

    /// The value of a register.
    pub fn get(&self, register: Register) -> Option<u64> {
        self.values.get(register.number()).copied().flatten()
    }

    /// Sets a register, or forgets it.
    pub fn set(&mut self, register: Register, value: Option<u64>) {
        if let Some(place) = self.values.get_mut(register.number()) {
            *place = value;
        }
    }

    /// The stack pointer.
    pub fn sp(&self) -> Option<Address> {
        let (stack_pointer, _) = calling_convention(self.architecture);
        self.get(stack_pointer).map(Address)
    }

    /// The registers that are known, by name.
    pub fn known(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let named = names(self.architecture).iter().zip(&self.values);
        named.filter_map(|(name, value)| Some((*name, (*value)?)))
    }
}

/// The names of the registers, by number.
fn names(architecture: Architecture) -> &'static [&'static str] {
    match architecture {
        Architecture::X86_64 => &X86_64,
        Architecture::Aarch64 => &AARCH64,
    }
}

/// The name of a register.
pub fn name(architecture: Architecture, register: Register) -> &'static str {
    let names = names(architecture);
    names.get(register.number()).copied().unwrap_or_default()
}

/// The registers that a function gives back as it got them.
pub fn callee_saved(architecture: Architecture) -> impl Iterator<Item = Register> {
    let numbers: &[u8] = match architecture {
        // rbx, rbp, r12 … r15.
        Architecture::X86_64 => &[3, 5, 12, 13, 14, 15],
        // x19 … x29.
        Architecture::Aarch64 => &[19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29],
    };
    numbers.iter().copied().map(Register::new)
}

/// The register that frames are found by where code keeps it for that: `rbp`, `x29`.
pub fn frame_pointer(architecture: Architecture) -> Register {
    match architecture {
        Architecture::X86_64 => Register::new(5),
        Architecture::Aarch64 => Register::new(29),
    }
}

/// What DWARF calls a register with this number: a register of ours, or the return address.
pub fn of_dwarf(architecture: Architecture, number: u16) -> Option<DwarfRegister> {
    let own = |number: u8| Some(DwarfRegister::Own(Register::new(number)));
    let small = u8::try_from(number).ok();
    match architecture {
        Architecture::X86_64 if number == DWARF_RETURN_ADDRESS => {
            Some(DwarfRegister::ReturnAddress)
        }
        Architecture::X86_64 if number < DWARF_RETURN_ADDRESS => {
            let number = small?;
            own(*DWARF_X86_64.get(usize::from(number)).unwrap_or(&number))
        }
        Architecture::Aarch64 if number < 32 => own(small?),
        _ => None,
    }
}

/// A register by DWARF's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DwarfRegister {
    /// One that there is.
    Own(Register),
    /// A column of the table that stands for no register.
    ReturnAddress,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dwarf_numbers_registers_in_its_own_way() {
        let name_of = |number| match of_dwarf(Architecture::X86_64, number) {
            Some(DwarfRegister::Own(register)) => name(Architecture::X86_64, register),
            Some(DwarfRegister::ReturnAddress) => "return address",
            None => "none",
        };
        // System V x86-64 ABI, figure 3.36.
        let expected = [
            "rax",
            "rdx",
            "rcx",
            "rbx",
            "rsi",
            "rdi",
            "rbp",
            "rsp",
            "r8",
            "r9",
            "r10",
            "r11",
            "r12",
            "r13",
            "r14",
            "r15",
            "return address",
            "none",
        ];
        assert!((0..18).map(name_of).eq(expected));
    }

    #[test]
    fn a_thread_without_a_pc_has_no_frame() {
        let registers = Registers::from_bytes(crate::target::Processor::X86_64, &[0; 64]);
        assert_eq!(Context::of_thread(Architecture::X86_64, &registers), None);
    }
}
