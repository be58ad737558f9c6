//! What a file puts into memory, its pointers relocated: the bytes that a scan looks through.

use super::elf_file::{Elf, ElfFile, Segment};
use crate::address::{Address, Range};
use object::read::Object;
use object::read::RelocationFlags;
use std::borrow::Cow;

/// A pointer of the JIT's platforms, in bytes.
const POINTER: usize = 8;

/// `R_X86_64_RELATIVE` and `R_AARCH64_RELATIVE`: the word is an address of the file itself. (Packed ones, `DT_RELR`,
/// need nothing: their addresses stand in the file already.)
const RELATIVE: [u32; 2] = [8, 1027];

/// The loaded bytes of a file at the addresses of the file.
#[derive(Debug)]
pub struct Content<'file> {
    pieces: Vec<Piece<'file>>,
}

/// One loaded segment.
#[derive(Debug)]
pub struct Piece<'file> {
    /// Where it begins.
    pub start: Address,
    /// Whether it contains code.
    pub executable: bool,
    /// What the file has of it.
    pub bytes: Cow<'file, [u8]>,
}

impl<'file> Content<'file> {
    pub(super) fn new(file: &'file ElfFile, segments: &[Segment]) -> Content<'file> {
        let pieces = segments.iter().filter_map(|segment| {
            let start = usize::try_from(segment.file_offset).ok()?;
            let end = start.checked_add(usize::try_from(segment.file_size).ok()?)?;
            Some(Piece {
                start: segment.memory.start,
                executable: segment.executable,
                bytes: Cow::Borrowed(file.bytes().get(start..end)?),
            })
        });
        let mut content = Content {
            pieces: pieces.collect(),
        };
        if let Ok(elf) = file.elf() {
            content.relocate(&elf);
        }
        content
    }

    /// Writes the addends of relative relocations where they belong.
    fn relocate(&mut self, elf: &Elf<'_>) {
        for (place, relocation) in elf.dynamic_relocations().into_iter().flatten() {
            let RelocationFlags::Elf { r_type } = relocation.flags() else {
                continue;
            };
            if RELATIVE.contains(&r_type.0) {
                self.write(Address(place), relocation.addend());
            }
        }
    }

    fn write(&mut self, address: Address, word: i64) {
        let found = self.pieces.iter_mut().find_map(|piece| {
            let start = piece.offset(address)?;
            let end = start.checked_add(POINTER)?;
            (end <= piece.bytes.len()).then_some((piece, start..end))
        });
        if let Some((piece, range)) = found
            && let Some(place) = piece.bytes.to_mut().get_mut(range)
        {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }

    /// The loaded segments.
    pub fn pieces(&self) -> &[Piece<'file>] {
        &self.pieces
    }

    /// The bytes from `address` to the end of what the file has of its segment; empty where it has none.
    pub fn from(&self, address: Address) -> &[u8] {
        (self.pieces.iter())
            .find_map(|piece| piece.bytes.get(piece.offset(address)?..))
            .unwrap_or_default()
    }

    /// The pointer at `address`.
    pub fn pointer(&self, address: Address) -> Option<Address> {
        let word = self.from(address).first_chunk::<POINTER>()?;
        Some(Address(u64::from_le_bytes(*word)))
    }

    /// The string at `address`, without its end, if it has at most `limit` bytes.
    pub fn c_string(&self, address: Address, limit: usize) -> Option<&[u8]> {
        let bytes = self.from(address);
        let bytes = bytes.get(..limit.min(bytes.len()))?;
        bytes.get(..memchr::memchr(0, bytes)?)
    }

    /// Where these bytes stand.
    pub fn find<'c>(&'c self, needle: &'c [u8]) -> impl Iterator<Item = Address> + 'c {
        self.pieces.iter().flat_map(move |piece| {
            memchr::memmem::find_iter(&piece.bytes, needle)
                .filter_map(|offset| piece.start.checked_add(u64::try_from(offset).ok()?))
        })
    }

    /// Where a string stands, maybe as the end of a longer one: linkers put them into one.
    pub fn find_string(&self, text: &str) -> impl Iterator<Item = Address> + '_ {
        let needle = [text.as_bytes(), b"\0"].concat();
        self.pieces.iter().flat_map(move |piece| {
            let found: Vec<usize> = memchr::memmem::find_iter(&piece.bytes, &needle).collect();
            (found.into_iter())
                .filter_map(|offset| piece.start.checked_add(u64::try_from(offset).ok()?))
        })
    }

    /// Where pointers to `address` stand, at multiples of their size.
    pub fn find_pointers(&self, address: Address) -> Vec<Address> {
        (self.find(&address.0.to_le_bytes()))
            .filter(|place| place.0.is_multiple_of(POINTER as u64))
            .collect()
    }

    /// From the first byte to the last of all segments that contain code.
    pub fn code(&self) -> Range {
        let code = || self.pieces.iter().filter(|piece| piece.executable);
        let start = code().map(|piece| piece.start).min().unwrap_or_default();
        let end = code().map(Piece::end).max().unwrap_or_default();
        Range::new(start, end.offset_from(start).unwrap_or(0))
    }

    /// Whether `address` is in a segment that contains code.
    pub fn is_executable(&self, address: Address) -> bool {
        self.pieces.iter().any(|piece| {
            piece.executable
                && piece
                    .offset(address)
                    .is_some_and(|at| at < piece.bytes.len())
        })
    }
}

impl Piece<'_> {
    fn end(&self) -> Address {
        self.start
            .wrapping_add(u64::try_from(self.bytes.len()).unwrap_or(0))
    }

    /// The words at multiples of the size of a pointer, with their addresses.
    pub fn words(&self) -> impl Iterator<Item = (Address, Address)> + '_ {
        let skip = self.start.0.wrapping_neg() % POINTER as u64;
        let aligned = usize::try_from(skip)
            .ok()
            .and_then(|skip| self.bytes.get(skip..));
        let words = aligned.unwrap_or_default().as_chunks::<POINTER>().0;
        (0..).zip(words).map(move |(index, word)| {
            let offset = skip.wrapping_add(POINTER as u64 * index);
            let word = Address(u64::from_le_bytes(*word));
            (self.start.wrapping_add(offset), word)
        })
    }

    fn offset(&self, address: Address) -> Option<usize> {
        let offset = usize::try_from(address.offset_from(self.start)?).ok()?;
        (offset < self.bytes.len()).then_some(offset)
    }
}
