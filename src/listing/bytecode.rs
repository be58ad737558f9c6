//! The bytecode of a function with its executors: the report of `jit-bytecode`.

use super::exits::{ExitRecordKind, Link, Temperature};
use super::rows::CodeRef;
use crate::address::{Address, BytecodeOffset};
use serde::Serialize;
use std::sync::Arc;

/// The bytecode of a function.
#[derive(Clone, Debug, Serialize)]
pub struct BytecodeData {
    /// The code object.
    pub code: CodeRef,
    /// `co_firstlineno`.
    pub firstlineno: i32,
    /// Its instructions as `dis` shows them, inline caches left out; behind `ENTER_EXECUTOR` what was there before.
    pub instructions: Vec<BytecodeRow>,
    /// Its exception handlers.
    pub handlers: Vec<HandlerRow>,
    /// Whether these are all instructions; otherwise a finding says why the rest is not known.
    pub complete: bool,
    /// The text of its source lines, where they could be read.
    #[serde(skip)]
    pub source: Vec<(i32, String)>,
}

/// An instruction.
#[derive(Clone, Debug, Serialize)]
pub struct BytecodeRow {
    /// Where it stands.
    pub offset: BytecodeOffset,
    /// The number, specialised as it stands in memory.
    pub opcode: u8,
    /// Its name.
    pub opname: Option<Arc<str>>,
    /// The argument, with those of the prefixes before it; `None` if the instruction has none.
    pub oparg: Option<u32>,
    /// What the argument means, in the words of `dis`; `None` if that is nothing, or not known.
    pub argrepr: Option<String>,
    /// Its line.
    pub line: Option<i32>,
    /// The number of its label (`L1`).
    pub label: Option<u32>,
    /// Where it can jump to.
    pub jump_target: Option<BytecodeOffset>,
    /// The executors that are entered here.
    pub entries: Vec<EntryMark>,
    /// The exits of executors that come back here.
    pub exits: Vec<ExitMark>,
}

/// An executor that is entered at an instruction.
#[derive(Clone, Debug, Serialize)]
pub struct EntryMark {
    /// Where it is.
    pub executor: Address,
    /// `#N`.
    pub index: Option<u32>,
    /// Uops of its trace.
    pub uop_count: u64,
    /// Whether it may be entered.
    pub valid: bool,
    /// Whether it ran lately.
    pub warm: Option<bool>,
    /// The threads that are in it.
    pub running_in: Vec<u64>,
}

/// An exit that comes back to an instruction.
#[derive(Clone, Debug, Serialize)]
pub struct ExitMark {
    /// The executor that has it.
    pub executor: Address,
    /// `#N`.
    pub index: Option<u32>,
    /// Its place among the exits.
    pub exit: u32,
    /// Why it is taken.
    pub kind: ExitRecordKind,
    /// How often it must still be taken before CPython tries to compile what follows. Only cold exits count.
    pub temperature: Option<Temperature>,
    /// The executor that goes on instead; `None` while the exit is cold.
    pub linked_to: Option<Link>,
}

/// An exception handler.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct HandlerRow {
    /// The first instruction that it protects.
    pub start: BytecodeOffset,
    /// Behind the last.
    pub end: BytecodeOffset,
    /// Where it begins.
    pub target: BytecodeOffset,
    /// How many values stay on the stack.
    pub depth: u32,
    /// Whether the offset of the instruction that raised is pushed.
    pub lasti: bool,
}
