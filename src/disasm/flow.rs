//! Where control goes after an instruction.

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
}
