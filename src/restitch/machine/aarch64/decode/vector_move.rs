//! Moves of elements: within vectors and between vectors and general registers.

use super::register::Operands;
use super::vector::{Lanes, whole};
use super::word::{Class, Word};

/// An instruction that moves elements.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) enum Move {
    /// `fmov` and `ins`: a general register into an element.
    In {
        rd: usize,
        rn: usize,
        element: Element,
        /// The other elements stay; otherwise they become zero.
        keep: bool,
    },
    /// `fmov` and `umov`: an element into a general register, the rest of which becomes zero.
    Out {
        rd: usize,
        rn: usize,
        element: Element,
    },
    /// `fmov` between vectors, and `dup` of one element: the rest becomes zero.
    Alone {
        rd: usize,
        rn: usize,
        element: Element,
    },
    /// `dup`: the lowest bytes of a general register in each element.
    Spread { rd: usize, rn: usize, lanes: Lanes },
    /// `dup`: an element in each element.
    SpreadElement {
        rd: usize,
        rn: usize,
        element: Element,
        lanes: Lanes,
    },
    /// `ins`: an element into an element.
    Insert {
        rd: usize,
        rn: usize,
        to: Element,
        from: Element,
    },
    /// `zip1`, `zip2`, `uzp1`, `uzp2`.
    Permute {
        operands: Operands,
        lanes: Lanes,
        /// `zip` takes turns; `uzp` takes every other one.
        zip: bool,
        /// From the upper half, or the odd ones.
        second: bool,
    },
}

/// One element of a vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Element {
    pub size: usize,
    pub index: usize,
}

impl Element {
    const fn first(size: usize) -> Self {
        Self { size, index: 0 }
    }

    /// From the five bits of which the lowest that is set tells the size.
    fn of(word: Word) -> Option<Self> {
        let number = word.bits(16, 5);
        let size = number.trailing_zeros();
        (size <= 3).then(|| Self {
            size: 1 << size,
            index: (number >> (size + 1)) as usize,
        })
    }

    /// Where it begins.
    pub(in super::super) fn start(self) -> usize {
        self.index * self.size
    }
}

const IN_4: Class = Class::of("00011110 00100111 000000.. ........");
const IN_8: Class = Class::of("10011110 01100111 000000.. ........");
const IN_UPPER: Class = Class::of("10011110 10101111 000000.. ........");
const OUT_4: Class = Class::of("00011110 00100110 000000.. ........");
const OUT_8: Class = Class::of("10011110 01100110 000000.. ........");
const OUT_UPPER: Class = Class::of("10011110 10101110 000000.. ........");
const ALONE: Class = Class::of("00011110 0.100000 010000.. ........");
const SPREAD: Class = Class::of("0.001110 000..... 000011.. ........");
const SPREAD_ELEMENT: Class = Class::of("0.001110 000..... 000001.. ........");
const ELEMENT_ALONE: Class = Class::of("01011110 000..... 000001.. ........");
const OUT: Class = Class::of("0.001110 000..... 001111.. ........");
const IN: Class = Class::of("01001110 000..... 000111.. ........");
const INSERT: Class = Class::of("01101110 000..... 0....1.. ........");
const UNZIP: Class = Class::of("0.001110 ..0..... 0.0110.. ........");
const ZIP: Class = Class::of("0.001110 ..0..... 0.1110.. ........");

const UPPER: Element = Element { size: 8, index: 1 };

pub(super) fn decode(word: Word) -> Option<Move> {
    match word {
        _ if IN_4.has(word) => Some(into(word, Element::first(4), false)),
        _ if IN_8.has(word) => Some(into(word, Element::first(8), false)),
        _ if IN_UPPER.has(word) => Some(into(word, UPPER, true)),
        _ if OUT_4.has(word) => Some(out(word, Element::first(4))),
        _ if OUT_8.has(word) => Some(out(word, Element::first(8))),
        _ if OUT_UPPER.has(word) => Some(out(word, UPPER)),
        _ if ALONE.has(word) => Some(alone(word, Element::first(4 << word.bits(22, 1)))),
        _ => among_elements(word),
    }
}

fn among_elements(word: Word) -> Option<Move> {
    match word {
        _ if SPREAD.has(word) => spread(word),
        _ if SPREAD_ELEMENT.has(word) => spread_element(word),
        _ if ELEMENT_ALONE.has(word) => Some(alone(word, Element::of(word)?)),
        _ if OUT.has(word) => {
            let element = Element::of(word)?;
            (whole(word) == (element.size == 8)).then(|| out(word, element))
        }
        _ if IN.has(word) => Some(into(word, Element::of(word)?, true)),
        _ if INSERT.has(word) => insert(word),
        _ if UNZIP.has(word) => permute(word, false),
        _ if ZIP.has(word) => permute(word, true),
        _ => None,
    }
}

fn into(word: Word, element: Element, keep: bool) -> Move {
    Move::In {
        rd: word.number(0),
        rn: word.number(5),
        element,
        keep,
    }
}

fn out(word: Word, element: Element) -> Move {
    Move::Out {
        rd: word.number(0),
        rn: word.number(5),
        element,
    }
}

fn alone(word: Word, element: Element) -> Move {
    Move::Alone {
        rd: word.number(0),
        rn: word.number(5),
        element,
    }
}

/// Elements of this size, if that makes a vector.
fn lanes(size: usize, word: Word) -> Option<Lanes> {
    let lanes = Lanes::new(size, whole(word));
    (lanes.count > 1).then_some(lanes)
}

fn spread(word: Word) -> Option<Move> {
    Some(Move::Spread {
        rd: word.number(0),
        rn: word.number(5),
        lanes: lanes(Element::of(word)?.size, word)?,
    })
}

fn spread_element(word: Word) -> Option<Move> {
    let element = Element::of(word)?;
    Some(Move::SpreadElement {
        rd: word.number(0),
        rn: word.number(5),
        element,
        lanes: lanes(element.size, word)?,
    })
}

fn insert(word: Word) -> Option<Move> {
    let to = Element::of(word)?;
    let from = Element {
        size: to.size,
        index: word.bits(11, 4) as usize / to.size,
    };
    Some(Move::Insert {
        rd: word.number(0),
        rn: word.number(5),
        to,
        from,
    })
}

fn permute(word: Word, zip: bool) -> Option<Move> {
    Some(Move::Permute {
        operands: Operands::of(word),
        lanes: lanes(1 << word.bits(22, 2), word)?,
        zip,
        second: word.flag(14),
    })
}
