//! `jit-catch`.

use super::behaviour::check_target;
use super::control::Steer;
use super::reply::Failure;
use crate::control::breakpoints::{CatchKind, Caught};
use crate::control::{Control, Told, UserBreakpoint};
use crate::session::Session;
use clap::{Parser, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  jit-catch compile                  each time an executor has been compiled
  jit-catch compile f
  jit-catch invalidate Parser.*
  jit-catch free --temporary";

const EVENTS: &str = "\
What can be watched: compile at the end of _PyOptimizer_Optimize, free at __jit_debug_register_code (3.15) or munmap (3.14),
both in every build. invalidate needs the symbol table (executor_invalidate, on 3.14 executor_clear); in
stripped builds only 3.15 has another function that tells (_Py_ExecutorDetach).";

/// Stop when an executor is compiled, becomes invalid or is freed
///
/// FUNCTION is the name of the function in which the executor begins, or a pattern. An executor that is invalid is not
/// entered again; its code stays until it is freed.
#[derive(Parser, Debug)]
#[command(name = "jit-catch", after_help = EXAMPLES, after_long_help = format!("{EVENTS}\n\n{EXAMPLES}"))]
pub struct CatchEvent {
    /// What to catch
    #[arg(value_enum, value_name = "EVENT")]
    event: Event,

    /// Only executors of this function
    #[arg(value_name = "FUNCTION")]
    function: Option<String>,

    /// Let the first N of them pass
    #[arg(long, value_name = "N", default_value_t = 0)]
    ignore: u64,

    /// Delete it at its first stop
    #[arg(long)]
    temporary: bool,

    /// Run this command of the debugger at each stop; may be given several times
    #[arg(long, value_name = "COMMAND")]
    commands: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Event {
    Compile,
    Invalidate,
    Free,
}

impl Steer for CatchEvent {
    fn steer(&self, session: &Session, control: &mut Control) -> Result<Told, Failure> {
        check_target(session)?;
        let kind = match self.event {
            Event::Compile => CatchKind::Compile,
            Event::Invalidate => CatchKind::Invalidate,
            Event::Free => CatchKind::Free,
        };
        if session.description().pid.is_some() {
            kind.addresses(session)?;
        }
        let caught = Caught {
            kind,
            function: self.function.clone(),
            ignore: self.ignore,
        };
        let settings = UserBreakpoint {
            temporary: self.temporary,
            commands: self.commands.clone(),
            ..UserBreakpoint::default()
        };
        Ok(control.breakpoints.set_catch(session, caught, settings))
    }
}
