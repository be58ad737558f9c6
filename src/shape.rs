//! Where the fields of a C structure are: plain data, found by the layers above.

use crate::error::Error;
use serde::{Deserialize, Serialize};

/// A field of a [`Shape`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Field {
    /// The path from the structure, through nested structures, with dots: `vm_data.links.next`. Members of
    /// anonymous structures and unions have no step of their own, as in C.
    pub name: String,
    /// Bytes from the start of the structure.
    pub offset: u64,
    /// Bytes; of an array, all of it; 0 for a flexible array member (`exits[]`).
    pub size: u64,
    /// For a bit-field, which bits of the little-endian word of `size` bytes at `offset`.
    pub bits: Option<Bits>,
    /// For an array, the size of one element in bytes.
    pub element: Option<u64>,
    /// Whether the value is a signed integer.
    pub signed: bool,
}

/// The bits of a bit-field within its storage, counted from the least significant one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Bits {
    /// The lowest bit.
    pub shift: u8,
    /// How many bits.
    pub width: u8,
}

impl Field {
    /// The value of this field as an unsigned number, from the bytes of the whole structure.
    ///
    /// `None` if the field is no integer of at most 8 bytes or lies outside `bytes`.
    pub fn unsigned(&self, bytes: &[u8]) -> Option<u64> {
        let start = usize::try_from(self.offset).ok()?;
        let size = usize::try_from(self.size).ok()?;
        if size == 0 || size > 8 {
            return None;
        }
        let mut word = [0; 8];
        word.get_mut(..size)?
            .copy_from_slice(bytes.get(start..start.checked_add(size)?)?);
        let value = u64::from_le_bytes(word);
        Some(match self.bits {
            Some(bits) => (value >> bits.shift.min(63)) & low_bits(bits.width),
            None => value,
        })
    }

    /// The value of this field as a signed number, from the bytes of the whole structure.
    pub fn signed(&self, bytes: &[u8]) -> Option<i64> {
        let value = self.unsigned(bytes)?;
        let width = match self.bits {
            Some(bits) => u32::from(bits.width),
            None => u32::try_from(self.size).ok()?.checked_mul(8)?,
        };
        let unused = 64u32.checked_sub(width)?;
        Some((value << unused.min(63)).cast_signed() >> unused.min(63))
    }
}

fn low_bits(width: u8) -> u64 {
    if width >= 64 {
        u64::MAX
    } else {
        (1 << width) - 1
    }
}

/// The layout of one C structure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shape {
    /// The name that CPython's source uses, without `struct`.
    pub name: String,
    /// `sizeof`, in bytes.
    pub size: u64,
    /// The fields, nested ones included, by ascending offset.
    pub fields: Vec<Field>,
}

impl Shape {
    /// The field with this dotted name.
    pub fn find(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field with this dotted name, or an error that names structure and field.
    pub fn field(&self, name: &str) -> Result<&Field, Error> {
        self.find(name).ok_or_else(|| Error::NoField {
            shape: self.name.clone(),
            field: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(offset: u64, size: u64, bits: Option<Bits>) -> Field {
        Field {
            name: "f".to_owned(),
            offset,
            size,
            bits,
            element: None,
            signed: false,
        }
    }

    #[test]
    fn reads_integers_of_each_size() {
        let bytes = [0x01, 0x82, 0x03, 0x04, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(field(0, 2, None).unsigned(&bytes), Some(0x8201));
        assert_eq!(field(0, 2, None).signed(&bytes), Some(-32255));
        assert_eq!(field(4, 4, None).signed(&bytes), Some(-1));
        assert_eq!(
            field(0, 8, None).unsigned(&bytes),
            Some(0xffff_ffff_0403_8201)
        );
    }

    #[test]
    fn reads_bit_fields() {
        // _PyUOpInstruction: opcode:15, format:1
        let bytes = [0x34, 0x92];
        let bits = |shift, width| Some(Bits { shift, width });
        assert_eq!(field(0, 2, bits(0, 15)).unsigned(&bytes), Some(0x1234));
        assert_eq!(field(0, 2, bits(15, 1)).unsigned(&bytes), Some(1));
    }

    #[test]
    fn refuses_what_is_not_there() {
        assert_eq!(field(6, 4, None).unsigned(&[0; 8]), None);
        assert_eq!(field(u64::MAX, 8, None).unsigned(&[0; 8]), None);
        assert_eq!(field(0, 0, None).unsigned(&[0; 8]), None);
    }
}
