//! `jit-bytecode` in the form of `dis`, with remarks.

use super::exits::{count, linked};
use super::header::number;
use super::paint::{Paint, Role, clipped, harmless};
use crate::listing::{BytecodeData, BytecodeRow, EntryMark, ExitMark, HandlerRow};
use std::collections::HashMap;
use unicode_width::UnicodeWidthStr;

/// The columns of `dis`: line, label, offset, name, argument.
const LINE: usize = 4;
const LABEL: usize = 6;
const OFFSET: usize = 5;
const NAME: usize = 28;
const ARGUMENT: usize = 5;

/// Where remarks begin, unless the instruction is longer.
const REMARKS: usize = 80;

/// Writes the function, its handlers and what follows from them.
pub fn write(paint: &mut Paint, data: &BytecodeData) {
    paint.colored(Role::Heading, |paint| {
        paint.text(&harmless(&data.code.qualname));
        paint.text(" (");
        paint.text(&harmless(&data.code.filename));
        paint.text(":");
        paint.number(data.firstlineno);
        paint.text("), code object ");
        paint.address(data.code.object);
    });
    paint.end_line();
    let source: HashMap<i32, &str> = data
        .source
        .iter()
        .map(|(line, text)| (*line, text.as_str()))
        .collect();
    let mut line = None;
    for row in &data.instructions {
        if line != Some(row.line) {
            line = Some(row.line);
            head(paint, row.line, &source);
        }
        instruction(paint, row);
    }
    if !data.complete {
        paint.text("  … the rest is not known: see the warning");
        paint.end_line();
    }
    handlers(paint, data);
}

/// The line that the instructions below come from.
fn head(paint: &mut Paint, line: Option<i32>, source: &HashMap<i32, &str>) {
    paint.end_line();
    let number = line.map_or_else(|| "--".to_owned(), |line| line.to_string());
    let text = line.and_then(|line| source.get(&line));
    paint.role(Role::Heading, &format!("{number:>LINE$}"));
    if let Some(text) = text {
        let room = paint
            .width()
            .map_or(usize::MAX, |width| width.saturating_sub(LINE + 2).max(20));
        paint.text("  ");
        paint.role(Role::Source, &clipped(&harmless(text.trim()), room));
    }
    paint.end_line();
}

fn instruction(paint: &mut Paint, row: &BytecodeRow) {
    let label = row
        .label
        .map_or_else(String::new, |label| format!("L{label}:"));
    let text = written(row);
    paint.text(&format!(
        "{label:>width$} {:>OFFSET$}  ",
        row.offset.0,
        width = LINE + LABEL
    ));
    paint.role(Role::Bytecode, &text);
    let used = LINE + LABEL + OFFSET + 3 + text.width();
    let remarks = row
        .entries
        .iter()
        .map(entry)
        .chain(row.exits.iter().map(exit));
    for (index, remark) in remarks.enumerate() {
        if index != 0 {
            paint.end_line();
        }
        let used = if index == 0 { used } else { 0 };
        paint.blanks(REMARKS.saturating_sub(used).max(2));
        paint.role(Role::Note, &format!("; {}", harmless(&remark)));
    }
    paint.end_line();
}

/// Name, argument and what it means.
fn written(row: &BytecodeRow) -> String {
    let name = match &row.opname {
        Some(name) => name.to_string(),
        None => format!("<opcode {}>", row.opcode),
    };
    let mut text = match row.oparg {
        // A long name takes from the room of the argument.
        Some(oparg) => {
            let room = (NAME + ARGUMENT).saturating_sub(name.width());
            format!("{name} {oparg:>room$}")
        }
        None => name,
    };
    if let Some(meaning) = &row.argrepr {
        text.push_str(&format!(" ({})", harmless(meaning)));
    }
    text
}

fn entry(mark: &EntryMark) -> String {
    let mut text = format!(
        "> enters {}, {} uops",
        number(mark.index, mark.executor),
        mark.uop_count
    );
    if !mark.valid {
        text.push_str(", invalid");
    } else if mark.warm == Some(false) {
        text.push_str(", not warm");
    }
    if !mark.running_in.is_empty() {
        let threads: Vec<String> = mark.running_in.iter().map(u64::to_string).collect();
        text.push_str(&format!(", running in thread {}", threads.join(", ")));
    }
    text
}

fn exit(mark: &ExitMark) -> String {
    let number = number(mark.index, mark.executor);
    let whose = format!("< exit {} of {number}", mark.exit);
    match (&mark.linked_to, mark.temperature) {
        (Some(link), _) => format!("{whose} goes on in {}", linked(link)),
        (None, Some(temperature)) => format!("{whose}: {}", count(temperature)),
        (None, None) => whose,
    }
}

/// As `dis` prints them.
fn handlers(paint: &mut Paint, data: &BytecodeData) {
    if data.handlers.is_empty() {
        return;
    }
    paint.end_line();
    paint.role(Role::Heading, "ExceptionTable:");
    paint.end_line();
    let labels: HashMap<u32, u32> = data
        .instructions
        .iter()
        .filter_map(|row| Some((row.offset.0, row.label?)))
        .collect();
    for handler in &data.handlers {
        one_handler(paint, handler, &labels);
    }
}

fn one_handler(paint: &mut Paint, handler: &HandlerRow, labels: &HashMap<u32, u32>) {
    let place = |offset: u32| match labels.get(&offset) {
        Some(label) => format!("L{label}"),
        None => offset.to_string(),
    };
    paint.text(&format!(
        "  {} to {} -> {} [{}]{}",
        place(handler.start.0),
        place(handler.end.0),
        place(handler.target.0),
        handler.depth,
        if handler.lasti { " lasti" } else { "" }
    ));
    paint.end_line();
}
