//! The executors of one stop: all there are, what leads to them, who is in them.

use super::search::Search;
use super::thorough::Thorough;
use crate::address::{Address, Range};
use crate::cpython::{
    CPython, CodeObject, CodeObjects, Executor, Found, Interpreter, Registrations, Thread,
    ThreadState,
};
use crate::disasm::Architecture;
use crate::error::Result;
use crate::listing::{Finding, Header};
use crate::map::{MappedExecutor, Sources};
use crate::target::Reader;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// Longer than a chain of side exits can be (`MAX_CHAIN_DEPTH` is 4).
const LONGEST_CHAIN: usize = 16;

/// Few executors are smaller with their traces. The smallest packets bring so much, wherever it begins in a unit.
const LIKELY_SIZE: u64 = 1920;

/// An executor of this stop.
#[derive(Clone, Debug)]
pub struct Known {
    /// Where it is.
    pub address: Address,
    /// What is known of it from others.
    pub header: Header,
    /// What it says of itself, or why it cannot be read.
    pub executor: Result<Arc<Executor>, String>,
}

/// What was read at one stop.
#[derive(Default)]
pub struct AtStop {
    codes: CodeObjects,
    interpreters: OnceCell<Vec<Interpreter>>,
    /// Of all threads; their frames lie elsewhere, and not every question needs them.
    thread_states: OnceCell<Vec<ThreadState>>,
    threads: OnceCell<Vec<Thread>>,
    executors: OnceCell<Vec<Known>>,
    /// The same, and those that only take a long search to be found.
    all: OnceCell<Thorough>,
    registrations: OnceCell<Option<Registrations>>,
    mapped: RefCell<HashMap<Address, Arc<MappedExecutor>>>,
}

impl AtStop {
    /// The code objects met so far.
    pub fn codes(&self) -> &CodeObjects {
        &self.codes
    }

    /// The interpreters.
    pub fn interpreters(&self, python: &CPython, reader: Reader<'_>) -> Result<&[Interpreter]> {
        if self.interpreters.get().is_none() {
            let _ = self
                .interpreters
                .set(Interpreter::read_all(python, reader)?);
        }
        Ok(self
            .interpreters
            .get()
            .map(Vec::as_slice)
            .unwrap_or_default())
    }

    /// What tells this stop from any other before or after which a code object was made; `None` if nothing does.
    pub fn generation(&self, python: &CPython, reader: Reader<'_>) -> Option<Vec<u8>> {
        let mut generation = Vec::new();
        for interpreter in self.interpreters.get()? {
            generation.extend(interpreter.address.0.to_le_bytes());
            generation.extend(interpreter.next_version(python, reader)?.to_le_bytes());
        }
        Some(generation)
    }

    /// The states of the threads of all interpreters.
    pub fn thread_states(&self, python: &CPython, reader: Reader<'_>) -> Result<&[ThreadState]> {
        if self.thread_states.get().is_none() {
            let mut states = Vec::new();
            for interpreter in self.interpreters(python, reader)? {
                states.extend(ThreadState::read_all(python, reader, interpreter)?);
            }
            let _ = self.thread_states.set(states);
        }
        Ok(self
            .thread_states
            .get()
            .map(Vec::as_slice)
            .unwrap_or_default())
    }

    /// The same with what their frames say.
    pub fn threads(&self, python: &CPython, reader: Reader<'_>) -> Result<&[Thread]> {
        let states = self.thread_states(python, reader)?.iter();
        let read = || states.map(|state| Thread::read(python, reader, *state));
        Ok(self.threads.get_or_init(|| read().collect()))
    }

    /// The code that CPython has registered for debuggers; `None` if it registers none.
    pub fn registrations(&self, python: &CPython, reader: Reader<'_>) -> Option<&Registrations> {
        let read = || Registrations::read(python, reader);
        self.registrations.get_or_init(read).as_ref()
    }

    /// Those of [`AtStop::executors`], and behind them those that only code objects, the garbage collector or the
    /// registrations for debuggers know. The collector is asked only where nothing else knows all: that takes a look at
    /// each object of the heap.
    pub fn all_executors(&self, python: &CPython, reader: Reader<'_>) -> Result<&[Known]> {
        if self.all.get().is_none() {
            let found = Thorough::search(self, python, reader)?;
            let _ = self.all.set(found);
        }
        Ok(self.found())
    }

