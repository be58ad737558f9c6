//! `jit-bt`.

use super::all::Run;
use super::output::Output;
use super::reply::Failure;
use crate::listing::{Data, Report};
use crate::session::{Extent, Session};
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-bt                    the selected thread
  jit-bt --all              every thread
  jit-bt --limit 20
  jit-bt --json";

/// Show the stack: C functions, JIT code and the Python frames that they run, in one
///
/// The innermost frame comes first. A frame in JIT code is shown with its executor and uop; below it stand the Python
/// frames that the trace runs, and below the interpreter's own frames those that it runs. Works without debug information
/// and in cores. Where the C stack cannot be followed, it says why, and goes on with the Python frames of the thread.
#[derive(Parser, Debug)]
#[command(name = "jit-bt", after_help = EXAMPLES)]
pub struct Backtrace {
    /// Show all threads
    #[arg(long)]
    all: bool,

    /// Show so many frames of each thread; 0 for all
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,

    #[command(flatten)]
    output: Output,
}

impl Run for Backtrace {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        // Without CPython nothing would be there that the debugger cannot show better.
        session.uop_count()?;
        let (data, mut findings) = session.backtrace(Extent {
            all_threads: self.all,
            most_frames: match self.limit {
                0 => usize::MAX,
                limit => limit,
            },
        })?;
        findings.extend(session.findings());
        Ok(Report {
            target: session.facts(),
            data: Data::Backtrace(data),
            findings,
        })
    }

    fn output(&self) -> &Output {
        &self.output
    }
}
