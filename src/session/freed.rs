//! Executors and machine code that are no more: what speaks for it.

use super::registered::RegisteredCode;
use super::{Known, Session};
use crate::address::Address;
use crate::cpython::{Executor, Found, Registration, Remains};
use crate::error::Result;
use crate::listing::Finding;

impl Session {
    /// The contract's word for an address that is in no executor, and what speaks for it.
    pub(super) fn gone(&self, address: Address) -> Result<(&'static str, Vec<Finding>)> {
        if self.program()?.contains(address) {
            return Ok(("none", Vec::new()));
        }
        let is_mapped = self.reader().bytes(address, 1, "memory").is_ok();
        if let Some((word, evidence)) = self.remains_of_code(address, is_mapped)? {
            return Ok((word, vec![evidence]));
        }
        if !is_mapped {
            let what = "nothing is mapped there: if it was JIT code, its executor has been freed and left no trace";
            return Ok(("none", vec![Finding::note(what).at(address)]));
        }
        Ok(("none", self.registered_at(address)?.into_iter().collect()))
    }

    /// What the code that is registered for debuggers tells of an address that is in no known executor.
    fn registered_at(&self, address: Address) -> Result<Option<Finding>> {
        let (python, reader) = (self.python()?, self.reader());
        let Some(registered) = self.at_stop.registrations(python, reader) else {
            return Ok(None);
        };
        // The nearest before it; the pieces do not overlap.
        let before = registered.entries.iter();
        let before = before.filter(|entry| entry.code <= address);
        let nearest = before.max_by_key(|entry| entry.code);
        let contains = |registration: &&Registration| {
            let code = RegisteredCode::read(reader, registration);
            let offset = address.offset_from(registration.code);
            code.is_ok_and(|code| offset < Some(code.text.len() as u64))
        };
        if let Some(registration) = nearest.filter(contains) {
            let what = "it is machine code that CPython has registered for debuggers, of an executor that is not known";
            return Ok(Some(Finding::note(what).at(registration.code)));
        }
        let complete = registered.findings.is_empty();
        Ok(complete.then(|| {
            Finding::note("CPython registers the code of all executors for debuggers, and has none registered there")
        }))
    }

    /// What is left of an executor whose code was at `address`: `freed` if something still leads to it though it is no
    /// executor any more; `none` if it still is one, but damaged.
    fn remains_of_code(
        &self,
        address: Address,
        is_mapped: bool,
    ) -> Result<Option<(&'static str, Finding)>> {
        let (python, reader) = (self.python()?, self.reader());
        for known in self.all_executors()? {
            let Err(reason) = &known.executor else {
                continue;
            };
            let Some(remains) = Remains::read(python, reader, known.address) else {
                continue;
            };
            if !remains.code.is_some_and(|code| code.contains(address)) {
                continue;
            }
            let who = who_refers(known);
            let (word, what) = match (remains.is_executor, is_mapped) {
                (true, _) => (
                    "none",
                    format!("it is in the code of an executor that cannot be read: {reason}"),
                ),
                (false, true) => (
                    "freed",
                    format!(
                        "it was the code of the executor {who}, which has been freed; other memory is mapped there now"
                    ),
                ),
                (false, false) => (
                    "freed",
                    format!(
                        "it was the code of the executor {who}, which has been freed; nothing is mapped there any more"
                    ),
                ),
            };
            return Ok(Some((word, Finding::warning(what).at(known.address))));
        }
        Ok(None)
    }

    /// A sentence, if there is evidence that there was an executor at `address` which has been freed.
    pub fn freed_executor(&self, address: Address) -> Result<Option<String>> {
        let (python, reader) = (self.python()?, self.reader());
        let remains = Remains::read(python, reader, address);
        if remains.is_some_and(|remains| remains.is_dead) {
            return Ok(Some(format!(
                "what was at {address} has been freed: the memory is filled with 0xdd, the mark of CPython's debug allocator"
            )));
        }
        let mut all = self.all_executors()?.iter();
        let Some((known, error)) = all.find_map(|known| {
            let error = known.executor.as_ref().err()?;
            (known.address == address).then_some((known, error))
        }) else {
            return Ok(None);
        };
        if remains.is_some_and(|remains| remains.is_executor) {
            return Ok(Some(error.clone()));
        }
        Ok(Some(format!(
            "the executor {} has been freed, or the reference to it is damaged: {error}",
            who_refers(known)
        )))
    }
}

/// Why an executor that still reads as one must have been freed; `None` if nothing speaks for it.
pub(super) fn only_remains(executor: &Executor, found: &[Found]) -> Option<&'static str> {
    let waits = found.contains(&Found::DeletionList);
    (executor.claims.references == Some(0) && !waits).then_some(
        "its reference count is 0 and it does not wait for being freed: it has been freed, and this is what is left of it",
    )
}

/// A clause that says what leads to an executor: `that thread 7 is in`.
fn who_refers(known: &Known) -> String {
    let header = &known.header;
    if let Some(thread) = header.running_in.first() {
        return format!("that thread {thread} is in");
    }
    if let Some(parent) = header.parents.first() {
        return format!(
            "that exit {} of executor {} leads to",
            parent.exit, parent.executor
        );
    }
    let how = match header.found.first() {
        Some(Found::List) => "in the interpreter's list",
        Some(Found::DeletionList) => "in the list of executors to be freed",
        Some(Found::Code) => "that a code object names",
        Some(Found::Running) => "that a thread is in",
        _ => "that something still leads to",
    };
    how.to_owned()
}
