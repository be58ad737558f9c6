//! Which code runs at this stop, and whether it is still the same at the next.

use super::Session;
use crate::address::Address;
use crate::cpython::{Executor, Thread, ThreadState};
use crate::error::Result;
use std::hash::{DefaultHasher, Hash, Hasher};

impl Session {
    /// The executors that run: the one that contains the pc, those of the selected thread, innermost first, and those of
    /// the other threads. Each once.
    pub fn running_executors(&self) -> Result<Vec<Address>> {
        let mut found: Vec<Address> = match self.stop().pc {
            Some(pc) => self.executor_at(pc)?.into_iter().collect(),
            None => Vec::new(),
        };
        let threads = self.at_stop.threads(self.python()?, self.reader())?;
        let selected = self.stop().thread;
        let (own, others): (Vec<_>, Vec<_>) = threads
            .iter()
            .partition(|thread| thread.native_id.is_some() && thread.native_id == selected);
        for activation in own.iter().chain(&others).flat_map(|one| &one.running) {
            if !found.contains(&activation.executor) {
                found.push(activation.executor);
            }
        }
        Ok(found)
    }

    /// The executor that runs in the selected frame, or else in the selected thread.
    pub fn running(&self) -> Result<Option<Address>> {
        let here = match self.stop.pc {
            Some(pc) => self.executor_at(pc)?,
            None => None,
        };
        if here.is_some() {
            return Ok(here);
        }
        let states = self.at_stop.thread_states(self.python()?, self.reader())?;
        let selected = self.selected(states, |state: &ThreadState| state.native_id);
        if let Some(current) = selected.and_then(|state| state.current_executor) {
            return Ok(Some(current));
        }
        let activations = self.activations()?;
        Ok(activations.first().map(|activation| activation.executor))
    }

    /// The thread that is selected.
    pub(super) fn selected_thread(&self) -> Result<Option<&Thread>> {
        let threads = self.at_stop.threads(self.python()?, self.reader())?;
        Ok(self.selected(threads, |thread: &Thread| thread.native_id))
    }

    /// Of these threads the one that is selected; the only one if the target does not tell the kernel's ids.
    fn selected<'t, T>(
        &self,
        threads: &'t [T],
        native_id: impl Fn(&T) -> Option<u64>,
    ) -> Option<&'t T> {
        let is_selected = |native: Option<u64>| native.is_some() && native == self.stop.thread;
        let only = match threads {
            [only] => Some(only),
            _ => None,
        };
        threads
            .iter()
            .find(|thread| is_selected(native_id(thread)))
            .or(only)
    }

    /// A number that tells the code of the executor at `address` from other code that may be there at another stop; `None`
    /// if there is no executor, or it has no code.
    pub fn code_identity(&self, address: Address) -> Option<u64> {
        let executor = Executor::read(self.python().ok()?, self.reader(), address).ok()?;
        if executor.jit_code.is_null() {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        let place = (executor.jit_code, executor.jit_size, executor.trace);
        (place, &executor.uops).hash(&mut hasher);
        Some(hasher.finish())
    }
}
