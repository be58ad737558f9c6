//! ELF core dumps, mapped into memory and read where they are asked for something.

mod decompress;
#[cfg(test)]
pub(in crate::target) mod maker;
mod notes;
mod segments;
#[cfg(test)]
mod tests;

pub use notes::{Notes, Thread};
pub use segments::Segment;

use super::memory::fill;
use super::{Finding, Memory};
use crate::address::Address;
use crate::error::{Error, Fault};
use crate::platform::Architecture;
use decompress::Compression;
use memmap2::Mmap;
use object::LittleEndian;
use object::elf::{ET_CORE, FileHeader64, PT_NOTE, ProgramHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use segments::Segments;
use std::fmt;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;

/// As many as `vm.max_map_count` is ever set to.
const MOST_SEGMENTS: usize = 1 << 20;

/// Notes beyond this are not read: 65,536 threads with all their vector registers have less.
const MOST_NOTES: u64 = 512 << 20;

/// A core dump.
#[derive(Debug)]
pub struct Core {
    bytes: Bytes,
    architecture: Architecture,
    segments: Segments,
    notes: Notes,
    findings: Vec<Finding>,
}

impl Core {
    /// Maps a core. A compressed one (gzip, xz, Zstandard, LZ4) is unpacked first, into a file without a name in the
    /// directory for temporary files; `progress` is told how many bytes there are so far.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read or is no core of x86-64 or AArch64. What is damaged or cut off is no
    /// error but a [finding](Core::findings).
    pub fn open(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Core, Error> {
        let refuse = |reason: String| Error::File {
            path: path.to_owned(),
            reason,
        };
        let map = map(path).map_err(refuse)?;
        let Some(compression) = Compression::of(&map) else {
            return Core::new(Bytes::Mapped(map), None).map_err(refuse);
        };
        let (unpacked, finding) =
            decompress::decompress(&map, compression, progress).map_err(refuse)?;
        Core::new(Bytes::Mapped(unpacked), finding).map_err(refuse)
    }

    /// The core with these bytes, which are not compressed.
    ///
    /// # Errors
    /// A sentence that says why they are no core that can be read.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Core, String> {
        Core::new(Bytes::Owned(bytes), None)
    }

    fn new(bytes: Bytes, finding: Option<Finding>) -> Result<Core, String> {
        let (header, architecture) = header(&bytes)?;
        let mut findings = Vec::from_iter(finding);
        let headers = program_headers(header, &bytes, &mut findings);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let segments = Segments::new(headers.iter(), size);
        let mut notes = Notes::default();
        for header in headers
            .iter()
            .filter(|one| one.p_type(LittleEndian) == PT_NOTE)
        {
            findings.extend(notes.add(
                held(
                    &bytes,
                    header.p_offset(LittleEndian),
                    header.p_filesz(LittleEndian).min(MOST_NOTES),
                ),
                header.p_align(LittleEndian),
                architecture,
            ));
        }
        findings.extend(missing(&segments, &notes));
        Ok(Core {
            architecture,
            segments,
            notes,
            findings,
            bytes,
        })
    }

    /// The machine.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// What the notes tell.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// The thread with this id; without one, the thread that crashed.
    pub fn thread(&self, id: Option<u64>) -> Option<&Thread> {
        let mut threads = self.notes.threads.iter();
        threads.find(|thread| id.is_none_or(|id| thread.id == id))
    }

    /// What is damaged or cut off.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The pieces of memory that the core describes, by address.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter()
    }

    /// The segment that contains `address`.
    pub fn segment(&self, address: Address) -> Option<&Segment> {
        self.segments.at(address)
    }

    /// The bytes that the core holds from `address` to the end of its segment; none if it holds none.
    pub fn held_at(&self, address: Address) -> &[u8] {
        let found = self.segments.at(address).and_then(|segment| {
            let within = address.offset_from(segment.range.start)?;
            let length = segment.held.checked_sub(within)?;
            Some(held(
                &self.bytes,
                segment.offset.checked_add(within)?,
                length,
            ))
        });
        found.unwrap_or_default()
    }
}

impl Memory for Core {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        fill(address, into, |at| self.held_at(at))
    }

    fn findings(&self) -> Vec<Finding> {
        self.findings.clone()
    }
}

/// The bytes of a core.
enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

