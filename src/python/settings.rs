//! The settings, and what the user has chosen.

use crate::command::{SETTINGS, Settings};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The settings, each as a dictionary with `name`, `values`, `default`, `summary` and `help`.
#[pyfunction]
pub fn settings(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    SETTINGS
        .iter()
        .map(|setting| {
            let entry = PyDict::new(py);
            entry.set_item("name", setting.name)?;
            entry.set_item("values", setting.values)?;
            entry.set_item("default", setting.default)?;
            entry.set_item("summary", setting.summary)?;
            entry.set_item("help", setting.help)?;
            Ok(entry)
        })
        .collect()
}

/// Those in `context["settings"]`, a dictionary; what is not there has its default.
pub fn chosen(context: &Bound<'_, PyDict>) -> PyResult<Settings> {
    let mut settings = Settings::default();
    let Some(given) = context.get_item("settings")? else {
        return Ok(settings);
    };
    for (name, value) in given.cast::<PyDict>()? {
        let (name, value): (String, String) = (name.extract()?, value.extract()?);
        settings.set(&name, &value).map_err(PyValueError::new_err)?;
    }
    Ok(settings)
}
