//! One stretch to be run: where it must stop, and what a stop there means.
//!
//! A stretch of more than one uop stops at its last one, which a loop may pass some times before (`ignore`), and
//! wherever the line can be left. What must be known then is how many uops were passed. Where several uops jump to the
//! same stub, and where one of them may run other Python code, breakpoints that never stop count how often each
//! was reached.

use super::code::{Code, Node};
use super::path::Path;
use crate::address::Address;
use crate::control::RunPlace;
use std::collections::{BTreeMap, BTreeSet};

/// More hits than any breakpoint gets; debuggers keep the number in 31 bits.
const NEVER: u64 = 0x7fff_ffff;

/// The longest stretch: few enough to be gone through when it ends, and for `ignore`.
pub const LONGEST: u64 = 1 << 20;

/// What a stretch must know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The step with which it ends.
    pub goal: Option<u64>,
    /// Whether the uops passed are to be counted.
    pub counts: bool,
    /// Where other Python code begins that a uop may run.
    pub nested: Option<Address>,
    /// Where JIT code is left to.
    pub back: Option<Address>,
}

/// A stretch.
#[derive(Clone, Debug)]
pub struct Plan {
    path: Path,
    terms: Terms,
    goal: Option<Address>,
    /// Starts of other uops, and which steps of the path can go there.
    targets: BTreeMap<Address, Vec<u64>>,
    /// Instructions that leave the uop of one step.
    jumps: BTreeMap<Address, u64>,
    counted: BTreeSet<Address>,
    callers: Vec<u64>,
    leavers: Vec<u64>,
}

/// What a stop in a stretch means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// The last uop is reached, or one besides the line; so many steps of the path were made before.
    Arrived(u64),
    /// At an instruction that leaves a uop, after so many steps.
    Jumping(u64),
    /// Back where JIT code was entered, after so many steps.
    Back(u64),
    /// Other Python code begins, called by the uop of this step.
    Nested(u64),
    /// In the middle of the uop of this step.
    Inside(u64),
}

impl Plan {
    /// The stretch along `path`.
    pub fn new(code: &Code, path: Path, terms: Terms) -> Plan {
        let goal = terms
            .goal
            .and_then(|step| code.node(path.at(step)?))
            .map(|node| node.start);
        let mut plan = Plan {
            path,
            terms,
            goal,
            targets: BTreeMap::new(),
            jumps: BTreeMap::new(),
            counted: BTreeSet::new(),
            callers: Vec::new(),
            leavers: Vec::new(),
        };
        let steps = plan.path.steps_before(terms.goal);
        let is_single = steps.end == 1;
        for step in steps {
            if let Some(node) = plan.path.at(step).and_then(|place| code.node(place)) {
                plan.leave(node, step, is_single && goal.is_none());
            }
        }
        if terms.counts && !is_single {
            plan.count(code);
        }
        plan
    }

    /// All ways out of a uop besides the one along the line.
    fn leave(&mut self, node: &Node, step: u64, next_too: bool) {
        let stays = |target: Address| Some(target) == node.next && !next_too;
        for target in node.targets().into_iter().filter(|to| !stays(*to)) {
            self.targets.entry(target).or_default().push(step);
        }
        self.jumps.extend(node.computed().map(|at| (at, step)));
        if node.returns() {
            self.leavers.push(step);
        }
        if node.calls {
            self.callers.push(step);
        }
    }

    /// Makes sure that every stop tells the step.
    fn count(&mut self, code: &Code) {
        let mut counted = match self.terms.nested {
            Some(_) => self.callers.clone(),
            None => Vec::new(),
        };
        counted.extend(self.leavers.iter().filter(|_| self.leavers.len() > 1));
        for (target, steps) in &mut self.targets {
            if steps.len() < 2 {
                continue;
            }
            // Those that stop at their own jump are told apart by it.
            let (path, jumps) = (&self.path, &mut self.jumps);
            steps.retain(|step| {
                let node = path.at(*step).and_then(|place| code.node(place));
                let own = node.and_then(|node| node.only_by(*target));
                let is_told = own.is_some();
                jumps.extend(own.into_iter().flatten().map(|at| (at, *step)));
                !is_told
            });
            counted.extend(steps.iter().filter(|_| steps.len() > 1));
        }
        self.targets.retain(|_, steps| !steps.is_empty());
        let starts = counted
            .into_iter()
            .filter_map(|step| code.node(self.path.at(step)?))
            .map(|node| node.start);
        self.counted = starts.collect();
    }

    /// Where the target is to stop.
    pub fn places(&self) -> Vec<RunPlace> {
        let mut places: BTreeMap<Address, u64> = BTreeMap::new();
        for counted in &self.counted {
            places.insert(*counted, NEVER);
        }
        if let Some(goal) = self.goal {
            places.insert(goal, self.passes_before_goal());
        }
        let stops = self.targets.keys().chain(self.jumps.keys());
        let back = self.terms.back.filter(|_| !self.leavers.is_empty());
        let nested = self.terms.nested.filter(|_| !self.callers.is_empty());
        for stop in stops.copied().chain(back).chain(nested) {
            places.entry(stop).or_insert(0);
        }
        let ignoring = |(address, ignore)| RunPlace {
            address,
            ignore,
            any_thread: false,
        };
        places.into_iter().map(ignoring).collect()
    }

