//! Registers by number.

use super::Architecture;

/// A general-purpose register with all its bits: on x86-64 by the number of its encoding (`rax` 0 … `r15` 15), on
/// AArch64 by its own (`x30` 30, `sp` 31).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct Register(u8);

impl Register {
    /// How many there are at most.
    pub const COUNT: usize = 32;

    /// The register with this number.
    pub const fn new(number: u8) -> Register {
        // The mask keeps it below `COUNT`.
        Register(number & 31)
    }

    /// Its name, as debuggers write it.
    pub fn name(self, architecture: Architecture) -> &'static str {
        let names = architecture.platform().registers;
        names.get(self.number()).copied().unwrap_or("?")
    }

    /// Its number, below [`Register::COUNT`].
    pub fn number(self) -> usize {
        usize::from(self.0)
    }
}

/// The registers with these numbers.
#[allow(clippy::indexing_slicing)] // only for constants: compilers evaluate it, and end there if it were wrong
pub(super) const fn of_numbers<const N: usize>(numbers: [u8; N]) -> [Register; N] {
    let mut registers = [Register(0); N];
    let mut index = 0;
    while index < N {
        registers[index] = Register::new(numbers[index]);
        index += 1;
    }
    registers
}

/// Some registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RegisterSet(u32);

impl RegisterSet {
    /// The registers whose numbers are set in `bits`.
    pub const fn of_bits(bits: u32) -> RegisterSet {
        RegisterSet(bits)
    }

    /// Adds a register.
    pub fn insert(&mut self, register: Register) {
        self.0 |= 1 << register.0;
    }

    /// Whether a register is among them.
    pub fn contains(self, register: Register) -> bool {
        self.0 & (1 << register.0) != 0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}
