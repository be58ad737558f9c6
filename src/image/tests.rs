//! What an [`Image`] says of ELF files that were made for the purpose.

use super::elf_maker::{GLOBAL_OBJECT, LOCAL_OBJECT, Maker, SHT_PROGBITS};
use super::*;
use std::fs;
use tempfile::TempDir;

/// A directory with files, and a cache in it.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn cache(&self) -> Cache {
        Cache::at(&self.0.path().join("cache"))
    }

    /// The image `name`, looking for debug files below `debug` only.
    fn open(&self, name: &str, debug_files: &[PathBuf]) -> Image {
        let search = DebugSearch {
            debug_files: debug_files.to_vec(),
            debug_directories: vec![self.0.path().join("debug")],
        };
        Image::open(&self.0.path().join(name), &search, &self.cache()).unwrap()
    }
}

const ID: [u8; 4] = [0xd4, 0x1a, 0xc9, 0xe2];

fn stripped() -> Vec<u8> {
    (Maker::default().build_id(&ID))
        .symbols(true, &[("_PyRuntime", GLOBAL_OBJECT, 0x1000)])
        .finish()
}

fn debug_file(id: &[u8]) -> Vec<u8> {
    let symbols = [
        ("stencil_groups", LOCAL_OBJECT, 0x2000),
        ("_PyRuntime", GLOBAL_OBJECT, 0x1000),
    ];
    (Maker::default().build_id(id))
        .symbols(false, &symbols)
        .finish()
}

#[test]
fn a_file_by_itself() {
    let place = Place::new();
    place.write("python", &stripped());
    let image = place.open("python", &[]);
    assert_eq!(image.build_id().unwrap().to_string(), "d41ac9e2");
    assert_eq!(
        image.machine().architecture(),
        Some(crate::platform::Architecture::X86_64)
    );
    assert_eq!(image.machine().to_string(), "x86-64");
    assert!(image.is_position_independent());
    assert_eq!(image.debug_path(), None);
    assert!(image.defines("_PyRuntime") && !image.defines("_PyRun"));
    let symbol = image.symbol("_PyRuntime").unwrap();
    assert_eq!((symbol.address, symbol.size), (Address(0x1000), 8));
    assert_eq!(symbol.source.to_string(), ".dynsym");
    let shapes = image.shapes(&["PyObject"]);
    assert_eq!(
        shapes.missing[0].reason,
        "the file has no DWARF, and no debug file was found"
    );
    assert_eq!(
        shapes.shape("PyObject").unwrap_err().to_string(),
        "the layout of PyObject is not known"
    );
    assert_eq!(image.findings(), []);
}

#[test]
fn the_debug_file_is_found_by_its_build_id() {
    let place = Place::new();
    place.write("python", &stripped());
    let path = place.write("debug/.build-id/d4/1ac9e2.debug", &debug_file(&ID));
    let image = place.open("python", &[]);
    assert_eq!(image.debug_path(), Some(path.as_path()));
    let symbols = image.symbols(&["stencil_groups", "_PyRuntime", "nowhere"]);
    assert_eq!(symbols.len(), 2);
    assert_eq!(symbols["stencil_groups"].source, SymbolSource::DebugFile);
}

#[test]
fn a_debug_file_of_another_build_is_refused() {
    let place = Place::new();
    place.write("python", &stripped());
    let other = place.write("other.debug", &debug_file(&[1, 2, 3]));
    let empty = place.write("empty.debug", &Maker::default().build_id(&ID).finish());
    let text = place.write("text.debug", b"no ELF");
    let none = place.0.path().join("none.debug");
    let right = place.write("right.debug", &debug_file(&ID));
    let python = place.0.path().join("python");
    let image = place.open("python", &[python, other, empty, text, none, right.clone()]);
    assert_eq!(image.debug_path(), Some(right.as_path()));
    let findings: Vec<String> = image.findings().into_iter().map(|f| f.what).collect();
    assert_eq!(findings[0], "its build id is 010203 instead of d41ac9e2");
    assert_eq!(findings[1], "it has neither symbols nor DWARF");
    assert!(findings[2].starts_with("it is no 64-bit little-endian ELF file"));
    assert!(findings[3].starts_with("No such file"));
    assert_eq!(findings.len(), 4);
}

