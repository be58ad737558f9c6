//! The interpreter that this library runs in, looked at by itself.
//!
//! Nothing here lets go of the interpreter's lock between the first and the last read of a call, so no thread of this
//! interpreter compiles, invalidates or frees an executor meanwhile (free-threaded builds have no JIT). Interpreters with
//! locks of their own may; what then does not fit together is an error, as it is in a process read from outside.

use super::actions::Reply;
use crate::address::Address;
use crate::command::{self, Failure, Snapshot, TextStyle};
use crate::error::Error;
use crate::platform::Architecture;
use crate::session::Session;
use crate::target::{
    Description, Evaluate, FileSearch, Kind, Process, Stop, ThreadRegisters, current_thread,
};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The running interpreter. `debug_directories` are like `/usr/lib/debug`, which is looked into in any case.
#[pyclass(module = "cpyjit", frozen)]
pub struct Inside {
    debug_directories: Vec<PathBuf>,
    /// Name and text of sources that are in no file.
    sources: Mutex<Vec<(String, String)>>,
    /// What stays the same from call to call, and the process that it is of: a fork is another.
    session: Mutex<Option<(u32, Session)>>,
}

/// Listings as they were when they were made.
#[pyclass(module = "cpyjit", frozen)]
pub struct InsideListing(Mutex<Snapshot>);

#[pymethods]
impl Inside {
    #[new]
    #[pyo3(signature = (debug_directories=Vec::new()))]
    fn new(debug_directories: Vec<PathBuf>) -> Inside {
        Inside {
            debug_directories,
            sources: Mutex::default(),
            session: Mutex::new(None),
        }
    }

    /// Names and texts of the sources that are in no file, from now on.
    fn set_sources(&self, sources: Vec<(String, String)>) {
        *lock(&self.sources) = sources;
    }

    /// Runs one of the commands that only look, `jit-list` for example.
    #[pyo3(signature = (name, arguments, *, width=0, color=false, ascii=false))]
    fn run(
        &self,
        py: Python<'_>,
        name: &str,
        arguments: Vec<String>,
        width: usize,
        color: bool,
        ascii: bool,
    ) -> PyResult<Reply> {
        let style = style(width, color, ascii);
        let reply =
            self.look(|session| Ok(command::run_inside(session, name, &arguments, style)))?;
        Reply::new(py, reply)
    }

    /// The address of the executor that `text` names.
    fn find(&self, text: &str) -> PyResult<u64> {
        self.look(|session| Ok(command::find_executor(session, text)?.0))
    }

    /// The executors whose traces begin in the code objects at these addresses.
    fn executors_of(&self, codes: Vec<u64>) -> PyResult<Vec<u64>> {
        let codes = addresses(&codes);
        let found = self.look(|session| Ok(session.executors_of(&codes)?))?;
        Ok(found.iter().map(|executor| executor.0).collect())
    }

    /// The listings of the executors at these addresses; if there are none, with the reason why `codes` have none.
    #[pyo3(signature = (executors, codes, options, *, machine_code=true))]
    fn listing(
        &self,
        executors: Vec<u64>,
        codes: Vec<u64>,
        options: Vec<String>,
        machine_code: bool,
    ) -> PyResult<InsideListing> {
        let (executors, codes) = (addresses(&executors), addresses(&codes));
        let taken = self
            .look(|session| Snapshot::take(session, &executors, &codes, &options, machine_code))?;
        Ok(InsideListing(Mutex::new(taken)))
    }

    /// A listing as a page for a browser.
    fn html(&self, listing: &InsideListing) -> PyResult<String> {
        let snapshot = lock(&listing.0);
        self.look(|session| snapshot.html(session))
    }
}

#[pymethods]
impl InsideListing {
    /// As one JSON document.
    fn json(&self) -> String {
        lock(&self.0).json()
    }

    /// As text.
    #[pyo3(signature = (options, *, width=0, color=false, ascii=false))]
    fn text(
        &self,
        options: Vec<String>,
        width: usize,
        color: bool,
        ascii: bool,
    ) -> PyResult<String> {
        let style = style(width, color, ascii);
        let text = lock(&self.0).text(&options, style);
        text.map_err(|failure| raised(&failure))
    }
}

impl Inside {
    /// Looks at the interpreter as it is now. Python code must not run in `work`: it could let other threads run.
    fn look<T>(&self, work: impl FnOnce(&Session) -> Result<T, Failure>) -> PyResult<T> {
        let mut guard = lock(&self.session);
        let here = std::process::id();
        let known = guard.take().filter(|(process, _)| *process == here);
        let mut session = match known {
            Some((_, session)) => session,
            None => open(&self.debug_directories).map_err(|error| raised(&error.into()))?,
        };
        session.invalidate();
        session.select(Stop {
            pc: None,
            thread: Some(current_thread()),
            in_file: false,
        });
        for (name, text) in lock(&self.sources).iter() {
            session.give_source(name, text);
        }
        let result = work(&session);
        // What was read is out of date at the next call, and may be large.
        session.invalidate();
        *guard = Some((here, session));
        result.map_err(|failure| raised(&failure))
    }
}

/// Whoever panicked left nothing half done: the session is taken out while somebody works with it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn style(width: usize, color: bool, ascii: bool) -> TextStyle {
    TextStyle {
        width,
        color,
        ascii,
    }
}

fn addresses(numbers: &[u64]) -> Vec<Address> {
    numbers.iter().copied().map(Address).collect()
}

fn open(debug_directories: &[PathBuf]) -> Result<Session, Error> {
    let process = Process::own(&FileSearch {
        debug_directories: debug_directories.to_vec(),
        fetched: FileSearch::debuginfod_caches(),
        ..FileSearch::default()
    })?;
    let description = Description {
        architecture: process.architecture().platform().debugger_name.to_owned(),
        kind: Kind::Own,
        pid: Some(std::process::id().into()),
        files: process.files().found(&[]),
        debug_directories: debug_directories.to_vec(),
        packet: None,
    };
    Ok(Session::new(
        Box::new(process),
        Box::new(NoDebugger),
        description,
    ))
}

/// There is no debugger here whose expressions could be evaluated.
struct NoDebugger;

impl Evaluate for NoDebugger {
    fn evaluate(&self, _: &str) -> Result<Address, String> {
        Err("in Python there are only names, numbers of executors and addresses".to_owned())
    }

    fn threads(&self, _: Architecture, _: bool) -> Result<Vec<ThreadRegisters>, String> {
        Err(
            "a process cannot see its own registers; cpyjit bt --pid PID --stop shows them"
                .to_owned(),
        )
    }
}

/// The exception with the reason, what to do and the choices: one a line.
fn raised(failure: &Failure) -> PyErr {
    let sentence = command::in_python(failure);
    match failure.usage {
        true => PyValueError::new_err(sentence),
        false => PyRuntimeError::new_err(sentence),
    }
}
