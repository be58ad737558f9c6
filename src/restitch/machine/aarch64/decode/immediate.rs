//! Data processing with an immediate.

use super::operation::{Logic, Width};
use super::word::{Class, Word, sign_extend};

/// An instruction that computes with a number of its own.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) enum Immediate {
    /// `adr`, and `adrp`, which counts from the start of the page.
    Address { rd: usize, page: bool, offset: i64 },
    /// `add`, `sub`, `adds`, `subs`.
    Add {
        width: Width,
        subtract: bool,
        flags: bool,
        rd: usize,
        rn: usize,
        value: u64,
    },
    /// `and`, `orr`, `eor`, `ands`.
    Logical {
        width: Width,
        logic: Logic,
        flags: bool,
        rd: usize,
        rn: usize,
        mask: u64,
    },
    /// `movz` and `movn`: a whole new value.
    Move { rd: usize, value: u64 },
    /// `movk`: sixteen bits of the old value.
    Keep {
        width: Width,
        rd: usize,
        value: u64,
        shift: u32,
    },
    /// `sbfm`, `bfm`, `ubfm` and all of their other names.
    BitField {
        width: Width,
        fill: Fill,
        rd: usize,
        rn: usize,
        field: Field,
    },
    /// `extr`: bits out of two registers side by side.
    Extract {
        width: Width,
        rd: usize,
        rn: usize,
        rm: usize,
        low: u32,
    },
}

/// What a bit field instruction puts where no bits are moved to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) enum Fill {
    /// The sign of the field.
    Sign,
    /// What was there.
    Old,
    /// Zeros.
    Zero,
}

/// Which bits a bit field instruction moves: the manual's `immr`, `imms`, `wmask`, `tmask`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) struct Field {
    pub rotate: u32,
    pub sign: u32,
    pub moved: u64,
    pub top: u64,
}

const ADDRESS: Class = Class::of("...10000 ........ ........ ........");
const ADD: Class = Class::of("...10001 0....... ........ ........");
const LOGICAL: Class = Class::of("...10010 0....... ........ ........");
const MOVE: Class = Class::of("...10010 1....... ........ ........");
const BIT_FIELD: Class = Class::of("...10011 0....... ........ ........");
const EXTRACT: Class = Class::of(".0010011 1.0..... ........ ........");

pub(super) fn decode(word: Word) -> Option<Immediate> {
    match word {
        _ if ADDRESS.has(word) => Some(address(word)),
        _ if ADD.has(word) => Some(add(word)),
        _ if LOGICAL.has(word) => logical(word),
        _ if MOVE.has(word) => move_wide(word),
        _ if BIT_FIELD.has(word) => bit_field(word),
        _ if EXTRACT.has(word) => extract(word),
        _ => None,
    }
}

fn address(word: Word) -> Immediate {
    let number = word.bits(5, 19) << 2 | word.bits(29, 2);
    let page = word.flag(31);
    let offset = sign_extend(u64::from(number), 21);
    Immediate::Address {
        rd: word.number(0),
        page,
        offset: if page { offset << 12 } else { offset },
    }
}

fn add(word: Word) -> Immediate {
    Immediate::Add {
        width: Width::of(word),
        subtract: word.flag(30),
        flags: word.flag(29),
        rd: word.number(0),
        rn: word.number(5),
        value: u64::from(word.bits(10, 12)) << (12 * word.bits(22, 1)),
    }
}

fn logical(word: Word) -> Option<Immediate> {
    let width = Width::of(word);
    let masks = Masks::of(word, width)?;
    // All bits of an element would be set: the architecture leaves that out.
    if masks.is_all() {
        return None;
    }
    let operation = word.bits(29, 2);
    Some(Immediate::Logical {
        width,
        logic: Logic::of(operation),
        flags: operation == 3,
        rd: word.number(0),
        rn: word.number(5),
        mask: width.cut(masks.moved),
    })
}

fn move_wide(word: Word) -> Option<Immediate> {
    let (width, rd) = (Width::of(word), word.number(0));
    let shift = 16 * word.bits(21, 2);
    if shift >= width.bits() {
        return None;
    }
    let value = u64::from(word.bits(5, 16)) << shift;
    match word.bits(29, 2) {
        0 => Some(Immediate::Move {
            rd,
            value: width.cut(!value),
        }),
        2 => Some(Immediate::Move { rd, value }),
        3 => Some(Immediate::Keep {
            width,
            rd,
            value,
            shift,
        }),
        _ => None,
    }
}

fn bit_field(word: Word) -> Option<Immediate> {
    let width = Width::of(word);
    let fill = match word.bits(29, 2) {
        0 => Fill::Sign,
        1 => Fill::Old,
        2 => Fill::Zero,
        _ => return None,
    };
    let (rotate, sign) = (word.bits(16, 6), word.bits(10, 6));
    if word.flag(22) != width.is_whole() || rotate.max(sign) >= width.bits() {
        return None;
    }
    let masks = Masks::of(word, width)?;
    Some(Immediate::BitField {
        width,
        fill,
        rd: word.number(0),
        rn: word.number(5),
        field: Field {
            rotate,
            sign,
            moved: width.cut(masks.moved),
            top: width.cut(masks.top),
        },
    })
}

fn extract(word: Word) -> Option<Immediate> {
    let (width, low) = (Width::of(word), word.bits(10, 6));
    let sound = word.flag(22) == width.is_whole() && low < width.bits();
    sound.then(|| Immediate::Extract {
        width,
        rd: word.number(0),
        rn: word.number(5),
        rm: word.number(16),
        low,
    })
}

/// What `N`, `imms` and `immr` stand for: the manual's `DecodeBitMasks`.
struct Masks {
    moved: u64,
    top: u64,
    ones: u32,
    element: u32,
}

impl Masks {
    fn of(word: Word, width: Width) -> Option<Self> {
        let (repeat, rotate, last) = (word.bits(22, 1), word.bits(16, 6), word.bits(10, 6));
        let length = (repeat << 6 | (!last & 0x3f)).checked_ilog2()?;
        if length < 1 || (length == 6 && !width.is_whole()) {
            return None;
        }
        let element = 1 << length;
        let levels = element - 1;
        let (last, rotate) = (last & levels, rotate & levels);
        let ones = last + 1;
        Some(Self {
            moved: replicate(rotate_right(low_bits(ones), rotate, element), element),
            top: replicate(low_bits((last.wrapping_sub(rotate) & levels) + 1), element),
            ones,
            element,
        })
    }

    const fn is_all(&self) -> bool {
        self.ones == self.element
    }
}

const fn low_bits(count: u32) -> u64 {
    match 1u64.checked_shl(count) {
        Some(bit) => bit - 1,
        None => u64::MAX,
    }
}

fn rotate_right(value: u64, by: u32, element: u32) -> u64 {
    if by == 0 {
        return value;
    }
    (value >> by | value << (element - by)) & low_bits(element)
}

/// An element of 2, 4, … 64 bits, as often as it fits.
fn replicate(element: u64, mut bits: u32) -> u64 {
    let mut value = element;
    while bits < 64 {
        value |= value << bits;
        bits *= 2;
    }
    value
}
