//! The dataflow through one stencil.

use super::convention::Convention;
use super::execute::Execution;
use super::fact::{Fact, Place};
use super::state::State;
use super::value::{NumberId, Terms, Thing, Value};
use crate::address::Address;
use crate::disasm::{Flow, Instruction, Operations};
use std::collections::BTreeSet;

/// Instructions that one stencil may have; the longest of debug builds have some thousand.
const MOST_INSTRUCTIONS: usize = 1 << 14;

/// How often an instruction is looked at, on average, until nothing changes: real stencils need two or three times. One
/// that needs more gets no remarks.
const MOST_ROUNDS: usize = 16;

/// What is known of the instructions of a stencil.
#[derive(Debug)]
pub struct Analysis {
    /// The instructions that were analysed.
    instructions: Vec<Instruction>,
    /// For each direct jump inside the stencil, which instruction it goes to.
    inside: Vec<Option<usize>>,
    /// By instruction.
    facts: Vec<(u16, Fact)>,
    /// The terms that the facts use.
    pub terms: Terms,
    /// Where the evaluation stack's pointer is when the next uop begins, in bytes from where it was: `None` before
    /// such a way was found, `Some(None)` if it is not the same on all ways.
    stack: Option<Option<NumberId>>,
}

impl Analysis {
    /// Follows what a uop's registers hold from its first instruction on, along all ways that its code can take.
    pub fn new(
        convention: &Convention,
        instructions: &[Instruction],
        operations: &Operations,
        cached: u8,
    ) -> Analysis {
        let mut analysis = Analysis::without_facts(instructions);
        if instructions.len() <= MOST_INSTRUCTIONS {
            analysis.run(convention, operations, cached);
        }
        analysis
    }

    fn without_facts(instructions: &[Instruction]) -> Analysis {
        Analysis {
            instructions: instructions.to_vec(),
            inside: inside(instructions),
            facts: Vec::new(),
            terms: Terms::default(),
            stack: None,
        }
    }

    /// Whether these instructions are another instance of the same stencil.
    pub fn fits(&self, instance: &[Instruction]) -> bool {
        let Some(first) = instance.first() else {
            return self.instructions.is_empty();
        };
        let Some(start) = self.instructions.first().map(Instruction::address) else {
            return false;
        };
        // A jump inside must go to the same place, one that leaves must leave.
        let lands = |target: &Option<usize>, other: &Instruction| match target {
            Some(index) => {
                let target = self.instructions.get(*index).map(Instruction::address);
                target.and_then(|target| target.offset_from(start))
                    == (other.target()).and_then(|target| target.offset_from(first.address()))
            }
            None => {
                let is_inside = |at: Address| {
                    let end = instance.last().map(Instruction::address);
                    at >= first.address() && end.is_some_and(|end| at <= end)
                };
                other.flow() == Flow::Call || !other.target().is_some_and(is_inside)
            }
        };
        self.instructions.len() == instance.len()
            && (self.instructions.iter().zip(&self.inside))
                .zip(instance)
                .all(|((own, target), other)| own.is_like(other) && lands(target, other))
    }

    /// How many instructions there are.
    pub fn len(&self) -> usize {
        self.instructions.len()
    }

    /// What is known of the instruction with this index.
    pub fn facts(&self, instruction: usize) -> impl Iterator<Item = &Fact> {
        let key = |fact: &(u16, Fact)| usize::from(fact.0);
        let start = self.facts.partition_point(|fact| key(fact) < instruction);
        let rest = self.facts.get(start..).unwrap_or_default();
        rest.iter()
            .take_while(move |fact| key(fact) == instruction)
            .map(|(_, fact)| fact)
    }

    fn run(&mut self, convention: &Convention, operations: &Operations, cached: u8) {
        let states = self.states(convention, operations, cached);
        for (index, state) in states.into_iter().enumerate() {
            if let Some(mut state) = state {
                self.execute(convention, operations, index, &mut state, true);
                self.note_stack(convention, index, &state);
            }
        }
    }

