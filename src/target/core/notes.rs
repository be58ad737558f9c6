//! What the notes of a core tell: threads with their registers, the process, which files were mapped where.

use crate::address::{Address, Range};
use crate::platform::Architecture;
use crate::target::{FileMapping, Finding, Registers};
use object::LittleEndian;
use object::elf::{ELF_NOTE_CORE, FileHeader64, NT_AUXV, NT_FILE, NT_PRPSINFO, NT_PRSTATUS};
use object::read::elf::NoteIterator;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The kernel allows 4 million threads in all, but no process that can be debugged has more than this.
const MOST_THREADS: usize = 1 << 16;

/// As many as `vm.max_map_count` is ever set to.
const MOST_MAPPINGS: usize = 1 << 20;

/// The auxiliary vector has some twenty entries.
const MOST_AUXILIARY: usize = 256;

/// Where `struct elf_prstatus` has its parts (Linux: include/linux/elfcore.h), in bytes; the same on all 64-bit machines.
mod prstatus {
    pub const SIGNAL: usize = 12;
    pub const THREAD: usize = 32;
    pub const REGISTERS: usize = 112;
}

/// The same for `struct elf_prpsinfo`.
mod prpsinfo {
    pub const PROCESS: usize = 24;
    pub const COMMAND: std::ops::Range<usize> = 40..56;
}

/// A thread at the moment of the dump.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    /// The kernel's id of it.
    pub id: u64,
    /// The signal that it was stopped by; 0 for none.
    pub signal: u16,
    /// Its registers.
    pub registers: Registers,
}

/// All that the notes told.
#[derive(Debug, Default)]
pub struct Notes {
    /// The threads; the one that crashed comes first.
    pub threads: Vec<Thread>,
    /// The id of the process.
    pub process: Option<u64>,
    /// The first 15 bytes of its command.
    pub command: Option<String>,
    /// The auxiliary vector: what the kernel told the process at its start (`AT_ENTRY`, …).
    pub auxiliary: Vec<(u64, u64)>,
    /// Where which file was mapped.
    pub mappings: Vec<FileMapping>,
}

impl Notes {
    /// Adds what one `PT_NOTE` holds, as far as it can be read.
    pub fn add(&mut self, bytes: &[u8], align: u64, architecture: Architecture) -> Option<Finding> {
        let broken = |error: object::read::Error| {
            Finding::new(format!(
                "the notes of the core are damaged from some point on: {error}"
            ))
        };
        let notes = NoteIterator::<FileHeader64<LittleEndian>>::new(LittleEndian, align, bytes);
        let mut notes = match notes {
            Ok(notes) => notes,
            Err(error) => return Some(broken(error)),
        };
        // Ends: each note takes twelve bytes at least.
        loop {
            match notes.next() {
                Ok(Some(note)) if note.name() == ELF_NOTE_CORE => match note.n_type(LittleEndian) {
                    NT_PRSTATUS => self.threads.extend(
                        thread(note.desc(), architecture)
                            .filter(|_| self.threads.len() < MOST_THREADS),
                    ),
                    NT_PRPSINFO => self.about_process(note.desc()),
                    NT_AUXV => self.auxiliary = pairs(note.desc()),
                    NT_FILE => self.mappings = mappings(note.desc()),
                    _ => {}
                },
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => return Some(broken(error)),
            }
        }
    }

    /// An entry of the auxiliary vector.
    pub fn auxiliary(&self, key: u64) -> Option<u64> {
        let mut entries = self.auxiliary.iter();
        entries
            .find(|(other, _)| *other == key)
            .map(|(_, value)| *value)
    }

    fn about_process(&mut self, note: &[u8]) {
        self.process = u32_at(note, prpsinfo::PROCESS).map(u64::from);
        self.command = note.get(prpsinfo::COMMAND).map(|name| {
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(name).into_owned()
        });
    }
}

fn thread(note: &[u8], architecture: Architecture) -> Option<Thread> {
    let signal = note.get(prstatus::SIGNAL..)?.first_chunk::<2>()?;
    Some(Thread {
        id: u32_at(note, prstatus::THREAD)?.into(),
        signal: u16::from_le_bytes(*signal),
        registers: Registers::from_bytes(architecture, note.get(prstatus::REGISTERS..)?),
    })
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let word = bytes.get(offset..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*word))
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let words = bytes.as_chunks::<8>().0.iter();
    words.map(|word| u64::from_le_bytes(*word))
}

fn pairs(note: &[u8]) -> Vec<(u64, u64)> {
    let values = words(note).skip(1).step_by(2);
    let pairs = words(note).step_by(2).zip(values);
    // AT_NULL ends the vector.
    pairs
        .take_while(|(key, _)| *key != 0)
        .take(MOST_AUXILIARY)
        .collect()
}

/// `NT_FILE` (Linux: fill_files_note in fs/binfmt_elf.c): count, page size; start, end and offset in pages of each; names.
fn mappings(note: &[u8]) -> Vec<FileMapping> {
    let mut header = words(note);
    let (Some(count), Some(page)) = (header.next(), header.next()) else {
        return Vec::new();
    };
    let count = usize::try_from(count)
        .unwrap_or(usize::MAX)
        .min(MOST_MAPPINGS);
    let names = note.get(count.saturating_mul(24).saturating_add(16)..);
    let names = names.unwrap_or_default().split(|byte| *byte == 0);
    let rows = note.get(16..).unwrap_or_default().as_chunks::<24>().0;
    rows.iter()
        .take(count)
        .zip(names)
        .filter_map(|(row, name)| {
            let mut row = words(row);
            let (start, end, pages) = (row.next()?, row.next()?, row.next()?);
            Some(FileMapping {
                range: Range::new(Address(start), end.checked_sub(start)?),
                offset: pages.checked_mul(page)?,
                path: PathBuf::from(OsStr::from_bytes(name)),
            })
        })
        .collect()
}
