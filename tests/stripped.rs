//! What is found in CPythons without symbols is what symbols and DWARF say of the same builds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use cpyjit::address::Address;
use cpyjit::cpython::{CPython, SHAPES, SYMBOLS};
use cpyjit::error::Fault;
use cpyjit::image::{Cache, DebugSearch, Image, Symbol};
use cpyjit::layout::{
    DebugOffsets, Layouts, Provenance, Symbols, Table, load_layouts, load_symbols, load_tables,
    scan_symbols,
};
use cpyjit::platform::Architecture;
use cpyjit::session::Session;
use cpyjit::target::{Description, Evaluate, Kind, LoadedFile, Memory, Reader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

const FILES: [&str; 8] = [
    "bin/python3.14",
    "bin/python3.15",
    "bin/python3.14d",
    "bin/python3.15d",
    "lib/x86_64-linux-gnu/libpython3.14.so.1.0",
    "lib/x86_64-linux-gnu/libpython3.15.so.1.0",
    "lib/x86_64-linux-gnu/libpython3.14d.so.1.0",
    "lib/x86_64-linux-gnu/libpython3.15d.so.1.0",
];

fn is_debug_build(file: &str) -> bool {
    file.contains("3.14d") || file.contains("3.15d")
}

/// What a build lacks.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Build {
    /// Nothing: it has symbols and DWARF, in itself or in its debug file.
    Whole,
    /// DWARF: `.symtab` and `.dynsym` are left.
    WithoutDwarf,
    /// DWARF and `.symtab`: `strip`.
    Stripped,
    /// As the distribution ships it, without its debug file.
    WithoutDebugFile,
}

fn usr() -> PathBuf {
    let testbed = std::env::var_os("CPYJIT_TESTBED").expect(
        "this test needs real CPythons: run scripts/test, which makes them and sets CPYJIT_TESTBED",
    );
    Path::new(&testbed).join("targets/usr")
}

fn open(path: &Path, debug_files: Vec<PathBuf>, debug_directories: Vec<PathBuf>) -> Image {
    let search = DebugSearch {
        debug_files,
        debug_directories,
    };
    Image::open(path, &search, &Cache::off()).unwrap()
}

/// A build of the file, made in `directory` if it is not the whole one.
fn image(file: &str, build: Build, directory: &Path) -> Image {
    let source = usr().join(file);
    let whole = open(&source, vec![], vec![usr().join("lib/debug")]);
    let copy = directory.join("python");
    let debug_files = match build {
        Build::Whole => return whole,
        Build::WithoutDwarf => {
            run("strip", &["--strip-debug", "-o"], &[&copy, &source]);
            // Release builds have their symbols in the debug file.
            let symbols = directory.join("symbols");
            whole.debug_path().map_or_else(Vec::new, |debug| {
                run("objcopy", &["--strip-debug"], &[debug, &symbols]);
                vec![symbols]
            })
        }
        Build::Stripped => {
            run("strip", &["--strip-all", "-o"], &[&copy, &source]);
            vec![]
        }
        Build::WithoutDebugFile => {
            std::fs::copy(&source, &copy).unwrap();
            vec![]
        }
    };
    let image = open(&copy, debug_files, vec![]);
    assert_eq!(image.build_id(), whole.build_id(), "{file} {build:?}");
    assert_eq!(image.findings(), [], "{file} {build:?}");
    image
}

fn run(tool: &str, options: &[&str], paths: &[&Path]) {
    let status = (Command::new(tool).args(options).args(paths).status())
        .unwrap_or_else(|error| panic!("{tool} (of binutils) cannot be started: {error}"));
    assert!(status.success(), "{tool} {options:?} {paths:?}");
}

/// The memory of a process that has just loaded a file where the file says.
struct Loaded(Vec<(Address, Vec<u8>)>);

impl Loaded {
    fn of(image: &Image) -> Loaded {
        let content = image.content();
        let pieces = content.pieces().iter();
        Loaded(
            pieces
                .map(|piece| (piece.start, piece.bytes.to_vec()))
                .collect(),
        )
    }

    fn place(&self, address: Address) -> Option<(usize, usize)> {
        self.0
            .iter()
            .enumerate()
            .find_map(|(index, (start, bytes))| {
                let offset = usize::try_from(address.offset_from(*start)?).ok()?;
                (offset < bytes.len()).then_some((index, offset))
            })
    }

