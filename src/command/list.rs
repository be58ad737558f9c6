//! `jit-list`.

use super::all::Run;
use super::executor::nothing_compiled;
use super::filter::{self, Filter, Sort};
use super::output::Output;
use super::reply::Failure;
use crate::listing::{Data, ExecutorHeader, ExecutorsData, Finding, Report};
use crate::session::Session;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-list
  jit-list --sort bytes
  jit-list --filter 'Parser.*' --filter uops>100
  jit-list --filter state=running
  jit-list --filter state=invalid
  jit-list --json -o executors.json";

/// List the executors with function, place, size and state
///
/// Shows every executor that the interpreters know: those in their lists, those waiting to be freed, the cold ones
/// that stand for exits without an executor (3.15), and those that only an exit, a running thread, a code object or the
/// garbage collector leads to: on 3.14, executors that became invalid stay mapped and are in no list.
/// `entered at` is the file and line, and behind @ the offset of the bytecode instruction that the executor replaced.
#[derive(Parser, Debug)]
#[command(name = "jit-list", after_help = EXAMPLES, after_long_help = format!("{}\n\n{EXAMPLES}", filter::HELP))]
pub struct List {
    /// The order of the rows
    #[arg(long, value_enum, value_name = "KEY", default_value = "index")]
    sort: Sort,

    /// The other way round
    #[arg(long)]
    reverse: bool,

    /// Only executors for which this holds
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,

    /// Leave out executors that only a look at the whole heap would find
    #[arg(long)]
    quick: bool,

    #[command(flatten)]
    output: Output,
}

impl Run for List {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        let filters = self
            .filter
            .iter()
            .map(|text| Filter::parse(text))
            .collect::<Result<Vec<_>, _>>()?;
        let (all, total) = match self.quick {
            true => (session.headers()?, session.executors()?.len()),
            false => (session.all_headers()?, session.all_executors()?.len()),
        };
        let total = total as u64;
        let mut executors: Vec<ExecutorHeader> = all
            .into_iter()
            .filter(|executor| filters.iter().all(|filter| filter.holds(executor)))
            .collect();
        executors.sort_by(|one, other| self.sort.compare(one, other));
        if self.reverse {
            executors.reverse();
        }
        let mut findings = session.findings();
        findings.extend(session.unreadable());
        match self.quick {
            true => findings.push(Finding::note(
                "--quick leaves out the executors that only code objects, the garbage collector or the code registered \
                 for debuggers would lead to",
            )),
            false => findings.extend(session.search_findings()),
        }
        if total == 0 {
            findings.push(Finding::note(nothing_compiled(session)));
        }
        Ok(Report {
            target: session.facts(),
            data: Data::Executors(ExecutorsData { executors, total }),
            findings,
        })
    }

    fn output(&self) -> &Output {
        &self.output
    }
}
