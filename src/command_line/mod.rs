//! The command line `cpyjit`: the commands on cores and processes, without a debugger, and what sets debuggers up.

mod doctor;
mod expression;
mod install;
mod installation;
mod perf_data;
mod progress;
mod symbols;
mod target;
mod target_options;

use crate::command::{self, Action, Failure, RawOptions, Reply, TextStyle};
use clap::{Args, FromArgMatches, error::ErrorKind};
use doctor::Doctor;
use install::Install;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use symbols::WriteSymbols;
use target::Opened;
use target_options::TargetOptions;

const EXAMPLES: &str = "\
Examples:
  cpyjit list --core core                           the executors in a core
  cpyjit dis --core core.zst                        the executor that was running
  cpyjit dis --core core --exe python3.15 f --json  a function's, as JSON
  cpyjit where --core core '$pc'                    what the crash was in
  cpyjit list --pid 4242 --stop                     a process, held while it is read
  cpyjit install gdb                                every GDB from now on has the commands jit-*
  cpyjit doctor                                     what works here, and what to do about the rest
  cpyjit completions bash > ~/.local/share/bash-completion/completions/cpyjit

Addresses are numbers, registers ('$pc'), symbols ('&_PyRuntime') and sums of these ('$pc + 5').
Exit status: 0, 1 if something failed, 2 for a wrong call.";

/// Runs the command line with these arguments, the first of which is the name of the program: its exit status. `own_file`
/// is where the code runs from, the program or the extension.
pub fn run(arguments: impl Iterator<Item = OsString>, own_file: Option<&Path>) -> u8 {
    let arguments: Vec<OsString> = arguments.collect();
    let reply = match program().try_get_matches_from(&arguments) {
        Ok(matches) => call(&matches, own_file),
        Err(error) => not_parsed(&error, &arguments),
    };
    finish(reply)
}

/// The whole command line, as help and completions need it.
fn program() -> clap::Command {
    let commands = command::subcommands().map(|command| {
        let (about, long) = (
            command.get_about().cloned(),
            command.get_long_about().cloned(),
        );
        // The derived function puts the description of the options in place of the command's.
        let mut command = TargetOptions::augment_args(command);
        if command.get_name() == "dis" {
            command = RawOptions::augment_args(command);
        }
        let long = long.or_else(|| about.clone()).unwrap_or_default();
        command.about(about.unwrap_or_default()).long_about(long)
    });
    clap::Command::new("cpyjit")
        .version(env!("CARGO_PKG_VERSION"))
        .about("See into CPython's copy-and-patch JIT: in core dumps and running processes, without a debugger")
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(120)
        .subcommands(commands)
        .subcommand(WriteSymbols::augment_args(clap::Command::new("symbols")))
        .subcommand(Install::augment_args(clap::Command::new("install")))
        .subcommand(Doctor::augment_args(clap::Command::new("doctor")))
        .subcommand(completions())
}

fn completions() -> clap::Command {
    let shell = clap::Arg::new("shell")
        .value_name("SHELL")
        .required(true)
        .help("For which shell")
        .value_parser(["bash", "zsh", "fish"]);
    clap::Command::new("completions")
        .about("Print the completions for a shell")
        .after_help(
            "Examples:\n  cpyjit completions bash > ~/.local/share/bash-completion/completions/cpyjit\n  cpyjit completions \
             zsh > ~/.zfunc/_cpyjit\n  cpyjit completions fish > ~/.config/fish/completions/cpyjit.fish",
        )
        .arg(shell)
}

fn call(matches: &clap::ArgMatches, own_file: Option<&Path>) -> Reply {
    let style = style();
    match matches.subcommand() {
        Some(("install", matches)) => parsed::<Install>(matches)
            .and_then(|install| install.run(own_file))
            .unwrap_or_else(|failure| command::refuse(&failure, &[], style)),
        Some(("doctor", matches)) => {
            let json = matches.get_flag("json").then(|| "--json".to_owned());
            let json: Vec<String> = json.into_iter().collect();
            parsed::<Doctor>(matches)
                .and_then(|doctor| doctor.run(own_file, style))
                .unwrap_or_else(|failure| command::refuse(&failure, &json, style))
        }
        Some(("symbols", matches)) => parsed::<WriteSymbols>(matches)
            .and_then(|symbols| symbols.run())
            .unwrap_or_else(|failure| command::refuse(&failure, &[], style)),
        Some(("completions", matches)) => completions_for(matches),
        Some((name, matches)) => {
            let raw = (name == "dis")
                .then(|| command::run_raw(matches, style))
                .flatten();
            raw.unwrap_or_else(|| on_target(name, matches, style))
        }
        None => command::refuse(&Failure::usage("no command is named"), &[], style),
    }
}

fn parsed<A: FromArgMatches>(matches: &clap::ArgMatches) -> Result<A, Failure> {
    A::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))
}

fn on_target(name: &str, matches: &clap::ArgMatches, style: TextStyle) -> Reply {
    // The process goes on before anything is printed: a pipe may take its time.
    let opened = parsed::<TargetOptions>(matches).and_then(|options| Opened::new(&options));
    let session = match &opened {
        Ok(opened) => opened.session(),
        Err(failure) => Err(failure.clone()),
    };
    command::run_matches(session, name, matches, style)
}

fn completions_for(matches: &clap::ArgMatches) -> Reply {
    let shell = match matches.get_one::<String>("shell").map(String::as_str) {
        Some("zsh") => clap_complete::Shell::Zsh,
        Some("fish") => clap_complete::Shell::Fish,
        _ => clap_complete::Shell::Bash,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program(), "cpyjit", &mut script);
    Reply {
        text: String::from_utf8_lossy(&script).into_owned(),
        ..Reply::default()
    }
}

/// Help and version, or a wrong call.
fn not_parsed(error: &clap::Error, arguments: &[OsString]) -> Reply {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Reply {
            text,
            ..Reply::default()
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Reply {
            text,
            failed: true,
            status: 2,
            ..Reply::default()
        },
        _ => {
            let words: Vec<String> = (arguments.iter())
                .map(|word| word.to_string_lossy().into_owned())
                .collect();
            let message = text.trim().trim_start_matches("error: ");
            command::refuse(&Failure::usage(message), &words, TextStyle::default())
        }
    }
}

/// What the terminal shows, by the conventions that there are (`NO_COLOR`, `CLICOLOR`, `TERM=dumb`).
fn style() -> TextStyle {
    let stdout = io::stdout();
    let size = terminal_size::terminal_size_of(&stdout).filter(|_| stdout.is_terminal());
    TextStyle {
        width: size.map_or(0, |(width, _)| usize::from(width.0)),
        color: anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never,
        ascii: false,
    }
}

/// Prints and carries out: the exit status. Text of failures goes to the standard error stream, JSON never does.
fn finish(reply: Reply) -> u8 {
    for action in &reply.actions {
        let Action::WriteFile { path, content } = action else {
            return complain("only a debugger can steer a program");
        };
        if let Err(error) = std::fs::write(path, content) {
            return complain(&format!("cannot write {path}: {error}"));
        }
    }
    let mut text = reply.text;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let is_json = text.starts_with('{');
    let written = match reply.failed && !is_json {
        true => io::stderr().write_all(text.as_bytes()),
        false => print(&text),
    };
    match written {
        // Who closed the pipe has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("cannot write: {error}"))
        }
        _ => reply.status,
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn complain(what: &str) -> u8 {
    // There is nowhere else to say it.
    let _ = writeln!(io::stderr(), "error: {what}");
    1
}
