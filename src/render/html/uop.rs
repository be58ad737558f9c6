//! A uop: its name and arguments at the left, its machine code at the right.

use super::code;
use super::executor::Trace;
use super::exits::goes_to;
use super::text::{link, push};
use crate::address::UopIndex;
use crate::listing::{ExitKind, ExitRow, StackEffect, UopRow};
use std::fmt::Write;

/// Writes one.
pub fn uop(out: &mut String, trace: &Trace<'_>, row: &UopRow) {
    let _ = write!(out, "<div class=u id={}u{}", trace.id, row.index);
    if let Some(name) = trace
        .page
        .names
        .bytecode(row.code.as_ref(), row.bytecode.as_ref())
    {
        // Of a stub it is where the interpreter goes on, not what it is a part of.
        let _ = write!(out, " data-{}={name}", if row.is_stub { "t" } else { "b" });
    }
    let _ = write!(out, "><div class=n><i>{}</i><b>", row.index);
    push(out, &row.name);
    out.push_str("</b>");
    let mut words = Words { out, any: false };
    arguments(&mut words, trace, row);
    words.end();
    out.push_str("</div>");
    match row.instructions.as_deref() {
        Some([]) if row.ranges.is_empty() => out.push_str("<em>no code known</em>"),
        Some([]) => out.push_str("<em>no code of its own</em>"),
        Some(instructions) => code::instructions(out, trace.page, Some(trace), instructions),
        None => {}
    }
    out.push_str("</div>\n");
}

/// Words in small print, kept apart.
struct Words<'o> {
    out: &'o mut String,
    any: bool,
}

impl Words<'_> {
    fn next(&mut self) -> &mut String {
        self.out.push_str(if self.any { " · " } else { "<small>" });
        self.any = true;
        self.out
    }

    fn end(self) {
        if self.any {
            self.out.push_str("</small>");
        }
    }
}

fn arguments(words: &mut Words<'_>, trace: &Trace<'_>, row: &UopRow) {
    if row.oparg != 0 {
        let _ = write!(words.next(), "oparg={}", row.oparg);
    }
    for (name, value) in [("operand0", row.operand0.0), ("operand1", row.operand1.0)] {
        if value != 0 {
            let _ = write!(words.next(), "{name}={value:#x}");
        }
    }
    if let Some(target) = row.jump_target {
        jump(words.next(), trace, row, target);
    }
    if let Some(target) = row.error_target {
        to_uop(words.next(), trace, "error", "on an exception", target);
    }
    if let Some(exit) = trace.exits.get(&row.index) {
        carries_out(words.next(), trace, exit);
    } else if row.is_stub && row.bytecode.is_some() {
        goes_on(words.next(), trace, row);
    }
    if let Some(effect) = row.stack {
        stack(words, effect);
    }
}

fn jump(out: &mut String, trace: &Trace<'_>, row: &UopRow, target: UopIndex) {
    match row.exit.filter(|exit| exit.uop == target) {
        Some(exit) => match (exit.kind, exit.index) {
            (ExitKind::Side, Some(index)) => {
                exit_link(out, trace, index);
                out.push(' ');
                to_uop(out, trace, "side", "", target);
            }
            (ExitKind::Side, None) => to_uop(out, trace, "side", "exit", target),
            (ExitKind::Deopt, _) => to_uop(out, trace, "deopt", "deopt", target),
            (ExitKind::Error, _) => to_uop(out, trace, "error", "error", target),
        },
        None => to_uop(out, trace, "side", "jumps", target),
    }
}

fn to_uop(out: &mut String, trace: &Trace<'_>, class: &str, word: &str, target: UopIndex) {
    out.push_str(word);
    out.push_str(if word.is_empty() { "" } else { " " });
    let shown = trace.uops.contains(&target);
    let name = shown.then(|| format!("{}u{target}", trace.id));
    link(
        out,
        name.as_deref(),
        &format!(" class={class}"),
        &format!("→ {target}"),
    );
}

fn exit_link(out: &mut String, trace: &Trace<'_>, index: u32) {
    let row = format!("{}e{index}", trace.id);
    link(out, Some(&row), " class=side", &format!("exit {index}"));
}

/// The exit that this uop carries out.
fn carries_out(out: &mut String, trace: &Trace<'_>, exit: &ExitRow) {
    exit_link(out, trace, exit.index);
    if let Some(line) = exit.line {
        let _ = write!(out, " to line {line}");
    }
    out.push_str(": ");
    goes_to(out, trace.page, exit);
}

/// Where the interpreter goes on behind a stub.
fn goes_on(out: &mut String, trace: &Trace<'_>, row: &UopRow) {
    let (Some(bytecode), code) = (&row.bytecode, row.code.as_ref()) else {
        return;
    };
    out.push_str("the interpreter goes on at ");
    let name = trace.page.names.bytecode(code, Some(bytecode));
    let name = name.map(|name| format!("b{name}"));
    link(
        out,
        name.as_deref(),
        "",
        &format!("bytecode {}", bytecode.offset.0),
    );
    if let Some(line) = row.line {
        let _ = write!(out, " (line {line})");
    }
}

fn stack(words: &mut Words<'_>, effect: StackEffect) {
    if let Some(items) = effect.effect.filter(|items| *items != 0) {
        let _ = write!(words.next(), "stack {items:+}");
    }
    if effect.cached_before != effect.cached_after {
        let _ = write!(
            words.next(),
            "in registers {} → {}",
            effect.cached_before,
            effect.cached_after
        );
    }
}
