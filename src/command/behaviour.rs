//! What the breakpoint commands have in common: filters of uops, and how the debugger treats a breakpoint.

use super::executor::{self, Name, find_executor, nothing_compiled};
use super::reply::Failure;
use crate::control::UserBreakpoint;
use crate::control::breakpoints::{ExecutorName, Filters, Scope};
use crate::session::Session;
use clap::Args;

/// What the help of the breakpoint commands says of EXECUTOR.
pub(super) const EXECUTOR_HELP: &str = "\
EXECUTOR is one of
  (nothing)        all executors, those that are compiled later among them
  f, Class.method  those that the bytecode of this function enters, now or later
  f@OFFSET         the one that its bytecode enters at OFFSET
  file.py:LINE     those with uops of this line
  #N, 0xADDR, $pc  this one; when its place is compiled again, the new one";

/// Which of the uops with a name are wanted.
#[derive(Args, Clone, Debug, Default)]
pub struct UopFilters {
    /// Only uops of this function, inlined ones too; a name or a pattern
    #[arg(long, value_name = "PATTERN", help_heading = "Which uops")]
    function: Option<String>,

    /// Only uops of this source line
    #[arg(long, value_name = "[FILE:]LINE", help_heading = "Which uops")]
    line: Option<String>,

    /// Only uops with this argument
    #[arg(long, value_name = "N", help_heading = "Which uops")]
    oparg: Option<u16>,

    /// Only the Nth such uop in each executor, counted from 1
    #[arg(long, value_name = "N", help_heading = "Which uops", value_parser = clap::value_parser!(u32).range(1..))]
    nth: Option<u32>,
}

impl UopFilters {
    pub(super) fn parse(&self) -> Result<Filters, Failure> {
        let line = self.line.as_deref().map(|text| {
            let (file, line) = match text.rsplit_once(':') {
                Some((file, line)) => (Some(file.to_owned()), line),
                None => (None, text),
            };
            let line = line.parse().map_err(|_| {
                Failure::usage(format!("{text} is no line"))
                    .hint("write a number (8) or FILE:LINE (loop.py:8)")
            })?;
            Ok::<_, Failure>((file, line))
        });
        Ok(Filters {
            function: self.function.clone(),
            line: line.transpose()?,
            oparg: self.oparg,
            nth: self.nth,
        })
    }
}

/// What the debugger does at the breakpoint.
#[derive(Args, Clone, Debug, Default)]
pub struct Behaviour {
    /// Stop only this thread, by the debugger's number
    #[arg(long, value_name = "THREAD", help_heading = "When to stop")]
    thread: Option<String>,

    /// Stop only if this expression of the debugger is true
    #[arg(long, value_name = "EXPR", help_heading = "When to stop")]
    condition: Option<String>,

    /// Let the first N hits pass
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "When to stop"
    )]
    ignore: u64,

    /// Delete it at its first stop
    #[arg(long, help_heading = "When to stop")]
    temporary: bool,

    /// Use debug registers of the processor; there are four
    #[arg(long, help_heading = "When to stop")]
    hardware: bool,

    /// Run this command of the debugger at each stop; may be given several times
    #[arg(long, value_name = "COMMAND", help_heading = "When to stop")]
    commands: Vec<String>,
}

impl Behaviour {
    pub(super) fn settings(&self) -> UserBreakpoint {
        UserBreakpoint {
            temporary: self.temporary,
            hardware: self.hardware,
            condition: self.condition.clone(),
            ignore: self.ignore,
            thread: self.thread.clone(),
            commands: self.commands.clone(),
            ..UserBreakpoint::default()
        }
    }
}

/// Which executors the text names, those that are still to come among them.
pub(super) fn scope(session: &Session, text: &str) -> Result<Scope, Failure> {
    if text.is_empty() {
        return Ok(Scope::Everywhere);
    }
    let is_one = text.starts_with('#') || executor::literal(text).is_some();
    match Name::parse(text).filter(|_| !is_one) {
        Some(Name::Function(name)) => Ok(Scope::Named(ExecutorName::Function(name.to_owned()))),
        Some(Name::Entry(name, offset)) => {
            Ok(Scope::Named(ExecutorName::Entry(name.to_owned(), offset)))
        }
        Some(Name::Line(file, line)) => Ok(Scope::Named(ExecutorName::Line(file.to_owned(), line))),
        None => Ok(Scope::of(session, find_executor(session, text)?)?),
    }
}

/// An error if nothing will ever stop there.
pub(super) fn check_target(session: &Session) -> Result<(), Failure> {
    if session.description().kind.word() == "core" {
        return Err(Failure::new(
            "a core dump does not run: there is nothing to stop",
        ));
    }
    let enabled = session.jit_enabled().unwrap_or_default();
    let is_off = !enabled.is_empty() && enabled.iter().all(|enabled| *enabled == Some(false));
    if session.description().pid.is_some() && is_off && !session.is_starting() {
        return Err(
            Failure::new("the JIT is switched off in this process: no uop is ever run")
                .hint(nothing_compiled(session)),
        );
    }
    Ok(())
}
