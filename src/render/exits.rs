//! `jit-exits` as tables.

use super::header::{header, number};
use super::paint::{Paint, harmless};
use super::table::Columns;
use crate::listing::{ExecutorExits, ExitRow, ExitsData, Link, Temperature};

const COLUMNS: Columns<6> = Columns {
    headings: [
        "exit",
        "kind",
        "taken by uop",
        "goes on at",
        "temperature",
        "linked to",
    ],
    right: [true, false, false, false, false, false],
    elastic: 3,
    narrowest: 24,
};

/// Writes each executor with its exits.
pub fn write(paint: &mut Paint, data: &ExitsData) {
    if data.executors.is_empty() {
        paint.text("No exits to show.");
        paint.end_line();
    }
    for (index, executor) in data.executors.iter().enumerate() {
        if index != 0 {
            paint.end_line();
        }
        header(paint, &executor.executor);
        one(paint, executor);
    }
}

fn one(paint: &mut Paint, executor: &ExecutorExits) {
    if executor.exits.is_empty() {
        paint.text(match executor.executor.exit_count {
            0 => "  no exits",
            _ => "  no such exits",
        });
        paint.end_line();
        return;
    }
    table(
        paint,
        &executor.exits,
        executor.executor.qualname.as_deref(),
    );
}

/// The exits of an executor of the function `own`.
pub fn table(paint: &mut Paint, exits: &[ExitRow], own: Option<&str>) {
    let lines = exits.iter().flat_map(|exit| lines(exit, own));
    COLUMNS.write(paint, lines.collect());
}

/// One line, and one more for each further uop that takes the exit.
fn lines(exit: &ExitRow, own: Option<&str>) -> Vec<[String; 6]> {
    let mut uops = exit
        .uops
        .iter()
        .map(|uop| harmless(&format!("{} {}", uop.index, uop.name)));
    let first = [
        exit.index.to_string(),
        exit.kind.word().to_owned(),
        uops.next().unwrap_or_else(|| "?".to_owned()),
        harmless(&goes_on(exit, own)),
        temperature(exit),
        harmless(&linked_to(exit)),
    ];
    let more = uops.map(|uop| {
        let mut line: [String; 6] = Default::default();
        if let Some(cell) = line.get_mut(2) {
            *cell = uop;
        }
        line
    });
    std::iter::once(first).chain(more).collect()
}

/// The bytecode and the line; the function where it is not that of the executor.
pub(super) fn goes_on(exit: &ExitRow, own: Option<&str>) -> String {
    let Some(bytecode) = &exit.bytecode else {
        return "where the frame is by then".to_owned();
    };
    let mut text = bytecode.offset.to_string();
    if let Some(opname) = &bytecode.opname {
        text.push(' ');
        text.push_str(opname);
    }
    if let Some(line) = exit.line {
        text.push_str(&format!(" (line {line})"));
    }
    match &exit.code {
        None => text.push_str(" of an unknown function"),
        Some(code) if Some(&*code.qualname) != own => {
            text.push_str(&format!(" of {}", code.qualname))
        }
        Some(_) => {}
    }
    text
}

/// Exits that are linked count no more.
pub(super) fn temperature(exit: &ExitRow) -> String {
    match exit.temperature {
        Some(counter) if exit.linked_to.is_none() => count(counter),
        _ => String::new(),
    }
}

/// How much is left, and the backoff.
pub fn count(counter: Temperature) -> String {
    match (counter.unreachable, counter.value, counter.backoff) {
        (Some(true), _, _) => "never compiled".to_owned(),
        (_, Some(value), Some(backoff)) => format!("{value} left, backoff {backoff}"),
        _ => format!("{:#06x}", counter.raw),
    }
}

pub(super) fn linked_to(exit: &ExitRow) -> String {
    match &exit.linked_to {
        None => "cold".to_owned(),
        Some(link) => linked(link),
    }
}

/// The executor that an exit leads to.
pub fn linked(link: &Link) -> String {
    let mut text = name(link);
    if let Some(entry) = link.entry {
        text.push_str(&format!("@{}", entry.bytecode_offset));
        if let Some(line) = entry.line {
            text.push_str(&format!(" (line {line})"));
        }
    }
    if let Some(depth) = link.chain_depth.filter(|depth| *depth != 0) {
        text.push_str(&format!(", chain depth {depth}"));
    }
    match link.valid {
        Some(true) => {}
        Some(false) => text.push_str(", invalid"),
        None => text.push_str(", unreadable"),
    }
    text
}

fn name(link: &Link) -> String {
    let number = number(link.index, link.executor);
    match &link.qualname {
        Some(qualname) => format!("{number} {qualname}"),
        None => number,
    }
}
