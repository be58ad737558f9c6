//! A Python object of a front-end as the outside world: memory, expressions, files.

use crate::address::Address;
use crate::error::Fault;
use crate::platform::Architecture;
use crate::target::{
    Description, Evaluate, FrameRegisters, Kind, LoadedFile, Memory, Registers, ThreadRegisters,
};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The Ctrl-C of the user, which arrives as an exception of whatever the front-end was asked for.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Mutex<Option<PyErr>>>);

impl Interrupt {
    /// Takes the exception, if there was one.
    pub fn take(&self) -> Option<PyErr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn happened(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    fn notice(&self, py: Python<'_>, error: PyErr) {
        if error.is_instance_of::<PyKeyboardInterrupt>(py) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }
}

/// The front-end's object with `read_memory`, `evaluate`, `registers` and `describe`.
pub struct Host {
    object: Py<PyAny>,
    interrupt: Interrupt,
}

impl Host {
    /// Wraps the object.
    pub fn new(object: Py<PyAny>, interrupt: Interrupt) -> Host {
        Host { object, interrupt }
    }
}

impl Memory for Host {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let fault = || Fault {
            address,
            length: into.len() as u64,
            readable: 0,
        };
        // After Ctrl-C every read fails, so that the command ends soon.
        if self.interrupt.happened() {
            return Err(fault());
        }
        let bytes = Python::attach(|py| {
            let read = self
                .object
                .bind(py)
                .call_method1("read_memory", (address.0, into.len()))
                .and_then(|bytes| Ok(bytes.cast_into::<PyBytes>()?.as_bytes().to_vec()));
            read.map_err(|error| self.interrupt.notice(py, error)).ok()
        });
        let bytes = bytes
            .filter(|bytes| bytes.len() == into.len())
            .ok_or_else(fault)?;
        into.copy_from_slice(&bytes);
        Ok(())
    }
}

impl Evaluate for Host {
    fn evaluate(&self, expression: &str) -> Result<Address, String> {
        Python::attach(|py| {
            self.object
                .bind(py)
                .call_method1("evaluate", (expression,))
                .and_then(|value| value.extract::<u64>())
                .map(Address)
                .map_err(|error| {
                    let text = error.value(py).to_string();
                    self.interrupt.notice(py, error);
                    text
                })
        })
    }

    fn registers(&self, architecture: Architecture) -> Result<FrameRegisters, String> {
        let names = architecture.platform().frame_registers;
        let answer: Result<(Vec<Option<u64>>, bool), PyErr> = Python::attach(|py| {
            let asked = names.to_vec();
            let answer = self.object.bind(py).call_method1("registers", (asked,))?;
            answer.extract()
        });
        let (values, is_caller) = answer.map_err(|error| {
            Python::attach(|py| {
                let text = error.value(py).to_string();
                self.interrupt.notice(py, error);
                text
            })
        })?;
        let known = |wanted: &str| {
            let index = names.iter().position(|name| *name == wanted)?;
            values.get(index).copied().flatten()
        };
        Ok(FrameRegisters {
            values: Registers::of_names(architecture, known),
            is_caller,
        })
    }

    fn threads(
        &self,
        architecture: Architecture,
        all: bool,
    ) -> Result<Vec<ThreadRegisters>, String> {
        let names = architecture.platform().frame_registers;
        let answer: Result<Vec<OneThread>, PyErr> = Python::attach(|py| {
            let host = self.object.bind(py);
            host.call_method1("threads", (names.to_vec(), all))?
                .extract()
        });
        let threads = answer.map_err(|error| {
            Python::attach(|py| {
                let text = error.value(py).to_string();
                self.interrupt.notice(py, error);
                text
            })
        })?;
        let registers = |values: Vec<Option<u64>>| {
            Registers::of_names(architecture, |wanted| {
                let index = names.iter().position(|name| *name == wanted)?;
                values.get(index).copied().flatten()
            })
        };
        let threads = threads.into_iter();
        Ok(threads
            .map(|(thread, is_selected, values)| ThreadRegisters {
                thread,
                is_selected,
                registers: registers(values),
            })
            .collect())
    }
}

/// What a front-end tells of a thread: the kernel's id, whether it is selected, and its registers in the order asked for.
type OneThread = (Option<u64>, bool, Vec<Option<u64>>);

/// What the front-end's `describe()` returned.
pub fn description(description: &Bound<'_, PyDict>) -> PyResult<Description> {
    let item = |name: &str| {
        description
            .get_item(name)?
            .ok_or_else(|| PyValueError::new_err(format!("describe() returned no {name}")))
    };
    let kind = match item("kind")?.extract::<String>()?.as_str() {
        "core" => Kind::Core,
        "self" => Kind::Own,
        _ => Kind::Live,
    };
    let files = item("files")?;
    let files = files
        .try_iter()?
        .map(|file| loaded_file(&file?))
        .collect::<PyResult<_>>()?;
    Ok(Description {
        architecture: item("architecture")?.extract()?,
        kind,
        pid: item("pid")?.extract()?,
        files,
        debug_directories: paths(item("debug_directories")?.extract()?),
        packet: item("packet")?.extract()?,
    })
}

fn loaded_file(file: &Bound<'_, PyAny>) -> PyResult<LoadedFile> {
    Ok(LoadedFile {
        path: PathBuf::from(file.get_item("path")?.extract::<String>()?),
        debug_files: paths(file.get_item("debug_files")?.extract()?),
        bias: file.get_item("bias")?.extract()?,
    })
}

fn paths(names: Vec<String>) -> Vec<PathBuf> {
    names.into_iter().map(PathBuf::from).collect()
}
