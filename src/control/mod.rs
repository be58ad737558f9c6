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
//!   When one is hit: `session.hook(kind, {register: value}, context) -> Reply` with the registers that it names; carry
//!   out the actions, and go on unless the reply says `stop` (then print its text).
//! * `run` {thread, places: [{address, ignore, any_thread}], suppress}: set temporary breakpoints for this thread only (but
//!   `any_thread`: for all), continue, take them out, then select the thread again and call
//!   `session.resume(event, context) -> Reply`. The address of the event is where the thread is that has stopped. What is
//!   the same in the next `run` may stay in; hits are counted from its beginning. The loop ends with a reply that asks for
//!   neither `run` nor `single-step`; print the text of each.
//! * `single-step` {thread}: one instruction, then the same.
//!   `thread` is the native id, or null for the selected one. EVENT = {reason: "place" | "breakpoint" | "signal" |
//!   "exited" | "interrupt" | "other", address, hits: {address: n}, text} ([`stepping::Event`]).
//!
//! # What a front-end tells
//! * `session.breakpoint_deleted(id) -> Reply`: the user deleted it (or a temporary one is spent). Carry out the actions.
//! * `session.hook(…)`, `session.caught(…)`, `session.resume(…)`: above. They look at the memory anew by themselves.
//! * `session.refresh(context) -> Reply`: after a process has started, was attached to or has loaded a file, if
//!   `session.wants_refresh()`; and at each stop then. Places and hooks become what they should be.
//! * `session.process_gone(replaced) -> Reply`: it has exited or was detached from, or (`replaced`) has called exec or was
//!   given another file. Carry out the actions, which take out what must not come alive in another process.
//! * `session.stop_text(context) -> str`: what a stop at a uop prints; empty if the pc is in no JIT code.

mod action;
pub mod breakpoints;
pub mod stepping;
mod told;

pub use action::{Action, Catch, Hook, Place, RegionPlaces, Run, RunPlace, UserBreakpoint};
pub use told::Told;

use std::collections::BTreeMap;

/// The registers that a [`Hook`] asks for, by name.
pub type Registers = BTreeMap<String, u64>;

/// Everything that outlives a stop.
#[derive(Debug, Default)]
pub struct Control {
    /// Breakpoints at uops, and catches.
    pub breakpoints: breakpoints::Breakpoints,
    /// The step that is under way.
    pub stepping: stepping::Stepping,
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
        self.breakpoints.process_gone(replaced)
    }
}
