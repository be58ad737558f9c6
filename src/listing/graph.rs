//! Executors and the exits that link them: the report of `jit-graph`.

use super::exits::ExitRecordKind;
use super::rows::{Bytecode, CodeRef, ExecutorHeader};
use crate::address::Address;
use serde::Serialize;
use std::sync::Arc;

/// Executors and their links.
#[derive(Clone, Debug, Serialize)]
pub struct GraphData {
    /// The executors, in the order of their numbers.
    pub executors: Vec<GraphNode>,
    /// The exits that lead from one to another, in the order of executors and exits.
    pub links: Vec<GraphLink>,
    /// Executors that are not among them: invalid ones that nothing leads to and nothing runs.
    pub left_out: u64,
    /// How it is drawn.
    #[serde(skip)]
    pub drawing: Drawing,
}

/// How a graph is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Drawing {
    /// The language of Graphviz.
    #[default]
    Dot,
    /// A picture.
    Svg,
}

/// An executor.
#[derive(Clone, Debug, Serialize)]
pub struct GraphNode {
    /// The executor.
    pub executor: ExecutorHeader,
    /// The instruction at which bytecode enters it, as it was before `ENTER_EXECUTOR`.
    pub entry_opname: Option<Arc<str>>,
    /// Whether its trace ends by jumping to its own top (`_JUMP_TO_TOP`).
    pub loops: bool,
    /// Exits that lead to no executor yet.
    pub cold_exits: u64,
    /// The cold exit that will be compiled first.
    pub hottest: Option<Hottest>,
}

/// A cold exit that has been taken more often than the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Hottest {
    /// The index of the exit.
    pub exit: u32,
    /// How often it must still be taken before CPython tries to compile what follows it.
    pub left: u16,
}

/// An exit that leads to an executor.
#[derive(Clone, Debug, Serialize)]
pub struct GraphLink {
    /// The executor that has the exit.
    pub from: Address,
    /// The index of the exit.
    pub exit: u32,
    /// The executor that goes on.
    pub to: Address,
    /// Why the exit is taken.
    pub kind: ExitRecordKind,
    /// The code object in which it goes on.
    pub code: Option<CodeRef>,
    /// The instruction at which it goes on.
    pub bytecode: Option<Bytecode>,
    /// The line of that instruction.
    pub line: Option<i32>,
}
