//! `jit-trace`.

use super::all::Run;
use super::executor;
use super::output::Output;
use super::reply::Failure;
use super::subject::Subject;
use crate::listing::{Detail, Level, Report, Syntax, View};
use crate::session::Session;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-trace                       the executor that is running
  jit-trace f
  jit-trace #0 --uops 10..20
  jit-trace --all --json";

/// Show the uops of an executor without their machine code
///
/// One line a uop: index, name, arguments, where it jumps to, and the address and size of its machine code, under the
/// source line and the bytecode instruction that it comes from. => marks the uop that contains the pc.
#[derive(Parser, Debug)]
#[command(
    name = "jit-trace",
    override_usage = "jit-trace [OPTIONS] [EXECUTOR]",
    after_help = EXAMPLES,
    after_long_help = format!("{}\n\n{EXAMPLES}", executor::HELP)
)]
pub struct Trace {
    #[command(flatten)]
    subject: Subject,

    #[command(flatten)]
    output: Output,
}

impl Run for Trace {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        let detail = Detail {
            instructions: false,
            notes: false,
            source: !self.subject.no_source && !self.output.json,
            parents: self.output.json,
            exits: false,
            verify: false,
            syntax: Syntax::default(),
        };
        let view = View {
            pc: session.stop().pc,
            source: !self.subject.no_source,
            bytecode: !self.subject.no_bytecode,
            bytes: false,
            offsets: false,
            machine_code: false,
            level: Level::default(),
            arrows: true,
            ascii: false,
        };
        self.subject.report(session, detail, view)
    }

    fn output(&self) -> &Output {
        &self.output
    }
}
