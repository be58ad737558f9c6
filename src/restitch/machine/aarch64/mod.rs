//! An interpreter of AArch64.
//!
//! `decode` says what an instruction is, `execute` carries it out; each has a file for a class of encodings.

mod decode;
mod execute;
mod flags;
mod state;
#[cfg(test)]
mod tests;

use super::{ARGUMENTS, Machine};
use crate::address::Address;
use crate::restitch::{Builtin, Bus, RETURN, Stop, Value};
use state::State;

/// Bytes of each instruction.
const INSTRUCTION: u64 = 4;

/// The link register.
const LINK: usize = 30;

/// The interpreter.
#[derive(Default)]
pub(super) struct Aarch64 {
    state: State,
}

impl Machine for Aarch64 {
    fn call(
        &mut self,
        bus: &mut Bus<'_>,
        function: Address,
        arguments: &[Value; ARGUMENTS],
    ) -> Result<(), Stop> {
        for (number, argument) in arguments.iter().enumerate() {
            self.state.set(number, *argument);
        }
        self.state.set_or_stack(31, Value::body(bus.begin()));
        self.state.set(LINK, Value::body(RETURN));
        let mut pc = function.0;
        while pc != RETURN {
            bus.step()?;
            pc = self.step(bus, pc)?;
        }
        Ok(())
    }
}

impl Aarch64 {
    /// Carries out the instruction at `pc`: where it goes on.
    fn step(&mut self, bus: &mut Bus<'_>, pc: u64) -> Result<u64, Stop> {
        let word = fetch(bus, pc)?;
        let instruction =
            decode::decode(word).ok_or_else(|| Stop::unsupported(pc, &word.to_le_bytes()))?;
        match execute::run(&mut self.state, bus, pc, &instruction)? {
            None => Ok(pc.wrapping_add(INSTRUCTION)),
            Some(Jump { to, link }) => self.jump(bus, pc.wrapping_add(INSTRUCTION), to, link),
        }
    }

    /// Goes to `to`, or carries out what is called there. `next` is behind the branch.
    fn jump(&mut self, bus: &mut Bus<'_>, next: u64, to: u64, link: bool) -> Result<u64, Stop> {
        if let Some(builtin) = bus.builtin(to) {
            self.carry_out(bus, builtin)?;
            return Ok(if link {
                next
            } else {
                self.state.get(LINK).number
            });
        }
        if link {
            self.state.set(LINK, Value::body(next));
        }
        Ok(to)
    }

    fn carry_out(&self, bus: &mut Bus<'_>, builtin: Builtin) -> Result<(), Stop> {
        let [to, what, length] = [0, 1, 2].map(|number| self.state.get(number));
        match builtin {
            Builtin::Copy => bus.copy(to.number, what.number, length.number),
            Builtin::Fill => bus.fill(to.number, what, length.number),
            Builtin::StackCheckFailed => Err(Stop::StackCheckFailed),
        }
    }
}

/// A branch that is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Jump {
    to: u64,
    /// The link register gets the address behind the branch.
    link: bool,
}

fn fetch(bus: &Bus<'_>, pc: u64) -> Result<u32, Stop> {
    let mut bytes = [0; 16];
    let length = bus.fetch(pc, &mut bytes)?;
    match bytes {
        [a, b, c, d, ..] if length >= 4 => Ok(u32::from_le_bytes([a, b, c, d])),
        _ => Err(Stop::BadCall {
            address: Address(pc),
        }),
    }
}
