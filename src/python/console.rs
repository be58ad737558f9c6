//! The console command `cpyjit` of an installed package: the command line, in the extension.

use crate::command_line;
use pyo3::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs the command line with `sys.argv`: the exit status.
#[pyfunction]
#[pyo3(pass_module)]
pub fn main(module: &Bound<'_, PyModule>) -> PyResult<u8> {
    let py = module.py();
    let arguments: Vec<OsString> = py.import("sys")?.getattr("argv")?.extract()?;
    let own_file: PathBuf = module.filename()?.extract()?;
    // As in a program without Python, Ctrl-C ends it at once; Python would wait until it runs again.
    let signal = py.import("signal")?;
    signal.call_method1(
        "signal",
        (signal.getattr("SIGINT")?, signal.getattr("SIG_DFL")?),
    )?;
    Ok(py.detach(|| command_line::run(arguments.into_iter(), Some(&own_file))))
}
