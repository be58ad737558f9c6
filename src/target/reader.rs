//! Typed reads, each a whole block, with errors that say what was being read.

use super::Memory;
use crate::address::{Address, Range};
use crate::error::{Error, Result};
use crate::shape::{Field, Shape};
use std::fmt::Display;

/// The largest block that is read at once; no structure, trace or code object of CPython comes near it.
const LARGEST_BLOCK: u64 = 64 << 20;

/// Reads numbers, strings and structures (little-endian, 64 bits: the JIT's platforms).
#[derive(Clone, Copy)]
pub struct Reader<'m> {
    memory: &'m dyn Memory,
}

impl<'m> Reader<'m> {
    /// A reader of `memory`.
    pub fn new(memory: &'m dyn Memory) -> Reader<'m> {
        Reader { memory }
    }

    /// Says that these ranges will be read soon.
    pub fn prefetch(&self, ranges: &[Range]) {
        self.memory.prefetch(ranges);
    }

    /// Whether what cannot have changed is kept from stop to stop.
    pub fn keeps_lasting(&self) -> bool {
        self.memory.keeps_lasting()
    }

    /// Does `read`, whose reads stay the same while the object at `owner` is the same, which `proof` shows: bytes that no
    /// other object has, or none if nothing shows it.
    pub fn lasting<T>(
        &self,
        owner: Address,
        proof: impl FnOnce() -> Option<Vec<u8>>,
        read: impl FnOnce() -> T,
    ) -> T {
        let proof = self.memory.keeps_lasting().then(proof).flatten();
        let Some(proof) = proof else {
            return read();
        };
        self.memory.begin_lasting(owner, &proof);
        let found = read();
        self.memory.end_lasting();
        found
    }

    /// Whether something of the object at `owner` is kept, if it is the same as before.
    pub fn keeps(&self, owner: Address, proof: impl FnOnce() -> Option<Vec<u8>>) -> bool {
        let proof = self.memory.keeps_lasting().then(proof).flatten();
        proof.is_some_and(|proof| {
            let known = self.memory.begin_lasting(owner, &proof);
            self.memory.end_lasting();
            known
        })
    }

    /// `length` bytes at `address`; `what` is named in the error.
    pub fn bytes(&self, address: Address, length: u64, what: impl Display) -> Result<Vec<u8>> {
        let size = usize::try_from(length)
            .ok()
            .filter(|_| length <= LARGEST_BLOCK)
            .ok_or_else(|| Error::Inconsistent {
                what: what.to_string(),
                address,
                reason: format!("{length} bytes are more than it can have"),
            })?;
        let mut bytes = vec![0; size];
        self.memory
            .read(address, &mut bytes)
            .map_err(|fault| Error::Memory {
                fault,
                what: what.to_string(),
            })?;
        Ok(bytes)
    }

    /// The 8 bytes at `address` as a number.
    pub fn u64(&self, address: Address, what: impl Display) -> Result<u64> {
        let mut word = [0; 8];
        self.memory
            .read(address, &mut word)
            .map_err(|fault| Error::Memory {
                fault,
                what: what.to_string(),
            })?;
        Ok(u64::from_le_bytes(word))
    }

    /// The pointer at `address`.
    pub fn pointer(&self, address: Address, what: impl Display) -> Result<Address> {
        self.u64(address, what).map(Address)
    }

    /// `count` pointers at `address`.
    pub fn pointers(
        &self,
        address: Address,
        count: u64,
        what: impl Display,
    ) -> Result<Vec<Address>> {
        let bytes = self.bytes(address, count.saturating_mul(8), what)?;
        Ok(bytes
            .as_chunks::<8>()
            .0
            .iter()
            .map(|word| Address(u64::from_le_bytes(*word)))
            .collect())
    }

    /// The C string at `address`, of at most `limit` bytes; what is no UTF-8 is replaced.
    pub fn c_string(&self, address: Address, limit: usize, what: impl Display) -> Result<String> {
        // Small steps that end on multiples of themselves: the string may end just before an unreadable page.
        const STEP: u64 = 64;
        let mut text = Vec::new();
        while text.len() < limit {
            let at = address.wrapping_add(text.len() as u64);
            let piece = self.bytes(at, STEP - at.0 % STEP, &what)?;
            match memchr::memchr(0, &piece) {
                Some(end) => {
                    text.extend_from_slice(piece.get(..end).unwrap_or_default());
                    break;
                }
                None => text.extend(piece),
            }
        }
        text.truncate(limit);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The structure of this shape at `address`, in one read.
    pub fn record<'s>(&self, address: Address, shape: &'s Shape) -> Result<Record<'s>> {
        let bytes = self.bytes(address, shape.size, &shape.name)?;
        Ok(Record {
            address,
            shape,
            bytes,
        })
    }
}

/// A structure of the target, read as one block.
pub struct Record<'s> {
    /// Where it was read.
    pub address: Address,
    shape: &'s Shape,
    bytes: Vec<u8>,
}

impl Record<'_> {
    /// The unsigned number in the field with this dotted name.
    pub fn unsigned(&self, name: &str) -> Result<u64> {
        let field = self.shape.field(name)?;
        field
            .unsigned(&self.bytes)
            .ok_or_else(|| self.not_a_number(field))
    }

    /// The signed number in the field with this dotted name.
    pub fn signed(&self, name: &str) -> Result<i64> {
        let field = self.shape.field(name)?;
        field
            .signed(&self.bytes)
            .ok_or_else(|| self.not_a_number(field))
    }

    /// The pointer in the field with this dotted name.
    pub fn pointer(&self, name: &str) -> Result<Address> {
        self.unsigned(name).map(Address)
    }

    /// The number in a field that not every CPython has; `None` where it is missing.
    pub fn optional(&self, name: &str) -> Result<Option<u64>> {
        match self.shape.find(name) {
            Some(_) => self.unsigned(name).map(Some),
            None => Ok(None),
        }
    }

    /// Where the field with this dotted name is in the target.
    pub fn address_of(&self, name: &str) -> Result<Address> {
        Ok(self.address.wrapping_add(self.shape.field(name)?.offset))
    }

    fn not_a_number(&self, field: &Field) -> Error {
        Error::Inconsistent {
            what: format!("{}.{}", self.shape.name, field.name),
            address: self.address.wrapping_add(field.offset),
            reason: format!("a field of {} bytes is no number", field.size),
        }
    }
}
