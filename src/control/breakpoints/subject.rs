//! An executor as breakpoints see it: what it is called, and how to know it again when it is compiled once more.

use crate::address::{Address, BytecodeOffset};
use crate::cpython::{CPython, CodeObject};
use crate::error::Result;
use crate::map::MappedExecutor;
use crate::session::Session;
use crate::session::pattern::is_file;

/// A name that the user gives to one or more executors, those that are still to come among them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExecutorName {
    /// Those that the bytecode of this function enters.
    Function(String),
    /// The one that it enters here.
    Entry(String, BytecodeOffset),
    /// Those that are entered at this line of a file, or contain it.
    Line(String, i32),
}

/// Which executors a breakpoint is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// All.
    Everywhere,
    /// Those with this name.
    Named(ExecutorName),
    /// This one, whenever it is compiled.
    Same(Identity),
    /// The one that lies here with its trace there: it does not tell to which function it belongs.
    This(Address, Address),
}

/// What stays the same when the same place is compiled again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// `co_filename`
    filename: String,
    /// `co_qualname`
    pub qualname: String,
    firstlineno: i32,
    /// Where its trace begins.
    pub start: Option<BytecodeOffset>,
    /// Whether bytecode enters it, rather than exits only.
    pub is_entered: bool,
}

impl Identity {
    /// Of this executor; `None` if it does not tell to which function it belongs.
    pub fn of(mapped: &MappedExecutor) -> Option<Identity> {
        let function = mapped.function()?;
        Some(Identity {
            filename: function.filename.clone(),
            qualname: function.qualname.clone(),
            firstlineno: function.firstlineno,
            start: start(mapped),
            is_entered: mapped.executor.entry.is_some(),
        })
    }
}

fn start(mapped: &MappedExecutor) -> Option<BytecodeOffset> {
    let first = || mapped.origins.iter().find_map(|origin| origin.bytecode);
    mapped.executor.entry.or_else(first)
}

impl Scope {
    /// The executor at `address`, and whatever is compiled in its place.
    ///
    /// # Errors
    /// If there is no executor.
    pub fn of(session: &Session, address: Address) -> Result<Scope> {
        let mapped = session.mapped(address)?;
        Ok(match Identity::of(&mapped) {
            Some(identity) => Scope::Same(identity),
            None => Scope::This(address, mapped.executor.trace),
        })
    }

    /// Whether the executor is one of those.
    pub fn contains(&self, mapped: &MappedExecutor) -> bool {
        match self {
            Scope::Everywhere => true,
            Scope::Named(name) => name.is_of(mapped),
            Scope::This(executor, trace) => {
                (mapped.executor.address, mapped.executor.trace) == (*executor, *trace)
            }
            Scope::Same(identity) => Identity::of(mapped).as_ref() == Some(identity),
        }
    }

    /// `f@24`, as short as it is clear; nothing for all.
    pub fn text(&self) -> Option<String> {
        match self {
            Scope::Everywhere => None,
            Scope::This(executor, _) => Some(executor.to_string()),
            Scope::Named(ExecutorName::Function(name)) => Some(name.clone()),
            Scope::Named(ExecutorName::Entry(name, offset)) => Some(format!("{name}@{offset}")),
            Scope::Named(ExecutorName::Line(file, line)) => Some(format!("{file}:{line}")),
            Scope::Same(identity) => Some(match (identity.is_entered, identity.start) {
                (true, Some(start)) => format!("{}@{start}", identity.qualname),
                (_, Some(start)) => format!("{}, from {start} by exits", identity.qualname),
                (_, None) => identity.qualname.clone(),
            }),
        }
    }
}

impl ExecutorName {
    fn is_of(&self, mapped: &MappedExecutor) -> bool {
        let Some(function) = mapped.function() else {
            return false;
        };
        let entry = mapped.executor.entry;
        match self {
            ExecutorName::Function(name) => entry.is_some() && is_called(function, name),
            ExecutorName::Entry(name, offset) => {
                entry == Some(*offset) && is_called(function, name)
            }
            ExecutorName::Line(file, line) => {
                let mut origins = mapped.origins.iter().take(mapped.body);
                origins.any(|origin| {
                    let code = origin.code.as_ref();
                    origin.line() == Some(*line)
                        && code.is_some_and(|code| is_file(&code.filename, file))
                })
            }
        }
    }
}

fn is_called(function: &CodeObject, name: &str) -> bool {
    function.name == name || function.qualname == name
}

/// What is said of an executor when it comes or goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// `co_name` and `co_qualname` of its function.
    pub names: Option<(String, String)>,
    /// `f@24 (loop.py:5), 57 uops`
    pub text: String,
}

impl Summary {
    /// Of this executor.
    pub fn of(python: &CPython, mapped: &MappedExecutor) -> Summary {
        let function = mapped.function();
        let name = function.map_or("an executor of no known function", |code| &code.qualname);
        let mut text = name.to_owned();
        match (mapped.executor.entry, function) {
            (Some(entry), Some(code)) => {
                text += &format!("@{entry}");
                let file = code.filename.rsplit('/').next().unwrap_or_default();
                text += &match code.line(entry) {
                    Some(line) => format!(" ({file}:{line})"),
                    None => format!(" ({file})"),
                };
            }
            _ => text += ", entered by exits only",
        }
        let size = crate::map::code_size(&python.uops, &mapped.executor);
        text += &format!(
            ", {} uops, {size} bytes of code at {}",
            mapped.executor.uops.len(),
            mapped.executor.jit_code
        );
        Summary {
            names: function.map(|code| (code.name.clone(), code.qualname.clone())),
            text,
        }
    }
}
