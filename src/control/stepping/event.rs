//! What a front-end tells of the end of a `run` or `single-step`.

use crate::address::Address;
use std::collections::BTreeMap;

/// How a `run` or `single-step` ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Why the target stopped.
    pub reason: Reason,
    /// Where, if it did.
    pub address: Option<Address>,
    /// How often each of the places was reached.
    pub hits: BTreeMap<Address, u64>,
    /// What the debugger says of it.
    pub text: String,
}

/// Why a target stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// At one of the places that were asked for, or behind the instruction.
    Place,
    /// At a breakpoint of the user.
    Breakpoint,
    /// By a signal.
    Signal,
    /// It has ended.
    Exited,
    /// The user interrupted it.
    Interrupt,
    /// Anything else.
    Other,
}

impl Reason {
    /// The reason with this word.
    pub fn of_word(word: &str) -> Reason {
        match word {
            "place" => Reason::Place,
            "breakpoint" => Reason::Breakpoint,
            "signal" => Reason::Signal,
            "exited" => Reason::Exited,
            "interrupt" => Reason::Interrupt,
            _ => Reason::Other,
        }
    }
}
