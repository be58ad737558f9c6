//! `jit-where`: one address.

use super::header::header;
use super::paint::{Paint, Role, at_line, harmless};
use crate::listing::{UopRow, WhereData};

/// Writes what the address is, the most precise thing first.
pub fn write(paint: &mut Paint, data: &WhereData) {
    paint.colored(Role::Address, |paint| paint.address(data.address));
    match (&data.uop, data.executor.is_some()) {
        (Some(uop), _) => in_uop(paint, data, uop),
        (None, true) => in_region(paint, data),
        (None, false) if data.inside == "freed" => {
            paint.text(" is in machine code that has been freed");
        }
        (None, false) => paint.text(" is in no executor that is known at this stop"),
    }
    paint.end_line();
    if let Some(frame) = &data.frame {
        paint.text("  in ");
        paint.text(&harmless(&frame.function));
        at_line(paint, Some(&frame.filename), frame.line);
        bytecode(paint, data.uop.as_ref());
        paint.end_line();
    }
    if let Some(executor) = &data.executor {
        header(paint, executor);
    }
}

fn in_uop(paint: &mut Paint, data: &WhereData, uop: &UopRow) {
    paint.text(if data.inside == "data" {
        " is in the data of uop "
    } else {
        " is in uop "
    });
    paint.number(uop.index.0);
    paint.text(" ");
    paint.role(Role::Uop, &uop.name);
    offset(paint, data);
    if uop.is_stub {
        paint.text(", a stub");
    }
}

fn in_region(paint: &mut Paint, data: &WhereData) {
    paint.text(" is in the ");
    paint.text(data.inside);
    offset(paint, data);
    paint.text(" of an executor");
}

fn offset(paint: &mut Paint, data: &WhereData) {
    if let Some(offset) = data.offset {
        paint.text("+");
        paint.number(i128::from(offset));
    }
}

pub(super) fn bytecode(paint: &mut Paint, uop: Option<&UopRow>) {
    let Some(bytecode) = uop.and_then(|uop| uop.bytecode.as_ref()) else {
        return;
    };
    paint.text(", bytecode ");
    paint.number(bytecode.offset.0);
    if let Some(name) = &bytecode.opname {
        paint.text(" ");
        paint.text(name);
    }
}
