//! One executor: what is said of it, its uops with their machine code, its exits.

use super::Page;
use super::names;
use super::text::{link, push};
use super::{code, exits, functions, uop};
use crate::address::UopIndex;
use crate::listing::{CodeRef, ExecutorHeader, ExecutorListing, ExitRow, PageFunction, UopRow};
use crate::render::executors::state;
use crate::render::header::number;
use crate::render::paint::file_name;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;

/// Of longer machine code (debug builds have it), a browser draws only what is in view: else it takes seconds to open.
const MOST_AT_ONCE: usize = 4_000;

/// `#3 f`.
pub fn label(header: &ExecutorHeader) -> String {
    let number = number(header.index, header.address);
    match &header.qualname {
        Some(name) => format!("{number} {name}"),
        None if header.found_by.contains(&"cold") => format!("{number} (cold exit)"),
        None => number,
    }
}

/// What the uops of one executor have in common.
pub struct Trace<'m> {
    pub page: &'m Page<'m>,
    pub id: String,
    /// The exits, by the uop that carries them out.
    pub exits: HashMap<UopIndex, &'m ExitRow>,
    /// The uops that are shown.
    pub uops: HashSet<UopIndex>,
}

/// An executor, hidden unless it is `shown` first.
pub fn article(out: &mut String, page: &Page<'_>, one: &ExecutorListing, shown: bool) {
    let stubs = one.exits().iter();
    let trace = Trace {
        page,
        id: names::executor(&one.executor),
        exits: stubs.filter_map(|exit| Some((exit.stub?, exit))).collect(),
        uops: one.uops.iter().map(|row| row.index).collect(),
    };
    let used: Vec<String> = (functions::of(page, one).iter())
        .map(usize::to_string)
        .collect();
    let hidden = if shown { "" } else { " hidden=until-found" };
    let rows = one.uops.iter().flat_map(|row| &row.instructions);
    let long = match rows.map(Vec::len).sum::<usize>() > MOST_AT_ONCE {
        true => " class=long",
        false => "",
    };
    let _ = write!(
        out,
        "<article id={0}{long} data-f=\"{1}\" aria-labelledby={0}-h{hidden}>\n<header>",
        trace.id,
        used.join(" ")
    );
    header(out, page, &trace.id, &one.executor);
    out.push_str("</header>\n");
    region(out, page, one, "shim");
    uops(out, &trace, one);
    region(out, page, one, "guard");
    besides(out, one);
    exits::table(out, &trace, one);
    out.push_str("</article>\n");
}

fn header(out: &mut String, page: &Page<'_>, id: &str, executor: &ExecutorHeader) {
    let _ = write!(out, "<h3 id={id}-h>");
    push(out, &label(executor));
    out.push_str("</h3><p>");
    whence(out, executor);
    parents(out, page, executor);
    let exits = counted(executor.exit_count, "exit");
    let _ = write!(
        out,
        "{}, <a href=\"#{id}-exits\">{exits}</a>; code at {}, {} of {}; ",
        counted(executor.uop_count, "uop"),
        executor.code.address,
        executor.code.size,
        counted(executor.code.mapped, "byte")
    );
    push(out, &state(executor));
    let _ = write!(out, "; executor at {}.</p>", executor.address);
}

/// Where the function is, and where bytecode enters the executor.
fn whence(out: &mut String, executor: &ExecutorHeader) {
    if let (Some(file), Some(line)) = (&executor.filename, executor.firstlineno) {
        out.push_str("<span title=\"");
        push(out, file);
        out.push_str("\">");
        push(out, file_name(file));
        let _ = write!(out, ":{line}</span>, ");
    }
    match executor.entry {
        Some(entry) => {
            let _ = write!(out, "entered at bytecode {}", entry.bytecode_offset.0);
            if let Some(line) = entry.line {
                let _ = write!(out, " (line {line})");
            }
        }
        None if executor.found_by.contains(&"cold") => {
            out.push_str("stands for all exits that lead to no executor yet");
        }
        None if !executor.state.valid => out.push_str("never entered again"),
        None => out.push_str("entered by exits only"),
    }
    out.push_str(". ");
}

