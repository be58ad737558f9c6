//! `jit-graph` in the language of Graphviz, and the words that the picture shares with it.

use super::executors::state;
use super::header::number;
use super::paint::{clipped, file_name, harmless};
use crate::address::Address;
use crate::listing::{
    ExitRecordKind, Finding, GraphData, GraphLink, GraphNode, Severity, TargetFacts,
};
use std::collections::BTreeMap;

/// Columns of a line in a box.
pub const COLUMNS: usize = 56;

/// Writes the graph; what was odd stands in comments.
pub fn dot(target: Option<&TargetFacts>, data: &GraphData, findings: &[Finding]) -> String {
    let mut out = format!("// {}\n", title(target, data));
    for finding in findings {
        for line in remark(finding).lines() {
            out.push_str(&format!("// {line}\n"));
        }
    }
    out.push_str(
        "digraph executors {\n  \
         rankdir=LR;\n  \
         node [shape=box, style=filled, fontname=\"monospace\", fontsize=10];\n  \
         edge [fontname=\"monospace\", fontsize=9];\n",
    );
    for node in &data.executors {
        out.push_str(&dot_node(node));
    }
    for ((from, to), links) in pairs(data) {
        out.push_str(&dot_edge(from, to, &links));
    }
    out.push_str("}\n");
    out
}

fn dot_node(node: &GraphNode) -> String {
    let look = Look::of(node);
    let label: Vec<String> = lines(node)
        .iter()
        .map(|line| quoted(line) + "\\l")
        .collect();
    let border = match look.running {
        true => ", color=\"#dc2626\", penwidth=3",
        false => "",
    };
    format!(
        "  \"{}\" [label=\"{}\", style=\"{}\", fillcolor=\"{}\"{border}, tooltip=\"{}\"];\n",
        node.executor.address,
        label.concat(),
        match look.gone {
            true => "filled,dashed",
            false => "filled",
        },
        look.fill,
        quoted(&tooltip(node))
    )
}

fn dot_edge(from: Address, to: Address, links: &[&GraphLink]) -> String {
    let label: Vec<String> = links.iter().map(|link| quoted(&exit(link))).collect();
    let kind = links.first().map_or(ExitRecordKind::Side, |link| link.kind);
    format!(
        "  \"{from}\" -> \"{to}\" [label=\"{}\", color=\"{}\"{}];\n",
        label.join("\\n"),
        color(kind),
        match kind {
            ExitRecordKind::Dynamic => ", style=dashed",
            _ => "",
        }
    )
}

