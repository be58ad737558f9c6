//! Looks for the units that define the wanted structures, and reads as few of them as possible.
//!
//! A unit's entries cannot be found without reading all before them, and `.debug_info` has 350 units and 24 MB. But an
//! entry with a name refers to the place of that name in `.debug_str`: 4 bytes that can be searched for while the
//! section is being uncompressed. What contains them need not be such an entry, so the unit around is parsed and asked.
//! The unit of `Python/jit.c` alone answers nearly everything.

use super::definitions::definitions;
use super::dies::Dies;
use super::flatten::shape;
use super::needle::needles;
use super::trouble::Trouble;
use super::unit::Companions;
use super::unit_table::UnitTable;
use crate::image::section_bytes::SectionBytes;
use crate::image::shape_set::{MissingShape, ShapeSet};
use memchr::memmem;
use std::collections::{BTreeMap, HashSet};

/// One search for shapes.
pub(super) struct Search<'data> {
    info: SectionBytes<'data>,
    companions: Companions<'data>,
    units: UnitTable,
    /// Where the units begin that were read already.
    examined: HashSet<usize>,
    found: ShapeSet,
    /// Why a name that was met is no shape, for those not found in another unit.
    reasons: BTreeMap<String, String>,
    /// What is the matter with the section itself.
    broken: Option<String>,
}

impl<'data> Search<'data> {
    pub(super) fn new(info: SectionBytes<'data>, companions: Companions<'data>) -> Search<'data> {
        Search {
            info,
            companions,
            units: UnitTable::default(),
            examined: HashSet::new(),
            found: ShapeSet::default(),
            reasons: BTreeMap::new(),
            broken: None,
        }
    }

    /// Finds the shapes with these names, and the reasons for those that it does not find.
    pub(super) fn run(mut self, wanted: &[&str]) -> ShapeSet {
        for name in wanted {
            self.follow_mentions(name, wanted);
        }
        // References by index (DW_FORM_strx) cannot be searched for.
        if !self.companions.string_offsets.is_empty() {
            self.read_every_unit(wanted);
        }
        self.give_reasons(wanted);
        self.found
    }

    fn give_reasons(&mut self, wanted: &[&str]) {
        for name in wanted {
            if !self.found.answers(name) {
                let reason = (self.reasons.remove(*name))
                    .or_else(|| self.broken.clone())
                    .unwrap_or_else(|| "the DWARF does not define it".to_owned());
                self.found.missing.push(MissingShape {
                    name: (*name).to_owned(),
                    reason,
                });
            }
        }
    }

    fn follow_mentions(&mut self, name: &str, wanted: &[&str]) {
        if self.found.answers(name) {
            return;
        }
        for needle in needles(name, self.companions.strings) {
            let finder = memmem::Finder::new(&needle);
            let mut position = 0;
            while let Some(hit) = self.next_hit(&finder, position) {
                let Some((start, end)) = self.units.unit_of(&mut self.info, hit) else {
                    break;
                };
                self.examine(start, wanted);
                if self.found.answers(name) {
                    return;
                }
                position = end;
            }
        }
    }

    /// Where the needle is next, from `position` on.
    fn next_hit(&mut self, finder: &memmem::Finder<'_>, position: usize) -> Option<usize> {
        let mut from = position;
        loop {
            let ready = self.info.ready();
            if let Some(hit) = finder.find(ready.get(from..).unwrap_or_default()) {
                return from.checked_add(hit);
            }
            // The needle can lie across the end of what is ready.
            let searched = ready.len();
            from = from.max(searched.saturating_sub(finder.needle().len()));
            self.grow(searched.saturating_add(1));
            if self.info.ready().len() == searched {
                return None;
            }
        }
    }

    fn grow(&mut self, end: usize) {
        if let Err(reason) = self.info.grow(end) {
            self.broken = Some(format!(".debug_info: {reason}"));
        }
    }

    fn read_every_unit(&mut self, wanted: &[&str]) {
        let mut position = 0;
        while wanted.iter().any(|name| !self.found.answers(name)) {
            let Some((start, end)) = self.units.unit_of(&mut self.info, position) else {
                break;
            };
            self.examine(start, wanted);
            position = end;
        }
    }

    /// Takes from one unit all that is still wanted.
    fn examine(&mut self, start: usize, wanted: &[&str]) {
        if !self.examined.insert(start) {
            return;
        }
        let missing: Vec<&str> = (wanted.iter().copied())
            .filter(|name| !self.found.answers(name))
            .collect();
        let mut outcome = self.take(start, &missing);
        if outcome == Err(Trouble::NotReady) {
            // A reference into a unit further on, as dwz makes them.
            self.grow(self.info.size());
            self.units.learn_all(&mut self.info);
            outcome = self.take(start, &missing);
        }
        if let Err(trouble) = outcome {
            self.broken = Some(trouble.to_string());
        }
    }

    fn take(&mut self, start: usize, missing: &[&str]) -> Result<(), Trouble> {
        // Only whole units: a reference beyond them leads to one that must be uncompressed first.
        let info = self.info.ready();
        let info = info.get(..self.units.end()).unwrap_or(info);
        let mut dies = Dies::new(info, self.companions, self.units.starts());
        let definitions = definitions(&mut dies, start, missing)?;
        let mut troubles = definitions.troubles;
        for (name, at) in definitions.structures {
            match shape(&mut dies, at, &name) {
                Ok(shape) => {
                    self.found.shapes.insert(name, shape);
                }
                Err(trouble) => troubles.push((name, trouble)),
            }
        }
        let not_ready = troubles
            .iter()
            .any(|(_, trouble)| *trouble == Trouble::NotReady);
        for (name, trouble) in troubles {
            self.reasons.insert(name, trouble.to_string());
        }
        if not_ready {
            Err(Trouble::NotReady)
        } else {
            Ok(())
        }
    }
}
