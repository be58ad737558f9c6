//! The image layer on real CPythons: what it finds must agree with what the files say of themselves by other means.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use cpyjit::image::{Cache, DebugSearch, Image, ShapeSet, SymbolSource};
use cpyjit::platform::Architecture;
use cpyjit::shape::{Bits, Shape};
use object::read::{Object, ObjectSection};
use std::path::{Path, PathBuf};

/// What the layers above ask for.
const SHAPES: [&str; 26] = [
    "StencilGroup",
    "_PyExecutorObject",
    "_PyVMData",
    "_PyExitData",
    "_PyUOpInstruction",
    "PyInterpreterState",
    "PyThreadState",
    "_PyThreadStateImpl",
    "_PyInterpreterFrame",
    "PyCodeObject",
    "_PyExecutorArray",
    "PyTypeObject",
    "PyASCIIObject",
    "PyCompactUnicodeObject",
    "PyBytesObject",
    "PyLongObject",
    "PyTupleObject",
    "PyFunctionObject",
    "PyVarObject",
    "PyObject",
    "_PyRuntimeState",
    "_PyBloomFilter",
    "_PyExecutorLinkListNode",
    "PyGC_Head",
    "jit_code_entry",
    "jit_descriptor",
];

/// A CPython of the testbed.
struct Case {
    file: &'static str,
    minor: u32,
    has_debug_file: bool,
    is_position_independent: bool,
}

const fn case(file: &'static str, minor: u32, debug: bool, independent: bool) -> Case {
    Case {
        file,
        minor,
        has_debug_file: debug,
        is_position_independent: independent,
    }
}

const CASES: [Case; 6] = [
    case("bin/python3.14", 14, true, false),
    case("bin/python3.15", 15, true, false),
    case("bin/python3.14d", 14, false, false),
    case("bin/python3.15d", 15, false, false),
    case("lib/x86_64-linux-gnu/libpython3.14.so.1.0", 14, true, true),
    case("lib/x86_64-linux-gnu/libpython3.15.so.1.0", 15, true, true),
];

fn usr() -> PathBuf {
    let testbed = std::env::var_os("CPYJIT_TESTBED").expect(
        "this test needs real CPythons: run scripts/test, which makes them and sets CPYJIT_TESTBED",
    );
    Path::new(&testbed).join("targets/usr")
}

fn open(case: &Case, cache: &Cache) -> Image {
    let search = DebugSearch {
        debug_files: Vec::new(),
        debug_directories: vec![usr().join("lib/debug")],
    };
    Image::open(&usr().join(case.file), &search, cache).unwrap()
}

fn each_case(check: impl Fn(&Case, &Image, &ShapeSet)) {
    for case in &CASES {
        let image = open(case, &Cache::off());
        let shapes = image.shapes(&SHAPES);
        check(case, &image, &shapes);
        assert_eq!(image.findings(), [], "{}", case.file);
    }
}

/// A field as offset and size.
fn place(shape: &Shape, name: &str) -> (u64, u64) {
    let field = shape.field(name).unwrap();
    (field.offset, field.size)
}

#[test]
fn the_files_are_what_they_are() {
    each_case(|case, image, _| {
        assert_eq!(image.machine().architecture(), Some(Architecture::X86_64));
        assert_eq!(
            image.is_position_independent(),
            case.is_position_independent
        );
        assert_eq!(
            image.debug_path().is_some(),
            case.has_debug_file,
            "{}",
            case.file
        );
        assert!(image.defines("_PyRuntime"));
        assert!(!image.defines("stencil_groups"));
    });
}

#[test]
fn every_shape_is_found_that_the_version_has() {
    each_case(|case, _, shapes| {
        let missing: Vec<&str> = shapes.missing.iter().map(|m| m.name.as_str()).collect();
        // 3.14 does not register its code with debuggers.
        let expected: &[&str] = match case.minor {
            14 => &["jit_code_entry", "jit_descriptor"],
            _ => &[],
        };
        assert_eq!(missing, expected, "{}", case.file);
    });
}

#[test]
fn the_shapes_agree_with_the_debug_offsets() {
    each_case(|case, image, shapes| {
        // pycore_debug_offsets.h: cookie, version, free_threaded, then blocks of sizes and offsets, all of 8 bytes.
        let offsets = debug_offsets(image);
        let at = |place: usize| u64::from_le_bytes(offsets[place..place + 8].try_into().unwrap());
        assert_eq!((at(8) >> 16) & 0xff, u64::from(case.minor));
        let runtime = shapes.shape("_PyRuntimeState").unwrap();
        assert_eq!(at(0x28), place(runtime, "interpreters.head").0);
        let interpreter = shapes.shape("PyInterpreterState").unwrap();
        assert_eq!(at(0x30), interpreter.size);
        assert_eq!(at(0x40), place(interpreter, "next").0);
        assert_eq!(at(0x48), place(interpreter, "threads.head").0);
        let thread = shapes.shape("PyThreadState").unwrap();
        assert_eq!(at(0xb0), thread.size);
        assert_eq!(at(0xc0), place(thread, "next").0);
        assert_eq!(at(0xd0), place(thread, "current_frame").0);
    });
}

