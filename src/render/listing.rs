//! `jit-dis` and `jit-trace`: source line, bytecode instruction, uop, machine instructions.

use super::arrows::Numbering;
use super::columns::Columns;
use super::exits;
use super::gutter::{Gutter, Line};
use super::header::{header, regions};
use super::instruction::InstructionLine;
use super::paint::{Paint, Role, file_name, harmless};
use super::uop::{arguments, effect, ranges};
use crate::address::Address;
use crate::listing::{
    CodeRef, EdgeKind, ExecutorListing, InstructionRow, Level, ListingData, UopRow, View,
};
use std::collections::{HashMap, HashSet};

/// Columns of the address and the size of a uop.
const RANGE: usize = 22;

/// Writes each executor.
pub fn write(paint: &mut Paint, data: &ListingData) {
    if data.view.ascii {
        paint.use_ascii();
    }
    if data.executors.is_empty() {
        paint.text("No executors to show.");
        paint.end_line();
    }
    for (index, listing) in data.executors.iter().enumerate() {
        if index != 0 {
            paint.end_line();
        }
        header(paint, &listing.executor);
        Page::new(paint, listing, data.view).write(paint);
        if data.view.level != Level::Quiet {
            regions(paint, listing);
            exits_of(paint, listing);
        }
    }
}

/// The exits, with what they lead to.
fn exits_of(paint: &mut Paint, listing: &ExecutorListing) {
    let exits = listing.exits.as_deref().unwrap_or_default();
    if !exits.is_empty() {
        paint.end_line();
        exits::table(paint, exits, listing.executor.qualname.as_deref());
    }
}

