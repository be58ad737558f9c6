//! The two panes at the left: the source and the bytecode of the functions that uops come from.

use super::Page;
use super::names::place;
use super::text::{link, push};
use crate::address::BytecodeOffset;
use crate::listing::{
    BytecodeData, BytecodeRow, EntryMark, ExecutorListing, ExitMark, PageFunction,
};
use crate::render::exits::count;
use crate::render::header::number;
use crate::render::paint::file_name;
use std::collections::HashSet;
use std::fmt::Write;

/// Both panes. Functions that `first`, the executor shown at the start, has nothing of are hidden.
pub fn panes(out: &mut String, page: &Page<'_>, first: Option<&ExecutorListing>) {
    let shown: HashSet<usize> = first
        .map(|one| of(page, one))
        .unwrap_or_default()
        .into_iter()
        .collect();
    pane(out, page, "source", "Source", &shown, source);
    pane(out, page, "bytecode", "Bytecode", &shown, bytecode);
}

/// The functions that the uops of an executor come from, by their place on the page.
pub fn of(page: &Page<'_>, one: &ExecutorListing) -> Vec<usize> {
    let mut seen = HashSet::new();
    let codes = one.uops.iter().filter_map(|row| row.code.as_ref());
    codes
        .filter_map(|code| page.names.function(code))
        .filter(|function| seen.insert(*function))
        .collect()
}

type Write1 = fn(&mut String, &Page<'_>, usize, &PageFunction);

fn pane(
    out: &mut String,
    page: &Page<'_>,
    id: &str,
    heading: &str,
    shown: &HashSet<usize>,
    write: Write1,
) {
    let _ = writeln!(
        out,
        "<section class=pane id={id} tabindex=0 aria-labelledby={id}-h><h2 id={id}-h>{heading}</h2>"
    );
    for (index, function) in page.data.functions.iter().enumerate() {
        let hidden = if shown.contains(&index) {
            ""
        } else {
            " hidden=until-found"
        };
        let _ = write!(out, "<div class=f data-f={index}{hidden}><h3>");
        push(out, &function.code.qualname);
        out.push_str(" <small title=\"");
        push(out, &function.code.filename);
        out.push_str("\">");
        push(out, file_name(&function.code.filename));
        out.push_str("</small></h3>\n");
        write(out, page, index, function);
        out.push_str("</div>\n");
    }
    out.push_str("</section>\n");
}

fn source(out: &mut String, _: &Page<'_>, index: usize, function: &PageFunction) {
    warning(out, function.source_doubt.as_deref());
    for (line, text) in &function.source {
        let _ = write!(out, "<p id=s{index}-{line}><i>{line}</i>");
        push(out, text);
        out.push('\n');
    }
}

fn warning(out: &mut String, what: Option<&str>) {
    if let Some(what) = what {
        out.push_str("<div class=warn>");
        push(out, what);
        out.push_str("</div>\n");
    }
}

fn bytecode(out: &mut String, page: &Page<'_>, index: usize, function: &PageFunction) {
    let data = match &function.bytecode {
        Ok(data) => data,
        Err(reason) => return warning(out, Some(reason)),
    };
    let mut prefixed: Option<BytecodeOffset> = None;
    for row in &data.instructions {
        instruction(out, page, index, row, prefixed);
        // A prefix and what it belongs to are one instruction.
        prefixed = match row.opname.as_deref() {
            Some("EXTENDED_ARG") => Some(prefixed.unwrap_or(row.offset)),
            _ => None,
        };
    }
    handlers(out, page, index, data);
}

fn instruction(
    out: &mut String,
    page: &Page<'_>,
    function: usize,
    row: &BytecodeRow,
    prefixed: Option<BytecodeOffset>,
) {
    let _ = write!(out, "<p id=b{}", place(function, row.offset));
    if let Some(first) = prefixed {
        let _ = write!(out, " data-k={}", place(function, first));
    }
    if let Some(line) = row.line {
        let _ = write!(out, " data-l={line}");
    }
    let _ = write!(out, "><i>{}</i><span>", row.offset.0);
    if let Some(label) = row.label {
        let _ = write!(out, "<em>L{label}</em> ");
    }
    push(out, row.opname.as_deref().unwrap_or("?"));
    argument(out, page, function, row);
    out.push_str("</span>");
    if !row.entries.is_empty() || !row.exits.is_empty() {
        out.push_str("<small>");
        row.entries.iter().for_each(|mark| entry(out, page, mark));
        row.exits.iter().for_each(|mark| exit(out, page, mark));
        out.push_str("</small>");
    }
    out.push('\n');
}

fn argument(out: &mut String, page: &Page<'_>, function: usize, row: &BytecodeRow) {
    if let Some(oparg) = row.oparg {
        let _ = write!(out, " {oparg}");
    }
    let Some(meaning) = &row.argrepr else {
        return;
    };
    let target = row
        .jump_target
        .and_then(|target| page.names.link(function, target));
    out.push_str(" <b>(");
    match target {
        Some(target) => link(out, Some(&target), "", meaning),
        None => push(out, meaning),
    }
    out.push_str(")</b>");
}

/// The executor that is entered here.
fn entry(out: &mut String, page: &Page<'_>, mark: &EntryMark) {
    let number = number(mark.index, mark.executor);
    let what = if mark.valid { "" } else { ", invalid" };
    let target = page.names.executor(mark.executor);
    link(
        out,
        target,
        " class=in",
        &format!("▸ enters {number}{what}"),
    );
}

/// The exit that comes back here, or the executor that goes on instead.
fn exit(out: &mut String, page: &Page<'_>, mark: &ExitMark) {
    let own = number(mark.index, mark.executor);
    let (state, what) = match (&mark.linked_to, mark.temperature) {
        (Some(link), _) => (
            "linked",
            format!("linked to {}", number(link.index, link.executor)),
        ),
        (None, Some(counter)) => ("cold", format!("cold: {}", count(counter))),
        (None, None) => ("cold", "cold".to_owned()),
    };
    let (exit, kind) = (mark.exit, mark.kind.word());
    let target = page
        .names
        .executor(mark.executor)
        .map(|id| format!("{id}e{exit}"));
    let attributes = format!(" class={state} title=\"exit {exit} of {own} ({kind}), {what}\"");
    link(
        out,
        target.as_deref(),
        &attributes,
        &format!("◂ {own}.{exit}"),
    );
}

fn handlers(out: &mut String, page: &Page<'_>, function: usize, data: &BytecodeData) {
    if data.handlers.is_empty() {
        return;
    }
    out.push_str("<h4>Exception handlers</h4><ul>\n");
    for handler in &data.handlers {
        let target = page.names.link(function, handler.target);
        let _ = write!(out, "<li>{} to {}: ", handler.start.0, handler.end.0);
        link(out, target.as_deref(), "", &handler.target.0.to_string());
        out.push('\n');
    }
    out.push_str("</ul>\n");
}