/// Maps a regular file.
pub(in crate::target) fn map(path: &Path) -> Result<Mmap, String> {
    let metadata = path.metadata().map_err(|error| error.to_string())?;
    // Opening a named pipe would wait for its writer.
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    // SAFETY: the map is read-only. Somebody who shortens the file while it is mapped kills us, which does no harm.
    unsafe { Mmap::map(&file) }.map_err(|error| error.to_string())
}

fn header(bytes: &[u8]) -> Result<(&FileHeader64<LittleEndian>, Architecture), String> {
    if bytes.is_empty() {
        return Err(
            "it is empty: the disk was full, or the limit of core files (ulimit -c) is 0"
                .to_owned(),
        );
    }
    if bytes.starts_with(b"MDMP") {
        return Err(
            "it is a minidump; ELF cores are read (ulimit -c unlimited, or gcore PID)".to_owned(),
        );
    }
    let header = FileHeader64::<LittleEndian>::parse(bytes)
        .ok()
        .filter(|header| header.is_little_endian())
        .ok_or("it is no core: no 64-bit little-endian ELF file, and not compressed in a known way (gzip, xz, Zstandard, LZ4)")?;
    if header.e_type(LittleEndian) != ET_CORE {
        return Err("it is an ELF file, but no core; --exe names executables".to_owned());
    }
    let machine = header.e_machine(LittleEndian).0;
    let architecture = Architecture::of_elf(machine).ok_or_else(|| {
        format!(
            "it is a core of ELF machine {machine}, for which CPython has no JIT that is understood here"
        )
    })?;
    Ok((header, architecture))
}

/// The program headers, as many as the file has.
fn program_headers<'b>(
    header: &FileHeader64<LittleEndian>,
    bytes: &'b [u8],
    findings: &mut Vec<Finding>,
) -> &'b [ProgramHeader64<LittleEndian>] {
    let start = usize::try_from(header.e_phoff(LittleEndian)).unwrap_or(usize::MAX);
    let table = bytes.get(start..).unwrap_or_default();
    let there = table.len() / size_of::<ProgramHeader64<LittleEndian>>();
    let promised = match header.phnum(LittleEndian, bytes) {
        Ok(count) => usize::try_from(count).unwrap_or(usize::MAX),
        Err(_) => before_notes(table, start),
    };
    let count = promised.min(there).min(MOST_SEGMENTS);
    if count < promised {
        findings.push(Finding::new(format!(
            "the core is cut off or damaged: it has {count} of {promised} program headers"
        )));
    }
    object::pod::slice_from_bytes(table, count).map_or(&[], |(headers, _)| headers)
}

/// How many program headers there are where their number was cut off: it stands at the end of a core that has more than
/// 65,534. The kernel puts the notes, which the first header is for, right behind the headers.
fn before_notes(table: &[u8], start: usize) -> usize {
    let first = object::pod::slice_from_bytes::<ProgramHeader64<LittleEndian>>(table, 1);
    let first = first.ok().and_then(|(headers, _)| headers.first());
    let notes = first.map_or(0, |header| header.p_offset(LittleEndian));
    let notes = usize::try_from(notes).unwrap_or(usize::MAX);
    notes.saturating_sub(start) / size_of::<ProgramHeader64<LittleEndian>>()
}

/// What the file has of `length` bytes at `offset`.
fn held(bytes: &[u8], offset: u64, length: u64) -> &[u8] {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let rest = bytes.get(start..).unwrap_or_default();
    let length = usize::try_from(length)
        .unwrap_or(usize::MAX)
        .min(rest.len());
    rest.get(..length).unwrap_or_default()
}

/// What a whole core has and this one does not.
fn missing(segments: &Segments, notes: &Notes) -> Vec<Finding> {
    let mut findings = Vec::new();
    let cut = segments.cut_off();
    if cut != 0 {
        findings.push(
            Finding::new(format!("the core is cut off: {cut} bytes of memory that it should hold are missing"))
                .hint("the disk was full, or the limit of core files (ulimit -c) too low; what is there is used"),
        );
    }
    if !segments
        .iter()
        .any(|segment| segment.writable && segment.held != 0)
    {
        findings.push(
            Finding::new("the core holds none of the memory that the process wrote")
                .hint("the usual /proc/PID/coredump_filter, 0x33, keeps it; gcore does too"),
        );
    }
    if notes.threads.is_empty() {
        findings.push(Finding::new(
            "the core names no thread, so there are no registers",
        ));
    }
    findings
}
