//! The model as text or JSON. Nothing here reads memory or computes facts.

mod arrows;
mod backtrace;
mod bytecode;
mod columns;
mod doctor;
mod executors;
mod exits;
mod findings;
mod graph;
mod gutter;
mod header;
mod html;
mod info;
mod inline;
mod instruction;
mod json;
mod lanes;
mod layers;
mod listing;
mod paint;
mod place;
mod raw;
mod stack;
mod stop;
mod svg;
mod svg_page;
mod table;
mod uop;
mod uop_source;
mod verify;
mod window;

pub use inline::{
    executor_line, executor_name, executor_title, exit_line, frame_name, frame_place,
    instruction_notes, uop_line,
};
pub use json::json;
pub use paint::{file_name, harmless};
pub use uop_source::{UopSource, uop_source};
pub use window::{Window, window};

use crate::listing::{Data, Drawing, Finding, GraphData, Report, StopData};
use paint::Paint;

/// Columns before the index and the name of a uop, and before the address of an instruction.
const UOP_INDENT: usize = 7;
const CODE_INDENT: usize = 8;

/// How text is to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TextStyle {
    /// Columns of the terminal; 0 if lines may have any length.
    pub width: usize,
    /// Whether the terminal shows colours.
    pub color: bool,
    /// Whether what is our own must be ASCII.
    pub ascii: bool,
}

/// A report as text, with a line break at its end.
pub fn text(report: &Report, style: TextStyle) -> String {
    match &report.data {
        Data::Graph(data) => return graph_text(report, data),
        Data::Listing(data) => {
            if let Some(page) = &data.page {
                return html::page(report.target.as_ref(), data, page, &report.findings);
            }
        }
        _ => {}
    }
    let mut paint = Paint::new(style);
    match &report.data {
        Data::Listing(data) => listing::write(&mut paint, data),
        Data::Executors(data) => executors::write(&mut paint, data),
        Data::Where(data) => place::write(&mut paint, data),
        Data::Info(data) => info::write(&mut paint, report.target.as_ref(), data),
        Data::Raw(data) => raw::write(&mut paint, data),
        Data::Verify(data) => verify::write(&mut paint, data),
        Data::Exits(data) => exits::write(&mut paint, data),
        Data::Bytecode(data) => bytecode::write(&mut paint, data),
        Data::Stack(data) => stack::write(&mut paint, data),
        Data::Backtrace(data) => backtrace::write(&mut paint, data),
        Data::Doctor(data) => doctor::write(&mut paint, data),
        Data::Graph(_) | Data::Error {} => {}
    }
    findings::write(&mut paint, &report.findings);
    paint.finish()
}

/// Lines and findings of a command that has no report.
pub fn told(lines: &[String], findings: &[Finding], style: TextStyle) -> String {
    let mut paint = Paint::new(style);
    for line in lines {
        paint.text(&harmless(line));
        paint.end_line();
    }
    findings::write(&mut paint, findings);
    paint.finish()
}

/// What is said at a stop in JIT code.
pub fn stop(data: &StopData, style: TextStyle) -> String {
    let mut paint = Paint::new(style);
    stop::write(&mut paint, data);
    paint.finish()
}

/// A drawing is a document of its own: what was odd stands in it, not behind it.
fn graph_text(report: &Report, data: &GraphData) -> String {
    let target = report.target.as_ref();
    match data.drawing {
        Drawing::Dot => graph::dot(target, data, &report.findings),
        Drawing::Svg => svg::svg(target, data, &report.findings),
    }
}
