//! `jit-verify`: a line for each check, and what failed.

use super::paint::{Paint, Role, counted, harmless};
use crate::listing::{ByteDifference, CheckRow, CheckStatus, ExecutorHeader, Failure, VerifyData};

/// Columns of names and numbers.
const NAME: usize = 12;
const NUMBER: usize = 13;

/// What belongs to the line above.
const INDENT: usize = 7;

/// Writes a table of the checks, then each failure, then one line that sums up.
pub fn write(paint: &mut Paint, data: &VerifyData) {
    table(paint, data);
    for executor in &data.executors {
        for failure in &executor.failures {
            write_failure(paint, &executor.executor, failure);
        }
        if let Some(difference) = &executor.bytes.difference {
            explain(paint, difference);
        }
    }
    sum_bytes(paint, data);
    sum(paint, data);
}

fn table(paint: &mut Paint, data: &VerifyData) {
    let Some(first) = data.executors.first() else {
        return;
    };
    let heading = |paint: &mut Paint| cells(paint, "check", ["executors", "comparisons", "failed"]);
    paint.colored(Role::Heading, heading);
    paint.end_line();
    for check in &first.checks {
        let rows = data.executors.iter().flat_map(|executor| &executor.checks);
        let rows: Vec<&CheckRow> = rows.filter(|row| row.name == check.name).collect();
        write_check(paint, check.name, &rows);
    }
}

fn write_check(paint: &mut Paint, name: &str, rows: &[&CheckRow]) {
    let ran = rows
        .iter()
        .filter(|row| row.status != CheckStatus::CouldNotRun);
    let compared: u64 = rows.iter().map(|row| row.compared).sum();
    let failed: u64 = rows.iter().map(|row| row.failed).sum();
    let numbers = [ran.count() as u64, compared, failed].map(|number| number.to_string());
    cells(paint, name, numbers.each_ref().map(String::as_str));
    let mut reasons: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.reason.as_deref())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    if let [first, rest @ ..] = reasons.as_slice() {
        paint.text("  not run: ");
        paint.text(&harmless(first));
        if !rest.is_empty() {
            paint.text(", and ");
            counted(paint, rest.len() as u64, "other reason");
        }
    }
    paint.end_line();
}

fn cells(paint: &mut Paint, name: &str, numbers: [&str; 3]) {
    let start = paint.mark();
    paint.text(name);
    paint.pad_from(start, NAME);
    for number in numbers {
        paint.blanks(NUMBER.saturating_sub(number.len()));
        paint.text(number);
    }
}

/// `registers: executor #3 0x… (f), uop 7 _X_r12 at 0x…: FIELD: expected X, found Y`.
fn write_failure(paint: &mut Paint, executor: &ExecutorHeader, failure: &Failure) {
    paint.role(Role::Warning, failure.check);
    paint.text(": executor ");
    if let Some(index) = executor.index {
        paint.text("#");
        paint.number(index);
        paint.text(" ");
    }
    paint.address(executor.address);
    if let Some(name) = &executor.qualname {
        paint.text(" (");
        paint.text(&harmless(name));
        paint.text(")");
    }
    if let Some(uop) = failure.uop {
        paint.text(", uop ");
        paint.number(uop.0);
        paint.text(" ");
        paint.role(Role::Uop, failure.name.as_deref().unwrap_or("?"));
    }
    paint.text(", at ");
    paint.address(failure.address);
    paint.text(": ");
    paint.text(&harmless(&failure.field));
    paint.text(": expected ");
    paint.text(&harmless(&failure.expected));
    paint.text(", found ");
    paint.text(&harmless(&failure.found));
    paint.end_line();
}

/// `  4 bytes differ; may be: …`, below the first of them.
fn explain(paint: &mut Paint, difference: &ByteDifference) {
    paint.blanks(INDENT);
    counted(paint, difference.count, "byte");
    paint.text(match difference.count {
        1 => " differs: ",
        _ => " differ: ",
    });
    paint.text(&harmless(&difference.explanation));
    paint.text(".");
    paint.end_line();
}

/// `machine code: 3 executors identical, …`.
fn sum_bytes(paint: &mut Paint, data: &VerifyData) {
    if data.executors.is_empty() {
        return;
    }
    let bytes = &data.bytes;
    paint.text("machine code: ");
    counted(paint, bytes.identical, "executor");
    paint.text(" identical, ");
    paint.number(bytes.different);
    paint.text(" different, ");
    paint.number(bytes.not_checkable);
    paint.text(" not checkable; ");
    counted(paint, bytes.uops, "uop");
    paint.text(", ");
    counted(paint, bytes.compared, "byte");
    paint.text(" compared.");
    paint.end_line();
}

fn sum(paint: &mut Paint, data: &VerifyData) {
    let summary = &data.summary;
    counted(paint, summary.executors, "executor");
    paint.text(", ");
    counted(paint, summary.compared, "comparison");
    paint.text(": ");
    match data.is_sound() {
        true if data.bytes.not_checkable != 0 => {
            paint.text("nothing is wrong with what could be compared.");
        }
        true => paint.text("all is well."),
        false => {
            counted(paint, summary.failed, "check");
            paint.text(" failed");
            if data.unreadable != 0 {
                paint.text(", ");
                counted(paint, data.unreadable, "executor");
                paint.text(" cannot be read or have been freed");
            }
            paint.text(".");
        }
    }
    paint.end_line();
}
