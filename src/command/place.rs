//! `jit-where`.

use super::all::Run;
use super::output::Output;
use super::reply::Failure;
use super::selection;
use crate::listing::{Data, Report};
use crate::session::Session;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-where                 the pc of the selected frame
  jit-where 0x7ffff7843059
  jit-where $rip + 5
  jit-where $x20 --json";

/// Say what an address is: executor, uop and offset, bytecode and source line
///
/// Without ADDRESS, the pc of the selected frame. Tells the uop that the address lies in, or the part of an executor's
/// allocation that holds none (shim, guard, trampolines, data, GOT, padding). Says so, and on what evidence, if it was
/// the code of an executor that has been freed.
#[derive(Parser, Debug)]
#[command(name = "jit-where",
    override_usage = "jit-where [OPTIONS] [ADDRESS]", after_help = EXAMPLES)]
pub struct Where {
    /// A number or an expression of the debugger
    #[arg(value_name = "ADDRESS", num_args = 0..)]
    address: Vec<String>,

    #[command(flatten)]
    output: Output,
}

impl Run for Where {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        let address = match self.address.join(" ").trim() {
            "" => session.stop().pc.ok_or_else(|| {
                Failure::new("there is no pc: no thread is stopped")
                    .hint("name an address, or run the program until it stops")
            })?,
            text => selection::address(session, text)?,
        };
        let mut place = session.place(address)?;
        let mut findings = std::mem::take(&mut place.evidence);
        findings.extend(session.findings());
        if place.executor.is_none() {
            // It may be in one of those.
            findings.extend(session.search_findings());
            findings.extend(session.unreadable());
        }
        Ok(Report {
            target: session.facts(),
            data: Data::Where(Box::new(place)),
            findings,
        })
    }

    fn output(&self) -> &Output {
        &self.output
    }
}
