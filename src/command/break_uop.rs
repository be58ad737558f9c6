//! `jit-break-uop`.

use super::behaviour::{self, Behaviour, UopFilters, check_target};
use super::control::Steer;
use super::executor::{self, find_executor};
use super::reply::Failure;
use super::selection;
use crate::address::{Address, UopIndex};
use crate::control::breakpoints::{Scope, UopChoice, Wanted};
use crate::control::{Control, Told};
use crate::session::Session;
use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  jit-break-uop _BINARY_OP_ADD_INT             wherever it is compiled, now or later
  jit-break-uop _GUARD_* --function f          all guards in f, also where it is inlined
  jit-break-uop f _LOAD_FAST --nth 2           the second one in each executor that f enters
  jit-break-uop #3 25                          uop 25 of executor #3
  jit-break-uop $pc                            the uop at the pc, in all iterations to come
  jit-break-uop _CALL* --line 8 --ignore 100
  jit-break-uop _ERROR_POP_N --temporary --commands 'jit-where' --commands 'bt'";

const UOP_HELP: &str = "\
UOP is one of
  _LOAD_FAST       a base name: all its register variants
  _LOAD_FAST_r01   an exact variant
  _GUARD_*         a pattern with * and ?
  25               an index in the trace of EXECUTOR; without one, of the executor that runs
  0xADDR, $pc      the uop whose machine code contains this address";

/// Stop at uops, in executors that exist and in those that are compiled later
///
/// Makes one breakpoint of the debugger with a place in each executor that has such a uop. It is listed, disabled and
/// deleted as any other. Executors that are compiled later get theirs before their code runs for the first time; places
/// in freed code are taken out before. A uop that has no machine code of its own is stopped at where the next one begins.
#[derive(Parser, Debug)]
#[command(name = "jit-break-uop", override_usage = "jit-break-uop [OPTIONS] [EXECUTOR] UOP",
    after_help = EXAMPLES,
    after_long_help = format!("{UOP_HELP}\n\n{}\n\n{EXAMPLES}", behaviour::EXECUTOR_HELP))]
pub struct BreakUop {
    /// Which uop, and before it of which executors
    #[arg(value_name = "UOP", num_args = 1.., required = true)]
    words: Vec<String>,

    #[command(flatten)]
    filters: UopFilters,

    #[command(flatten)]
    behaviour: Behaviour,
}

impl Steer for BreakUop {
    fn steer(&self, session: &Session, control: &mut Control) -> Result<Told, Failure> {
        check_target(session)?;
        let wanted = self.wanted(session)?;
        wanted.check(session)?;
        Ok(control.set_uops(session, wanted, self.behaviour.settings()))
    }
}

impl BreakUop {
    fn wanted(&self, session: &Session) -> Result<Wanted, Failure> {
        let (uop, executor) = match self.words.split_last() {
            Some((last, before)) => (last.as_str(), before.join(" ")),
            None => return Err(Failure::usage("no uop is named")),
        };
        let (scope, uop) = match Text::of(uop) {
            Text::Name => {
                let scope = behaviour::scope(session, &executor)?;
                (scope, UopChoice::Named(uop.to_owned()))
            }
            Text::Index(index) => at_index(session, &executor, index)?,
            Text::Address => at_address(session, &executor, uop)?,
        };
        Ok(Wanted {
            uop,
            scope,
            filters: self.filters.parse()?,
        })
    }
}

/// What the text of a UOP is.
enum Text {
    Name,
    Index(u32),
    Address,
}

impl Text {
    fn of(text: &str) -> Text {
        if let Ok(index) = text.parse() {
            return Text::Index(index);
        }
        let is_address = executor::literal(text).is_some() || text.starts_with(['$', '&', '(']);
        match is_address {
            true => Text::Address,
            false => Text::Name,
        }
    }
}

fn at_index(session: &Session, executor: &str, index: u32) -> Result<(Scope, UopChoice), Failure> {
    let address = find_executor(session, executor)?;
    choice(session, address, UopIndex(index))
}

fn at_address(
    session: &Session,
    executor: &str,
    text: &str,
) -> Result<(Scope, UopChoice), Failure> {
    if !executor.is_empty() {
        return Err(Failure::usage(format!(
            "{text} is an address, which belongs to one executor: name no other"
        )));
    }
    let address = selection::address(session, text)?;
    match session.uop_at(address)? {
        Some((executor, row, _)) => choice(session, executor, row.index),
        None => Err(Failure::new(format!("{address} is in the code of no uop"))
            .hint("jit-where ADDRESS tells what it is")),
    }
}

fn choice(
    session: &Session,
    executor: Address,
    index: UopIndex,
) -> Result<(Scope, UopChoice), Failure> {
    let uop = UopChoice::at(session, executor, index)?;
    Ok((Scope::of(session, executor)?, uop))
}
