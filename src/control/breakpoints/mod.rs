//! Breakpoints at uops wherever they are compiled, and the hooks that tell of it.
//!
//! What the user has asked for stays when the process goes; what was found in the process does not. While anything is
//! asked for, hooks tell of each executor that is compiled or freed; its places are set before its code runs for the first
//! time, and taken out before its memory is given back.

mod announce;
mod catch;
mod follow;
mod hooks;
mod names;
mod probes;
mod regions;
mod subject;
mod wanted;

pub use catch::{CatchKind, Caught};
pub use subject::{ExecutorName, Identity, Scope};
pub use wanted::{Filters, UopChoice, Wanted};

use super::symbols::Code;
use super::{Action, Hook, Place, Told, UserBreakpoint};
use crate::address::Address;
use crate::disasm::Architecture;
use crate::session::Session;
use regions::Regions;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use subject::Summary;

/// Numbers are unique in the whole debugger: labels are, too, then.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// What the user has asked for, and where it is now.
#[derive(Debug, Default)]
pub struct Breakpoints {
    /// The next number, if they are not those of the whole debugger.
    next: Option<u32>,
    set: Vec<Set>,
    regions: Regions,
    /// The places of catches, by breakpoint.
    posts: Vec<Place>,
    /// The hooks that the front-end has.
    hooks: Vec<Hook>,
    settled: Settled,
    /// What was compiled last.
    recent: Vec<(Address, Summary)>,
    /// What was freed last.
    gone: Option<Gone>,
    /// Another part of the core wants to learn of executors.
    pub(super) is_followed: bool,
    architecture: Option<Architecture>,
    /// CPython may lie elsewhere in the next process.
    is_movable: bool,
}

/// One breakpoint of the user.
#[derive(Debug)]
struct Set {
    id: u32,
    label: String,
    /// It takes debug registers, of which there are few.
    is_hardware: bool,
    kind: Kind,
}

/// Code that was given back.
#[derive(Debug)]
struct Gone {
    start: Address,
    summary: Summary,
    /// The catches that know.
    told: Vec<u32>,
}

#[derive(Debug)]
enum Kind {
    Uops(Wanted),
    Catch(Caught),
}

/// How much of what could be done in this process is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Settled {
    /// Nothing.
    #[default]
    No,
    /// Hooks wait for the process to start.
    BeforeStart,
    /// Places are set and followed.
    Yes,
}

/// A name that no other breakpoint has and that a debugger takes as one word: without blanks and colons.
fn label(text: &str, id: u32) -> String {
    let word = text.replace(", ", ",").replace(' ', "=").replace(':', "@");
    let word: String = word
        .chars()
        .filter(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\'))
        .collect();
    format!("{word}#{id}")
}

impl Breakpoints {
    /// None yet; they will have numbers from `first` on, whatever else is in the debugger.
    pub fn numbered_from(first: u32) -> Breakpoints {
        Breakpoints {
            next: Some(first),
            ..Breakpoints::default()
        }
    }

    /// A breakpoint at uops. `settings` says how it is to behave; number, label and places are filled in here.
    pub fn set_uops(
        &mut self,
        session: &Session,
        wanted: Wanted,
        settings: UserBreakpoint,
    ) -> Told {
        let text = wanted.text();
        self.set(session, Kind::Uops(wanted), &text, settings)
    }

    /// A breakpoint where executors come, go or become invalid.
    pub fn set_catch(
        &mut self,
        session: &Session,
        caught: Caught,
        settings: UserBreakpoint,
    ) -> Told {
        let text = caught.text();
        self.set(session, Kind::Catch(caught), &text, settings)
    }

    fn set(&mut self, session: &Session, kind: Kind, text: &str, settings: UserBreakpoint) -> Told {
        let id = self.next_id();
        let label = label(text, id);
        let catch = match &kind {
            Kind::Catch(caught) => Some(caught.judged(session)),
            Kind::Uops(_) => None,
        };
        self.set.push(Set {
            id,
            label: label.clone(),
            is_hardware: settings.hardware,
            kind,
        });
        let mut told = self.refresh_for(session, Some(id));
        let mut places = self.regions.places_of(id);
        places.extend(
            self.posts
                .iter()
                .filter(|place| place.breakpoint == id)
                .cloned(),
        );
        told.lines = vec![self.announcement(id, &places)];
        told.actions
            .push(Action::SetBreakpoint(Box::new(UserBreakpoint {
                id,
                text: text.to_owned(),
                places,
                catch,
                probes: probes::stand_in(self.architecture, &label),
                label,
                ..settings
            })));
        told
    }

    fn next_id(&mut self) -> u32 {
        match &mut self.next {
            Some(next) => {
                *next += 1;
                *next - 1
            }
            None => NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The user has deleted a breakpoint, or a temporary one is spent.
    pub fn deleted(&mut self, id: u32) -> Told {
        self.set.retain(|set| set.id != id);
        let Some(architecture) = self.architecture else {
            return Told::default();
        };
        let mut actions = self.regions.without(architecture, id);
        let posts = self.posts.iter().filter(|place| place.breakpoint != id);
        actions.extend(self.put_posts(architecture, posts.cloned().collect()));
        actions.extend(self.let_go());
        Told::to_do(actions)
    }

    /// Follows executors no longer if nothing needs it.
    pub fn let_go(&mut self) -> Option<Action> {
        if self.is_needed() {
            return None;
        }
        self.regions.clear();
        self.settled = Settled::No;
        self.put_hooks(Vec::new())
    }

    /// Whether another part of the core wants to learn of executors that come and go.
    pub fn follow(&mut self, session: &Session, on: bool) -> Told {
        self.is_followed = on;
        match (on, self.is_needed()) {
            (true, _) if self.settled != Settled::Yes => self.refresh(session),
            (false, false) => self.deleted(0),
            _ => Told::default(),
        }
    }

    /// Whether [`Breakpoints::refresh`] could find more than it did so far.
    pub fn wants_refresh(&self) -> bool {
        self.is_needed() && self.settled != Settled::Yes
    }

    /// Forgets what was in the process. Hooks and the places of catches stay where they are if the next process has the
    /// same program at the same addresses: they must be there before its code runs.
    pub fn process_gone(&mut self, replaced: bool) -> Told {
        let mut actions = self.regions.leave_others(&[]);
        if let Some(architecture) = self.architecture.filter(|_| replaced || self.is_movable) {
            actions.extend(self.put_posts(architecture, Vec::new()));
            actions.extend(self.put_hooks(Vec::new()));
        }
        self.recent.clear();
        self.gone = None;
        self.settled = Settled::No;
        Told::to_do(actions)
    }

    /// Whether executors are followed in this process.
    pub fn is_settled(&self) -> bool {
        self.settled == Settled::Yes
    }

    /// The code of the executors that are followed, by where it begins.
    pub fn code(&self) -> BTreeMap<Address, Code> {
        let regions = self.regions.iter();
        let code = regions.map(|region| {
            let code = Code {
                executor: region.executor.0,
                trace: region.executor.1,
                range: region.range,
            };
            (region.range.start, code)
        });
        code.collect()
    }

    /// The executors in which breakpoints at uops are.
    pub fn executors_with_places(&self) -> impl Iterator<Item = Address> {
        let regions = self.regions.iter();
        let with_places = regions.filter(|region| !region.places.is_empty());
        with_places.map(|region| region.executor.0)
    }

    pub(super) fn is_needed(&self) -> bool {
        self.is_followed || !self.set.is_empty()
    }
}
