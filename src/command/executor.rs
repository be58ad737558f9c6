//! EXECUTOR, the argument that most commands take: all the ways to name one.

use super::reply::Failure;
use crate::address::{Address, BytecodeOffset};
use crate::error::Result as Outcome;
use crate::listing::{ExecutorHeader, Finding};
use crate::session::pattern::is_file;
use crate::session::{Known, Session};

/// What the help of each command says of the argument.
pub(super) const HELP: &str = "\
EXECUTOR is one of
  (nothing)        the executor that runs in the selected frame or thread
  #N               number N of jit-list
  f, Class.method  the executors that the bytecode of this function enters
  f@OFFSET         the one that its bytecode enters at OFFSET
  file.py:LINE     the one that is entered at this line, or contains it
  0xADDR, $pc, ..  the address of an executor, or any address inside its code";

/// Choices that are shown when a name is not unique.
const MOST_CHOICES: usize = 40;

/// The executor that `text` names; without a name, the one that is running.
pub fn find_executor(session: &Session, text: &str) -> Result<Address, Failure> {
    // Without a CPython every other reason would mislead.
    session.uop_count()?;
    match text.trim() {
        "" => running(session),
        text => named(session, text),
    }
}

fn running(session: &Session) -> Result<Address, Failure> {
    if let Some(address) = session.running()? {
        return Ok(address);
    }
    let hint = match session.executors()? {
        [] => nothing_compiled(session),
        _ => "jit-list shows the executors that there are; name one (#0, a function, file.py:LINE, $pc)".to_owned(),
    };
    Err(Failure::new("no executor runs in the selected frame or thread").hint(hint))
}

/// What to do when there are no executors at all.
pub(super) fn nothing_compiled(session: &Session) -> String {
    if session.lists_are_damaged() {
        return "the lists of executors could not be read as a whole: jit-list says why".to_owned();
    }
    let enabled = session.jit_enabled().unwrap_or_default();
    match enabled.as_slice() {
        [] => "no interpreter has started yet: run the program first".to_owned(),
        _ if session.is_starting() => {
            "the interpreter is still starting: let it run until a loop is hot".to_owned()
        }
        all if all.iter().all(|enabled| *enabled == Some(false)) => {
            "the JIT is switched off: start the program with PYTHON_JIT=1 in its environment"
                .to_owned()
        }
        _ => "nothing has been compiled yet (let the program run until a loop is hot), or all of it was invalidated"
            .to_owned(),
    }
}

fn named(session: &Session, text: &str) -> Result<Address, Failure> {
    if let Some(number) = text.strip_prefix('#') {
        return by_number(session, number);
    }
    if let Some(address) = literal(text) {
        return at_address(session, address, text);
    }
    if let Some(found) = by_name(session, text)? {
        return Ok(found);
    }
    match session.evaluate(text) {
        Ok(address) => at_address(session, address, text),
        Err(reason) => Err(unknown(session, text, &reason)),
    }
}

fn by_number(session: &Session, number: &str) -> Result<Address, Failure> {
    let wanted = number.parse::<usize>().ok();
    let among = |executors: &[Known]| Some(executors.get(wanted?)?.address);
    if let Some(found) = among(session.executors()?) {
        return Ok(found);
    }
    let executors = session.all_executors()?;
    among(executors).ok_or_else(|| {
        Failure::new(format!("there is no executor #{number}")).hint(match executors.len() {
            0 => nothing_compiled(session),
            count => format!("jit-list numbers them from #0 to #{}", count - 1),
        })
    })
}

/// An address written as a number.
pub(super) fn literal(text: &str) -> Option<Address> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
    .map(Address)
}

/// The executor at an address, or around it.
fn at_address(session: &Session, address: Address, text: &str) -> Result<Address, Failure> {
    let Err(error) = session.check_executor(address) else {
        return Ok(address);
    };
    match session.executor_anywhere(address)? {
        Some(executor) => Ok(executor),
        None => Err(match session.freed_executor(address)? {
            Some(evidence) => {
                Failure::new(evidence).hint("jit-list shows the executors that there are")
            }
            None => not_an_executor(session, address, text, &error.to_string()),
        }),
    }
}

fn not_an_executor(session: &Session, address: Address, text: &str, reason: &str) -> Failure {
    let what = match literal(text) {
        Some(_) => format!("{address} is neither an executor nor inside the code of one: {reason}"),
        None => format!(
            "{text} is {address}, which is neither an executor nor inside the code of one: {reason}"
        ),
    };
    let count = session.all_executors().map_or(0, <[Known]>::len);
    Failure::new(what).hint(match count {
        0 => nothing_compiled(session),
        count => format!("jit-list shows the {count} executors that there are"),
    })
}

