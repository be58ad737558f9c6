//! What a step says: a line for each uop that it reaches, and how JIT code is entered and left.

use super::code::{Code, Node};
use crate::address::{Address, BytecodeOffset};
use crate::listing::UopRow;
use std::path::Path;

/// Columns of the name of a uop.
const NAME: usize = 34;

/// Deeper inlined calls are marked no further.
const MOST_MARKS: i32 = 32;

/// What was said last need not be said again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shown {
    executor: Option<Address>,
    line: Option<Line>,
    bytecode: Option<(Line, u32)>,
}

/// A source line in a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    code: Option<Address>,
    line: Option<i32>,
    depth: i32,
}

impl Shown {
    /// The lines about a uop that is reached. `source` reads a line of a file, `last` marks where the step ends.
    pub fn uop(
        &mut self,
        lines: &mut Vec<String>,
        code: &Code,
        node: &Node,
        last: bool,
        source: impl Fn(&str, i32) -> Option<String>,
    ) {
        if self.executor != Some(code.executor) {
            *self = Shown {
                executor: Some(code.executor),
                ..Shown::default()
            };
            lines.push(executor(code));
        }
        if !node.row.is_stub {
            self.place(lines, &node.row, source);
        }
        lines.push(uop(&node.row, last));
    }

    fn place(
        &mut self,
        lines: &mut Vec<String>,
        row: &UopRow,
        source: impl Fn(&str, i32) -> Option<String>,
    ) {
        let Some(bytecode) = &row.bytecode else {
            return;
        };
        let line = Line {
            code: row.code.as_ref().map(|code| code.object),
            line: row.line,
            depth: row.depth,
        };
        if self.line.as_ref() != Some(&line) {
            lines.push(source_line(row, source));
        }
        let here = Some((line.clone(), bytecode.offset.0));
        if self.bytecode != here {
            let oparg = bytecode.oparg.map(|oparg| format!(" {oparg}"));
            lines.push(format!(
                "  {:<5}{}{}",
                bytecode.offset,
                bytecode.opname.as_deref().unwrap_or("?"),
                oparg.unwrap_or_default()
            ));
        }
        self.line = Some(line);
        self.bytecode = here;
    }
}

fn executor(code: &Code) -> String {
    match &code.function {
        Some(function) => format!("executor {}: {function}", code.executor),
        None => format!("executor {}", code.executor),
    }
}

fn source_line(row: &UopRow, source: impl Fn(&str, i32) -> Option<String>) -> String {
    let marks = "> ".repeat(usize::try_from(row.depth.clamp(0, MOST_MARKS)).unwrap_or(0));
    let Some(code) = &row.code else {
        return format!("{marks}(unknown function)");
    };
    let line = row.line.map(|line| format!(":{line}"));
    let text = row.line.and_then(|line| source(&code.filename, line));
    format!(
        "{marks}{}  {}{}  {}",
        code.qualname,
        file_name(&code.filename),
        line.unwrap_or_default(),
        text.as_deref().unwrap_or_default().trim()
    )
    .trim_end()
    .to_owned()
}

fn file_name(path: &str) -> &str {
    let name = Path::new(path).file_name();
    name.and_then(|name| name.to_str()).unwrap_or(path)
}

fn uop(row: &UopRow, last: bool) -> String {
    let mark = if last { "=>" } else { "  " };
    let oparg = match row.oparg {
        0 => String::new(),
        oparg => format!("oparg={oparg} "),
    };
    let place = match row.is_stub {
        true => destination(row).unwrap_or_default(),
        false => row
            .line
            .map(|line| format!("line {line}"))
            .unwrap_or_default(),
    };
    format!(
        "{mark}{:>4} {:<NAME$} {oparg}{place}",
        row.index.0, row.name
    )
    .trim_end()
    .to_owned()
}

