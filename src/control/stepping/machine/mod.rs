//! A step under way: what the last stop means, and what is to be done next.

mod creep;
mod outside;
mod replies;
mod stretch;

use super::code::Code;
use super::event::{Event, Reason};
use super::goal::{Goal, Progress};
use super::plan::{Plan, Stopped};
use super::tell::{Shown, Trail};
use super::world::World;
use crate::address::Address;
use crate::control::Told;
use crate::disasm::Flow;
use crate::error::Error;
use crate::listing::Finding;
use outside::Outside;
use std::sync::Arc;

/// What a step is asked to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// What to reach.
    pub goal: Goal,
    /// Whether other Python code that a uop runs by a call is passed over.
    pub over: bool,
    /// Whether only the last uop is told.
    pub quiet: bool,
    /// Whether each uop is stopped at, however many there are.
    pub single: bool,
}

/// A uop that the thread is in.
#[derive(Clone, Debug)]
struct Here {
    code: Arc<Code>,
    place: usize,
    /// The stack pointer at the boundaries of uops: it tells one entry of JIT code from those within it.
    stack: Address,
    /// Where JIT code returns to.
    back: Option<Address>,
}

/// What the target is doing.
#[derive(Debug)]
enum Phase {
    /// It runs a stretch from here.
    Stretch(Here, Box<Plan>),
    /// It carries out one instruction of a uop, if it is in one.
    Instruction(Option<(Arc<Code>, usize)>, Flow),
    /// It runs a function that is called in the middle of a uop; behind the call the stack pointer is this.
    Call(Arc<Code>, usize, Address, Option<Address>),
    /// It runs to the last instruction before the interpreter.
    Returning(Address),
    /// It carries out that instruction.
    Left,
    /// It runs no JIT code of the thread.
    Outside(Outside),
}

/// A step under way.
#[derive(Debug)]
pub struct Machine {
    order: Order,
    progress: Progress,
    phase: Phase,
    /// The uops whose calls have led to where the thread is, as far as the step has seen them.
    outer: Vec<Here>,
    trail: Trail,
    shown: Shown,
    lines: Vec<String>,
    findings: Vec<Finding>,
}

/// Why a step cannot begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The reason.
    pub why: String,
    /// What to do.
    pub hint: &'static str,
}

impl Refusal {
    fn of(error: Error) -> Refusal {
        Refusal {
            why: error.to_string(),
            hint: "jit-info tells what is known of the target",
        }
    }
}

type Next = (Machine, Told);

impl Machine {
    /// Begins where the thread is.
    pub fn start(world: &dyn World, order: Order, shown: Shown) -> Result<Next, Refusal> {
        let pc = world.pc().ok_or_else(|| Refusal {
            why: "there is no pc: no thread is stopped".to_owned(),
            hint: "run the program until it stops",
        })?;
        let mut machine = Machine {
            progress: Progress::new(order.goal.clone()),
            order,
            phase: Phase::Outside(Outside::default()),
            outer: Vec::new(),
            trail: Trail::default(),
            shown,
            lines: Vec::new(),
            findings: Vec::new(),
        };
        let code = world.code_at(pc).map_err(Refusal::of)?;
        let place = code.as_ref().and_then(|code| code.containing(pc));
        let Some((code, place)) = code.zip(place) else {
            return machine.start_outside(world);
        };
        machine.progress.begin(&code, place);
        let begins = code.starting_at(pc) == Some(place);
        if let Some(node) = code.node(place) {
            machine.trail.add(&code, node);
        }
        let told = match begins {
            true => machine.go_on(world, code, place),
            false => machine.creep(world, pc, Some((code, place))),
        };
        Ok((machine, told))
    }

    fn start_outside(mut self, world: &dyn World) -> Result<Next, Refusal> {
        let (running, _) = world.activations().map_err(Refusal::of)?;
        if self.order.goal == Goal::Leave && running.is_empty() {
            return Err(Refusal {
                why: "the selected thread is not in JIT code".to_owned(),
                hint: "jit-step-uop runs to where JIT code is entered",
            });
        }
        let told = self.outside(world);
        Ok((self, told))
    }

    /// What was said, for the next step.
    pub fn into_shown(self) -> Shown {
        self.shown
    }

    /// The target has stopped.
    pub fn resume(mut self, world: &dyn World, event: &Event) -> Next {
        let phase = std::mem::replace(&mut self.phase, Phase::Left);
        let told = match event.reason {
            Reason::Place => self.stopped(world, phase, event),
            _ => self.interrupted(world, phase, event),
        };
        (self, told)
    }

    fn stopped(&mut self, world: &dyn World, phase: Phase, event: &Event) -> Told {
        let Some(pc) = event.address.or_else(|| world.pc()) else {
            return self.end("the target has stopped at no known place");
        };
        match phase {
            Phase::Stretch(here, plan) => self.stretched(world, here, plan, pc, event),
            Phase::Instruction(from, flow) => self.instructed(world, from, flow, pc),
            Phase::Call(code, place, behind, stack) => {
                self.returned(world, (code, place), (behind, stack), pc)
            }
            Phase::Returning(last) if pc == last => self.instruction(Phase::Left),
            Phase::Returning(last) => self.run(Phase::Returning(last), vec![last]),
            Phase::Left => self.left(world),
            Phase::Outside(outside) => self.waited(world, outside, pc),
        }
    }

    /// The target has stopped for another reason, or has ended.
    fn interrupted(&mut self, world: &dyn World, phase: Phase, event: &Event) -> Told {
        if event.reason != Reason::Exited
            && let Phase::Stretch(here, plan) = &phase
        {
            self.passed_until(world, here, plan, event);
        }
        if !event.text.is_empty() {
            self.lines.push(event.text.clone());
        }
        self.done()
    }

    /// As far as it is known how far the thread has come.
    fn passed_until(&mut self, world: &dyn World, here: &Here, plan: &Plan, event: &Event) {
        let Some(pc) = event.address.or_else(|| world.pc()) else {
            return;
        };
        let step = match plan.stopped(&here.code, pc, &event.hits) {
            Some(Stopped::Inside(step) | Stopped::Jumping(step) | Stopped::Arrived(step)) => step,
            _ => return,
        };
        self.pass(world, here, plan, step, false);
        if let Ok(Some(code)) = world.code_at(pc)
            && let Some(place) = code.containing(pc)
        {
            self.say(world, &code, place, true);
        }
    }
}
