//! What is said of a breakpoint when it is set.

use super::{Breakpoints, Kind};
use crate::address::Address;
use crate::control::Place;
use std::collections::HashSet;

impl Breakpoints {
    pub(super) fn announcement(&self, id: u32, places: &[Place]) -> String {
        let set = self.set.iter().find(|set| set.id == id);
        match set.map(|set| &set.kind) {
            Some(Kind::Catch(caught)) => caught.announcement(places.is_empty()),
            Some(Kind::Uops(wanted)) => {
                let text = wanted.text();
                match places.len() {
                    0 => format!("{text}: pending until an executor with it is compiled"),
                    1 => format!("{text}: 1 place; executors that are compiled later get theirs"),
                    count => format!(
                        "{text}: {count} places in {}; executors that are compiled later get theirs",
                        executors(self.executors_with(id))
                    ),
                }
            }
            None => String::new(),
        }
    }

    fn executors_with(&self, id: u32) -> usize {
        let regions = self.regions.iter();
        let with =
            regions.filter(|region| region.places.iter().any(|place| place.breakpoint == id));
        let starts: HashSet<Address> = with.map(|region| region.range.start).collect();
        starts.len()
    }
}

fn executors(count: usize) -> String {
    match count {
        1 => "1 executor".to_owned(),
        _ => format!("{count} executors"),
    }
}
