//! Vectors: the few instructions that compilers make of copies, constants and population counts.

use super::register::Operands;
use super::vector_constant::{self, Constant};
use super::vector_move::{self, Move};
use super::vector_shift::{self, Shifted};
use super::word::{Class, Word};

/// An instruction about vector registers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) enum Vector {
    /// Elements that are only moved.
    Move(Move),
    /// Elements that are shifted, made narrower or wider.
    Shift(Shifted),
    /// The same number in each element.
    Constant(Constant),
    /// `cnt`: the bits that are set in each byte.
    CountBits { rd: usize, rn: usize, lanes: Lanes },
    /// Two elements become one.
    Pairwise {
        operation: Pairwise,
        operands: Operands,
        lanes: Lanes,
    },
    /// `addv`, and `addp` of one vector: the sum of all elements.
    Sum { rd: usize, rn: usize, lanes: Lanes },
    /// The same for each pair of elements at the same place.
    Each {
        operation: Each,
        operands: Operands,
        lanes: Lanes,
    },
    /// `saddl`, `uaddl`, `saddw`, `uaddw` and their second forms.
    AddLong {
        operands: Operands,
        /// Bytes of the narrow elements.
        size: usize,
        signed: bool,
        /// The first operand has wide elements already.
        wide: bool,
        /// The narrow elements are those of the upper half.
        upper: bool,
    },
}

/// The elements of a vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Lanes {
    /// Bytes of each.
    pub size: usize,
    pub count: usize,
}

impl Lanes {
    pub(super) fn new(size: usize, whole: bool) -> Self {
        Self {
            size,
            count: if whole { 16 } else { 8 } / size,
        }
    }

    /// With the size at bit 22. One element of eight bytes is no vector: it has encodings of its own.
    fn of(word: Word) -> Option<Self> {
        let lanes = Self::new(1 << word.bits(22, 2), whole(word));
        (lanes.count > 1).then_some(lanes)
    }
}

/// Whether it is about all sixteen bytes.
pub(super) fn whole(word: Word) -> bool {
    word.flag(30)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Pairwise {
    /// `uaddlp`: elements that are twice as wide, of one vector.
    AddLong,
    /// `addp`: of two vectors.
    Add,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Each {
    Add,
    Subtract,
    And,
    AndNot,
    Or,
    OrNot,
    Xor,
}

const COUNT_BITS: Class = Class::of("0.001110 00100000 010110.. ........");
const ADD_LONG_PAIRS: Class = Class::of("0.101110 ..100000 001010.. ........");
const ADD_PAIRS: Class = Class::of("0.001110 ..1..... 101111.. ........");
const SUM: Class = Class::of("0.001110 ..110001 101110.. ........");
const SUM_OF_TWO: Class = Class::of("01011110 11110001 101110.. ........");
const ADD: Class = Class::of("0..01110 ..1..... 100001.. ........");
const ADD_ONE: Class = Class::of("01.11110 111..... 100001.. ........");
const LOGICAL: Class = Class::of("0..01110 ..1..... 000111.. ........");
const ADD_LONG: Class = Class::of("0..01110 ..1..... 000.00.. ........");

pub(super) fn decode(word: Word) -> Option<Vector> {
    vector_move::decode(word)
        .map(Vector::Move)
        .or_else(|| vector_shift::decode(word).map(Vector::Shift))
        .or_else(|| vector_constant::decode(word).map(Vector::Constant))
        .or_else(|| arithmetic(word))
}

fn arithmetic(word: Word) -> Option<Vector> {
    let (rd, rn) = (word.number(0), word.number(5));
    match word {
        _ if COUNT_BITS.has(word) => Some(Vector::CountBits {
            rd,
            rn,
            lanes: Lanes::new(1, whole(word)),
        }),
        _ if ADD_LONG_PAIRS.has(word) => pairwise(word, Pairwise::AddLong),
        _ if ADD_PAIRS.has(word) => pairwise(word, Pairwise::Add),
        _ if SUM.has(word) => sum(word),
        _ if SUM_OF_TWO.has(word) => Some(Vector::Sum {
            rd,
            rn,
            lanes: Lanes::new(8, true),
        }),
        _ if ADD.has(word) => each(add_or_subtract(word), word, Lanes::of(word)?),
        _ if ADD_ONE.has(word) => each(add_or_subtract(word), word, Lanes { size: 8, count: 1 }),
        _ if LOGICAL.has(word) => each(logic(word)?, word, Lanes::new(1, whole(word))),
        _ if ADD_LONG.has(word) => add_long(word),
        _ => None,
    }
}

fn pairwise(word: Word, operation: Pairwise) -> Option<Vector> {
    let lanes = Lanes::new(1 << word.bits(22, 2), whole(word));
    let sound = match operation {
        Pairwise::AddLong => lanes.size < 8,
        Pairwise::Add => lanes.count > 1,
    };
    sound.then(|| Vector::Pairwise {
        operation,
        operands: Operands::of(word),
        lanes,
    })
}

/// Of two elements there is `addp`.
fn sum(word: Word) -> Option<Vector> {
    let lanes = Lanes::of(word).filter(|lanes| lanes.count > 2)?;
    Some(Vector::Sum {
        rd: word.number(0),
        rn: word.number(5),
        lanes,
    })
}

fn each(operation: Each, word: Word, lanes: Lanes) -> Option<Vector> {
    Some(Vector::Each {
        operation,
        operands: Operands::of(word),
        lanes,
    })
}

fn add_or_subtract(word: Word) -> Each {
    if word.flag(29) {
        Each::Subtract
    } else {
        Each::Add
    }
}

fn logic(word: Word) -> Option<Each> {
    match (word.flag(29), word.bits(22, 2)) {
        (false, 0) => Some(Each::And),
        (false, 1) => Some(Each::AndNot),
        (false, 2) => Some(Each::Or),
        (false, _) => Some(Each::OrNot),
        (true, 0) => Some(Each::Xor),
        (true, _) => None,
    }
}

fn add_long(word: Word) -> Option<Vector> {
    let size = 1 << word.bits(22, 2);
    (size < 8).then(|| Vector::AddLong {
        operands: Operands::of(word),
        size,
        signed: !word.flag(29),
        wide: word.flag(12),
        upper: whole(word),
    })
}
