//! Shapes from the DWARF of an ELF file.
//!
//! Read: DWARF 2 to 5, 32- and 64-bit format, names in `.debug_str`, inline or by index, sections compressed with zlib
//! or zstd. Not read: type units, supplementary files (dwz), split DWARF.

mod bit_field;
mod definitions;
mod die;
mod dies;
#[cfg(test)]
mod dwarf_maker;
mod flatten;
mod needle;
mod search;
mod storage;
#[cfg(test)]
mod tests;
mod trouble;
mod unit;
mod unit_table;

use super::elf_file::Elf;
use super::section_bytes::SectionBytes;
use super::shape_set::ShapeSet;
use object::read::{Object, ObjectSection};
use search::Search;
use unit::Companions;

/// The shapes with these names in a file, or why its DWARF cannot be used at all. The name whose mention is most telling
/// (in the fewest units) goes first: that saves time.
pub(super) fn read_shapes(elf: &Elf<'_>, wanted: &[&str]) -> Result<ShapeSet, String> {
    let info = stored(elf, ".debug_info")?.ok_or("it has no .debug_info")?;
    let abbreviations = whole(elf, ".debug_abbrev")?;
    let strings = whole(elf, ".debug_str")?;
    let string_offsets = whole(elf, ".debug_str_offsets")?;
    let companions = Companions {
        abbreviations: abbreviations.ready(),
        strings: strings.ready(),
        string_offsets: string_offsets.ready(),
    };
    Ok(Search::new(info, companions).run(wanted))
}

/// Whether a file has DWARF at all.
pub(super) fn has_dwarf(elf: &Elf<'_>) -> bool {
    stored(elf, ".debug_info").is_ok_and(|info| info.is_some())
}

/// A section, all of it uncompressed; an empty one if the file has none of this name.
fn whole<'data>(elf: &Elf<'data>, name: &str) -> Result<SectionBytes<'data>, String> {
    let mut section = stored(elf, name)?.unwrap_or_else(|| SectionBytes::plain(&[]));
    section
        .grow_all()
        .map_err(|reason| format!("{name}: {reason}"))?;
    Ok(section)
}

fn stored<'data>(elf: &Elf<'data>, name: &str) -> Result<Option<SectionBytes<'data>>, String> {
    let Some(section) = elf.section_by_name(name) else {
        return Ok(None);
    };
    let stored = (section.compressed_data()).map_err(|error| format!("{name}: {error}"))?;
    if stored.data.is_empty() {
        return Ok(None);
    }
    SectionBytes::new(stored)
        .map(Some)
        .map_err(|reason| format!("{name}: {reason}"))
}