/// Where the interpreter goes on behind a stub.
fn destination(row: &UopRow) -> Option<String> {
    let bytecode = row.bytecode.as_ref()?;
    let line = row.line.map(|line| format!(" (line {line})"));
    Some(format!(
        "to bytecode {}{}",
        bytecode.offset,
        line.unwrap_or_default()
    ))
}

/// The way out of JIT code, as far as the uops on it tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trail {
    /// The side exit that was taken last.
    exit: Option<String>,
    last: Option<String>,
    executor: Option<Address>,
    /// The return from a function behind which nothing else was executed.
    returned: Option<Returned>,
}

/// A return, or another end of a function's frame.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Returned {
    text: String,
    code: Option<Address>,
    offset: Option<BytecodeOffset>,
}

impl Returned {
    fn by(row: &UopRow) -> Option<Returned> {
        let word = match &*row.base {
            "_RETURN_VALUE" | "_RETURN_GENERATOR" => "the return",
            "_YIELD_VALUE" => "the yield",
            _ => return None,
        };
        let function = row.code.as_ref();
        let from = function.map(|code| format!(" from {}", code.qualname));
        Some(Returned {
            text: format!(
                "{word}{} (uop {} {})",
                from.unwrap_or_default(),
                row.index,
                row.name
            ),
            code: function.map(|code| code.object),
            offset: row.bytecode.as_ref().map(|bytecode| bytecode.offset),
        })
    }

    /// Whether a uop of the main part only finds out where the return leads.
    fn contains(&self, row: &UopRow) -> bool {
        let offset = row.bytecode.as_ref().map(|bytecode| bytecode.offset);
        let code = row.code.as_ref().map(|code| code.object);
        offset.is_none() || (offset, code) == (self.offset, self.code)
    }
}

impl Trail {
    /// A uop is reached. A line if a side exit has led to it.
    pub fn add(&mut self, code: &Code, node: &Node) -> Option<String> {
        let before = self.executor.replace(code.executor);
        let is_cold = node.row.base.starts_with("_COLD_");
        let goes_on = !is_cold && before.is_some_and(|before| before != code.executor);
        let row = &node.row;
        self.returned = Returned::by(row).or(self
            .returned
            .take()
            .filter(|returned| !goes_on && (is_cold || row.is_stub || returned.contains(row))));
        let linked = self
            .exit
            .take_if(|_| !is_cold && before != Some(code.executor));
        self.remember(code, node);
        linked.map(|exit| format!("{exit} leads to executor {}", code.executor))
    }

    fn remember(&mut self, code: &Code, node: &Node) {
        let row = &node.row;
        let to = destination(row)
            .map(|to| format!(", {to}"))
            .unwrap_or_default();
        let name = format!("uop {} {}", row.index, row.name);
        let text = match (&*row.base, node.exit) {
            ("_EXIT_TRACE" | "_DYNAMIC_EXIT", Some(exit)) => {
                let text = format!("side exit {exit} of executor {}{to}", code.executor);
                self.exit = Some(text.clone());
                self.last = Some(format!("{text} ({name})"));
                return;
            }
            (base, _) if base.starts_with("_COLD_") => {
                let exit = self.exit.take();
                let exit = exit.unwrap_or_else(|| "a side exit".to_owned());
                format!("{exit}, which has no executor ({name})")
            }
            (base, _) if base.starts_with("_ERROR") => format!("error{to} ({name})"),
            (base, _) if base.ends_with("DEOPT") => format!("deopt{to} ({name})"),
            _ => name,
        };
        self.exit = None;
        self.last = Some(text);
    }

    /// How JIT code was left.
    pub fn left(&self) -> String {
        let by = match (&self.returned, &self.last) {
            (Some(returned), Some(last)) => format!(" by {}, through {last}", returned.text),
            (None, Some(last)) => format!(" by {last}"),
            (_, None) => String::new(),
        };
        format!("left JIT code for the interpreter{by}")
    }
}
