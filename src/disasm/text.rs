//! The text of a decoded instruction, with room for one number.

use super::flow::Flow;
use super::hex::{push_hex, push_number};
use super::pattern::{Hole, Pattern};

/// How the number of an instruction is meant and written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Number {
    /// There is none; the whole text is in `before`.
    Absent,
    /// An address counted from the instruction: `(value << scale) + bias` bytes further on.
    Relative { scale: u8, bias: u8 },
    /// An address counted from the 4 KiB page of the instruction (`adrp`).
    Page,
    /// As it is.
    Immediate,
    /// ` + 0x10`, ` - 0x10` or nothing: counted from the end of the instruction (`[rip + 0x10]`).
    RipIntel,
    /// `0x10`, `-0x10` or nothing: counted from the end of the instruction (`0x10(%rip)`).
    RipAtt,
}

/// The size of the pages that `adrp` counts in, whatever the pages of the system are.
const ADRP_PAGE: u64 = 4096;

/// The page that an address is on, for `adrp`.
pub(super) fn page(address: u64) -> u64 {
    address & !(ADRP_PAGE - 1)
}

/// One instruction as it was decoded, without its address and without the number in its hole.
#[derive(Debug)]
pub(super) struct Form {
    pub pattern: Pattern,
    pub length: u8,
    pub flow: Flow,
    pub number: Number,
    /// Where the number is; without a hole it is always `constant`.
    pub hole: Option<Hole>,
    pub constant: u64,
    pub mnemonic: Box<str>,
    pub before: Box<str>,
    pub after: Box<str>,
}

impl Form {
    /// Whether the instruction at the beginning of `window`, of which `available` bytes are code, is of this form.
    pub fn fits(&self, window: u128, available: usize) -> bool {
        self.pattern.matches(window) && usize::from(self.length) <= available
    }

    /// The number in the bytes of an instruction of this form.
    pub fn value(&self, window: u128) -> u64 {
        self.hole.map_or(self.constant, |hole| hole.read(window))
    }

    /// The address that the number stands for.
    pub fn resolve(&self, address: u64, value: u64) -> Option<u64> {
        match self.number {
            Number::Absent | Number::Immediate => None,
            Number::Relative { scale, bias } => Some(
                address
                    .wrapping_add(value.wrapping_shl(u32::from(scale)))
                    .wrapping_add(u64::from(bias)),
            ),
            Number::Page => Some(page(address).wrapping_add(value)),
            Number::RipIntel | Number::RipAtt => Some(
                address
                    .wrapping_add(u64::from(self.length))
                    .wrapping_add(value),
            ),
        }
    }

    /// Appends the operands.
    pub fn write_operands(&self, address: u64, value: u64, out: &mut String) {
        out.push_str(&self.before);
        match self.number {
            Number::Absent => return,
            Number::Relative { .. } | Number::Page => {
                push_hex(out, self.resolve(address, value).unwrap_or_default());
            }
            Number::Immediate => push_number(out, value),
            Number::RipIntel => push_signed(out, value.cast_signed(), " + ", " - "),
            Number::RipAtt => push_signed(out, value.cast_signed(), "", "-"),
        }
        out.push_str(&self.after);
    }
}

fn push_signed(out: &mut String, value: i64, plus: &str, minus: &str) {
    if value != 0 {
        out.push_str(if value < 0 { minus } else { plus });
        push_number(out, value.unsigned_abs());
    }
}
