//! Bytes as a row of choices; zeros once they are used up, so that any prefix means something.

/// What is left of the bytes.
pub struct Choices<'b> {
    bytes: &'b [u8],
}

impl<'b> Choices<'b> {
    pub fn new(bytes: &'b [u8]) -> Choices<'b> {
        Choices { bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn rest(&self) -> &'b [u8] {
        self.bytes
    }

    /// The next bytes, fewer at the end.
    pub fn take(&mut self, count: usize) -> &'b [u8] {
        let (taken, rest) = self.bytes.split_at(count.min(self.bytes.len()));
        self.bytes = rest;
        taken
    }

    pub fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    pub fn u64(&mut self) -> u64 {
        let mut word = [0; 8];
        let taken = self.take(8);
        word[..taken.len()].copy_from_slice(taken);
        u64::from_le_bytes(word)
    }

    /// One of these.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::from(self.u16()) % of.len()]
    }
}

/// A deterministic source of bytes (xorshift64*): the same seed, the same bytes, everywhere.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        // The state must not be zero, and close seeds shall differ at once.
        Dice((seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below `limit`, which is not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.roll() >> 16) as usize % limit
    }

    /// Bytes by chance, seldom many.
    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most) >> self.below(6);
        (0..length).map(|_| self.roll() as u8).collect()
    }

    /// The same bytes with a few changes: bytes, bits, words that are often wrong, pieces left out or doubled.
    pub fn vary(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len().max(1));
            match self.below(6) {
                _ if bytes.is_empty() => bytes = self.bytes(64),
                0 => bytes[at] = self.roll() as u8,
                1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at),
                3 => {
                    let word = INTERESTING[self.below(INTERESTING.len())].to_le_bytes();
                    let length = (1 << self.below(4)).min(bytes.len() - at);
                    bytes[at..at + length].copy_from_slice(&word[..length]);
                }
                4 => {
                    let end = (at + self.below(16)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let more = self.bytes(32);
                    bytes.splice(at..at, more);
                }
            }
        }
        bytes
    }
}

/// Numbers at which lengths, counts and indices go wrong.
pub const INTERESTING: [u64; 16] = [
    0,
    1,
    2,
    7,
    0x7f,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];