    /// All executors that were found so far.
    fn found(&self) -> &[Known] {
        match (self.all.get(), self.executors.get()) {
            (Some(all), _) => &all.executors,
            (None, Some(near)) => near,
            (None, None) => &[],
        }
    }

    /// What kept the search for all executors from being complete.
    pub fn search_findings(&self) -> Vec<Finding> {
        self.all
            .get()
            .map(|all| all.findings.clone())
            .unwrap_or_default()
    }

    /// The executors, in the order of the interpreters' own lists; behind them those that only exits or threads know.
    /// Not those of a long search, even if there was one: what a command says must not depend on the commands before it.
    pub fn executors(&self, python: &CPython, reader: Reader<'_>) -> Result<&[Known]> {
        if self.executors.get().is_none() {
            let mut search = Search::new(python, reader);
            search.prefetch(self.interpreters(python, reader)?);
            for interpreter in self.interpreters(python, reader)? {
                for (address, found) in &interpreter.executors {
                    search.add(*address, *found);
                }
            }
            for thread in self.threads(python, reader)? {
                for activation in &thread.running {
                    search.add_running(activation.executor, thread.native_id);
                }
            }
            search.follow_exits();
            let _ = self.executors.set(search.known);
        }
        Ok(self.executors.get().map(Vec::as_slice).unwrap_or_default())
    }

    /// What was odd about the lists.
    pub fn list_findings(&self) -> Vec<Finding> {
        let lists = self.interpreters.get().into_iter().flatten();
        lists
            .flat_map(|interpreter| interpreter.findings.iter().map(Finding::warning))
            .collect()
    }

    /// Which executors could not be read, and why.
    pub fn unreadable(&self) -> Vec<Finding> {
        self.found()
            .iter()
            .filter_map(|known| {
                let reason = known.executor.as_ref().err()?;
                Some(Finding::warning(reason).at(known.address))
            })
            .collect()
    }

    /// What the lists and the threads tell of the executor at `address`, without reading any other; `None` if they do
    /// not know it. Its number is that of [`AtStop::executors`], which begins with the lists.
    pub fn listed(
        &self,
        python: &CPython,
        reader: Reader<'_>,
        address: Address,
    ) -> Result<Option<Header>> {
        let Some((index, found)) = self.in_lists(python, reader, address)? else {
            return Ok(None);
        };
        Ok(Some(Header {
            index: Some(index),
            found,
            parents: Vec::new(),
            running_in: self.running_in(python, reader, address)?,
        }))
    }

    /// The number of the executor at `address`, and which lists it is in.
    fn in_lists(
        &self,
        python: &CPython,
        reader: Reader<'_>,
        address: Address,
    ) -> Result<Option<(u32, Vec<Found>)>> {
        let mut order: HashMap<Address, u32> = HashMap::new();
        let mut found = Vec::new();
        for interpreter in self.interpreters(python, reader)? {
            for (listed, how) in &interpreter.executors {
                let next = u32::try_from(order.len()).unwrap_or(u32::MAX);
                order.entry(*listed).or_insert(next);
                if *listed == address {
                    found.push(*how);
                }
            }
        }
        Ok(order.get(&address).map(|index| (*index, found)))
    }

    /// The threads that are in the executor at `address`. Frames need not be read if all threads are in it innermost.
    fn running_in(
        &self,
        python: &CPython,
        reader: Reader<'_>,
        address: Address,
    ) -> Result<Vec<u64>> {
        let states = self.thread_states(python, reader)?;
        if states
            .iter()
            .all(|state| state.current_executor == Some(address))
        {
            return Ok(states.iter().filter_map(|state| state.native_id).collect());
        }
        let threads = self.threads(python, reader)?.iter();
        let inside =
            threads.filter(|thread| thread.running.iter().any(|one| one.executor == address));
        Ok(inside.filter_map(|thread| thread.native_id).collect())
    }

    /// The executors that the thread states name.
    pub fn current(&self, python: &CPython, reader: Reader<'_>) -> Result<Vec<Address>> {
        let states = self.thread_states(python, reader)?.iter();
        Ok(states.filter_map(|state| state.current_executor).collect())
    }

    /// The innermost executors of the threads.
    pub fn innermost(&self, python: &CPython, reader: Reader<'_>) -> Result<Vec<Address>> {
        let threads = self.threads(python, reader)?.iter();
        let running = threads.flat_map(|thread| thread.running.first());
        Ok(running.map(|activation| activation.executor).collect())
    }

