//! The line table.

use super::SymbolOptions;
use super::model::{ExecutorCode, Piece, PieceKind};
use crate::address::UopIndex;
use crate::render::UopSource;
use gimli::write::{Address, AttributeValue, Dwarf, LineProgram, LineString, Result, Unit};
use gimli::{Encoding, Format, LineEncoding, constants};
use std::collections::HashMap;

/// DWARF 5, as all debuggers that are supported read it.
pub const ENCODING: Encoding = Encoding {
    format: Format::Dwarf32,
    version: 5,
    address_size: 8,
};

/// The units of an executor.
pub fn dwarf(
    code: &ExecutorCode,
    options: &SymbolOptions,
    listing_name: &str,
    source: &UopSource,
) -> Result<Dwarf> {
    let text = |text: &str| LineString::String(text.as_bytes().to_vec());
    let mut program = LineProgram::new(
        ENCODING,
        LineEncoding::default(),
        text(&options.folder),
        None,
        text(listing_name),
        None,
    );
    let folder = program.default_directory();
    let listing = program.add_file(text(listing_name), folder, None);
    let start = code.allocation.start;
    let size = code.code_end().offset_from(start).unwrap_or_default();
    let lines: HashMap<UopIndex, u32> = source.lines.iter().copied().collect();
    program.begin_sequence(Some(Address::Constant(start.0)));
    for piece in &code.pieces {
        let row = program.row();
        row.address_offset = piece.range.start.offset_from(start).unwrap_or_default();
        row.file = listing;
        row.line = line_of(piece, &lines, source.guard);
        row.is_statement = true;
        program.generate_row();
    }
    program.end_sequence(size);
    let mut dwarf = Dwarf::new();
    let id = dwarf.units.add(Unit::new(ENCODING, program));
    let unit = dwarf.units.get_mut(id);
    let string = |text: &str| AttributeValue::String(text.as_bytes().to_vec());
    let root = unit.root();
    let root = unit.get_mut(root);
    root.set(constants::DW_AT_producer, string("cpyjit"));
    root.set(
        constants::DW_AT_language,
        AttributeValue::Language(constants::DW_LANG_C11),
    );
    root.set(constants::DW_AT_name, string(listing_name));
    root.set(constants::DW_AT_comp_dir, string(&options.folder));
    root.set(
        constants::DW_AT_low_pc,
        AttributeValue::Address(Address::Constant(start.0)),
    );
    root.set(constants::DW_AT_high_pc, AttributeValue::Udata(size));
    Ok(dwarf)
}

fn line_of(piece: &Piece, lines: &HashMap<UopIndex, u32>, guard: u32) -> u64 {
    let line = match piece.kind {
        PieceKind::Shim => 1,
        PieceKind::Uop(index) => lines.get(&index).copied().unwrap_or(1),
        PieceKind::Guard => guard,
    };
    u64::from(line)
}
