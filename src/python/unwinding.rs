//! What a debugger's unwinder asks for.

use crate::address::Address;
use crate::session::{Breakpad, Session};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::collections::HashMap;

/// The allocation of the executor that contains an address.
pub fn region(session: &Session, address: u64) -> PyResult<Option<(u64, u64)>> {
    let region = session.code_region(Address(address)).map_err(refused)?;
    Ok(region.map(|region| {
        let range = region.range();
        (range.start.0, range.end().0)
    }))
}

/// The caller of JIT code: its canonical frame address and registers.
pub fn caller(
    session: &Session,
    registers: &HashMap<String, u64>,
) -> PyResult<Option<(u64, HashMap<&'static str, u64>)>> {
    let value = |name: &str| registers.get(name).copied();
    let found = session.jit_caller_of(&value, false).map_err(refused)?;
    Ok(found.map(|caller| (caller.cfa.0, caller.registers.into_iter().collect())))
}

/// Executors with what tells their code from other code.
pub type RunningCode = (Vec<(u64, u64)>, Vec<Option<u64>>);

/// The executors that run, and what has become of those that are known.
pub fn running_code(session: &Session, known: &[u64]) -> PyResult<RunningCode> {
    let identity = |address: u64| session.code_identity(Address(address));
    let running = session.running_executors().map_err(refused)?.into_iter();
    let with_code = running.filter_map(|executor| Some((executor.0, identity(executor.0)?)));
    Ok((
        with_code.collect(),
        known.iter().map(|executor| identity(*executor)).collect(),
    ))
}

/// A symbol file of an executor.
pub fn breakpad(session: &Session, executor: u64) -> PyResult<Breakpad> {
    session.breakpad(Address(executor)).map_err(refused)
}

fn refused(error: crate::error::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
