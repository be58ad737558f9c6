//! `jit-list` as a table.

use super::paint::{Paint, counted, file_name, harmless};
use super::table::Columns;
use crate::listing::{ExecutorHeader, ExecutorsData};

const COLUMNS: Columns<8> = Columns {
    headings: [
        "#",
        "executor",
        "function",
        "entered at",
        "uops",
        "exits",
        "bytes",
        "state",
    ],
    right: [true, false, false, false, true, true, true, false],
    elastic: 2,
    narrowest: 8,
};

/// Writes the table and a line that says how much of all it is.
pub fn write(paint: &mut Paint, data: &ExecutorsData) {
    if !data.executors.is_empty() {
        COLUMNS.write(paint, data.executors.iter().map(cells).collect());
    }
    let shown = data.executors.len() as u64;
    match (shown, data.total) {
        (_, 0) => paint.text("No executors to show."),
        (shown, total) if shown == total => summary(paint, data),
        (shown, total) => {
            paint.number(i128::from(shown));
            paint.text(" of ");
            paint.number(i128::from(total));
            paint.text(" executors.");
        }
    }
    paint.end_line();
}

fn summary(paint: &mut Paint, data: &ExecutorsData) {
    let sum = |size: fn(&ExecutorHeader) -> u64| data.executors.iter().map(size).sum::<u64>();
    counted(paint, data.executors.len() as u64, "executor");
    paint.text(", ");
    counted(paint, sum(|executor| executor.uop_count), "uop");
    paint.text(", ");
    counted(paint, sum(|executor| executor.code.size), "byte");
    paint.text(" of code in ");
    paint.number(i128::from(sum(|executor| executor.code.mapped)));
    paint.text(" mapped.");
}

fn cells(executor: &ExecutorHeader) -> [String; 8] {
    let place = match (&executor.filename, executor.entry) {
        (Some(file), Some(entry)) => {
            let line = entry
                .line
                .map_or_else(String::new, |line| format!(":{line}"));
            format!("{}{line} @{}", file_name(file), entry.bytecode_offset)
        }
        (Some(file), None) if !executor.state.valid => file_name(file).to_owned(),
        (Some(file), None) => format!("{} (exits only)", file_name(file)),
        (None, None) if !executor.state.valid => String::new(),
        (None, Some(entry)) => format!("? @{}", entry.bytecode_offset),
        (None, None) => "(exits only)".to_owned(),
    };
    [
        executor
            .index
            .map_or_else(String::new, |index| format!("#{index}")),
        executor.address.to_string(),
        harmless(function(executor)),
        harmless(&place),
        executor.uop_count.to_string(),
        executor.exit_count.to_string(),
        executor.code.size.to_string(),
        state(executor),
    ]
}

fn function(executor: &ExecutorHeader) -> &str {
    match &executor.qualname {
        Some(name) => name,
        None if executor.found_by.contains(&"cold") => "(cold exit)",
        None => "?",
    }
}

/// The flags in words, the unusual ones first.
pub fn state(executor: &ExecutorHeader) -> String {
    let state = &executor.state;
    let mut words = vec![match (state.pending_deletion, state.valid) {
        (true, _) => "pending deletion".to_owned(),
        (false, true) => "valid".to_owned(),
        (false, false) => "invalid".to_owned(),
    }];
    if state.linked == Some(false) && state.valid && !executor.found_by.contains(&"cold") {
        words.push("not linked".to_owned());
    }
    match state.warm {
        Some(true) => words.push("warm".to_owned()),
        Some(false) => words.push("not warm".to_owned()),
        None => {}
    }
    if let Some(depth) = executor.chain_depth.filter(|depth| *depth != 0) {
        words.push(format!("chain depth {depth}"));
    }
    words.extend(unusual_root(executor).map(ToOwned::to_owned));
    if !state.running_in.is_empty() {
        let threads: Vec<String> = state.running_in.iter().map(u64::to_string).collect();
        words.push(format!("running in thread {}", threads.join(", ")));
    }
    words.join(", ")
}

/// Where an executor that is in no list of the interpreter was found.
fn unusual_root(executor: &ExecutorHeader) -> Option<&'static str> {
    let has = |word| executor.found_by.contains(&word);
    if ["list", "deletion-list", "cold", "running"]
        .into_iter()
        .any(has)
    {
        return None;
    }
    [
        ("exit", "known by exits only"),
        ("code", "known by its code object only"),
        ("gc", "known by the garbage collector only"),
    ]
    .iter()
    .find_map(|(word, text)| has(*word).then_some(*text))
}
