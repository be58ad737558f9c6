//! A machine instruction with its remarks.

use super::columns::Columns;
use super::gutter::{Gutter, Line};
use super::paint::{Paint, Role, columns, harmless, is_plain};
use crate::address::Address;
use crate::listing::{InstructionRow, Note, View, write_hex};
use std::fmt::Write as _;

/// A column of remarks that has so much room is wrapped; beside a narrower one, long remarks stand below.
const WIDE_REMARK: usize = 40;

/// Writes one instruction; offsets are from `base`, and its number among those of the page is that of its arrows.
pub struct InstructionLine<'p> {
    /// What is shown.
    pub view: View,
    /// Where.
    pub columns: Columns,
    /// The start of the uop or region.
    pub base: Address,
    /// The number.
    pub number: Option<usize>,
    /// The remarks.
    pub notes: &'p [Note],
}

impl InstructionLine<'_> {
    /// Writes it.
    pub fn write(&self, paint: &mut Paint, gutter: &mut Gutter, row: &InstructionRow) {
        let instruction = &row.instruction;
        gutter.draw(paint, self.number.map_or(Line::Outside, Line::At));
        let is_pc = self.view.pc == Some(instruction.address());
        gutter.tail(paint, self.number, is_pc);
        self.place(paint, instruction.address());
        if self.view.bytes {
            write_hex(paint.raw(), row.bytes());
            paint.pad_to(self.columns.mnemonic);
        }
        paint.text(instruction.mnemonic());
        if instruction.has_operands() {
            paint.pad_to(self.columns.operands);
            instruction.write_operands(paint.raw());
        }
        let untold = self.number.and_then(|number| gutter.untold(number));
        if self.notes.is_empty() && untold.is_none() {
            return paint.end_line();
        }
        self.remarks(paint, gutter, untold);
    }

    fn place(&self, paint: &mut Paint, address: Address) {
        if self.view.offsets {
            paint.text("+");
            paint.number(i128::from(address.offset_from(self.base).unwrap_or(0)));
        } else {
            paint.colored(Role::Address, |paint| paint.address(address));
        }
        paint.pad_to(self.columns.code);
    }

    /// In their column, and if they are too long for that, below the operands, unless the column is wide.
    fn remarks(&self, paint: &mut Paint, gutter: &mut Gutter, untold: Option<i64>) {
        let Some(width) = paint.width() else {
            paint.pad_to(self.columns.remarks);
            paint.colored(Role::Note, |paint| self.words(paint.raw(), untold));
            return paint.end_line();
        };
        let line = self.number.map_or(Line::Outside, Line::Below);
        let mut words = String::new();
        self.words(&mut words, untold);
        let mut column = self.columns.remarks.max(paint.column() + 1);
        let room = width.saturating_sub(column);
        if columns(&words) > room && room < WIDE_REMARK {
            column = match columns(&words) + self.columns.operands <= width {
                true => self.columns.operands,
                false => self.columns.code,
            };
            paint.end_line();
            gutter.draw(paint, line);
        }
        paint.pad_to(column);
        paint.role(Role::Note, &words);
        paint.end_wrapped(column + 2, column + 2, |paint| gutter.draw(paint, line));
    }

    fn words(&self, words: &mut String, untold: Option<i64>) {
        let start = words.len();
        let mut last: Option<&Note> = None;
        for note in self.notes {
            // What a call goes to is also what is read for it.
            if last.replace(note).is_some_and(|last| last.tells(note)) {
                continue;
            }
            words.push_str(if words.len() == start { "; " } else { " ; " });
            // Names of variables and strings come from the target.
            match is_plain(&note.text) {
                true => words.push_str(&note.text),
                false => words.push_str(&harmless(&note.text)),
            }
        }
        if let Some(further) = untold.filter(|_| self.notes.is_empty()) {
            let way = if further < 0 { "up" } else { "down" };
            let _ = write!(words, "; {} instructions {way}", further.unsigned_abs());
        }
    }
}
