//! Entries of variables: those of Python, and what uops find in registers.

use super::attributes::{set, string};
use super::entries::{Entries, Types};
use super::expressions::{cached, local, number, value};
use super::inlined::{FrameParts, Part};
use super::model::{ExecutorCode, Function, Piece, PieceKind};
use gimli::constants::*;
use gimli::write::{AttributeValue, Expression, Location, LocationList, UnitEntryId};

impl Entries<'_, '_> {
    /// The variables of a frame.
    pub(super) fn variables(
        &mut self,
        node: UnitEntryId,
        function: &Function,
        parts: &FrameParts,
        types: Types,
    ) {
        let Some(convention) = &self.code.convention else {
            return;
        };
        let Some(frame) = number(self.code.architecture, convention.frame) else {
            return;
        };
        for variable in &function.variables {
            let at = |depth| local(frame, convention, variable.slot, depth);
            let tag = match variable.is_argument {
                true => DW_TAG_formal_parameter,
                false => DW_TAG_variable,
            };
            let list = self.locations(&parts.variables, at);
            self.variable(node, tag, &variable.name, types.object, list);
        }
    }

    /// A variable; where it is nowhere known, debuggers say so.
    fn variable(
        &mut self,
        parent: UnitEntryId,
        tag: DwTag,
        name: &str,
        kind: UnitEntryId,
        list: Vec<Location>,
    ) {
        let unit = &mut *self.unit;
        let entry = unit.add(parent, tag);
        set(unit, entry, DW_AT_name, string(name));
        set(unit, entry, DW_AT_type, AttributeValue::UnitRef(kind));
        if !list.is_empty() {
            let list = unit.locations.add(LocationList(list));
            let list = AttributeValue::LocationListRef(list);
            set(unit, entry, DW_AT_location, list);
        }
    }

    /// What uops find in registers: the frame, as long as it is there, and stack items where each uop begins.
    pub(super) fn registers(&mut self, executor: UnitEntryId, types: Types) {
        let code = self.code;
        let Some(convention) = &code.convention else {
            return;
        };
        for (item, register) in (0..).zip(&convention.cached) {
            let Some(register) = number(code.architecture, *register) else {
                continue;
            };
            let list = self.locations(&cached_parts(code, item), |_| Some(cached(register)));
            if !list.is_empty() {
                let name = format!("tos{item}");
                self.variable(executor, DW_TAG_variable, &name, types.object, list);
            }
        }
        if let Some(frame) = number(code.architecture, convention.frame) {
            let list = self.locations(&frame_parts(code), |_| Some(value(frame)));
            self.variable(executor, DW_TAG_variable, "frame", types.frame, list);
        }
    }

    fn locations(&self, parts: &[Part], at: impl Fn(usize) -> Option<Expression>) -> Vec<Location> {
        let holes = match self.options.loses_registers {
            true => returns(self.code),
            false => Vec::new(),
        };
        let known = parts.iter().flat_map(|part| without(*part, &holes));
        let located = known.filter_map(|part| {
            Some(Location::OffsetPair {
                begin: part.start,
                end: part.end,
                data: at(part.depth)?,
            })
        });
        located.collect()
    }
}

/// The last bytes of calls: where a frame that has called something is, a debugger looks there. No other stands there.
fn returns(code: &ExecutorCode) -> Vec<(u64, u64)> {
    let pieces = code.pieces.iter();
    let returns = pieces.flat_map(|piece| {
        let base = code.offset(piece.range.start);
        let returns = piece.facts.returns.iter();
        returns.map(move |behind| base.saturating_add(*behind))
    });
    returns
        .map(|behind| (behind.saturating_sub(1), behind))
        .collect()
}

/// What is left of a part without these holes, which are in order.
fn without(part: Part, holes: &[(u64, u64)]) -> Vec<Part> {
    let mut left = Vec::new();
    let mut start = part.start;
    let first = holes.partition_point(|(_, end)| *end <= part.start);
    let holes = holes.iter().skip(first);
    for (begin, end) in holes.take_while(|(begin, _)| *begin < part.end) {
        left.push(Part {
            start,
            end: *begin,
            ..part
        });
        start = *end;
    }
    left.push(Part { start, ..part });
    left.retain(|part| part.start < part.end);
    left
}

/// Where the register of the frame holds it.
fn frame_parts(code: &ExecutorCode) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for piece in &code.pieces {
        let base = code.offset(piece.range.start);
        for (from, to) in &piece.facts.frame {
            let (start, end) = (base.saturating_add(*from), base.saturating_add(*to));
            match parts.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => parts.push(Part {
                    start,
                    end,
                    depth: 0,
                }),
            }
        }
    }
    parts
}

/// Where uops begin that find so many items in registers that this one is among them.
fn cached_parts(code: &ExecutorCode, item: u8) -> Vec<Part> {
    let begin = |piece: &Piece| {
        let PieceKind::Uop(index) = piece.kind else {
            return None;
        };
        let stack = code.listing.uops.get(index.0 as usize)?.stack?;
        let start = code.offset(piece.range.start);
        (item < stack.cached_before).then(|| Part {
            start,
            end: start.saturating_add(1),
            depth: 0,
        })
    };
    code.pieces.iter().filter_map(begin).collect()
}
