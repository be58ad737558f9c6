//! Opens what the target options name.

use super::expression::Expressions;
use super::progress::Progress;
use super::target_options::TargetOptions;
use crate::command::Failure;
use crate::error::Error;
use crate::platform::Architecture;
use crate::session::Session;
use crate::target::{
    Core, Description, Dump, FileSearch, Files, Kind, LoadedFile, Memory, Registers, Stop,
    ThreadRegisters,
};
use std::path::{Path, PathBuf};

/// Threads that a message names.
const MOST_NAMED: usize = 20;

/// A target that was opened, with what to say if it holds no CPython.
pub struct Opened {
    /// The session on it.
    pub session: Session,
    /// Whether files that may contain CPython are missing.
    misses_python: bool,
}

/// What cores and processes have in common.
struct Target {
    memory: Box<dyn Memory>,
    architecture: Architecture,
    kind: Kind,
    pid: Option<u64>,
    thread: Option<u64>,
    registers: Option<Registers>,
    threads: Vec<ThreadRegisters>,
    files: Vec<LoadedFile>,
    misses_python: bool,
}

impl Opened {
    /// Opens the target.
    pub fn new(options: &TargetOptions) -> Result<Opened, Failure> {
        let target = match (&options.core, options.pid) {
            (Some(core), _) => core_target(core, options)?,
            (None, Some(pid)) => process_target(pid, options)?,
            (None, None) => {
                return Err(
                    Failure::usage("no target is named").hint("name one: --core CORE or --pid PID")
                );
            }
        };
        let misses_python = target.misses_python;
        Ok(Opened {
            session: session(target, options),
            misses_python,
        })
    }

    /// The session, or what is missing in order to read this target.
    pub fn session(&self) -> Result<&Session, Failure> {
        match self.session.program() {
            Err(Error::NotFound { .. }) if self.misses_python => {
                let mut failure = Failure::new("the file that contains CPython was not found");
                failure.findings.extend(self.session.memory_findings());
                Err(failure)
            }
            Err(_) if self.session.description().files.is_empty() => {
                let mut failure = Failure::new(
                    "nothing tells which files were loaded into this target",
                )
                .hint("name the executable, or the library that contains CPython, with --exe");
                failure.findings.extend(self.session.memory_findings());
                Err(failure)
            }
            // Other reasons are those of the command.
            _ => Ok(&self.session),
        }
    }
}

fn session(target: Target, options: &TargetOptions) -> Session {
    let stop = Stop {
        pc: target.registers.as_ref().and_then(Registers::pc),
        thread: target.thread,
        in_file: false,
    };
    let expressions =
        Expressions::new(target.registers, &target.files, &debug_directories(options))
            .with_threads(target.threads);
    let description = Description {
        architecture: target.architecture.platform().debugger_name.to_owned(),
        kind: target.kind,
        pid: target.pid,
        files: target.files,
        debug_directories: debug_directories(options),
        packet: None,
    };
    let mut session = Session::new(target.memory, Box::new(expressions), description);
    session.select(stop);
    session
}

fn core_target(path: &Path, options: &TargetOptions) -> Result<Target, Failure> {
    let mut progress = Progress::new(format!("unpacking {}", path.display()));
    let core = Core::open(path, &mut |bytes| progress.report(bytes))?;
    drop(progress);
    let directory = path.canonicalize().ok();
    let directory = directory.as_deref().and_then(Path::parent);
    let dump = Dump::new(core, &search(options, directory));
    let core = dump.core();
    let thread = core.thread(options.thread);
    if let (Some(wanted), None) = (options.thread, thread) {
        let threads = core.notes().threads.iter().map(|thread| thread.id);
        return Err(no_thread(wanted, threads.collect()));
    }
    Ok(Target {
        architecture: core.architecture(),
        kind: Kind::Core,
        pid: core.notes().process,
        thread: thread.map(|thread| thread.id),
        registers: thread.map(|thread| thread.registers.clone()),
        threads: (core.notes().threads.iter())
            .map(|one| ThreadRegisters {
                thread: Some(one.id),
                is_selected: thread.is_some_and(|selected| selected.id == one.id),
                registers: one.registers.clone(),
            })
            .collect(),
        files: found(dump.files(), options),
        misses_python: dump.files().misses_python(),
        memory: Box::new(dump),
    })
}

#[cfg(not(target_os = "linux"))]
fn process_target(_: u32, _: &TargetOptions) -> Result<Target, Failure> {
    Err(Failure::new("processes can be read on Linux only").hint("use a debugger, or a core of it"))
}

#[cfg(target_os = "linux")]
fn process_target(pid: u32, options: &TargetOptions) -> Result<Target, Failure> {
    let process = crate::target::Process::open(pid, options.stop, &search(options, None))?;
    let thread = options.thread.unwrap_or(pid.into());
    let threads = process.threads();
    if !threads.contains(&thread) {
        return Err(no_thread(thread, threads));
    }
    Ok(Target {
        architecture: process.architecture(),
        kind: Kind::Live,
        pid: Some(pid.into()),
        thread: Some(thread),
        registers: process.registers(thread),
        threads: (threads.iter())
            .filter_map(|id| {
                Some(ThreadRegisters {
                    thread: Some(*id),
                    is_selected: *id == thread,
                    registers: process.registers(*id)?,
                })
            })
            .collect(),
        files: found(process.files(), options),
        misses_python: process.files().misses_python(),
        memory: Box::new(process),
    })
}

fn found(files: &Files, options: &TargetOptions) -> Vec<LoadedFile> {
    files.found(&options.debug_file)
}

fn search(options: &TargetOptions, beside: Option<&Path>) -> FileSearch {
    FileSearch {
        named: options.exe.clone(),
        roots: options.sysroot.clone(),
        debug_directories: debug_directories(options),
        fetched: FileSearch::debuginfod_caches(),
        beside: beside.map(ToOwned::to_owned),
        ..FileSearch::default()
    }
}

fn debug_directories(options: &TargetOptions) -> Vec<PathBuf> {
    let in_roots = options
        .sysroot
        .iter()
        .map(|root| root.join("usr/lib/debug"));
    options.debug_dir.iter().cloned().chain(in_roots).collect()
}

fn no_thread(wanted: u64, threads: Vec<u64>) -> Failure {
    let named: Vec<String> = threads
        .iter()
        .take(MOST_NAMED)
        .map(ToString::to_string)
        .collect();
    let more = match threads.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Failure::new(format!("there is no thread {wanted} in this target"))
        .hint(format!("its threads are {}{more}", named.join(", ")))
}
