//! Stops where an executor is compiled, becomes invalid or is freed.

use super::hooks::{self, OPTIMIZED, REGISTERED, UNMAPPED};
use super::subject::Summary;
use super::{Breakpoints, Kind};
use crate::address::Address;
use crate::control::{Catch, Registers, Told};
use crate::cpython::Announced;
use crate::error::Result;
use crate::session::pattern;
use crate::session::{CompileEvent, FreeEvent, Session};

/// What is caught.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CatchKind {
    /// An executor was compiled.
    Compile,
    /// An executor becomes invalid: it is not entered again.
    Invalidate,
    /// The code of an executor is about to be given back.
    Free,
}

/// What is caught, of which functions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caught {
    /// What.
    pub kind: CatchKind,
    /// A pattern for the name of the function in which the executor begins.
    pub function: Option<String>,
    /// How many more of them pass. Counted here: GDB would count the hits that are none, too.
    pub ignore: u64,
}

impl CatchKind {
    /// The word of the command.
    pub fn word(self) -> &'static str {
        match self {
            CatchKind::Compile => "compile",
            CatchKind::Invalidate => "invalidate",
            CatchKind::Free => "free",
        }
    }

    /// Where it happens.
    ///
    /// # Errors
    /// If that cannot be known, or not before the program runs.
    pub fn addresses(self, session: &Session) -> Result<Vec<Address>> {
        Ok(match self {
            CatchKind::Compile => match session.compile_event()? {
                CompileEvent::Optimized(ends) => ends,
                CompileEvent::Registered(address) => vec![address],
            },
            CatchKind::Free => match session.free_event()? {
                FreeEvent::Registered(address) | FreeEvent::Unmapped(address) => vec![address],
            },
            CatchKind::Invalidate => vec![session.invalidate_event()?.address],
        })
    }
}

impl Caught {
    /// `catch-compile(f)`
    pub fn text(&self) -> String {
        match &self.function {
            Some(function) => format!("catch-{}({function})", self.kind.word()),
            None => format!("catch-{}", self.kind.word()),
        }
    }

    pub(super) fn announcement(&self, is_pending: bool) -> String {
        let of = match &self.function {
            Some(function) => format!(" of {function}"),
            None => String::new(),
        };
        let what = match self.kind {
            CatchKind::Compile => "is compiled",
            CatchKind::Invalidate => "becomes invalid",
            CatchKind::Free => "is freed",
        };
        let pending = if is_pending {
            " (once the program runs)"
        } else {
            ""
        };
        format!("stops when an executor{of} {what}{pending}")
    }

    /// How hits are judged. Both registers are asked for, since which function it is may not be known yet.
    pub(super) fn judged(&self, session: &Session) -> Catch {
        let architecture = session.program().map(|program| program.architecture);
        Catch {
            kind: self.kind.word(),
            registers: hooks::registers(architecture.unwrap_or_default()),
        }
    }

    fn is_about(&self, summary: &Summary) -> bool {
        let Some(wanted) = &self.function else {
            return true;
        };
        summary.names.as_ref().is_some_and(|(name, qualname)| {
            pattern::matches(wanted, name) || pattern::matches(wanted, qualname)
        })
    }
}

impl Breakpoints {
    /// A catch was hit: whether it is to stop there.
    pub fn caught(
        &mut self,
        session: &Session,
        id: u32,
        _kind: &str,
        registers: &Registers,
    ) -> Told {
        let caught = self.set.iter().find(|set| set.id == id);
        let Some(Kind::Catch(caught)) = caught.map(|set| &set.kind) else {
            return Told::default();
        };
        let caught = caught.clone();
        let (mut told, what) = match caught.kind {
            CatchKind::Compile => self.caught_compile(session, registers),
            CatchKind::Free => self.caught_free(session, id, registers),
            CatchKind::Invalidate => {
                let what = invalidated(session, registers).ok().flatten();
                (Told::default(), what.into_iter().collect())
            }
        };
        let what: Vec<&Summary> = what
            .iter()
            .filter(|summary| caught.is_about(summary))
            .collect();
        told.stop = !what.is_empty() && !self.passes(id);
        if !told.stop {
            return told;
        }
        let word = match caught.kind {
            CatchKind::Compile => "compiled",
            CatchKind::Invalidate => "becomes invalid",
            CatchKind::Free => "is about to be freed",
        };
        told.lines = what
            .iter()
            .map(|summary| format!("{word}: {}", summary.text))
            .collect();
        told
    }
}

impl Breakpoints {
    /// The hook at the same address may have been hit before this, or may be hit after it.
    fn caught_compile(&mut self, session: &Session, registers: &Registers) -> (Told, Vec<Summary>) {
        let (kind, start) = match session.compile_event() {
            Ok(CompileEvent::Optimized(_)) if hooks::result(registers) == Some(1) => {
                (OPTIMIZED, None)
            }
            Ok(CompileEvent::Registered(_)) => match session.announced() {
                Ok(Some(Announced::Code(start))) => (REGISTERED, Some(start)),
                _ => return (Told::default(), Vec::new()),
            },
            _ => return (Told::default(), Vec::new()),
        };
        let told = self.hook(session, kind, registers);
        let recent = self.recent.iter();
        let these = recent.filter(|(code, _)| start.is_none_or(|start| start == *code));
        (told, these.map(|(_, summary)| summary.clone()).collect())
    }

    /// Whether this one is still to be ignored.
    fn passes(&mut self, id: u32) -> bool {
        let set = self.set.iter_mut().find(|set| set.id == id);
        match set.map(|set| &mut set.kind) {
            Some(Kind::Catch(caught)) if caught.ignore > 0 => {
                caught.ignore -= 1;
                true
            }
            _ => false,
        }
    }

    fn caught_free(
        &mut self,
        session: &Session,
        id: u32,
        registers: &Registers,
    ) -> (Told, Vec<Summary>) {
        let (kind, start) = match session.free_event() {
            Ok(FreeEvent::Unmapped(_)) => (UNMAPPED, hooks::argument(registers)),
            Ok(FreeEvent::Registered(_)) => match session.announced() {
                Ok(Some(Announced::Gone(start))) => (REGISTERED, Some(start)),
                _ => return (Told::default(), Vec::new()),
            },
            Err(_) => return (Told::default(), Vec::new()),
        };
        let told = self.hook(session, kind, registers);
        let gone = self.gone.as_mut();
        let gone = gone.filter(|gone| Some(gone.start) == start && !gone.told.contains(&id));
        let summary = gone.map(|gone| {
            gone.told.push(id);
            gone.summary.clone()
        });
        (told, summary.into_iter().collect())
    }
}

/// The executor that becomes invalid by this call, if it does.
fn invalidated(session: &Session, registers: &Registers) -> Result<Option<Summary>> {
    let event = session.invalidate_event()?;
    let Some(executor) = hooks::argument(registers) else {
        return Ok(None);
    };
    let mapped = session.mapped(executor)?;
    let becomes_invalid = mapped.executor.state.valid == event.is_still_valid;
    let summary = || Ok(Summary::of(session.python()?, &mapped));
    becomes_invalid.then(summary).transpose()
}
