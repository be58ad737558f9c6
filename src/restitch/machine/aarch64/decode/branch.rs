//! Branches, and hints, which are encoded beside them.

use super::operation::{Condition, Width};
use super::word::{Class, Word};

/// An instruction that says where to go on. Distances count from the instruction itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in super::super) enum Branch {
    /// `b` and `bl`.
    Jump { link: bool, distance: i64 },
    /// `b.eq` and so on.
    Conditional { condition: Condition, distance: i64 },
    /// `cbz` and `cbnz`.
    Zero {
        width: Width,
        rt: usize,
        taken_if_zero: bool,
        distance: i64,
    },
    /// `tbz` and `tbnz`.
    Bit {
        rt: usize,
        bit: u32,
        taken_if_set: bool,
        distance: i64,
    },
    /// `br`, `blr`, `ret`.
    Register { link: bool, rn: usize },
    /// A hint. Those that sign return addresses too: what is signed here would be checked here.
    Nothing,
}

/// The link register.
const LINK: usize = 30;

const JUMP: Class = Class::of(".00101.. ........ ........ ........");
const CONDITIONAL: Class = Class::of("01010100 ........ ........ ...0....");
const ZERO: Class = Class::of(".011010. ........ ........ ........");
const BIT: Class = Class::of(".011011. ........ ........ ........");
const HINT: Class = Class::of("11010101 00000011 0010.... ...11111");
const REGISTER: Class = Class::of("11010110 0..11111 000000.. ...00000");
const CHECKED_RETURN: Class = Class::of("11010110 01011111 00001.11 11111111");

pub(super) fn decode(word: Word) -> Option<Branch> {
    match word {
        _ if JUMP.has(word) => Some(Branch::Jump {
            link: word.flag(31),
            distance: word.distance(0, 26),
        }),
        _ if CONDITIONAL.has(word) => Some(Branch::Conditional {
            condition: Condition(word.bits(0, 4)),
            distance: word.distance(5, 19),
        }),
        _ if ZERO.has(word) => Some(zero(word)),
        _ if BIT.has(word) => Some(bit(word)),
        _ if HINT.has(word) => Some(Branch::Nothing),
        _ if REGISTER.has(word) => register(word),
        _ if CHECKED_RETURN.has(word) => Some(Branch::Register {
            link: false,
            rn: LINK,
        }),
        _ => None,
    }
}

fn zero(word: Word) -> Branch {
    Branch::Zero {
        width: Width::of(word),
        rt: word.number(0),
        taken_if_zero: !word.flag(24),
        distance: word.distance(5, 19),
    }
}

fn bit(word: Word) -> Branch {
    Branch::Bit {
        rt: word.number(0),
        bit: word.bits(31, 1) << 5 | word.bits(19, 5),
        taken_if_set: word.flag(24),
        distance: word.distance(5, 14),
    }
}

fn register(word: Word) -> Option<Branch> {
    let link = match word.bits(21, 2) {
        0 | 2 => false,
        1 => true,
        _ => return None,
    };
    Some(Branch::Register {
        link,
        rn: word.number(5),
    })
}
