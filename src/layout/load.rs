//! Layouts and symbols of a CPython, from the file that contains it.

use super::{DebugOffsets, Fit, Layouts, Provenance, SymbolAddress, Symbols, Table, scan};
use crate::address::Address;
use crate::image::{Image, MissingShape, SymbolSource};
use crate::platform::Architecture;
use crate::target::Reader;

/// Where CPython puts `_PyRuntime`, so that tools find it (`GENERATE_DEBUG_SECTION` in `Python/pylifecycle.c`).
const RUNTIME_SECTION: &str = ".PyRuntime";

/// Whether this file contains a CPython.
pub fn contains_cpython(image: &Image) -> bool {
    image.defines("_PyRuntime") || image.section(RUNTIME_SECTION).is_some()
}

/// The layouts of these structures that the file's DWARF tells, and why others are missing.
pub fn load_layouts(image: &Image, wanted: &[&str]) -> (Layouts, Vec<MissingShape>) {
    let found = image.shapes(wanted);
    let file = image.debug_path().unwrap_or(image.path());
    let mut layouts = Layouts::default();
    for shape in found.shapes.into_values() {
        layouts.add(shape, Provenance::Dwarf(file.to_owned()));
    }
    (layouts, found.missing)
}

/// The symbols with these names, at the addresses that they have in the target, where the file lies `bias` bytes from
/// its own addresses.
pub fn load_symbols(image: &Image, bias: u64, wanted: &[&str]) -> Symbols {
    let mut symbols = Symbols::default();
    for (name, symbol) in image.symbols(wanted) {
        let (table, file) = match symbol.source {
            SymbolSource::DebugFile => (".symtab", image.debug_path().unwrap_or(image.path())),
            SymbolSource::File => (".symtab", image.path()),
            SymbolSource::Dynamic => (".dynsym", image.path()),
        };
        let located = SymbolAddress {
            address: symbol.address.wrapping_add(bias),
            size: symbol.size,
            provenance: Provenance::SymbolTable {
                table,
                file: file.to_owned(),
            },
        };
        symbols.add(&name, located);
    }
    // Programs that contain CPython need not export it.
    if let Some(runtime) = image.section(RUNTIME_SECTION) {
        let located = SymbolAddress {
            address: runtime.start.wrapping_add(bias),
            size: runtime.size,
            provenance: Provenance::Derived("section .PyRuntime"),
        };
        symbols.add("_PyRuntime", located);
    }
    symbols
}

/// Adds the layouts of these structures that are not known yet from a built-in table, if one agrees with the target.
///
/// # Errors
/// Why there is no such table, as a sentence for people.
pub fn load_tables(
    layouts: &mut Layouts,
    reader: Reader<'_>,
    runtime: Address,
    offsets: DebugOffsets,
    architecture: Architecture,
    wanted: &[&str],
) -> Result<(), String> {
    if wanted.iter().all(|name| layouts.find(name).is_some()) {
        return Ok(());
    }
    let (table, fit) = best_table(reader, runtime, offsets, architecture)?;
    let provenance = Provenance::Table {
        version: version(&table),
        debug_build: table.debug_build,
        agreeing: fit.agreeing,
    };
    for name in wanted {
        if let Some(shape) = table.shapes.get(*name) {
            layouts.add(shape.clone(), provenance.clone());
        }
    }
    Ok(())
}

fn best_table(
    reader: Reader<'_>,
    runtime: Address,
    offsets: DebugOffsets,
    architecture: Architecture,
) -> Result<(Table, Fit), String> {
    let mut nearest: Option<(Table, Fit)> = None;
    for table in Table::built_in(offsets.version_hex, architecture) {
        let fit = Fit::of(&table, reader, runtime).map_err(|error| error.to_string())?;
        if fit.differing.is_empty() {
            return Ok((table, fit));
        }
        if (nearest.as_ref()).is_none_or(|(_, other)| fit.differing.len() < other.differing.len()) {
            nearest = Some((table, fit));
        }
    }
    Err(match nearest {
        None => "there are built-in layouts for 3.14 and 3.15 only".to_owned(),
        Some((table, fit)) => format!(
            "the built-in layouts of {} for {} do not fit it: {}",
            version(&table),
            architecture.platform().title,
            fit.differing.join(", ")
        ),
    })
}

fn version(table: &Table) -> String {
    let offsets = DebugOffsets {
        version_hex: table.version_hex,
        free_threaded: false,
    };
    offsets.version()
}

/// Adds the symbols that a scan of the file finds and no symbol table has, and says why others were not found.
pub fn scan_symbols(
    symbols: &mut Symbols,
    image: &Image,
    bias: u64,
    layouts: &Layouts,
    offsets: DebugOffsets,
) -> Vec<String> {
    if scan::NEEDED.iter().all(|name| symbols.find(name).is_some()) {
        return Vec::new();
    }
    let scanned = image.scanned(scan::RULES, |content| {
        scan::scan(content, layouts, offsets.version_hex)
    });
    for (name, range) in scanned.found {
        let located = SymbolAddress {
            address: range.start.wrapping_add(bias),
            size: range.size,
            provenance: Provenance::Scan(image.path().to_owned()),
        };
        symbols.add(&name, located);
    }
    (scanned.reasons.into_iter())
        .filter(|(name, _)| symbols.find(name).is_none())
        .map(|(name, reason)| format!("{name}: {reason}"))
        .collect()
}
