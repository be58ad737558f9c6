//! Flags, and the arithmetic that sets them.

use super::instruction::{Arithmetic, Condition, Shift};

/// The flags that conditions ask for. Parity is none of them: no emitter asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    zero: bool,
    sign: bool,
    carry: bool,
    overflow: bool,
}

/// The bits of a number of `width` bytes.
pub fn mask(width: u8) -> u64 {
    match width {
        1 => 0xff,
        2 => 0xffff,
        4 => 0xffff_ffff,
        _ => u64::MAX,
    }
}

/// The number in the lowest `width` bytes, its sign extended.
pub fn signed(number: u64, width: u8) -> i64 {
    let unused = 64u32.saturating_sub(8 * u32::from(width)).min(63);
    (number << unused).cast_signed() >> unused
}

impl Flags {
    fn of(result: u64, width: u8) -> Flags {
        Flags {
            zero: result & mask(width) == 0,
            sign: signed(result, width) < 0,
            ..Flags::default()
        }
    }

    /// Whether a condition holds.
    pub fn holds(self, condition: Condition) -> bool {
        let (pair, negated) = condition.parts();
        let less = self.sign != self.overflow;
        let holds = match pair {
            0 => self.overflow,
            1 => self.carry,
            2 => self.zero,
            3 => self.carry || self.zero,
            4 => self.sign,
            6 => less,
            _ => self.zero || less,
        };
        holds != negated
    }

    /// The result of an operation on two numbers of `width` bytes.
    pub fn arithmetic(&mut self, what: Arithmetic, left: u64, right: u64, width: u8) -> u64 {
        use Arithmetic::{Add, And, Compare, Or, Subtract, Test, Xor};
        let result = mask(width)
            & match what {
                Add => left.wrapping_add(right),
                Subtract | Compare => left.wrapping_sub(right),
                And | Test => left & right,
                Or => left | right,
                Xor => left ^ right,
            };
        *self = Flags::of(result, width);
        match what {
            Add => {
                self.carry = result < left;
                self.overflow = signed((left ^ result) & (right ^ result), width) < 0;
            }
            Subtract | Compare => {
                self.carry = left < right;
                self.overflow = signed((left ^ right) & (left ^ result), width) < 0;
            }
            _ => {}
        }
        result
    }

    /// One more or, with `down`, one less: the carry stays.
    pub fn step(&mut self, number: u64, down: bool, width: u8) -> u64 {
        let carry = self.carry;
        let what = match down {
            true => Arithmetic::Subtract,
            false => Arithmetic::Add,
        };
        let result = self.arithmetic(what, number, 1, width);
        self.carry = carry;
        result
    }

    /// The negative.
    pub fn negate(&mut self, number: u64, width: u8) -> u64 {
        self.arithmetic(Arithmetic::Subtract, 0, number, width)
    }

    /// A shift by so many bits. The carry is the last bit that went out; the overflow, which is defined for shifts by
    /// one only and which no compiler asks for, is left clear.
    pub fn shift(&mut self, what: Shift, number: u64, by: u64, width: u8) -> u64 {
        let by = u32::try_from(by & if width == 8 { 63 } else { 31 }).unwrap_or(0);
        if by == 0 {
            return number;
        }
        let bits = 8 * u32::from(width);
        let (result, out) = match what {
            Shift::Left => (
                number << by,
                bits.checked_sub(by).map_or(0, |low| number >> low),
            ),
            Shift::Right => (number >> by, number >> (by - 1)),
            Shift::Arithmetic => {
                let number = signed(number, width);
                (
                    (number >> by).cast_unsigned(),
                    (number >> (by - 1)).cast_unsigned(),
                )
            }
        };
        let result = result & mask(width);
        *self = Flags::of(result, width);
        self.carry = out & 1 == 1;
        result
    }
}
