//! `jit-stack`: frames with their stacks and variables.

use super::paint::{Paint, Role, at_line, harmless};
use super::table::Columns;
use crate::listing::{ItemRow, LocalRow, StackData, StackFrame, ThreadStack, ValueRow};

const ITEMS: Columns<4> = Columns {
    headings: ["stack", "where", "reference", "value"],
    right: [true, false, false, false],
    elastic: 3,
    narrowest: 24,
};

const LOCALS: Columns<3> = Columns {
    headings: ["local", "reference", "value"],
    right: [false, false, false],
    elastic: 2,
    narrowest: 24,
};

/// Writes the threads.
pub fn write(paint: &mut Paint, data: &StackData) {
    for (index, thread) in data.threads.iter().enumerate() {
        if index > 0 {
            paint.end_line();
        }
        thread_head(paint, thread);
        let mut activation = thread.frames.first().map_or(0, |frame| frame.activation);
        for (place, frame) in thread.frames.iter().enumerate() {
            if frame.activation != activation {
                activation = frame.activation;
                paint.text("-- called from C code --");
                paint.end_line();
            }
            frame_head(paint, frame);
            if place == 0 || data.view.all {
                content(paint, frame);
            }
        }
        if thread.more {
            paint.text("… more frames: --frame N shows one");
            paint.end_line();
        }
    }
}

fn thread_head(paint: &mut Paint, thread: &ThreadStack) {
    paint.colored(Role::Heading, |paint| {
        paint.text("thread ");
        match thread.thread {
            Some(thread) => paint.number(i128::from(thread)),
            None => paint.text("without a known id"),
        }
    });
    match (thread.inside, &thread.uop) {
        (_, Some(uop)) => {
            paint.text(match thread.in_call {
                true => ", in a call from uop ",
                false => ", in uop ",
            });
            paint.number(uop.index.0);
            paint.text(" ");
            paint.role(Role::Uop, &uop.name);
            if let Some(offset) = thread.offset.filter(|offset| *offset > 0) {
                paint.text("+");
                paint.number(i128::from(offset));
            }
        }
        ("jit", None) => paint.text(", in JIT code but in no uop"),
        ("c", None) => paint.text(", in C code that JIT code has called"),
        ("interpreter", None) => paint.text(", not in JIT code"),
        _ => {}
    }
    if let Some(executor) = thread.executor {
        paint.text(", executor ");
        paint.colored(Role::Address, |paint| paint.address(executor));
    }
    paint.end_line();
}

fn frame_head(paint: &mut Paint, frame: &StackFrame) {
    paint.text("#");
    paint.number(i128::from(frame.level));
    paint.text(" ");
    let function = frame.function.as_deref().unwrap_or("<unknown function>");
    paint.role(Role::Heading, &harmless(function));
    at_line(paint, frame.filename.as_deref(), frame.line);
    if let Some(bytecode) = &frame.bytecode {
        paint.text(", bytecode ");
        paint.number(bytecode.offset.0);
        if let Some(name) = &bytecode.opname {
            paint.text(" ");
            paint.role(Role::Bytecode, name);
        }
    }
    paint.text(", frame ");
    paint.colored(Role::Address, |paint| paint.address(frame.address));
    paint.end_line();
}

fn content(paint: &mut Paint, frame: &StackFrame) {
    match &frame.stack {
        Some(items) => stack(paint, frame, items),
        None => {
            paint.role(Role::Warning, "the stack is not known: ");
            let why = frame.why.as_deref().unwrap_or("its frame cannot be read");
            paint.text(&harmless(why));
            paint.end_line();
        }
    }
    match &frame.locals {
        Some(locals) if !locals.is_empty() => {
            LOCALS.write(paint, locals.iter().map(local).collect());
        }
        Some(_) => {
            paint.text("no local variables");
            paint.end_line();
        }
        None => {
            paint.role(Role::Warning, "the local variables cannot be read");
            paint.end_line();
        }
    }
}

fn stack(paint: &mut Paint, frame: &StackFrame, items: &[ItemRow]) {
    if frame.stack_as_of == Some("uop") {
        paint.text("the stack as the uop found it:");
        paint.end_line();
    }
    if items.is_empty() {
        paint.text("the stack is empty");
        paint.end_line();
        return;
    }
    let rows = (1i64..).zip(items);
    ITEMS.write(paint, rows.map(|(below, row)| item(below, row)).collect());
}

fn item(below_top: i64, item: &ItemRow) -> [String; 4] {
    let place = match (item.cached, item.register, item.address) {
        (Some(cached), Some(register), _) => format!("tos{cached} {register}"),
        (Some(cached), None, Some(address)) => format!("tos{cached} {address}"),
        (_, _, Some(address)) => address.to_string(),
        _ => String::new(),
    };
    let (tag, text) = match &item.value {
        Some(value) => (value.tag.to_owned(), text(value)),
        None => (String::new(), "not known any more".to_owned()),
    };
    let object = item.value.as_ref().and_then(|value| value.object);
    let text = match (item.state, object) {
        ("former", Some(_)) => format!("{text} (before; it may have been freed)"),
        ("former", None) => format!("{text} (before)"),
        _ => text,
    };
    [format!("-{below_top}"), place, tag, text]
}

fn local(local: &LocalRow) -> [String; 3] {
    let name = local.name.as_deref().unwrap_or("<unreadable>");
    let name = match local.kind {
        "local" => harmless(name),
        kind => format!("{} ({kind})", harmless(name)),
    };
    let shown = match &local.content {
        Some(content) if content.tag == "null" => "an empty cell".to_owned(),
        Some(content) => format!("in a cell: {}", text(content)),
        None if local.value.tag == "null" => "not set".to_owned(),
        None => text(&local.value),
    };
    [name, local.value.tag.to_owned(), shown]
}

/// What it is, with its type where the text alone does not tell.
fn text(value: &ValueRow) -> String {
    let object = || value.object.map(|object| format!("<object at {object}>"));
    let bits = || value.bits.map(|bits| format!("{:#x}", bits.0));
    let repr = value.repr.clone().or_else(object).or_else(bits);
    harmless(&repr.unwrap_or_default())
}
