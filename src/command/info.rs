//! `jit-info`.

use super::all::Run;
use super::output::Output;
use super::reply::Failure;
use crate::listing::{Data, Report};
use crate::session::Session;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-info
  jit-info --layouts
  jit-info --json";

/// Show the CPython that was found, the state of its JIT, and where each fact comes from
///
/// Says which file contains CPython and which debug file is used, whether the JIT was compiled in and is switched on,
/// how many executors there are, and for each structure and symbol where its layout or address was learned.
/// When something is missing, this is the command that says what, and what to do.
#[derive(Parser, Debug)]
#[command(name = "jit-info", after_help = EXAMPLES)]
pub struct Info {
    /// Show each field of each structure
    #[arg(long)]
    layouts: bool,

    #[command(flatten)]
    output: Output,
}

impl Run for Info {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        let (mut info, findings) = session.info()?;
        info.show_fields = self.layouts;
        Ok(Report {
            target: session.facts(),
            data: Data::Info(Box::new(info)),
            findings,
        })
    }

    fn output(&self) -> &Output {
        &self.output
    }
}