    /// The same with another number at `address`.
    fn with(mut self, address: Address, number: u64) -> Loaded {
        let (index, offset) = self.place(address).unwrap();
        self.0[index].1[offset..offset + 8].copy_from_slice(&number.to_le_bytes());
        self
    }
}

impl Memory for Loaded {
    fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
        let bytes = self
            .place(address)
            .map_or(&[][..], |(index, offset)| &self.0[index].1[offset..]);
        let wanted = bytes.get(..into.len()).ok_or(Fault {
            address,
            length: into.len() as u64,
            readable: bytes.len() as u64,
        })?;
        into.copy_from_slice(wanted);
        Ok(())
    }
}

/// All that is known of a build, by the same steps as in a session.
struct Known {
    layouts: Layouts,
    symbols: Symbols,
    python: CPython,
}

fn know(image: &Image) -> Known {
    know_with(image, SYMBOLS)
}

/// The same, if the file had no other symbols than these.
fn know_with(image: &Image, names: &[&str]) -> Known {
    let memory = Loaded::of(image);
    let reader = Reader::new(&memory);
    let mut symbols = load_symbols(image, 0, names);
    let runtime = symbols.symbol("_PyRuntime").unwrap().address;
    let offsets = DebugOffsets::read(reader, runtime).unwrap();
    let (mut layouts, _) = load_layouts(image, SHAPES);
    load_tables(
        &mut layouts,
        reader,
        runtime,
        offsets,
        Architecture::X86_64,
        SHAPES,
    )
    .unwrap();
    let reasons = scan_symbols(&mut symbols, image, 0, &layouts, offsets);
    assert!(reasons.is_empty(), "{reasons:?}");
    Known {
        python: CPython::read(reader, layouts.clone(), symbols.clone()).unwrap(),
        layouts,
        symbols,
    }
}

/// A file, whole and with something missing.
struct Case {
    file: &'static str,
    build: Build,
    whole: Arc<Known>,
    reduced: Known,
}

/// All cases; learning them takes longer than checking them.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| FILES.into_iter().flat_map(cases).collect());

fn cases(file: &'static str) -> Vec<Case> {
    let directory = tempfile::tempdir().unwrap();
    let whole = Arc::new(know(&image(file, Build::Whole, directory.path())));
    let mut builds = vec![Build::WithoutDwarf, Build::Stripped];
    // Debug builds are shipped with DWARF in themselves.
    if !is_debug_build(file) {
        builds.push(Build::WithoutDebugFile);
    }
    let case = |build| Case {
        file,
        build,
        whole: whole.clone(),
        reduced: know(&image(file, build, directory.path())),
    };
    builds.into_iter().map(case).collect()
}

fn each_reduced(check: impl Fn(&str, Build, &Known, &Known)) {
    assert_eq!(CASES.len(), 4 * 3 + 4 * 2);
    for case in CASES.iter() {
        check(case.file, case.build, &case.whole, &case.reduced);
    }
}

#[test]
fn tables_give_the_layouts_of_dwarf() {
    each_reduced(|file, build, whole, reduced| {
        let mut fields = 0;
        for (expected, provenance) in whole.layouts.iter() {
            assert!(matches!(provenance, Provenance::Dwarf(_)));
            let name = &expected.name;
            let shape = reduced.layouts.shape(name).unwrap();
            assert_eq!(shape.size, expected.size, "{file} {build:?} {name}");
            for field in &shape.fields {
                assert_eq!(Some(field), expected.find(&field.name), "{file} {name}");
            }
            fields += shape.fields.len();
        }
        for (shape, provenance) in reduced.layouts.iter() {
            let table = matches!(provenance, Provenance::Table { agreeing, .. } if *agreeing > 30);
            assert!(table, "{file} {build:?} {}: {provenance}", shape.name);
        }
        println!("{file} {build:?}: {fields} fields");
    });
}

