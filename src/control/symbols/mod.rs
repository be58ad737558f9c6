//! Object files with debug information, in the debugger for as long as the executors that they are about.
//!
//! A stale file would be worse than none: a debugger sets breakpoints by it, in the middle of whatever instruction is there
//! now. So a file is there only while something tells of code that is freed ([`super::breakpoints`]), or in a core.

mod files;
mod lines;
mod mode;
mod status;

pub use mode::{Mode, Way};

use super::Action;
use crate::address::{Address, Range};
use crate::session::Session;
use crate::symbols::{Debugger, Function, PythonLine, SymbolOptions};
use files::{Files, Numbers};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Each executor takes a debugger up to a millisecond and 80 kB; no program that was met has as many.
const MOST_EXECUTORS: usize = 4096;

/// What the front-end said that it can load.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carrier {
    /// For which debugger the files are made.
    pub debugger: Debugger,
    /// Where it puts the listings.
    pub folder: String,
    /// It finds wrong registers in frames that have called a function; see [`SymbolOptions::loses_registers`].
    pub loses_registers: bool,
    /// The next number of a listing, if they are not those of the whole debugger.
    pub next: Option<u64>,
}

/// The code of an executor: all of it the same only for the same one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// The executor.
    pub executor: Address,
    /// Where its trace is.
    pub trace: Address,
    /// Its memory.
    pub range: Range,
}

/// An executor that was met, and what became of its symbols.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Met {
    code: Code,
    /// What tells its code from other code; see [`Session::code_identity`].
    identity: Option<u64>,
    /// Its listing, or why there is none.
    listing: Result<Shown, String>,
}

/// A listing that the debugger has.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Shown {
    /// The number of the file that refers to it.
    file: u64,
    name: String,
    /// The lines of Python that breakpoints find in its code, by address.
    lines: Vec<PythonLine>,
    /// What the trace runs in.
    functions: Vec<Arc<Function>>,
    again: Again,
}

/// What makes a listing that is written once more the same one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Again {
    code: Code,
    /// The number in its name.
    number: u64,
    /// Of its text.
    hash: u64,
}

/// What the debugger has.
#[derive(Debug, Default)]
pub struct Symbols {
    carrier: Option<Carrier>,
    way: Way,
    /// By where their code begins.
    met: BTreeMap<Address, Met>,
    /// Those whose file had to go because of others in it, by where their code begins.
    again: BTreeMap<Address, Again>,
    /// How many executors were left out because there are too many.
    left_out: usize,
    /// What the front-end said of this moment.
    wishes: Wishes,
}

/// What a front-end asks for with [`super::Control::refresh`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wishes {
    /// No executor gets symbols at this stop, which is at a breakpoint with several locations: the debugger would not know
    /// any more which was hit.
    pub keep: bool,
    /// The user waits for code that is still to come: all executors get symbols, also with [`Mode::Auto`].
    pub all: bool,
}

impl Symbols {
    /// The front-end can load symbol files.
    pub(super) fn begin(&mut self, carrier: Carrier, mode: Mode) {
        self.carrier = Some(carrier);
        self.way.mode = mode;
    }

    /// Whether the front-end can load symbol files.
    pub fn has_carrier(&self) -> bool {
        self.carrier.is_some()
    }

    /// What the user has chosen.
    pub fn way(&self) -> Way {
        self.way
    }

    /// From now on it is done in this way: what goes because of that.
    pub fn choose(&mut self, way: Way) -> Vec<Action> {
        let is_other = way.mode == Mode::Off || way.view != self.way.view;
        self.way = way;
        match is_other {
            true => self.drop_all(),
            false => Vec::new(),
        }
    }

    /// Whether executors are to be followed from now on.
    pub fn follows(&self) -> bool {
        self.all_are_wanted() || self.has_met_any()
    }

    fn all_are_wanted(&self) -> bool {
        match self.way.mode {
            Mode::Off => false,
            Mode::On => true,
            Mode::Auto => self.wishes.all,
        }
    }

    /// Whether any executor was met.
    pub fn has_met_any(&self) -> bool {
        !self.met.is_empty()
    }

    /// Whether there is something to be looked at when the program has stopped.
    pub fn wants_look(&self) -> bool {
        self.way.mode != Mode::Off
    }