    /// Whether all executors of this stop have been read.
    pub fn is_complete(&self) -> bool {
        self.executors.get().is_some()
    }

    /// The executor whose allocation contains `address`; of several (a damaged target) a valid one.
    pub fn executor_at(&self, address: Address) -> Option<Address> {
        let mut containing = self.found().iter().filter_map(|known| {
            let executor = known.executor.as_ref().ok()?;
            let offset = address.offset_from(executor.jit_code)?;
            (offset < executor.jit_size).then_some(executor)
        });
        let first = containing.next()?;
        let valid = std::iter::once(first)
            .chain(containing)
            .find(|executor| executor.state.valid);
        Some(valid.unwrap_or(first).address)
    }

    /// The map of the executor at `address`.
    pub fn mapped(
        &self,
        sources: Sources<'_>,
        architecture: Architecture,
        address: Address,
    ) -> Result<Arc<MappedExecutor>> {
        self.mapped_within(sources, architecture, address, LONGEST_CHAIN)
    }

    fn mapped_within(
        &self,
        sources: Sources<'_>,
        architecture: Architecture,
        address: Address,
        steps: usize,
    ) -> Result<Arc<MappedExecutor>> {
        if let Some(mapped) = self.mapped.borrow().get(&address) {
            return Ok(mapped.clone());
        }
        let executor = self.read(sources, address)?;
        let entry = match executor.code.is_null() {
            true => None,
            false => sources
                .codes
                .get(sources.python, sources.reader, executor.code),
        };
        let mut mapped = MappedExecutor::new(sources, architecture, (*executor).clone(), entry);
        if mapped.function().is_none() && steps > 0 && !self.is_cold(sources, address)? {
            self.executors(sources.python, sources.reader)?;
            let inherited = self.inherited(sources, architecture, address, steps - 1);
            if inherited.is_some() {
                mapped = MappedExecutor::new(sources, architecture, mapped.executor, inherited);
            }
        }
        let mapped = Arc::new(mapped);
        // A map made on the way up a circle of parents knows less than one that was asked for.
        if steps == LONGEST_CHAIN {
            self.mapped.borrow_mut().insert(address, mapped.clone());
        }
        Ok(mapped)
    }

    /// Whether it is an executor that all exits without one share: it belongs to no function.
    pub fn is_cold(&self, sources: Sources<'_>, address: Address) -> Result<bool> {
        let listed = self.in_lists(sources.python, sources.reader, address)?;
        Ok(listed.is_some_and(|(_, found)| found.contains(&Found::Cold)))
    }

    fn read(&self, sources: Sources<'_>, address: Address) -> Result<Arc<Executor>> {
        match self
            .found()
            .iter()
            .filter(|known| known.address == address)
            .find_map(|known| known.executor.as_ref().ok())
        {
            Some(executor) => Ok(executor.clone()),
            None => {
                sources.reader.prefetch(&[Range::new(address, LIKELY_SIZE)]);
                Executor::read(sources.python, sources.reader, address).map(Arc::new)
            }
        }
    }

    /// The code object of an executor that only side exits enter, and that does not name it itself: that of the stubs
    /// which lead to it, if they agree.
    fn inherited(
        &self,
        sources: Sources<'_>,
        architecture: Architecture,
        address: Address,
        steps: usize,
    ) -> Option<Arc<CodeObject>> {
        let known = self.found().iter().find(|known| known.address == address)?;
        let mut found: Option<Arc<CodeObject>> = None;
        for parent in &known.header.parents {
            let mapped = self
                .mapped_within(sources, architecture, parent.executor, steps)
                .ok()?;
            let code = stub_of(&mapped, parent.exit)?;
            match &found {
                Some(known) if known.address != code.address => return None,
                _ => found = Some(code),
            }
        }
        found
    }
}

/// The code object of the stub of an exit.
fn stub_of(mapped: &MappedExecutor, exit: u32) -> Option<Arc<CodeObject>> {
    let record = mapped.executor.exits.get(exit as usize)?.address;
    let (_, _, origin) = mapped
        .uops()
        .skip(mapped.body.saturating_sub(1))
        .find(|(_, uop, _)| uop.operand0 == record.0)?;
    origin.code.clone()
}