#[test]
fn a_debug_link_is_followed_if_the_checksum_is_right() {
    let place = Place::new();
    let debug = Maker::default()
        .symbols(false, &[("shim", LOCAL_OBJECT, 1)])
        .finish();
    let image = Maker::default().debug_link("../p.debug", &debug).finish();
    place.write("bin/python", &image);
    let path = place.write("bin/.debug/p.debug", &debug);
    let found = place.open("bin/python", &[]);
    let real = path.canonicalize().unwrap();
    assert_eq!(found.debug_path(), Some(real.as_path()));
    assert!(found.symbol("shim").is_some());
    place.write("bin/.debug/p.debug", &debug_file(&ID));
    let refused = place.open("bin/python", &[]);
    assert_eq!(refused.debug_path(), None);
    assert!(refused.findings()[0].what.starts_with("its checksum is "));
    place.write("bare", &Maker::default().finish());
    let bare = place.open("bare", std::slice::from_ref(&path));
    assert!(bare.findings()[0].what.starts_with("nothing says"));
}

#[test]
fn global_symbols_go_before_local_and_suffixed_ones() {
    let place = Place::new();
    let symbols = [
        ("a.lto_priv.0", LOCAL_OBJECT, 1),
        ("a", LOCAL_OBJECT, 2),
        ("a", LOCAL_OBJECT, 3),
        ("a", GLOBAL_OBJECT, 4),
        ("b.lto_priv.7", LOCAL_OBJECT, 5),
        ("c", LOCAL_OBJECT, 6),
        ("c", LOCAL_OBJECT, 7),
        ("thread", 0x16, 8), // STT_TLS: no address
    ];
    place.write(
        "python",
        &Maker::default().symbols(false, &symbols).finish(),
    );
    let found = place
        .open("python", &[])
        .symbols(&["a", "b", "c", "thread"]);
    let addresses: Vec<u64> = found.values().map(|symbol| symbol.address.0).collect();
    assert_eq!(addresses, [4, 5, 6]);
    assert_eq!(found["a"].source, SymbolSource::File);
}

#[test]
fn bytes_come_from_segments_that_cannot_be_written() {
    let place = Place::new();
    let file = (Maker::default().loaded(".rodata", 0x40_0200, vec![7; 32]))
        .section(".comment", SHT_PROGBITS, vec![1])
        .segment(5, 0x40_0000, 0..64)
        .segment(6, 0x50_0000, 0..64)
        .segment(4, u64::MAX, 0..64)
        .segment(4, 0x60_0000, u64::MAX - 0x100..u64::MAX - 0x20)
        .finish();
    place.write("python", &file);
    let image = place.open("python", &[]);
    let mut bytes = [0; 4];
    image.read(Address(0x40_0000), &mut bytes).unwrap();
    assert_eq!(&bytes, b"\x7fELF");
    let fault = |address| {
        let fault = image.read(Address(address), &mut [0; 4]).unwrap_err();
        (fault.length, fault.readable)
    };
    assert_eq!(fault(0x40_003e), (4, 2));
    assert_eq!(fault(0x40_0040), (4, 0));
    assert_eq!(fault(0x50_0000), (4, 0));
    assert_eq!(fault(0x60_0000), (4, 0));
    assert_eq!(fault(u64::MAX), (4, 0));
    assert_eq!(image.segments().len(), 3);
    let rodata = Range::new(Address(0x40_0200), 32);
    assert_eq!(image.section(".rodata"), Some(rodata));
    assert_eq!(image.section(".comment"), None);
    assert_eq!(image.section(".nothing"), None);
}

#[test]
fn the_cache_answers_without_the_tables() {
    let place = Place::new();
    place.write("python", &stripped());
    let path = place.write("debug/.build-id/d4/1ac9e2.debug", &debug_file(&ID));
    let before = place.open("python", &[]);
    before.symbols(&["stencil_groups", "nowhere"]);
    before.shapes(&["PyObject"]);
    // Same size, but no symbol tables to be found any more.
    let mut broken = debug_file(&ID);
    let names = memchr::memmem::find(&broken, b"stencil_groups").unwrap();
    broken[names] = b'X';
    fs::write(path, broken).unwrap();
    let after = place.open("python", &[]);
    assert!(after.symbol("stencil_groups").is_some());
    assert_eq!(after.symbol("nowhere"), None);
    assert_eq!(after.symbol("Xtencil_groups").unwrap().address.0, 0x2000);
    assert!(after.shapes(&["PyObject"]).missing.len() == 1);
}

#[test]
fn a_debug_file_that_came_later_is_not_hidden_by_the_cache() {
    let place = Place::new();
    place.write("python", &stripped());
    assert_eq!(place.open("python", &[]).symbol("stencil_groups"), None);
    place.write("debug/.build-id/d4/1ac9e2.debug", &debug_file(&ID));
    assert!(place.open("python", &[]).symbol("stencil_groups").is_some());
}

