//! An ELF file of any bytes without symbols for the tables of a CPython: the scan for them.

use super::Body;
use super::file::with_file;
use cpyjit::image::{Cache, DebugSearch, Image};
use cpyjit::layout::{DebugOffsets, Layouts, Provenance, Symbols, Table, scan_symbols};
use cpyjit::platform::Architecture;

pub const BODY: Body = Body {
    name: "stripped",
    run,
    seeds: Vec::new,
};

/// `PY_VERSION_HEX` of the files in the corpus.
const VERSION: u64 = 0x030f_02f0;

fn run(bytes: &[u8]) {
    tables(bytes);
}

/// How many tables the scan finds.
pub fn tables(bytes: &[u8]) -> usize {
    let mut count = 0;
    with_file(bytes, |path| {
        let Ok(image) = Image::open(path, &DebugSearch::default(), &Cache::off()) else {
            return;
        };
        let mut symbols = Symbols::default();
        let offsets = DebugOffsets {
            version_hex: VERSION,
            free_threaded: false,
        };
        let missing = scan_symbols(&mut symbols, &image, 0, &layouts(), offsets);
        for (name, symbol) in symbols.iter() {
            assert_ne!(symbol.size, 0, "{name}");
            let inside = image
                .segments()
                .iter()
                .any(|segment| segment.memory.contains(symbol.address));
            assert!(inside, "{name} at {} is in no segment", symbol.address);
            assert!(
                !missing
                    .iter()
                    .any(|text| text.starts_with(&format!("{name}:"))),
                "{missing:?}"
            );
        }
        count = symbols.iter().count();
    });
    count
}

fn layouts() -> Layouts {
    let table = Table::of_build(VERSION, Architecture::X86_64, false).unwrap();
    let mut layouts = Layouts::default();
    for shape in table.shapes.values() {
        layouts.add(shape.clone(), Provenance::Derived("the built-in table"));
    }
    layouts
}
