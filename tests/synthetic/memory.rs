//! The memory of a synthetic target: a few segments; anything else faults.

use cpyjit::address::Address;
use cpyjit::error::Fault;
use cpyjit::target::{Evaluate, Memory};
use std::collections::HashMap;

const PAGE: u64 = 4096;

/// Bytes at an address, of which pieces are handed out.
pub struct Segment {
    pub base: u64,
    pub bytes: Vec<u8>,
}

impl Segment {
    pub fn new(base: u64) -> Segment {
        Segment {
            base,
            bytes: Vec::new(),
        }
    }

    /// Where `size` bytes lie that nothing else uses; all zero.
    pub fn take(&mut self, size: u64, align: u64) -> u64 {
        let start = (self.bytes.len() as u64).next_multiple_of(align);
        self.bytes.resize((start + size) as usize, 0);
        self.base + start
    }

    /// Makes the segment end with a page.
    fn whole_pages(mut self) -> Segment {
        let size = (self.bytes.len() as u64).next_multiple_of(PAGE);
        self.bytes.resize(size as usize, 0);
        self
    }
}

/// All segments.
#[derive(Default)]
pub struct Segments {
    all: Vec<Segment>,
}

impl Segments {
    pub fn add(&mut self, segment: Segment) {
        self.all.push(segment.whole_pages());
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.all.iter()
    }

    /// Overwrites bytes that exist.
    pub fn put(&mut self, address: u64, bytes: &[u8]) {
        let place = self.slice(address, bytes.len());
        place.copy_from_slice(bytes);
    }

    pub fn put_u64(&mut self, address: u64, value: u64) {
        self.put(address, &value.to_le_bytes());
    }

    /// The bytes there, to be changed.
    pub fn slice(&mut self, address: u64, length: usize) -> &mut [u8] {
        let found = self.all.iter_mut().find_map(|segment| {
            let start = address.checked_sub(segment.base)? as usize;
            segment.bytes.get_mut(start..start + length)
        });
        found.unwrap_or_else(|| panic!("the maker writes outside all segments: {address:#x}"))
    }
}

impl Memory for Segments {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let found = self.all.iter().find_map(|segment| {
            let start = usize::try_from(address.0.checked_sub(segment.base)?).ok()?;
            segment.bytes.get(start..start.checked_add(into.len())?)
        });
        match found {
            Some(bytes) => {
                into.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(Fault {
                address,
                length: into.len() as u64,
                readable: 0,
            }),
        }
    }
}

/// A debugger that knows the values that the description gives.
#[derive(Default)]
pub struct Expressions(pub HashMap<String, u64>);

impl Evaluate for Expressions {
    fn evaluate(&self, expression: &str) -> Result<Address, String> {
        match self.0.get(expression) {
            Some(value) => Ok(Address(*value)),
            None => Err(format!("No symbol \"{expression}\" in current context.\n")),
        }
    }
}
