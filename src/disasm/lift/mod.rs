//! Machine code → what it does, by capstone's details.

mod aarch64;
mod x86_64;

use super::dialect::{Dialect, Syntax};
use super::instruction::Instruction;
use super::operation::{Operations, Step};
use crate::error::Error;
use crate::platform::{Architecture, RegisterSet};
use capstone::{Capstone, InsnDetail};

pub(super) use aarch64::lift as aarch64;
pub(super) use x86_64::lift as x86_64;

/// Calls the last argument with each step of an instruction, by mnemonic and details; `None` if it cannot be told.
pub(super) type Lift = fn(&str, &InsnDetail<'_>, &mut dyn FnMut(Step)) -> Option<()>;

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
        let opened = Dialect::of(architecture).capstone(Syntax::default());
        let capstone = opened.and_then(|mut capstone| {
            capstone.set_detail(true)?;
            Ok(capstone)
        });
        let capstone = capstone.map_err(|error| Error::Usage {
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
        (Dialect::of(self.architecture).lift)(mnemonic, &detail, &mut push)
    }
}

/// Hands on the only step of an instruction.
fn single(push: &mut dyn FnMut(Step), step: Step) -> Option<()> {
    push(step);
    Some(())
}
