//! A core together with the files that were mapped into the process.

use super::memory::fill;
use super::{Core, Description, FileSearch, Files, Finding, Kind, Memory, Stop};
use crate::address::Address;
use crate::error::Fault;
use std::path::PathBuf;

/// `AT_ENTRY`: where the executable begins to run.
const AT_ENTRY: u64 = 9;

/// The memory of a process that left a core: what the core holds, and what it leaves out because files have it.
///
/// With its default filter (0x33) the kernel leaves out the pages of files that nobody wrote to, but for those with the
/// ELF headers. Only pages that could not be written to are taken from a file: a writable one that is missing was
/// probably never written to, but a filter without private memory leaves out others too, and the core does not tell
/// which filter it was.
#[derive(Debug)]
pub struct Dump {
    core: Core,
    files: Files,
}

impl Dump {
    /// The core with the files that `search` finds.
    pub fn new(core: Core, search: &FileSearch) -> Dump {
        let entry = core.notes().auxiliary(AT_ENTRY).map(Address);
        let mappings = match core.notes().mappings.as_slice() {
            [] => search.mappings_of_named(entry),
            mappings => mappings.to_vec(),
        };
        Dump {
            files: Files::locate(&core, &mappings, entry, search),
            core,
        }
    }

    /// The core.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The files.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// What there is to tell of it. `debug_files` are separate ones of the executable that the user has named.
    pub fn description(
        &self,
        debug_files: &[PathBuf],
        debug_directories: Vec<PathBuf>,
    ) -> Description {
        let platform = self.core.architecture().platform();
        Description {
            architecture: platform.debugger_name.to_owned(),
            kind: Kind::Core,
            pid: self.core.notes().process,
            files: self.files.found(debug_files),
            debug_directories,
            packet: None,
        }
    }

    /// Where the thread was that the kernel names first, which is the one that crashed.
    pub fn stop(&self) -> Stop {
        let thread = self.core.thread(None);
        Stop {
            pc: thread.and_then(|thread| thread.registers.pc()),
            thread: thread.map(|thread| thread.id),
            in_file: false,
        }
    }

    /// The bytes at `address` as far as one place has them.
    fn piece_at(&self, address: Address) -> &[u8] {
        let held = self.core.held_at(address);
        if !held.is_empty() {
            return held;
        }
        let writable = self
            .core
            .segment(address)
            .is_some_and(|segment| segment.writable);
        match writable {
            true => &[],
            false => self.files.page_at(address).unwrap_or_default(),
        }
    }
}

impl Memory for Dump {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        fill(address, into, |at| self.piece_at(at))
    }

    fn findings(&self) -> Vec<Finding> {
        let own = self.core.findings().iter().cloned();
        own.chain(self.files.findings()).collect()
    }
}
