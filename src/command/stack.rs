//! `jit-stack`.

use super::all::Run;
use super::output::Output;
use super::reply::Failure;
use crate::listing::{Data, Report};
use crate::session::{Session, StackRequest};
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-stack                 stack and variables of the running Python function
  jit-stack --frame 1       those of its caller
  jit-stack --full          all frames, longer texts
  jit-stack --all-threads
  jit-stack --json";

/// Show the evaluation stack and local variables of the running Python frames
///
/// JIT code keeps the top of the stack and its pointer in registers: what the frame itself says is out of date. In the
/// middle of a uop the stack is shown as the uop found it, and each item says whether it is certain, was there before
/// (and may have been freed since), or is unknown. In C code that JIT code has called, the waiting call is looked for on
/// the machine stack; where that is not enough, select the frame of the JIT code (`up`). Objects are shown without running any code; `owned` and `borrowed` say whether the reference keeps its object
/// alive.
#[derive(Parser, Debug)]
#[command(name = "jit-stack", after_help = EXAMPLES)]
pub struct Stack {
    /// Only this frame, counted from the innermost of the thread
    #[arg(long, value_name = "N")]
    frame: Option<u64>,

    /// All frames with stack and variables, and longer texts
    #[arg(long)]
    full: bool,

    /// All Python threads, the selected one first
    #[arg(long)]
    all_threads: bool,

    #[command(flatten)]
    output: Output,
}

impl Run for Stack {
    fn run(&self, session: &Session) -> Result<Report, Failure> {
        let (data, mut findings) = session.stack(&StackRequest {
            frame: self.frame,
            first_only: false,
            all_threads: self.all_threads,
            full: self.full,
        })?;
        findings.extend(session.findings());
        Ok(Report {
            target: session.facts(),
            data: Data::Stack(Box::new(data)),
            findings,
        })
    }

    fn output(&self) -> &Output {
        &self.output
    }
}
