//! Which remarks a page shows: all, those that a reader needs, or none.

use super::note::{Facts, Note};
use super::notes::WITHOUT_TAG;
use super::rows::InstructionRow;

/// How much a page says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Level {
    /// Uops and machine code only.
    Quiet,
    /// The best remark of an instruction, unless it is obvious.
    #[default]
    Readable,
    /// Every remark.
    All,
}

impl Level {
    /// The remarks to be shown on an instruction; `before` is the row above it in the same uop.
    pub fn notes<'r>(self, row: &'r InstructionRow, before: Option<&InstructionRow>) -> &'r [Note] {
        let notes = row.notes();
        let first = notes.get(..1).unwrap_or_default();
        match (self, first) {
            (Level::Quiet, _) => &[],
            (Level::All, _) => notes,
            (Level::Readable, [note]) if is_obvious(note, before) => &[],
            (Level::Readable, _) => first,
        }
    }
}

/// Whether a reader would not miss it: registers of the compiler that are put away and fetched again, the clearing of a
/// tag bit, which the instruction itself shows, where the code itself is, and a value that the line above named already.
fn is_obvious(note: &Note, before: Option<&InstructionRow>) -> bool {
    match &note.facts {
        Facts::Spill { holds: None, .. } => true,
        Facts::Register { .. } if note.text.ends_with(WITHOUT_TAG) => true,
        Facts::Hole { operand, .. } if ["code", "uop start"].contains(operand) => true,
        Facts::Register { .. } | Facts::Constant { .. } | Facts::Hole { .. } => before
            .and_then(|row| row.notes().first())
            .is_some_and(|above| above.text == note.text),
        _ => false,
    }
}
