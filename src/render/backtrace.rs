//! `jit-bt`: stacks, one line a frame, and under each the Python frames that it runs.

use super::paint::{Paint, Role, at_line, counted, file_name, harmless};
use crate::listing::{
    Activation, BacktraceData, CallFrame, CallStack, ExecutorHeader, PythonFrame,
};

/// Columns of `#12 `, and of an address with the blank behind it.
const LEVEL: usize = 4;
const ADDRESS: usize = 20;

/// Writes the stacks, one below the other.
pub fn write(paint: &mut Paint, data: &BacktraceData) {
    if data.threads.is_empty() {
        paint.text("There is no thread to show.");
        paint.end_line();
    }
    for (index, thread) in data.threads.iter().enumerate() {
        if index > 0 {
            paint.end_line();
        }
        heading(paint, thread, data.threads.len() > 1);
        for frame in &thread.frames {
            frame_lines(paint, frame);
        }
        end(paint, thread);
    }
}

fn heading(paint: &mut Paint, thread: &CallStack, several: bool) {
    paint.colored(Role::Heading, |paint| {
        paint.text("thread");
        if let Some(id) = thread.thread {
            paint.text(" ");
            paint.number(i128::from(id));
        }
        if several && thread.selected {
            paint.text(" (selected)");
        }
    });
    match thread.state {
        Some(state) => {
            paint.text(", PyThreadState ");
            paint.address(state);
        }
        None => paint.text(", no Python thread"),
    }
    paint.end_line();
}

fn frame_lines(paint: &mut Paint, frame: &CallFrame) {
    let start = paint.mark();
    paint.text("#");
    paint.number(i128::from(frame.level));
    paint.pad_from(start, LEVEL);
    let width = frame.pc.to_string().len();
    paint.colored(Role::Address, |paint| paint.address(frame.pc));
    paint.blanks(ADDRESS.saturating_sub(width).max(1));
    match &frame.executor {
        Some(executor) => jit(paint, frame, executor),
        None => function(paint, frame),
    }
    if frame.found_by == "stack-top" {
        paint.role(
            Role::Warning,
            "  (probably: on top of the stack of a call to no code)",
        );
    }
    paint.end_line();
    for python in &frame.python {
        python_line(paint, python);
    }
}

fn function(paint: &mut Paint, frame: &CallFrame) {
    match (&frame.symbol, frame.offset) {
        _ if frame.signal => paint.role(Role::Mark, "<a signal handler was called>"),
        (Some(symbol), offset) => {
            paint.text(&harmless(symbol));
            plus(paint, offset);
        }
        // What the Python frames below it say is certain.
        (None, _) if !frame.python.is_empty() => paint.text("? (the interpreter)"),
        (None, _) => paint.text("?"),
    }
    match &frame.file {
        Some(file) => paint.colored(Role::Note, |paint| {
            paint.text("  ");
            paint.text(&harmless(file_name(file)));
            if let (None, Some(address)) = (&frame.symbol, frame.file_address) {
                paint.text("+");
                paint.address(address);
            }
        }),
        None => paint.role(Role::Note, "  in no file that is known"),
    }
}

fn jit(paint: &mut Paint, frame: &CallFrame, executor: &ExecutorHeader) {
    let function = (frame.uop.as_ref())
        .and_then(|uop| uop.code.as_ref())
        .map(|code| &*code.qualname)
        .or(executor.qualname.as_deref());
    paint.text(&harmless(function.unwrap_or("?")));
    paint.text(" ");
    paint.colored(Role::Uop, |paint| {
        paint.text("[");
        match &frame.uop {
            Some(uop) => {
                paint.text("uop ");
                paint.number(uop.index.0);
                paint.text(" ");
                paint.text(&uop.name);
            }
            None => paint.text(frame.inside.unwrap_or("?")),
        }
        plus(paint, frame.offset);
        paint.text("]");
    });
    paint.text("  JIT, executor ");
    name(paint, executor);
}

fn name(paint: &mut Paint, executor: &ExecutorHeader) {
    if let Some(index) = executor.index {
        paint.text("#");
        paint.number(index);
        paint.text(" ");
    }
    paint.address(executor.address);
    if !executor.state.valid {
        paint.text(" (invalid)");
    }
}

fn plus(paint: &mut Paint, offset: Option<u64>) {
    if let Some(offset) = offset {
        paint.text("+");
        paint.number(i128::from(offset));
    }
}

fn python_line(paint: &mut Paint, frame: &PythonFrame) {
    paint.blanks(LEVEL);
    paint.colored(Role::Source, |paint| {
        paint.text("py  ");
        paint.text(&harmless(frame.function.as_deref().unwrap_or("?")));
        at_line(paint, frame.filename.as_deref(), frame.line);
    });
    match (frame.bytecode_offset, frame.code) {
        (Some(offset), _) => {
            paint.text(", bytecode ");
            paint.number(offset.0);
        }
        (None, Some(code)) => {
            paint.text(", code ");
            paint.address(code);
        }
        (None, None) => {
            paint.text(", frame ");
            paint.address(frame.frame);
        }
    }
    paint.end_line();
}

/// What is not shown, and why.
fn end(paint: &mut Paint, thread: &CallStack) {
    let hidden = thread
        .frame_count
        .saturating_sub(thread.frames.len() as u64);
    if hidden > 0 {
        paint.text("... ");
        counted(paint, hidden, "more frame");
        paint.text("; --limit 0 shows all");
        paint.end_line();
    }
    if let Some(reason) = &thread.cut_off {
        paint.colored(Role::Warning, |paint| {
            paint.text("the C stack is not followed further: ");
            paint.text(&harmless(reason));
        });
        paint.end_line();
    }
    if !thread.remaining.is_empty() {
        paint.text("Python frames that no C frame was found for, from the thread's own chain:");
        paint.end_line();
        for activation in &thread.remaining {
            remaining(paint, activation);
        }
    }
}

fn remaining(paint: &mut Paint, activation: &Activation) {
    paint.blanks(LEVEL);
    paint.text("interpreter");
    if let Some(entry) = activation.entry_frame {
        paint.text(", entry frame ");
        paint.address(entry);
    }
    if let Some(executor) = &activation.executor {
        paint.text(", in JIT code of executor ");
        name(paint, executor);
    }
    paint.end_line();
    for python in &activation.python {
        python_line(paint, python);
    }
}
