//! What the last word of a line can become.

use super::all::COMMANDS;
use super::control::CONTROLS;
use crate::session::Session;
use std::collections::BTreeSet;

/// More candidates help nobody.
const MOST_CANDIDATES: usize = 2000;

/// The words that can stand in the place of the last one of `text`, the line behind the name of the command.
pub fn complete(session: Option<&Session>, name: &str, text: &str) -> Vec<String> {
    let Some(command) = command(name) else {
        return Vec::new();
    };
    let mut words: Vec<&str> = text.split(' ').collect();
    let last = words.pop().unwrap_or_default();
    let before = words.iter().rev().find(|word| !word.is_empty());
    let candidates = match before.and_then(|option| values(&command, option)) {
        Some(values) if values.is_empty() => argument_of_option(session, before),
        Some(values) => values,
        None if last.starts_with('-') => options(&command),
        None if name == "jit-catch" => catch_arguments(session, &words),
        None => arguments(session, name),
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.starts_with(last))
        .take(MOST_CANDIDATES)
        .collect()
}

fn command(name: &str) -> Option<clap::Command> {
    let looking = COMMANDS.iter().map(|entry| (entry.name, entry.command));
    let mut all = looking.chain(CONTROLS.iter().map(|entry| (entry.name, entry.command)));
    let (_, command) = all.find(|(known, _)| *known == name)?;
    Some(command())
}

fn options(command: &clap::Command) -> Vec<String> {
    let long = command.get_arguments().filter_map(clap::Arg::get_long);
    long.chain(["help"])
        .map(|name| format!("--{name}"))
        .collect()
}

/// The values that an option can have: `None` if the word is no option that takes one, empty if they are open.
fn values(command: &clap::Command, word: &str) -> Option<Vec<String>> {
    let option = command.get_arguments().find(|argument| {
        let long = argument.get_long().zip(word.strip_prefix("--"));
        let short = argument
            .get_short()
            .map(String::from)
            .zip(word.strip_prefix('-'));
        long.is_some_and(|(name, word)| name == word)
            || short.is_some_and(|(name, word)| name == word)
    })?;
    if !option.get_action().takes_values() {
        return None;
    }
    let possible = option.get_possible_values();
    Some(
        possible
            .iter()
            .map(|value| value.get_name().to_owned())
            .collect(),
    )
}

fn argument_of_option(session: Option<&Session>, option: Option<&&str>) -> Vec<String> {
    match (option, session) {
        (Some(&"--uops"), Some(session)) => session.uop_names().unwrap_or_default(),
        (Some(&"--function"), Some(session)) => functions_of_executors(session),
        _ => Vec::new(),
    }
}

/// What to catch, then of which function.
fn catch_arguments(session: Option<&Session>, words: &[&str]) -> Vec<String> {
    let events = ["compile", "invalidate", "free"];
    match words.iter().any(|word| events.contains(word)) {
        true => session.map(functions_of_executors).unwrap_or_default(),
        false => events.map(str::to_owned).to_vec(),
    }
}

fn functions_of_executors(session: &Session) -> Vec<String> {
    let headers = session.headers().unwrap_or_default();
    let names: BTreeSet<String> = headers
        .into_iter()
        .filter_map(|header| header.qualname)
        .collect();
    names.into_iter().collect()
}

/// Executors by name and by number.
fn arguments(session: Option<&Session>, name: &str) -> Vec<String> {
    let takes_executor = matches!(
        name,
        "jit-dis"
            | "jit-trace"
            | "jit-verify"
            | "jit-exits"
            | "jit-graph"
            | "jit-break-uop"
            | "jit-break-exit"
            | "jit-break-deopt"
    );
    let Some(session) = session.filter(|_| takes_executor || name == "jit-bytecode") else {
        return Vec::new();
    };
    if name == "jit-bytecode" {
        let functions = session.functions().unwrap_or_default();
        let names = functions
            .iter()
            .map(|function| function.qualname().to_owned());
        return names.collect::<BTreeSet<_>>().into_iter().collect();
    }
    let headers = session.headers().unwrap_or_default();
    let mut names = BTreeSet::new();
    for header in &headers {
        let entry = header.entry.map(|entry| entry.bytecode_offset);
        let qualname = header.qualname.iter();
        names.extend(
            qualname
                .flat_map(|name| {
                    [
                        Some(name.clone()),
                        entry.map(|entry| format!("{name}@{entry}")),
                    ]
                })
                .flatten(),
        );
    }
    let numbers = headers.iter().filter_map(|header| header.index);
    let uops = match name {
        "jit-break-uop" => session.uop_names().unwrap_or_default(),
        _ => Vec::new(),
    };
    names
        .into_iter()
        .chain(numbers.map(|number| format!("#{number}")))
        .chain(uops)
        .collect()
}
