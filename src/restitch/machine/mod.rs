//! Interpreters of machine code: what compilers make of CPython's emitters, and no more.

mod aarch64;
mod x86_64;

use super::{Bus, Stop, Value};
use crate::address::Address;
use crate::platform::Architecture;

/// How many arguments an emitter has: code, data, executor, instruction, state (`StencilGroup.emit` in `Python/jit.c`).
pub const ARGUMENTS: usize = 5;

/// Something that runs functions.
///
/// It may keep what it has decoded as long as the memory behind `bus` stays the same.
pub trait Machine {
    /// Runs the function at `function` until it returns.
    ///
    /// # Errors
    /// Why it ended before that.
    fn call(
        &mut self,
        bus: &mut Bus<'_>,
        function: Address,
        arguments: &[Value; ARGUMENTS],
    ) -> Result<(), Stop>;
}

/// The interpreter for an architecture; `None` where there is none yet.
pub fn of(architecture: Architecture) -> Option<Box<dyn Machine>> {
    match architecture {
        Architecture::X86_64 => Some(Box::new(x86_64::Processor::default())),
        Architecture::Aarch64 => Some(Box::new(aarch64::Aarch64::default())),
    }
}
