//! The entry from C that begins each executor's code (3.14).
//!
//! Link-time optimisers drop the table entry of its stencil, and stripped files the name of its emitter. It has no holes,
//! so that all executors have the same.

use crate::address::Address;
use crate::cpython::Executor;
use crate::session::Session;
use std::collections::HashMap;

/// Longer than it is on any machine (x86-64: 33 bytes, in debug builds a little more).
const LONGEST: u64 = 1024;

/// Executors that are looked at: enough for any fault that does not hit most of them.
const MOST_LOOKED_AT: usize = 256;

/// The shim that more than half of the executors have, and at least two.
pub(super) fn common_shim(session: &Session) -> Option<Vec<u8>> {
    let all = session.all_executors().ok()?.iter();
    let readable = all.filter_map(|known| known.executor.as_ref().ok());
    let shims = readable.filter_map(|executor| shim(session, executor));
    let (mut counts, mut total) = (HashMap::new(), 0usize);
    for shim in shims.take(MOST_LOOKED_AT) {
        *counts.entry(shim).or_insert(0usize) += 1;
        total = total.saturating_add(1);
    }
    let (shim, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count >= 2 && count > total / 2).then_some(shim)
}

fn shim(session: &Session, executor: &Executor) -> Option<Vec<u8>> {
    let size = executor.side_entry?.offset_from(executor.jit_code)?;
    let is_plausible = executor.jit_code != Address::NULL && (1..=LONGEST).contains(&size);
    let read = |size| session.reader().bytes(executor.jit_code, size, "shim");
    is_plausible.then(|| read(size).ok()).flatten()
}
