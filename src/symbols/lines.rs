//! Line tables: a uop as a line of the listing, or lines of Python source.

use super::files::Files;
use super::model::{ExecutorCode, Piece, PieceKind};
use crate::address::{Address, Range};
use crate::listing::UopRow;
use crate::render::UopSource;
use gimli::write::{self, FileId, Unit};
use std::collections::HashSet;

/// The line in the listing of a piece of code.
pub fn listing_line(source: &UopSource, piece: &Piece) -> u32 {
    match piece.kind {
        PieceKind::Shim => 1,
        PieceKind::Uop(index) => uop_line(source, index.0 as usize),
        PieceKind::Guard => source.guard,
    }
}

/// The line in the listing of a uop.
pub fn uop_line(source: &UopSource, index: usize) -> u32 {
    source.lines.get(index).map_or(1, |(_, line)| *line)
}

/// A piece of code and the line of Python that it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PythonLine {
    /// The piece.
    pub range: Range,
    /// The line.
    pub line: u32,
    /// The code object.
    pub code: Address,
}

impl ExecutorCode {
    /// The lines of Python that breakpoints find in this code, ascending by address.
    pub fn python_lines(&self) -> Vec<PythonLine> {
        let lines = self.pieces.iter().filter_map(|piece| {
            let (row, line, _) = python_line(self, piece)?;
            Some(PythonLine {
                range: piece.range,
                line: line.try_into().ok()?,
                code: row.code.as_ref()?.object,
            })
        });
        let mut lines: Vec<PythonLine> = lines.collect();
        lines.sort_by_key(|line| line.range.start);
        lines
    }
}

/// One row a piece: uops without code have none, so that a breakpoint at their line says which line it really got.
pub fn of_listing(unit: &mut Unit, files: &Files<'_>, code: &ExecutorCode, source: &UopSource) {
    begin(unit, code);
    for piece in &code.pieces {
        let line = u64::from(listing_line(source, piece));
        add(unit, code, piece, (files.listing, line), true);
    }
    end(unit, code);
}

/// Rows where the line of Python changes. Code that belongs to no line is covered too if `before` tells which line of the
/// listing (0: none) stands for what runs once before the loop; stubs are of no line.
pub fn of_python<'m>(
    unit: &mut Unit,
    files: &mut Files<'m>,
    code: &'m ExecutorCode,
    before: Option<u64>,
) {
    let whole = before.is_some();
    begin(unit, code);
    let mut last = None;
    let mut seen = HashSet::new();
    let mut early = None;
    for piece in &code.pieces {
        let (at, frame) = match python_line(code, piece) {
            Some((row, line, filename)) => {
                let place = code.places.get(row.index.0 as usize);
                let frame = place.and_then(|place| place.frame);
                ((files.python(unit, filename), line), frame)
            }
            None if whole && !is_within(code, piece) => {
                let line = before.filter(|_| last.is_none()).unwrap_or(0);
                ((files.listing, line), None)
            }
            None => {
                early = early.or(Some(piece));
                continue;
            }
        };
        let here = (at, frame);
        // What has no line of its own is of the line before it, and where there is none, of the line behind it.
        let is_first =
            last.is_none_or(|((file, _), _)| file == files.listing) && at.0 != files.listing;
        let start = early.take().filter(|_| is_first && whole).unwrap_or(piece);
        if last == Some(here) {
            continue;
        }
        // Where a call returns to is no second place to stop at in its line.
        let resumes = last.is_some_and(|(_, last)| last != frame) && seen.contains(&here);
        add(unit, code, start, at, !resumes);
        seen.insert(here);
        last = Some(here);
    }
    end(unit, code);
}

/// Whether a piece is of the loop itself: no stub, and not what runs once before it.
fn is_within(code: &ExecutorCode, piece: &Piece) -> bool {
    let PieceKind::Uop(index) = piece.kind else {
        return false;
    };
    let row = code.listing.uops.get(index.0 as usize);
    index.0 != 0 && row.is_some_and(|row| !row.is_stub)
}

/// The uop, the line and the file of Python source that a piece of the main part belongs to. The first uop, to which no
/// trace jumps back, is of no line: it has that in which the loop ends, and debuggers would stop there instead.
fn python_line<'m>(code: &'m ExecutorCode, piece: &Piece) -> Option<(&'m UopRow, u64, &'m str)> {
    let PieceKind::Uop(index) = piece.kind else {
        return None;
    };
    if index.0 == 0 {
        return None;
    }
    let row = code.listing.uops.get(index.0 as usize)?;
    let line = u64::try_from(row.line.filter(|_| !row.is_stub)?).ok()?;
    Some((row, line, &row.code.as_ref()?.filename))
}

fn begin(unit: &mut Unit, code: &ExecutorCode) {
    let start = code.allocation.start.0;
    unit.line_program
        .begin_sequence(Some(write::Address::Constant(start)));
}

fn end(unit: &mut Unit, code: &ExecutorCode) {
    unit.line_program.end_sequence(code.offset(code.code_end()));
}

fn add(unit: &mut Unit, code: &ExecutorCode, piece: &Piece, at: (FileId, u64), is_statement: bool) {
    let row = unit.line_program.row();
    row.address_offset = code.offset(piece.range.start);
    (row.file, row.line) = at;
    row.is_statement = is_statement;
    // LLDB puts breakpoints on names behind the prologue, which it would take the first line for.
    row.prologue_end = true;
    unit.line_program.generate_row();
}