/// `1 exit`, `2 exits`.
fn counted(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The exits of other executors that lead here.
fn parents(out: &mut String, page: &Page<'_>, executor: &ExecutorHeader) {
    for (index, parent) in executor.parents.iter().enumerate() {
        out.push_str(if index == 0 { "Reached from " } else { ", " });
        let name = page.names.number(parent.executor);
        let target = page.names.executor(parent.executor);
        let target = target.map(|id| format!("{id}e{}", parent.exit));
        link(
            out,
            target.as_deref(),
            "",
            &format!("{name} exit {}", parent.exit),
        );
    }
    if !executor.parents.is_empty() {
        out.push_str(". ");
    }
}

fn uops<'m>(out: &mut String, trace: &Trace<'m>, one: &'m ExecutorListing) {
    let mut place = Place::default();
    let mut in_stubs = false;
    for row in &one.uops {
        if row.is_stub && !in_stubs {
            in_stubs = true;
            out.push_str("<h4>Stubs: the ways out of the trace</h4>\n");
        }
        if !row.is_stub {
            place.group(out, trace, row);
        }
        uop::uop(out, trace, row);
    }
}

/// What was said last need not be said again.
#[derive(Default)]
struct Place<'m> {
    bytecode: Option<(Option<&'m CodeRef>, u32, i32)>,
    line: Option<(Option<&'m CodeRef>, Option<i32>, i32)>,
}

impl<'m> Place<'m> {
    /// The bytecode instruction and the line of a uop, unless they are those of the uop before.
    fn group(&mut self, out: &mut String, trace: &Trace<'_>, row: &'m UopRow) {
        let Some(bytecode) = &row.bytecode else {
            return;
        };
        let here = Some((row.code.as_ref(), bytecode.offset.0, row.depth));
        if self.bytecode == here {
            return;
        }
        self.bytecode = here;
        out.push_str("<div class=g");
        if let Some(name) = trace.page.names.bytecode(row.code.as_ref(), Some(bytecode)) {
            let _ = write!(out, " data-b={name}");
        }
        let _ = write!(out, "><b>{} ", bytecode.offset.0);
        push(out, bytecode.opname.as_deref().unwrap_or("?"));
        if let Some(oparg) = bytecode.oparg {
            let _ = write!(out, " {oparg}");
        }
        out.push_str("</b>");
        let line = Some((row.code.as_ref(), row.line, row.depth));
        if self.line != line {
            self.line = line;
            source_line(out, trace.page, row);
        }
        out.push_str("</div>\n");
    }
}

fn source_line(out: &mut String, page: &Page<'_>, row: &UopRow) {
    out.push_str("<span>");
    for _ in 0..row.depth.clamp(0, 32) {
        out.push_str("› ");
    }
    let (Some(code), Some(line)) = (&row.code, row.line) else {
        out.push_str("(unknown line)</span>");
        return;
    };
    push(out, &code.qualname);
    let _ = write!(out, ":{line}");
    if let Some(text) = text_of(page, code, line) {
        out.push_str(" <i>");
        push(out, text.trim());
        out.push_str("</i>");
    }
    out.push_str("</span>");
}

fn text_of<'m>(page: &'m Page<'_>, code: &CodeRef, line: i32) -> Option<&'m str> {
    let function: &PageFunction = page.data.functions.get(page.names.function(code)?)?;
    let source = &function.source;
    let at = source.binary_search_by_key(&line, |(line, _)| *line).ok()?;
    source.get(at).map(|(_, text)| text.as_str())
}

/// A part of the allocation with machine code of no uop; only of a listing that is whole.
fn region(out: &mut String, page: &Page<'_>, one: &ExecutorListing, kind: &str) {
    let whole = one.uops.len() as u64 == one.executor.uop_count;
    let found = one.regions.iter().find(|region| region.kind == kind);
    let instructions = found.and_then(|region| region.instructions.as_ref());
    if let Some(instructions) = instructions.filter(|_| whole) {
        let _ = write!(
            out,
            "<div class=u><div class=n><b>{kind}</b><small>{}</small></div>",
            match kind {
                "shim" => "the way in from C",
                _ => "never reached",
            }
        );
        code::instructions(out, page, None, instructions);
        out.push_str("</div>\n");
    }
}

/// Where the parts of the allocation are that hold no machine code.
fn besides(out: &mut String, one: &ExecutorListing) {
    let others = one.regions.iter().filter(|region| {
        !matches!(region.kind, "uops" | "padding") && region.instructions.is_none()
    });
    let words: Vec<String> = others
        .map(|region| {
            format!(
                "{} at {}, {} bytes",
                region.kind, region.address, region.size
            )
        })
        .collect();
    if !words.is_empty() {
        let _ = writeln!(out, "<footer>Besides: {}.</footer>", words.join("; "));
    }
}
