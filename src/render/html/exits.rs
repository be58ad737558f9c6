//! The exits of an executor as a table.

use super::Page;
use super::executor::Trace;
use super::text::push;
use crate::listing::{ExecutorListing, ExitRecordKind, ExitRow};
use crate::render::exits::{count, linked};
use std::fmt::Write;

/// Writes the table.
pub fn table(out: &mut String, trace: &Trace<'_>, one: &ExecutorListing) {
    let _ = write!(out, "<h4 id={}-exits>Exits</h4>", trace.id);
    if one.exits().is_empty() {
        out.push_str("<p>It has none.</p>\n");
        return;
    }
    out.push_str(
        "<table class=e><thead><tr><th scope=col>exit<th scope=col>taken when<th scope=col>by uop\
         <th scope=col>goes on at<th scope=col>temperature<th scope=col>linked to</thead><tbody>\n",
    );
    for exit in one.exits() {
        row(out, trace, one, exit);
    }
    out.push_str("</tbody></table>\n");
}

/// Why an exit is taken, for a reader who has not met the words.
fn reason(kind: ExitRecordKind) -> &'static str {
    match kind {
        ExitRecordKind::Side => "a guess was wrong",
        ExitRecordKind::ControlFlow => "a branch goes the other way",
        ExitRecordKind::Dynamic => "the frame is another one",
        ExitRecordKind::End => "the trace ends",
    }
}

fn row(out: &mut String, trace: &Trace<'_>, one: &ExecutorListing, exit: &ExitRow) {
    let state = if exit.linked_to.is_some() {
        "linked"
    } else {
        "cold"
    };
    let _ = write!(
        out,
        "<tr id={}e{} class={state}><td>{}<td title=\"{}\">{}<td>",
        trace.id,
        exit.index,
        exit.index,
        exit.kind.word(),
        reason(exit.kind)
    );
    for (index, uop) in exit.uops.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "<br>" });
        let shown = trace.uops.contains(&uop.index);
        if shown {
            let _ = write!(out, "<a href=\"#{}u{}\">", trace.id, uop.index);
        }
        let _ = write!(out, "{} ", uop.index);
        push(out, &uop.name);
        out.push_str(if shown { "</a>" } else { "" });
    }
    out.push_str("<td>");
    goes_on(out, trace.page, one, exit);
    out.push_str("<td>");
    if let Some(counter) = exit.temperature.filter(|_| exit.linked_to.is_none()) {
        push(out, &count(counter));
    }
    out.push_str("<td>");
    goes_to(out, trace.page, exit);
    out.push('\n');
}

fn goes_on(out: &mut String, page: &Page<'_>, one: &ExecutorListing, exit: &ExitRow) {
    let Some(bytecode) = &exit.bytecode else {
        out.push_str("where the frame is by then");
        return;
    };
    let name = page.names.bytecode(exit.code.as_ref(), Some(bytecode));
    if let Some(name) = &name {
        let _ = write!(out, "<a href=\"#b{name}\">");
    }
    let _ = write!(out, "{} ", bytecode.offset.0);
    push(out, bytecode.opname.as_deref().unwrap_or("?"));
    if let Some(line) = exit.line {
        let _ = write!(out, " (line {line})");
    }
    if name.is_some() {
        out.push_str("</a>");
    }
    match &exit.code {
        Some(code) if Some(&*code.qualname) != one.executor.qualname.as_deref() => {
            out.push_str(" of ");
            push(out, &code.qualname);
        }
        Some(_) => {}
        None => out.push_str(" of an unknown function"),
    }
}

/// The executor that goes on, if there is one.
pub fn goes_to(out: &mut String, page: &Page<'_>, exit: &ExitRow) {
    let Some(link) = &exit.linked_to else {
        out.push_str("cold");
        return;
    };
    let name = page.names.executor(link.executor);
    match name {
        Some(id) => {
            let _ = write!(out, "<a href=\"#{id}\">");
        }
        None => out.push_str("<span title=\"not on this page: jit-dis --all has it\">"),
    }
    push(out, &linked(link));
    out.push_str(if name.is_some() { "</a>" } else { "</span>" });
}
