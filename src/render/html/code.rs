//! Machine code: address, instruction, remarks.

use super::Page;
use super::executor::Trace;
use super::text::push;
use crate::listing::{Facts, InstructionRow, Note, NoteKind};
use std::fmt::Write;

/// Columns of a mnemonic before the operands.
const MNEMONIC: usize = 8;

/// One row for each instruction. What `trace` has uops for is linked.
pub fn instructions(
    out: &mut String,
    page: &Page<'_>,
    trace: Option<&Trace<'_>>,
    rows: &[InstructionRow],
) {
    out.push_str("<div class=c>");
    for row in rows {
        instruction(out, page, trace, row);
    }
    out.push_str("</div>");
}

// A page has a hundred thousand of these: an end tag that HTML does not need, or a class, would be a megabyte.
fn instruction(out: &mut String, page: &Page<'_>, trace: Option<&Trace<'_>>, row: &InstructionRow) {
    let instruction = &row.instruction;
    let address = instruction.address();
    out.push_str(match page.view.pc == Some(address) {
        true => "<p class=pc><i>",
        false => "<p><i>",
    });
    let _ = write!(out, "{:x}</i>", address.0);
    let mnemonic = instruction.mnemonic();
    push(out, mnemonic);
    if instruction.has_operands() {
        for _ in mnemonic.len()..MNEMONIC.max(mnemonic.len() + 1) {
            out.push(' ');
        }
        push(out, &instruction.operands());
    }
    remarks(out, trace, row.notes());
    out.push('\n');
}

/// All remarks, the best first.
fn remarks(out: &mut String, trace: Option<&Trace<'_>>, notes: &[Note]) {
    let Some((first, others)) = notes.split_first() else {
        return;
    };
    out.push_str("<b>");
    remark(out, trace, first);
    for note in others.iter().filter(|note| !first.tells(note)) {
        out.push_str(match note.kind {
            NoteKind::Hole => " ← ",
            _ => ", ",
        });
        remark(out, trace, note);
    }
    out.push_str("</b>");
}

fn remark(out: &mut String, trace: Option<&Trace<'_>>, note: &Note) {
    let target = match note.facts {
        Facts::Branch { uop: Some(uop), .. } => trace
            .filter(|trace| trace.uops.contains(&uop))
            .map(|trace| (trace, uop)),
        _ => None,
    };
    match target {
        Some((trace, uop)) => {
            let _ = write!(out, "<a href=\"#{}u{uop}\">", trace.id);
            push(out, &note.text);
            out.push_str("</a>");
        }
        None => push(out, &note.text),
    }
}
