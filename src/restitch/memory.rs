//! The memory of the target as emitters see it: read only, code and constants first.

use super::Stop;
use crate::address::Address;
use crate::target::Reader;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Memory beside the pieces is fetched and kept in pages.
const PAGE: u64 = 4096;

/// More pages than emitters ever read (3.15: some thirty); a wrong pointer in a loop ends here.
const MOST_PAGES: usize = 4096;

/// The longest instruction that there is (x86-64: 15 bytes).
const LONGEST_INSTRUCTION: usize = 16;

/// Bytes that do not change, at their address in the target.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'m> {
    /// Where they are.
    pub start: Address,
    /// The bytes.
    pub bytes: &'m [u8],
    /// Whether they are code.
    pub executable: bool,
}

/// Read-only memory.
pub struct Memory<'m> {
    pieces: Vec<Piece<'m>>,
    /// For what is in no piece: relocated pointers, for example.
    reader: Option<Reader<'m>>,
    /// `None` for pages that cannot be read.
    pages: RefCell<HashMap<u64, Option<Rc<[u8]>>>>,
    last: RefCell<Option<(u64, Rc<[u8]>)>>,
}

impl<'m> Memory<'m> {
    /// These pieces, and behind them what `reader` has. Of pieces that overlap the first one counts, so what is read
    /// most should stand first: code.
    pub fn new(pieces: Vec<Piece<'m>>, reader: Option<Reader<'m>>) -> Memory<'m> {
        Memory {
            pieces,
            reader,
            pages: RefCell::default(),
            last: RefCell::default(),
        }
    }

    /// Fills `into` with the bytes at `address`.
    ///
    /// # Errors
    /// [`Stop::NoMemory`] if not all can be read.
    pub fn read(&self, address: u64, into: &mut [u8]) -> Result<(), Stop> {
        if let Some(bytes) = self.in_piece(address, into.len()) {
            into.copy_from_slice(bytes);
            return Ok(());
        }
        self.read_pages(address, into).ok_or(Stop::NoMemory {
            address: Address(address),
            length: into.len(),
        })
    }

    /// The bytes of the instruction at `address` and maybe some behind it: how many there are.
    ///
    /// # Errors
    /// [`Stop::BadCall`] if there is no code.
    pub fn fetch(&self, address: u64, into: &mut [u8; LONGEST_INSTRUCTION]) -> Result<usize, Stop> {
        for length in (1..=LONGEST_INSTRUCTION).rev() {
            if let Some(to) = into.get_mut(..length)
                && self.read(address, to).is_ok()
            {
                return Ok(length);
            }
        }
        Err(Stop::BadCall {
            address: Address(address),
        })
    }

    fn in_piece(&self, address: u64, length: usize) -> Option<&[u8]> {
        self.pieces.iter().find_map(|piece| {
            let start = usize::try_from(address.wrapping_sub(piece.start.0)).ok()?;
            piece.bytes.get(start..start.checked_add(length)?)
        })
    }

    fn read_pages(&self, address: u64, into: &mut [u8]) -> Option<()> {
        let mut at = address;
        let mut rest = into;
        // Each turn fills a piece of `rest` or ends.
        while !rest.is_empty() {
            let within = usize::try_from(at % PAGE).ok()?;
            let room = usize::try_from(PAGE).ok()?.checked_sub(within)?;
            let size = room.min(rest.len());
            let (piece, behind) = rest.split_at_mut(size);
            self.read_page(at, within, piece)?;
            at = at.checked_add(u64::try_from(size).ok()?)?;
            rest = behind;
        }
        Some(())
    }

    fn read_page(&self, at: u64, within: usize, into: &mut [u8]) -> Option<()> {
        let number = at / PAGE;
        let same = |last: &(u64, Rc<[u8]>)| (last.0 == number).then(|| last.1.clone());
        let known = self.last.borrow().as_ref().and_then(same);
        let page = match known {
            Some(page) => page,
            None => self.page(number)?,
        };
        into.copy_from_slice(page.get(within..within.checked_add(into.len())?)?);
        *self.last.borrow_mut() = Some((number, page));
        Some(())
    }

    fn page(&self, number: u64) -> Option<Rc<[u8]>> {
        let mut pages = self.pages.borrow_mut();
        if let Some(page) = pages.get(&number) {
            return page.clone();
        }
        if pages.len() >= MOST_PAGES {
            return None;
        }
        let start = Address(number.checked_mul(PAGE)?);
        let read = self.reader?.bytes(start, PAGE, "memory of an emitter").ok();
        let page: Option<Rc<[u8]>> = read.map(Into::into);
        pages.insert(number, page.clone());
        page
    }
}