fn debug_offsets(image: &Image) -> Vec<u8> {
    let bytes = std::fs::read(image.path()).unwrap();
    let file = object::read::elf::ElfFile64::<object::LittleEndian>::parse(&*bytes).unwrap();
    let section = file.section_by_name(".PyRuntime").unwrap();
    let range = image.section(".PyRuntime").unwrap();
    assert_eq!(
        (range.start.0, range.size),
        (section.address(), section.size())
    );
    let runtime = image.symbol("_PyRuntime").unwrap();
    let skipped = usize::try_from(runtime.address.offset_from(range.start).unwrap()).unwrap();
    let content = section.data().unwrap()[skipped..].to_vec();
    assert!(content.starts_with(b"xdebugpy"));
    content
}

#[test]
fn executors_have_the_fields_of_their_version() {
    each_case(|case, _, shapes| {
        let executor = shapes.shape("_PyExecutorObject").unwrap();
        let vm_data = shapes.shape("_PyVMData").unwrap();
        let (start, size) = place(executor, "vm_data");
        assert_eq!(size, vm_data.size);
        for field in &vm_data.fields {
            let nested = executor.field(&format!("vm_data.{}", field.name)).unwrap();
            assert_eq!(
                (nested.offset, nested.bits),
                (start + field.offset, field.bits)
            );
        }
        let exits = executor.field("exits").unwrap();
        assert_eq!(
            exits.element,
            Some(shapes.shape("_PyExitData").unwrap().size)
        );
        let valid = vm_data.field("valid").unwrap().bits;
        match case.minor {
            14 => assert_eq!(valid, Some(Bits { shift: 0, width: 1 })),
            _ => assert_eq!(valid, None),
        }
        let interpreter = shapes.shape("PyInterpreterState").unwrap();
        let list = ["executor_list_head", "executor_ptrs"];
        assert!(
            interpreter
                .find(list[usize::from(case.minor > 14)])
                .is_some()
        );
        assert_eq!(place(interpreter, "jit").1, 1);
    });
}

#[test]
fn uops_are_bit_fields_in_a_union() {
    each_case(|_, _, shapes| {
        let uop = shapes.shape("_PyUOpInstruction").unwrap();
        assert_eq!(uop.size, 24);
        let bits = |name| uop.field(name).unwrap().bits;
        assert_eq!(
            bits("opcode"),
            Some(Bits {
                shift: 0,
                width: 15
            })
        );
        assert_eq!(
            bits("format"),
            Some(Bits {
                shift: 15,
                width: 1
            })
        );
        let expected = [
            ("oparg", (2, 2)),
            ("target", (4, 4)),
            ("jump_target", (4, 2)),
            ("error_target", (6, 2)),
            ("operand0", (8, 8)),
            ("operand1", (16, 8)),
        ];
        for (name, expected) in expected {
            assert_eq!(place(uop, name), expected, "{name}");
        }
    });
}

#[test]
fn the_stencil_table_has_whole_groups() {
    each_case(|case, image, shapes| {
        let group = shapes.shape("StencilGroup").unwrap();
        let table = image.symbol("stencil_groups").unwrap();
        assert_eq!(table.size % group.size, 0, "{}", case.file);
        let expected = match case.has_debug_file {
            true => SymbolSource::DebugFile,
            false => SymbolSource::File,
        };
        assert_eq!(table.source, expected);
        let mut code = [0; 16];
        let function = image.symbol("_PyEval_EvalFrameDefault").unwrap();
        image.read(function.address, &mut code).unwrap();
        assert!(code.iter().any(|byte| *byte != 0));
    });
}

#[test]
fn a_name_asked_for_alone_is_found_too() {
    // Without the help of StencilGroup: many units mention it and do not define it.
    let image = open(&CASES[1], &Cache::off());
    let alone = image.shapes(&["_PyExecutorObject"]);
    let together = image.shapes(&SHAPES);
    let fields = |set: &ShapeSet| set.shape("_PyExecutorObject").unwrap().fields.clone();
    assert_eq!(fields(&alone), fields(&together));
}

#[test]
fn the_cache_gives_the_same_answers() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    for case in &CASES {
        let names = ["_PyRuntime", "stencil_groups", "nowhere"];
        let cold = open(case, &cache);
        let expected = (cold.symbols(&names), cold.shapes(&SHAPES));
        let warm = open(case, &cache);
        assert_eq!((warm.symbols(&names), warm.shapes(&SHAPES)), expected);
        assert_eq!(warm.findings(), []);
    }
}
