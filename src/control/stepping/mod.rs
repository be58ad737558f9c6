//! Steps by uop, by bytecode and out of JIT code.
//!
//! A step is a conversation: the core says where the target is to stop ([`crate::control::Run`]), the debugger lets it go
//! and tells how it stopped ([`Event`]), until the goal is reached. Where a uop can go is read off its machine code
//! ([`code`]); a stretch of many uops is run as one (`path`, `plan`); what is not certain is done instruction by
//! instruction ([`machine`]). None of it needs a debugger to be tested.

pub mod code;
mod event;
pub mod goal;
pub mod machine;
mod path;
mod plan;
mod tell;
#[cfg(test)]
mod tests;
mod world;

pub use event::{Event, Reason};
pub use machine::{Order, Refusal};

use super::Told;
use crate::address::Address;
use crate::session::Session;
use machine::Machine;
use tell::Shown;
use world::{Seen, Stopped};

/// The step that is under way, if any, and what is worth keeping for the next.
#[derive(Debug, Default)]
pub struct Stepping {
    machine: Option<Machine>,
    seen: Seen,
    shown: Shown,
    /// Where the last step ended.
    end: Option<Address>,
}

impl Stepping {
    /// Begins a step: the first stretch, or why there is none.
    pub fn start(&mut self, session: &Session, order: Order) -> Result<Told, Refusal> {
        let pc = session.stop().pc;
        if pc.is_none() || pc != self.end {
            self.shown = Shown::default();
        }
        let world = Stopped {
            session,
            seen: &self.seen,
        };
        let shown = std::mem::take(&mut self.shown);
        let (machine, told) = Machine::start(&world, order, shown)?;
        Ok(self.keep(session, machine, told))
    }

    /// The target has stopped: the next stretch, or what is to be said.
    pub fn resume(&mut self, session: &Session, event: &Event) -> Told {
        let Some(machine) = self.machine.take() else {
            // The process has gone, and the step with it.
            return Told {
                lines: vec![event.text.clone()],
                ..Told::default()
            };
        };
        let world = Stopped {
            session,
            seen: &self.seen,
        };
        let (machine, told) = machine.resume(&world, event);
        self.keep(session, machine, told)
    }

    fn keep(&mut self, session: &Session, machine: Machine, told: Told) -> Told {
        match told.actions.is_empty() {
            true => {
                self.shown = machine.into_shown();
                self.end = session.stop().pc;
            }
            false => self.machine = Some(machine),
        }
        told
    }

    /// Ends the step: there is nothing to step any more.
    pub fn process_gone(&mut self) {
        *self = Stepping::default();
    }
}
