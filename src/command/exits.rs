//! `jit-exits`.

use super::all::Run;
use super::executor::{self, find_executor};
use super::output::Output;
use super::reply::Failure;
use super::subject;
use crate::address::Address;
use crate::listing::{Data, ExecutorExits, ExitRow, ExitsData, Finding, Report};
use crate::session::Session;
use clap::{Parser, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  jit-exits                       the exits of the executor that is running
  jit-exits f
  jit-exits #3 --sort temperature
  jit-exits --all --cold --sort temperature
  jit-exits --all --json -o exits.json";

/// What the help says of the second column.
const KINDS: &str = "\
Kinds of exits:
  side             a guess about a value was wrong
  control-flow     a branch went the other way, or an iterator came to its end
  dynamic          the frame is another one than expected (3.15); where it goes on is known only then
  end              the trace ends here";

/// Show the exits of an executor: where they go on, temperature, linked executor
///
/// One line an exit: its kind, the uops that take it, the bytecode and line at which execution goes on, and the
/// executor that it is linked to, or how often a cold exit must still be taken before CPython compiles what follows
/// it (its temperature; the backoff grows with every vain try).
#[derive(Parser, Debug)]
#[command(
    name = "jit-exits",
    override_usage = "jit-exits [OPTIONS] [EXECUTOR]",
    after_help = EXAMPLES,
    after_long_help = format!("{KINDS}\n\n{}\n\n{EXAMPLES}", executor::HELP)
)]
pub struct Exits {
    /// The executor; without it, the one that is running
    #[arg(value_name = "EXECUTOR", conflicts_with = "all", num_args = 0..)]
    executor: Vec<String>,

    /// All executors that have such exits, in the order of jit-list
    #[arg(long)]
    all: bool,

    /// The order of the exits of each executor
    #[arg(long, value_enum, value_name = "KEY", default_value = "index")]
    sort: Sort,

    /// Only exits that lead to no executor yet
    #[arg(long, conflicts_with = "linked")]
    cold: bool,

    /// Only exits that lead to an executor
    #[arg(long)]
    linked: bool,

    #[command(flatten)]
    output: Output,
}

/// What exits are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Sort {
    /// Their own order
    Index,
    /// The line at which they go on
    Line,
    /// Linked ones first, then those that will soon be compiled
    Temperature,
}

impl Run for Exits {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        let addresses = match self.all {
            true => subject::all(session)?,
            false => vec![find_executor(session, &self.executor.join(" "))?],
        };
        let mut executors = session.exits(&addresses)?;
        for executor in &mut executors {
            executor.exits.retain(|exit| self.wants(exit));
            executor.exits.sort_by_key(|exit| self.key(exit));
        }
        if self.all {
            executors.retain(|executor| !executor.exits.is_empty());
        }
        Ok(Report {
            target: session.facts(),
            findings: self.findings(session, &addresses, &executors),
            data: Data::Exits(ExitsData { executors }),
        })
    }

    fn output(&self) -> &Output {
        &self.output
    }
}

impl Exits {
    fn wants(&self, exit: &ExitRow) -> bool {
        match exit.linked_to {
            Some(_) => !self.cold,
            None => !self.linked,
        }
    }

    fn key(&self, exit: &ExitRow) -> (bool, Option<i32>, u16, u32) {
        let counted = exit.temperature.filter(|_| exit.linked_to.is_none());
        let left = counted.map_or(0, |counter| match counter.unreachable {
            Some(true) => u16::MAX,
            _ => counter.value.unwrap_or(counter.raw),
        });
        match self.sort {
            Sort::Index => (false, None, 0, exit.index),
            Sort::Line => (false, exit.line, 0, exit.index),
            Sort::Temperature => (exit.linked_to.is_none(), None, left, exit.index),
        }
    }

    fn findings(
        &self,
        session: &Session,
        addresses: &[Address],
        executors: &[ExecutorExits],
    ) -> Vec<Finding> {
        let own = executors
            .iter()
            .flat_map(|one| one.findings.iter().cloned());
        let mut findings: Vec<Finding> = own.chain(session.findings()).collect();
        if self.all {
            findings.extend(session.unreadable());
            findings.extend(session.search_findings());
        }
        if addresses.is_empty() {
            findings.push(Finding::note(executor::nothing_compiled(session)));
        }
        findings
    }
}
