//! What the commands are called where the user is: `jit-dis` in debuggers, `cpyjit dis` on the command line, `cpyjit.dis()`
//! in Python.

use super::all::COMMANDS;
use crate::listing::Finding;

/// A front-end's way to write commands. All texts are made with those of the debuggers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spelling {
    /// `jit-dis`
    Debugger,
    /// `cpyjit dis`
    CommandLine,
    /// `cpyjit.dis()`
    Python,
}

impl Spelling {
    /// Names commands in findings as the user must write them.
    pub fn respell(self, findings: &mut [Finding]) {
        let respelled = match self {
            Spelling::Debugger => return,
            Spelling::CommandLine => on_command_line,
            Spelling::Python => in_python,
        };
        for finding in findings {
            finding.what = respelled(&finding.what);
            finding.hint = finding.hint.as_deref().map(respelled);
        }
    }
}

/// A command with its help as for the command line.
pub(super) fn for_command_line(
    command: clap::Command,
    name: &'static str,
    usage: &str,
) -> clap::Command {
    let own = name.strip_prefix("jit-").unwrap_or(name);
    let arguments = usage.strip_prefix(name).unwrap_or_default();
    let text = |text: Option<&clap::builder::StyledStr>| {
        text.map(|text| for_shell(&text.to_string()))
            .unwrap_or_default()
    };
    let about = text(command.get_about());
    let long_about = text(command.get_long_about());
    let short = text(command.get_after_help());
    let long = text(command.get_after_long_help());
    let command = command
        .name(own)
        .about(about)
        .after_help(short)
        .mut_args(
            |argument| match argument.get_help().map(ToString::to_string) {
                Some(help) => argument.help(on_command_line(&help)),
                None => argument,
            },
        )
        .override_usage(format!("cpyjit {own} <--core CORE | --pid PID>{arguments}"));
    let command = match long.is_empty() {
        true => command,
        false => command.after_long_help(long),
    };
    match long_about.is_empty() {
        true => command,
        false => command.long_about(long_about),
    }
}

/// Examples become what can be typed into a shell, names of commands those of the command line.
fn for_shell(text: &str) -> String {
    // The command line has no variables of its own.
    let lines = text.lines().filter(|line| !line.contains("$executor"));
    let lines = lines.map(|line| match line.strip_prefix("  jit-") {
        Some(example) => shell_example(example),
        None => on_command_line(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `dis #3 --bytes      what it does` as `  cpyjit dis --core CORE '#3' --bytes      what it does`.
fn shell_example(example: &str) -> String {
    let (call, remark) = example.split_once("  ").unwrap_or((example, ""));
    let mut words = call.split(' ');
    let name = words.next().unwrap_or_default();
    let arguments: String = words.map(|word| format!(" {}", quoted(word))).collect();
    let call = format!("  cpyjit {name} --core CORE{arguments}");
    match remark.trim_start() {
        "" => call,
        remark => format!("{call:<46} {remark}"),
    }
}

fn quoted(word: &str) -> String {
    match word.contains(['$', '#', '*', '?', '<', '>', '(', '&']) && !word.contains('\'') {
        true => format!("'{word}'"),
        false => word.to_owned(),
    }
}

/// `jit-list shows …` → `cpyjit list shows …`.
fn on_command_line(text: &str) -> String {
    respelled(text, |name| format!("cpyjit {name}"))
}

/// `jit-list shows …` → `cpyjit.executors() shows …`; what Python has no function for is the command line's.
fn in_python(text: &str) -> String {
    respelled(text, |name| match name {
        "list" => "cpyjit.executors()".to_owned(),
        "dis" => "cpyjit.dis()".to_owned(),
        other => format!("cpyjit {other} --pid PID"),
    })
}

/// The text with each command in it as `spell` writes it, but for what only looks like one: `/tmp/jit-list`,
/// `jit-lister`.
fn respelled(text: &str, spell: impl Fn(&str) -> String) -> String {
    let mut pieces = text.split("jit-");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let is_start = out.is_empty() || out.ends_with([' ', '(', '\n', '"', '\'']);
        let in_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let end = piece.find(|c| !in_name(c)).unwrap_or(piece.len());
        let (name, behind) = piece.split_at_checked(end).unwrap_or((piece, ""));
        let mut entries = COMMANDS.iter();
        let known = entries.any(|entry| entry.name.strip_prefix("jit-") == Some(name));
        match is_start && known {
            true => out.push_str(&(spell(name) + behind)),
            false => out.push_str(&format!("jit-{piece}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_are_respelled() {
        assert_eq!(
            on_command_line("jit-list shows (jit-dis)"),
            "cpyjit list shows (cpyjit dis)"
        );
        for same in ["/tmp/jit-list", "jit-lister", "no jit-nothing", "x.jit-dis"] {
            assert_eq!(on_command_line(same), same);
            assert_eq!(in_python(same), same);
        }
    }

    #[test]
    fn python_has_functions_for_some() {
        assert_eq!(
            in_python("jit-list shows (jit-dis); jit-where ADDRESS tells"),
            "cpyjit.executors() shows (cpyjit.dis()); cpyjit where --pid PID ADDRESS tells"
        );
    }

    #[test]
    fn examples_can_be_typed_into_a_shell() {
        let text = "Examples:\n  jit-dis #3 --uops _GUARD_* -o x   why\n  jit-dis $executor\n  jit-list --filter 'a*'";
        assert_eq!(
            for_shell(text),
            "Examples:\n  cpyjit dis --core CORE '#3' --uops '_GUARD_*' -o x why\n  cpyjit list --core CORE --filter 'a*'"
        );
    }
}
