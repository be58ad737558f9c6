//! Attributes of debugging information entries.

use super::files::clean;
use gimli::constants::*;
use gimli::write::{Address, AttributeValue, Unit, UnitEntryId};

/// Declares a structure that is described elsewhere.
pub fn declare(unit: &mut Unit, parent: UnitEntryId, name: &str) -> UnitEntryId {
    let entry = unit.add(parent, DW_TAG_structure_type);
    set(unit, entry, DW_AT_name, string(name));
    set(unit, entry, DW_AT_declaration, AttributeValue::Flag(true));
    entry
}

/// The type of pointers to another.
pub fn pointer_to(unit: &mut Unit, parent: UnitEntryId, kind: UnitEntryId) -> UnitEntryId {
    let entry = unit.add(parent, DW_TAG_pointer_type);
    set(unit, entry, DW_AT_byte_size, AttributeValue::Data1(8));
    set(unit, entry, DW_AT_type, AttributeValue::UnitRef(kind));
    entry
}

/// Which code an entry is about.
pub fn set_range(unit: &mut Unit, entry: UnitEntryId, start: u64, size: u64) {
    set(unit, entry, DW_AT_low_pc, address(start));
    set(unit, entry, DW_AT_high_pc, AttributeValue::Udata(size));
}

/// An address in the target.
pub fn address(at: u64) -> AttributeValue {
    AttributeValue::Address(Address::Constant(at))
}

/// Text.
pub fn string(text: &str) -> AttributeValue {
    AttributeValue::String(clean(text))
}

/// Gives an entry an attribute.
pub fn set(unit: &mut Unit, entry: UnitEntryId, name: DwAt, value: AttributeValue) {
    unit.get_mut(entry).set(name, value);
}
