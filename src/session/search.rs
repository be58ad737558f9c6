//! Finds every executor of a stop: in lists, in threads, behind exits.

use super::Known;
use crate::address::{Address, Range};
use crate::cpython::{CPython, Executor, ExecutorSlots, Found, Interpreter, Registration};
use crate::listing::{Header, Parent};
use crate::target::Reader;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// More executors than a process has: 20 times the largest seen.
const MOST_EXECUTORS: usize = 1 << 18;

/// Collects executors from lists, threads and exits.
pub struct Search<'t> {
    python: &'t CPython,
    reader: Reader<'t>,
    /// What was found, in the order of finding.
    pub known: Vec<Known>,
    place: HashMap<Address, usize>,
    /// How many of them have had their exits followed.
    followed: usize,
}

impl<'t> Search<'t> {
    /// A search that has found nothing yet.
    pub fn new(python: &'t CPython, reader: Reader<'t>) -> Search<'t> {
        Search {
            python,
            reader,
            known: Vec::new(),
            place: HashMap::new(),
            followed: 0,
        }
    }

    /// A search that goes on where another has ended.
    pub fn resume(python: &'t CPython, reader: Reader<'t>, known: Vec<Known>) -> Search<'t> {
        Search {
            place: known.iter().map(|known| known.address).zip(0..).collect(),
            followed: known.len(),
            known,
            ..Search::new(python, reader)
        }
    }

    /// Fetches all listed executors together: their heads first, and then what these say follows them.
    pub fn prefetch(&self, interpreters: &[Interpreter]) {
        let all = interpreters
            .iter()
            .flat_map(|interpreter| &interpreter.executors);
        let addresses: Vec<Address> = all.map(|(address, _)| *address).collect();
        let Ok(shape) = self.python.layouts.shape("_PyExecutorObject") else {
            return;
        };
        let heads: Vec<Range> = addresses
            .iter()
            .map(|address| Range::new(*address, shape.size))
            .collect();
        self.reader.prefetch(&heads);
        let wholes: Vec<Range> = addresses
            .iter()
            .filter_map(|address| Executor::extent(self.python, self.reader, *address).ok())
            .collect();
        self.reader.prefetch(&wholes);
    }

    /// Adds an executor, or one more way in which it was found.
    pub fn add(&mut self, address: Address, found: Found) {
        if let Some(known) = self.find(address) {
            if !known.header.found.contains(&found) {
                known.header.found.push(found);
            }
            return;
        }
        if self.known.len() >= MOST_EXECUTORS {
            return;
        }
        let place = self.known.len();
        let executor = Executor::read(self.python, self.reader, address);
        self.place.insert(address, place);
        self.known.push(Known {
            address,
            header: Header {
                index: u32::try_from(place).ok(),
                found: vec![found],
                ..Header::default()
            },
            executor: executor.map(Arc::new).map_err(|error| error.to_string()),
        });
    }

    fn find(&mut self, address: Address) -> Option<&mut Known> {
        let place = self.place.get(&address)?;
        self.known.get_mut(*place)
    }

    /// Adds an executor that a thread is in.
    pub fn add_running(&mut self, address: Address, thread: Option<u64>) {
        self.add(address, Found::Running);
        if let Some(thread) = thread
            && let Some(known) = self.find(address)
            && !known.header.running_in.contains(&thread)
        {
            known.header.running_in.push(thread);
        }
    }

    /// Adds the executors in the slots of these code objects; what is none has no slots.
    pub fn add_slots(&mut self, codes: &BTreeSet<Address>) {
        for code in codes {
            let read = ExecutorSlots::read(self.python, self.reader, *code);
            let slots = read.map(|read| read.slots).unwrap_or_default();
            for executor in slots.into_iter().filter(|slot| !slot.is_null()) {
                self.add(executor, Found::Code);
            }
        }
    }

    /// Notes which executors have their code registered for debuggers; gives the registrations of no known executor.
    pub fn note_registered(&mut self, registered: &[Registration]) -> Vec<Registration> {
        let by_code: HashMap<Address, Address> = self
            .known
            .iter()
            .filter_map(|known| Some((known.executor.as_ref().ok()?.jit_code, known.address)))
            .collect();
        let mut unknown = Vec::new();
        for registration in registered {
            match by_code.get(&registration.code) {
                Some(executor) => self.add(*executor, Found::JitInterface),
                None => unknown.push(*registration),
            }
        }
        unknown
    }

    /// The code objects that executors are entered from.
    pub fn codes(&self) -> impl Iterator<Item = Address> {
        let readable = self
            .known
            .iter()
            .filter_map(|known| known.executor.as_ref().ok());
        readable
            .map(|executor| executor.code)
            .filter(|code| !code.is_null())
    }

    /// Adds the executors behind exits, and those behind theirs, and notes what leads to each.
    pub fn follow_exits(&mut self) {
        while let Some(known) = self.known.get(self.followed) {
            let exits = match &known.executor {
                Ok(executor) => exits_of(executor),
                Err(_) => Vec::new(),
            };
            let parent = known.address;
            for (exit, child) in exits {
                self.add(child, Found::Exit);
                self.note_parent(
                    child,
                    Parent {
                        executor: parent,
                        exit,
                    },
                );
            }
            self.followed += 1;
        }
    }

    /// Every cold exit leads to the same one or two executors; that says nothing.
    fn note_parent(&mut self, child: Address, parent: Parent) {
        if let Some(known) = self.find(child)
            && !known.header.found.contains(&Found::Cold)
        {
            known.header.parents.push(parent);
        }
    }
}

fn exits_of(executor: &Executor) -> Vec<(u32, Address)> {
    (0..)
        .zip(&executor.exits)
        .filter(|(_, exit)| !exit.executor.is_null())
        .map(|(index, exit)| (index, exit.executor))
        .collect()
}