    /// The user has chosen something, which holds at this stop, too.
    pub fn forget_stop(&mut self) {
        self.wishes.keep = false;
    }

    /// What the front-end asks for at this stop.
    pub fn wish(&mut self, wishes: Wishes) {
        self.wishes = wishes;
    }

    /// Drops those whose code is no longer what it was, which nothing told of.
    pub fn drop_stale(&mut self, session: &Session) -> Vec<Action> {
        let met = self.met.values();
        let is_other = |met: &&Met| session.code_identity(met.code.executor) != met.identity;
        let stale = met.filter(is_other).map(|met| met.code.range.start);
        self.drop_these(&stale.collect())
    }

    /// Brings the files to what they should be, now that `all` is the code, by where it begins: first what goes, then what
    /// comes. With [`Mode::Auto`] these are the executors `wanted`.
    pub fn follow(
        &mut self,
        session: &Session,
        all: &BTreeMap<Address, Code>,
        wanted: &BTreeSet<Address>,
    ) -> Vec<Action> {
        let gone = self
            .met
            .values()
            .filter(|met| all.get(&met.code.range.start) != Some(&met.code))
            .map(|met| met.code.range.start);
        let mut actions = self.drop_these(&gone.collect());
        if self.way.mode != Mode::Off {
            actions.extend(self.add_new(session, all, wanted));
        }
        actions
    }

    fn add_new(
        &mut self,
        session: &Session,
        all: &BTreeMap<Address, Code>,
        wanted: &BTreeSet<Address>,
    ) -> Vec<Action> {
        let all_are_wanted = self.all_are_wanted();
        let again = std::mem::take(&mut self.again);
        let again = |code: &Code| {
            let before = again.get(&code.range.start);
            before.filter(|before| before.code == *code).copied()
        };
        let is_wanted = |code: &&Code| {
            all_are_wanted || wanted.contains(&code.executor) || again(code).is_some()
        };
        let new = all
            .values()
            .filter(is_wanted)
            .filter(|code| !self.met.contains_key(&code.range.start));
        let mut new: Vec<(Code, Option<Again>)> = new.map(|code| (*code, again(code))).collect();
        let room = MOST_EXECUTORS.saturating_sub(self.met.len());
        self.left_out = new.len().saturating_sub(room);
        new.truncate(room);
        self.add(session, &new)
    }

    fn add(&mut self, session: &Session, new: &[(Code, Option<Again>)]) -> Vec<Action> {
        let (Some(carrier), view) = (self.carrier.clone(), self.way.view) else {
            return Vec::new();
        };
        let mut files = Files {
            session,
            options: SymbolOptions {
                debugger: carrier.debugger,
                view,
                folder: carrier.folder,
                loses_registers: carrier.loses_registers,
            },
            numbers: Numbers::new(carrier.next),
            met: Vec::new(),
            actions: Vec::new(),
        };
        for some in new.chunks(carrier.debugger.most_together()) {
            files.add(some);
        }
        let Files {
            numbers,
            met,
            actions,
            ..
        } = files;
        if let Some(carrier) = &mut self.carrier {
            carrier.next = numbers.own();
        }
        let met = met.into_iter().map(|met| (met.code.range.start, met));
        self.met.extend(met);
        actions
    }

    /// Takes all out: the process is gone, or they are not wanted any more.
    pub fn drop_all(&mut self) -> Vec<Action> {
        let actions = self.drop_these(&self.met.keys().copied().collect());
        self.again.clear();
        actions
    }

    /// Drops the files of these; what else is in them has to come again.
    fn drop_these(&mut self, starts: &BTreeSet<Address>) -> Vec<Action> {
        let mut files = BTreeSet::new();
        for start in starts {
            let met = self.met.remove(start);
            files.extend(met.and_then(|met| Some(met.listing.ok()?.file)));
        }
        let again = &mut self.again;
        self.met.retain(|start, met| match &met.listing {
            Ok(shown) if files.contains(&shown.file) => {
                again.insert(*start, shown.again);
                false
            }
            _ => true,
        });
        files.into_iter().map(Action::RemoveSymbols).collect()
    }
}
