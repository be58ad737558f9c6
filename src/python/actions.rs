//! Replies, actions and events as Python objects; `control/mod.rs` says what each is.

use crate::address::Address;
use crate::command::{self, Action};
use crate::control::stepping::{Event, Reason};
use crate::control::{self, Hook, Place, RegionPlaces, Run, SymbolFile, UserBreakpoint};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::collections::BTreeMap;

/// What a command or a hook gave back.
#[pyclass(module = "cpyjit", frozen, get_all)]
pub struct Reply {
    text: String,
    failed: bool,
    status: u8,
    stop: bool,
    actions: Vec<Py<PyDict>>,
}

impl Reply {
    pub(super) fn new(py: Python<'_>, reply: command::Reply) -> PyResult<Reply> {
        let actions = reply.actions.iter();
        Ok(Reply {
            text: reply.text,
            failed: reply.failed,
            status: reply.status,
            stop: reply.stop,
            actions: actions
                .map(|action| Ok(dictionary(py, action)?.unbind()))
                .collect::<PyResult<_>>()?,
        })
    }
}

fn dictionary<'py>(py: Python<'py>, action: &Action) -> PyResult<Bound<'py, PyDict>> {
    match action {
        Action::WriteFile { path, content } => {
            let file = of_kind(py, "write-file")?;
            file.set_item("path", path)?;
            file.set_item("content", content)?;
            Ok(file)
        }
        Action::Control(action) => steer(py, action),
    }
}

fn of_kind<'py>(py: Python<'py>, kind: &str) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    dictionary.set_item("kind", kind)?;
    Ok(dictionary)
}

fn steer<'py>(py: Python<'py>, action: &control::Action) -> PyResult<Bound<'py, PyDict>> {
    match action {
        control::Action::SetBreakpoint(breakpoint) => set_breakpoint(py, breakpoint),
        control::Action::UpdateRegion(region) => update_region(py, region),
        control::Action::Hooks(hooks) => {
            let action = of_kind(py, "hooks")?;
            action.set_item("hooks", list(hooks, |one| hook(py, one))?)?;
            Ok(action)
        }
        control::Action::Run(run) => run_action(py, run),
        control::Action::SingleStep { thread } => {
            let action = of_kind(py, "single-step")?;
            action.set_item("thread", thread)?;
            Ok(action)
        }
        control::Action::AddSymbols(file) => add_symbols(py, file),
        control::Action::RemoveSymbols(number) => {
            let action = of_kind(py, "remove-symbols")?;
            action.set_item("file", number)?;
            Ok(action)
        }
        control::Action::Choose { name, value } => {
            let action = of_kind(py, "choose")?;
            action.set_item("name", name)?;
            action.set_item("value", value)?;
            Ok(action)
        }
    }
}

fn add_symbols<'py>(py: Python<'py>, file: &SymbolFile) -> PyResult<Bound<'py, PyDict>> {
    let action = of_kind(py, "add-symbols")?;
    action.set_item("file", file.number)?;
    action.set_item("elf", PyBytes::new(py, &file.symbols.elf))?;
    let executors = list(&file.symbols.listings, |listing| {
        let executor = PyDict::new(py);
        executor.set_item("start", listing.range.start.0)?;
        executor.set_item("size", listing.range.size)?;
        executor.set_item("listing_name", &listing.name)?;
        executor.set_item("listing", &listing.text)?;
        Ok(executor)
    })?;
    action.set_item("executors", executors)?;
    Ok(action)
}

fn list<'py, T>(
    items: &[T],
    convert: impl Fn(&T) -> PyResult<Bound<'py, PyDict>>,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    items.iter().map(convert).collect()
}

fn set_breakpoint<'py>(
    py: Python<'py>,
    breakpoint: &UserBreakpoint,
) -> PyResult<Bound<'py, PyDict>> {
    let action = of_kind(py, "set-breakpoint")?;
    action.set_item("id", breakpoint.id)?;
    action.set_item("label", &breakpoint.label)?;
    action.set_item("text", &breakpoint.text)?;
    action.set_item("places", list(&breakpoint.places, |one| place(py, one))?)?;
    action.set_item("temporary", breakpoint.temporary)?;
    action.set_item("hardware", breakpoint.hardware)?;
    action.set_item("condition", &breakpoint.condition)?;
    action.set_item("ignore", breakpoint.ignore)?;
    action.set_item("thread", &breakpoint.thread)?;
    action.set_item("commands", &breakpoint.commands)?;
    action.set_item("probes", PyBytes::new(py, &breakpoint.probes))?;
    let catch = breakpoint.catch.as_ref().map(|catch| {
        let dictionary = of_kind(py, catch.kind)?;
        dictionary.set_item("registers", &catch.registers)?;
        PyResult::Ok(dictionary)
    });
    action.set_item("catch", catch.transpose()?)?;
    Ok(action)
}

fn place<'py>(py: Python<'py>, place: &Place) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = PyDict::new(py);
    dictionary.set_item("breakpoint", place.breakpoint)?;
    dictionary.set_item("label", &place.label)?;
    dictionary.set_item("address", place.address.0)?;
    dictionary.set_item("arguments", &place.arguments)?;
    Ok(dictionary)
}

fn update_region<'py>(py: Python<'py>, region: &RegionPlaces) -> PyResult<Bound<'py, PyDict>> {
    let action = of_kind(py, "update-region")?;
    action.set_item("start", region.range.start.0)?;
    action.set_item("size", region.range.size)?;
    action.set_item("places", list(&region.places, |one| place(py, one))?)?;
    action.set_item("probes", PyBytes::new(py, &region.probes))?;
    Ok(action)
}

fn hook<'py>(py: Python<'py>, hook: &Hook) -> PyResult<Bound<'py, PyDict>> {
    let dictionary = of_kind(py, hook.kind)?;
    dictionary.set_item("address", hook.address.0)?;
    dictionary.set_item("registers", &hook.registers)?;
    Ok(dictionary)
}

fn run_action<'py>(py: Python<'py>, run: &Run) -> PyResult<Bound<'py, PyDict>> {
    let action = of_kind(py, "run")?;
    let places = list(&run.places, |place| {
        let dictionary = PyDict::new(py);
        dictionary.set_item("address", place.address.0)?;
        dictionary.set_item("ignore", place.ignore)?;
        dictionary.set_item("any_thread", place.any_thread)?;
        Ok(dictionary)
    });
    action.set_item("thread", run.thread)?;
    action.set_item("places", places?)?;
    action.set_item("suppress", run.suppress)?;
    Ok(action)
}

/// The event that `session.resume` is told.
pub(super) fn event(event: &Bound<'_, PyDict>) -> PyResult<Event> {
    let item = |name: &str| {
        event
            .get_item(name)
            .map(|item| item.filter(|item| !item.is_none()))
    };
    let reason = item("reason")?.map(|word| word.extract::<String>());
    let address = item("address")?.map(|address| address.extract::<u64>());
    let hits = item("hits")?.map(|hits| hits.extract::<BTreeMap<u64, u64>>());
    let text = item("text")?.map(|text| text.extract::<String>());
    let hits = hits.transpose()?.unwrap_or_default().into_iter();
    Ok(Event {
        reason: Reason::of_word(&reason.transpose()?.unwrap_or_default()),
        address: address.transpose()?.map(Address),
        hits: hits
            .map(|(address, count)| (Address(address), count))
            .collect(),
        text: text.transpose()?.unwrap_or_default(),
    })
}
