//! A decoded instruction.

/// What it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Nothing.
    Nothing,
    /// `mov`.
    Move,
    /// `movzx`.
    ZeroExtend,
    /// `movsx`, `movsxd`.
    SignExtend,
    /// `cwde`, `cdqe`.
    ExtendAccumulator,
    /// `lea`.
    Address,
    /// Two operands and flags.
    Arithmetic(Arithmetic),
    /// `inc`.
    Increment,
    /// `dec`.
    Decrement,
    /// `not`.
    Not,
    /// `neg`.
    Negate,
    /// `imul` with two or three operands.
    Multiply,
    /// `shl`, `shr`, `sar`.
    Shift(Shift),
    /// `popcnt`.
    CountBits,
    /// `push`.
    Push,
    /// `pop`.
    Pop,
    /// `leave`.
    Leave,
    /// `call`.
    Call,
    /// `ret`.
    Return,
    /// `jmp`.
    Jump,
    /// `jcc`.
    JumpIf(Condition),
    /// `cmovcc`.
    MoveIf(Condition),
    /// `setcc`.
    SetIf(Condition),
    /// `movs`, maybe repeated.
    CopyString,
    /// `stos`, maybe repeated.
    FillString,
    /// 16 bytes.
    MoveVector,
    /// `movlps` and `movhps`: eight bytes at this place of a vector register; the others stay.
    MoveHalf(u8),
    /// `movq`, `movd` to a vector register: the other bytes become zero.
    MoveToVector,
    /// `movq`, `movd` from a vector register.
    MoveFromVector,
    /// `xorps`, `pxor`.
    XorVector,
    /// `punpcklqdq`.
    UnpackLow,
}

impl Operation {
    /// Whether what stands behind it need not be what is run next.
    pub fn ends_block(self) -> bool {
        use Operation::{Call, Jump, JumpIf, Return};
        matches!(self, Call | Jump | JumpIf(_) | Return)
    }
}

/// An operation on two operands, in the order of its encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Arithmetic {
    Add,
    Or,
    And,
    Subtract,
    Xor,
    Compare,
    Test,
}

/// A shift.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Shift {
    Left,
    Right,
    Arithmetic,
}

/// A condition, by the number of its encoding; none asks for parity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Condition(u8);

impl Condition {
    /// The condition in the low bits of an opcode; `None` for parity, which no emitter asks for.
    pub fn of(opcode: u8) -> Option<Condition> {
        let number = opcode & 15;
        (number >> 1 != 5).then_some(Condition(number))
    }

    /// The number of the pair of conditions, and whether it is the negative one.
    pub fn parts(self) -> (u8, bool) {
        (self.0 >> 1, self.0 & 1 == 1)
    }
}

/// What an instruction works on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// Nothing.
    None,
    /// A general register.
    Register(u8),
    /// The second lowest byte of one of the first four (`ah` … `bh`).
    HighByte(u8),
    /// A vector register.
    Vector(u8),
    /// A number, extended to 64 bits.
    Immediate(u64),
    /// So far from the next instruction: only while it is decoded.
    Relative(u64),
    /// Memory.
    Memory(Place),
}

/// Where an operand in memory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// A register that is added.
    pub base: Option<u8>,
    /// Another one, shifted left.
    pub index: Option<(u8, u8)>,
    /// What is added.
    pub displacement: u64,
    /// Whether the address of the next instruction is added: only while it is decoded.
    pub relative: bool,
    /// Whether the thread pointer is added (`fs:`).
    pub of_thread: bool,
}

/// An instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// What it does.
    pub operation: Operation,
    /// The size of its operands in bytes.
    pub width: u8,
    /// The size of its source, where that differs.
    pub source_width: u8,
    /// Whether it has the prefix `rep`.
    pub repeated: bool,
    /// What is written, and often read.
    pub to: Operand,
    /// What is read.
    pub from: Operand,
    /// What else is read.
    pub by: Operand,
    /// Where it is.
    pub address: u64,
    /// Where the next one is.
    pub next: u64,
}
