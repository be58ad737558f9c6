//! A stop in JIT code, in two or three lines.

use super::paint::{Paint, Role, at_line, harmless};
use super::place::bytecode;
use crate::listing::StopData;

/// Writes which uop it is, and of what.
pub fn write(paint: &mut Paint, data: &StopData) {
    paint.text("uop ");
    paint.number(data.uop.index.0);
    paint.text(" ");
    paint.role(Role::Uop, &data.uop.name);
    if data.offset != 0 {
        paint.text("+");
        paint.number(i128::from(data.offset));
    }
    if data.uop.is_stub {
        paint.text(", a stub,");
    }
    paint.text(" of ");
    executor(paint, data);
    for (index, name) in &data.without_code {
        paint.text(", with ");
        paint.number(index.0);
        paint.text(" ");
        paint.role(Role::Uop, name);
    }
    paint.end_line();
    place(paint, data);
    if let Some(stack) = &data.stack {
        paint.text("  stack: ");
        paint.text(&harmless(stack));
        paint.end_line();
    }
}

fn executor(paint: &mut Paint, data: &StopData) {
    match &data.qualname {
        Some(qualname) => paint.text(&harmless(qualname)),
        None => {
            paint.text("executor ");
            paint.address(data.executor);
        }
    }
    if let Some(entry) = data.entry {
        paint.text("@");
        paint.number(entry.0);
    }
}

fn place(paint: &mut Paint, data: &StopData) {
    let Some(code) = &data.uop.code else {
        return;
    };
    paint.text("  in ");
    paint.text(&harmless(&code.qualname));
    at_line(paint, Some(&code.filename), data.uop.line);
    bytecode(paint, Some(&data.uop));
    paint.end_line();
    if let (Some(line), Some(source)) = (data.uop.line, &data.source) {
        paint.text("  ");
        paint.number(line);
        paint.text("  ");
        paint.role(Role::Source, harmless(source).trim_start());
        paint.end_line();
    }
}
