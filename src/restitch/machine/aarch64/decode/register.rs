//! Data processing with registers.

use super::operation::{Condition, Extend, Logic, Shift, Width};
use super::word::{Class, Word};

/// An instruction that computes with general registers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) enum Register {
    /// `and`, `orr`, `eor`, `ands`, and those that turn the second operand around (`bic`, `orn`, `eon`, `bics`).
    Logical {
        width: Width,
        logic: Logic,
        inverted: bool,
        flags: bool,
        operands: Operands,
        shift: Shift,
        amount: u32,
    },
    /// `add`, `sub`, `adds`, `subs`, the second operand shifted.
    AddShifted {
        width: Width,
        subtract: bool,
        flags: bool,
        operands: Operands,
        shift: Shift,
        amount: u32,
    },
    /// The same, the second operand made as wide as the first, which may be the stack pointer.
    AddExtended {
        width: Width,
        subtract: bool,
        flags: bool,
        operands: Operands,
        extend: Extend,
    },
    /// `csel`, `csinc`, `csinv`, `csneg`.
    Select {
        width: Width,
        operands: Operands,
        condition: Condition,
        inverted: bool,
        incremented: bool,
    },
    /// `ccmp` and `ccmn`.
    Compare {
        width: Width,
        subtract: bool,
        rn: usize,
        /// The register's number, or the number to compare with.
        second: usize,
        immediate: bool,
        condition: Condition,
        /// The flags if the condition does not hold.
        otherwise: u32,
    },
    /// `madd` and `msub`.
    Multiply {
        width: Width,
        subtract: bool,
        operands: Operands,
        ra: usize,
    },
    /// `lslv`, `lsrv`, `asrv`, `rorv`.
    ShiftBy {
        width: Width,
        operands: Operands,
        shift: Shift,
    },
}

/// The registers of an instruction with two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Operands {
    pub rd: usize,
    pub rn: usize,
    pub rm: usize,
}

impl Operands {
    pub(super) fn of(word: Word) -> Self {
        Self {
            rd: word.number(0),
            rn: word.number(5),
            rm: word.number(16),
        }
    }
}

/// The most that an extended operand may be shifted by.
const MOST_SHIFT: u32 = 4;

const LOGICAL: Class = Class::of("...01010 ........ ........ ........");
const ADD_SHIFTED: Class = Class::of("...01011 ..0..... ........ ........");
const ADD_EXTENDED: Class = Class::of("...01011 001..... ........ ........");
const SELECT: Class = Class::of("..011010 100..... ....0... ........");
const COMPARE: Class = Class::of("..111010 010..... .....0.. ...0....");
const MULTIPLY: Class = Class::of(".0011011 000..... ........ ........");
const SHIFT_BY: Class = Class::of(".0011010 110..... 0010.... ........");

pub(super) fn decode(word: Word) -> Option<Register> {
    match word {
        _ if LOGICAL.has(word) => logical(word),
        _ if ADD_SHIFTED.has(word) => add_shifted(word),
        _ if ADD_EXTENDED.has(word) => add_extended(word),
        _ if SELECT.has(word) => Some(select(word)),
        _ if COMPARE.has(word) => Some(compare(word)),
        _ if MULTIPLY.has(word) => Some(Register::Multiply {
            width: Width::of(word),
            subtract: word.flag(15),
            operands: Operands::of(word),
            ra: word.number(10),
        }),
        _ if SHIFT_BY.has(word) => Some(Register::ShiftBy {
            width: Width::of(word),
            operands: Operands::of(word),
            shift: Shift::of(word.bits(10, 2)),
        }),
        _ => None,
    }
}

/// The shift of the second operand; one that is as wide as the operand is not encoded.
fn shifted(word: Word, width: Width) -> Option<(Shift, u32)> {
    let amount = word.bits(10, 6);
    (amount < width.bits()).then(|| (Shift::of(word.bits(22, 2)), amount))
}

fn logical(word: Word) -> Option<Register> {
    let (width, operation) = (Width::of(word), word.bits(29, 2));
    let (shift, amount) = shifted(word, width)?;
    Some(Register::Logical {
        width,
        logic: Logic::of(operation),
        inverted: word.flag(21),
        flags: operation == 3,
        operands: Operands::of(word),
        shift,
        amount,
    })
}

fn add_shifted(word: Word) -> Option<Register> {
    let width = Width::of(word);
    let (shift, amount) = shifted(word, width)?;
    (shift != Shift::Rotate).then(|| Register::AddShifted {
        width,
        subtract: word.flag(30),
        flags: word.flag(29),
        operands: Operands::of(word),
        shift,
        amount,
    })
}

fn add_extended(word: Word) -> Option<Register> {
    let shift = word.bits(10, 3);
    (shift <= MOST_SHIFT).then(|| Register::AddExtended {
        width: Width::of(word),
        subtract: word.flag(30),
        flags: word.flag(29),
        operands: Operands::of(word),
        extend: Extend::of(word, shift),
    })
}

fn select(word: Word) -> Register {
    Register::Select {
        width: Width::of(word),
        operands: Operands::of(word),
        condition: Condition(word.bits(12, 4)),
        inverted: word.flag(30),
        incremented: word.flag(10),
    }
}

fn compare(word: Word) -> Register {
    Register::Compare {
        width: Width::of(word),
        subtract: word.flag(30),
        rn: word.number(5),
        second: word.number(16),
        immediate: word.flag(11),
        condition: Condition(word.bits(12, 4)),
        otherwise: word.bits(0, 4),
    }
}
