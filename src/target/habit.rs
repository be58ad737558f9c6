//! What was needed at earlier stops: it tells how to lay requests so that fewer of them bring what will be needed.

use std::collections::BTreeSet;
use std::ops::Range;

/// More units than commands need at a stop; then it begins anew.
const MOST_UNITS: usize = 1 << 16;

/// The units that have been needed. Only a hint: what it tells wrong costs a request.
#[derive(Default)]
pub(super) struct Habit {
    needed: BTreeSet<u64>,
}

impl Habit {
    /// These units were needed.
    pub(super) fn note(&mut self, units: Range<u64>) {
        if self.needed.len() >= MOST_UNITS {
            self.needed.clear();
        }
        self.needed.extend(units);
    }

    /// The best of all requests as long as `usual` that bring `missing`: that with most of what was needed and is not
    /// there yet; `usual` itself, unless another is better.
    pub(super) fn best(
        &self,
        missing: &Range<u64>,
        usual: Range<u64>,
        is_there: impl Fn(u64) -> bool,
    ) -> Range<u64> {
        let length = usual.end - usual.start;
        if missing.end - missing.start >= length {
            return usual;
        }
        let worth = |range: &Range<u64>| {
            let needed = self.needed.range(range.clone());
            needed.filter(|unit| !is_there(**unit)).count()
        };
        let (mut best, mut most) = (usual.clone(), worth(&usual));
        for start in self
            .needed
            .range(missing.end.saturating_sub(length)..missing.start)
        {
            let other = *start..start.saturating_add(length);
            let value = worth(&other);
            if value > most {
                (best, most) = (other, value);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_laid_so_that_it_brings_most_of_what_was_needed() {
        let mut habit = Habit::default();
        let nothing = |_| false;
        assert_eq!(habit.best(&(17..18), 16..32, nothing), 16..32);
        habit.note(12..13);
        habit.note(14..18);
        habit.note(27..28);
        assert_eq!(habit.best(&(17..18), 16..32, nothing), 12..28);
        assert_eq!(habit.best(&(17..18), 16..32, |unit| unit < 16), 16..32);
        // It always brings what is missing.
        assert_eq!(habit.best(&(27..29), 27..31, nothing), 27..31);
        assert_eq!(habit.best(&(14..18), 14..15, nothing), 14..15);
    }

    #[test]
    fn forgets_when_there_is_too_much() {
        let mut habit = Habit::default();
        habit.note(0..MOST_UNITS as u64);
        habit.note(5..6);
        assert_eq!(habit.needed.len(), 1);
    }
}
