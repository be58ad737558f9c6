//! One entry of `.debug_info`, reduced to the attributes that say how a C type is laid out.

use super::trouble::Trouble;
use gimli::{AttributeValue, DwTag, EndianSlice, LittleEndian, constants as dw};

pub(super) type Reader<'data> = EndianSlice<'data, LittleEndian>;

/// An entry (DIE). Offsets count from the start of `.debug_info`.
#[derive(Clone, Debug)]
pub(super) struct Die<'data> {
    pub(super) tag: DwTag,
    pub(super) has_children: bool,
    /// The offset of the entry behind this one: its first child if it has children.
    pub(super) next: usize,
    /// The offset of the entry behind this one and its children, if the compiler wrote it down.
    pub(super) sibling: Option<usize>,
    pub(super) name: Option<&'data [u8]>,
    /// Where the type is described. Trouble with it matters only to who follows it.
    pub(super) type_at: Result<Option<usize>, Trouble>,
    pub(super) byte_size: Option<u64>,
    pub(super) encoding: Option<u64>,
    pub(super) is_declaration: bool,
    pub(super) member_offset: Option<u64>,
    pub(super) bit_size: Option<u64>,
    /// DWARF 4 and later: bits from the start of the structure, least significant first.
    pub(super) data_bit_offset: Option<u64>,
    /// DWARF 2 and 3: bits from the most significant bit of the storage.
    pub(super) bit_offset: Option<u64>,
    /// Of an array's dimension: how many elements.
    pub(super) count: Option<u64>,
}

impl<'data> Die<'data> {
    pub(super) fn new(tag: DwTag, has_children: bool) -> Die<'data> {
        Die {
            tag,
            has_children,
            next: 0,
            sibling: None,
            name: None,
            type_at: Ok(None),
            byte_size: None,
            encoding: None,
            is_declaration: false,
            member_offset: None,
            bit_size: None,
            data_bit_offset: None,
            bit_offset: None,
            count: None,
        }
    }

    /// Whether this is a structure or union.
    pub(super) fn is_aggregate(&self) -> bool {
        matches!(
            self.tag,
            dw::DW_TAG_structure_type | dw::DW_TAG_union_type | dw::DW_TAG_class_type
        )
    }

    /// Takes over the attributes whose values need neither the strings nor the unit.
    pub(super) fn set_number(&mut self, name: gimli::DwAt, value: AttributeValue<Reader<'data>>) {
        let number = value.udata_value();
        match name {
            dw::DW_AT_byte_size => self.byte_size = number,
            dw::DW_AT_encoding => {
                self.encoding = match value {
                    AttributeValue::Encoding(encoding) => Some(u64::from(encoding.0)),
                    _ => number,
                }
            }
            dw::DW_AT_declaration => {
                self.is_declaration = matches!(value, AttributeValue::Flag(true));
            }
            dw::DW_AT_data_member_location => self.member_offset = number,
            dw::DW_AT_bit_size => self.bit_size = number,
            dw::DW_AT_data_bit_offset => self.data_bit_offset = number,
            dw::DW_AT_bit_offset => self.bit_offset = number,
            dw::DW_AT_count => self.count = number,
            // `[0]` is written as an upper bound of -1 by some compilers, and means the same as none.
            dw::DW_AT_upper_bound => self.count = number.and_then(|last| last.checked_add(1)),
            _ => {}
        }
    }
}

/// The offset that a DWARF 2 location expression adds to the address of the structure.
pub(super) fn member_location(
    expression: gimli::Expression<Reader<'_>>,
    encoding: gimli::Encoding,
) -> Result<u64, Trouble> {
    match expression.operations(encoding).next()? {
        Some(gimli::Operation::PlusConstant { value }) => Ok(value),
        Some(gimli::Operation::UnsignedConstant { value }) => Ok(value),
        _ => Err(Trouble::Unsupported("a member placed by an expression")),
    }
}
