//! The condition flags, and the additions that set them.

use super::decode::{Condition, Width};

/// N, Z, C and V.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Flags {
    pub negative: bool,
    pub zero: bool,
    pub carry: bool,
    pub overflow: bool,
}

impl Flags {
    /// From the four bits of a conditional comparison.
    pub fn of(bits: u32) -> Self {
        Self {
            negative: bits & 8 != 0,
            zero: bits & 4 != 0,
            carry: bits & 2 != 0,
            overflow: bits & 1 != 0,
        }
    }

    /// Those of a result of an operation on bits.
    pub fn of_result(value: u64, width: Width) -> Self {
        Self {
            negative: is_negative(value, width),
            zero: width.cut(value) == 0,
            ..Self::default()
        }
    }

    /// Whether a condition holds.
    pub fn hold(self, condition: Condition) -> bool {
        let same_sign = self.negative == self.overflow;
        let holds = match condition.0 >> 1 {
            0 => self.zero,
            1 => self.carry,
            2 => self.negative,
            3 => self.overflow,
            4 => self.carry && !self.zero,
            5 => same_sign,
            6 => same_sign && !self.zero,
            // Always, turned around or not.
            _ => return true,
        };
        holds != (condition.0 & 1 == 1)
    }
}

fn is_negative(value: u64, width: Width) -> bool {
    value >> (width.bits() - 1) & 1 == 1
}

/// The sum or difference and its flags.
pub(super) fn add(left: u64, right: u64, subtract: bool, width: Width) -> (u64, Flags) {
    let (left, right) = (width.cut(left), width.cut(right));
    // A difference is a sum with the complement and a carry.
    let right = if subtract { width.cut(!right) } else { right };
    let sum = u128::from(left) + u128::from(right) + u128::from(subtract);
    let value = width.cut(left.wrapping_add(right).wrapping_add(u64::from(subtract)));
    let flags = Flags {
        carry: sum >> width.bits() != 0,
        overflow: is_negative((left ^ value) & (right ^ value), width),
        ..Flags::of_result(value, width)
    };
    (value, flags)
}
