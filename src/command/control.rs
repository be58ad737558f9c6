//! The commands that steer the target: only debuggers have them.

use super::all::{self, Manual};
use super::arguments;
use super::reply::{Action, Failure, Reply};
use super::settings::{Settings, StopText};
use super::{break_exit, break_uop, catch, step, symbols};
use crate::address::Address;
use crate::control::{Control, Registers, Told, stepping::Event, symbols::Wishes};
use crate::render::{self, TextStyle};
use crate::session::Session;
use clap::{Parser, error::ErrorKind};

/// How many stack items a stop shows.
const STACK_ITEMS: usize = 4;

/// A command with its arguments parsed.
pub(super) trait Steer: Parser {
    /// What is to be done, and what is to be said of it.
    fn steer(&self, session: &Session, control: &mut Control) -> Result<Told, Failure>;
}

/// What the table holds of each command.
pub(super) struct Entry {
    pub name: &'static str,
    pub command: fn() -> clap::Command,
    run: fn(Result<&Session, Failure>, &mut Control, &[String], TextStyle) -> Reply,
}

const fn entry<C: Steer>(name: &'static str) -> Entry {
    Entry {
        name,
        command: C::command,
        run: run_parsed::<C>,
    }
}

/// All of them, in the order in which help lists them.
pub(super) const CONTROLS: &[Entry] = &[
    entry::<break_uop::BreakUop>("jit-break-uop"),
    entry::<break_exit::BreakExit>("jit-break-exit"),
    entry::<break_exit::BreakDeopt>("jit-break-deopt"),
    entry::<catch::CatchEvent>("jit-catch"),
    entry::<step::StepUop>("jit-step-uop"),
    entry::<step::NextUop>("jit-next-uop"),
    entry::<step::StepBytecode>("jit-step-bytecode"),
    entry::<step::RunUntil>("jit-until"),
    entry::<step::Finish>("jit-finish"),
    entry::<symbols::Symbols>("jit-symbols"),
];

/// The manuals of the commands that only debuggers have.
pub fn control_manuals() -> Vec<Manual> {
    let entries = CONTROLS.iter();
    entries
        .map(|entry| all::manual(entry.name, (entry.command)()))
        .collect()
}

/// Runs any command with its arguments as the user typed them, in a debugger.
pub fn run_in_debugger(
    session: Result<&Session, Failure>,
    control: &mut Control,
    name: &str,
    text: &str,
    style: TextStyle,
) -> Reply {
    let Some(entry) = CONTROLS.iter().find(|entry| entry.name == name) else {
        return all::run(session, name, text, style);
    };
    match arguments::split(text) {
        Ok(arguments) => (entry.run)(session, control, &arguments, style),
        Err(reason) => all::refuse(&Failure::usage(reason), &[], style),
    }
}

fn run_parsed<C: Steer>(
    session: Result<&Session, Failure>,
    control: &mut Control,
    arguments: &[String],
    style: TextStyle,
) -> Reply {
    let name = C::command().get_name().to_owned();
    let parsed = C::try_parse_from(std::iter::once(&name).chain(arguments));
    match parsed.map(|command| command.steer(session?, control)) {
        Ok(Ok(told)) => reply(told, style),
        Ok(Err(failure)) => all::refuse(&failure, &[], style),
        Err(error) => not_parsed(&error, style),
    }
}

/// `--help`, or a wrong call.
fn not_parsed(error: &clap::Error, style: TextStyle) -> Reply {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp => Reply {
            text,
            ..Reply::default()
        },
        _ => {
            let message = text.trim().trim_start_matches("error: ");
            all::refuse(&Failure::usage(message), &[], style)
        }
    }
}

fn reply(told: Told, style: TextStyle) -> Reply {
    Reply {
        text: render::told(&told.lines, &told.findings, style),
        actions: told.actions.into_iter().map(Action::Control).collect(),
        stop: told.stop,
        ..Reply::default()
    }
}

/// A hook was hit.
pub fn hook(
    session: &Session,
    control: &mut Control,
    hit: (&str, &Registers),
    all_symbols: bool,
    style: TextStyle,
) -> Reply {
    reply(control.hook(session, hit, all_symbols), style)
}

/// The catch with this number was hit.
pub fn caught(
    session: &Session,
    control: &mut Control,
    id: u32,
    (kind, registers): (&str, &Registers),
    style: TextStyle,
) -> Reply {
    let told = control.breakpoints.caught(session, id, kind, registers);
    reply(told, style)
}

/// A `run` or `single-step` of a step has ended.
pub fn resume(session: &Session, control: &mut Control, event: &Event, style: TextStyle) -> Reply {
    reply(control.stepping.resume(session, event), style)
}

/// A process has started, files were loaded, or the program has stopped.
pub fn refresh(
    session: &Session,
    control: &mut Control,
    wishes: Wishes,
    style: TextStyle,
) -> Reply {
    reply(control.refresh(session, wishes), style)
}

/// A breakpoint is no more.
pub fn breakpoint_deleted(control: &mut Control, id: u32) -> Reply {
    reply(control.breakpoints.deleted(id), TextStyle::default())
}

/// The process has ended, or is another program now.
pub fn process_gone(control: &mut Control, replaced: bool) -> Reply {
    reply(control.process_gone(replaced), TextStyle::default())
}

/// Why the place of a breakpoint at line `asked` of a Python file is wrong ([`Symbols::misplaced`]).
///
/// [`Symbols::misplaced`]: crate::control::symbols::Symbols::misplaced
pub fn misplaced(control: &Control, address: Address, asked: u32) -> Option<String> {
    let reason = control.symbols.misplaced(address, asked)?;
    Some(render::harmless(&reason))
}

/// What a stop at a uop prints; nothing if the selected pc is in no JIT code.
pub fn stop_text(session: &Session, settings: Settings, style: TextStyle) -> String {
    if settings.stop == StopText::None {
        return String::new();
    }
    // Where there is nothing to tell, the debugger has said where it is.
    let Ok(Some(mut data)) = session.stopped_at() else {
        return String::new();
    };
    if settings.stop == StopText::Stack {
        data.stack = session.stack_top(STACK_ITEMS).ok().flatten();
    }
    render::stop(&data, style)
}
