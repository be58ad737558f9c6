//! The exits of executors: the report of `jit-exits`.

use super::model::Finding;
use super::rows::{Bytecode, CodeRef, Entry, ExecutorHeader};
use crate::address::{Address, UopIndex};
use crate::cpython::BackoffCounter;
use serde::Serialize;
use std::sync::Arc;

/// The exits of some executors.
#[derive(Clone, Debug, Serialize)]
pub struct ExitsData {
    /// One for each executor.
    pub executors: Vec<ExecutorExits>,
}

/// The exits of one executor.
#[derive(Clone, Debug, Serialize)]
pub struct ExecutorExits {
    /// The executor.
    pub executor: ExecutorHeader,
    /// Its exits.
    pub exits: Vec<ExitRow>,
    /// What of it is odd.
    #[serde(skip)]
    pub findings: Vec<Finding>,
}

/// An exit record (`_PyExitData`) and the stub that belongs to it.
#[derive(Clone, Debug, Serialize)]
pub struct ExitRow {
    /// Its place among the exits of the executor.
    pub index: u32,
    /// Where the record is.
    pub address: Address,
    /// Why it is taken.
    pub kind: ExitRecordKind,
    /// The uop that carries it out: a stub, or the last uop of the trace.
    pub stub: Option<UopIndex>,
    /// The uops that take it.
    pub uops: Vec<UopName>,
    /// The code unit at which the interpreter goes on (`exit->target`); of a dynamic exit meaningless.
    pub target: u32,
    /// The code object in which it goes on; `None` if several functions share the exit or it depends on the frame.
    pub code: Option<CodeRef>,
    /// The instruction at which it goes on.
    pub bytecode: Option<Bytecode>,
    /// The line of that instruction.
    pub line: Option<i32>,
    /// Inlined frames below it.
    pub depth: i32,
    /// How often it must still be taken before CPython tries to compile what follows. Only cold exits count.
    pub temperature: Option<Temperature>,
    /// The executor that goes on instead of the interpreter; `None` while the exit is cold.
    pub linked_to: Option<Link>,
}

/// Why an exit is taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExitRecordKind {
    /// A guess about a value was wrong.
    Side,
    /// A branch went the other way, or an iterator came to its end.
    ControlFlow,
    /// A frame is another one than the trace expected: where it goes on is only known then (`_DYNAMIC_EXIT`).
    Dynamic,
    /// The trace ends here.
    End,
}

impl ExitRecordKind {
    /// The word that text and JSON use.
    pub fn word(self) -> &'static str {
        match self {
            ExitRecordKind::Side => "side",
            ExitRecordKind::ControlFlow => "control-flow",
            ExitRecordKind::Dynamic => "dynamic",
            ExitRecordKind::End => "end",
        }
    }
}

/// A uop, to be named.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UopName {
    /// Its place in the trace.
    pub index: UopIndex,
    /// `_GUARD_TOS_INT_r22`.
    pub name: Arc<str>,
}

/// A `_Py_BackoffCounter`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Temperature {
    /// The 16 bits as they stand in memory.
    pub raw: u16,
    /// What is left to be counted down to 0; `None` where it is not known how this CPython divides the bits.
    pub value: Option<u16>,
    /// How high it starts again after a vain try.
    pub backoff: Option<u16>,
    /// Whether it never triggers.
    pub unreachable: Option<bool>,
}

impl From<BackoffCounter> for Temperature {
    fn from(counter: BackoffCounter) -> Temperature {
        Temperature {
            raw: counter.raw,
            value: counter.parts.map(|parts| parts.value),
            backoff: counter.parts.map(|parts| parts.backoff),
            unreachable: counter.parts.map(|parts| parts.unreachable),
        }
    }
}

/// The executor that an exit leads to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Link {
    /// Where it is.
    pub executor: Address,
    /// `#N`.
    pub index: Option<u32>,
    /// `co_qualname` of the function in which its trace begins.
    pub qualname: Option<String>,
    /// Where bytecode enters it; `None` if only exits do.
    pub entry: Option<Entry>,
    /// Executors between it and one in bytecode.
    pub chain_depth: Option<u32>,
    /// Whether it may be entered; `None` if it cannot be read.
    pub valid: Option<bool>,
}
