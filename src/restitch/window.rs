//! A piece of memory that emitters may write.

use super::Tag;

/// Bytes from an address on, each with its origins; zero at first.
#[derive(Clone, Debug)]
pub struct Window {
    /// Where it begins.
    pub base: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their origins.
    pub tags: Vec<Tag>,
}

impl Window {
    /// A window of `size` bytes at `base`.
    pub fn new(base: u64, size: usize) -> Window {
        Window {
            base,
            bytes: vec![0; size],
            tags: vec![Tag::BODY; size],
        }
    }

    /// The place of `length` bytes at `address` in it, if all are.
    pub fn place(&self, address: u64, length: usize) -> Option<usize> {
        let start = usize::try_from(address.wrapping_sub(self.base)).ok()?;
        let end = start.checked_add(length)?;
        (end <= self.bytes.len()).then_some(start)
    }

    /// The bytes at a place and their origins.
    pub fn get(&self, place: usize, length: usize) -> Option<(&[u8], &[Tag])> {
        let end = place.checked_add(length)?;
        Some((self.bytes.get(place..end)?, self.tags.get(place..end)?))
    }

    /// The same, to be written.
    pub fn get_mut(&mut self, place: usize, length: usize) -> Option<(&mut [u8], &mut [Tag])> {
        let end = place.checked_add(length)?;
        Some((
            self.bytes.get_mut(place..end)?,
            self.tags.get_mut(place..end)?,
        ))
    }
}
