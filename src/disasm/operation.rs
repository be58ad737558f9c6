//! What instructions do to registers and memory, as far as names of values can be followed through it.
//!
//! An instruction is a few [steps](Step). What is not understood is said to forget whatever it may write, so that
//! nothing is believed to survive that does not.

use crate::platform::{Register, RegisterSet};

/// A memory operand: `base + index * scale + displacement`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Memory {
    /// Where it counts from.
    pub base: Base,
    /// A register that is added, and what it is multiplied by.
    pub index: Option<(Register, u8)>,
    /// Bytes that are added.
    pub displacement: i64,
    /// Bytes that are read or written.
    pub size: u8,
}

/// Where a memory operand counts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    /// From zero.
    Nothing,
    /// From a register.
    Register(Register),
    /// From the instruction: [`Instruction::pc_relative`](super::Instruction::pc_relative) tells the address.
    Pc,
    /// From something that is not followed (a segment, an extended index).
    Unknown,
}

/// Something that is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// The low `bits` of a register.
    Register {
        /// The register.
        register: Register,
        /// How many bits.
        bits: u8,
    },
    /// A number that is written in the instruction.
    Immediate(u64),
    /// The address that [`Instruction::pc_relative`](super::Instruction::pc_relative) tells.
    PcRelative,
    /// The same, of a page: the upper part of an address, to which the lower is added.
    Page,
    /// Memory.
    Memory(Memory),
    /// Something that is not followed.
    Unknown,
}

/// What a register is set to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expression {
    /// What was read, the upper bits zero.
    Value(Operand),
    /// What was read, the upper bits like its highest.
    SignExtended(Operand),
    /// The address of a memory operand.
    AddressOf(Memory),
    /// A sum.
    Add(Operand, Operand),
    /// A difference.
    Subtract(Operand, Operand),
    /// Bits that are set in both.
    And(Operand, Operand),
    /// Bits that are set in either.
    Or(Operand, Operand),
    /// The first, moved up by this many bits.
    ShiftLeft(Operand, u8),
    /// All bits turned over.
    Not(Operand),
    /// The first with 16 bits of it replaced by an immediate, moved up by this many bits (`movk`).
    Insert(Operand, u64, u8),
}

/// A part of what an instruction does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Sets a register; of the result the low `bits` count, the others become zero.
    Set {
        /// The register.
        to: Register,
        /// 64 or 32.
        bits: u8,
        /// What it is set to.
        value: Expression,
    },
    /// Writes to memory.
    Store {
        /// Where to.
        to: Memory,
        /// What.
        value: Operand,
    },
    /// Reads and writes memory, or writes something that is not followed.
    Change {
        /// Where.
        at: Memory,
        /// Whether it is read first.
        reads: bool,
    },
    /// Reads something.
    Use(Operand),
    /// Compares two values for the conditional jump that follows.
    Compare(Operand, Operand),
    /// Looks at the bits of the first that are set in the second.
    Test(Operand, Operand),
    /// The last comparison no longer decides conditional jumps.
    LoseFlags,
    /// Registers get values that are not followed.
    Forget(RegisterSet),
    /// Calls a function, by the platform's calling convention.
    Call(Operand),
    /// Goes on somewhere else.
    Jump(Operand),
}

/// What a number of instructions do.
#[derive(Clone, Default, Debug)]
pub struct Operations {
    steps: Vec<Step>,
    /// For each instruction, where its steps end.
    ends: Vec<usize>,
}

impl Operations {
    /// The steps of the instruction with this index.
    pub fn steps(&self, instruction: usize) -> &[Step] {
        let start = match instruction.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default(),
            None => 0,
        };
        let end = self.ends.get(instruction).copied().unwrap_or_default();
        self.steps.get(start..end).unwrap_or_default()
    }

    /// How many instructions there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub(super) fn end_instruction(&mut self) {
        self.ends.push(self.steps.len());
    }
}
