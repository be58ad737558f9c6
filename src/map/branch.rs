//! The instruction that a branch guard belongs to.
//!
//! A guard carries the place where the interpreter goes on if the branch takes the other way, and not its own place
//! (`prepare_for_execution` in `Python/optimizer.c`). Its own is found in the bytecode: the first branch behind the
//! last known place that can go to the guard's destination.

use crate::address::BytecodeOffset;
use crate::cpython::{BytecodeInstruction, CodeObject, OpcodeTable};

/// Instructions looked at before giving up: what lies between a comparison and its jump is a handful.
const MOST_STEPS: usize = 64;

/// Whether uops with this base name guess the way of a branch or the end of an iterator.
pub fn guards_branch(base: &str) -> bool {
    is_jump_guard(base)
        || [
            "_GUARD_NOT_EXHAUSTED_",
            "_FOR_ITER_TIER_TWO",
            "_ITER_NEXT_INLINE",
        ]
        .iter()
        .any(|prefix| base.starts_with(prefix))
}

/// Whether uops with this base name guess the way of a conditional jump, and are its last ones.
pub fn is_jump_guard(base: &str) -> bool {
    (base.starts_with("_GUARD_IS_") && base.ends_with("_POP")) || base.starts_with("_GUARD_BIT_IS_")
}

/// The branch at or behind `from` (behind it if `after`) one of whose ways leads to the code unit `destination`.
pub fn find_branch(
    opcodes: &OpcodeTable,
    code: &CodeObject,
    from: BytecodeOffset,
    after: bool,
    destination: u32,
) -> Option<BytecodeOffset> {
    let mut at = from;
    let mut skip = after;
    for _ in 0..MOST_STEPS {
        let instruction = code.instruction(at)?;
        let name = opcodes.name(opcodes.base(instruction.opcode))?;
        if !skip && leads_to(name, code, opcodes, instruction, destination) {
            return Some(instruction.offset);
        }
        skip = false;
        at = next(name, instruction)?;
    }
    None
}

/// The instruction that follows if no branch is taken; `None` where control leaves the function.
fn next(name: &str, instruction: &BytecodeInstruction) -> Option<BytecodeOffset> {
    let unit = match name {
        "JUMP_FORWARD" => instruction.end.checked_add(instruction.oparg)?,
        _ if name.starts_with("JUMP_BACKWARD") => instruction.end.checked_sub(instruction.oparg)?,
        "RETURN_VALUE" | "RERAISE" | "RAISE_VARARGS" => return None,
        _ => instruction.end,
    };
    BytecodeOffset::of_code_unit(unit)
}

fn leads_to(
    name: &str,
    code: &CodeObject,
    opcodes: &OpcodeTable,
    branch: &BytecodeInstruction,
    destination: u32,
) -> bool {
    let Some(taken) = branch.end.checked_add(branch.oparg) else {
        return false;
    };
    match name {
        // The loop ends behind END_FOR, and behind POP_ITER where the guard pops the iterator itself.
        "FOR_ITER" => (taken..=taken.saturating_add(2)).contains(&destination),
        _ if name.starts_with("POP_JUMP_IF_") => {
            destination == taken
                || destination == branch.end
                || (destination == branch.end + 1 && is_not_taken(code, opcodes, branch.end))
        }
        _ => false,
    }
}

/// Whether a `NOT_TAKEN`, which does nothing, stands here.
fn is_not_taken(code: &CodeObject, opcodes: &OpcodeTable, unit: u32) -> bool {
    BytecodeOffset::of_code_unit(unit)
        .and_then(|offset| code.instruction(offset))
        .and_then(|instruction| opcodes.name(instruction.opcode))
        .is_some_and(|name| &**name == "NOT_TAKEN")
}
