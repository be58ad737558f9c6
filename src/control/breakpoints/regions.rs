//! The code of the executors that are known, and which places lie in it.

use super::subject::Summary;
use crate::address::{Address, Range};
use crate::control::{Action, Place, RegionPlaces};
use crate::disasm::Architecture;
use std::collections::BTreeMap;

/// What is known of the code of one executor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Region {
    /// The executor, and where its trace is: both the same only for the same one.
    pub executor: (Address, Address),
    /// Its memory.
    pub range: Range,
    /// The places of all breakpoints.
    pub places: Vec<Place>,
    /// What is said of it when it goes.
    pub summary: Summary,
}

/// All of them, by where they begin.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    known: BTreeMap<Address, Region>,
}

impl Regions {
    /// The one that begins here.
    pub fn get(&self, start: Address) -> Option<&Region> {
        self.known.get(&start)
    }

    /// All.
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        self.known.values()
    }

    /// A region as it is from now on: what the front-end has to do. Whatever else lay in its memory is gone.
    pub fn put(&mut self, architecture: Architecture, region: Region) -> Vec<Action> {
        let start = region.range.start;
        let mut actions = self.leave_overlapping(region.range);
        let before = self.known.get(&start);
        let same = before
            .is_some_and(|known| known.places == region.places && known.range == region.range);
        let nothing =
            before.is_none_or(|known| known.places.is_empty()) && region.places.is_empty();
        if !same && !nothing {
            actions.push(update(architecture, region.range, region.places.clone()));
        }
        self.known.insert(start, region);
        actions
    }

    /// Forgets the regions that touch this memory, but for one that begins at the same place.
    fn leave_overlapping(&mut self, range: Range) -> Vec<Action> {
        let before = self.known.range(..range.end());
        let touching = before
            .filter(|(start, known)| **start != range.start && known.range.end() > range.start);
        let touching: Vec<Address> = touching.map(|(start, _)| *start).collect();
        touching
            .into_iter()
            .flat_map(|start| self.leave(start))
            .collect()
    }

    /// Forgets the region that begins here: what the front-end has to do.
    pub fn leave(&mut self, start: Address) -> Option<Action> {
        let region = self.known.remove(&start)?;
        (!region.places.is_empty()).then(|| left(region.range))
    }

    /// Forgets all that begin elsewhere than these do.
    pub fn leave_others(&mut self, starts: &[Address]) -> Vec<Action> {
        let others = self.known.keys().filter(|start| !starts.contains(start));
        let others: Vec<Address> = others.copied().collect();
        others
            .into_iter()
            .filter_map(|start| self.leave(start))
            .collect()
    }

    /// Takes the places of one breakpoint out.
    pub fn without(&mut self, architecture: Architecture, breakpoint: u32) -> Vec<Action> {
        let mut actions = Vec::new();
        for region in self.known.values_mut() {
            let before = region.places.len();
            region.places.retain(|place| place.breakpoint != breakpoint);
            if region.places.len() != before {
                actions.push(match region.places.is_empty() {
                    true => left(region.range),
                    false => update(architecture, region.range, region.places.clone()),
                });
            }
        }
        actions
    }

    /// Forgets all without a word: the process is gone.
    pub fn clear(&mut self) {
        self.known.clear();
    }

    /// The places of one breakpoint.
    pub fn places_of(&self, breakpoint: u32) -> Vec<Place> {
        let all = self.known.values().flat_map(|region| &region.places);
        all.filter(|place| place.breakpoint == breakpoint)
            .cloned()
            .collect()
    }
}

fn update(architecture: Architecture, range: Range, places: Vec<Place>) -> Action {
    Action::UpdateRegion(RegionPlaces {
        probes: super::probes::probes(architecture, range, &places),
        range,
        places,
    })
}

fn left(range: Range) -> Action {
    Action::UpdateRegion(RegionPlaces {
        range,
        places: Vec::new(),
        probes: Vec::new(),
    })
}
