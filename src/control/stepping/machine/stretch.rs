//! In JIT code: which stretch is run next, and what the end of one means.

use super::super::code::Code;
use super::super::event::Event;
use super::super::path::Path;
use super::super::plan::{LONGEST, Plan, Stopped, Terms};
use super::super::world::World;
use super::{Here, Machine, Phase};
use crate::address::Address;
use crate::control::Told;
use std::sync::Arc;

/// Uops of one stretch whose lines are told together.
const MOST_LINES: u64 = 4096;

/// What breakpoints at other uops cost, as [`Plan::cost`] counts, for each uop that is stopped at.
const COST_OF_STOP: u64 = 3;

impl Machine {
    /// At the start of a uop: plans the next stretch.
    pub(super) fn go_on(&mut self, world: &dyn World, code: Arc<Code>, place: usize) -> Told {
        let (Some(stack), Some(node)) = (world.stack_pointer(), code.node(place)) else {
            return self.end("the stack pointer cannot be read");
        };
        if !node.certain {
            let start = node.start;
            return self.creep(world, start, Some((code, place)));
        }
        let here = Here {
            back: world.return_address(),
            code,
            place,
            stack,
        };
        self.stretch(world, here)
    }

    pub(super) fn stretch(&mut self, world: &dyn World, here: Here) -> Told {
        let plan = self.plan(world, &here);
        let places = plan.places();
        self.phase = Phase::Stretch(here, Box::new(plan));
        self.run_places(places)
    }

    pub(super) fn plan(&self, world: &dyn World, here: &Here) -> Plan {
        let counts = self.progress.counts();
        let nested = match counts {
            true => world.entry_call().or_else(|| world.evaluation()),
            false => None,
        };
        let terms = Terms {
            goal: None,
            counts,
            nested: nested.filter(|_| !self.order.over),
            back: here.back,
        };
        let single = Plan::new(&here.code, Path::single(here.place), terms);
        let path = Path::ahead(&here.code, here.place);
        let goal = self.steps_to_goal(here, &path);
        if goal == Some(1) || path.executed() <= 1 || self.order.single {
            return single;
        }
        let long = Plan::new(
            &here.code,
            path,
            Terms {
                goal,
                nested,
                ..terms
            },
        );
        let steps = goal.unwrap_or(long.length());
        match counts && long.cost() > steps.saturating_mul(COST_OF_STOP) {
            true => single,
            false => long,
        }
    }

    /// With which step along the path the goal is reached, or the stretch has to end; `None` if never.
    pub(super) fn steps_to_goal(&self, here: &Here, path: &Path) -> Option<u64> {
        let mut progress = self.progress.clone();
        let longest = match (progress.counts(), self.order.quiet) {
            (true, false) => MOST_LINES,
            (true, true) => LONGEST,
            // What is not found in two passes is never found.
            (false, _) => 2 * here.code.nodes().len() as u64,
        };
        for step in 1..=longest {
            let Some(place) = path.at(step) else {
                return path.stops_at();
            };
            let node = here.code.node(place)?;
            if progress.arrive(&here.code, node) {
                return Some(step);
            }
        }
        match progress.counts() {
            true => Some(longest),
            false => path.stops_at(),
        }
    }

    pub(super) fn stretched(
        &mut self,
        world: &dyn World,
        here: Here,
        plan: Box<Plan>,
        pc: Address,
        event: &Event,
    ) -> Told {
        let stack = world.stack_pointer();
        let is_nested = stack.is_some_and(|stack| stack < here.stack);
        let stopped = plan.stopped(&here.code, pc, &event.hits);
        match stopped {
            Some(Stopped::Nested(step)) => self.nested(world, here, &plan, step, pc),
            // The same code, entered by a call within it.
            _ if is_nested => {
                let places = plan.places();
                self.phase = Phase::Stretch(here, plan);
                self.run_places(places)
            }
            Some(Stopped::Arrived(step)) => {
                let end = plan.goal_at(step, pc);
                match self.pass(world, &here, &plan, end.unwrap_or(step), end.is_some()) {
                    Some(told) => told,
                    None => self.arrive_at(world, pc, end.is_some()),
                }
            }
            Some(Stopped::Jumping(step)) => match self.pass(world, &here, &plan, step, false) {
                Some(told) => told,
                None => self.creep(world, pc, plan.at(step).map(|at| (here.code.clone(), at))),
            },
            Some(Stopped::Back(step)) => match self.pass(world, &here, &plan, step, false) {
                Some(told) => told,
                None => self.back(world, pc),
            },
            Some(Stopped::Inside(_)) | None => self.end(&format!(
                "stopped at {pc}, and how many uops were passed is not known"
            )),
        }
    }

