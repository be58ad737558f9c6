//! `_PyStackRef`: a reference with bits that say what it is (`Include/internal/pycore_stackref.h`).

use crate::address::Address;

/// `Py_TAG_BITS`.
const TAG_BITS: u64 = 3;

/// `Py_TAG_REFCNT`, alone `PyStackRef_NULL_BITS`: the reference does not own its object.
const BORROWED: u64 = 1;

/// `Py_TAG_INVALID`: `PyStackRef_ERROR`, and in debug builds a wrapped pointer (`PyStackRef_Wrap`).
const INVALID: u64 = 2;

/// `Py_INT_TAG`; the number stands above it.
const INT: u64 = 3;

/// What a slot of a frame or a register for stack items holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StackRef {
    /// `PyStackRef_NULL`; also 0, to which slots are cleared.
    Null,
    /// A reference that owns its object.
    Owned(Address),
    /// One that does not: the object is immortal, or something else keeps it alive.
    Borrowed(Address),
    /// A small number, no object.
    Int(i64),
    /// A pointer that is no object's, or the mark of an error.
    Other(Address),
}

impl StackRef {
    /// The meaning of the bits, the same in 3.14 and 3.15. A wrapped pointer of a release build looks like an owned
    /// reference.
    pub fn of_bits(bits: u64) -> StackRef {
        let address = Address(bits & !TAG_BITS);
        match bits & TAG_BITS {
            _ if bits <= BORROWED => StackRef::Null,
            BORROWED => StackRef::Borrowed(address),
            INVALID => StackRef::Other(address),
            // `PyStackRef_UntagInt` shifts the sign along.
            INT => StackRef::Int(bits.cast_signed() >> 2),
            _ => StackRef::Owned(address),
        }
    }

    /// The object, if it is a reference to one.
    pub fn object(self) -> Option<Address> {
        match self {
            StackRef::Owned(address) | StackRef::Borrowed(address) => Some(address),
            StackRef::Null | StackRef::Int(_) | StackRef::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_say_what_it_is() {
        assert_eq!(StackRef::of_bits(0), StackRef::Null);
        assert_eq!(StackRef::of_bits(1), StackRef::Null);
        assert_eq!(StackRef::of_bits(0x7000), StackRef::Owned(Address(0x7000)));
        assert_eq!(StackRef::of_bits(0x7001).object(), Some(Address(0x7000)));
        assert_eq!(StackRef::of_bits(23), StackRef::Int(5));
        assert_eq!(StackRef::of_bits(u64::MAX), StackRef::Int(-1));
        assert_eq!(StackRef::of_bits(0x7002), StackRef::Other(Address(0x7000)));
    }
}
