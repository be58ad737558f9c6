//! Machine code → what it does, by capstone's details.

mod aarch64;
mod x86;

use super::architecture::Architecture;
use super::instruction::Instruction;
use super::operation::{Operations, Register, RegisterSet, Step};
use crate::error::Error;
use capstone::{Capstone, Endian, Mode, NO_EXTRA_MODE};

/// Understands what instructions do. Slower than decoding their text: meant for each stencil once.
pub struct Lifter {
    capstone: Capstone,
    architecture: Architecture,
}

// SAFETY: as for `Engine`: the handle has no tie to the thread that opened it, nobody else has it, and `Lifter` is not
// `Sync`.
unsafe impl Send for Lifter {}

impl Lifter {
    /// A lifter for this machine.
    pub fn new(architecture: Architecture) -> Result<Lifter, Error> {
        let capstone = open(architecture).map_err(|error| Error::Usage {
            message: format!("the disassembler for {architecture} cannot start: {error}"),
            hint: None,
        })?;
        Ok(Lifter {
            capstone,
            architecture,
        })
    }

    /// What machine this is for.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// What each of these instructions does, which lie one behind the other in `code`.
    pub fn lift(&self, instructions: &[Instruction], code: &[u8]) -> Operations {
        let mut operations = Operations::default();
        let mut rest = code;
        for instruction in instructions {
            let length = usize::from(instruction.length()).min(rest.len());
            let (own, behind) = rest.split_at(length);
            rest = behind;
            if self.one(own, instruction, &mut operations).is_none() {
                operations.push(Step::Forget(RegisterSet::of_bits(u32::MAX)));
                operations.push(Step::LoseFlags);
            }
            operations.end_instruction();
        }
        operations
    }

    fn one(
        &self,
        code: &[u8],
        instruction: &Instruction,
        operations: &mut Operations,
    ) -> Option<()> {
        let mut decoded = self
            .capstone
            .disasm_iter(code, instruction.address().0)
            .ok()?;
        let decoded = decoded.next()?;
        if decoded.len() != code.len() {
            return None;
        }
        let detail = self.capstone.insn_detail(&decoded).ok()?;
        let mnemonic = decoded.mnemonic()?;
        let mut push = |step| operations.push(step);
        match self.architecture {
            Architecture::X86_64 => x86::lift(mnemonic, &detail, &mut push),
            Architecture::Aarch64 => aarch64::lift(mnemonic, &detail, &mut push),
        }
    }
}

/// Hands on the only step of an instruction.
fn single(push: &mut dyn FnMut(Step), step: Step) -> Option<()> {
    push(step);
    Some(())
}

fn open(architecture: Architecture) -> capstone::CsResult<Capstone> {
    let (arch, mode) = match architecture {
        Architecture::X86_64 => (capstone::Arch::X86, Mode::Mode64),
        Architecture::Aarch64 => (capstone::Arch::ARM64, Mode::Arm),
    };
    let mut capstone = Capstone::new_raw(arch, mode, NO_EXTRA_MODE, Some(Endian::Little))?;
    capstone.set_detail(true)?;
    Ok(capstone)
}

/// The number of the stack pointer, and the registers that a call may change: the platform's calling convention.
pub fn calling_convention(architecture: Architecture) -> (Register, RegisterSet) {
    match architecture {
        // All but rbx 3, rsp 4, rbp 5, r12 … r15.
        Architecture::X86_64 => (Register::new(4), RegisterSet::of_bits(0x0fc7)),
        // x0 … x18 and the link register x30; x19 … x29 and sp survive.
        Architecture::Aarch64 => (Register::new(31), RegisterSet::of_bits(0x4007_ffff)),
    }
}