    /// What is known before each instruction; nothing if that is not found out in a bounded time.
    fn states(
        &mut self,
        convention: &Convention,
        operations: &Operations,
        cached: u8,
    ) -> Vec<Option<State>> {
        let count = self.instructions.len();
        let entry = convention.entry(&mut self.terms, cached);
        let mut states: Vec<Option<State>> = vec![None; count];
        let Some(first) = states.first_mut() else {
            return states;
        };
        *first = Some(entry);
        // The first in the code first: then most ways have come together when an instruction is looked at.
        let mut waiting = BTreeSet::from([0]);
        let mut left = count.saturating_mul(MOST_ROUNDS);
        while let Some(index) = waiting.pop_first() {
            left = left.saturating_sub(1);
            if left == 0 {
                return Vec::new();
            }
            let Some(mut state) = states.get(index).cloned().flatten() else {
                continue;
            };
            self.execute(convention, operations, index, &mut state, false);
            for (next, state) in self.successors(convention, index, state) {
                let Some(known) = states.get_mut(next) else {
                    continue;
                };
                let changed = match known {
                    Some(known) => known.join(&state, &mut self.terms),
                    None => {
                        *known = Some(state);
                        true
                    }
                };
                if changed {
                    waiting.insert(next);
                }
            }
        }
        states
    }

    /// Whether a field of the frame is written.
    pub fn writes_frame(&self, field: u64) -> bool {
        self.facts.iter().any(|(_, fact)| match fact {
            Fact::Access(access) if access.writes => match access.place {
                Place::In(thing, offset) => {
                    self.terms.get(thing) == Some(Thing::Frame)
                        && self.terms.fixed(offset) == Some(field)
                }
                _ => false,
            },
            _ => false,
        })
    }

    /// Where the pointer of the evaluation stack is for the next uop, if it is known and the same on all ways there.
    pub fn stack(&self) -> Option<NumberId> {
        self.stack.flatten()
    }

    /// Ways to the next uop end at the end of the code.
    fn note_stack(&mut self, convention: &Convention, index: usize, state: &State) {
        let Some((instruction, last)) = self.instructions.get(index).zip(self.instructions.last())
        else {
            return;
        };
        let end = last.address().wrapping_add(last.length().into());
        let falls = index + 1 == self.instructions.len() && !instruction.flow().ends_block();
        let jumps = matches!(instruction.flow(), Flow::Jump | Flow::ConditionalJump)
            && instruction.target() == Some(end);
        if !falls && !jumps {
            return;
        }
        let here = match convention.stack_of(state) {
            Some(Value::Pointer(thing, offset, _))
                if self.terms.get(thing) == Some(Thing::Stack) =>
            {
                Some(offset)
            }
            _ => None,
        };
        self.stack = match self.stack {
            Some(known) if known != here => Some(None),
            _ => Some(here),
        };
    }

    fn execute(
        &mut self,
        convention: &Convention,
        operations: &Operations,
        index: usize,
        state: &mut State,
        is_final: bool,
    ) {
        let (Some(instruction), Ok(number)) = (self.instructions.get(index), u16::try_from(index))
        else {
            return;
        };
        let mut execution = Execution {
            convention,
            terms: &mut self.terms,
            index: number,
            instruction,
            facts: is_final.then_some(&mut self.facts),
        };
        for step in operations.steps(index) {
            execution.step(state, step);
        }
    }

    /// The instructions of the stencil that may run next, with what is known then.
    fn successors(
        &mut self,
        convention: &Convention,
        index: usize,
        state: State,
    ) -> Vec<(usize, State)> {
        let Some(instruction) = self.instructions.get(index) else {
            return Vec::new();
        };
        let flow = instruction.flow();
        let target = self.inside.get(index).copied().flatten();
        let equal = equal_way(instruction.mnemonic());
        let mut ways = Vec::new();
        if let (Flow::Jump | Flow::ConditionalJump, Some(target)) = (flow, target) {
            let mut taken = state.clone();
            if equal == Some(true) {
                learn_type(&self.terms, convention, &mut taken);
            }
            ways.push((target, taken));
        }
        if !flow.ends_block() {
            let mut next = state;
            if equal == Some(false) {
                learn_type(&self.terms, convention, &mut next);
            }
            ways.push((index + 1, next));
        }
        ways
    }
}

/// What is known around one instruction.
pub struct Around {
    /// The terms that the states use.
    pub terms: Terms,
    /// Before it runs.
    pub before: State,
    /// When it has run; of a call, when it comes back.
    pub behind: State,
}

