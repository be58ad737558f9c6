//! What a breakpoint at uops is to stop at, and which uops of an executor that are.

use super::subject::Scope;
use crate::address::{Address, UopIndex};
use crate::cpython::{CPython, Uop, UopKind};
use crate::error::{Error, Result};
use crate::map::{MappedExecutor, Origin, Place};
use crate::session::Session;
use crate::session::pattern::{self, is_file};
use std::sync::Arc;

/// The uops that lead from an executor to another one, or to the interpreter where there is none.
const SIDE_EXITS: [&str; 2] = ["_EXIT_TRACE", "_DYNAMIC_EXIT"];

/// The uops that give up a trace whose assumptions do not hold.
const DEOPTS: [&str; 2] = ["_DEOPT", "_HANDLE_PENDING_AND_DEOPT"];

/// Which uops.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UopChoice {
    /// Those whose name or base name matches the pattern.
    Named(String),
    /// The one with this index, as long as it is of this kind.
    Index(UopIndex, Arc<str>),
    /// The side exits.
    Exits,
    /// The ways back to the interpreter because a guess was wrong.
    Deopts,
}

/// What a uop must be besides.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filters {
    /// It runs in a function whose name or qualified name matches this pattern, inlined or not.
    pub function: Option<String>,
    /// It comes from this line, of a file that ends so.
    pub line: Option<(Option<String>, i32)>,
    /// Its argument.
    pub oparg: Option<u16>,
    /// It is the Nth of those in its executor, counted from 1.
    pub nth: Option<u32>,
}

/// Which uops of which executors.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Which uops.
    pub uop: UopChoice,
    /// Of which executors.
    pub scope: Scope,
    /// What they must be besides.
    pub filters: Filters,
}

/// A uop that is wanted, and where a breakpoint for it has to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The uop.
    pub index: UopIndex,
    /// Its name.
    pub name: Arc<str>,
    /// Where its code begins.
    pub address: Address,
    /// Whose code that is, if it has none of its own.
    pub bound_to: Option<UopIndex>,
}

impl Wanted {
    /// The uops of this executor that are wanted, in the order of the trace.
    pub fn find(&self, python: &CPython, mapped: &MappedExecutor) -> Vec<Found> {
        if !self.scope.contains(mapped) {
            return Vec::new();
        }
        let wanted = mapped.uops().filter_map(|(index, uop, origin)| {
            let kind = python.uops.kind(uop.opcode)?;
            (self.uop.is(index, kind) && self.filters.allow(uop, origin)).then_some((index, kind))
        });
        let mut wanted: Vec<_> = wanted.collect();
        if let Some(nth) = self.filters.nth {
            let skip = usize::try_from(nth.saturating_sub(1)).unwrap_or(usize::MAX);
            wanted = wanted.into_iter().skip(skip).take(1).collect();
        }
        let found = wanted
            .into_iter()
            .filter_map(|(index, kind)| place(mapped, index, kind));
        found.collect()
    }

    /// `_LOAD_FAST(in f@24, line 8)`
    pub fn text(&self) -> String {
        let filters = &self.filters;
        let line = filters.line.as_ref().map(|(file, line)| match file {
            Some(file) => format!("line {file}:{line}"),
            None => format!("line {line}"),
        });
        let parts = [
            self.scope.text().map(|text| format!("in {text}")),
            filters
                .function
                .as_ref()
                .map(|name| format!("function {name}")),
            line,
            filters.oparg.map(|oparg| format!("oparg {oparg}")),
            filters.nth.map(|nth| format!("nth {nth}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match parts.is_empty() {
            true => self.uop.text(),
            false => format!("{}({})", self.uop.text(), parts.join(", ")),
        }
    }
}

impl UopChoice {
    /// The uop with this index in the executor at `executor`.
    ///
    /// # Errors
    /// If there is none.
    pub fn at(session: &Session, executor: Address, index: UopIndex) -> Result<UopChoice> {
        let mapped = session.mapped(executor)?;
        let found = mapped.uops().find(|(other, _, _)| *other == index);
        let kind = found.and_then(|(_, uop, _)| session.python().ok()?.uops.kind(uop.opcode));
        let kind = kind.ok_or_else(|| Error::NotFound {
            message: format!("executor {executor} has no uop {index}"),
            hint: Some(format!(
                "its trace has {} uops: jit-trace shows them",
                mapped.executor.uops.len()
            )),
        })?;
        Ok(UopChoice::Index(index, kind.base.clone()))
    }

    /// Whether a uop of this kind can be wanted.
    pub fn allows(&self, kind: &UopKind) -> bool {
        match self {
            UopChoice::Named(name) => {
                pattern::matches(name, &kind.base) || pattern::matches(name, &kind.name)
            }
            UopChoice::Index(_, base) => kind.base == *base,
            UopChoice::Exits => SIDE_EXITS.contains(&&*kind.base),
            UopChoice::Deopts => DEOPTS.contains(&&*kind.base),
        }
    }

    fn is(&self, index: UopIndex, kind: &UopKind) -> bool {
        let right_index = match self {
            UopChoice::Index(wanted, _) => index == *wanted,
            _ => true,
        };
        right_index && self.allows(kind)
    }

    pub(super) fn text(&self) -> String {
        match self {
            UopChoice::Named(name) => name.clone(),
            UopChoice::Index(index, base) => format!("{base}[{index}]"),
            UopChoice::Exits => "side-exits".to_owned(),
            UopChoice::Deopts => "deopts".to_owned(),
        }
    }
}

impl Filters {
    fn allow(&self, uop: &Uop, origin: &Origin) -> bool {
        let code = origin.code.as_ref();
        let function = self.function.as_ref().is_none_or(|wanted| {
            code.is_some_and(|code| {
                pattern::matches(wanted, &code.qualname) || pattern::matches(wanted, &code.name)
            })
        });
        let line = self.line.as_ref().is_none_or(|(file, line)| {
            let in_file = |file: &String| code.is_some_and(|code| is_file(&code.filename, file));
            origin.line() == Some(*line) && file.as_ref().is_none_or(in_file)
        });
        function && line && self.oparg.is_none_or(|wanted| uop.oparg == wanted)
    }
}

/// Where the code of a uop begins. One without code of its own keeps its place before the next one with code, which is
/// reached from it by doing nothing.
fn place(mapped: &MappedExecutor, index: UopIndex, kind: &UopKind) -> Option<Found> {
    let ranges = mapped.map.uops.get(usize::try_from(index.0).ok()?)?;
    let address = ranges.first()?.start;
    match mapped.locate(address)? {
        Place::Uop(owner, 0) => Some(Found {
            index,
            name: kind.name.clone(),
            address,
            bound_to: (owner != index).then_some(owner),
        }),
        _ => None,
    }
}
