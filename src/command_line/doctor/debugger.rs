//! Looks at a debugger: its version, its Python, whether cpyjit loads there, and whether it does by itself.

use super::ask::{Printed, ask, directories_of_programs, is_program, on_path};
use crate::command::Failure;
use crate::command_line::install::{Loads, loads};
use crate::command_line::installation::{Debugger, Installation};
use crate::listing::{DoctorCheck, DoctorSubject, Health, SubjectKind};
use serde::Deserialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Python that the extension can be loaded into (the feature abi3-py39 of pyo3).
const OLDEST_PYTHON: [u32; 2] = [3, 9];

/// A debugger after it was looked at.
pub struct Examined {
    /// What was found.
    pub subject: DoctorSubject,
    /// Whether somebody wants it to load cpyjit by itself.
    pub is_set_up: bool,
    /// Where it looks for debug files.
    pub debug_directories: Vec<PathBuf>,
}

/// What the probe tells.
#[derive(Deserialize)]
struct Answer {
    version: String,
    python: Vec<u32>,
    commands: bool,
    script: Option<PathBuf>,
    extension: Option<PathBuf>,
    debug_directories: Vec<PathBuf>,
}

impl Debugger {
    fn kind(self) -> SubjectKind {
        match self {
            Debugger::Gdb => SubjectKind::Gdb,
            Debugger::Lldb => SubjectKind::Lldb,
        }
    }

    /// The oldest major version that the front-end works in: `OLDEST_GDB` and `OLDEST_LLDB` of the scripts.
    fn oldest(self) -> u32 {
        match self {
            Debugger::Gdb => 12,
            Debugger::Lldb => 15,
        }
    }

    /// Loads these scripts, one after the other, and ends.
    fn arguments(self, with_init_files: bool, scripts: &[PathBuf]) -> Vec<OsString> {
        let (batch, no_init, option) = match self {
            Debugger::Gdb => ("-batch", "-nx", "-x"),
            Debugger::Lldb => ("--batch", "--no-lldbinit", "-o"),
        };
        let mut arguments: Vec<OsString> = vec![batch.into()];
        if !with_init_files {
            arguments.push(no_init.into());
        }
        for script in scripts {
            arguments.push(option.into());
            arguments.push(match self {
                Debugger::Gdb => script.into(),
                Debugger::Lldb => format!("command script import \"{}\"", script.display()).into(),
            });
        }
        arguments
    }

    /// The one on `PATH`; of LLDB also one with its version in the name, the newest.
    pub fn on_path(self) -> Option<PathBuf> {
        on_path(self.program()).or_else(|| match self {
            Debugger::Gdb => None,
            Debugger::Lldb => newest_lldb(),
        })
    }
}

fn newest_lldb() -> Option<PathBuf> {
    let entries = directories_of_programs()
        .into_iter()
        .filter_map(|directory| directory.read_dir().ok());
    let named = entries.flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        let version: u32 = entry
            .file_name()
            .to_str()?
            .strip_prefix("lldb-")?
            .parse()
            .ok()?;
        is_program(&entry.path()).then(|| (version, entry.path()))
    });
    Some(named.max_by_key(|(version, _)| *version)?.1)
}

/// Looks at the debugger in this file.
pub fn examine(debugger: Debugger, path: &Path, installation: &Installation) -> Examined {
    let init_file = loads(debugger, installation);
    let mut examined = Examined {
        subject: DoctorSubject {
            kind: debugger.kind(),
            path: Some(path.display().to_string()),
            checks: Vec::new(),
        },
        is_set_up: !matches!(init_file, Ok((_, Loads::Nothing))),
        debug_directories: Vec::new(),
    };
    let checks = &mut examined.subject.checks;
    let (bare, printed) = match start(debugger, path, false, installation) {
        Ok(bare) => bare,
        Err(what) => {
            checks.push(does_not_work(debugger, &what));
            return examined;
        }
    };
    checks.push(version(debugger, &bare));
    checks.push(extension(&bare, &printed, installation));
    let by_itself = start(debugger, path, true, installation);
    checks.push(start_up(
        debugger,
        by_itself.as_ref(),
        init_file,
        installation,
    ));
    if let Ok((answer, _)) = by_itself {
        examined.is_set_up |= answer.commands;
        examined.debug_directories = answer.debug_directories;
    }
    examined
}

/// The debugger's answer, and all that it printed: as its user starts it, or bare with cpyjit loaded.
fn start(
    debugger: Debugger,
    path: &Path,
    by_itself: bool,
    installation: &Installation,
) -> Result<(Answer, Printed), String> {
    let mut scripts = vec![installation.probe(debugger)];
    if !by_itself {
        scripts.insert(0, installation.script(debugger));
    }
    let printed = ask(Command::new(path).args(debugger.arguments(by_itself, &scripts)))?;
    Ok((printed.answer()?, printed))
}

fn does_not_work(debugger: Debugger, what: &str) -> DoctorCheck {
    let check = DoctorCheck::problem(
        "version",
        format!("it does not run a script in Python: {what}"),
    );
    check.advice(format!(
        "use a {} {} or newer that was built with Python, named with --{}",
        debugger.name(),
        debugger.oldest(),
        debugger.program()
    ))
}

fn version(debugger: Debugger, answer: &Answer) -> DoctorCheck {
    let python: Vec<String> = answer.python.iter().map(ToString::to_string).collect();
    let what = format!("{} with Python {}", answer.version, python.join("."));
    if major(&answer.version).is_some_and(|major| major < debugger.oldest()) {
        return DoctorCheck::problem("version", what).advice(format!(
            "cpyjit needs {} {} or newer",
            debugger.name(),
            debugger.oldest()
        ));
    }
    if answer
        .python
        .get(..2)
        .is_some_and(|python| python < OLDEST_PYTHON.as_slice())
    {
        return DoctorCheck::problem("version", what)
            .advice("cpyjit needs a debugger with Python 3.9 or newer");
    }
    DoctorCheck::ok("version", what)
}

