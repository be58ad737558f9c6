//! The report of `jit-verify` (`json-contract.md`, "verify").

use super::code_bytes::{BytesSummary, CodeBytes};
use super::rows::ExecutorHeader;
use crate::address::{Address, UopIndex};
use serde::Serialize;
use std::sync::Arc;

/// What was checked and what failed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifyData {
    /// The executors that were checked.
    pub executors: Vec<VerifiedExecutor>,
    /// Executors that could not be checked because they cannot be read as such.
    pub unreadable: u64,
    /// All of it in numbers.
    pub summary: VerifySummary,
    /// The machine code in numbers.
    pub bytes: BytesSummary,
}

impl VerifyData {
    /// Whether nothing failed.
    pub fn is_sound(&self) -> bool {
        self.summary.failed == 0 && self.unreadable == 0
    }
}

/// Checks by outcome, counted for each executor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct VerifySummary {
    /// Executors.
    pub executors: u64,
    /// Comparisons.
    pub compared: u64,
    /// Checks that passed.
    pub passed: u64,
    /// Checks that failed.
    pub failed: u64,
    /// Checks that could not be run.
    pub could_not_run: u64,
}

/// One executor and its checks.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedExecutor {
    /// The executor.
    pub executor: ExecutorHeader,
    /// Each check.
    pub checks: Vec<CheckRow>,
    /// What failed, the first few of each check.
    pub failures: Vec<Failure>,
    /// Its machine code, byte by byte.
    pub bytes: CodeBytes,
}

/// The outcome of a check.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CheckRow {
    /// Its name.
    pub name: &'static str,
    /// How it went.
    pub status: CheckStatus,
    /// How many comparisons were made.
    pub compared: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Why it could not be run.
    pub reason: Option<String>,
}

/// How a check went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckStatus {
    /// All it compared was right.
    Passed,
    /// Something was wrong.
    Failed,
    /// It lacked what it needs, or had nothing to compare.
    CouldNotRun,
}

/// Something that must hold and does not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Failure {
    /// The check that found it.
    pub check: &'static str,
    /// The byte in memory that is wrong.
    pub address: Address,
    /// The uop that it belongs to.
    pub uop: Option<UopIndex>,
    /// The name of that uop.
    pub name: Option<Arc<str>>,
    /// The field, in CPython's words.
    pub field: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}
