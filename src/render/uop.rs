//! The arguments of a uop, in words.

use super::TextStyle;
use super::paint::Paint;
use crate::listing::{ExitKind, UopRow};
use std::fmt::Write as _;

/// What is not zero, and where the uop leads besides the next one.
pub fn arguments(row: &UopRow) -> String {
    let mut paint = Paint::new(TextStyle::default());
    write_arguments(&mut paint, row);
    paint.finish()
}

fn write_arguments(paint: &mut Paint, row: &UopRow) {
    let start = paint.mark();
    if row.oparg != 0 {
        paint.text("oparg=");
        paint.number(row.oparg);
    }
    operand(paint, start, "operand0=0x", row.operand0.0);
    operand(paint, start, "operand1=0x", row.operand1.0);
    destination(paint, start, row);
    if let Some(target) = row.jump_target {
        separate(paint, start);
        jump(paint, row, target.0);
    }
    if let Some(target) = row.error_target {
        separate(paint, start);
        paint.text("error -> uop ");
        paint.number(target.0);
    }
}

/// A blank, unless nothing stands before it.
fn separate(paint: &mut Paint, start: usize) {
    if paint.mark() != start {
        paint.text(" ");
    }
}

fn operand(paint: &mut Paint, start: usize, name: &str, value: u64) {
    if value != 0 {
        separate(paint, start);
        paint.text(name);
        paint.hex(value);
    }
}

/// Where the interpreter goes on behind a stub.
fn destination(paint: &mut Paint, start: usize, row: &UopRow) {
    let Some(bytecode) = row.bytecode.as_ref().filter(|_| row.is_stub) else {
        return;
    };
    separate(paint, start);
    paint.text("to bytecode ");
    paint.number(bytecode.offset.0);
    if let Some(line) = row.line {
        paint.text(" (line ");
        paint.number(line);
        paint.text(")");
    }
}

fn jump(paint: &mut Paint, row: &UopRow, target: u32) {
    match row.exit.filter(|exit| exit.uop.0 == target) {
        Some(exit) => {
            paint.text(match exit.kind {
                ExitKind::Side => "exit",
                ExitKind::Deopt => "deopt",
                ExitKind::Error => "error",
            });
            if let Some(index) = exit.index {
                paint.text(" ");
                paint.number(index);
            }
        }
        None => paint.text("jump"),
    }
    paint.text(" -> uop ");
    paint.number(target);
}

/// By how many items the stack grows, and how many of it are in registers then; `None` if it does not.
pub fn effect(row: &UopRow) -> Option<String> {
    let effect = row.stack?;
    let items = effect.effect.filter(|items| *items != 0)?;
    let mut words = format!("; stack {items:+}");
    if effect.cached_before != effect.cached_after {
        let (before, after) = (effect.cached_before, effect.cached_after);
        let _ = write!(words, ", cached {before} -> {after}");
    }
    Some(words)
}

/// The address and the size of its code.
pub fn ranges(row: &UopRow) -> String {
    if row.ranges.is_empty() {
        return "(no code known)".to_owned();
    }
    let ranges = row.ranges.iter();
    let words: Vec<String> = ranges
        .map(|range| format!("{} +{}", range.address, range.size))
        .collect();
    words.join(" ")
}