/// A name as Python has it; `None` if the text is no such name or nothing has it.
fn by_name(session: &Session, text: &str) -> Result<Option<Address>, Failure> {
    let Some(name) = Name::parse(text) else {
        return Ok(None);
    };
    match by_name_among(session, &session.headers()?, &name, text)? {
        Some(found) => Ok(Some(found)),
        None => by_name_among(session, &session.all_headers()?, &name, text),
    }
}

/// The same, among these.
fn by_name_among(
    session: &Session,
    headers: &[ExecutorHeader],
    name: &Name<'_>,
    text: &str,
) -> Result<Option<Address>, Failure> {
    // The better a match, the earlier its step; only the best that has any match counts.
    for step in [Step::Valid, Step::Entered, Step::Any] {
        let mut matches = Vec::new();
        for header in headers {
            if step.allows(header) && name.matches(session, header, step)? {
                matches.push(header);
            }
        }
        match matches.as_slice() {
            [] => {}
            [one] => return Ok(Some(one.address)),
            several => return Err(ambiguous(text, several)),
        }
    }
    Ok(None)
}

/// How good a match must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Valid, and entered by bytecode.
    Valid,
    /// Entered by bytecode.
    Entered,
    /// Any executor.
    Any,
}

impl Step {
    fn allows(self, header: &ExecutorHeader) -> bool {
        match self {
            Step::Valid => header.state.valid && header.entry.is_some(),
            Step::Entered => header.entry.is_some(),
            Step::Any => true,
        }
    }
}

/// A name of one or more executors.
pub(super) enum Name<'n> {
    Function(&'n str),
    Entry(&'n str, BytecodeOffset),
    Line(&'n str, i32),
}

impl<'n> Name<'n> {
    pub(super) fn parse(text: &'n str) -> Option<Name<'n>> {
        if let Some((file, line)) = text.rsplit_once(':')
            && let Ok(line) = line.parse()
        {
            return Some(Name::Line(file, line));
        }
        if let Some((function, offset)) = text.rsplit_once('@')
            && let Ok(offset) = offset.parse()
        {
            return Some(Name::Entry(function, BytecodeOffset(offset)));
        }
        let is_name = !text.starts_with(['$', '*', '&', '(', '-']) && !text.contains("->");
        is_name.then_some(Name::Function(text))
    }

    fn matches(&self, session: &Session, header: &ExecutorHeader, step: Step) -> Outcome<bool> {
        let is_function = |name: &str| {
            header.function.as_deref() == Some(name) || header.qualname.as_deref() == Some(name)
        };
        Ok(match self {
            Name::Function(name) => is_function(name),
            Name::Entry(name, offset) => {
                is_function(name)
                    && header
                        .entry
                        .is_some_and(|entry| entry.bytecode_offset == *offset)
            }
            Name::Line(file, line) if step == Step::Any => {
                session.contains_line(header.address, |filename| is_file(filename, file), *line)?
            }
            Name::Line(file, line) => {
                let in_file = header
                    .filename
                    .as_deref()
                    .is_some_and(|filename| is_file(filename, file));
                in_file && header.entry.is_some_and(|entry| entry.line == Some(*line))
            }
        })
    }
}

fn ambiguous(text: &str, choices: &[&ExecutorHeader]) -> Failure {
    let mut failure = Failure::new(format!("{text} names {} executors", choices.len()))
        .hint("name one of them by its number");
    for header in choices.iter().take(MOST_CHOICES) {
        failure
            .findings
            .push(Finding::note(choice(header)).at(header.address));
    }
    if choices.len() > MOST_CHOICES {
        let more = choices.len() - MOST_CHOICES;
        failure.findings.push(Finding::note(format!(
            "and {more} more: jit-list shows all"
        )));
    }
    failure
}

/// One executor of several that a user may mean.
pub(super) fn choice(header: &ExecutorHeader) -> String {
    let number = header
        .index
        .map_or_else(String::new, |index| format!("#{index} "));
    let place = match header.entry {
        Some(entry) => {
            let line = entry
                .line
                .map_or_else(String::new, |line| format!(" (line {line})"));
            format!("entered at bytecode {}{line}", entry.bytecode_offset)
        }
        None => "entered by exits only".to_owned(),
    };
    let validity = if header.state.valid { "" } else { ", invalid" };
    format!(
        "{number}{}, {place}, {} uops{validity}",
        header.qualname.as_deref().unwrap_or("?"),
        header.uop_count
    )
}

fn unknown(session: &Session, text: &str, reason: &str) -> Failure {
    let count = session.all_executors().map_or(0, <[Known]>::len);
    Failure::new(format!(
        "{text} names no executor: no function or line with one is called so, and as an expression: {}",
        reason.trim()
    ))
    .hint(match count {
        0 => nothing_compiled(session),
        count => format!("jit-list shows the {count} executors that there are"),
    })
}
