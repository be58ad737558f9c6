//! Between JIT code and the interpreter: how it is left, and where it is entered next.

use super::super::goal::Goal;
use super::super::tell::{Shown, Trail};
use super::super::world::World;
use super::replies::stopping;
use super::{Here, Machine, Phase};
use crate::address::Address;
use crate::control::{RunPlace, Told};
use crate::disasm::Flow;

/// Instructions behind the place that JIT code returns to, until the function there returns itself: the shim of 3.14 and
/// `_PyJIT_Entry` of 3.15 take saved registers back.
const MOST_RETURNING: usize = 24;

/// What is waited for outside JIT code.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// The instruction that enters JIT code.
    pub(super) call: Option<Address>,
    /// Where executors are entered.
    pub(super) entries: Vec<Address>,
    /// Where executors come and go.
    pub(super) changes: Vec<Address>,
    /// Uops that C code may return to; the stack pointer is not below this one then.
    pub(super) resumed: Vec<Address>,
    pub(super) floor: Option<Address>,
}

impl Machine {
    /// JIT code has returned: the function that entered it returns too.
    pub(super) fn back(&mut self, world: &dyn World, pc: Address) -> Told {
        let instructions = world.instructions(pc, MOST_RETURNING);
        let mut rest = instructions
            .iter()
            .skip_while(|instruction| instruction.flow() == Flow::Next);
        match rest.next() {
            Some(last) if last.flow() == Flow::Return && last.address() == pc => {
                self.instruction(Phase::Left)
            }
            Some(last) if last.flow() == Flow::Return => {
                let last = last.address();
                self.run(Phase::Returning(last), vec![last])
            }
            _ => self.left(world),
        }
    }

    /// Back in the interpreter.
    pub(super) fn left(&mut self, world: &dyn World) -> Told {
        let ends = self.progress.leave();
        if ends || !self.order.quiet {
            self.lines.push(self.trail.left());
            self.shown = Shown::default();
        }
        self.trail = Trail::default();
        let until = matches!(self.order.goal, Goal::Until(_));
        if until {
            self.lines
                .push("the step ends there: its goal was not reached before".to_owned());
        }
        match ends || until {
            true => self.done(),
            false => self.outside(world),
        }
    }

    /// Waits until the thread is in JIT code.
    pub(super) fn outside(&mut self, world: &dyn World) -> Told {
        self.wait(world, Outside::default())
    }

    pub(super) fn wait(&mut self, world: &dyn World, mut waits: Outside) -> Told {
        let mut called = true;
        match self.outer.last() {
            Some(caller) => {
                waits.resumed.extend(resumed(caller));
                waits.floor = Some(caller.stack);
            }
            None if waits.floor.is_none() => {
                let running;
                (running, called) = match world.activations() {
                    Ok(activations) => activations,
                    Err(error) => return self.end(&error.to_string()),
                };
                let nodes = running.iter().flat_map(|code| code.nodes());
                waits.resumed = nodes.map(|node| node.start).collect();
                waits.floor = world.stack_pointer();
            }
            None => {}
        }
        // Between two calls from C, Python code is not part of a call that is stepped over.
        let is_call = called || !self.progress.counts();
        if !(self.order.over && is_call && !waits.resumed.is_empty()) {
            waits.call = world.entry_call();
            if waits.call.is_none()
                && let Err(error) = self.watch_entries(world, &mut waits)
            {
                return self.end(&error);
            }
        }
        self.wait_on(waits)
    }

    /// Where executors are entered, as long as they are what they are now.
    pub(super) fn watch_entries(
        &mut self,
        world: &dyn World,
        waits: &mut Outside,
    ) -> Result<(), String> {
        waits.entries = world.entries().map_err(|error| error.to_string())?;
        waits.changes = world.changes().map_err(|error| {
            format!("where JIT code is entered next cannot be watched: {error}")
        })?;
        Ok(())
    }

    pub(super) fn wait_on(&mut self, waits: Outside) -> Told {
        let mut places = waits.resumed.clone();
        places.extend(waits.call);
        places.extend(&waits.entries);
        places.retain(|place| !waits.changes.contains(place));
        let mut places = stopping(places);
        places.extend(waits.changes.iter().map(|address| RunPlace {
            address: *address,
            ignore: 0,
            any_thread: true,
        }));
        self.phase = Phase::Outside(waits);
        self.run_places(places)
    }

    pub(super) fn waited(&mut self, world: &dyn World, waits: Outside, pc: Address) -> Told {
        if waits.call == Some(pc) {
            return self.enter();
        }
        if waits.changes.contains(&pc) {
            let again = Outside {
                resumed: waits.resumed,
                floor: waits.floor,
                ..Outside::default()
            };
            return self.wait(world, again);
        }
        let stack = world.stack_pointer();
        let above = waits
            .floor
            .zip(stack)
            .is_none_or(|(floor, now)| now >= floor);
        if waits.resumed.contains(&pc) && above {
            return self.resumed(world, pc);
        }
        if waits.entries.contains(&pc) {
            return self.arrive_at(world, pc, false);
        }
        self.wait_on(waits)
    }

    /// The call that waits in the interpreter enters JIT code.
    pub(super) fn enter(&mut self) -> Told {
        self.instruction(Phase::Instruction(None, Flow::IndirectCall))
    }

    /// C code has returned to JIT code.
    pub(super) fn resumed(&mut self, world: &dyn World, pc: Address) -> Told {
        let Some(caller) = self.outer.pop() else {
            return self.arrive_at(world, pc, false);
        };
        if caller.back == Some(pc) && caller.code.starting_at(pc).is_none() {
            return self.back(world, pc);
        }
        let node = caller.code.node(caller.place);
        match node.is_some_and(|node| node.computed().any(|at| at == pc)) {
            true => self.creep(world, pc, Some((caller.code, caller.place))),
            false => self.arrive_at(world, pc, false),
        }
    }
}

/// Where a uop whose call returns can go on.
fn resumed(caller: &Here) -> Vec<Address> {
    let Some(node) = caller.code.node(caller.place) else {
        return Vec::new();
    };
    let mut places = node.targets();
    places.extend(node.computed());
    places.extend(caller.back.filter(|_| node.returns()));
    places
}