/// One executor being written: what was said last need not be said again.
struct Page<'m> {
    listing: &'m ExecutorListing,
    view: View,
    columns: Columns,
    gutter: Gutter,
    numbering: Numbering,
    loop_heads: HashSet<u32>,
    source: HashMap<(&'m str, i32), &'m str>,
    line: Option<(Option<&'m CodeRef>, Option<i32>, i32)>,
    bytecode: Option<(Option<&'m CodeRef>, Option<u32>, i32)>,
    in_stubs: bool,
}

impl<'m> Page<'m> {
    fn new(paint: &Paint, listing: &'m ExecutorListing, view: View) -> Page<'m> {
        let source = listing
            .source
            .iter()
            .map(|(file, line, text)| ((file.as_str(), *line), text.as_str()));
        let numbering = Numbering::of(&listing.uops, view.machine_code);
        let gutter = match view.arrows {
            true => Gutter::new(numbering.lanes(&listing.edges)),
            false => Gutter::default(),
        };
        let code = listing.executor.code;
        let backs = listing
            .edges
            .iter()
            .filter(|edge| edge.kind == EdgeKind::Back);
        Page {
            listing,
            view,
            columns: Columns::new(paint.width(), gutter.width(), view, code.address),
            gutter,
            numbering,
            loop_heads: backs.map(|edge| edge.to_uop.0).collect(),
            source: source.collect(),
            line: None,
            bytecode: None,
            in_stubs: false,
        }
    }

    fn write(&mut self, paint: &mut Paint) {
        self.region(paint, "shim");
        self.uops(paint);
        self.region(paint, "guard");
    }

    /// A part of the allocation with machine code of no uop; only of a listing that is whole.
    fn region(&mut self, paint: &mut Paint, kind: &str) {
        let regions = &self.listing.regions;
        let found = regions.iter().find(|region| region.kind == kind);
        let Some((region, instructions)) = found
            .filter(|_| self.listing.is_whole() && self.view.machine_code)
            .and_then(|region| Some((region, region.instructions.as_ref()?)))
        else {
            return;
        };
        self.gutter.draw(paint, Line::Outside);
        paint.role(Role::Heading, kind);
        paint.end_line();
        self.instructions(paint, region.address, None, instructions);
    }

    fn uops(&mut self, paint: &mut Paint) {
        let mut number = 0;
        for row in &self.listing.uops {
            let above = Line::Above(number);
            if row.is_stub && !self.in_stubs {
                self.in_stubs = true;
                paint.end_line();
                self.gutter.draw(paint, above);
                paint.role(Role::Heading, "stubs: exits, deopts, errors");
                paint.end_line();
            }
            if !row.is_stub {
                self.group(paint, row, above);
            }
            match self.view.machine_code {
                true => self.uop(paint, row, number),
                false => self.traced(paint, row, number),
            }
            if let Some(instructions) = row.instructions.as_deref() {
                let start = row.ranges.first().map(|range| range.address);
                self.instructions(
                    paint,
                    start.unwrap_or(Address(0)),
                    Some(number),
                    instructions,
                );
            }
            number += self.numbering.count(row);
        }
    }

    /// Instructions, of which the first has this number.
    fn instructions(
        &mut self,
        paint: &mut Paint,
        base: Address,
        first: Option<usize>,
        instructions: &[InstructionRow],
    ) {
        let mut before = None;
        for (index, row) in instructions.iter().enumerate() {
            let line = InstructionLine {
                view: self.view,
                columns: self.columns,
                base,
                number: first.map(|first| first + index),
                notes: self.view.level.notes(row, before),
            };
            line.write(paint, &mut self.gutter, row);
            before = Some(row);
        }
    }

    /// The source line and the bytecode instruction of a uop, unless they are those of the uop before.
    /// A uop that belongs to no instruction stays where it stands.
    fn group(&mut self, paint: &mut Paint, row: &'m UopRow, above: Line) {
        let Some(bytecode) = &row.bytecode else {
            return;
        };
        let line = Some((row.code.as_ref(), row.line, row.depth));
        if self.view.source && self.line != line {
            self.line = line;
            self.gutter.draw(paint, above);
            self.source_line(paint, row);
        }
        let here = Some((row.code.as_ref(), Some(bytecode.offset.0), row.depth));
        if self.view.bytecode && self.bytecode != here {
            self.bytecode = here;
            self.gutter.draw(paint, above);
            paint.colored(Role::Bytecode, |paint| {
                let start = paint.mark();
                paint.text("  ");
                paint.number(bytecode.offset.0);
                paint.pad_from(start, 7);
                paint.text(bytecode.opname.as_deref().unwrap_or("?"));
                if let Some(oparg) = bytecode.oparg {
                    paint.text(" ");
                    paint.number(oparg);
                }
            });
            paint.end_line();
        }
    }

    fn source_line(&self, paint: &mut Paint, row: &UopRow) {
        paint.colored(Role::Heading, |paint| {
            for _ in 0..row.depth.clamp(0, 32) {
                paint.text("> ");
            }
            match &row.code {
                Some(code) => {
                    paint.text(&harmless(&code.qualname));
                    paint.text("  ");
                    paint.text(&harmless(file_name(&code.filename)));
                }
                None => paint.text("(unknown function)"),
            }
            if let Some(line) = row.line {
                paint.text(":");
                paint.number(line);
            }
        });
        if let Some(text) = self.source_text(row) {
            paint.text("  ");
            let room = match paint.width() {
                Some(width) => width.saturating_sub(paint.column()).max(20),
                None => usize::MAX,
            };
            let text = paint.clipped(&harmless(text.trim()), room);
            paint.role(Role::Source, &text);
        }
        paint.end_line();
    }

    fn source_text(&self, row: &UopRow) -> Option<&'m str> {
        let file = &*row.code.as_ref()?.filename;
        self.source.get(&(file, row.line?)).copied()
    }

    /// The heading of a uop whose first instruction has this number.
    fn uop(&mut self, paint: &mut Paint, row: &UopRow, number: usize) {
        let above = Line::Above(number);
        self.gutter.draw(paint, above);
        paint.blanks(3);
        self.index(paint, row);
        self.name(paint, row);
        let words = arguments(row);
        if !words.is_empty() {
            paint.pad_to(self.columns.arguments);
            paint.text(&words);
        }
        if let Some(effect) = effect(row).filter(|_| self.view.level != Level::Quiet) {
            self.effect(paint, &effect, words.is_empty(), above);
        }
        if row.ranges.is_empty() {
            paint.role(Role::Note, "  (no code known)");
        } else if row.ranges.iter().all(|range| range.size == 0) {
            paint.role(Role::Note, "  (no code of its own)");
        }
        self.end_uop(paint, above);
    }

    /// What a uop does to the stack, behind its arguments, or below them where there is no room.
    fn effect(&mut self, paint: &mut Paint, words: &str, is_first: bool, below: Line) {
        let behind = paint.column() + 1;
        let column = match (self.columns.uop_remarks, is_first) {
            (Some(column), _) => column,
            (None, true) => self.columns.arguments,
            (None, false) => behind,
        };
        let end = behind.max(column) + words.len();
        if paint.width().is_some_and(|width| end > width) {
            paint.end_line();
            self.gutter.draw(paint, below);
            paint.pad_to(self.columns.arguments);
        } else {
            paint.pad_to(column);
        }
        paint.role(Role::Note, words);
    }

    /// The line of a uop without its machine code.
    fn traced(&mut self, paint: &mut Paint, row: &UopRow, number: usize) {
        self.gutter.draw(paint, Line::At(number));
        let is_pc = self.is_at_pc(row);
        self.gutter.short_tail(paint, number, is_pc);
        self.index(paint, row);
        let start = paint.column();
        paint.text(&ranges(row));
        paint.pad_to(start + RANGE);
        self.name(paint, row);
        let words = arguments(row);
        if !words.is_empty() {
            paint.pad_to(self.columns.arguments + RANGE);
            paint.text(&words);
        }
        self.end_uop(paint, Line::Below(number));
    }

    /// Ends the line of a uop; what is too long for it stands below its arguments.
    fn end_uop(&mut self, paint: &mut Paint, below: Line) {
        let range = if self.view.machine_code { 0 } else { RANGE };
        let column = self.columns.arguments + range;
        paint.end_wrapped(column, column, |paint| self.gutter.draw(paint, below));
    }

    fn index(&self, paint: &mut Paint, row: &UopRow) {
        paint.blanks(match row.index.0 {
            0..=9 => 2,
            10..=99 => 1,
            _ => 0,
        });
        paint.number(row.index.0);
        paint.text(" ");
    }

    fn name(&self, paint: &mut Paint, row: &UopRow) {
        paint.role(Role::Uop, &row.name);
        if self.loop_heads.contains(&row.index.0) {
            paint.role(Role::Mark, "  (loop head)");
        }
    }

    fn is_at_pc(&self, row: &UopRow) -> bool {
        self.view.pc.is_some_and(|pc| {
            row.ranges.iter().any(|range| {
                pc.offset_from(range.address)
                    .is_some_and(|offset| offset < range.size)
            })
        })
    }
}
