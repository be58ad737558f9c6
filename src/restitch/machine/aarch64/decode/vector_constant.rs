//! Vectors of one number: `movi`, `mvni`, and `orr` and `bic` with an immediate.

use super::vector::{Lanes, whole};
use super::word::{Class, Word};

/// A constant for all elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Constant {
    pub rd: usize,
    pub value: u64,
    pub lanes: Lanes,
    pub change: Change,
}

/// What the constant does to the register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Change {
    Set,
    /// Its bits are set too.
    Add,
    /// Its bits are cleared.
    Remove,
}

const CONSTANT: Class = Class::of("0..01111 00000... ....01.. ........");

pub(super) fn decode(word: Word) -> Option<Constant> {
    if !CONSTANT.has(word) {
        return None;
    }
    let byte = u64::from(word.bits(16, 3) << 5 | word.bits(5, 5));
    let (kind, inverted) = (word.bits(12, 4), word.flag(29));
    match kind {
        0..8 => Some(shifted(word, byte, 4)),
        8..12 => Some(shifted(word, byte, 2)),
        12 | 13 => Some(set(word, with_ones(byte, 8 * (kind - 11), inverted), 4)),
        14 if inverted => Some(set(word, byte_per_bit(byte), 8)),
        14 => Some(set(word, byte, 1)),
        // Numbers with a fraction.
        _ => None,
    }
}

fn constant(word: Word, value: u64, size: usize, change: Change) -> Constant {
    Constant {
        rd: word.number(0),
        value,
        lanes: Lanes::new(size, whole(word)),
        change,
    }
}

fn set(word: Word, value: u64, size: usize) -> Constant {
    constant(word, value, size, Change::Set)
}

/// One byte of each element, or all others.
fn shifted(word: Word, byte: u64, size: usize) -> Constant {
    let places = if size == 4 { 2 } else { 1 };
    let value = byte << (8 * word.bits(13, places));
    match (word.flag(12), word.flag(29)) {
        (false, false) => set(word, value, size),
        (false, true) => set(word, !value, size),
        (true, false) => constant(word, value, size, Change::Add),
        (true, true) => constant(word, value, size, Change::Remove),
    }
}

/// The byte, and ones below it.
fn with_ones(byte: u64, shift: u32, inverted: bool) -> u64 {
    let value = byte << shift | ((1 << shift) - 1);
    if inverted { !value } else { value }
}

/// Eight bytes, all ones where a bit is set.
fn byte_per_bit(bits: u64) -> u64 {
    let bytes = (0..8).map(|place| (bits >> place & 1) * (0xff << (8 * place)));
    bytes.sum()
}
