//! `jit-break-exit` and `jit-break-deopt`.

use super::behaviour::{self, Behaviour, UopFilters, check_target};
use super::control::Steer;
use super::reply::Failure;
use crate::control::breakpoints::{UopChoice, Wanted};
use crate::control::{Control, Told};
use crate::session::Session;
use clap::Parser;

const EXIT_EXAMPLES: &str = "\
Examples:
  jit-break-exit                     any side exit of any executor
  jit-break-exit f@24 --ignore 10
  jit-break-exit --function f --line 8";

const DEOPT_EXAMPLES: &str = "\
Examples:
  jit-break-deopt                    wherever a guess turns out wrong
  jit-break-deopt f --temporary
  jit-break-uop _ERROR_POP_N         the same for exceptions";

/// Stop where JIT code is left by a side exit
///
/// At the stubs _EXIT_TRACE and _DYNAMIC_EXIT: they lead to another executor, or to the interpreter while there is none.
#[derive(Parser, Debug)]
#[command(name = "jit-break-exit", override_usage = "jit-break-exit [OPTIONS] [EXECUTOR]",
    after_help = EXIT_EXAMPLES,
    after_long_help = format!("{}\n\n{EXIT_EXAMPLES}", behaviour::EXECUTOR_HELP))]
pub struct BreakExit {
    #[command(flatten)]
    exits: Exits,
}

/// Stop where JIT code gives up because its assumptions do not hold
///
/// At _DEOPT and _HANDLE_PENDING_AND_DEOPT: they lead back to the interpreter.
#[derive(Parser, Debug)]
#[command(name = "jit-break-deopt", override_usage = "jit-break-deopt [OPTIONS] [EXECUTOR]",
    after_help = DEOPT_EXAMPLES,
    after_long_help = format!("{}\n\n{DEOPT_EXAMPLES}", behaviour::EXECUTOR_HELP))]
pub struct BreakDeopt {
    #[command(flatten)]
    exits: Exits,
}

/// Which exits, and what to do there.
#[derive(clap::Args, Debug)]
struct Exits {
    /// Of which executors; without it, of all
    #[arg(value_name = "EXECUTOR", num_args = 0..)]
    executor: Vec<String>,

    #[command(flatten)]
    filters: UopFilters,

    #[command(flatten)]
    behaviour: Behaviour,
}

impl Exits {
    fn set(
        &self,
        session: &Session,
        control: &mut Control,
        uop: UopChoice,
    ) -> Result<Told, Failure> {
        check_target(session)?;
        let wanted = Wanted {
            uop,
            scope: behaviour::scope(session, &self.executor.join(" "))?,
            filters: self.filters.parse()?,
        };
        let settings = self.behaviour.settings();
        Ok(control.set_uops(session, wanted, settings))
    }
}

impl Steer for BreakExit {
    fn steer(&self, session: &Session, control: &mut Control) -> Result<Told, Failure> {
        self.exits.set(session, control, UopChoice::Exits)
    }
}

impl Steer for BreakDeopt {
    fn steer(&self, session: &Session, control: &mut Control) -> Result<Told, Failure> {
        self.exits.set(session, control, UopChoice::Deopts)
    }
}
