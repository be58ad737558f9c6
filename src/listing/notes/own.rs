//! What belongs to the executor whose code is remarked on.

use super::annotate::Here;
use crate::address::{Address, Range};
use crate::cpython::{CPython, CodeObject};
use crate::map::MappedExecutor;
use std::sync::Arc;

/// `sizeof(_Py_CODEUNIT)`.
const CODE_UNIT: u64 = 2;

/// Functions that one trace may run in; real ones inline a few.
const MOST_CODES: usize = 256;

/// An executor, and where things lie that its code names by their addresses.
pub struct Own<'m> {
    /// The executor.
    pub mapped: &'m MappedExecutor,
    /// The executor and its exits as one object.
    object: Range,
    /// The code objects that its trace runs in.
    codes: Vec<&'m Arc<CodeObject>>,
    /// `sizeof(_PyExecutorObject)` and `sizeof(_PyExitData)`.
    sizes: Option<(u64, u64)>,
}

impl<'m> Own<'m> {
    /// Looks over an executor.
    pub fn new(python: &CPython, mapped: &'m MappedExecutor) -> Own<'m> {
        let size = |name| Some(python.layouts.find(name)?.size);
        let sizes = size("_PyExecutorObject").zip(size("_PyExitData"));
        let executor = &mapped.executor;
        let (head, exit) = sizes.unwrap_or_default();
        let exits = executor
            .exits
            .iter()
            .filter_map(|at| at.address.offset_from(executor.address)?.checked_add(exit));
        let mut codes: Vec<&Arc<CodeObject>> = Vec::new();
        for code in mapped
            .origins
            .iter()
            .filter_map(|origin| origin.code.as_ref())
        {
            let is_last = codes.last().is_some_and(|last| Arc::ptr_eq(last, code));
            if !is_last
                && codes.len() < MOST_CODES
                && !codes.iter().any(|known| known.address == code.address)
            {
                codes.push(code);
            }
        }
        Own {
            mapped,
            object: Range::new(executor.address, exits.chain([head]).max().unwrap_or(head)),
            codes,
            sizes,
        }
    }

    /// The code object whose bytecode an address lies in.
    pub fn code_around(&self, address: u64) -> Option<&'m Arc<CodeObject>> {
        let size = |code: &CodeObject| u64::from(code.units) * CODE_UNIT;
        let mut codes = self.codes.iter().copied();
        codes.find(|code| Range::new(code.bytecode, size(code)).contains(Address(address)))
    }
}

impl Here<'_> {
    /// Whether an address means something for this executor only.
    pub(super) fn is_own(&self, value: u64) -> bool {
        let address = Address(value);
        self.own.object.contains(address)
            || self.mapped.contains(address)
            || self.own.code_around(value).is_some()
    }

    /// The executor or one of its exits around an address: name, structure and bytes from its start.
    pub(super) fn own_structure(&self, address: u64) -> Option<(String, &'static str, u64)> {
        if !self.own.object.contains(Address(address)) {
            return None;
        }
        let (head, size) = self.own.sizes?;
        let executor = &self.mapped.executor;
        // The exits lie one behind the other.
        if let Some(first) = executor.exits.first()
            && let Some(within) = Address(address).offset_from(first.address)
            && let Some(index) = within.checked_div(size)
            && index < executor.exits.len() as u64
        {
            let name = format!("executor->exits[{index}]");
            return Some((name, "_PyExitData", within % size));
        }
        let offset = Address(address).offset_from(executor.address)?;
        (offset < head).then(|| ("executor".to_owned(), "_PyExecutorObject", offset))
    }
}
