//! An ELF file of any bytes: symbols, shapes from its DWARF, what it is loaded with.

use super::Body;
use super::file::with_file;
use cpyjit::address::Address;
use cpyjit::cpython::{SHAPES, SYMBOLS};
use cpyjit::image::{Cache, DebugSearch, Image};

pub const BODY: Body = Body {
    name: "image",
    run,
    seeds,
};

fn run(bytes: &[u8]) {
    with_file(bytes, |path| {
        // The file as it is, and as its own debug file.
        let itself = DebugSearch {
            debug_files: vec![path.to_owned()],
            debug_directories: Vec::new(),
        };
        if let Ok(image) = Image::open(path, &itself, &Cache::off()) {
            look_at(&image);
        }
    });
}

/// How many shapes the DWARF of a sound file tells.
#[allow(dead_code)]
pub fn shapes(bytes: &[u8]) -> usize {
    let mut count = 0;
    with_file(bytes, |path| {
        let image = Image::open(path, &DebugSearch::default(), &Cache::off()).unwrap();
        count = image.shapes(SHAPES).shapes.len();
    });
    count
}

fn look_at(image: &Image) {
    for (name, symbol) in image.symbols(SYMBOLS) {
        assert!(SYMBOLS.contains(&name.as_str()));
        let _ = image.read(symbol.address, &mut [0; 64]);
    }
    let found = image.shapes(SHAPES);
    assert_eq!(found.shapes.len() + found.missing.len(), SHAPES.len());
    for shape in found.shapes.values() {
        let mut before = 0;
        for field in &shape.fields {
            assert!(field.offset >= before, "{} is not in order", shape.name);
            before = field.offset;
            // No field may reach beyond what a reader fetches.
            let end = field.offset.checked_add(field.size);
            assert!(end.is_some(), "{}.{}", shape.name, field.name);
        }
    }
    for segment in image.segments() {
        let _ = image.read(segment.memory.start, &mut [0; 64]);
        let end = segment.memory.start.wrapping_add(segment.memory.size);
        let _ = image.read(Address(end.0.wrapping_sub(8)), &mut [0; 16]);
    }
    let _ = (image.section(".PyRuntime"), image.findings());
    let _ = image.defines("_PyRuntime");
}

/// The corpus has the files that a compiler made.
fn seeds() -> Vec<Vec<u8>> {
    Vec::new()
}
