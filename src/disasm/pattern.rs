//! Recognising an instruction by its bytes, and reading the number that the JIT patched into it.

/// The bytes that are compared at once; no instruction of either architecture is longer than 15.
pub(super) const WINDOW: usize = 16;

/// The next bytes of the code, zeros past its end.
pub(super) fn window(code: &[u8]) -> u128 {
    if let Some(bytes) = code.first_chunk::<WINDOW>() {
        return u128::from_le_bytes(*bytes);
    }
    let mut bytes = [0; WINDOW];
    for (to, from) in bytes.iter_mut().zip(code) {
        *to = *from;
    }
    u128::from_le_bytes(bytes)
}

/// The bits of an instruction that hold a number, counted from the lowest bit of its first byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hole {
    pub shift: u8,
    pub width: u8,
    pub signed: bool,
}

impl Hole {
    fn ones(self) -> u128 {
        match self.width {
            64.. => u128::from(u64::MAX),
            width => (1 << width) - 1,
        }
    }

    fn mask(self) -> u128 {
        self.ones() << self.shift.min(127)
    }

    /// The number in an instruction, sign-extended if it has a sign.
    pub fn read(self, window: u128) -> u64 {
        let low = (window >> self.shift.min(127)) & self.ones();
        // `ones` has 64 bits at most.
        #[allow(clippy::cast_possible_truncation)]
        let value = low as u64;
        let unused = 64 - u32::from(self.width.clamp(1, 64));
        if self.signed {
            ((value << unused).cast_signed() >> unused).cast_unsigned()
        } else {
            value
        }
    }

    /// The instruction with another number in it.
    pub fn patch(self, window: u128, value: u64) -> u128 {
        (window & !self.mask()) | ((u128::from(value) & self.ones()) << self.shift.min(127))
    }
}

/// What the bytes of an instruction must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    bits: u128,
    mask: u128,
}

impl Pattern {
    /// Matches nothing: for what holds only for the bytes and the address it was decoded at.
    pub const NEVER: Pattern = Pattern { bits: 1, mask: 0 };

    /// Matches the first `length` bytes of `window`, whatever is in the hole.
    pub fn new(window: u128, length: u8, hole: Option<Hole>) -> Pattern {
        let bits = u32::from(length.min(15)) * 8;
        let mask = ((1u128 << bits) - 1) & !hole.map_or(0, Hole::mask);
        Pattern {
            bits: window & mask,
            mask,
        }
    }

    /// Whether these are the bytes.
    pub fn matches(&self, window: u128) -> bool {
        window & self.mask == self.bits
    }

    /// Whether all of these bits of the first four bytes are compared.
    pub fn covers(&self, bits: u32) -> bool {
        u128::from(bits) & !self.mask == 0
    }

    /// Whether this pattern can match at all.
    pub fn is_reusable(&self) -> bool {
        self.mask != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLE: Hole = Hole {
        shift: 8,
        width: 32,
        signed: true,
    };

    #[test]
    fn a_hole_is_read_patched_and_ignored() {
        let call = window(&[0xe8, 0xfe, 0xff, 0xff, 0xff]);
        assert_eq!(HOLE.read(call), u64::MAX - 1);
        assert_eq!(HOLE.patch(call, 0x1234), window(&[0xe8, 0x34, 0x12]));
        let pattern = Pattern::new(call, 5, Some(HOLE));
        assert!(pattern.matches(window(&[0xe8, 1, 2, 3, 4, 0x90])));
        assert!(!pattern.matches(window(&[0xe9, 1, 2, 3, 4, 0x90])));
    }

    #[test]
    fn never_matches_never() {
        assert!(!Pattern::NEVER.matches(0));
        assert!(!Pattern::NEVER.matches(1));
        assert!(!Pattern::NEVER.is_reusable());
    }

    #[test]
    fn an_instruction_of_64_bits_keeps_all_of_them() {
        let hole = Hole {
            shift: 16,
            width: 64,
            signed: false,
        };
        let mov = hole.patch(0xb848, 0xfedc_ba98_7654_3210);
        assert_eq!(hole.read(mov), 0xfedc_ba98_7654_3210);
        assert!(Pattern::new(mov, 10, Some(hole)).matches(0xb848));
    }
}
