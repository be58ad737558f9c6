//! What lies ahead: a trace is a line, so which uops follow is known as long as no exit is taken.

use super::code::Code;
use std::collections::HashSet;

/// The uops that follow each other from one on, as places in [`Code::nodes`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path {
    nodes: Vec<usize>,
    end: End,
}

/// What is behind the last of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// The one at this place of the path.
    Cycle(usize),
    /// None: it can only leave the line.
    Exit,
    /// The path ends where it begins: where it goes on has to be looked at.
    Before,
}

impl Path {
    /// The path from `start` on.
    pub fn ahead(code: &Code, start: usize) -> Path {
        let mut path = Path::line(code, start);
        // A uop that can go to several others of the line makes it no line from there on.
        let executed = path.executed();
        let forks = (0..executed).find(|step| path.forks(code, *step));
        match forks {
            Some(0) => Path::single(start),
            Some(fork) => {
                path.nodes.truncate(fork + 1);
                path.end = End::Before;
                path
            }
            None => path,
        }
    }

    /// Only this uop: wherever it goes has to be looked at.
    pub fn single(start: usize) -> Path {
        Path {
            nodes: vec![start],
            end: End::Exit,
        }
    }

    fn line(code: &Code, start: usize) -> Path {
        let mut nodes = vec![start];
        let mut at = HashSet::from([start]);
        let end = loop {
            let last = nodes.last().and_then(|last| code.node(*last));
            let Some(node) = last else { break End::Exit };
            if !node.certain {
                break End::Before;
            }
            let next = node.next.and_then(|next| code.starting_at(next));
            let Some(next) = next else { break End::Exit };
            if !at.insert(next) {
                let place = nodes.iter().position(|known| *known == next);
                break place.map_or(End::Exit, End::Cycle);
            }
            nodes.push(next);
        };
        Path { nodes, end }
    }

    /// Whether a uop of the path leads to another of it besides the next.
    fn forks(&self, code: &Code, step: usize) -> bool {
        let Some(node) = self.nodes.get(step).and_then(|place| code.node(*place)) else {
            return false;
        };
        let mut targets = node.targets().into_iter();
        targets.any(|target| {
            Some(target) != node.next
                && code
                    .starting_at(target)
                    .is_some_and(|place| self.nodes.contains(&place))
        })
    }

    /// How many different uops of it run.
    pub fn executed(&self) -> usize {
        match self.end {
            End::Before => self.nodes.len() - 1,
            End::Cycle(_) | End::Exit => self.nodes.len(),
        }
    }

    /// The uop that is reached with this step; `None` behind the end of the line.
    pub fn at(&self, step: u64) -> Option<usize> {
        let step = usize::try_from(step).ok()?;
        if let Some(place) = self.nodes.get(step) {
            return Some(*place);
        }
        let End::Cycle(start) = self.end else {
            return None;
        };
        let length = self.nodes.len().checked_sub(start).filter(|len| *len > 0)?;
        let inside = step.checked_sub(start)? % length;
        self.nodes.get(start + inside).copied()
    }

    /// The step with which it ends, if the uop there has to be looked at.
    pub fn stops_at(&self) -> Option<u64> {
        (self.end == End::Before).then(|| self.executed() as u64)
    }

    /// The steps within the first pass that are run before step `end`, or all.
    pub fn steps_before(&self, end: Option<u64>) -> std::ops::Range<u64> {
        let executed = self.executed() as u64;
        0..end.map_or(executed, |end| end.min(executed))
    }
}
