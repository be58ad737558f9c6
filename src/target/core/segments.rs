//! The pieces of memory that a core describes, and which bytes of them it holds.

use crate::address::{Address, Range};
use object::LittleEndian;
use object::elf::{PF_W, PT_LOAD, ProgramHeader64};
use object::read::elf::ProgramHeader;

/// A piece of the memory of the process (`PT_LOAD`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Where it was.
    pub range: Range,
    /// Where its bytes begin in the core.
    pub offset: u64,
    /// How many bytes of it the core holds, from its start. The kernel leaves out what the files hold that were mapped
    /// there; what is left out is not zero.
    pub held: u64,
    /// How many it should hold. In a truncated core these are more.
    pub promised: u64,
    /// Whether the process could write to it.
    pub writable: bool,
}

/// All of them, by address.
#[derive(Debug, Default)]
pub struct Segments {
    sorted: Vec<Segment>,
}

impl Segments {
    /// The segments of these headers in a core of `size` bytes.
    pub fn new<'h>(
        headers: impl Iterator<Item = &'h ProgramHeader64<LittleEndian>>,
        size: u64,
    ) -> Segments {
        let loads = headers.filter(|header| header.p_type(LittleEndian) == PT_LOAD);
        let mut sorted: Vec<Segment> = loads.map(|header| segment(header, size)).collect();
        sorted.sort_by_key(|segment| segment.range.start);
        // Of two that overlap, which only damage brings about, each address belongs to the one that begins nearer.
        let starts: Vec<Address> = sorted.iter().map(|segment| segment.range.start).collect();
        for (segment, next) in sorted.iter_mut().zip(starts.iter().skip(1)) {
            let room = next.offset_from(segment.range.start).unwrap_or(0);
            segment.range.size = segment.range.size.min(room);
            segment.held = segment.held.min(room);
        }
        Segments { sorted }
    }

    /// The segment that contains `address`.
    pub fn at(&self, address: Address) -> Option<&Segment> {
        let behind = self
            .sorted
            .partition_point(|segment| segment.range.start <= address);
        let segment = self.sorted.get(behind.checked_sub(1)?)?;
        segment.range.contains(address).then_some(segment)
    }

    /// All, by address.
    pub fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.sorted.iter()
    }

    /// How many bytes are missing at the end of the file, by what the segments promise.
    pub fn cut_off(&self) -> u64 {
        let missing = self.sorted.iter();
        missing.fold(0, |sum: u64, segment| {
            sum.saturating_add(segment.promised.saturating_sub(segment.held))
        })
    }
}

fn segment(header: &ProgramHeader64<LittleEndian>, size: u64) -> Segment {
    let offset = header.p_offset(LittleEndian);
    let start = Address(header.p_vaddr(LittleEndian));
    // Nothing reaches beyond the end of the address space.
    let room = u64::MAX - start.0;
    let memory = header.p_memsz(LittleEndian).min(room);
    let promised = header.p_filesz(LittleEndian).min(memory);
    Segment {
        range: Range::new(start, memory),
        offset,
        held: promised.min(size.saturating_sub(offset)),
        promised,
        writable: header.p_flags(LittleEndian).contains(PF_W),
    }
}
