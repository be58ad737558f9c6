//! Follows the stack pointer and saved registers through a piece of machine code.

use super::stack_state::{Place, StackState};
use crate::address::Address;
use crate::disasm::{
    Architecture, Disassembler, Flow, Instruction, Lifter, Operations, Register, RegisterSet,
};
use crate::error::Result;
use std::collections::BTreeSet;

/// Bytes of code that are followed at once: the largest uop (3.14d) has 5 KB.
const MOST_CODE: usize = 1 << 16;

/// How often an instruction may be looked at: each time something is forgotten, and that is seldom more than twice.
const MOST_VISITS: usize = 16;

/// What is known before each instruction of a piece of code, by bytes from its start. The same for all copies of a
/// stencil, since what the JIT writes into them changes no instruction.
#[derive(Clone, Debug)]
pub struct StackFlow {
    states: Vec<(u64, Option<StackState>)>,
    /// Each call, and what follows it.
    calls: Vec<(u64, u64)>,
}

/// Follows code of one machine.
pub struct Follower {
    disassembler: Disassembler,
    lifter: Lifter,
}

/// What a piece of code calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Calls {
    /// C functions, by the platform's calling convention.
    Functions,
    /// Uops, which give back nothing but stack pointer and frame pointer (`preserve_none`).
    Uops,
}

impl Calls {
    fn clobber(self, architecture: Architecture) -> RegisterSet {
        let platform = architecture.platform();
        if self == Calls::Functions {
            return platform.lost_by_calls;
        }
        let kept = 1u32 << platform.stack_pointer.number() | 1 << platform.frame_pointer.number();
        RegisterSet::of_bits(!kept)
    }
}

impl Follower {
    /// For code of this machine.
    ///
    /// # Errors
    /// If the disassembler cannot start.
    pub fn new(architecture: Architecture) -> Result<Follower> {
        Ok(Follower {
            disassembler: Disassembler::new(architecture, crate::disasm::Syntax::default())?,
            lifter: Lifter::new(architecture)?,
        })
    }

    /// What machine it is for.
    pub fn architecture(&self) -> Architecture {
        self.lifter.architecture()
    }

    /// Follows code that is entered at its start. `stencil` is any number under which similar code was given before.
    pub fn follow(
        &mut self,
        stencil: Option<u32>,
        start: Address,
        code: &[u8],
        calls: Calls,
    ) -> StackFlow {
        let code = code.get(..MOST_CODE).unwrap_or(code);
        let mut instructions = Vec::new();
        self.disassembler
            .decode(stencil, start, code, &mut instructions);
        let operations = self.lifter.lift(&instructions, code);
        let clobbered = calls.clobber(self.architecture());
        let states = states(&instructions, &operations, self.architecture(), clobbered);
        let offset = |at: Address| at.offset_from(start).unwrap_or_default();
        let is_call = |one: &&Instruction| matches!(one.flow(), Flow::Call | Flow::IndirectCall);
        let calls = instructions.iter().filter(is_call).map(|call| {
            let at = offset(call.address());
            (at, at.saturating_add(u64::from(call.length())))
        });
        StackFlow {
            states: (instructions.iter())
                .map(|one| offset(one.address()))
                .zip(states)
                .collect(),
            calls: calls.collect(),
        }
    }
}

impl StackFlow {
    /// What is known before the instruction that contains the byte at `offset`.
    pub fn at(&self, offset: u64) -> Option<&StackState> {
        let behind = self.states.partition_point(|(start, _)| *start <= offset);
        self.states.get(behind.checked_sub(1)?)?.1.as_ref()
    }

    /// What is known before each instruction, by bytes from the start.
    pub fn states(&self) -> impl Iterator<Item = (u64, Option<&StackState>)> {
        self.states
            .iter()
            .map(|(offset, state)| (*offset, state.as_ref()))
    }

    /// Where a register certainly holds what it held at the entry: parts of `size` bytes of code, by bytes from the start.
    pub fn unchanged(&self, register: Register, size: u64) -> Vec<(u64, u64)> {
        let mut parts: Vec<(u64, u64)> = Vec::new();
        let mut states = self.states().peekable();
        while let Some((start, state)) = states.next() {
            let end = states.peek().map_or(size, |(next, _)| *next);
            if state.is_none_or(|state| state.place(register) != Place::Unchanged) {
                continue;
            }
            match parts.last_mut() {
                Some((_, last)) if *last == start => *last = end,
                _ => parts.push((start, end)),
            }
        }
        parts
    }

    /// The state at the first call, and how far behind the start the code is that it returns to: in a shim, where it goes
    /// into the uops.
    pub fn first_call(&self) -> Option<(&StackState, u64)> {
        let (call, behind) = self.calls.first()?;
        Some((self.at(*call)?, *behind))
    }

    /// Where calls return to, by bytes from the start.
    pub fn returns(&self) -> impl Iterator<Item = u64> {
        self.calls.iter().map(|(_, behind)| *behind)
    }
}

/// The state before each instruction, to a fixed point: loops, and code that is reached by a later jump only.
fn states(
    instructions: &[Instruction],
    operations: &Operations,
    architecture: Architecture,
    clobbered: RegisterSet,
) -> Vec<Option<StackState>> {
    let stack_pointer = architecture.platform().stack_pointer;
    let mut states: Vec<Option<StackState>> = vec![None; instructions.len()];
    if let Some(first) = states.first_mut() {
        *first = Some(StackState::entry(stack_pointer));
    }
    let mut waiting = BTreeSet::from([0]);
    let mut visits = instructions.len().saturating_mul(MOST_VISITS);
    while let Some(index) = waiting.pop_first() {
        let Some(mut state) = states.get(index).cloned().flatten() else {
            continue;
        };
        if visits == 0 {
            // No fixed point was reached: nothing is certain.
            return vec![None; instructions.len()];
        }
        visits -= 1;
        for step in operations.steps(index) {
            state.execute(step, clobbered);
        }
        for next in successors(instructions, index) {
            let Some(known) = states.get_mut(next) else {
                continue;
            };
            let is_news = match known {
                Some(known) => known.meet(&state),
                None => {
                    *known = Some(state.clone());
                    true
                }
            };
            if is_news {
                waiting.insert(next);
            }
        }
    }
    states
}

/// The instructions inside that may run next.
fn successors(instructions: &[Instruction], index: usize) -> impl Iterator<Item = usize> {
    let instruction = instructions.get(index);
    let next = instruction.filter(|one| !one.flow().ends_block());
    let jumps = |one: &&Instruction| matches!(one.flow(), Flow::Jump | Flow::ConditionalJump);
    let target = instruction
        .filter(jumps)
        .and_then(Instruction::target)
        .and_then(|target| {
            instructions
                .binary_search_by_key(&target, Instruction::address)
                .ok()
        });
    next.map(|_| index.saturating_add(1))
        .into_iter()
        .chain(target)
}