#[test]
fn a_damaged_cache_is_told_and_written_anew() {
    let place = Place::new();
    place.write("python", &stripped());
    place.open("python", &[]).symbol("_PyRuntime");
    let path = place.write("cache/d41ac9e2.json", b"cpyjit image 2 00000000\n{}");
    let image = place.open("python", &[]);
    assert_eq!(image.findings()[0].path, path);
    assert!(image.symbol("_PyRuntime").is_some());
    assert_eq!(place.open("python", &[]).findings(), []);
}

#[test]
fn a_cache_that_cannot_be_written_is_told_once() {
    let place = Place::new();
    place.write("python", &stripped());
    let image = place.open("python", &[]);
    place.write("cache", b"in the way");
    image.symbol("_PyRuntime");
    image.symbol("stencil_groups");
    assert_eq!(image.findings().len(), 1);
}

#[test]
fn without_a_build_id_nothing_is_kept() {
    let place = Place::new();
    place.write("python", &Maker::default().finish());
    place.open("python", &[]).symbol("_PyRuntime");
    assert!(!place.0.path().join("cache").exists());
}

#[test]
fn what_is_no_elf_file_is_an_error() {
    let place = Place::new();
    let open = |path: &Path| {
        let error = Image::open(path, &DebugSearch::default(), &Cache::off()).unwrap_err();
        error.to_string()
    };
    for bytes in [&b""[..], b"\x7fELF", b"#!/bin/sh\n", &[0; 4096]] {
        let path = place.write("file", bytes);
        assert!(
            open(&path).contains("64-bit little-endian ELF"),
            "{}",
            open(&path)
        );
    }
    assert!(open(place.0.path()).ends_with("it is no regular file"));
    assert!(open(Path::new("/nonexistent")).contains("No such file"));
}

#[test]
fn truncated_and_damaged_files_do_no_harm() {
    let place = Place::new();
    let whole = (Maker::default().build_id(&ID))
        .symbols(false, &[("shim", LOCAL_OBJECT, 1)])
        .segment(5, 0, 0..64)
        .finish();
    let ask = |bytes: &[u8]| {
        let path = place.write("file", bytes);
        if let Ok(image) = Image::open(&path, &DebugSearch::default(), &Cache::off()) {
            image.symbol("shim");
            image.shapes(&["PyObject"]);
            image.section(".symtab");
            let content = image.content();
            content.find_string("shim").count();
            content.find_pointers(Address(0));
            content.is_executable(content.code().start);
            let _ = image.read(Address(0), &mut [0; 16]);
        }
    };
    for end in 0..whole.len() {
        ask(&whole[..end]);
    }
    for place in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0xff;
        ask(&damaged);
    }
}

#[test]
fn what_a_scan_found_is_kept_with_its_rules() {
    let place = Place::new();
    place.write("python", &stripped());
    let answer = |start| Scanned {
        found: [("shim".to_owned(), Range::new(Address(start), 40))].into(),
        reasons: [("stencil_groups".to_owned(), "2 places".to_owned())].into(),
    };
    let image = place.open("python", &[]);
    assert_eq!(image.scanned("1", |_| answer(16)), answer(16));
    let again = place.open("python", &[]);
    assert_eq!(again.scanned("1", |_| answer(32)), answer(16));
    assert_eq!(again.scanned("2", |_| answer(32)), answer(32));
}

#[test]
fn content_is_what_is_loaded() {
    let place = Place::new();
    let file = (Maker::default().section(".comment", SHT_PROGBITS, b"no\0".to_vec()))
        .segment(5, 0x40_0000, 0..64)
        .segment(6, 0x50_0003, 0..64)
        .segment(4, 0x60_0000, 0..u64::MAX - 0x60_0000)
        .finish();
    place.write("python", &file);
    let image = place.open("python", &[]);
    let content = image.content();
    assert_eq!(content.pieces().len(), 2, "the third is not in the file");
    let found: Vec<Address> = content.find(b"\x7fELF").collect();
    assert_eq!(found, [Address(0x40_0000), Address(0x50_0003)]);
    assert_eq!(content.find_string("no").count(), 0);
    assert_eq!(content.code(), Range::new(Address(0x40_0000), 64));
    assert!(content.is_executable(Address(0x40_003f)));
    assert!(!content.is_executable(Address(0x40_0040)));
    assert!(!content.is_executable(Address(0x50_0003)));
    let words: Vec<Address> = (content.pieces()[1].words())
        .map(|(place, _)| place)
        .collect();
    assert_eq!(words.first(), Some(&Address(0x50_0008)));
    assert_eq!(words.len(), 7);
    let word = content.pointer(Address(0x50_0008)).unwrap();
    assert_eq!(content.pieces()[1].words().next().unwrap().1, word);
    assert_eq!(content.pointer(Address(0x40_003c)), None);
}

#[test]
fn an_image_can_be_used_by_several_threads() {
    fn check<T: Send + Sync>() {}
    check::<Image>();
}
