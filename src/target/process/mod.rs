//! A running process of this machine, read without changing it.

mod hold;
mod maps;

use super::{FileSearch, Files, Finding, Memory, Registers};
use crate::address::Address;
use crate::error::{Error, Fault};
use crate::platform::Architecture;
use hold::Hold;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A process, held or moving.
#[derive(Debug)]
pub struct Process {
    memory: ProcessMemory,
    directory: PathBuf,
    architecture: Architecture,
    files: Files,
    hold: Option<Hold>,
    is_own: bool,
}

/// The memory of a process.
#[derive(Debug)]
struct ProcessMemory {
    id: libc::pid_t,
    /// `/proc/PID/mem`, for kernels without process_vm_readv and for sandboxes that forbid it.
    file: Option<File>,
}

impl Process {
    /// The process with this id. With `stop` all its threads are held until this is dropped.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such process, or if it may not be read or held.
    pub fn open(id: u32, stop: bool, search: &FileSearch) -> Result<Process, Error> {
        let directory = PathBuf::from(format!("/proc/{id}"));
        if !directory.exists() {
            return Err(not_found(format!("there is no process {id}"), None));
        }
        let hold = match stop {
            true => Some(Hold::new(&directory).map_err(|reason| not_allowed(id, &reason))?),
            false => None,
        };
        Process::read(id, directory, hold, search)
    }

    /// The process that this code runs in: the caller sees to it that nothing changes what is read.
    ///
    /// It is read through the kernel all the same, which checks each address: a wrong one is an error, not a crash.
    ///
    /// # Errors
    /// [`Error::NotFound`] if `/proc` is not there, or a sandbox forbids to read it.
    pub fn own(search: &FileSearch) -> Result<Process, Error> {
        let directory = PathBuf::from("/proc/self");
        let process = Process::read(std::process::id(), directory, None, search)?;
        Ok(Process {
            is_own: true,
            ..process
        })
    }

    fn read(
        id: u32,
        directory: PathBuf,
        hold: Option<Hold>,
        search: &FileSearch,
    ) -> Result<Process, Error> {
        let architecture = Architecture::of_this_machine().ok_or_else(|| {
            not_found(
                "this machine is neither x86-64 nor AArch64, where CPython has a JIT".to_owned(),
                None,
            )
        })?;
        let mappings =
            maps::mappings(&directory).map_err(|error| not_allowed(id, &error.to_string()))?;
        if mappings.is_empty() {
            return Err(not_found(
                format!("process {id} has no memory: it is a kernel thread, or has ended"),
                None,
            ));
        }
        let memory = ProcessMemory {
            id: libc::pid_t::try_from(id).unwrap_or(0),
            file: File::open(directory.join("mem")).ok(),
        };
        memory
            .check(&mappings)
            .map_err(|error| not_allowed(id, &error.to_string()))?;
        let entry = maps::entry(&directory);
        let search = with_places_of(&directory, search);
        Ok(Process {
            files: Files::locate(&memory, &mappings, entry, &search),
            memory,
            directory,
            architecture,
            hold,
            is_own: false,
        })
    }

    /// The machine.
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The files that are loaded.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The ids of its threads; the first is that of the process.
    pub fn threads(&self) -> Vec<u64> {
        maps::threads(&self.directory).unwrap_or_default()
    }

    /// The registers of a thread, if it is held.
    pub fn registers(&self, thread: u64) -> Option<Registers> {
        self.hold.as_ref()?.registers(thread, self.architecture)
    }
}

/// The kernel's id of the thread that asks.
pub fn current_thread() -> u64 {
    // SAFETY: the call takes nothing and cannot fail.
    let id = unsafe { libc::gettid() };
    u64::try_from(id).unwrap_or(0)
}

impl Memory for Process {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        self.memory.read(address, into)
    }

    fn findings(&self) -> Vec<Finding> {
        let moves = (self.hold.is_none() && !self.is_own).then(|| {
            Finding::new(
                "the process goes on while it is read: what is shown may be of different moments",
            )
            .hint("--stop holds it meanwhile")
        });
        moves.into_iter().chain(self.files.findings()).collect()
    }
}

impl Memory for ProcessMemory {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let mut done = 0;
        // Each turn fills at least one byte or ends.
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.read_some(address.wrapping_add(done as u64), rest) {
                Ok(count) if count != 0 => done = done.saturating_add(count),
                _ => {
                    return Err(Fault {
                        address,
                        length: into.len() as u64,
                        readable: done as u64,
                    });
                }
            }
        }
        Ok(())
    }
}

impl ProcessMemory {
    /// Whether memory can be read at all: the kernel shows the maps of processes whose memory it does not.
    fn check(&self, mappings: &[super::FileMapping]) -> io::Result<()> {
        let mut last = Ok(());
        for mapping in mappings {
            match self.read_some(mapping.range.start, &mut [0]) {
                Ok(_) => return Ok(()),
                Err(error) => last = Err(error),
            }
        }
        last
    }

    fn read_some(&self, address: Address, into: &mut [u8]) -> io::Result<usize> {
        let error = match read_remote(self.id, address, into) {
            Err(error) => error,
            read => return read,
        };
        match (&self.file, error.raw_os_error()) {
            (_, Some(libc::EFAULT | libc::ESRCH)) | (None, _) => Err(error),
            (Some(file), _) => file.read_at(into, address.0).map_err(|_| error),
        }
    }
}

fn read_remote(process: libc::pid_t, address: Address, into: &mut [u8]) -> io::Result<usize> {
    let here = libc::iovec {
        iov_base: into.as_mut_ptr().cast(),
        iov_len: into.len(),
    };
    let there = libc::iovec {
        iov_base: usize::try_from(address.0)
            .map(std::ptr::without_provenance_mut)
            .map_err(|_| io::ErrorKind::InvalidInput)?,
        iov_len: into.len(),
    };
    // SAFETY: the kernel writes at most `into.len()` bytes to `into`; the other address is checked by the kernel.
    let count =
        unsafe { libc::process_vm_readv(process, &raw const here, 1, &raw const there, 1, 0) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// The search, also among the files as the process itself sees them: it may be in a container, or its executable
/// replaced by an update.
fn with_places_of(directory: &Path, search: &FileSearch) -> FileSearch {
    let mut search = search.clone();
    search.last_roots.push(directory.join("root"));
    search.main_copy = Some(directory.join("exe"));
    search
}

fn not_found(message: String, hint: Option<&str>) -> Error {
    Error::NotFound {
        message,
        hint: hint.map(ToOwned::to_owned),
    }
}

fn not_allowed(id: u32, reason: &str) -> Error {
    let hint = "only root and the same user may read a process (sudo; in a container, CAP_SYS_PTRACE), one debugger at \
                a time may hold it, and kernel.yama.ptrace_scope may forbid it: gcore as root, then --core, is a way";
    not_found(format!("process {id} cannot be read: {reason}"), Some(hint))
}

#[cfg(test)]
mod tests;
