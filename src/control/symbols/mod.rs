//! Object files with debug information, in the debugger for as long as the executors that they are about.
//!
//! A stale file would be worse than none: a debugger sets breakpoints by it, in the middle of whatever instruction is there
//! now. So a file is there only while something tells of code that is freed ([`super::breakpoints`]), or in a core.

mod mode;

pub use mode::{Mode, Way};

use super::{Action, SymbolFile, Told};
use crate::address::{Address, Range};
use crate::session::Session;
use crate::symbols::{Debugger, SymbolOptions};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Listings have numbers that are unique in the whole debugger, which keeps sources by name.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Each file takes a debugger some milliseconds and 80 kB; no program that was met has as many executors.
const MOST_FILES: usize = 4096;

/// What the front-end said that it can load.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carrier {
    /// For which debugger the files are made.
    pub debugger: Debugger,
    /// Where it puts the listings.
    pub folder: String,
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
    /// The name of the listing, or why there is none.
    listing: Result<String, String>,
}

/// What the debugger has.
#[derive(Debug, Default)]
pub struct Symbols {
    carrier: Option<Carrier>,
    way: Way,
    /// By where their code begins.
    met: BTreeMap<Address, Met>,
    /// How many executors were left out because there are too many.
    left_out: usize,
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

    /// Whether executors are to be followed before any has been met at a stop.
    pub fn follows(&self) -> bool {
        self.way.mode == Mode::On || self.has_met_any()
    }

    /// Whether any executor was met.
    pub fn has_met_any(&self) -> bool {
        !self.met.is_empty()
    }

    /// Whether there is something to be looked at when the program has stopped.
    pub fn wants_look(&self) -> bool {
        self.way.mode != Mode::Off
    }

    /// Drops those whose code is no longer what it was, which nothing told of.
    pub fn drop_stale(&mut self, session: &Session) -> Vec<Action> {
        let met = self.met.values();
        let is_other = |met: &&Met| session.code_identity(met.code.executor) != met.identity;
        let stale = met.filter(is_other).map(|met| met.code.range.start);
        self.drop_these(stale.collect())
    }

    /// Brings the files to what they should be, now that this is the code, by where it begins: first what goes, then what comes.
    pub fn follow(&mut self, session: &Session, all: &BTreeMap<Address, Code>) -> Vec<Action> {
        let gone: Vec<Address> = self
            .met
            .values()
            .filter(|met| all.get(&met.code.range.start) != Some(&met.code))
            .map(|met| met.code.range.start)
            .collect();
        let mut actions = self.drop_these(gone);
        if self.way.mode != Mode::Off {
            actions.extend(self.add_new(session, all));
        }
        actions
    }

    fn add_new(&mut self, session: &Session, all: &BTreeMap<Address, Code>) -> Vec<Action> {
        let running = match self.way.mode {
            Mode::Auto => Some(session.running_executors().unwrap_or_default()),
            _ => None,
        };
        let is_wanted = |code: &&Code| match &running {
            Some(running) => running.contains(&code.executor),
            None => true,
        };
        let new = all
            .values()
            .filter(is_wanted)
            .filter(|code| !self.met.contains_key(&code.range.start));
        let mut new: Vec<Code> = new.copied().collect();
        let room = MOST_FILES.saturating_sub(self.met.len());
        self.left_out = new.len().saturating_sub(room);
        new.truncate(room);
        new.into_iter()
            .filter_map(|code| self.add(session, code))
            .collect()
    }

    fn add(&mut self, session: &Session, code: Code) -> Option<Action> {
        let options = self.options()?;
        let made = session.symbols(code.executor, &options);
        let identity = session.code_identity(code.executor);
        let (listing, action) = match made {
            Ok(made) => {
                let file = SymbolFile {
                    range: code.range,
                    elf: made.elf,
                    listing: made.listing,
                    listing_name: made.listing_name,
                };
                let name = file.listing_name.clone();
                (Ok(name), Some(Action::AddSymbols(Box::new(file))))
            }
            Err(reason) => (Err(reason.to_string()), None),
        };
        self.met.insert(
            code.range.start,
            Met {
                code,
                identity,
                listing,
            },
        );
        action
    }

    fn options(&mut self) -> Option<SymbolOptions> {
        let view = self.way.view;
        let carrier = self.carrier.as_mut()?;
        let number = match &mut carrier.next {
            Some(next) => {
                *next += 1;
                *next - 1
            }
            None => NEXT.fetch_add(1, Ordering::Relaxed),
        };
        Some(SymbolOptions {
            debugger: carrier.debugger,
            view,
            folder: carrier.folder.clone(),
            number,
        })
    }

    fn drop_one(&mut self, start: Address) -> Option<Action> {
        let met = self.met.remove(&start)?;
        met.listing
            .is_ok()
            .then_some(Action::RemoveSymbols(met.code.range))
    }

    /// Takes all out: the process is gone, or they are not wanted any more.
    pub fn drop_all(&mut self) -> Vec<Action> {
        self.drop_these(self.met.keys().copied().collect())
    }

    fn drop_these(&mut self, starts: Vec<Address>) -> Vec<Action> {
        starts
            .into_iter()
            .filter_map(|start| self.drop_one(start))
            .collect()
    }

    /// What there is, in lines for people.
    pub fn status(&self) -> Told {
        let mut lines = vec![self.summary()];
        for met in self.met.values() {
            let what = match &met.listing {
                Ok(name) => name.clone(),
                Err(reason) => format!("no symbols: {reason}"),
            };
            let range = met.code.range;
            lines.push(format!("  {}-{}  {what}", range.start, range.end()));
        }
        if self.left_out > 0 {
            lines.push(format!(
                "  {} more executors have none: more than {MOST_FILES} files would slow the debugger down",
                self.left_out
            ));
        }
        Told {
            lines,
            ..Told::default()
        }
    }

    /// How many executors have symbols, in a line.
    pub fn summary(&self) -> String {
        let count = self.met.values().filter(|met| met.listing.is_ok()).count();
        let with = match count {
            1 => "1 executor has symbols".to_owned(),
            _ => format!("{count} executors have symbols"),
        };
        match self.way.mode {
            Mode::Off => "symbols off".to_owned(),
            Mode::On => format!("symbols on, view {}: {with}", self.way.view_word()),
            Mode::Auto => format!("symbols auto, view {}: {with}", self.way.view_word()),
        }
    }
}
