//! Addresses, offsets and indices, each a type of its own so that none is taken for another.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An address in the memory of the target, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub u64);

impl Address {
    /// The null pointer.
    pub const NULL: Address = Address(0);

    /// Whether this is the null pointer.
    pub fn is_null(self) -> bool {
        self.0 == 0
    }

    /// The address `bytes` further on, or `None` past the end of the address space.
    pub fn checked_add(self, bytes: u64) -> Option<Address> {
        self.0.checked_add(bytes).map(Address)
    }

    /// The address `bytes` further on, wrapping like the target's own arithmetic does.
    pub fn wrapping_add(self, bytes: u64) -> Address {
        Address(self.0.wrapping_add(bytes))
    }

    /// How many bytes this address lies behind `base`, or `None` if it lies before it.
    pub fn offset_from(self, base: Address) -> Option<u64> {
        self.0.checked_sub(base.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix("0x")
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(Address)
            .ok_or_else(|| serde::de::Error::custom("an address is written 0x…"))
    }
}

/// A run of bytes in the target: `[start, start + size)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
pub struct Range {
    /// The first byte.
    pub start: Address,
    /// How many bytes; 0 is allowed (a uop without code of its own keeps its place).
    pub size: u64,
}

impl Range {
    /// The range of `size` bytes at `start`.
    pub fn new(start: Address, size: u64) -> Range {
        Range { start, size }
    }

    /// One past the last byte.
    pub fn end(self) -> Address {
        self.start.wrapping_add(self.size)
    }

    /// Whether `address` is one of the bytes.
    pub fn contains(self, address: Address) -> bool {
        address
            .offset_from(self.start)
            .is_some_and(|offset| offset < self.size)
    }
}

/// The position of a uop in the trace of its executor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct UopIndex(pub u32);

impl fmt::Display for UopIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A place in the bytecode of a code object, in bytes from its first instruction (as `dis` prints it).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct BytecodeOffset(pub u32);

impl BytecodeOffset {
    /// The offset of the code unit with this index (`sizeof(_Py_CODEUNIT)` is 2).
    pub fn of_code_unit(index: u32) -> Option<BytecodeOffset> {
        index.checked_mul(2).map(BytecodeOffset)
    }

    /// The index of the code unit at this offset.
    pub fn code_unit(self) -> u32 {
        self.0 / 2
    }
}

impl fmt::Display for BytecodeOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
