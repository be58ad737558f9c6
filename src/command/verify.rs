//! `jit-verify`.

use super::all::Run;
use super::executor::{self, find_executor, nothing_compiled};
use super::output::Output;
use super::reply::Failure;
use crate::listing::{Against, Data, Finding, Report};
use crate::session::Session;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-verify                all executors
  jit-verify '#3'
  jit-verify --quick        only the code, and only against the registered copy (3.15)
  jit-verify Parser.next --json";

const CHECKS: &str = "\
Checks
  object      exits and trace follow the head as one object: trace, ob_size
  start       the trace begins with a _START_EXECUTOR that names its executor
  jumps       jump_target and error_target are stubs of the trace
  exits       each exit has a stub; both name the same record and target
  registers   each uop takes as many stack items in registers as the one before leaves (3.15)
  regions     shim, uops, guard, trampolines, data and GOT tile the allocation
  sizes       the sizes of the stencils add up to jit_size
  side-entry  jit_side_entry is the first uop (3.14)
  decode      the machine code of each uop is made of whole instructions
  branches    branches lead to an instruction of the allocation, or to code
  padding     what is not used is zero
  bytecode    vm_data.code, its slot in co_executors and ENTER_EXECUTOR agree
  list        the interpreter's list and the executor agree on its place
  children    what an exit leads to begins at the exit's target
  state       valid, linked and pending_deletion fit together, and to the lists
  copy        the code equals the copy registered for debuggers (3.15)
  bytes       every byte is what the JIT's own stencils and the trace give";

/// Check executors against themselves and all that refers to them
///
/// Holds what CPython stores twice against each other, and compiles each trace once more: the JIT's own emitters, as they
/// stand in the target's file, are run in an interpreter, and every byte that they write is compared. With EXECUTOR, only
/// that one; without, all there are. A process in good health passes every check; where one fails, the report says which
/// byte, uop and field is wrong, what is there, what should be, and what it may come from. A check that lacks what it needs
/// is shown as not run, with the reason. The exit status is 1 if anything failed.
///
/// A debugger hides its own breakpoints from itself; read from outside (--pid, cores of the kernel), they are differences.
#[derive(Parser, Debug)]
#[command(name = "jit-verify", override_usage = "jit-verify [OPTIONS] [EXECUTOR]", after_help = EXAMPLES,
    after_long_help = format!("{}\n\n{CHECKS}\n\n{EXAMPLES}", executor::HELP.replace(
        "the executor that runs in the selected frame or thread", "all executors")))]
pub struct Verify {
    /// The executor; without it, all
    #[arg(value_name = "EXECUTOR", num_args = 0.., conflicts_with = "all")]
    executor: Vec<String>,

    /// All executors, which is what happens without EXECUTOR
    #[arg(long)]
    all: bool,

    /// Only hold the code against the copy that CPython registered for debuggers (3.15)
    #[arg(long)]
    quick: bool,

    #[command(flatten)]
    output: Output,
}

impl Run for Verify {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        let name = self.executor.join(" ");
        let all = name.trim().is_empty();
        let executors = match all {
            true => {
                let readable = session.all_executors()?.iter();
                let readable = readable.filter(|known| known.executor.is_ok());
                readable.map(|known| known.address).collect()
            }
            false => vec![find_executor(session, &name)?],
        };
        let against = match self.quick {
            true => Against::Copy,
            false => Against::Emitters,
        };
        let mut data = session.verify(&executors, against)?;
        let mut findings = session.findings();
        findings.extend(session.search_findings());
        if all {
            let broken = session.broken()?;
            data.unreadable = broken.len() as u64;
            findings.extend(broken);
        }
        if executors.is_empty() {
            findings.push(Finding::note(nothing_compiled(session)));
        }
        Ok(Report {
            target: session.facts(),
            data: Data::Verify(data),
            findings,
        })
    }

    fn output(&self) -> &Output {
        &self.output
    }
}
