//! The listing that debuggers take for the source file of JIT code: one line a uop, under the line of Python that it
//! comes from. No addresses: they stand in the debugger's own output.

use super::TextStyle;
use super::paint::{Paint, file_name, harmless};
use super::uop::arguments;
use crate::address::UopIndex;
use crate::listing::{CodeRef, ExecutorListing, UopRow};
use std::collections::HashMap;

/// Frames that the indentation tells apart; deeper ones stand below each other.
const MOST_INDENT: i32 = 16;

/// Columns of the arguments of a uop, where its name leaves room.
const ARGUMENTS: usize = 44;

/// A listing as a source file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UopSource {
    /// The text.
    pub text: String,
    /// The line of each uop, counted from 1.
    pub lines: Vec<(UopIndex, u32)>,
    /// The line of the code behind the last uop, which is never reached.
    pub guard: u32,
}

/// The listing of an executor as a source file, with `title` in its first line.
pub fn uop_source(listing: &ExecutorListing, title: &str) -> UopSource {
    let mut writer = Writer::new(listing);
    writer.comment(title);
    for row in &listing.uops {
        writer.uop(row);
    }
    writer.end()
}

struct Writer<'m> {
    paint: Paint,
    source: HashMap<(&'m str, i32), &'m str>,
    written: UopSource,
    line: u32,
    last: Option<(Option<&'m CodeRef>, i32, i32)>,
    in_stubs: bool,
}

impl<'m> Writer<'m> {
    fn new(listing: &'m ExecutorListing) -> Writer<'m> {
        let source = listing.source.iter();
        Writer {
            paint: Paint::new(TextStyle::default()),
            source: source
                .map(|(file, line, text)| ((file.as_str(), *line), text.as_str()))
                .collect(),
            written: UopSource::default(),
            line: 0,
            last: None,
            in_stubs: false,
        }
    }

    fn end_line(&mut self) -> u32 {
        self.paint.end_line();
        self.line = self.line.saturating_add(1);
        self.line
    }

    fn comment(&mut self, text: &str) {
        self.paint.text("; ");
        self.paint.text(&harmless(text));
        self.end_line();
    }

    fn uop(&mut self, row: &'m UopRow) {
        if row.is_stub && !self.in_stubs {
            self.in_stubs = true;
            self.comment("---- stubs: exits, deopts, errors ----");
        }
        if !row.is_stub {
            self.python_line(row);
        }
        let width = match row.index.0 {
            0..=9 => 3,
            10..=99 => 2,
            _ => 1,
        };
        self.paint.blanks(width);
        self.paint.number(row.index.0);
        self.paint.blanks(2);
        self.indent(row.depth);
        self.paint.text(&row.name);
        let words = arguments(row);
        if !words.is_empty() {
            self.paint.pad_to(ARGUMENTS);
            self.paint.text(" ");
            self.paint.text(&words);
        }
        if row.ranges.is_empty() {
            self.paint.text("  ; (no code known)");
        } else if row.ranges.iter().all(|range| range.size == 0) {
            self.paint.text("  ; (no code of its own)");
        }
        let line = self.end_line();
        self.written.lines.push((row.index, line));
    }

    fn indent(&mut self, depth: i32) {
        for _ in 0..depth.clamp(0, MOST_INDENT) {
            self.paint.blanks(2);
        }
    }

    /// The line of Python of a uop, unless it is that of the uop before.
    fn python_line(&mut self, row: &'m UopRow) {
        let (Some(code), Some(line)) = (&row.code, row.line) else {
            return;
        };
        let here = (Some(code), line, row.depth);
        if self.last == Some(here) {
            return;
        }
        self.last = Some(here);
        self.paint.text("; ");
        self.indent(row.depth);
        let file = harmless(file_name(&code.filename));
        self.paint.text(&harmless(&code.qualname));
        self.paint.text("  ");
        self.paint.text(&file);
        self.paint.text(":");
        self.paint.number(line);
        if let Some(text) = self.source.get(&(&*code.filename, line)).copied() {
            self.paint.text("  ");
            self.paint.text(&harmless(text.trim()));
        }
        self.end_line();
    }

    fn end(mut self) -> UopSource {
        self.paint.text("      _FATAL_ERROR  ; (never reached)");
        self.written.guard = self.end_line();
        self.written.text = self.paint.finish();
        self.written
    }
}
