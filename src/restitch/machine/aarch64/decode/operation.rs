//! What instructions of several classes have in common.

use super::word::Word;

/// How much of the general registers an instruction uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Width {
    /// The lower half (`w0`); writing it clears the upper half.
    Half,
    /// All (`x0`).
    Whole,
}

impl Width {
    pub(super) fn of(word: Word) -> Self {
        Self::whole(word.flag(31))
    }

    pub(super) fn whole(whole: bool) -> Self {
        if whole { Self::Whole } else { Self::Half }
    }

    pub(in super::super) fn is_whole(self) -> bool {
        self == Self::Whole
    }

    pub(in super::super) fn bits(self) -> u32 {
        if self.is_whole() { 64 } else { 32 }
    }

    /// The part of a value that this width has.
    pub(in super::super) fn cut(self, value: u64) -> u64 {
        if self.is_whole() {
            value
        } else {
            value & u64::from(u32::MAX)
        }
    }
}

/// An operation on the bits of two values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Logic {
    And,
    Or,
    Xor,
}

impl Logic {
    /// From the two bits that choose among `and`, `orr`, `eor`, `ands`.
    pub(super) fn of(operation: u32) -> Self {
        match operation {
            1 => Self::Or,
            2 => Self::Xor,
            _ => Self::And,
        }
    }

    pub(in super::super) fn apply(self, left: u64, right: u64) -> u64 {
        match self {
            Self::And => left & right,
            Self::Or => left | right,
            Self::Xor => left ^ right,
        }
    }
}

/// A shift of the second operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Shift {
    Left,
    Right,
    /// That repeats the sign.
    Signed,
    Rotate,
}

impl Shift {
    pub(super) fn of(kind: u32) -> Self {
        match kind {
            0 => Self::Left,
            1 => Self::Right,
            2 => Self::Signed,
            _ => Self::Rotate,
        }
    }
}

/// How the second operand is made as wide as the first: its lowest bytes, and their sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Extend {
    pub bytes: usize,
    pub signed: bool,
    /// Shifted left by so many bits afterwards.
    pub shift: u32,
}

impl Extend {
    /// From the three bits `option`, at bit 13 in all encodings.
    pub(super) fn of(word: Word, shift: u32) -> Self {
        Self {
            bytes: 1 << word.bits(13, 2),
            signed: word.flag(15),
            shift,
        }
    }
}

/// A condition; the lowest bit of its number turns it around.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Condition(pub u32);
