//! Instruction by instruction: in the middle of a uop, and where it is not certain what one does.

use super::super::code::Code;
use super::super::world::World;
use super::outside::Outside;
use super::{Machine, Phase};
use crate::address::Address;
use crate::control::Told;
use crate::disasm::{Flow, Instruction};
use std::sync::Arc;

impl Machine {
    /// One instruction further; calls are run as a whole.
    pub(super) fn creep(
        &mut self,
        world: &dyn World,
        pc: Address,
        from: Option<(Arc<Code>, usize)>,
    ) -> Told {
        let instructions = world.instructions(pc, 1);
        let Some(instruction) = instructions.first() else {
            return self.end(&format!("the instruction at {pc} cannot be read"));
        };
        match (instruction.flow(), from) {
            (Flow::Call | Flow::IndirectCall, Some((code, place))) => {
                self.call(world, instruction, code, place)
            }
            (flow, from) => self.instruction(Phase::Instruction(from, flow)),
        }
    }

    pub(super) fn call(
        &mut self,
        world: &dyn World,
        instruction: &Instruction,
        code: Arc<Code>,
        place: usize,
    ) -> Told {
        let length = u64::from(instruction.length());
        let behind = instruction.address().wrapping_add(length);
        let mut places = vec![behind];
        if !self.order.over {
            places.extend(world.entry_call().or_else(|| world.evaluation()));
        }
        self.run(
            Phase::Call(code, place, behind, world.stack_pointer()),
            places,
        )
    }

    pub(super) fn returned(
        &mut self,
        world: &dyn World,
        (code, place): (Arc<Code>, usize),
        (behind, stack): (Address, Option<Address>),
        pc: Address,
    ) -> Told {
        if pc == behind {
            return match stack.zip(world.stack_pointer()) {
                Some((before, now)) if now < before => {
                    self.run(Phase::Call(code, place, behind, stack), vec![behind])
                }
                _ => self.creep(world, pc, Some((code, place))),
            };
        }
        let waits = Outside {
            resumed: vec![behind],
            floor: stack,
            ..Outside::default()
        };
        match world.entry_call() == Some(pc) {
            true => self.enter(),
            false => self.wait(world, waits),
        }
    }

    pub(super) fn instructed(
        &mut self,
        world: &dyn World,
        from: Option<(Arc<Code>, usize)>,
        flow: Flow,
        pc: Address,
    ) -> Told {
        if flow == Flow::Return {
            return self.back(world, pc);
        }
        let code = match world.code_at(pc) {
            Ok(Some(code)) => code,
            Ok(None) => {
                return self.end(&format!(
                    "the code went on at {pc}, which is no uop: the step ends there"
                ));
            }
            Err(error) => return self.end(&error.to_string()),
        };
        match code.containing(pc) {
            Some(place) if code.starting_at(pc) == Some(place) => self.arrive(world, code, place),
            Some(place) => self.creep(world, pc, Some((code, place))),
            None => self.creep(world, pc, from),
        }
    }
}
