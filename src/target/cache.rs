//! Memory read in units and kept until the target runs: a remote target pays for each read.

use super::habit::Habit;
use super::lasting::Lasting;
use super::transfer::{PAGE, Transfer};
use super::{Finding, Memory};
use crate::address::{Address, Range};
use crate::error::Fault;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops;

/// The longest range of which is told how much of it could be read.
const LONGEST_FAULT: u64 = 1 << 20;

/// More is never asked for at once (16 MiB); ranges from a damaged target may be anything.
const MOST_PREFETCHED: u64 = 16 << 20;

/// How much is kept (64 MiB) before the cache starts anew.
const MOST_KEPT: u64 = 64 << 20;

/// More ends of mappings than a process has near what is read.
const MOST_EDGES: usize = 1 << 16;

/// A [`Memory`] that asks the one behind it for whole units, pages where nothing else is known, and for each once.
pub struct CachedMemory {
    memory: Box<dyn Memory>,
    transfer: Transfer,
    units: RefCell<HashMap<u64, Box<[u8]>>>,
    /// Pages that cannot be read; empty where a part of a page may be there (a truncated core).
    unreadable: RefCell<BTreeSet<u64>>,
    /// Where mappings ended, so that blocks from here on could not be read: not asked for in vain again.
    edges: RefCell<HashSet<u64>>,
    /// What was needed at earlier stops; only where a request is dear.
    habit: Option<RefCell<Habit>>,
    /// What a stop does not make unknown; only where a request is dear.
    lasting: Option<RefCell<Lasting>>,
    requests: Cell<u64>,
}

impl CachedMemory {
    /// A cache, empty at first, before `memory`.
    pub fn new(memory: Box<dyn Memory>) -> CachedMemory {
        CachedMemory {
            memory,
            transfer: Transfer::NEAR,
            units: RefCell::default(),
            unreadable: RefCell::default(),
            edges: RefCell::default(),
            habit: None,
            lasting: None,
            requests: Cell::new(0),
        }
    }

    /// The same before the memory of a process at the other end of a connection, each packet of which brings up to so
    /// many bytes.
    pub fn remote(memory: Box<dyn Memory>, packet: u64) -> CachedMemory {
        CachedMemory {
            transfer: Transfer::of_packets(packet),
            habit: Some(RefCell::default()),
            lasting: Some(RefCell::default()),
            ..CachedMemory::new(memory)
        }
    }

    /// Forgets what the target may have changed.
    pub fn clear(&self) {
        self.units.borrow_mut().clear();
        self.unreadable.borrow_mut().clear();
    }

    /// Forgets everything: somebody else has written into the target.
    pub fn clear_all(&self) {
        self.clear();
        if let Some(lasting) = &self.lasting {
            *lasting.borrow_mut() = Lasting::default();
        }
    }

    /// How many requests went to the memory behind this one.
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// Fetches the units of `[first, last]` that are missing, in one request for each gap.
    fn fetch(&self, first: u64, last: u64) -> Result<(), Fault> {
        let mut unit = first;
        while unit <= last {
            if self.units.borrow().contains_key(&unit) {
                unit += 1;
                continue;
            }
            let end = self.end_of_gap(unit, last);
            self.fetch_around(unit..end)?;
            unit = end;
        }
        Ok(())
    }

    /// Fetches these missing units with what lies around them, or if that cannot be read, with what must be there.
    fn fetch_around(&self, missing: ops::Range<u64>) -> Result<(), Fault> {
        let (around, close) = (self.habitual(&missing), self.transfer.close_to(&missing));
        if around == close {
            return self.fetch_gap(close);
        }
        if !self.is_edge(around.start) {
            let found = self.fetch_gap(around.clone());
            if found.is_ok() {
                return found;
            }
            self.note_edge(around.start);
        }
        self.fetch_gap(close)
    }

    /// What to fetch around these missing units: on a connection, so that most of what was needed at earlier stops comes
    /// along.
    fn habitual(&self, missing: &ops::Range<u64>) -> ops::Range<u64> {
        let usual = self.transfer.around(missing);
        let Some(habit) = &self.habit else {
            return usual;
        };
        let (units, edges) = (self.units.borrow(), self.edges.borrow());
        let best = habit
            .borrow()
            .best(missing, usual.clone(), |unit| units.contains_key(&unit));
        match edges.contains(&best.start) {
            true => usual,
            false => best,
        }
    }

    /// Whether what lies around this could not be read at an earlier time. Most mappings stay where they are.
    fn is_edge(&self, start: u64) -> bool {
        self.edges.borrow().contains(&start)
    }

    fn note_edge(&self, start: u64) {
        let mut edges = self.edges.borrow_mut();
        if edges.len() >= MOST_EDGES {
            edges.clear();
        }
        edges.insert(start);
    }

    /// One past the last missing unit of the gap that begins at `unit`.
    fn end_of_gap(&self, unit: u64, last: u64) -> u64 {
        let units = self.units.borrow();
        let limit = (last + 1).min(self.transfer.longest(unit));
        (unit + 1..limit)
            .find(|next| units.contains_key(next))
            .unwrap_or(limit)
    }

    fn fetch_gap(&self, gap: ops::Range<u64>) -> Result<(), Fault> {
        let unit = self.transfer.unit;
        let length = (gap.end - gap.start) * unit;
        let size = usize::try_from(length).unwrap_or(0);
        let mut bytes = vec![0; size];
        self.ask(Address(gap.start.saturating_mul(unit)), &mut bytes)?;
        let mut units = self.units.borrow_mut();
        if units.len() as u64 > MOST_KEPT / unit {
            units.clear();
        }
        let step = usize::try_from(unit).unwrap_or(1);
        for (number, piece) in gap.zip(bytes.chunks_exact(step)) {
            units.insert(number, piece.into());
        }
        Ok(())
    }

