//! The table of commands, and how one is run.

use super::reply::{Action, Failure, Reply};
use super::spelling::{self, Spelling};
use super::{
    arguments, backtrace, bytecode, dis, exits, graph, info, list, output::Output, place, stack,
    trace, verify,
};
use crate::listing::{Report, TargetFacts};
use crate::render::{self, TextStyle};
use crate::session::Session;
use clap::{Parser, error::ErrorKind};

/// A command with its arguments parsed.
pub(super) trait Run: Parser {
    /// What it reports.
    fn run(&self, session: &Session) -> Result<Report, Failure>;

    /// How the report is to be put out.
    fn output(&self) -> &Output;
}

/// A command, as the front-ends register it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manual {
    /// `jit-dis`.
    pub name: &'static str,
    /// One line.
    pub summary: String,
    /// `jit-dis [OPTIONS] [EXECUTOR]`.
    pub usage: String,
    /// All of it, with examples.
    pub help: String,
}

/// What the table holds of each command.
pub(super) struct Entry {
    pub name: &'static str,
    pub command: fn() -> clap::Command,
    run: fn(Result<&Session, Failure>, &[String], TextStyle, Spelling) -> Reply,
    run_matches: fn(Result<&Session, Failure>, &clap::ArgMatches, TextStyle) -> Reply,
}

const fn entry<C: Run>(name: &'static str) -> Entry {
    Entry {
        name,
        command: C::command,
        run: run_parsed::<C>,
        run_matches: run_matched::<C>,
    }
}

/// Columns of help texts: the terminal is not known when the front-ends register them.
const HELP_WIDTH: usize = 100;

/// All commands, in the order in which help lists them.
pub(super) const COMMANDS: [Entry; 11] = [
    entry::<info::Info>("jit-info"),
    entry::<list::List>("jit-list"),
    entry::<trace::Trace>("jit-trace"),
    entry::<dis::Dis>("jit-dis"),
    entry::<place::Where>("jit-where"),
    entry::<backtrace::Backtrace>("jit-bt"),
    entry::<verify::Verify>("jit-verify"),
    entry::<exits::Exits>("jit-exits"),
    entry::<graph::Graph>("jit-graph"),
    entry::<bytecode::Bytecode>("jit-bytecode"),
    entry::<stack::Stack>("jit-stack"),
];

/// The manuals of all commands.
pub fn manuals() -> Vec<Manual> {
    let entries = COMMANDS.iter();
    entries
        .map(|entry| manual(entry.name, (entry.command)()))
        .collect()
}

pub(super) fn manual(name: &'static str, command: clap::Command) -> Manual {
    let mut command = command.term_width(HELP_WIDTH);
    let usage = command.render_usage().to_string();
    Manual {
        name,
        summary: command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default(),
        usage: usage.trim_start_matches("Usage: ").trim().to_owned(),
        help: command.render_long_help().to_string(),
    }
}

/// Runs a command with its arguments as the user typed them.
///
/// Where the target cannot be read now, the reason stands for the session: help is given all the same.
pub fn run(session: Result<&Session, Failure>, name: &str, text: &str, style: TextStyle) -> Reply {
    match arguments::split(text) {
        Ok(arguments) => run_words(session, name, &arguments, style, Spelling::Debugger),
        Err(reason) => {
            let words: Vec<String> = text.split_whitespace().map(ToOwned::to_owned).collect();
            refuse(&Failure::usage(reason), &words, style)
        }
    }
}

/// Runs a command in the interpreter that it is about; the words of its arguments are those of debuggers.
pub fn run_inside(session: &Session, name: &str, words: &[String], style: TextStyle) -> Reply {
    run_words(Ok(session), name, words, style, Spelling::Python)
}

fn run_words(
    session: Result<&Session, Failure>,
    name: &str,
    words: &[String],
    style: TextStyle,
    spelling: Spelling,
) -> Reply {
    match COMMANDS.iter().find(|entry| entry.name == name) {
        Some(entry) => (entry.run)(session, words, style, spelling),
        None => refuse(
            &Failure::usage(format!("there is no command {name}")),
            words,
            style,
        ),
    }
}

