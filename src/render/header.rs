//! What is said of an executor as a whole, above its uops and below them.

use super::executors::state;
use super::paint::{Paint, Role, counted, harmless};
use crate::address::Address;
use crate::listing::{ExecutorHeader, ExecutorListing};

/// What people call an executor: `#3`, or its address if the list does not have it.
pub fn number(index: Option<u32>, address: Address) -> String {
    index.map_or_else(|| address.to_string(), |index| format!("#{index}"))
}

/// Two or three lines about an executor as a whole.
pub fn header(paint: &mut Paint, executor: &ExecutorHeader) {
    paint.colored(Role::Heading, |paint| {
        paint.text("executor ");
        if let Some(index) = executor.index {
            paint.text("#");
            paint.number(index);
            paint.text(" ");
        }
        paint.address(executor.address);
        if is_cold(executor) {
            paint.text(": cold exit, for all exits without an executor");
        } else if let Some(qualname) = &executor.qualname {
            paint.text(": ");
            paint.text(&harmless(qualname));
        }
    });
    place(paint, executor);
    paint.end_wrapped(0, 4, |_| 0);
    paint.text("  ");
    counted(paint, executor.uop_count, "uop");
    paint.text(", ");
    counted(paint, executor.exit_count, "exit");
    paint.text("; ");
    if executor.code.address.is_null() {
        paint.text("no machine code");
    } else {
        paint.text("code ");
        paint.address(executor.code.address);
        paint.text(", ");
        paint.number(i128::from(executor.code.size));
        paint.text(" of ");
        counted(paint, executor.code.mapped, "byte");
    }
    paint.text("; ");
    paint.text(&state(executor));
    paint.end_wrapped(0, 4, |_| 0);
}

/// Whether it is one of the two executors behind cold exits (3.15).
pub(super) fn is_cold(executor: &ExecutorHeader) -> bool {
    executor.found_by.contains(&"cold")
}

fn place(paint: &mut Paint, executor: &ExecutorHeader) {
    if let (Some(file), Some(line)) = (&executor.filename, executor.firstlineno) {
        paint.text(" (");
        paint.text(&harmless(file));
        paint.text(":");
        paint.number(line);
        paint.text(")");
    }
    match executor.entry {
        Some(entry) => {
            paint.text(", entered at bytecode ");
            paint.number(entry.bytecode_offset.0);
            if let Some(line) = entry.line {
                paint.text(" (line ");
                paint.number(line);
                paint.text(")");
            }
        }
        None if is_cold(executor) => {}
        None if !executor.state.valid => paint.text(", never entered again"),
        None => paint.text(", entered by exits only"),
    }
}

/// Where the parts of the allocation are that hold no uops.
pub fn regions(paint: &mut Paint, listing: &ExecutorListing) {
    let others: Vec<_> = listing
        .regions
        .iter()
        .filter(|region| {
            !matches!(region.kind, "uops" | "padding") && region.instructions.is_none()
        })
        .collect();
    if others.is_empty() {
        return;
    }
    paint.text("  besides:");
    for (index, region) in others.iter().enumerate() {
        paint.text(if index == 0 { " " } else { "; " });
        paint.text(region.kind);
        paint.text(" ");
        paint.address(region.address);
        paint.text(", ");
        counted(paint, region.size, "byte");
    }
    paint.end_wrapped(0, 4, |_| 0);
}
