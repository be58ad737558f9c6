//! Where the arrows of a page run: each in a lane, short ones inside long ones.

use std::collections::BTreeMap;

/// Lanes beside the code. More are hard to follow, and leave no room for the code on a narrow terminal: jumps beyond
/// are told in words.
pub const MOST_LANES: usize = 5;

/// A jump between two lines of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Jump {
    /// The line that jumps.
    pub from: usize,
    /// The line that it goes to.
    pub to: usize,
    /// Whether it closes a loop: its arrow stands outside of the others.
    pub is_loop: bool,
}

/// All jumps to one line, drawn as one arrow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrow {
    /// The first line that it touches.
    pub top: usize,
    /// The last one.
    pub bottom: usize,
    /// Where it leads.
    pub to: usize,
    /// Where it comes from, in order.
    pub from: Vec<usize>,
    is_loop: bool,
}

impl Arrow {
    /// The first line from `now` on at which it begins, ends or is joined.
    pub fn event(&self, now: usize) -> Option<usize> {
        let joined = self.from.partition_point(|from| *from < now);
        let joined = self.from.get(joined).copied();
        let ends = Some(self.to).filter(|to| *to >= now);
        joined.into_iter().chain(ends).min()
    }

    /// Its jumps one by one, the shortest first.
    fn singles(&self) -> Vec<Arrow> {
        let mut singles: Vec<Arrow> = self
            .from
            .iter()
            .map(|from| Arrow {
                top: self.to.min(*from),
                bottom: self.to.max(*from),
                to: self.to,
                from: vec![*from],
                is_loop: self.is_loop,
            })
            .collect();
        singles.sort_by_key(|arrow| arrow.bottom - arrow.top);
        singles
    }
}

/// The arrows by lane, from the outermost to the innermost, each lane from top to bottom; and the jumps that found no
/// room.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lanes {
    /// The arrows of each lane.
    pub lanes: Vec<Vec<Arrow>>,
    /// Jumps without an arrow, by the line that jumps.
    pub untold: BTreeMap<usize, usize>,
}

impl Lanes {
    /// Gives each arrow a lane.
    pub fn new(jumps: impl IntoIterator<Item = Jump>) -> Lanes {
        let mut arrows = arrows(jumps);
        // Loops first, so that they are drawn in any case; then short ones, which so come to stand inside.
        arrows.sort_by_key(|arrow| (!arrow.is_loop, arrow.bottom - arrow.top, arrow.top));
        let mut outer = Lane::default();
        let mut inner: Vec<Lane> = Vec::new();
        let mut untold = BTreeMap::new();
        for arrow in arrows {
            let Err(arrow) = place(&mut outer, &mut inner, arrow) else {
                continue;
            };
            // Some of the jumps to the line may be short enough.
            for single in arrow.singles() {
                if let Err(single) = place(&mut outer, &mut inner, single) {
                    untold.extend(single.from.iter().map(|from| (*from, single.to)));
                }
            }
        }
        let lanes = std::iter::once(outer).chain(inner.into_iter().rev());
        Lanes {
            lanes: lanes
                .map(|lane| lane.0.into_values().collect::<Vec<Arrow>>())
                .filter(|lane| !lane.is_empty())
                .collect(),
            untold,
        }
    }
}

/// The arrows of a lane by the lines they begin at; none touches another.
#[derive(Default)]
struct Lane(BTreeMap<usize, Arrow>);

impl Lane {
    fn is_free(&self, arrow: &Arrow) -> bool {
        let before = self.0.range(..=arrow.bottom).next_back();
        before.is_none_or(|(_, other)| other.bottom < arrow.top)
    }

    fn add(&mut self, arrow: Arrow) {
        self.0.insert(arrow.top, arrow);
    }
}

fn place(outer: &mut Lane, inner: &mut Vec<Lane>, arrow: Arrow) -> Result<(), Arrow> {
    if arrow.is_loop && outer.is_free(&arrow) {
        outer.add(arrow);
        return Ok(());
    }
    if let Some(lane) = inner.iter_mut().find(|lane| lane.is_free(&arrow)) {
        lane.add(arrow);
        return Ok(());
    }
    if inner.len() + 1 < MOST_LANES {
        let mut lane = Lane::default();
        lane.add(arrow);
        inner.push(lane);
        return Ok(());
    }
    if outer.is_free(&arrow) {
        outer.add(arrow);
        return Ok(());
    }
    Err(arrow)
}

/// Jumps to the same line become one arrow.
fn arrows(jumps: impl IntoIterator<Item = Jump>) -> Vec<Arrow> {
    let mut arrows: BTreeMap<(usize, bool), Arrow> = BTreeMap::new();
    for Jump { from, to, is_loop } in jumps {
        if from == to {
            continue;
        }
        let arrow = arrows.entry((to, is_loop)).or_insert_with(|| Arrow {
            top: to,
            bottom: to,
            to,
            from: Vec::new(),
            is_loop,
        });
        arrow.top = arrow.top.min(from);
        arrow.bottom = arrow.bottom.max(from);
        arrow.from.push(from);
    }
    let mut arrows: Vec<Arrow> = arrows.into_values().collect();
    for arrow in &mut arrows {
        arrow.from.sort_unstable();
    }
    arrows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(jumps: &[(usize, usize)]) -> Vec<Vec<(usize, usize)>> {
        let jumps = jumps.iter().map(|&(from, to)| Jump {
            from,
            to,
            is_loop: from > to,
        });
        let lanes = Lanes::new(jumps).lanes.into_iter();
        lanes
            .map(|lane| lane.iter().map(|arrow| (arrow.top, arrow.bottom)).collect())
            .collect()
    }

    #[test]
    fn short_arrows_stand_inside_long_ones() {
        assert_eq!(
            lanes(&[(1, 9), (2, 4), (5, 7), (3, 6)]),
            [vec![(1, 9)], vec![(3, 6)], vec![(2, 4), (5, 7)]]
        );
    }

    #[test]
    fn arrows_that_touch_do_not_share_a_lane() {
        assert_eq!(lanes(&[(1, 3), (3, 5)]), [vec![(3, 5)], vec![(1, 3)]]);
    }

    #[test]
    fn jumps_to_one_line_are_one_arrow() {
        assert_eq!(lanes(&[(1, 6), (4, 6), (2, 6)]), [vec![(1, 6)]]);
    }

    #[test]
    fn a_loop_is_outermost_and_never_given_up() {
        let nested: Vec<(usize, usize)> = (0..9).map(|n| (10 + n, 40 - n)).collect();
        let all: Vec<(usize, usize)> = nested.iter().copied().chain([(50, 2)]).collect();
        let lanes = lanes(&all);
        assert_eq!(lanes.len(), MOST_LANES);
        assert_eq!(lanes.first(), Some(&vec![(2, 50)]));
    }

    #[test]
    fn what_finds_no_room_is_kept_to_be_told() {
        let nested = (0..9).map(|n| Jump {
            from: 10 + n,
            to: 40 - n,
            is_loop: false,
        });
        let untold = Lanes::new(nested).untold;
        assert_eq!(untold.keys().copied().collect::<Vec<_>>(), [10, 11, 12, 13]);
        assert_eq!(untold.get(&10), Some(&40));
    }

    #[test]
    fn a_jump_to_itself_has_no_arrow() {
        assert_eq!(lanes(&[(4, 4)]), Vec::<Vec<(usize, usize)>>::new());
    }
}
