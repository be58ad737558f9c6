//! Makes DWARF for the tests, by gimli's writer: nothing of it is shared with the reader.

use super::search::Search;
use super::unit::Companions;
use crate::image::section_bytes::SectionBytes;
use crate::image::shape_set::ShapeSet;
use crate::shape::Shape;
use gimli::constants as dw;
use gimli::write::{AttributeValue, Dwarf, EndianVec, Sections, UnitEntryId, UnitId};
use gimli::{DwTag, Encoding, Format, LittleEndian};

/// The sections, as a file would have them.
#[derive(Clone, Default)]
pub(super) struct Made {
    pub(super) info: Vec<u8>,
    pub(super) abbreviations: Vec<u8>,
    pub(super) strings: Vec<u8>,
    pub(super) string_offsets: Vec<u8>,
}

impl Made {
    pub(super) fn read(&self, wanted: &[&str]) -> ShapeSet {
        let companions = Companions {
            abbreviations: &self.abbreviations,
            strings: &self.strings,
            string_offsets: &self.string_offsets,
        };
        Search::new(SectionBytes::plain(&self.info), companions).run(wanted)
    }

    pub(super) fn shape(&self, name: &str) -> Shape {
        let mut found = self.read(&[name]);
        assert!(found.missing.is_empty(), "{:?}", found.missing);
        found.shapes.remove(name).unwrap()
    }

    pub(super) fn reason(&self, name: &str) -> String {
        let found = self.read(&[name]);
        assert!(found.shapes.is_empty(), "{found:?}");
        found.missing[0].reason.clone()
    }
}

/// Writes units.
pub(super) struct Maker {
    pub(super) dwarf: Dwarf,
    encoding: Encoding,
    pub(super) unit: UnitId,
    pub(super) inline_names: bool,
}

pub(super) type Attributes = Vec<(gimli::DwAt, AttributeValue)>;

impl Maker {
    pub(super) fn new() -> Maker {
        Maker::with(5, Format::Dwarf32)
    }

    pub(super) fn with(version: u16, format: Format) -> Maker {
        let encoding = Encoding {
            format,
            version,
            address_size: 8,
        };
        let mut dwarf = Dwarf::new();
        let unit = add_unit(&mut dwarf, encoding);
        Maker {
            dwarf,
            encoding,
            unit,
            inline_names: false,
        }
    }

    pub(super) fn next_unit(&mut self) {
        self.unit = add_unit(&mut self.dwarf, self.encoding);
    }

    pub(super) fn add(
        &mut self,
        parent: UnitEntryId,
        tag: DwTag,
        name: &str,
        more: Attributes,
    ) -> UnitEntryId {
        let text = match self.inline_names {
            true => AttributeValue::String(name.into()),
            false => AttributeValue::StringRef(self.dwarf.strings.add(name)),
        };
        let unit = self.dwarf.units.get_mut(self.unit);
        let id = unit.add(parent, tag);
        let entry = unit.get_mut(id);
        if !name.is_empty() {
            entry.set(dw::DW_AT_name, text);
        }
        for (attribute, value) in more {
            entry.set(attribute, value);
        }
        id
    }

    pub(super) fn top(&mut self, tag: DwTag, name: &str, more: Attributes) -> UnitEntryId {
        let root = self.dwarf.units.get(self.unit).root();
        self.add(root, tag, name, more)
    }

    pub(super) fn base(&mut self, name: &str, size: u64, encoding: gimli::DwAte) -> UnitEntryId {
        let encoding = (dw::DW_AT_encoding, AttributeValue::Encoding(encoding));
        self.top(dw::DW_TAG_base_type, name, vec![bytes(size), encoding])
    }

    pub(super) fn int(&mut self) -> UnitEntryId {
        self.base("int", 4, dw::DW_ATE_signed)
    }

    pub(super) fn aggregate(&mut self, tag: DwTag, name: &str, size: u64) -> UnitEntryId {
        self.top(tag, name, vec![bytes(size)])
    }

    pub(super) fn structure(&mut self, name: &str, size: u64) -> UnitEntryId {
        self.aggregate(dw::DW_TAG_structure_type, name, size)
    }

    pub(super) fn alias(&mut self, tag: DwTag, name: &str, to: UnitEntryId) -> UnitEntryId {
        self.top(tag, name, vec![is(to)])
    }

    pub(super) fn array(&mut self, of: UnitEntryId, dimensions: &[Option<u64>]) -> UnitEntryId {
        let array = self.top(dw::DW_TAG_array_type, "", vec![is(of)]);
        for last in dimensions {
            let bound = last.map(|last| (dw::DW_AT_upper_bound, AttributeValue::Udata(last)));
            self.add(
                array,
                dw::DW_TAG_subrange_type,
                "",
                bound.into_iter().collect(),
            );
        }
        array
    }

    pub(super) fn member(&mut self, of: UnitEntryId, name: &str, offset: u64, what: UnitEntryId) {
        self.add(of, dw::DW_TAG_member, name, vec![at(offset), is(what)]);
    }

    pub(super) fn bits(
        &mut self,
        of: UnitEntryId,
        name: &str,
        first: u64,
        width: u64,
        what: UnitEntryId,
    ) {
        let first = (dw::DW_AT_data_bit_offset, AttributeValue::Udata(first));
        let width = (dw::DW_AT_bit_size, AttributeValue::Udata(width));
        self.add(of, dw::DW_TAG_member, name, vec![is(what), first, width]);
    }

    pub(super) fn finish(mut self) -> Made {
        let mut sections = Sections::new(EndianVec::new(LittleEndian));
        self.dwarf.write(&mut sections).unwrap();
        Made {
            info: sections.debug_info.0.into_vec(),
            abbreviations: sections.debug_abbrev.0.into_vec(),
            strings: sections.debug_str.0.into_vec(),
            string_offsets: Vec::new(),
        }
    }
}

fn add_unit(dwarf: &mut Dwarf, encoding: Encoding) -> UnitId {
    let program = gimli::write::LineProgram::none();
    dwarf.units.add(gimli::write::Unit::new(encoding, program))
}

pub(super) fn bytes(size: u64) -> (gimli::DwAt, AttributeValue) {
    (dw::DW_AT_byte_size, AttributeValue::Udata(size))
}

pub(super) fn at(offset: u64) -> (gimli::DwAt, AttributeValue) {
    (
        dw::DW_AT_data_member_location,
        AttributeValue::Udata(offset),
    )
}

pub(super) fn is(what: UnitEntryId) -> (gimli::DwAt, AttributeValue) {
    (dw::DW_AT_type, AttributeValue::UnitRef(what))
}
