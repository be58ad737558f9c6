//! An ELF file in memory, read where it is needed.

use super::build_id::BuildId;
use crate::address::{Address, Range};
use crate::error::Error;
use crate::platform::Architecture;
use memmap2::Mmap;
use object::LittleEndian;
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::read::{Object, ObjectSection, SectionFlags};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

/// CPython's JIT exists for 64-bit little-endian machines only.
pub(super) type Elf<'data> = ElfFile64<'data, LittleEndian>;

/// The machine that an ELF file is for, by its `e_machine`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine(pub u16);

impl Machine {
    /// The architecture, if it is one of those for which CPython has a JIT.
    pub fn architecture(self) -> Option<Architecture> {
        Architecture::of_elf(self.0)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.architecture() {
            Some(architecture) => write!(f, "{}", architecture.platform().title),
            None => write!(f, "ELF machine {}", self.0),
        }
    }
}

/// A piece of an ELF file that is loaded into memory (`PT_LOAD`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Where it lies in memory, at the addresses of the file.
    pub memory: Range,
    /// Where its bytes begin in the file.
    pub file_offset: u64,
    /// How many bytes the file has of it; the rest is zeros at first.
    pub file_size: u64,
    /// Whether the program may write to it: its bytes in memory are then others than in the file.
    pub writable: bool,
    /// Whether it contains code.
    pub executable: bool,
}

/// An ELF file that is mapped into memory.
#[derive(Debug)]
pub(super) struct ElfFile {
    path: PathBuf,
    bytes: Mmap,
}

impl ElfFile {
    /// Maps the file and checks that it is an ELF file that can be read at all.
    pub(super) fn open(path: &Path) -> Result<ElfFile, Error> {
        let refuse = |reason: String| Error::File {
            path: path.to_owned(),
            reason,
        };
        let metadata = path.metadata().map_err(|error| refuse(error.to_string()))?;
        // Opening a named pipe would wait for its writer.
        if !metadata.is_file() {
            return Err(refuse("it is no regular file".to_owned()));
        }
        let file = File::open(path).map_err(|error| refuse(error.to_string()))?;
        // SAFETY: the map is read-only and private. Somebody who shortens the file while it is mapped kills us, as he
        // would kill the target that has it mapped too; a package manager replaces files and does not shorten them.
        let bytes = unsafe { Mmap::map(&file) }.map_err(|error| refuse(error.to_string()))?;
        parse(&bytes).map_err(refuse)?;
        Ok(ElfFile {
            path: path.to_owned(),
            bytes,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes the file has.
    pub(super) fn size(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    /// All bytes of the file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The parsed file. Costs a look at the section headers, some microseconds.
    pub(super) fn elf(&self) -> Result<Elf<'_>, Error> {
        parse(&self.bytes).map_err(|reason| Error::File {
            path: self.path.clone(),
            reason,
        })
    }
}

fn parse(bytes: &[u8]) -> Result<Elf<'_>, String> {
    Elf::parse(bytes).map_err(|error| format!("it is no 64-bit little-endian ELF file: {error}"))
}

pub(super) fn machine(elf: &Elf<'_>) -> Machine {
    Machine(elf.elf_header().e_machine(LittleEndian).0)
}

/// Whether the file can be loaded at any address.
pub(super) fn is_position_independent(elf: &Elf<'_>) -> bool {
    elf.elf_header().e_type(LittleEndian) == object::elf::ET_DYN
}

pub(super) fn build_id(elf: &Elf<'_>) -> Option<BuildId> {
    elf.build_id().ok().flatten().and_then(BuildId::new)
}

/// The segments in the order of the file; those whose numbers contradict each other are left out.
pub(super) fn segments(elf: &Elf<'_>) -> Vec<Segment> {
    (elf.elf_program_headers().iter())
        .filter(|header| header.p_type(LittleEndian) == object::elf::PT_LOAD)
        .map(|header| Segment {
            memory: Range::new(
                Address(header.p_vaddr(LittleEndian)),
                header.p_memsz(LittleEndian),
            ),
            file_offset: header.p_offset(LittleEndian),
            file_size: header.p_filesz(LittleEndian),
            writable: (header.p_flags(LittleEndian) & object::elf::PF_W).0 != 0,
            executable: (header.p_flags(LittleEndian) & object::elf::PF_X).0 != 0,
        })
        .filter(|segment| segment.file_size <= segment.memory.size)
        .filter(|segment| {
            segment
                .memory
                .start
                .checked_add(segment.memory.size)
                .is_some()
        })
        .collect()
}

/// Where the section with this name is in memory; `None` if there is none or it is not loaded.
pub(super) fn section(elf: &Elf<'_>, name: &str) -> Option<Range> {
    let section = elf.section_by_name(name)?;
    let loaded = match section.flags() {
        SectionFlags::Elf { sh_flags, .. } => (sh_flags & object::elf::SHF_ALLOC).0 != 0,
        _ => false,
    };
    loaded.then(|| Range::new(Address(section.address()), section.size()))
}

/// The bytes of a loaded section as the file has them, and where it is.
pub(super) fn section_bytes<'file>(
    file: &'file ElfFile,
    name: &str,
) -> Option<(Address, &'file [u8])> {
    let elf = file.elf().ok()?;
    let range = section(&elf, name)?;
    let (offset, size) = elf.section_by_name(name)?.file_range()?;
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    Some((range.start, file.bytes().get(start..end)?))
}
