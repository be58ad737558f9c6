//! `jit-graph`.

use super::all::Run;
use super::executor::{self, find_executor};
use super::output::Output;
use super::reply::Failure;
use crate::listing::{Data, Drawing, Finding, Report};
use crate::session::Session;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-graph -o graph.svg          a picture that any browser shows
  jit-graph f --svg -o f.svg      only what can be reached from f
  jit-graph -o graph.dot          for Graphviz: dot -Tpdf graph.dot
  jit-graph --json";

/// Draw all executors and the exits that link them, for Graphviz or as a picture
///
/// Each box is an executor: function, where bytecode enters it, size, state, its linked exits and how many are still
/// cold. Arrows are exits that lead to another executor. Without EXECUTOR all are drawn; with it, only what can be
/// reached from it. A FILE that ends in .svg gets a picture (no Graphviz needed), any other the language of Graphviz.
#[derive(Parser, Debug)]
#[command(
    name = "jit-graph",
    override_usage = "jit-graph [OPTIONS] [EXECUTOR]",
    after_help = EXAMPLES,
    after_long_help = format!("{}\n\n{EXAMPLES}", names())
)]
pub struct Graph {
    /// Only what can be reached from this executor
    #[arg(value_name = "EXECUTOR", num_args = 0..)]
    executor: Vec<String>,

    /// The language of Graphviz
    #[arg(long)]
    dot: bool,

    /// A picture that needs nothing but a browser
    #[arg(long, conflicts_with_all = ["dot", "json"])]
    svg: bool,

    #[command(flatten)]
    output: Output,
}

/// The ways to name an executor; here, naming none means all.
fn names() -> String {
    let lines = executor::HELP.lines();
    let named: Vec<&str> = lines.filter(|line| !line.contains("(nothing)")).collect();
    named.join("\n")
}

impl Run for Graph {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        let start = match self.executor.is_empty() {
            true => None,
            false => Some(find_executor(session, &self.executor.join(" "))?),
        };
        let mut graph = session.graph(start)?;
        graph.drawing = self.drawing();
        let mut findings = session.findings();
        findings.extend(session.unreadable());
        if graph.left_out > 0 {
            findings.push(Finding::note(format!(
                "left out: {} that nothing leads to and that will not run again (jit-list shows them)",
                match graph.left_out {
                    1 => "1 invalid executor".to_owned(),
                    count => format!("{count} invalid executors"),
                }
            )));
        }
        if graph.executors.is_empty() {
            findings.push(Finding::note(executor::nothing_compiled(session)));
        }
        Ok(Report {
            target: session.facts(),
            data: Data::Graph(graph),
            findings,
        })
    }

    fn output(&self) -> &Output {
        &self.output
    }
}

impl Graph {
    fn drawing(&self) -> Drawing {
        let file = self.output.output.as_deref().unwrap_or_default();
        match self.svg || (!self.dot && file.to_ascii_lowercase().ends_with(".svg")) {
            true => Drawing::Svg,
            false => Drawing::Dot,
        }
    }
}
