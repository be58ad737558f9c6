//! How much memory is asked for at once: what one request carries costs no more than what is needed of it.

use std::ops::Range;

/// Mappings begin and end on it, so a page is readable as a whole or not at all. Those of some kernels are larger.
pub(super) const PAGE: u64 = 4096;

/// The unit of a connection with small packets: the head of an object, most of a name.
const LINE: u64 = 64;

/// What a debugger that is asked for one byte may as well fetch where no packets are known of.
const BLOCK: u64 = 16 << 10;

/// The largest block: more would be fetched in vain more often than not.
const LARGEST_BLOCK: u64 = 64 << 10;

/// On a connection with large packets, what is missing this close is fetched in one request.
const CLOSE: u64 = 64 << 10;

/// The longest single request. Debuggers take more, but a wrong length from the target should not cost seconds.
const LONGEST_REQUEST: u64 = 1 << 20;

/// What is kept, and what is asked for to get it. Memory is counted in units, from the beginning of memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    /// Bytes of a unit: it is kept as a whole.
    pub(super) unit: u64,
    /// Bytes that one request brings at the price of one.
    request: u64,
}

impl Transfer {
    /// Where nothing is known of packets: a process of this machine, a file.
    pub(super) const NEAR: Transfer = Transfer {
        unit: PAGE,
        request: BLOCK,
    };

    /// Where each packet brings up to so many bytes of memory.
    pub(super) fn of_packets(size: u64) -> Transfer {
        match size >= BLOCK {
            true => Transfer {
                unit: PAGE,
                request: (size.min(LARGEST_BLOCK) + 1).next_power_of_two() / 2,
            },
            false => Transfer {
                unit: LINE,
                request: (size / LINE * LINE).max(LINE),
            },
        }
    }

    /// The units that a read of `length` bytes (at least one) at `address` needs, the last one included.
    pub(super) fn units(&self, address: u64, length: u64) -> (u64, u64) {
        (
            address / self.unit,
            address.saturating_add(length - 1) / self.unit,
        )
    }

    /// One past the last unit that a request from `first` on may ask for.
    pub(super) fn longest(&self, first: u64) -> u64 {
        first.saturating_add(LONGEST_REQUEST / self.unit)
    }

    /// What to fetch where `missing` is needed: what is needed next is often near. Large packets bring the blocks around
    /// it, small ones what lies behind it. A mapping may end in between.
    pub(super) fn around(&self, missing: &Range<u64>) -> Range<u64> {
        let block = self.request / self.unit;
        match self.unit == PAGE {
            true => missing.start / block * block..missing.end.next_multiple_of(block),
            false => {
                let whole = (missing.end - missing.start).next_multiple_of(block);
                missing.start..missing.start.saturating_add(whole)
            }
        }
    }

    /// What is there if `missing` is: no more than its pages.
    pub(super) fn close_to(&self, missing: &Range<u64>) -> Range<u64> {
        let page_end = missing.end.next_multiple_of(PAGE / self.unit);
        missing.start..page_end.min(self.around(missing).end)
    }

    /// Whether one request shall bring `run`, the gap behind it and the unit `next`.
    pub(super) fn joins(&self, run: &Range<u64>, next: u64) -> bool {
        match self.unit == PAGE {
            true => {
                let is_close = next - run.end < CLOSE / PAGE && next < self.longest(run.start);
                is_close || next - run.start < self.request / PAGE
            }
            false => next - run.start < self.request / self.unit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_packets_bring_whole_blocks() {
        let transfer = Transfer::of_packets(65_551);
        assert_eq!((transfer.unit, transfer.request), (PAGE, 64 << 10));
        assert_eq!(Transfer::of_packets(BLOCK).request, BLOCK);
        assert_eq!(Transfer::of_packets(u64::MAX).request, LARGEST_BLOCK);
        assert_eq!(transfer.around(&(17..18)), 16..32);
        assert_eq!(transfer.units(2 * PAGE - 1, 2), (1, 2));
        assert_eq!(transfer.close_to(&(17..18)), 17..18);
        assert!(transfer.joins(&(1..2), 17) && !transfer.joins(&(1..2), 18));
    }

    #[test]
    fn small_packets_bring_what_lies_behind() {
        let transfer = Transfer::of_packets(2_050);
        assert_eq!((transfer.unit, transfer.request), (LINE, 2_048));
        assert_eq!(transfer.around(&(1..3)), 1..33);
        assert_eq!(transfer.around(&(1..34)), 1..65);
        assert_eq!(transfer.close_to(&(1..34)), 1..64);
        assert_eq!(transfer.around(&(60..64)), 60..92);
        assert_eq!(transfer.close_to(&(1..3)), 1..33);
        assert_eq!(transfer.close_to(&(60..63)), 60..64);
        assert_eq!(transfer.close_to(&(63..65)), 63..95);
        assert!(transfer.joins(&(1..3), 32) && !transfer.joins(&(1..3), 33));
        assert_eq!(Transfer::of_packets(1).request, LINE);
    }
}