#[test]
fn a_scan_finds_what_the_symbols_say() {
    each_reduced(|file, build, whole, reduced| {
        let mut scanned = 0;
        for (name, expected) in whole.symbols.iter() {
            // The stencil of 3.14's shim cannot be told from others; the map does without it.
            if name == "shim" && build != Build::WithoutDwarf {
                assert_eq!(reduced.symbols.find(name), None);
                continue;
            }
            let symbol = reduced.symbols.symbol(name);
            let symbol = symbol.unwrap_or_else(|error| panic!("{file} {build:?}: {error}"));
            assert_eq!(
                (symbol.address, symbol.size),
                (expected.address, expected.size),
                "{file} {build:?} {name}"
            );
            scanned += usize::from(matches!(symbol.provenance, Provenance::Scan(_)));
        }
        match build {
            Build::WithoutDwarf => assert_eq!(scanned, 0, "{file}"),
            _ => assert!(scanned >= 3, "{file} {build:?}: {scanned}"),
        }
        println!("{file} {build:?}: {scanned} tables found by scan");
    });
}

#[test]
fn a_program_that_exports_nothing_is_read_too() {
    for case in CASES.iter().filter(|case| case.build == Build::Stripped) {
        let (file, whole) = (case.file, &case.whole);
        let directory = tempfile::tempdir().unwrap();
        let bare = know_with(&image(file, Build::Stripped, directory.path()), &[]);
        for (name, symbol) in bare.symbols.iter() {
            let expected = whole.symbols.symbol(name).unwrap();
            assert_eq!(symbol.address, expected.address, "{file} {name}");
        }
        assert!(bare.symbols.find("PyCode_Type").is_some(), "{file}");
        same_tables(file, Build::Stripped, whole, &bare);
    }
}

#[test]
fn uops_and_instructions_are_the_same() {
    each_reduced(same_tables);
}

fn same_tables(file: &str, build: Build, whole: &Known, reduced: &Known) {
    let what = format!("{file} {build:?}");
    let (whole, reduced) = (&whole.python, &reduced.python);
    assert!(whole.uops.iter().eq(reduced.uops.iter()), "{what}");
    assert_eq!(whole.uops.has_got, reduced.uops.has_got, "{what}");
    assert_eq!(whole.debug_build, reduced.debug_build, "{what}");
    assert_eq!(whole.debug_build, is_debug_build(file), "{what}");
    assert_eq!(reduced.opcodes.finding, None, "{what}");
    for opcode in 0..=u8::MAX {
        let facts = |python: &CPython| {
            let table = &python.opcodes;
            let name = table.name(opcode).cloned();
            (name, table.base(opcode), table.caches(opcode))
        };
        assert_eq!(facts(whole), facts(reduced), "{what} {opcode}");
    }
    println!("{what}: {} kinds of uops", whole.uops.iter().count());
}

/// Why a scan of the stripped 3.14 refuses what it finds after `change` was made to the file.
fn refused(change: impl Fn(&Image, Symbol, &mut Vec<u8>)) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let whole = image("bin/python3.14", Build::Whole, directory.path());
    let stripped = image("bin/python3.14", Build::Stripped, directory.path());
    let mut bytes = std::fs::read(stripped.path()).unwrap();
    let table = whole.symbol("stencil_groups").unwrap();
    change(&stripped, table, &mut bytes);
    let path = directory.path().join("changed");
    std::fs::write(&path, bytes).unwrap();
    let image = open(&path, vec![], vec![]);
    let memory = Loaded::of(&image);
    let mut symbols = load_symbols(&image, 0, SYMBOLS);
    let runtime = symbols.symbol("_PyRuntime").unwrap().address;
    let reader = Reader::new(&memory);
    let offsets = DebugOffsets::read(reader, runtime).unwrap();
    let mut layouts = Layouts::default();
    load_tables(
        &mut layouts,
        reader,
        runtime,
        offsets,
        Architecture::X86_64,
        SHAPES,
    )
    .unwrap();
    scan_symbols(&mut symbols, &image, 0, &layouts, offsets)
}

/// Where in the file what is loaded at an address stands.
fn file_offset(image: &Image, address: Address) -> usize {
    let offset = image.segments().iter().find_map(|segment| {
        let within = address.offset_from(segment.memory.start)?;
        (within < segment.file_size).then_some(segment.file_offset + within)
    });
    usize::try_from(offset.unwrap()).unwrap()
}

