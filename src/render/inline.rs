//! Single lines that the debuggers put into output of their own: behind an instruction, as the name of a frame, as the
//! value of a structure. All of it is plain text without line breaks.

use super::TextStyle;
use super::executors::state;
use super::exits::{goes_on, linked_to, temperature};
use super::header::{is_cold, number};
use super::paint::{Paint, counted, file_name, harmless};
use super::uop::arguments;
use crate::address::Address;
use crate::listing::{
    ExecutorHeader, ExecutorListing, ExitRow, InstructionRow, Level, Note, UopRow, WhereData,
};

/// What stands behind each instruction: the uop at its first one, and the remarks that this level shows.
pub fn instruction_notes(listing: &ExecutorListing, level: Level) -> Vec<(Address, String)> {
    let mut notes = Vec::new();
    for row in &listing.uops {
        let heading = uop_heading(row, level == Level::All);
        notes_of(&mut notes, heading, row.instructions.as_deref(), level);
    }
    for region in &listing.regions {
        let heading = format!("[{}]", region.kind);
        notes_of(&mut notes, heading, region.instructions.as_deref(), level);
    }
    notes
}

fn notes_of(
    notes: &mut Vec<(Address, String)>,
    heading: String,
    instructions: Option<&[InstructionRow]>,
    level: Level,
) {
    let mut heading = Some(heading);
    let mut before = None;
    for row in instructions.unwrap_or_default() {
        let mut remarks: Vec<&Note> = level.notes(row, before).iter().collect();
        remarks.dedup_by(|note, last| last.tells(note));
        let remarks: Vec<String> = (remarks.iter()).map(|note| harmless(&note.text)).collect();
        let text: Vec<String> = heading
            .take()
            .into_iter()
            .chain([remarks.join("; ")])
            .collect();
        let text = text.join(" ");
        if !text.is_empty() {
            notes.push((row.instruction.address(), text.trim_end().to_owned()));
        }
        before = Some(row);
    }
}

/// `[uop 12 _GUARD_TOS_INT_r22]`, with its bytecode instruction and line if all is to be told. In brackets, since
/// remarks on jumps name uops too.
fn uop_heading(row: &UopRow, all: bool) -> String {
    let mut text = format!("[uop {} {}", row.index, row.name);
    if let Some(bytecode) = row.bytecode.as_ref().filter(|_| all) {
        text.push_str(&format!(", bytecode {}", bytecode.offset));
        if let Some(opname) = &bytecode.opname {
            text.push_str(&format!(" {opname}"));
        }
    }
    if let (true, Some(code), Some(line)) = (all, &row.code, row.line) {
        text.push_str(&format!(", {}:{line}", harmless(file_name(&code.filename))));
    }
    text.push(']');
    text
}

/// `f [uop 12 _GUARD_TOS_INT]`: the function that a frame of JIT code runs, as far as it is known, and where in it the
/// frame is.
pub fn frame_name(place: &WhereData) -> String {
    let inside = frame_place(place);
    let function = match (&place.uop, &place.executor) {
        (Some(row), _) => row.code.as_ref().map(|code| harmless(&code.qualname)),
        (None, Some(executor)) => executor.qualname.as_deref().map(harmless),
        (None, None) => None,
    };
    match function {
        Some(function) => format!("{function} [{inside}]"),
        None => format!("[{inside}]"),
    }
}

/// `uop 12 _GUARD_TOS_INT`, or what is there else. Register variants have no place in a name.
pub fn frame_place(place: &WhereData) -> String {
    match &place.uop {
        Some(row) => format!("uop {} {}", row.index, row.base),
        None => place.inside.to_string(),
    }
}

/// `executor #3 f (loop.py:8), entered at bytecode 72 (line 9), 49 uops, 6 exits; valid, warm`.
pub fn executor_line(executor: &ExecutorHeader) -> String {
    let mut paint = Paint::new(TextStyle::default());
    paint.text(&executor_name(executor));
    lasting(&mut paint, executor);
    paint.text("; ");
    paint.text(&state(executor));
    paint.finish()
}

/// `executor of f (loop.py:8), entered at bytecode 72 (line 9), 49 uops, 6 exits`: only what stays as long as it lives.
pub fn executor_title(executor: &ExecutorHeader) -> String {
    let mut paint = Paint::new(TextStyle::default());
    match &executor.qualname {
        _ if is_cold(executor) => paint.text("cold exit"),
        Some(qualname) => paint.text(&format!("executor of {}", harmless(qualname))),
        None => paint.text("executor"),
    }
    lasting(&mut paint, executor);
    paint.finish()
}

fn lasting(paint: &mut Paint, executor: &ExecutorHeader) {
    if let (Some(file), Some(line)) = (&executor.filename, executor.firstlineno) {
        paint.text(&format!(" ({}:{line})", harmless(file_name(file))));
    }
    if let Some(entry) = executor.entry {
        paint.text(&format!(", entered at bytecode {}", entry.bytecode_offset));
        if let Some(line) = entry.line {
            paint.text(&format!(" (line {line})"));
        }
    }
    paint.text(", ");
    counted(paint, executor.uop_count, "uop");
    paint.text(", ");
    counted(paint, executor.exit_count, "exit");
}

/// `executor #3 f`.
pub fn executor_name(executor: &ExecutorHeader) -> String {
    let number = format!("executor {}", number(executor.index, executor.address));
    match &executor.qualname {
        _ if is_cold(executor) => format!("{number} (cold exit)"),
        Some(qualname) => format!("{number} {}", harmless(qualname)),
        None => number,
    }
}

/// `exit 2 of executor #3 f: side, to bytecode 72 COMPARE_OP (line 8), 63 left, backoff 6, cold`.
pub fn exit_line(executor: &ExecutorHeader, exit: &ExitRow) -> String {
    let mut paint = Paint::new(TextStyle::default());
    let owner = executor_name(executor);
    paint.text(&format!(
        "exit {} of {owner}: {}, goes on ",
        exit.index,
        exit.kind.word()
    ));
    if exit.bytecode.is_some() {
        paint.text("at bytecode ");
    }
    paint.text(&harmless(&goes_on(exit, executor.qualname.as_deref())));
    let temperature = temperature(exit);
    if !temperature.is_empty() {
        paint.text(&format!(", {temperature}"));
    }
    match exit.linked_to {
        Some(_) => paint.text(&format!(", linked to {}", harmless(&linked_to(exit)))),
        None => paint.text(", cold"),
    }
    paint.finish()
}

/// `uop 12 of executor #3 f: _GUARD_TOS_INT_r22 oparg=88 exit 2 -> uop 32, bytecode 22 COMPARE_OP_INT (line 18)`.
pub fn uop_line(executor: Option<&ExecutorHeader>, row: &UopRow) -> String {
    let mut paint = Paint::new(TextStyle::default());
    if let Some(executor) = executor {
        paint.text(&format!(
            "uop {} of {}: ",
            row.index,
            executor_name(executor)
        ));
    }
    paint.text(&row.name);
    let arguments = arguments(row);
    if !arguments.is_empty() {
        paint.text(&format!(" {arguments}"));
    }
    // Of a stub its arguments tell where the interpreter goes on.
    if let Some(bytecode) = row.bytecode.as_ref().filter(|_| !row.is_stub) {
        paint.text(&format!(", bytecode {}", bytecode.offset));
        if let Some(opname) = &bytecode.opname {
            paint.text(&format!(" {opname}"));
        }
        if let Some(line) = row.line {
            paint.text(&format!(" (line {line})"));
        }
    }
    paint.finish()
}