/// What is known around the instruction with this index; `None` if no way leads there, or that is not found out.
pub fn around(
    convention: &Convention,
    instructions: &[Instruction],
    operations: &Operations,
    cached: u8,
    index: usize,
) -> Option<Around> {
    if instructions.len() > MOST_INSTRUCTIONS {
        return None;
    }
    let mut analysis = Analysis::without_facts(instructions);
    let states = analysis.states(convention, operations, cached);
    let before = states.into_iter().nth(index)??;
    let mut behind = before.clone();
    analysis.execute(convention, operations, index, &mut behind, false);
    Some(Around {
        terms: analysis.terms,
        before,
        behind,
    })
}

/// For a jump on equality: whether it is taken if both are equal.
fn equal_way(mnemonic: &str) -> Option<bool> {
    match mnemonic {
        "je" | "b.eq" => Some(true),
        "jne" | "b.ne" => Some(false),
        _ => None,
    }
}

/// Where the type of an object was compared and is equal, the type of the object is known.
fn learn_type(terms: &Terms, convention: &Convention, state: &mut State) {
    let Some((Value::Pointer(pointee, offset, _), Value::Number(is))) = state.compared else {
        return;
    };
    if let Some(Thing::Pointee(object, at)) = terms.get(pointee)
        && terms.fixed(at) == Some(convention.ob_type)
        && terms.fixed(offset) == Some(0)
    {
        state.learn_type(object, is);
    }
}

