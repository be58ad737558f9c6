//! Carries out instructions.
//!
//! The origins of a result are those of everything that it was computed from; of flags none are kept, since no emitter
//! computes bytes of code from a comparison.

mod branch;
mod immediate;
mod memory;
mod register;
mod shift;
mod vector;
mod vector_move;
mod vector_shift;

use super::Jump;
use super::decode::Instruction;
use super::state::State;
use crate::restitch::{Bus, Stop};

/// Carries out an instruction: where it goes if that is not the next one.
pub(super) fn run(
    state: &mut State,
    bus: &mut Bus<'_>,
    pc: u64,
    instruction: &Instruction,
) -> Result<Option<Jump>, Stop> {
    match instruction {
        Instruction::Immediate(immediate) => immediate::run(state, pc, immediate),
        Instruction::Register(register) => register::run(state, register),
        Instruction::Memory(memory) => memory::run(state, bus, pc, memory)?,
        Instruction::Vector(vector) => vector::run(state, vector),
        Instruction::Branch(branch) => return Ok(branch::run(state, pc, branch)),
    }
    Ok(None)
}