#[test]
fn two_tables_or_none_are_refused() {
    let twice = refused(|image, table, bytes| {
        let start = file_offset(image, table.address);
        let copy = bytes[start..start + usize::try_from(table.size).unwrap()].to_vec();
        // Debuggers need .eh_frame, and nothing here does.
        let frames = image.section(".eh_frame").unwrap();
        assert!(frames.size > table.size);
        let elsewhere = file_offset(image, frames.start).next_multiple_of(8);
        bytes[elsewhere..elsewhere + copy.len()].copy_from_slice(&copy);
    });
    let expected = "stencil_groups: 2 places in the file could be the table of stencils that fits the uop names";
    assert_eq!(twice, [expected]);
    let none = refused(|_, _, bytes| {
        let name = memchr::memmem::find(bytes, b"_EXIT_TRACE\0").unwrap();
        bytes[name] = b'x';
    });
    assert_eq!(
        none,
        [
            "_PyOpcode_uop_name: the file contains no table of uop names (_EXIT_TRACE, _SET_IP, …)",
            "stencil_groups: not to be told without those names"
        ]
    );
    let damaged = refused(|image, table, bytes| {
        // An emitter of a uop in the middle that is no function.
        let entry = file_offset(image, table.address) + 40 * 350;
        bytes[entry..entry + 8].copy_from_slice(&1u64.to_le_bytes());
    });
    assert_eq!(
        damaged,
        ["stencil_groups: the file contains no table of stencils that fits the uop names"]
    );
}

/// A debugger that knows no expressions.
struct Nothing;

impl Evaluate for Nothing {
    fn evaluate(&self, _: &str) -> Result<Address, String> {
        Err("no symbol table is loaded".to_owned())
    }
}

/// What a session says of the stripped 3.14 when `changes` are made to its `_Py_DebugOffsets`.
fn said_of(changes: &[(u64, u64)]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let image = image("bin/python3.14", Build::Stripped, directory.path());
    let runtime = image.symbol("_PyRuntime").unwrap().address;
    let memory = (changes.iter()).fold(Loaded::of(&image), |memory, (offset, number)| {
        memory.with(runtime.wrapping_add(*offset), *number)
    });
    let description = Description {
        architecture: "i386:x86-64".to_owned(),
        kind: Kind::Live,
        pid: None,
        files: vec![LoadedFile {
            path: image.path().to_owned(),
            debug_files: vec![],
            bias: None,
        }],
        debug_directories: vec![],
        packet: None,
    };
    let session = Session::new(Box::new(memory), Box::new(Nothing), description);
    let session = session.with_cache(Cache::off());
    let (_, findings) = session.info().unwrap();
    let texts = findings.iter().map(|finding| {
        let hint = finding.hint.as_deref().unwrap_or_default();
        format!("{} [{hint}]", finding.what)
    });
    texts
        .collect::<Vec<_>>()
        .join("\n")
        .replace(&image.path().display().to_string(), "FILE")
}

/// Offsets of `version` and `interpreter_state.size` in `_Py_DebugOffsets`.
const VERSION: u64 = 8;
const INTERPRETER_SIZE: u64 = 0x30;

fn version(version_hex: u64) -> String {
    let offsets = DebugOffsets {
        version_hex,
        free_threaded: false,
    };
    offsets.version()
}

#[test]
fn what_is_not_known_is_said_precisely() {
    let table = Table::of_build(0x030e_0000, Architecture::X86_64, false).unwrap();
    let (own, next) = (table.version_hex, table.version_hex + 0x100);
    assert_eq!(said_of(&[(VERSION, own)]), "");
    let later = said_of(&[(VERSION, next)]);
    let expected = format!(
        "layouts are those of CPython {}, with which this {} agrees",
        version(own),
        version(next)
    );
    assert!(later.starts_with(&expected), "{later}");
    let unknown = said_of(&[(VERSION, 0x0310_00a1)]);
    let expected = "CPython 3.16.0a1 in FILE has no debug information that could be found, and there are \
                    built-in layouts for 3.14 and 3.15 only [install its -dbg package";
    assert!(unknown.starts_with(expected), "{unknown}");
    let size = table.shapes["PyInterpreterState"].size;
    let other = said_of(&[(VERSION, own), (INTERPRETER_SIZE, size + 24)]);
    let expected = format!(
        "and the built-in layouts of {} for x86-64 do not fit it: \
         sizeof(PyInterpreterState) is {} instead of {size} [install",
        version(own),
        size + 24
    );
    assert!(other.contains(&expected), "{other}");
    // What 3.15 says of itself is not what a table of 3.14 can be compared with.
    let lie = said_of(&[(VERSION, 0x030f_02f0)]);
    let expected = "the built-in layouts of 3.15";
    assert!(
        lie.contains(expected) && lie.contains(" do not fit it: "),
        "{lie}"
    );
}