    /// What it costs, in hits and places of breakpoints: about a tenth of a millisecond each in the fastest debugger.
    pub fn cost(&self) -> u64 {
        let steps = self.terms.goal.unwrap_or(1);
        let passes = 1 + steps / (self.path.executed() as u64).max(1);
        let hits = passes.saturating_mul(self.counted.len() as u64 + 1);
        hits.saturating_add(self.places().len() as u64)
    }

    /// How many uops one pass has.
    pub fn length(&self) -> u64 {
        self.path.executed() as u64
    }

    /// `step` if that is the last one, and `pc` where it leads.
    pub fn goal_at(&self, step: u64, pc: Address) -> Option<u64> {
        (self.terms.goal == Some(step) && self.goal == Some(pc)).then_some(step)
    }

    fn passes_before_goal(&self) -> u64 {
        let end = self.terms.goal.unwrap_or(0);
        let place = self.path.at(end);
        let earlier = (1..end).filter(|step| self.path.at(*step) == place);
        earlier.count() as u64
    }

    /// What a stop at `pc` means, if the places were reached so often.
    pub fn stopped(
        &self,
        code: &Code,
        pc: Address,
        hits: &BTreeMap<Address, u64>,
    ) -> Option<Stopped> {
        if self.goal == Some(pc)
            && let Some(step) = self.terms.goal
            && (!self.terms.counts || self.agrees(code, step, hits))
        {
            return Some(Stopped::Arrived(step));
        }
        if let Some(step) = self.jumps.get(&pc) {
            return self.find(code, &[*step], pc, hits).map(Stopped::Jumping);
        }
        if let Some(steps) = self.targets.get(&pc) {
            return self.find(code, steps, pc, hits).map(Stopped::Arrived);
        }
        if self.terms.back == Some(pc) {
            return self.find(code, &self.leavers, pc, hits).map(Stopped::Back);
        }
        if self.terms.nested == Some(pc) {
            return self
                .find(code, &self.callers, pc, hits)
                .map(Stopped::Nested);
        }
        let inside = code.containing(pc)?;
        let steps = self.path.steps_before(self.terms.goal);
        let steps: Vec<u64> = steps
            .filter(|step| self.path.at(*step) == Some(inside))
            .collect();
        self.find(code, &steps, pc, hits).map(Stopped::Inside)
    }

    /// The one step at one of these uops at which the places were reached so often. `steps` are of the first pass.
    ///
    /// A stop for another reason may come before the breakpoint at the same address was reached.
    fn find(
        &self,
        code: &Code,
        steps: &[u64],
        pc: Address,
        hits: &BTreeMap<Address, u64>,
    ) -> Option<u64> {
        if !self.terms.counts {
            return steps.first().copied();
        }
        let places: Vec<Option<usize>> = steps.iter().map(|step| self.path.at(*step)).collect();
        self.only(code, &places, hits, None)
            .or_else(|| self.only(code, &places, hits, Some(pc)))
    }

    fn only(
        &self,
        code: &Code,
        places: &[Option<usize>],
        hits: &BTreeMap<Address, u64>,
        unreached: Option<Address>,
    ) -> Option<u64> {
        let end = self.terms.goal.unwrap_or(self.path.executed() as u64);
        let mut tally = Tally::new(self, code);
        let mut found = None;
        for step in 0..end {
            if step != 0 {
                tally.reach(self.path.at(step));
            }
            if places.contains(&self.path.at(step)) && tally.agrees(hits, unreached) {
                match found {
                    None => found = Some(step),
                    Some(_) => return None,
                }
            }
        }
        found
    }

    fn agrees(&self, code: &Code, step: u64, hits: &BTreeMap<Address, u64>) -> bool {
        let mut tally = Tally::new(self, code);
        (1..=step).for_each(|step| tally.reach(self.path.at(step)));
        tally.agrees(hits, None)
    }

    /// The uops of the first so many steps, as places in [`Code::nodes`].
    pub fn passed(&self, steps: u64) -> impl Iterator<Item = usize> {
        (1..=steps).filter_map(|step| self.path.at(step))
    }

    /// The uop of a step.
    pub fn at(&self, step: u64) -> Option<usize> {
        self.path.at(step)
    }
}

/// How often the counted places are reached.
struct Tally {
    counts: Vec<(usize, Address, u64)>,
}

impl Tally {
    fn new(plan: &Plan, code: &Code) -> Tally {
        let counted = plan.counted.iter().chain(&plan.goal);
        let counts = counted.filter_map(|at| Some((code.starting_at(*at)?, *at, 0)));
        Tally {
            counts: counts.collect(),
        }
    }

    fn reach(&mut self, place: Option<usize>) {
        for (counted, _, count) in &mut self.counts {
            if Some(*counted) == place {
                *count += 1;
            }
        }
    }

    /// Whether these are the hits, but for one at `unreached` that is still to come.
    fn agrees(&self, hits: &BTreeMap<Address, u64>, unreached: Option<Address>) -> bool {
        self.counts.iter().all(|(_, at, count)| {
            let hit = hits.get(at).copied().unwrap_or(0);
            hit.checked_add(u64::from(unreached == Some(*at))) == Some(*count)
        })
    }
}
