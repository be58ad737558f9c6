//! Breakpoints at uops and steps over them: what the core asks of a debugger, and what it answers to what happens.
//!
//! The core asks, the debugger's front-end acts. State here outlives a stop; it is dropped when the process ends.
//!
//! # What a front-end carries out: the `actions` of a reply
//! Each is a dictionary with `kind`, in the order in which they are to be carried out ([`Action`]):
//! * `set-breakpoint` {id, label, text, places: list of PLACE, temporary, hardware, condition, ignore, thread, commands, catch,
//!   probes}:
//!   make ONE breakpoint that the user sees. `label` has no blank and no `:` and is unique in the whole debugger; `text`
//!   is for people. `places` are those that exist now; the `update-region` actions before it hold them, too (GDB needs
//!   only those; a front-end may find a number there that it does not know yet). None: it is pending. `condition`, `thread` (as the user wrote it) and `commands`
//!   (a list of lines) are null or empty if not asked for; `ignore` is 0 then.
//!   `probes`: for GDB, an ELF file to be loaded while a breakpoint without places is made.
//!   `catch`: null, or {kind, registers}: when the breakpoint is hit, call
//!   `session.caught(id, kind, registers, context) -> Reply` and stop only if the reply says `stop`.
//! * `update-region` {start, size, places: list of PLACE, probes}: from now on exactly these places of all user breakpoints lie
//!   in this region (the code of an executor; or the place of a hook that catches). Empty: leave it, take out what is in
//!   it now. PLACE = {breakpoint: id, label, address, arguments}. `probes`: the bytes of an ELF file with the places as
//!   SDT probes `cpyjit:LABEL` for GDB; empty if there are no places.
//! * `hooks` {hooks: list of HOOK}: from now on exactly these internal, silent breakpoints; HOOK = {kind, address, registers}.
//!   When one is hit: `session.hook(kind, {register: value}, context, all_symbols=False) -> Reply` with the registers that
//!   it names; carry out the actions, and go on unless the reply says `stop` (then print its text).
//! * `run` {thread, places: [{address, ignore, any_thread}], suppress}: set temporary breakpoints for this thread only (but
//!   `any_thread`: for all), continue, take them out, then select the thread again and call
//!   `session.resume(event, context) -> Reply`. The address of the event is where the thread is that has stopped. What is
//!   the same in the next `run` may stay in; hits are counted from its beginning. The loop ends with a reply that asks for
//!   neither `run` nor `single-step`; print the text of each.
//! * `single-step` {thread}: one instruction, then the same.
//!   `thread` is the native id, or null for the selected one. EVENT = {reason: "place" | "breakpoint" | "signal" |
//!   "exited" | "interrupt" | "other", address, hits: {address: n}, text} ([`stepping::Event`]).
//! * `add-symbols` {file, elf, executors: [{start, size, listing_name, listing}]}: load this ELF file, whose sections are at
//!   their addresses, and keep the listings under these names in the folder that was told with `session.load_symbols`. It is
//!   about the code of these executors; there is no other for them. `file` is a number to call it by.
//! * `remove-symbols` {file}: drop that file at once; memory of its executors may be given back next. Breakpoints of the
//!   user that lie in them are pending afterwards, unless another `add-symbols` follows.
//! * `choose` {name, value}: the setting has this value from now on.
//!
//! # What a front-end tells
//! * `session.load_symbols(debugger, folder, mode, loses_registers=False)`, once: it can load symbol files (for `gdb` or
//!   `lldb`), and the user has chosen `off`, `on` or `auto` before.
//! * `session.breakpoint_deleted(id) -> Reply`: the user deleted it (or a temporary one is spent). Carry out the actions.
//! * `session.hook(…)`, `session.caught(…)`, `session.resume(…)`: above. They look at the memory anew by themselves.
//! * `session.refresh(context, keep_symbols=False, all_symbols=False) -> Reply`: after a process has started, was attached to
//!   or has loaded a file, if `session.wants_refresh()`; and at each stop then. Places and hooks become what they should be
//!   ([`symbols::Wishes`]).
//! * `session.process_gone(replaced) -> Reply`: it has exited or was detached from, or (`replaced`) has called exec or was
//!   given another file. Carry out the actions, which take out what must not come alive in another process.
//! * `session.misplaced(address, asked) -> str or None`: for each place that the debugger gives to a breakpoint of the user at
//!   a line of Python: why it is wrong, and to be disabled ([`symbols::Symbols::misplaced`]).
//! * `session.stop_text(context) -> str`: what a stop at a uop prints; empty if the pc is in no JIT code.

mod action;
pub mod breakpoints;
pub mod stepping;
pub mod symbols;
mod told;

pub use crate::symbols::{Debugger, View};
pub use action::{
    Action, Catch, Hook, Place, RegionPlaces, Run, RunPlace, SymbolFile, UserBreakpoint,
};
pub use told::Told;

use crate::address::{Address, Range};
use crate::error::Result;
use crate::session::Session;
use crate::target::Kind;
use breakpoints::Wanted;
use std::collections::{BTreeMap, BTreeSet};
use symbols::{Carrier, Code, Mode, Way, Wishes};

/// Whether executors may come and go.
fn is_live(session: &Session) -> bool {
    session.description().kind != Kind::Core
}

/// The code of all executors, where nothing has to be followed.
fn code_of_core(session: &Session) -> Result<BTreeMap<Address, Code>> {
    let known = session.executors()?.iter();
    let executors = known.filter_map(|known| known.executor.as_ref().ok());
    let with_code = executors.filter(|one| !one.jit_code.is_null() && one.jit_size != 0);
    let code = with_code.map(|executor| {
        let code = Code {
            executor: executor.address,
            trace: executor.trace,
            range: Range::new(executor.jit_code, executor.jit_size),
        };
        (executor.jit_code, code)
    });
    Ok(code.collect())
}

