//! The fields of an instruction word.

/// One instruction, as it is in memory.
#[derive(Clone, Copy)]
pub(super) struct Word(pub(super) u32);

impl Word {
    /// The field of `count` bits (1 to 32) from bit `low` on.
    pub(super) const fn bits(self, low: u32, count: u32) -> u32 {
        (self.0 >> low) & (u32::MAX >> (32 - count))
    }

    pub(super) const fn flag(self, bit: u32) -> bool {
        self.bits(bit, 1) == 1
    }

    /// The number of a register in the five bits from `low` on.
    pub(super) const fn number(self, low: u32) -> usize {
        self.bits(low, 5) as usize
    }

    /// The field as a number with a sign.
    pub(super) fn signed(self, low: u32, count: u32) -> i64 {
        sign_extend(u64::from(self.bits(low, count)), count)
    }

    /// The distance of a branch, which counts instructions.
    pub(super) fn distance(self, low: u32, count: u32) -> i64 {
        self.signed(low, count) * 4
    }
}

/// The lowest `count` bits (1 to 64), with their sign.
pub(in super::super) const fn sign_extend(value: u64, count: u32) -> i64 {
    (value << (64 - count)).cast_signed() >> (64 - count)
}

/// The bits that all instructions of a class have in common.
#[derive(Clone, Copy)]
pub(super) struct Class {
    mask: u32,
    value: u32,
}

impl Class {
    /// From 32 characters, as the architecture's manual draws an encoding: `0` and `1`, and `.` for a bit of a field.
    /// Spaces count for nothing.
    pub(super) const fn of(encoding: &str) -> Self {
        let mut rest = encoding.as_bytes();
        let mut class = Self { mask: 0, value: 0 };
        while let Some((character, more)) = rest.split_first() {
            let (fixed, set) = (*character != b'.', *character == b'1');
            if *character != b' ' {
                class.mask = class.mask << 1 | fixed as u32;
                class.value = class.value << 1 | set as u32;
            }
            rest = more;
        }
        class
    }

    pub(super) const fn has(self, word: Word) -> bool {
        word.0 & self.mask == self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let word = Word(0xf81f_0fe1);
        assert_eq!((word.number(0), word.number(5)), (1, 31));
        assert_eq!(word.signed(12, 9), -16);
        assert_eq!(word.bits(0, 32), 0xf81f_0fe1);
        assert_eq!(Word(0x17ff_ffff).distance(0, 26), -4);
    }

    #[test]
    fn classes() {
        let class = Class::of("1111 .... 0000 0000 0000 0000 0000 0001");
        assert!(class.has(Word(0xf500_0001)));
        assert!(!class.has(Word(0xf500_0000)) && !class.has(Word(0x7500_0001)));
    }
}
