//! Loads and stores.

use super::operation::{Extend, Width};
use super::word::{Class, Word};

/// A load or a store of one or two registers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) struct Memory {
    pub transfer: Transfer,
    pub vector: bool,
    /// Bytes of each register.
    pub bytes: usize,
    pub rt: usize,
    /// Of a pair.
    pub rt2: Option<usize>,
    pub place: Place,
}

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) enum Transfer {
    Store,
    /// The rest of the register becomes zero.
    Load,
    /// The rest becomes the sign, as far as the width goes.
    LoadSigned(Width),
    /// Neither: `prfm` only asks for them to be fetched.
    Prefetch,
}

/// Where the bytes are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) enum Place {
    /// So far from the instruction.
    Literal(i64),
    /// At a register and so far on.
    Offset { rn: usize, offset: i64 },
    /// The register becomes that address as well.
    Before { rn: usize, offset: i64 },
    /// At the register, which moves on afterwards.
    After { rn: usize, offset: i64 },
    /// At the sum of two registers.
    Register {
        rn: usize,
        rm: usize,
        extend: Extend,
    },
}

const LITERAL: Class = Class::of("..011.00 ........ ........ ........");
const PAIR: Class = Class::of("..101.0. ........ ........ ........");
const SCALED: Class = Class::of("..111.01 ........ ........ ........");
const UNSCALED: Class = Class::of("..111.00 ..0..... ........ ........");
const REGISTER: Class = Class::of("..111.00 ..1..... ....10.. ........");

pub(super) fn decode(word: Word) -> Option<Memory> {
    match word {
        _ if LITERAL.has(word) => literal(word),
        _ if PAIR.has(word) => pair(word),
        _ if SCALED.has(word) => single(word, |bytes| {
            let count = i64::from(word.bits(10, 12));
            Some(Place::Offset {
                rn: word.number(5),
                offset: count * bytes,
            })
        }),
        _ if UNSCALED.has(word) => single(word, |_| {
            let (rn, offset) = (word.number(5), word.signed(12, 9));
            moving(word.bits(10, 2), rn, offset)
        }),
        _ if REGISTER.has(word) => single(word, |bytes| register(word, bytes)),
        _ => None,
    }
}

fn literal(word: Word) -> Option<Memory> {
    let (vector, kind) = (word.flag(26), word.bits(30, 2));
    let (transfer, bytes) = match (vector, kind) {
        (true, 3) => return None,
        (true, _) => (Transfer::Load, 4 << kind),
        (false, 0) => (Transfer::Load, 4),
        (false, 1) => (Transfer::Load, 8),
        (false, 2) => (Transfer::LoadSigned(Width::Whole), 4),
        (false, _) => (Transfer::Prefetch, 8),
    };
    Some(Memory {
        transfer,
        vector,
        bytes,
        rt: word.number(0),
        rt2: None,
        place: Place::Literal(word.distance(5, 19)),
    })
}

fn pair(word: Word) -> Option<Memory> {
    let (vector, load) = (word.flag(26), word.flag(22));
    let (transfer, bytes) = match (vector, word.bits(30, 2), load) {
        (_, 3, _) | (false, 1, false) => return None,
        (false, 1, true) => (Transfer::LoadSigned(Width::Whole), 4),
        (true, kind, _) => (plain(load), 4 << kind),
        (false, 0, _) => (plain(load), 4),
        (false, ..) => (plain(load), 8),
    };
    let (rn, offset) = (word.number(5), word.signed(15, 7) * i64::from(bytes));
    // The first kind asks not to keep the bytes in a cache.
    let place = match word.bits(23, 2) {
        0 | 2 => Place::Offset { rn, offset },
        1 => Place::After { rn, offset },
        _ => Place::Before { rn, offset },
    };
    Some(Memory {
        transfer,
        vector,
        bytes: bytes as usize,
        rt: word.number(0),
        rt2: Some(word.number(10)),
        place,
    })
}

fn plain(load: bool) -> Transfer {
    if load {
        Transfer::Load
    } else {
        Transfer::Store
    }
}

/// A transfer of one register; `place` gets its number of bytes.
fn single(word: Word, place: impl FnOnce(i64) -> Option<Place>) -> Option<Memory> {
    let vector = word.flag(26);
    let (transfer, size) = if vector {
        vector_transfer(word)?
    } else {
        general_transfer(word)?
    };
    Some(Memory {
        transfer,
        vector,
        bytes: 1 << size,
        rt: word.number(0),
        rt2: None,
        place: place(1 << size)?,
    })
}

/// The transfer and the binary logarithm of its bytes.
fn vector_transfer(word: Word) -> Option<(Transfer, u32)> {
    let load = plain(word.flag(22));
    match (word.bits(30, 2), word.flag(23)) {
        (0, true) => Some((load, 4)),
        (_, true) => None,
        (size, false) => Some((load, size)),
    }
}

fn general_transfer(word: Word) -> Option<(Transfer, u32)> {
    let size = word.bits(30, 2);
    let transfer = match (word.bits(22, 2), size) {
        (0, _) => Transfer::Store,
        (1, _) => Transfer::Load,
        (2, 3) => Transfer::Prefetch,
        (2, _) => Transfer::LoadSigned(Width::Whole),
        (3, 0 | 1) => Transfer::LoadSigned(Width::Half),
        _ => return None,
    };
    Some((transfer, size))
}

/// An address with a constant; the second kind is for code of the kernel about memory of programs.
fn moving(kind: u32, rn: usize, offset: i64) -> Option<Place> {
    match kind {
        0 => Some(Place::Offset { rn, offset }),
        1 => Some(Place::After { rn, offset }),
        3 => Some(Place::Before { rn, offset }),
        _ => None,
    }
}

fn register(word: Word, bytes: i64) -> Option<Place> {
    let shift = if word.flag(12) {
        bytes.trailing_zeros()
    } else {
        0
    };
    let extend = Extend::of(word, shift);
    // Narrower indices are not encoded.
    (extend.bytes >= 4).then_some(Place::Register {
        rn: word.number(5),
        rm: word.number(16),
        extend,
    })
}
