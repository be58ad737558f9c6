//! What a uop may have done by a place in its code: for what can still be said of the items it found on the stack.

/// Words of the stack that are told apart; a uop writes a few.
const MOST_WRITTEN: usize = 64;

/// An item of the stack when the uop began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Item {
    /// In register `tosN`.
    Cached(u8),
    /// In memory, so many bytes from the stack's pointer then.
    At(i64),
}

/// What happened since the uop began, on some way to a place.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Since {
    /// Where the evaluation stack may have been written: bytes from its pointer when the uop began, and how many.
    written: Vec<(i64, i64)>,
    /// Any word of it may have been.
    everything: bool,
    /// Items whose objects' counts of references were changed: the uop may be giving them back.
    counted: Vec<Item>,
    /// A function was called and came back: what the stack held may have been taken from it and freed.
    pub called: bool,
    /// On all ways: the stack's pointer was saved in the frame, and no function was called since.
    pub saved: bool,
}

impl Since {
    /// The stack may have been written, `None`: somewhere.
    pub fn write(&mut self, at: Option<i64>, size: u8) {
        match at {
            Some(at) if self.written.len() < MOST_WRITTEN => {
                if !self.written.contains(&(at, size.into())) {
                    self.written.push((at, size.into()));
                    self.written.sort_unstable();
                }
            }
            _ => self.everything = true,
        }
    }

    /// Whether the word at this place may have been written.
    pub fn has_written(&self, at: i64) -> bool {
        let hits = |(start, size): &(i64, i64)| {
            *start < at.saturating_add(8) && at < start.saturating_add(*size)
        };
        self.everything || self.written.iter().any(hits)
    }

    /// The count of references of an item's object was written.
    pub fn count(&mut self, item: Item) {
        if !self.has_counted(item) && self.counted.len() < MOST_WRITTEN {
            self.counted.push(item);
            self.counted.sort_unstable();
        }
    }

    /// Whether the count of references of this item's object may have been changed.
    pub fn has_counted(&self, item: Item) -> bool {
        self.counted.len() >= MOST_WRITTEN || self.counted.contains(&item)
    }

    /// What may have happened on this way or the other.
    pub fn join(&mut self, other: &Since) {
        for (at, size) in &other.written {
            self.write(Some(*at), u8::try_from(*size).unwrap_or(u8::MAX));
        }
        other.counted.iter().for_each(|item| self.count(*item));
        self.everything |= other.everything;
        self.called |= other.called;
        self.saved &= other.saved;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_that_join_may_have_done_either() {
        let mut one = Since {
            saved: true,
            ..Since::default()
        };
        one.write(Some(-8), 8);
        let mut other = Since {
            called: true,
            ..Since::default()
        };
        other.write(Some(16), 4);
        one.join(&other);
        assert!(one.called && !one.saved);
        assert!(one.has_written(-8) && one.has_written(16) && one.has_written(12));
        assert!(!one.has_written(0) && !one.has_written(-16));
        other.count(Item::Cached(1));
        one.join(&other);
        assert!(one.has_counted(Item::Cached(1)) && !one.has_counted(Item::At(-8)));
        one.write(None, 8);
        assert!(one.has_written(0));
    }
}