/// Text of the target within the quotes of Graphviz.
fn quoted(text: &str) -> String {
    harmless(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// The links, by the two executors that they join, in the order in which they were found.
pub fn pairs(data: &GraphData) -> Vec<((Address, Address), Vec<&GraphLink>)> {
    let mut places: BTreeMap<(Address, Address), usize> = BTreeMap::new();
    let mut pairs: Vec<((Address, Address), Vec<&GraphLink>)> = Vec::new();
    for link in &data.links {
        let pair = (link.from, link.to);
        let place = *places.entry(pair).or_insert(pairs.len());
        match pairs.get_mut(place) {
            Some((_, links)) => links.push(link),
            None => pairs.push((pair, vec![link])),
        }
    }
    pairs
}

/// How an executor looks.
pub struct Look {
    /// The colour of its box.
    pub fill: &'static str,
    /// Whether it will not be entered again.
    pub gone: bool,
    /// Whether a thread is in it.
    pub running: bool,
}

/// The colours of boxes: warm, not warm, not known, invalid.
pub const WARM: &str = "#ffe2b8";
pub const NOT_WARM: &str = "#dbe7f5";
pub const UNKNOWN: &str = "#f4f4f5";
pub const GONE: &str = "#e4e4e7";

impl Look {
    /// That of an executor.
    pub fn of(node: &GraphNode) -> Look {
        let state = &node.executor.state;
        let gone = !state.valid || state.pending_deletion;
        Look {
            fill: match state.warm {
                _ if gone => GONE,
                Some(true) => WARM,
                Some(false) => NOT_WARM,
                None => UNKNOWN,
            },
            gone,
            running: !state.running_in.is_empty(),
        }
    }
}

/// The colour of an arrow.
pub fn color(kind: ExitRecordKind) -> &'static str {
    match kind {
        ExitRecordKind::Side => "#52525b",
        ExitRecordKind::ControlFlow => "#1d4ed8",
        ExitRecordKind::Dynamic => "#7e22ce",
        ExitRecordKind::End => "#15803d",
    }
}

/// What the graph is of.
pub fn title(target: Option<&TargetFacts>, data: &GraphData) -> String {
    let counts = format!(
        "{}, {}",
        count(data.executors.len() as u64, "executor"),
        count(data.links.len() as u64, "link")
    );
    let Some(target) = target else {
        return counts;
    };
    let version = target.cpython.as_deref().unwrap_or("of unknown version");
    let build = match target.debug_build {
        Some(true) => " debug build",
        _ => "",
    };
    let pid = target.pid.map_or_else(String::new, |pid| format!(" {pid}"));
    let kind = match target.kind {
        "core" => "core of process",
        "self" => "own process",
        _ => "process",
    };
    harmless(&format!(
        "CPython {version}{build} on {}, {kind}{pid}: {counts}",
        target.arch
    ))
}

/// The lines in the box of an executor.
pub fn lines(node: &GraphNode) -> Vec<String> {
    let mut lines = vec![name(node), place(node), size(node), exits(node)];
    lines.push(state(&node.executor));
    lines.retain(|line| !line.is_empty());
    lines
        .iter()
        .map(|line| clipped(&harmless(line), COLUMNS))
        .collect()
}

/// `#3 Counter.run`.
pub fn name(node: &GraphNode) -> String {
    let executor = &node.executor;
    let number = number(executor.index, executor.address);
    let loops = if node.loops { " ↻" } else { "" };
    format!(
        "{number} {}{loops}",
        executor.qualname.as_deref().unwrap_or("?")
    )
}

fn place(node: &GraphNode) -> String {
    let executor = &node.executor;
    let file = executor.filename.as_deref().map_or("?", file_name);
    let Some(entry) = executor.entry else {
        let line = executor
            .firstlineno
            .map_or_else(String::new, |line| format!(":{line}"));
        let how = match Look::of(node).gone {
            true => "never entered again",
            false => "entered by exits only",
        };
        return format!("{file}{line}, {how}");
    };
    let line = entry
        .line
        .map_or_else(String::new, |line| format!(":{line}"));
    let opname = node.entry_opname.as_deref().unwrap_or("?");
    format!("{file}{line} @{} {opname}", entry.bytecode_offset)
}

fn size(node: &GraphNode) -> String {
    format!(
        "{}, {} of code",
        count(node.executor.uop_count, "uop"),
        count(node.executor.code.size, "byte")
    )
}

fn exits(node: &GraphNode) -> String {
    let total = node.executor.exit_count;
    let cold = match (node.cold_exits, total) {
        (_, 0) => return "no exits".to_owned(),
        (0, _) => String::new(),
        (cold, total) if cold == total => ", all cold".to_owned(),
        (cold, _) => format!(", {cold} cold"),
    };
    let hottest = match node.hottest {
        Some(hottest) => format!(": exit {} has {} left", hottest.exit, hottest.left),
        None => String::new(),
    };
    format!("{}{cold}{hottest}", count(total, "exit"))
}

/// All that the box has no room for.
pub fn tooltip(node: &GraphNode) -> String {
    let executor = &node.executor;
    let file = executor.filename.as_deref().unwrap_or("?");
    let line = executor
        .firstlineno
        .map_or_else(String::new, |line| format!(":{line}"));
    format!(
        "{} ({file}{line}), executor {}, code {}, {} of {} bytes; {}",
        executor.qualname.as_deref().unwrap_or("?"),
        executor.address,
        executor.code.address,
        executor.code.size,
        executor.code.mapped,
        state(executor)
    )
}

/// `exit 3: line 12`.
pub fn exit(link: &GraphLink) -> String {
    let place = match (link.line, &link.bytecode) {
        (Some(line), _) => format!(": line {line}"),
        (None, Some(bytecode)) => format!(": bytecode {}", bytecode.offset),
        (None, None) => String::new(),
    };
    format!("exit {}{place}", link.exit)
}

/// The same at more length.
pub fn exit_at_length(link: &GraphLink) -> String {
    let Some(bytecode) = link.bytecode.as_ref().filter(|_| link.line.is_some()) else {
        return exit(link);
    };
    let opname = bytecode.opname.as_deref().unwrap_or("?");
    format!("{} @{} {opname}", exit(link), bytecode.offset)
}

/// A finding in one sentence.
pub fn remark(finding: &Finding) -> String {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let place = finding
        .address
        .map_or_else(String::new, |address| format!(" (at {address})"));
    let hint = finding
        .hint
        .as_ref()
        .map_or_else(String::new, |hint| format!("; {hint}"));
    let what: Vec<String> = finding.what.lines().map(harmless).collect();
    format!("{word}: {}{place}{}", what.join(" "), harmless(&hint))
}

fn count(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}
