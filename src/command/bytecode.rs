//! `jit-bytecode`.

use super::all::Run;
use super::function::{self, find_function};
use super::output::Output;
use super::reply::Failure;
use crate::listing::{Data, Report};
use crate::session::Session;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-bytecode                    the function that is running
  jit-bytecode f
  jit-bytecode loop.py:8
  jit-bytecode #3 --no-source
  jit-bytecode Class.method --json";

/// Disassemble the bytecode of a function, with entries and exits of executors
///
/// Prints what dis.dis(f, adaptive=True) prints on the same Python: specialised instructions, labels, arguments and
/// exception handlers, with the original instructions behind ENTER_EXECUTOR. `>` marks where an executor is entered,
/// `<` where an exit of one comes back, or what it is linked to.
#[derive(Parser, Debug)]
#[command(
    name = "jit-bytecode",
    override_usage = "jit-bytecode [OPTIONS] [FUNCTION]",
    after_help = EXAMPLES,
    after_long_help = format!("{}\n\n{EXAMPLES}", function::HELP)
)]
pub struct Bytecode {
    /// The function; without it, the one that is running
    #[arg(value_name = "FUNCTION", num_args = 0..)]
    function: Vec<String>,

    /// Leave out source lines
    #[arg(long)]
    no_source: bool,

    #[command(flatten)]
    output: Output,
}

impl Run for Bytecode {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        let code = find_function(session, &self.function.join(" "))?;
        let (mut data, mut findings) = session.bytecode(code)?;
        if self.no_source {
            data.source.clear();
        }
        findings.extend(session.findings());
        findings.extend(session.unreadable());
        Ok(Report {
            target: session.facts(),
            data: Data::Bytecode(Box::new(data)),
            findings,
        })
    }

    fn output(&self) -> &Output {
        &self.output
    }
}
