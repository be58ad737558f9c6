//! A unit of `.debug_info`: reads its entries.

use super::die::{Die, Reader, member_location};
use super::trouble::Trouble;
use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugInfo, DebugInfoOffset, DebugStr,
    DebugStrOffsets, DebugStrOffsetsBase, EntriesRaw, LittleEndian, UnitHeader, UnitOffset,
    constants as dw,
};

/// The sections that the entries refer to, uncompressed.
#[derive(Clone, Copy, Default)]
pub(super) struct Companions<'data> {
    pub(super) abbreviations: &'data [u8],
    pub(super) strings: &'data [u8],
    pub(super) string_offsets: &'data [u8],
}

/// One unit.
pub(super) struct Unit<'data> {
    start: usize,
    header: UnitHeader<Reader<'data>>,
    abbreviations: Abbreviations,
    companions: Companions<'data>,
    string_offsets_base: DebugStrOffsetsBase<usize>,
}

impl<'data> Unit<'data> {
    /// The unit whose header is at `start` of `info`.
    pub(super) fn parse(
        info: &'data [u8],
        companions: Companions<'data>,
        start: usize,
    ) -> Result<Unit<'data>, Trouble> {
        let header =
            DebugInfo::new(info, LittleEndian).header_from_offset(DebugInfoOffset(start))?;
        let abbreviations =
            header.abbreviations(&DebugAbbrev::new(companions.abbreviations, LittleEndian))?;
        let mut unit = Unit {
            start,
            string_offsets_base: DebugStrOffsetsBase::default_for_encoding_and_file(
                header.encoding(),
                gimli::DwarfFileType::Main,
            ),
            header,
            abbreviations,
            companions,
        };
        unit.string_offsets_base = unit.find_string_offsets_base()?;
        Ok(unit)
    }

    /// The offset of the unit's own entry.
    pub(super) fn root(&self) -> usize {
        self.start.saturating_add(self.header.root_offset().0)
    }

    /// How many bytes a pointer has.
    pub(super) fn pointer_size(&self) -> u64 {
        u64::from(self.header.address_size())
    }

    /// The entry at this offset of `.debug_info`, or `None` for the mark that ends a list of children.
    pub(super) fn die(&self, at: usize) -> Result<Option<Die<'data>>, Trouble> {
        self.die_if(at, |_| true)
    }

    /// Like [`Unit::die`], but leaves all attributes out of an entry without children whose tag is not `wanted`.
    pub(super) fn die_if(
        &self,
        at: usize,
        wanted: impl Fn(gimli::DwTag) -> bool,
    ) -> Result<Option<Die<'data>>, Trouble> {
        let mut entries = self.entries(at)?;
        let Some(abbreviation) = entries.read_abbreviation()? else {
            return Ok(None);
        };
        let mut die = Die::new(abbreviation.tag(), abbreviation.has_children());
        if die.has_children || wanted(die.tag) {
            for specification in abbreviation.attributes() {
                let attribute = entries.read_attribute_inline(*specification)?;
                self.set(&mut die, attribute.name(), attribute.value())?;
            }
        } else {
            entries.skip_attributes(abbreviation.attributes())?;
        }
        die.next = self.start.saturating_add(entries.next_offset().0);
        Ok(Some(die))
    }

    /// The offset of the entry behind `die` and all its children.
    pub(super) fn behind(&self, die: &Die<'data>) -> Result<usize, Trouble> {
        if !die.has_children {
            return Ok(die.next);
        }
        // An offset that leads backwards would never end.
        match die.sibling {
            Some(sibling) if sibling > die.next => Ok(sibling),
            _ => self.skip_children(die.next),
        }
    }

    fn skip_children(&self, first: usize) -> Result<usize, Trouble> {
        let mut entries = self.entries(first)?;
        loop {
            if let Some(abbreviation) = entries.read_abbreviation()? {
                entries.skip_attributes(abbreviation.attributes())?;
            }
            if entries.next_depth() < 0 {
                return Ok(self.start.saturating_add(entries.next_offset().0));
            }
        }
    }

    fn entries(&self, at: usize) -> Result<EntriesRaw<'_, Reader<'data>>, Trouble> {
        let within = UnitOffset(at.checked_sub(self.start).ok_or(Trouble::NotReady)?);
        Ok(self.header.entries_raw(&self.abbreviations, Some(within))?)
    }

    fn set(
        &self,
        die: &mut Die<'data>,
        name: gimli::DwAt,
        value: AttributeValue<Reader<'data>>,
    ) -> Result<(), Trouble> {
        match name {
            dw::DW_AT_name => die.name = self.string(value)?,
            dw::DW_AT_type => die.type_at = self.reference(value).map(Some),
            dw::DW_AT_sibling => die.sibling = self.reference(value).ok(),
            dw::DW_AT_data_member_location => {
                die.member_offset = match value {
                    AttributeValue::Exprloc(expression) => {
                        Some(member_location(expression, self.header.encoding())?)
                    }
                    _ => value.udata_value(),
                };
            }
            _ => die.set_number(name, value),
        }
        Ok(())
    }

    fn string(&self, value: AttributeValue<Reader<'data>>) -> Result<Option<&'data [u8]>, Trouble> {
        let strings = DebugStr::new(self.companions.strings, LittleEndian);
        Ok(match value {
            AttributeValue::String(text) => Some(text.slice()),
            AttributeValue::DebugStrRef(offset) => Some(strings.get_str(offset)?.slice()),
            AttributeValue::DebugStrOffsetsIndex(index) => {
                let offsets = DebugStrOffsets::from(Reader::new(
                    self.companions.string_offsets,
                    LittleEndian,
                ));
                let format = self.header.format();
                let offset = offsets.get_str_offset(format, self.string_offsets_base, index)?;
                Some(strings.get_str(offset)?.slice())
            }
            // A string in a dwz supplementary file: the entry counts as one without a name.
            _ => None,
        })
    }

    fn reference(&self, value: AttributeValue<Reader<'data>>) -> Result<usize, Trouble> {
        match value {
            AttributeValue::UnitRef(offset) => Ok(self.start.saturating_add(offset.0)),
            AttributeValue::DebugInfoRef(offset) => Ok(offset.0),
            AttributeValue::DebugInfoRefSup(_) => {
                Err(Trouble::Unsupported("a type in a supplementary file (dwz)"))
            }
            AttributeValue::DebugTypesRef(_) => Err(Trouble::Unsupported("a type unit")),
            _ => Err(Trouble::Unsupported("a reference of an unknown form")),
        }
    }

    fn find_string_offsets_base(&self) -> Result<DebugStrOffsetsBase<usize>, Trouble> {
        let mut entries = self.entries(self.root())?;
        let specifications = match entries.read_abbreviation()? {
            Some(abbreviation) => abbreviation.attributes(),
            None => &[],
        };
        for specification in specifications {
            let value = entries.read_attribute(*specification)?.value();
            if let AttributeValue::DebugStrOffsetsBase(base) = value {
                return Ok(base);
            }
        }
        Ok(self.string_offsets_base)
    }
}