/// The first number: GDB's version may stand behind a name (`Fedora Linux 16.3-1`).
fn major(version: &str) -> Option<u32> {
    let from = version.find(|character: char| character.is_ascii_digit())?;
    let digits = version
        .get(from..)?
        .split(|character: char| !character.is_ascii_digit());
    digits.into_iter().next()?.parse().ok()
}

fn extension(answer: &Answer, printed: &Printed, installation: &Installation) -> DoctorCheck {
    match &answer.extension {
        Some(file) if answer.commands => {
            let what = format!("loads there: {}", file.display());
            match is_same(file, installation.extension()) {
                true => DoctorCheck::ok("extension", what),
                false => DoctorCheck::problem("extension", what)
                    .advice("that is another one than this cpyjit's: unset CPYJIT_EXTENSION, or let it name this one"),
            }
        }
        _ => DoctorCheck::problem(
            "extension",
            format!("does not load there: {}", printed.reason()),
        ),
    }
}

/// Whether it loads cpyjit when the user starts it.
fn start_up(
    debugger: Debugger,
    by_itself: Result<&(Answer, Printed), &String>,
    init_file: Result<(PathBuf, Loads), Failure>,
    installation: &Installation,
) -> DoctorCheck {
    let problem = |what: String| DoctorCheck::problem("start-up", what);
    let again = format!("cpyjit install {}", debugger.program());
    let (file, found) = match init_file {
        Ok((path, found)) => (path.display().to_string(), found),
        Err(failure) => return problem(failure.sentence()),
    };
    let (answer, printed) = match by_itself {
        Ok(by_itself) => by_itself,
        Err(what) => {
            return problem(format!(
                "with the user's init files, it does not come to its prompt: {what}"
            ));
        }
    };
    match (&answer.script, found) {
        (Some(script), _) if answer.commands && is_beside(script, debugger, installation) => {
            DoctorCheck::ok("start-up", format!("loads cpyjit by itself ({file})"))
        }
        (Some(other), _) if answer.commands => {
            let other = other.display();
            problem(format!("loads another cpyjit by itself: {other}")).advice(again)
        }
        (_, Loads::Nothing) => {
            let what = format!("does not load cpyjit by itself: {file} has no block of it");
            problem(what).advice(again)
        }
        (_, Loads::Ours) => {
            let why = printed.reason();
            let what = format!("{file} says to load cpyjit, but that does not work: {why}");
            problem(what).advice(not_loaded(debugger))
        }
        (_, Loads::Other(lines)) => {
            problem(format!("{file} loads a cpyjit that is not there: {lines}")).advice(again)
        }
    }
}

/// Whether a script that was loaded is of this installation.
fn is_beside(script: &Path, debugger: Debugger, installation: &Installation) -> bool {
    let ours = installation.script(debugger);
    let folders = ours.parent().zip(script.parent());
    folders.is_some_and(|(ours, loaded)| is_same(ours, loaded))
}

fn not_loaded(debugger: Debugger) -> &'static str {
    match debugger {
        Debugger::Gdb => {
            "start it and look at what it prints first: lines above the block may end the file"
        }
        Debugger::Lldb => {
            "start it and look at what it prints first; a file ~/.lldbinit-NAME, with NAME that of the program, is read instead \
             and may say `command source ~/.lldbinit`"
        }
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// Says that there is none of this kind.
pub fn absent(debugger: Debugger) -> Examined {
    let what = format!("there is no {} on PATH", debugger.program());
    let advice = format!("install it, or name it with --{} PATH", debugger.program());
    let check = DoctorCheck::problem("version", what).advice(advice);
    Examined {
        subject: DoctorSubject {
            kind: debugger.kind(),
            path: None,
            checks: vec![check],
        },
        is_set_up: false,
        debug_directories: Vec::new(),
    }
}

/// Makes problems with what nobody asked for remarks.
pub fn demote(subject: &mut DoctorSubject) {
    let problems = subject
        .checks
        .iter_mut()
        .filter(|check| check.state == Health::Problem);
    problems.for_each(|check| check.state = Health::Note);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_may_stand_behind_a_name() {
        assert_eq!(major("13.1"), Some(13));
        assert_eq!(major("Fedora Linux 16.3-1.fc42"), Some(16));
        assert_eq!(major("git"), None);
    }

    #[test]
    fn old_debuggers_and_old_pythons_are_told() {
        let answer = |version: &str, minor| Answer {
            version: version.to_owned(),
            python: vec![3, minor, 1],
            commands: false,
            script: None,
            extension: None,
            debug_directories: Vec::new(),
        };
        assert_eq!(version(Debugger::Gdb, &answer("12.1", 9)).state, Health::Ok);
        assert_eq!(
            version(Debugger::Gdb, &answer("11.2", 12)).state,
            Health::Problem
        );
        assert_eq!(
            version(Debugger::Lldb, &answer("15.0.7", 8)).state,
            Health::Problem
        );
    }

    #[test]
    fn the_oldest_versions_are_those_of_the_front_ends() {
        for (debugger, name) in [
            (Debugger::Gdb, "OLDEST_GDB"),
            (Debugger::Lldb, "OLDEST_LLDB"),
        ] {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(match debugger {
                Debugger::Gdb => "gdb/cpyjit_gdb.py",
                Debugger::Lldb => "lldb/cpyjit_lldb.py",
            });
            let text = std::fs::read_to_string(script).unwrap();
            assert!(text.contains(&format!("{name} = {}\n", debugger.oldest())));
        }
    }
}