    /// The missing units of these ranges, sorted.
    fn missing(&self, ranges: &[Range]) -> BTreeSet<u64> {
        let units = self.units.borrow();
        let mut missing = BTreeSet::new();
        for range in ranges.iter().filter(|range| range.size != 0) {
            let (first, last) = self
                .transfer
                .units(range.start.0, range.size.min(MOST_PREFETCHED));
            missing.extend((first..=last).filter(|unit| !units.contains_key(unit)));
        }
        missing
    }

    /// Runs of units that contain all of these, with small gaps filled.
    fn runs(&self, units: &BTreeSet<u64>) -> Vec<ops::Range<u64>> {
        let mut runs: Vec<ops::Range<u64>> = Vec::new();
        for unit in units {
            match runs.last_mut() {
                Some(run) if self.transfer.joins(run, *unit) => run.end = unit + 1,
                _ => runs.push(*unit..unit + 1),
            }
        }
        runs
    }

    /// Asks the memory behind. Where a page of a process is not there, it is not asked for again.
    fn ask(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let length = into.len() as u64;
        let pages = address.0 / PAGE..=address.0.saturating_add(length.max(1) - 1) / PAGE;
        if self
            .unreadable
            .borrow()
            .range(pages.clone())
            .next()
            .is_some()
        {
            return Err(Fault {
                address,
                length,
                readable: 0,
            });
        }
        self.requests.set(self.requests.get() + 1);
        let result = self.memory.read(address, into);
        if result.is_err() && self.lasting.is_some() && pages.start() == pages.end() {
            self.unreadable.borrow_mut().insert(*pages.start());
        }
        result
    }

    /// Copies what lies in one cached unit; `false` if the unit is not there.
    fn copy_from_unit(&self, address: Address, into: &mut [u8]) -> bool {
        let units = self.units.borrow();
        let start = self.offset_in_unit(address);
        let found = units
            .get(&(address.0 / self.transfer.unit))
            .and_then(|unit| unit.get(start..start + into.len()));
        match found {
            Some(bytes) => {
                into.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    fn offset_in_unit(&self, address: Address) -> usize {
        usize::try_from(address.0 % self.transfer.unit).unwrap_or(0)
    }

    /// Reads without the units, for a range of which not all can be read as a whole (a truncated core).
    fn read_directly(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        self.ask(address, into).map_err(|_| Fault {
            address,
            length: into.len() as u64,
            readable: self.readable(address, into.len() as u64),
        })
    }

    /// How many bytes at `address` can be read, to the page.
    fn readable(&self, address: Address, length: u64) -> u64 {
        let mut done = 0;
        while done < length.min(LONGEST_FAULT) {
            let at = address.wrapping_add(done);
            let step = (PAGE - at.0 % PAGE).min(length - done);
            let mut probe = [0];
            if self.ask(at, &mut probe).is_err() {
                break;
            }
            done += step;
        }
        done.min(length)
    }

    /// Reads through the cache.
    fn read_units(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let length = into.len() as u64;
        if address.checked_add(length - 1).is_none() {
            return Err(Fault {
                address,
                length,
                readable: 0,
            });
        }
        let (first, last) = self.transfer.units(address.0, length);
        if self.fetch(first, last).is_err() {
            return self.read_directly(address, into);
        }
        if let Some(habit) = &self.habit {
            habit.borrow_mut().note(first..last + 1);
        }
        let whole = usize::try_from(self.transfer.unit).unwrap_or(1);
        let mut at = address;
        let mut rest = into;
        while !rest.is_empty() {
            let size = (whole - self.offset_in_unit(at)).min(rest.len());
            let (piece, behind) = rest.split_at_mut(size);
            if !self.copy_from_unit(at, piece) {
                // The cache was emptied in between because it was full.
                self.ask(at, piece)?;
            }
            at = at.wrapping_add(size as u64);
            rest = behind;
        }
        Ok(())
    }

    /// Copies what was read at an earlier stop and is proved to be the same; `false` if there is none.
    fn copy_from_lasting(&self, address: Address, into: &mut [u8]) -> bool {
        let lasting = self.lasting.as_ref().map(RefCell::borrow);
        let found = lasting
            .as_ref()
            .and_then(|all| all.get(address, into.len()));
        found.is_some_and(|bytes| {
            into.copy_from_slice(bytes);
            true
        })
    }
}

impl Memory for CachedMemory {
    fn findings(&self) -> Vec<Finding> {
        self.memory.findings()
    }

    fn prefetch(&self, ranges: &[Range]) {
        if self
            .lasting
            .as_ref()
            .is_some_and(|all| all.borrow().knows())
        {
            return;
        }
        let missing = self.missing(ranges);
        for run in self.runs(&missing) {
            // What cannot be read as a whole is read piece by piece when it is needed.
            let _ = self.fetch_around(run);
        }
    }

    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        if into.is_empty() || self.copy_from_lasting(address, into) {
            return Ok(());
        }
        self.read_units(address, into)?;
        if let Some(lasting) = &self.lasting {
            lasting.borrow_mut().note(address, into);
        }
        Ok(())
    }

    fn keeps_lasting(&self) -> bool {
        self.lasting.is_some()
    }

    fn begin_lasting(&self, owner: Address, proof: &[u8]) -> bool {
        let Some(lasting) = &self.lasting else {
            return false;
        };
        let mut lasting = lasting.borrow_mut();
        lasting.begin(owner, proof);
        lasting.knows()
    }

    fn end_lasting(&self) {
        if let Some(lasting) = &self.lasting {
            lasting.borrow_mut().end();
        }
    }
}

#[cfg(test)]
mod tests;
