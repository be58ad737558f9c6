//! What the debuggers' own commands show of JIT code, as dictionaries.

use super::refusal;
use super::session::{Context, Session};
use crate::address::Address;
use crate::command::{self, Failure};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// `start`, `end` and `notes`, a dictionary of texts by address.
pub fn notes<'py>(
    session: &Session,
    py: Python<'py>,
    address: Address,
    context: &Bound<'_, PyDict>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let context = Context::of(context)?;
    let found = session.with(py, &context, |session| {
        command::notes(session, address, context.settings).map_err(refusal)
    })?;
    let Some(found) = found else {
        return Ok(None);
    };
    let texts = PyDict::new(py);
    for (address, text) in found.notes {
        texts.set_item(address.0, text)?;
    }
    let region = PyDict::new(py);
    region.set_item("start", found.range.start.0)?;
    region.set_item("end", found.range.start.wrapping_add(found.range.size).0)?;
    region.set_item("notes", texts)?;
    Ok(Some(region))
}

/// `name`, `inside` (the part of it in brackets), `filename` and `line`.
pub fn frame<'py>(
    session: &Session,
    py: Python<'py>,
    pc: Address,
    context: &Bound<'_, PyDict>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let found = session.with(py, &Context::of(context)?, |session| {
        command::frame(session, pc).map_err(refusal)
    })?;
    let Some(found) = found else {
        return Ok(None);
    };
    let frame = PyDict::new(py);
    frame.set_item("name", found.name)?;
    frame.set_item("inside", found.inside)?;
    frame.set_item("filename", found.filename)?;
    frame.set_item("line", found.line)?;
    Ok(Some(frame))
}

/// The text.
pub fn describe(
    session: &Session,
    py: Python<'_>,
    structure: &str,
    address: Address,
    context: &Bound<'_, PyDict>,
) -> PyResult<Option<String>> {
    session.with(py, &Context::of(context)?, |session| {
        command::describe(session, structure, address).map_err(refusal)
    })
}

/// `title`, `lines`, `mark` (the index of the line that the pc is in, or None) and `stack` (lines).
pub fn window<'py>(
    session: &Session,
    py: Python<'py>,
    context: &Bound<'_, PyDict>,
) -> PyResult<Bound<'py, PyDict>> {
    let context = Context::of(context)?;
    let shown = session.with(py, &context, |session| {
        let session = match context.is_running() {
            true => Err(Failure::running()),
            false => Ok(&*session),
        };
        Ok(command::window(session, context.style))
    })?;
    let window = PyDict::new(py);
    window.set_item("title", shown.title)?;
    window.set_item("lines", shown.lines)?;
    window.set_item("mark", shown.mark)?;
    window.set_item("stack", shown.stack)?;
    Ok(window)
}