/// For each direct jump, which of the instructions it goes to.
fn inside(instructions: &[Instruction]) -> Vec<Option<usize>> {
    let find = |target: Address| {
        instructions
            .binary_search_by_key(&target, Instruction::address)
            .ok()
    };
    instructions
        .iter()
        .map(|instruction| match instruction.flow() {
            Flow::Call => None,
            _ => instruction.target().and_then(find),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::fact::Access;
    use super::super::value::ThingId;
    use super::*;
    use crate::disasm::{Architecture, Disassembler, Lifter, Syntax};

    const BASE: u64 = 0x7000_0000;

    fn analysis(code: &[u8], cached: u8) -> Analysis {
        let mut instructions = Vec::new();
        let mut disassembler = Disassembler::new(Architecture::X86_64, Syntax::Intel).unwrap();
        disassembler.decode(None, Address(BASE), code, &mut instructions);
        let lifter = Lifter::new(Architecture::X86_64).unwrap();
        let operations = lifter.lift(&instructions, code);
        Analysis::new(&Convention::sample(), &instructions, &operations, cached)
    }

    fn accesses(analysis: &Analysis) -> Vec<&Access> {
        let all = (0..analysis.len()).flat_map(|index| analysis.facts(index));
        all.filter_map(|fact| match fact {
            Fact::Access(access) => Some(access),
            _ => None,
        })
        .collect()
    }

    fn thing(analysis: &Analysis, place: Place) -> Option<Thing> {
        match place {
            Place::In(thing, _) => analysis.terms.get(thing),
            _ => None,
        }
    }

    #[test]
    fn a_role_is_dropped_when_its_register_is_overwritten() {
        // mov [r13+0x38], rax; mov r13, rbx; mov [r13+0x38], rax
        let code = [
            0x49, 0x89, 0x45, 0x38, 0x49, 0x89, 0xdd, 0x49, 0x89, 0x45, 0x38,
        ];
        let analysis = analysis(&code, 0);
        let found = accesses(&analysis);
        assert_eq!(found.len(), 2);
        assert_eq!(thing(&analysis, found[0].place), Some(Thing::Frame));
        assert_eq!(found[1].place, Place::Unknown);
    }

    #[test]
    fn a_copy_keeps_the_role_and_a_call_takes_it_from_lost_registers() {
        // mov rbx, r15; mov rcx, r15; call [rip]; mov rax, [rbx+0x18]; mov rax, [rcx+0x18]
        let code = [
            0x4c, 0x89, 0xfb, 0x4c, 0x89, 0xf9, 0xff, 0x15, 0, 0, 0, 0, 0x48, 0x8b, 0x43, 0x18,
            0x48, 0x8b, 0x41, 0x18,
        ];
        let analysis = analysis(&code, 0);
        let found = accesses(&analysis);
        assert_eq!(thing(&analysis, found[1].place), Some(Thing::ThreadState));
        assert_eq!(found[2].place, Place::Unknown);
    }

    #[test]
    fn a_join_keeps_what_all_ways_agree_on() {
        // test eax, eax; je +3; mov rbx, r15; mov rax, [rbx]; mov rax, [r12]
        let code = [
            0x85, 0xc0, 0x74, 0x03, 0x4c, 0x89, 0xfb, 0x48, 0x8b, 0x03, 0x49, 0x8b, 0x04, 0x24,
        ];
        let analysis = analysis(&code, 0);
        let found = accesses(&analysis);
        assert_eq!(found[0].place, Place::Unknown);
        assert_eq!(thing(&analysis, found[1].place), Some(Thing::Executor));
    }

    #[test]
    fn a_guard_tells_the_type_on_its_equal_way_only() {
        // mov rax, rdi; and rax, -2; movabs rcx, 0xbfc460; cmp [rax+8], rcx; jne +5;
        // cmp qword [rax+0x10], 0x10; ret: jne goes to the ret, behind it the type is known.
        let code = [
            0x48, 0x89, 0xf8, 0x48, 0x83, 0xe0, 0xfe, 0x48, 0xb9, 0x60, 0xc4, 0xbf, 0, 0, 0, 0, 0,
            0x48, 0x39, 0x48, 0x08, 0x75, 0x05, 0x48, 0x83, 0x78, 0x10, 0x10, 0x8b, 0x00, 0xc3,
        ];
        let analysis = analysis(&code, 1);
        let found = accesses(&analysis);
        assert_eq!(thing(&analysis, found[0].place), Some(Thing::Cached(0)));
        assert!(found[0].types.is_empty());
        assert_eq!(found[1].types.len(), 1);
        // Where both ways meet it is not.
        assert!(found[2].types.is_empty());
    }

    #[test]
    fn a_saved_register_comes_back_and_an_overwritten_local_loses_its_name() {
        // push rdi; pop rbx; mov rax, [r13+0x50]; mov [r13+0x50], rbx; dec dword [rax]; dec dword [rbx]
        let code = [
            0x57, 0x5b, 0x49, 0x8b, 0x45, 0x50, 0x49, 0x89, 0x5d, 0x50, 0xff, 0x08, 0xff, 0x0b,
        ];
        let analysis = analysis(&code, 1);
        let found = accesses(&analysis);
        let is = |index: usize| thing(&analysis, found[index].place);
        let former = |id: ThingId| matches!(analysis.terms.get(id), Some(Thing::Local(_)));
        assert!(matches!(is(4), Some(Thing::Former(inner)) if former(inner)));
        assert_eq!(is(5), Some(Thing::Cached(0)));
    }

    #[test]
    fn set_ip_tells_whether_the_registers_are_the_known_ones() {
        // movabs rax, 1; mov [r13+0x38], rax, and the same through r12
        let known = [0x48, 0xb8, 1, 0, 0, 0, 0, 0, 0, 0, 0x49, 0x89, 0x45, 0x38];
        let other = [
            0x48, 0xb8, 1, 0, 0, 0, 0, 0, 0, 0, 0x49, 0x89, 0x44, 0x24, 0x38,
        ];
        assert!(analysis(&known, 0).writes_frame(0x38));
        assert!(!analysis(&other, 0).writes_frame(0x38));
    }

    #[test]
    fn another_instance_differs_in_its_holes_only() {
        let code = |value: u8, jump: u8| {
            [
                0x48, 0xb8, value, 0, 0, 0, 0, 0, 0, 0, 0x74, jump, 0x49, 0x89, 0x45, 0x38,
            ]
        };
        let mut disassembler = Disassembler::new(Architecture::X86_64, Syntax::Intel).unwrap();
        let mut decode = |code: &[u8]| {
            let mut instructions = Vec::new();
            disassembler.decode(Some(1), Address(BASE), code, &mut instructions);
            instructions
        };
        let lifter = Lifter::new(Architecture::X86_64).unwrap();
        let first = decode(&code(1, 0x20));
        let operations = lifter.lift(&first, &code(1, 0x20));
        let analysis = Analysis::new(&Convention::sample(), &first, &operations, 0);
        assert!(analysis.fits(&decode(&code(2, 0x40))));
        // This one jumps to itself instead of leaving.
        assert!(!analysis.fits(&decode(&code(2, 0xf4))));
    }
}
