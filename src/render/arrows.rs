//! Which jumps of a listing are drawn, and between which of its lines.

use super::lanes::{Jump, Lanes};
use crate::address::Address;
use crate::listing::{Edge, EdgeKind, UopRow};

/// The lines that arrows may touch: instructions by their addresses, or uops by their indices.
pub enum Numbering {
    /// Instructions, in the order of their addresses, with their numbers on the page.
    Instructions(Vec<(Address, usize)>),
    /// Uops, with their numbers.
    Uops(Vec<(u32, usize)>),
}

impl Numbering {
    /// Numbers the instructions of the uops, or the uops themselves.
    pub fn of(uops: &[UopRow], instructions: bool) -> Numbering {
        if !instructions {
            return Numbering::Uops(uops.iter().map(|row| row.index.0).zip(0..).collect());
        }
        let rows = uops
            .iter()
            .flat_map(|row| row.instructions.iter().flatten());
        let addresses = rows.map(|row| row.instruction.address());
        let mut places: Vec<(Address, usize)> = addresses.zip(0..).collect();
        places.sort_unstable();
        Numbering::Instructions(places)
    }

    /// How many numbers a uop takes.
    pub fn count(&self, row: &UopRow) -> usize {
        match self {
            Numbering::Uops(_) => 1,
            Numbering::Instructions(_) => row.instructions.as_ref().map_or(0, Vec::len),
        }
    }

    /// The arrows of the jumps whose ends are both on the page. Those to stubs are left out: each guard has one, to the
    /// end of the listing, and remarks tell where.
    pub fn lanes(&self, edges: &[Edge]) -> Lanes {
        let shown = edges.iter().filter(|edge| edge.kind != EdgeKind::Stub);
        Lanes::new(shown.filter_map(|edge| self.jump(edge)))
    }

    fn jump(&self, edge: &Edge) -> Option<Jump> {
        let (from, to) = match self {
            Numbering::Instructions(places) => {
                (number(places, edge.from?)?, number(places, edge.to?)?)
            }
            Numbering::Uops(places) => (
                number(places, edge.from_uop.0)?,
                number(places, edge.to_uop.0)?,
            ),
        };
        Some(Jump {
            from,
            to,
            is_loop: edge.kind == EdgeKind::Back,
        })
    }
}

fn number<K: Ord + Copy>(places: &[(K, usize)], key: K) -> Option<usize> {
    let place = places
        .binary_search_by_key(&key, |(place, _)| *place)
        .ok()?;
    places.get(place).map(|(_, number)| *number)
}
