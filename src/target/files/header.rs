//! What the header of an ELF file says of it, read from the file or from where it is loaded.

use crate::address::{Address, Range};
use crate::target::Memory;
use object::LittleEndian;
use object::elf::{
    ELF_NOTE_GNU, ET_EXEC, FileHeader64, NT_GNU_BUILD_ID, PF_W, PT_LOAD, PT_NOTE, ProgramHeader64,
};
use object::read::elf::{FileHeader, NoteIterator, ProgramHeader};
use std::fmt::Write as _;

/// The unit in which files are mapped; where pages are larger, the last pages of segments count as not known.
pub(super) const PAGE: u64 = 4096;

/// The header and the program headers of every linker fit.
const HEADER_WORDS: usize = 512;

/// Real notes have some hundred bytes.
const LONGEST_NOTES: u64 = 64 << 10;

/// No file has more than some twenty program headers.
const MOST_HEADERS: usize = 128;

/// The longest that linkers write has 32 bytes.
const LONGEST_BUILD_ID: usize = 64;

/// A loaded piece of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Load {
    pub offset: u64,
    pub address: u64,
    pub file_size: u64,
    pub writable: bool,
}

impl Load {
    /// Where the first page of it lies in the file.
    pub(super) fn first_page(&self) -> u64 {
        self.offset / PAGE * PAGE
    }

    /// The pages that it takes from the file.
    pub(super) fn pages(&self, bias: u64) -> Range {
        let start = self.address / PAGE * PAGE;
        let end = self.address.saturating_add(self.file_size);
        let end = end.checked_next_multiple_of(PAGE).unwrap_or(end);
        Range::new(Address(start.wrapping_add(bias)), end.saturating_sub(start))
    }
}

/// What is needed of an ELF file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub fixed: bool,
    pub entry: u64,
    pub loads: Vec<Load>,
    notes: Vec<Notes>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Notes {
    offset: u64,
    address: u64,
    size: u64,
    align: u64,
}

impl Header {
    /// The header of the ELF file whose first byte is at `base` in memory.
    pub(super) fn in_memory(memory: &dyn Memory, base: Address) -> Option<Header> {
        let mut words = [0u64; HEADER_WORDS];
        memory
            .read(base, object::pod::bytes_of_slice_mut(&mut words))
            .ok()?;
        Header::parse(object::pod::bytes_of_slice(&words))
    }

    /// The header at the start of these bytes.
    pub(super) fn parse(bytes: &[u8]) -> Option<Header> {
        let header = FileHeader64::<LittleEndian>::parse(bytes).ok()?;
        if !header.is_little_endian() {
            return None;
        }
        let all = header.program_headers(LittleEndian, bytes).ok()?;
        let all = all.iter().take(MOST_HEADERS);
        let of_kind = |kind| {
            all.clone()
                .filter(move |one| one.p_type(LittleEndian) == kind)
        };
        Some(Header {
            fixed: header.e_type(LittleEndian) == ET_EXEC,
            entry: header.e_entry(LittleEndian),
            loads: of_kind(PT_LOAD).map(load).collect(),
            notes: of_kind(PT_NOTE).map(notes).collect(),
        })
    }

    /// Address in memory less address in the file, for a file whose first byte is at `base` in memory.
    pub(super) fn bias(&self, base: Address) -> Option<u64> {
        if self.fixed {
            return Some(0);
        }
        let first = self.loads.iter().find(|load| load.offset < PAGE)?;
        Some(
            base.0
                .wrapping_sub(first.address.wrapping_sub(first.offset)),
        )
    }

    /// The build id in memory.
    pub(super) fn build_id_in_memory(&self, memory: &dyn Memory, bias: u64) -> Option<String> {
        self.notes.iter().find_map(|notes| {
            let size = usize::try_from(notes.size.min(LONGEST_NOTES)).ok()?;
            let mut bytes = vec![0; size];
            let at = Address(notes.address.wrapping_add(bias));
            memory.read(at, &mut bytes).ok()?;
            build_id(&bytes, notes.align)
        })
    }

    /// The build id in the bytes of the file.
    pub(super) fn build_id_in_file(&self, file: &[u8]) -> Option<String> {
        self.notes.iter().find_map(|notes| {
            let start = usize::try_from(notes.offset).ok()?;
            let size = usize::try_from(notes.size.min(LONGEST_NOTES)).ok()?;
            build_id(file.get(start..start.checked_add(size)?)?, notes.align)
        })
    }

    /// Whether the page at this address of the file is loaded from it and cannot be written to by the program: then
    /// memory has what the file has. Relocated pages that are write-protected later belong to writable pieces.
    pub(super) fn is_constant(&self, address: u64) -> bool {
        let mut constant = self.loads.iter().filter(|load| !load.writable);
        constant.any(|load| load.pages(0).contains(Address(address)))
    }
}

fn load(header: &ProgramHeader64<LittleEndian>) -> Load {
    Load {
        offset: header.p_offset(LittleEndian),
        address: header.p_vaddr(LittleEndian),
        file_size: header.p_filesz(LittleEndian),
        writable: header.p_flags(LittleEndian).contains(PF_W),
    }
}

fn notes(header: &ProgramHeader64<LittleEndian>) -> Notes {
    Notes {
        offset: header.p_offset(LittleEndian),
        address: header.p_vaddr(LittleEndian),
        size: header.p_filesz(LittleEndian),
        align: header.p_align(LittleEndian),
    }
}

fn build_id(notes: &[u8], align: u64) -> Option<String> {
    let mut notes =
        NoteIterator::<FileHeader64<LittleEndian>>::new(LittleEndian, align, notes).ok()?;
    // Ends: each note takes twelve bytes at least.
    while let Ok(Some(note)) = notes.next() {
        if note.name() == ELF_NOTE_GNU && note.n_type(LittleEndian) == NT_GNU_BUILD_ID {
            let id = note.desc().iter().take(LONGEST_BUILD_ID);
            return Some(id.fold(String::new(), |mut text, byte| {
                // Writing to a string cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            }));
        }
    }
    None
}
