//! All entries of `.debug_info` that are uncompressed, by offset.

use super::die::Die;
use super::trouble::Trouble;
use super::unit::{Companions, Unit};
use std::collections::HashMap;
use std::rc::Rc;

/// How many entries one structure may have as children. The largest in CPython (`_typeobject`) has below 100.
const MOST_CHILDREN: usize = 100_000;

/// How many children may be read in all for the shapes of one unit: nested structures can multiply. All that is asked of
/// CPython's `Python/jit.c` reads some 10,000.
const MOST_READS: usize = 2_000_000;

/// Finds the entry at an offset, in whichever unit it is.
pub(super) struct Dies<'data> {
    info: &'data [u8],
    companions: Companions<'data>,
    /// Where the units begin, ascending.
    starts: &'data [usize],
    parsed: HashMap<usize, Rc<Unit<'data>>>,
    reads: usize,
}

impl<'data> Dies<'data> {
    pub(super) fn new(
        info: &'data [u8],
        companions: Companions<'data>,
        starts: &'data [usize],
    ) -> Dies<'data> {
        Dies {
            info,
            companions,
            starts,
            parsed: HashMap::new(),
            reads: 0,
        }
    }

    /// The unit that begins at `start`.
    pub(super) fn unit(&mut self, start: usize) -> Result<Rc<Unit<'data>>, Trouble> {
        if let Some(unit) = self.parsed.get(&start) {
            return Ok(Rc::clone(unit));
        }
        let unit = Rc::new(Unit::parse(self.info, self.companions, start)?);
        self.parsed.insert(start, Rc::clone(&unit));
        Ok(unit)
    }

    /// The unit that has the entry at this offset.
    pub(super) fn unit_of(&mut self, at: usize) -> Result<Rc<Unit<'data>>, Trouble> {
        if at >= self.info.len() {
            return Err(Trouble::NotReady);
        }
        let following = self.starts.partition_point(|start| *start <= at);
        let start = following
            .checked_sub(1)
            .and_then(|index| self.starts.get(index))
            .ok_or(Trouble::NotReady)?;
        self.unit(*start)
    }

    /// The entry at this offset.
    pub(super) fn die(&mut self, at: usize) -> Result<Die<'data>, Trouble> {
        (self.unit_of(at)?.die(at)?).ok_or(Trouble::Unsupported("a reference to the end of a list"))
    }

    /// The direct children of the entry at this offset.
    pub(super) fn children(&mut self, at: usize) -> Result<Vec<Die<'data>>, Trouble> {
        let unit = self.unit_of(at)?;
        let parent = self.die(at)?;
        let mut children = Vec::new();
        if !parent.has_children {
            return Ok(children);
        }
        let mut next = parent.next;
        while let Some(child) = unit.die(next)? {
            next = unit.behind(&child)?;
            children.push(child);
            self.reads = self.reads.saturating_add(1);
            if children.len() > MOST_CHILDREN || self.reads > MOST_READS {
                return Err(Trouble::Limit("a structure with too many members"));
            }
        }
        Ok(children)
    }
}
