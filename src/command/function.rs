//! FUNCTION, the argument of `jit-bytecode`: all the ways to name a function.

use super::executor::{find_executor, literal};
use super::reply::Failure;
use crate::address::Address;
use crate::listing::Finding;
use crate::session::pattern::is_file;
use crate::session::{Function, Session};

/// What the help says of the argument.
pub(super) const HELP: &str = "\
FUNCTION is one of
  (nothing)        the function of the selected thread that is running
  f, Class.method  a function by name or qualified name
  file.py:LINE     the function that contains this line
  #N               the function in which executor #N of jit-list begins
  0xADDR, $pc, ..  the address of a code object, of an executor, or any address inside its code
Functions are known by name if they have an executor, are inlined into one, or a thread is in them.";

/// Choices that are shown when a name is not unique.
const MOST_CHOICES: usize = 40;

/// The code object of the function that `text` names.
pub fn find_function(session: &Session, text: &str) -> Result<Address, Failure> {
    session.uop_count()?;
    let text = text.trim();
    let found = match text {
        "" => running(session)?,
        _ if text.starts_with('#') => of_executor(session, text)?,
        _ => named(session, text)?,
    };
    Ok(found.address())
}

fn running(session: &Session) -> Result<Function, Failure> {
    let inside = match session.running()? {
        Some(executor) => session.function_of(executor)?,
        None => session.innermost_function()?,
    };
    inside.ok_or_else(|| {
        Failure::new("no Python function runs in the selected thread")
            .hint("name one, or select a thread that runs Python")
    })
}

fn of_executor(session: &Session, text: &str) -> Result<Function, Failure> {
    let executor = find_executor(session, text)?;
    session.function_of(executor)?.ok_or_else(|| {
        Failure::new(format!(
            "it is not known in which function the trace of {text} begins"
        ))
    })
}

fn named(session: &Session, text: &str) -> Result<Function, Failure> {
    if let Some(address) = literal(text) {
        return at_address(session, address, text);
    }
    let functions = session.functions()?;
    let matches: Vec<&Function> = functions
        .iter()
        .filter(|function| is_called(function, text))
        .collect();
    match matches.as_slice() {
        [one] => Ok((*one).clone()),
        [] => match session.evaluate(text) {
            Ok(address) => at_address(session, address, text),
            Err(reason) => Err(unknown(text, &reason, functions.len())),
        },
        several => Err(ambiguous(text, several)),
    }
}

fn is_called(function: &Function, text: &str) -> bool {
    if let Some((file, line)) = text.rsplit_once(':')
        && let Ok(line) = line.parse()
    {
        return is_file(function.filename(), file) && function.contains_line(line);
    }
    function.name() == text || function.qualname() == text
}

fn at_address(session: &Session, address: Address, text: &str) -> Result<Function, Failure> {
    match session.function_at(address)? {
        Some(function) => Ok(function),
        None => of_executor(session, text),
    }
}

fn unknown(text: &str, reason: &str, count: usize) -> Failure {
    Failure::new(format!(
        "{text} names no function that is known at this stop, and as an expression: {}",
        reason.trim()
    ))
    .hint(format!(
        "known by name are functions with executors, inlined into one, or on the stack of a thread ({count} at this stop); \
         others need the address of their code object"
    ))
}

fn ambiguous(text: &str, choices: &[&Function]) -> Failure {
    let mut failure = Failure::new(format!("{text} names {} functions", choices.len()))
        .hint("name one of them by its qualified name, or by the address of its code object");
    let notes = choices.iter().take(MOST_CHOICES).map(|function| {
        let place = format!("{}:{}", function.filename(), function.firstlineno());
        Finding::note(format!("{} ({place})", function.qualname())).at(function.address())
    });
    failure.findings.extend(notes);
    if choices.len() > MOST_CHOICES {
        let more = choices.len() - MOST_CHOICES;
        failure
            .findings
            .push(Finding::note(format!("and {more} more")));
    }
    failure
}