    /// The uops of a stretch that were passed. A reply if that is all; `reached` tells that the last of them is where the
    /// thread is.
    pub(super) fn pass(
        &mut self,
        world: &dyn World,
        here: &Here,
        plan: &Plan,
        steps: u64,
        reached: bool,
    ) -> Option<Told> {
        if !self.progress.counts() {
            // That of step 0 was told when it was reached, and the goal is still to be.
            for place in plan.passed(steps.saturating_sub(u64::from(reached))) {
                let node = here.code.node(place)?;
                self.progress.pass(&here.code, node);
                self.trail.add(&here.code, node);
            }
            return None;
        }
        let mut passed = plan.passed(steps).peekable();
        while let Some(place) = passed.next() {
            let node = here.code.node(place)?;
            let ends = self.progress.arrive(&here.code, node);
            self.trail.add(&here.code, node);
            let last = reached && passed.peek().is_none();
            if !self.order.quiet || (ends && last) {
                self.say(world, &here.code, place, ends && last);
            }
            if ends && last {
                return Some(self.done());
            }
        }
        None
    }

    /// At the start of a uop, which may have been told already.
    pub(super) fn arrive_at(&mut self, world: &dyn World, pc: Address, told: bool) -> Told {
        let code = match world.code_at(pc) {
            Ok(Some(code)) => code,
            Ok(None) => return self.end(&format!("{pc} is in no JIT code any more")),
            Err(error) => return self.end(&error.to_string()),
        };
        let Some(place) = code.starting_at(pc) else {
            let inside = code.containing(pc);
            return self.creep(world, pc, inside.map(|place| (code, place)));
        };
        match told && self.progress.counts() {
            true => self.go_on(world, code, place),
            false => self.arrive(world, code, place),
        }
    }

    /// A uop is reached.
    pub(super) fn arrive(&mut self, world: &dyn World, code: Arc<Code>, place: usize) -> Told {
        let Some(node) = code.node(place) else {
            return self.end("there is no such uop");
        };
        let ends = self.progress.arrive(&code, node);
        let exit = self.trail.add(&code, node);
        if self.progress.counts() && !self.order.quiet {
            self.lines.extend(exit);
        }
        if ends || (self.progress.counts() && !self.order.quiet) {
            self.say(world, &code, place, ends);
        }
        match ends {
            true => self.done(),
            false => self.go_on(world, code, place),
        }
    }

    /// Other Python code begins, called by the uop of this step.
    pub(super) fn nested(
        &mut self,
        world: &dyn World,
        here: Here,
        plan: &Plan,
        step: u64,
        pc: Address,
    ) -> Told {
        if let Some(told) = self.pass(world, &here, plan, step, false) {
            return told;
        }
        let caller = Here {
            place: plan.at(step).unwrap_or(here.place),
            ..here
        };
        if self.order.over {
            return self.single(caller);
        }
        self.outer.push(caller);
        if world.entry_call() == Some(pc) {
            return self.enter();
        }
        self.outside(world)
    }

    /// The rest of a uop whose call is still running.
    pub(super) fn single(&mut self, here: Here) -> Told {
        let terms = Terms {
            goal: None,
            counts: self.progress.counts(),
            nested: None,
            back: here.back,
        };
        let plan = Plan::new(&here.code, Path::single(here.place), terms);
        let places = plan.places();
        self.phase = Phase::Stretch(here, Box::new(plan));
        self.run_places(places)
    }
}
