//! Where control goes after an instruction.

use super::architecture::Architecture;

/// Where control goes after an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Flow {
    /// To the next instruction.
    Next,
    /// To a fixed target.
    Jump,
    /// To a fixed target or the next instruction.
    ConditionalJump,
    /// To a fixed target, and back.
    Call,
    /// Back to the caller.
    Return,
    /// To a target in a register or in memory.
    IndirectJump,
    /// To a target in a register or in memory, and back.
    IndirectCall,
    /// Nowhere: the processor stops here (`ud2`, `brk`, …).
    Trap,
    /// Unknown: these bytes are no instruction.
    Bad,
}

impl Flow {
    /// Whether the target is written in the instruction.
    pub fn is_direct(self) -> bool {
        matches!(self, Flow::Jump | Flow::ConditionalJump | Flow::Call)
    }

    /// Whether the next instruction is never reached from this one.
    pub fn ends_block(self) -> bool {
        matches!(
            self,
            Flow::Jump | Flow::IndirectJump | Flow::Return | Flow::Trap | Flow::Bad
        )
    }

    pub(super) fn of(architecture: Architecture, mnemonic: &str, operands: &str) -> Flow {
        // A prefix is part of capstone's mnemonic: `notrack jmp`.
        let name = mnemonic.rsplit(' ').next().unwrap_or_default();
        match architecture {
            Architecture::X86_64 => x86(name, operands),
            Architecture::Aarch64 => aarch64(name),
        }
    }
}

/// By name, not by capstone's number, because the AT&T names differ only in a suffix (`jmpq`, `callq`, `retq`).
fn x86(name: &str, operands: &str) -> Flow {
    // A far jump or call has no target that is one address.
    let direct =
        operands.starts_with(|first: char| first.is_ascii_digit()) && !operands.contains(':');
    let begins = |names: &[&str]| names.iter().any(|begin| name.starts_with(begin));
    if begins(&["jmp", "ljmp"]) {
        return if direct {
            Flow::Jump
        } else {
            Flow::IndirectJump
        };
    }
    if begins(&["call", "lcall"]) {
        return if direct {
            Flow::Call
        } else {
            Flow::IndirectCall
        };
    }
    if begins(&["j", "loop", "xbegin"]) {
        Flow::ConditionalJump
    } else if begins(&["ret", "lret", "iret", "sysret", "sysexit"]) {
        Flow::Return
    } else if matches!(name, "ud0" | "ud1" | "ud2" | "int1" | "int3" | "hlt") {
        Flow::Trap
    } else {
        Flow::Next
    }
}

fn aarch64(name: &str) -> Flow {
    match name {
        "b" => Flow::Jump,
        "bl" => Flow::Call,
        "cbz" | "cbnz" | "tbz" | "tbnz" => Flow::ConditionalJump,
        "br" | "braa" | "braaz" | "brab" | "brabz" => Flow::IndirectJump,
        "blr" | "blraa" | "blraaz" | "blrab" | "blrabz" => Flow::IndirectCall,
        "ret" | "retaa" | "retab" | "eret" | "eretaa" | "eretab" => Flow::Return,
        "brk" | "hlt" | "udf" => Flow::Trap,
        _ if name.starts_with("b.") || name.starts_with("bc.") => Flow::ConditionalJump,
        _ => Flow::Next,
    }
}
