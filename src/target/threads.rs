//! The threads of a target with their registers.

use super::Registers;

/// A thread, as far as a front-end knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ThreadRegisters {
    /// The kernel's id of it.
    pub thread: Option<u64>,
    /// Whether the user has selected it.
    pub is_selected: bool,
    /// The registers of its innermost frame, whichever frame is selected.
    pub registers: Registers,
}
