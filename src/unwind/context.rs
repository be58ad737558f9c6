//! The registers of a frame, as far as they are known.

use crate::address::Address;
use crate::platform::{Architecture, Register};
use crate::target::Registers;

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
        let pc = value(architecture.platform().pc)?;
        let mut context = Context::at(architecture, Address(pc));
        for (number, name) in (0u8..).zip(architecture.platform().registers) {
            context.set(Register::new(number), value(name));
        }
        Some(context)
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
        let stack_pointer = self.architecture.platform().stack_pointer;
        self.get(stack_pointer).map(Address)
    }

    /// Sets the stack pointer.
    pub fn set_sp(&mut self, sp: Address) {
        self.set(self.architecture.platform().stack_pointer, Some(sp.0));
    }

    /// The registers that are known, by name.
    pub fn known(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let named = self
            .architecture
            .platform()
            .registers
            .iter()
            .zip(&self.values);
        named.filter_map(|(name, value)| Some((*name, (*value)?)))
    }
}

/// What DWARF calls a register with this number: a register of ours, or the return address.
pub fn of_dwarf(architecture: Architecture, number: u16) -> Option<DwarfRegister> {
    let platform = architecture.platform();
    if platform.dwarf_return_address == Some(number) {
        return Some(DwarfRegister::ReturnAddress);
    }
    let registers = platform.dwarf_registers;
    let register = registers.get(usize::from(number)).copied()?;
    Some(DwarfRegister::Own(register))
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
            Some(DwarfRegister::Own(register)) => register.name(Architecture::X86_64),
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
        let registers = Registers::from_bytes(Architecture::X86_64, &[0; 64]);
        assert_eq!(Context::of_thread(Architecture::X86_64, &registers), None);
    }
}
