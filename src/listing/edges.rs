//! Jumps from one place of an executor's code to another: what a page draws as arrows.
//!
//! Edges come from the machine code. Where that is not listed, they come from what the uops carry (`jump_target`,
//! `error_target`); then no instruction is named.

use super::rows::UopRow;
use crate::address::{Address, UopIndex};
use crate::disasm::Flow;
use crate::map::{MappedExecutor, Place};
use serde::Serialize;

/// A jump inside an executor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Edge {
    /// The instruction that jumps; `None` if machine code was not asked for.
    pub from: Option<Address>,
    /// The uop that jumps.
    pub from_uop: UopIndex,
    /// Where it goes; `None` for a uop of which no code is known.
    pub to: Option<Address>,
    /// The uop there.
    pub to_uop: UopIndex,
    /// Which way.
    pub kind: EdgeKind,
    /// Whether control may also go on behind the instruction; `None` without one.
    pub conditional: Option<bool>,
}

/// Which way a jump goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeKind {
    /// It stays in its uop.
    Within,
    /// To a uop further down the trace.
    Forward,
    /// To an earlier uop, or to the start of its own: a loop.
    Back,
    /// To a stub, through which the code is left.
    Stub,
}

/// The jumps of these uops to places in the code of their executor.
pub(super) fn edges(mapped: &MappedExecutor, uops: &[UopRow]) -> Vec<Edge> {
    let mut edges = Vec::new();
    for row in uops {
        match &row.instructions {
            Some(_) => edges.extend(of_code(mapped, row)),
            None => edges.extend(of_trace(mapped, row)),
        }
    }
    edges
}

fn of_code<'r>(mapped: &'r MappedExecutor, row: &'r UopRow) -> impl Iterator<Item = Edge> + 'r {
    let instructions = row.instructions.iter().flatten();
    instructions.filter_map(|new| {
        let conditional = match new.instruction.flow() {
            Flow::Jump => false,
            Flow::ConditionalJump => true,
            _ => return None,
        };
        let target = new.instruction.target()?;
        let Place::Uop(to, offset) = mapped.locate(target)? else {
            return None;
        };
        Some(Edge {
            from: Some(new.instruction.address()),
            from_uop: row.index,
            to: Some(target),
            to_uop: to,
            kind: kind(mapped, row.index, to, offset == 0),
            conditional: Some(conditional),
        })
    })
}

fn of_trace<'r>(mapped: &'r MappedExecutor, row: &'r UopRow) -> impl Iterator<Item = Edge> + 'r {
    let targets = [row.jump_target, row.error_target];
    let targets = targets.into_iter().flatten().filter(|target| {
        // What does not exist is among the findings of the map.
        (target.0 as usize) < mapped.executor.uops.len()
    });
    targets.map(|to| {
        let ranges = mapped.map.uops.get(to.0 as usize);
        Edge {
            from: None,
            from_uop: row.index,
            to: ranges
                .and_then(|ranges| ranges.first())
                .map(|range| range.start),
            to_uop: to,
            kind: kind(mapped, row.index, to, true),
            conditional: None,
        }
    })
}

fn kind(mapped: &MappedExecutor, from: UopIndex, to: UopIndex, to_start: bool) -> EdgeKind {
    if from == to {
        return match to_start {
            true => EdgeKind::Back,
            false => EdgeKind::Within,
        };
    }
    match to.0 as usize >= mapped.body {
        true => EdgeKind::Stub,
        false if to.0 > from.0 => EdgeKind::Forward,
        false => EdgeKind::Back,
    }
}
