//! Where the bits of a bit-field are.

use super::die::Die;
use crate::shape::Bits;

/// The storage of a bit-field and its bits in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BitField {
    /// Bytes from the start of the structure that has the bit-field.
    pub(super) offset: u64,
    /// Bytes.
    pub(super) size: u64,
    pub(super) bits: Bits,
}

/// The place of a bit-field whose declared type has `declared` bytes, in a structure of `whole` bytes.
///
/// `None` if the member is no bit-field or an impossible one.
pub(super) fn bit_field(member: &Die<'_>, declared: u64, whole: u64) -> Option<BitField> {
    let width = member.bit_size?;
    let first = first_bit(member, declared, width)?;
    let (offset, size) =
        declared_storage(first, width, declared, whole).or_else(|| packed_storage(first, width))?;
    let shift = first.checked_sub(offset.checked_mul(8)?)?;
    Some(BitField {
        offset,
        size,
        bits: Bits {
            shift: u8::try_from(shift).ok()?,
            width: u8::try_from(width).ok().filter(|width| *width > 0)?,
        },
    })
}

/// The first bit, counted from the start of the structure, the least significant bit of each byte first.
fn first_bit(member: &Die<'_>, declared: u64, width: u64) -> Option<u64> {
    let start = member.member_offset.unwrap_or(0).checked_mul(8)?;
    match (member.data_bit_offset, member.bit_offset) {
        (Some(first), _) => Some(first),
        // DWARF 2 and 3 count from the most significant bit of a storage unit.
        (None, Some(from_top)) => {
            let storage = member.byte_size.unwrap_or(declared).checked_mul(8)?;
            let below = storage.checked_sub(from_top)?.checked_sub(width)?;
            start.checked_add(below)
        }
        (None, None) => Some(start),
    }
}

/// The aligned word of the declared type, if all bits lie in one and the word in the structure: what C code reads.
fn declared_storage(first: u64, width: u64, declared: u64, whole: u64) -> Option<(u64, u64)> {
    let word = declared.checked_mul(8).filter(|word| *word > 0)?;
    let offset = (first / word).checked_mul(declared)?;
    let fits = (first % word).checked_add(width)? <= word && offset.checked_add(declared)? <= whole;
    fits.then_some((offset, declared))
}

/// The bytes that hold the bits of a packed bit-field.
fn packed_storage(first: u64, width: u64) -> Option<(u64, u64)> {
    let bytes = (first % 8).checked_add(width)?.div_ceil(8);
    (bytes <= 8).then_some((first / 8, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gimli::constants::DW_TAG_member;

    fn member(width: u64) -> Die<'static> {
        Die {
            bit_size: Some(width),
            ..Die::new(DW_TAG_member, false)
        }
    }

    fn modern(width: u64, first: u64) -> Die<'static> {
        Die {
            data_bit_offset: Some(first),
            ..member(width)
        }
    }

    fn place(offset: u64, size: u64, shift: u8, width: u8) -> Option<BitField> {
        Some(BitField {
            offset,
            size,
            bits: Bits { shift, width },
        })
    }

    #[test]
    fn counts_from_the_start_of_the_structure() {
        // _PyExitData of 3.15: u32 target, then u16 index:12, stack_cache:2, is_dynamic:1, is_control_flow:1
        assert_eq!(bit_field(&modern(12, 32), 2, 16), place(4, 2, 0, 12));
        assert_eq!(bit_field(&modern(1, 47), 2, 16), place(4, 2, 15, 1));
    }

    #[test]
    fn counts_from_the_top_of_the_storage_in_old_dwarf() {
        let old = Die {
            member_offset: Some(4),
            byte_size: Some(4),
            bit_offset: Some(17),
            ..member(3)
        };
        assert_eq!(bit_field(&old, 4, 8), place(4, 4, 12, 3));
    }

    #[test]
    fn packed_bits_that_cross_a_word_get_their_bytes() {
        assert_eq!(bit_field(&modern(10, 12), 2, 3), place(1, 2, 4, 10));
    }

    #[test]
    fn a_word_that_leaves_the_structure_is_not_used() {
        assert_eq!(bit_field(&modern(4, 16), 4, 3), place(2, 1, 0, 4));
    }

    #[test]
    fn refuses_the_impossible() {
        assert_eq!(bit_field(&modern(0, 0), 4, 4), None);
        assert_eq!(bit_field(&modern(65, 0), 4, 16), None);
        assert_eq!(bit_field(&modern(u64::MAX, u64::MAX), 4, 16), None);
        let below_zero = Die {
            bit_offset: Some(40),
            ..member(1)
        };
        assert_eq!(bit_field(&below_zero, 4, 4), None);
        assert_eq!(bit_field(&Die::new(DW_TAG_member, false), 4, 4), None);
    }
}
