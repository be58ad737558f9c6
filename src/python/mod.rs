//! The Python module `cpyjit`, which the debuggers' own Python loads, and the interpreter that is looked at.

mod actions;
mod console;
mod host;
mod inside;
mod session;
mod settings;
mod unwinding;
mod views;

use crate::command;
use crate::error::Error;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// `import cpyjit`
#[pymodule(name = "cpyjit")]
mod module {
    #[pymodule_export]
    use super::actions::Reply;
    #[pymodule_export]
    use super::commands;
    #[pymodule_export]
    use super::console::main;
    #[pymodule_export]
    use super::inside::{Inside, InsideListing};
    #[pymodule_export]
    use super::session::Session;
    #[pymodule_export]
    use super::settings::settings;
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// What went wrong as the exception that front-ends print as a sentence.
fn refusal(error: Error) -> PyErr {
    PyValueError::new_err(command::harmless(&error.to_string()))
}

/// The commands, each as a dictionary with `name`, `summary`, `usage` and `help`.
#[pyfunction]
fn commands(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let looking = command::manuals().into_iter();
    looking
        .chain(command::control_manuals())
        .map(|manual| {
            let entry = PyDict::new(py);
            entry.set_item("name", manual.name)?;
            entry.set_item("summary", manual.summary)?;
            entry.set_item("usage", manual.usage)?;
            entry.set_item("help", manual.help)?;
            Ok(entry)
        })
        .collect()
}
