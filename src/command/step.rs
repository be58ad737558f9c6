//! `jit-step-uop`, `jit-next-uop`, `jit-step-bytecode`, `jit-until` and `jit-finish`.

use super::control::Steer;
use super::executor::literal;
use super::reply::Failure;
use crate::address::{BytecodeOffset, UopIndex};
use crate::control::stepping::Order;
use crate::control::stepping::goal::{Goal, Until};
use crate::control::{Control, Told};
use crate::session::Session;
use clap::{Args, Parser};

/// What all steps take.
#[derive(Args, Clone, Copy, Debug)]
struct Way {
    /// Say only where the step ends
    #[arg(short, long)]
    quiet: bool,

    /// Stop at each uop, also where many can be run as one stretch (slower, and ends at the same place)
    #[arg(long)]
    each: bool,
}

/// A command that steps.
trait Step: Parser {
    /// What it asks for.
    fn order(&self) -> Order;
}

impl<S: Step> Steer for S {
    fn steer(&self, session: &Session, control: &mut Control) -> Result<Told, Failure> {
        session.uop_count()?;
        if session.description().kind.word() != "live" {
            return Err(Failure::new("only a live process can be stepped"));
        }
        let started = control.stepping.start(session, self.order());
        started.map_err(|refusal| Failure::new(refusal.why).hint(refusal.hint))
    }
}

impl Way {
    fn order(self, goal: Goal, over: bool) -> Order {
        Order {
            goal,
            over,
            quiet: self.quiet,
            single: self.each,
        }
    }
}

const STEP_EXAMPLES: &str = "\
Examples:
  jit-step-uop
  jit-step-uop 20
  jit-step-uop 100000 --quiet";

/// Step to the next uop, or N uops further
///
/// Runs until the selected thread comes to another uop, in this executor, in one that it goes on in, or in one that other
/// Python code enters which the uop calls. Leaving JIT code counts as a step; the next one goes on to where JIT code is
/// entered again. Each uop is told in a line, under its source line and bytecode instruction where they change.
#[derive(Parser, Debug)]
#[command(name = "jit-step-uop", override_usage = "jit-step-uop [OPTIONS] [N]", after_help = STEP_EXAMPLES)]
pub struct StepUop {
    /// How many uops
    #[arg(value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,

    #[command(flatten)]
    way: Way,
}

impl Step for StepUop {
    fn order(&self) -> Order {
        self.way.order(Goal::Uops(self.count), false)
    }
}

const NEXT_EXAMPLES: &str = "\
Examples:
  jit-next-uop                    over a call of a Python function that the uop makes
  jit-next-uop 20";

/// Step to the next uop, over other Python code that a call runs
///
/// As jit-step-uop, but code that the uop calls is run as a whole, even if it enters JIT code itself. Python calls that
/// are part of the trace are no such calls.
#[derive(Parser, Debug)]
#[command(name = "jit-next-uop", override_usage = "jit-next-uop [OPTIONS] [N]", after_help = NEXT_EXAMPLES)]
pub struct NextUop {
    /// How many uops
    #[arg(value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,

    #[command(flatten)]
    way: Way,
}

impl Step for NextUop {
    fn order(&self) -> Order {
        self.way.order(Goal::Uops(self.count), true)
    }
}

const BYTECODE_EXAMPLES: &str = "\
Examples:
  jit-step-bytecode
  jit-step-bytecode 5 --quiet";

/// Step to the next bytecode instruction, or N further
///
/// Runs through the uops until one belongs to another instruction. Leaving JIT code counts as a step.
#[derive(Parser, Debug)]
#[command(
    name = "jit-step-bytecode",
    override_usage = "jit-step-bytecode [OPTIONS] [N]",
    after_help = BYTECODE_EXAMPLES
)]
pub struct StepBytecode {
    /// How many instructions
    #[arg(value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,

    #[command(flatten)]
    way: Way,
}

impl Step for StepBytecode {
    fn order(&self) -> Order {
        self.way.order(Goal::Bytecodes(self.count), false)
    }
}

const UNTIL_EXAMPLES: &str = "\
PLACE is one of
  _STORE_FAST, _GUARD_*  the next uop with this name or pattern
  12                     the uop with this index in its trace
  :8, loop.py:8          the first uop of this line
  @24                    the first uop of the bytecode instruction at this offset
  0xADDR                 the uop whose machine code contains this address
Examples:
  jit-until _CALL*
  jit-until :12";

/// Run to a uop, a line or an instruction, as long as JIT code is not left
///
/// Runs on in the executor, and in those that it leads to, until the place is reached. If JIT code is left before, the
/// step ends there and says how.
#[derive(Parser, Debug)]
#[command(name = "jit-until", override_usage = "jit-until [OPTIONS] PLACE", after_help = UNTIL_EXAMPLES)]
pub struct RunUntil {
    /// What to run to
    #[arg(value_name = "PLACE", value_parser = place)]
    place: Until,

    #[command(flatten)]
    way: Way,
}

impl Step for RunUntil {
    fn order(&self) -> Order {
        self.way.order(Goal::Until(self.place.clone()), true)
    }
}

const FINISH_EXAMPLES: &str = "\
Examples:
  jit-finish
  jit-finish --quiet";

/// Run to where JIT code is left, and say how
///
/// Goes on through all executors that side exits lead to, until the interpreter takes over: by a side exit without an
/// executor, by a deopt, with an error, or by the return (or yield) from a function to one that is not in the trace.
#[derive(Parser, Debug)]
#[command(name = "jit-finish", override_usage = "jit-finish [OPTIONS]", after_help = FINISH_EXAMPLES)]
pub struct Finish {
    #[command(flatten)]
    way: Way,
}

impl Step for Finish {
    fn order(&self) -> Order {
        self.way.order(Goal::Leave, true)
    }
}

fn place(text: &str) -> Result<Until, String> {
    let wrong = || format!("{text} is no uop, line or instruction");
    if let Some(offset) = text.strip_prefix('@') {
        let offset = offset.parse().map_err(|_| wrong())?;
        return Ok(Until::Bytecode(BytecodeOffset(offset)));
    }
    if let Some((file, line)) = text.rsplit_once(':') {
        let file = (!file.is_empty()).then(|| file.to_owned());
        return Ok(Until::Line(file, line.parse().map_err(|_| wrong())?));
    }
    if text.starts_with("0x") {
        return literal(text).map(Until::Address).ok_or_else(wrong);
    }
    match text.parse() {
        Ok(index) => Ok(Until::Index(UopIndex(index))),
        Err(_) if text.starts_with(['_', '*', '?']) => Ok(Until::Named(text.to_owned())),
        Err(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Until, place};
    use crate::address::{Address, BytecodeOffset, UopIndex};

    #[test]
    fn understands_places() {
        let named = |name: &str| Ok(Until::Named(name.to_owned()));
        assert_eq!(place("_GUARD_*"), named("_GUARD_*"));
        assert_eq!(place("12"), Ok(Until::Index(UopIndex(12))));
        assert_eq!(place(":8"), Ok(Until::Line(None, 8)));
        assert_eq!(place("a.py:8"), Ok(Until::Line(Some("a.py".to_owned()), 8)));
        assert_eq!(place("@24"), Ok(Until::Bytecode(BytecodeOffset(24))));
        assert_eq!(place("0x10"), Ok(Until::Address(Address(16))));
        for wrong in ["f", "a.py:x", "@", "0xg", ""] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
