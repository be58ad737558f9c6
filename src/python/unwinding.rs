//! What a debugger's unwinder asks for.

use super::refusal;
use crate::address::Address;
use crate::session::Session;
use pyo3::prelude::*;
use std::collections::HashMap;

/// The allocation of the executor that contains an address.
pub fn region(session: &Session, address: u64) -> PyResult<Option<(u64, u64)>> {
    let region = session.code_region(Address(address)).map_err(refusal)?;
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
    let found = session.jit_caller_of(&value, false).map_err(refusal)?;
    Ok(found.map(|caller| (caller.cfa.0, caller.registers.into_iter().collect())))
}
