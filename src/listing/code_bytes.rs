//! What the comparison of an executor's bytes gave (`jit-verify`).

use crate::address::{Address, UopIndex};
use serde::Serialize;
use std::sync::Arc;

/// Whether machine code is what was compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every byte is.
    Identical,
    /// Some bytes are not.
    Differs,
    /// Not all could be compared, and of those that could none differs.
    NotCheckable,
}

/// What bytes are held against.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// What the emitters of the stencils write for the trace.
    Emitters,
    /// The copy that CPython registered for debuggers (3.15).
    Copy,
}

/// The bytes of an executor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CodeBytes {
    /// What came out.
    pub verdict: Verdict,
    /// What they were held against.
    pub against: Against,
    /// Bytes that were compared.
    pub compared: u64,
    /// Bytes that could not be compared.
    pub unknown: u64,
    /// Why not, if that holds for all.
    pub reason: Option<String>,
    /// What could not be rebuilt, the first few.
    pub gaps: Vec<GapRow>,
    /// What differs.
    pub difference: Option<ByteDifference>,
}

/// A uop whose bytes could not be rebuilt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct GapRow {
    /// Its index; none for shim and guard.
    pub uop: Option<UopIndex>,
    /// Its name, or what else it is.
    pub name: Option<Arc<str>>,
    /// Why.
    pub reason: String,
}

/// What a difference may come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A debugger's breakpoint stands there.
    Breakpoint,
    /// Something wrote over the code.
    Overwritten,
    /// A uop of the trace is not what it was when the code was compiled.
    Trace,
    /// One of both: which one cannot be told.
    Either,
}

/// The first difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ByteDifference {
    /// How many bytes differ in all.
    pub count: u64,
    /// The byte.
    pub address: Address,
    /// The hole or the word that it is in, or it alone.
    pub range: super::RangeRow,
    /// What part of the allocation it is in.
    pub region: &'static str,
    /// The uop that it belongs to.
    pub uop: Option<UopIndex>,
    /// The name of that uop.
    pub name: Option<Arc<str>>,
    /// Bytes from the start of the code or data of the uop, or of the region.
    pub offset: u64,
    /// What the range is computed from, in CPython's words; empty for what is the same in every instance of the stencil.
    pub hole: Vec<&'static str>,
    /// What should be in the range, as hex.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// What an address that should be there is the address of.
    pub expected_symbol: Option<String>,
    /// And the one that is there.
    pub found_symbol: Option<String>,
    /// What it may come from.
    pub cause: Cause,
    /// The same as a sentence.
    pub explanation: String,
}

/// The bytes of all executors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct BytesSummary {
    /// Executors of which every byte is what was compiled.
    pub identical: u64,
    /// Executors with bytes that are not.
    pub different: u64,
    /// Executors of which not all bytes could be compared.
    pub not_checkable: u64,
    /// Uops of those that were compared.
    pub uops: u64,
    /// Bytes that were compared.
    pub compared: u64,
}

impl CodeBytes {
    /// Nothing could be compared.
    pub fn not_checkable(against: Against, reason: String) -> CodeBytes {
        CodeBytes {
            verdict: Verdict::NotCheckable,
            against,
            compared: 0,
            unknown: 0,
            reason: Some(reason),
            gaps: Vec::new(),
            difference: None,
        }
    }
}

impl BytesSummary {
    /// Counts an executor that has so many uops.
    pub fn add(&mut self, bytes: &CodeBytes, uops: u64) {
        let count = match bytes.verdict {
            Verdict::Identical => &mut self.identical,
            Verdict::Differs => &mut self.different,
            Verdict::NotCheckable => &mut self.not_checkable,
        };
        *count = count.saturating_add(1);
        if bytes.compared != 0 {
            self.uops = self.uops.saturating_add(uops);
            self.compared = self.compared.saturating_add(bytes.compared);
        }
    }
}