fn run_parsed<C: Run>(
    session: Result<&Session, Failure>,
    arguments: &[String],
    style: TextStyle,
    spelling: Spelling,
) -> Reply {
    let name = C::command().get_name().to_owned();
    let parsed = C::try_parse_from(std::iter::once(&name).chain(arguments));
    match parsed {
        Ok(command) => answer(session, &command, style, spelling),
        Err(error) => not_parsed(&error, &Output::in_vain(arguments), style),
    }
}

/// All commands as the command line has them: `cpyjit dis` is `jit-dis`.
pub fn subcommands() -> impl Iterator<Item = clap::Command> {
    COMMANDS.iter().map(|entry| {
        let usage = manual(entry.name, (entry.command)()).usage;
        spelling::for_command_line((entry.command)(), entry.name, &usage)
    })
}

/// Runs the command that the command line calls `name`; `matches` are of one of the [`subcommands`].
///
/// Where the target cannot be read, the reason stands for the session.
pub fn run_matches(
    session: Result<&Session, Failure>,
    name: &str,
    matches: &clap::ArgMatches,
    style: TextStyle,
) -> Reply {
    let mut entries = COMMANDS.iter();
    match entries.find(|entry| entry.name.strip_prefix("jit-") == Some(name)) {
        Some(entry) => (entry.run_matches)(session, matches, style),
        None => refuse(
            &Failure::usage(format!("there is no command {name}")),
            &[],
            style,
        ),
    }
}

/// A report that is of no target.
pub fn tell(report: &Report, json: bool, style: TextStyle) -> Reply {
    let output = Output {
        json,
        ..Output::default()
    };
    put_out(report, &output, style)
}

/// The answer to a call that could not be carried out at all.
pub fn refuse(failure: &Failure, arguments: &[String], style: TextStyle) -> Reply {
    failed(failure, &Output::in_vain(arguments), None, style)
}

fn run_matched<C: Run>(
    session: Result<&Session, Failure>,
    matches: &clap::ArgMatches,
    style: TextStyle,
) -> Reply {
    match C::from_arg_matches(matches) {
        Ok(command) => answer(session, &command, style, Spelling::CommandLine),
        Err(error) => not_parsed(&error, &Output::default(), style),
    }
}

fn answer<C: Run>(
    session: Result<&Session, Failure>,
    command: &C,
    style: TextStyle,
    spelling: Spelling,
) -> Reply {
    let output = command.output();
    let (mut failure, target) = match session {
        Err(failure) => (failure, None),
        Ok(session) => match command.run(session) {
            Ok(mut report) => {
                spelling.respell(&mut report.findings);
                return put_out(&report, output, style);
            }
            Err(mut failure) => {
                // What is odd about the memory may be the reason.
                failure.findings.extend(session.memory_findings());
                (failure, session.facts())
            }
        },
    };
    spelling.respell(&mut failure.findings);
    failed(&failure, output, target, style)
}

/// `--help`, or a wrong call.
fn not_parsed(error: &clap::Error, output: &Output, style: TextStyle) -> Reply {
    let text = error.render().to_string();
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return Reply {
            text,
            ..Reply::default()
        };
    }
    let message = text.trim().trim_start_matches("error: ");
    failed(&Failure::usage(message), output, None, style)
}

pub(super) fn put_out(report: &Report, output: &Output, style: TextStyle) -> Reply {
    let Some(path) = &output.output else {
        return Reply {
            text: content(report, output, style),
            status: report.data.status(),
            ..Reply::default()
        };
    };
    let content = content(report, output, TextStyle::default());
    Reply {
        text: String::new(),
        actions: vec![Action::WriteFile {
            path: path.clone(),
            content,
        }],
        status: report.data.status(),
        ..Reply::default()
    }
}

fn failed(
    failure: &Failure,
    output: &Output,
    target: Option<TargetFacts>,
    style: TextStyle,
) -> Reply {
    let report = failure.clone().report(target);
    Reply {
        text: content(&report, output, style),
        failed: true,
        status: if failure.usage { 2 } else { 1 },
        ..Reply::default()
    }
}

fn content(report: &Report, output: &Output, style: TextStyle) -> String {
    match output.json {
        true => render::json(report),
        false => render::text(report, style),
    }
}
