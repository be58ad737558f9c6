//! Memory read in pages and kept until the target runs: a remote target pays for each read.

use super::{Finding, Memory};
use crate::address::{Address, Range};
use crate::error::Fault;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};

/// The unit of reading: mappings begin and end on it, so a page is readable as a whole or not at all.
const PAGE: u64 = 4096;

/// The same as the length of a slice.
const PAGE_LENGTH: usize = 4096;

/// The longest single request. Debuggers take more, but a wrong length from the target should not cost seconds.
const LONGEST_REQUEST: u64 = 1 << 20;

/// Missing pages this close are fetched in one request: on a network a round trip costs more than 64 KiB.
const CLOSE: u64 = 16;

/// More than is ever asked for at once; ranges from a damaged target may be anything.
const MOST_PREFETCHED: u64 = 4096;

/// Pages that are fetched together, aligned: 16 KiB are one packet of a remote target still.
const BLOCK: u64 = 4;

/// How many pages are kept (64 MiB) before the cache starts anew.
const MOST_PAGES: usize = 16 * 1024;

/// A [`Memory`] that asks the one behind it for whole pages, and for each page once.
pub struct CachedMemory {
    memory: Box<dyn Memory>,
    pages: RefCell<HashMap<u64, Box<[u8]>>>,
    requests: Cell<u64>,
}

impl CachedMemory {
    /// A cache, empty at first, before `memory`.
    pub fn new(memory: Box<dyn Memory>) -> CachedMemory {
        CachedMemory {
            memory,
            pages: RefCell::default(),
            requests: Cell::new(0),
        }
    }

    /// Forgets everything: the target may have changed.
    pub fn clear(&self) {
        self.pages.borrow_mut().clear();
    }

    /// How many requests went to the memory behind this one.
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// Fetches the pages of `[first, last]` that are missing, in one request for each gap.
    fn fetch(&self, first: u64, last: u64) -> Result<(), Fault> {
        let mut page = first;
        while page <= last {
            if self.pages.borrow().contains_key(&page) {
                page += 1;
                continue;
            }
            let end = self.end_of_gap(page, last);
            self.fetch_blocks(page, end)?;
            page = end;
        }
        Ok(())
    }

    /// Fetches the blocks around the pages `[first, end)`: what is needed next is often near. A mapping may end before
    /// the block does, though.
    fn fetch_blocks(&self, first: u64, end: u64) -> Result<(), Fault> {
        self.fetch_gap(first / BLOCK * BLOCK, end.next_multiple_of(BLOCK))
            .or_else(|_| self.fetch_gap(first, end))
    }

    /// One past the last missing page of the gap that begins at `page`.
    fn end_of_gap(&self, page: u64, last: u64) -> u64 {
        let pages = self.pages.borrow();
        let limit = (last + 1).min(page + LONGEST_REQUEST / PAGE);
        (page + 1..limit)
            .find(|next| pages.contains_key(next))
            .unwrap_or(limit)
    }

    fn fetch_gap(&self, first: u64, end: u64) -> Result<(), Fault> {
        let size = usize::try_from((end - first) * PAGE).unwrap_or(0);
        let mut bytes = vec![0; size];
        self.ask(Address(first * PAGE), &mut bytes)?;
        let mut pages = self.pages.borrow_mut();
        if pages.len() > MOST_PAGES {
            pages.clear();
        }
        for (number, page) in (first..end).zip(bytes.chunks_exact(PAGE_LENGTH)) {
            pages.insert(number, page.into());
        }
        Ok(())
    }

    /// The missing pages of these ranges, sorted.
    fn missing(&self, ranges: &[Range]) -> BTreeSet<u64> {
        let pages = self.pages.borrow();
        let mut missing = BTreeSet::new();
        for range in ranges.iter().filter(|range| range.size != 0) {
            let first = range.start.0 / PAGE;
            let last = range.start.0.saturating_add(range.size - 1) / PAGE;
            let last = last.min(first.saturating_add(MOST_PREFETCHED));
            missing.extend((first..=last).filter(|page| !pages.contains_key(page)));
        }
        missing
    }

    fn ask(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        self.requests.set(self.requests.get() + 1);
        self.memory.read(address, into)
    }

