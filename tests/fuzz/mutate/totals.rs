//! What came of all cases.

use super::heap::LIMIT;
use std::fmt;

/// Resident memory of a worker, mapped files included, in bytes.
const MOST_RESIDENT: u64 = 500 << 20;

/// A number and the case that it is of.
#[derive(Clone, Copy, Default)]
pub struct Most {
    pub value: u64,
    pub case: u64,
}

impl Most {
    pub fn see(&mut self, value: u64, case: u64) {
        if value > self.value {
            *self = Most { value, case };
        }
    }
}

/// The counts.
#[derive(Default)]
pub struct Totals {
    pub tried: u64,
    /// Cases in which at least one command still answered.
    pub answered: u64,
    pub panics: u64,
    pub crashes: u64,
    pub hangs: u64,
    pub over: u64,
    /// Microseconds.
    pub slowest: Most,
    /// Bytes on the heap.
    pub largest: Most,
    /// Bytes of a whole worker.
    pub resident: u64,
}

impl Totals {
    pub fn failures(&self) -> u64 {
        self.panics + self.crashes + self.hangs + self.over
    }

    pub fn is_good(&self) -> bool {
        self.failures() == 0 && self.resident <= MOST_RESIDENT
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} tried: {} panics, {} crashes, {} hangs, {} over {} MB; {} still answered; slowest {:.2} s (case {}), \
             largest {} MB (case {}), a worker at most {} MB",
            self.tried,
            self.panics,
            self.crashes,
            self.hangs,
            self.over,
            LIMIT >> 20,
            self.answered,
            self.slowest.value as f64 / 1e6,
            self.slowest.case,
            self.largest.value >> 20,
            self.largest.case,
            self.resident >> 20,
        )
    }
}