/// The executors that run at this stop.
fn running(session: &Session) -> BTreeSet<Address> {
    let running = session.running_executors().unwrap_or_default();
    running.into_iter().collect()
}

/// The registers that a [`Hook`] asks for, by name.
pub type Registers = BTreeMap<String, u64>;

/// Everything that outlives a stop.
#[derive(Debug, Default)]
pub struct Control {
    /// Breakpoints at uops, and catches.
    pub breakpoints: breakpoints::Breakpoints,
    /// The step that is under way.
    pub stepping: stepping::Stepping,
    /// Files with debug information that the debugger has.
    pub symbols: symbols::Symbols,
}

impl Control {
    /// One whose breakpoints have numbers from `first` on, for a debugger that has no other target.
    pub fn numbered_from(first: u32) -> Control {
        Control {
            breakpoints: breakpoints::Breakpoints::numbered_from(first),
            ..Control::default()
        }
    }

    /// The process has ended, or is another program now: what to take out.
    pub fn process_gone(&mut self, replaced: bool) -> Told {
        self.stepping.process_gone();
        let symbols = Told::to_do(self.symbols.drop_all());
        let told = symbols.and(self.breakpoints.process_gone(replaced));
        self.breakpoints.is_followed = self.symbols.follows();
        told.and(self.let_go())
    }

    fn let_go(&mut self) -> Told {
        Told::to_do(self.breakpoints.let_go().into_iter().collect())
    }

    /// The front-end can load symbol files; so many executors have some until the user chooses otherwise.
    pub fn begin_symbols(&mut self, carrier: Carrier, mode: Mode) {
        self.symbols.begin(carrier, mode);
        self.breakpoints.is_followed = self.symbols.follows();
    }

    /// From now on executors have symbols in this way.
    pub fn choose_symbols(&mut self, session: &Session, way: Way) -> Told {
        self.symbols.forget_stop();
        let gone = Told::to_do(self.symbols.choose(way));
        let mut told = match is_live(session) {
            true => self.breakpoints.follow(session, self.symbols.follows()),
            false => Told::default(),
        };
        if session.description().pid.is_none() {
            told.findings.clear(); // nothing is missing yet: this may stand in a start-up file
        }
        gone.and(told).and(self.follow_symbols(session))
    }

    /// Whether [`Control::refresh`] has something to look at.
    pub fn wants_refresh(&self) -> bool {
        self.breakpoints.wants_refresh() || self.symbols.wants_look()
    }

    /// A process has started, a file was loaded, or the program has stopped: everything becomes what it should be.
    pub fn refresh(&mut self, session: &Session, wishes: Wishes) -> Told {
        if !is_live(session) && self.symbols.has_met_any() {
            return Told::default(); // a core does not change
        }
        self.symbols.wish(wishes);
        self.breakpoints.is_followed = self.symbols.follows();
        let stale = self.symbols.drop_stale(session);
        let is_known = self.breakpoints.is_settled() && stale.is_empty();
        let told = match self.breakpoints.is_needed() && is_live(session) && !is_known {
            true => self.breakpoints.refresh(session),
            false => Told::default(),
        };
        let told = Told::to_do(stale).and(told);
        let told = match wishes.keep {
            true => told,
            false => told.and(self.follow_symbols(session)),
        };
        told.and(self.let_go())
    }

    /// A hook was hit. `all_symbols` is [`Wishes::all`].
    pub fn hook(
        &mut self,
        session: &Session,
        (kind, registers): (&str, &Registers),
        all_symbols: bool,
    ) -> Told {
        self.symbols.wish(Wishes {
            all: all_symbols,
            keep: false,
        });
        let told = self.breakpoints.hook(session, kind, registers);
        told.and(self.follow_code(session, BTreeSet::new()))
    }

    /// A breakpoint at uops. Where it will stop the debugger is to know what is there before it says that it has stopped.
    pub fn set_uops(
        &mut self,
        session: &Session,
        wanted: Wanted,
        settings: UserBreakpoint,
    ) -> Told {
        let told = self.breakpoints.set_uops(session, wanted, settings);
        match is_live(session) {
            true => told.and(self.follow_code(session, BTreeSet::new())),
            false => told,
        }
    }

    /// Brings symbols to what they should be at this stop.
    fn follow_symbols(&mut self, session: &Session) -> Told {
        if self.symbols.way().mode == Mode::Off {
            return Told::default();
        }
        if !is_live(session) {
            let all = code_of_core(session).unwrap_or_default();
            return Told::to_do(self.symbols.follow(session, &all, &running(session)));
        }
        let met = match self.breakpoints.is_settled() {
            true => Told::default(),
            false => self.meet(session),
        };
        met.and(self.follow_code(session, running(session)))
    }

    /// Brings symbols to the code that is followed. With [`Mode::Auto`] these executors get some, and those in which the
    /// user has breakpoints.
    fn follow_code(&mut self, session: &Session, mut wanted: BTreeSet<Address>) -> Told {
        if self.symbols.way().mode == Mode::Off {
            return Told::default();
        }
        wanted.extend(self.breakpoints.executors_with_places());
        let code = self.breakpoints.code();
        let told = Told::to_do(self.symbols.follow(session, &code, &wanted));
        self.breakpoints.is_followed = self.symbols.follows();
        told
    }

    /// In a process in which nothing is followed yet: begins to, if there is something to be shown.
    fn meet(&mut self, session: &Session) -> Told {
        match running(session).is_empty() {
            true => Told::default(),
            false => self.breakpoints.follow(session, true),
        }
    }
}
