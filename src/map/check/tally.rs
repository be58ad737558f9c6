//! What a check found.

use super::Check;
use crate::address::{Address, UopIndex};
use std::fmt::Display;

/// Violations that are kept of one check on one executor: the first tell what is wrong, the rest repeat it.
const MOST_KEPT: usize = 8;

/// Something that must hold and does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Where: the byte in memory that is wrong.
    pub address: Address,
    /// Of which uop.
    pub uop: Option<UopIndex>,
    /// The field, in CPython's words: `exits[2].target`.
    pub field: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

/// The outcome of one check on one executor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckResult {
    /// Which check.
    pub check: Check,
    /// How many comparisons were made.
    pub compared: u64,
    /// How many of them failed.
    pub failed: u64,
    /// The first that failed.
    pub violations: Vec<Violation>,
    /// Why it could not be run, if it could not.
    pub reason: Option<String>,
}

/// Counts comparisons of one check.
pub(super) struct Tally {
    result: CheckResult,
    address: Address,
    uop: Option<UopIndex>,
}

impl Tally {
    /// Nothing compared yet; what is compared lies at `address`.
    pub fn new(check: Check, address: Address) -> Tally {
        Tally {
            result: CheckResult {
                check,
                compared: 0,
                failed: 0,
                violations: Vec::new(),
                reason: None,
            },
            address,
            uop: None,
        }
    }

    /// What is compared from now on lies here.
    pub fn at(&mut self, address: Address, uop: Option<UopIndex>) -> &mut Tally {
        (self.address, self.uop) = (address, uop);
        self
    }

    /// Both have to be equal.
    pub fn same<T: PartialEq + Display>(&mut self, field: impl Display, expected: T, found: T) {
        self.that(expected == found, field, expected, found);
    }

    /// It has to hold; the rest says what was expected and what is there.
    pub fn that(
        &mut self,
        holds: bool,
        field: impl Display,
        expected: impl Display,
        found: impl Display,
    ) {
        self.result.compared += 1;
        if holds {
            return;
        }
        self.result.failed += 1;
        if self.result.violations.len() < MOST_KEPT {
            self.result.violations.push(Violation {
                address: self.address,
                uop: self.uop,
                field: field.to_string(),
                expected: expected.to_string(),
                found: found.to_string(),
            });
        }
    }

    /// So many comparisons held, made elsewhere.
    pub fn held(&mut self, comparisons: u64) {
        self.result.compared += comparisons;
    }

    /// The check cannot be run.
    pub fn cannot(&mut self, reason: impl Display) {
        self.result.reason = Some(reason.to_string());
    }

    /// The outcome.
    pub fn result(mut self) -> CheckResult {
        if self.result.compared == 0 && self.result.reason.is_none() {
            self.result.reason = Some("there is nothing to compare".to_owned());
        }
        self.result
    }
}
