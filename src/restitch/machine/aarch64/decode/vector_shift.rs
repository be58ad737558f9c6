//! Elements that are shifted by a constant, made narrower or made wider.

use super::vector::{Lanes, whole};
use super::word::{Class, Word};

/// An instruction that shifts elements, each by itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) struct Shifted {
    pub rd: usize,
    pub rn: usize,
    pub kind: Kind,
    pub amount: u32,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) enum Kind {
    /// `shl`.
    Left(Lanes),
    /// `ushr`.
    Right(Lanes),
    /// `shrn` and `xtn`: to the right, and the lower half of each is kept.
    Narrow {
        /// Bytes of the narrow elements.
        size: usize,
        /// They become the upper half, and the lower half stays.
        upper: bool,
    },
    /// `sshll` and `ushll`: made twice as wide, and to the left.
    Lengthen {
        size: usize,
        signed: bool,
        upper: bool,
    },
}

const RIGHT: Class = Class::of("0.101111 0....... 000001.. ........");
const RIGHT_ONE: Class = Class::of("01111111 01...... 000001.. ........");
const LEFT: Class = Class::of("0.001111 0....... 010101.. ........");
const LEFT_ONE: Class = Class::of("01011111 01...... 010101.. ........");
const NARROW: Class = Class::of("0.001111 0....... 100001.. ........");
const CUT: Class = Class::of("0.001110 ..100001 001010.. ........");
const LENGTHEN: Class = Class::of("0..01111 0....... 101001.. ........");

const ONE: Lanes = Lanes { size: 8, count: 1 };

pub(super) fn decode(word: Word) -> Option<Shifted> {
    if CUT.has(word) {
        return cut(word);
    }
    let Amount { size, left, right } = Amount::of(word)?;
    match word {
        _ if RIGHT.has(word) => Some(shifted(word, Kind::Right(lanes(size, word)?), right)),
        _ if RIGHT_ONE.has(word) => Some(shifted(word, Kind::Right(ONE), right)),
        _ if LEFT.has(word) => Some(shifted(word, Kind::Left(lanes(size, word)?), left)),
        _ if LEFT_ONE.has(word) => Some(shifted(word, Kind::Left(ONE), left)),
        _ if NARROW.has(word) && size < 8 => {
            let upper = whole(word);
            Some(shifted(word, Kind::Narrow { size, upper }, right))
        }
        _ if LENGTHEN.has(word) && size < 8 => Some(lengthen(word, size, left)),
        _ => None,
    }
}

fn shifted(word: Word, kind: Kind, amount: u32) -> Shifted {
    Shifted {
        rd: word.number(0),
        rn: word.number(5),
        kind,
        amount,
    }
}

fn lanes(size: usize, word: Word) -> Option<Lanes> {
    let lanes = Lanes::new(size, whole(word));
    (lanes.count > 1).then_some(lanes)
}

fn cut(word: Word) -> Option<Shifted> {
    let (size, upper) = (1 << word.bits(22, 2), whole(word));
    (size < 8).then(|| shifted(word, Kind::Narrow { size, upper }, 0))
}

fn lengthen(word: Word, size: usize, amount: u32) -> Shifted {
    let kind = Kind::Lengthen {
        size,
        signed: !word.flag(29),
        upper: whole(word),
    };
    shifted(word, kind, amount)
}

/// What the seven bits from 16 on say: the highest that is set tells the size of elements, the rest how far.
struct Amount {
    size: usize,
    left: u32,
    right: u32,
}

impl Amount {
    fn of(word: Word) -> Option<Self> {
        let number = word.bits(16, 7);
        // Without any bit for the size, the word is no shift.
        let size = 1 << (number >> 3).checked_ilog2()?;
        Some(Self {
            size: size as usize,
            left: number - 8 * size,
            right: 16 * size - number,
        })
    }
}