    /// Copies what lies in one cached page; `false` if the page is not there.
    fn copy_from_page(&self, address: Address, into: &mut [u8]) -> bool {
        let pages = self.pages.borrow();
        let start = offset_in_page(address);
        let found = pages
            .get(&(address.0 / PAGE))
            .and_then(|page| page.get(start..start + into.len()));
        match found {
            Some(bytes) => {
                into.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    /// Reads without the pages, for a range of which not all pages can be read as a whole (a truncated core).
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
        while done < length.min(LONGEST_REQUEST) {
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
}

fn offset_in_page(address: Address) -> usize {
    usize::try_from(address.0 % PAGE).unwrap_or(0)
}

/// Runs of pages `[first, end)` that contain all of `pages`, with gaps of less than `close` pages filled.
fn runs(pages: &BTreeSet<u64>, close: u64) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for page in pages {
        match runs.last_mut() {
            Some((first, end)) if page - *end < close && page - *first < LONGEST_REQUEST / PAGE => {
                *end = page + 1
            }
            _ => runs.push((*page, page + 1)),
        }
    }
    runs
}

impl Memory for CachedMemory {
    fn findings(&self) -> Vec<Finding> {
        self.memory.findings()
    }

    fn prefetch(&self, ranges: &[Range]) {
        let missing = self.missing(ranges);
        for (first, end) in runs(&missing, CLOSE) {
            // What cannot be read as a whole is read piece by piece when it is needed.
            let _ = self.fetch_blocks(first, end);
        }
    }

    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let length = into.len() as u64;
        if length == 0 {
            return Ok(());
        }
        let Some(last) = address.checked_add(length - 1) else {
            return Err(Fault {
                address,
                length,
                readable: 0,
            });
        };
        if self.fetch(address.0 / PAGE, last.0 / PAGE).is_err() {
            return self.read_directly(address, into);
        }
        let mut at = address;
        let mut rest = into;
        while !rest.is_empty() {
            let size = (PAGE_LENGTH - offset_in_page(at)).min(rest.len());
            let (piece, behind) = rest.split_at_mut(size);
            if !self.copy_from_page(at, piece) {
                // The cache was emptied in between because it was full.
                self.ask(at, piece)?;
            }
            at = at.wrapping_add(size as u64);
            rest = behind;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages 1 and 2 exist, and of page 3 the first 100 bytes; each byte is the low byte of its address.
    struct Small;

    impl Memory for Small {
        fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
            let end = address.0.checked_add(into.len() as u64);
            if address.0 < PAGE || end.is_none_or(|end| end > 3 * PAGE + 100) {
                return Err(Fault {
                    address,
                    length: into.len() as u64,
                    readable: 0,
                });
            }
            for (byte, at) in into.iter_mut().zip(address.0..) {
                *byte = at.to_le_bytes()[0];
            }
            Ok(())
        }
    }

    fn read(memory: &CachedMemory, address: u64, length: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; length];
        memory.read(Address(address), &mut bytes).map(|()| bytes)
    }

    #[test]
    fn asks_once_for_pages_that_lie_together() {
        let memory = CachedMemory::new(Box::new(Small));
        assert_eq!(read(&memory, PAGE + 4090, 10).unwrap()[6..], [0, 1, 2, 3]);
        // The block around them cannot be read, the two pages can.
        assert_eq!(memory.requests(), 2);
        read(&memory, PAGE, 2 * PAGE_LENGTH).unwrap();
        assert_eq!(memory.requests(), 2);
        memory.clear();
        read(&memory, PAGE, 1).unwrap();
        assert_eq!(memory.requests(), 4);
    }

    #[test]
    fn reads_the_block_around_a_page() {
        struct Endless;
        impl Memory for Endless {
            fn read(&self, _: Address, _: &mut [u8]) -> Result<(), Fault> {
                Ok(())
            }
        }
        let memory = CachedMemory::new(Box::new(Endless));
        read(&memory, 5 * PAGE, 8).unwrap();
        read(&memory, 4 * PAGE, 4 * PAGE_LENGTH).unwrap();
        assert_eq!(memory.requests(), 1);
        read(&memory, u64::MAX - 8, 8).unwrap();
        assert_eq!(memory.requests(), 2);
    }

    #[test]
    fn prefetching_fills_small_gaps_in_one_request() {
        let memory = CachedMemory::new(Box::new(Small));
        let range = |page: u64| Range::new(Address(page * PAGE + 8), 16);
        // Two for what is there, and two for what is not: the blocks around them cannot be read.
        memory.prefetch(&[range(2), range(1), range(40)]);
        assert_eq!(memory.requests(), 4);
        read(&memory, PAGE, 2 * PAGE_LENGTH).unwrap();
        assert_eq!(memory.requests(), 4);
        let pages = BTreeSet::from([1, 2, 5, 30, 31]);
        assert_eq!(runs(&pages, 4), [(1, 6), (30, 32)]);
        assert_eq!(runs(&pages, 1), [(1, 3), (5, 6), (30, 32)]);
    }

    #[test]
    fn reads_up_to_the_end_of_a_mapping_that_ends_inside_a_page() {
        let memory = CachedMemory::new(Box::new(Small));
        assert_eq!(read(&memory, 3 * PAGE + 96, 4).unwrap(), [96, 97, 98, 99]);
        assert!(read(&memory, 3 * PAGE + 96, 5).is_err());
    }

    #[test]
    fn a_fault_says_how_much_was_readable() {
        let memory = CachedMemory::new(Box::new(Small));
        let fault = read(&memory, 2 * PAGE + 4000, 4096 * 3).unwrap_err();
        assert_eq!(fault.readable, 96 + PAGE);
        assert_eq!(read(&memory, 0, 1).unwrap_err().readable, 0);
        assert!(read(&memory, u64::MAX, 2).is_err());
    }
}
