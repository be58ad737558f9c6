//! The built-in tables of layouts are what the DWARF of real CPythons says, field by field.
//!
//! `BLESS=1 cargo test --test layout_tables` makes them anew from the testbed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use cpyjit::image::{Cache, DebugSearch, Image};
use cpyjit::layout::Table;
use cpyjit::platform::Architecture;
use cpyjit::shape::Shape;
use std::path::{Path, PathBuf};

/// The structures of a table. Of the largest only the fields with one of these names, or whose path begins with one.
const SHAPES: &[(&str, &[&str])] = &[
    ("StencilGroup", &[]),
    ("PyASCIIObject", &[]),
    ("PyBytesObject", &[]),
    ("PyCodeObject", &[]),
    ("PyCompactUnicodeObject", &[]),
    ("PyFloatObject", &[]),
    ("PyFunctionObject", &[]),
    ("PyGC_Head", &[]),
    (
        "PyInterpreterState",
        &[
            "next",
            "id",
            "threads",
            "gc",
            "jit",
            "compiling",
            "opt_config",
            "executor_blooms",
            "executor_ptrs",
            "executor_count",
            "executor_capacity",
            "executor_list_head",
            "executor_deletion_list_head",
            "executor_deletion_list_remaining_capacity",
            "executor_creation_counter",
            "trace_run_counter",
            "cold_executor",
            "cold_dynamic_executor",
            "sysdict",
            "builtins",
        ],
    ),
    ("PyLongObject", &[]),
    ("PyObject", &[]),
    ("PyThreadState", &[]),
    ("PyTupleObject", &[]),
    ("PyTypeObject", &[]),
    ("PyVarObject", &[]),
    ("_PyBloomFilter", &[]),
    ("_PyExecutorArray", &[]),
    ("_PyExecutorLinkListNode", &[]),
    ("_PyExecutorObject", &[]),
    ("_PyExitData", &[]),
    ("_PyInterpreterFrame", &[]),
    (
        "_PyRuntimeState",
        &["ref_tracer", "initialized", "interpreters"],
    ),
    ("_PyUOpInstruction", &[]),
    ("_PyVMData", &[]),
    ("_Py_DebugOffsets", &[]),
    ("_gc_runtime_state", &[]),
    ("gc_generation", &[]),
    ("jit_code_entry", &[]),
    ("jit_descriptor", &[]),
    ("PyCellObject", &[]),
    ("PyCFunctionObject", &[]),
    ("PyCoroObject", &[]),
    ("PyDictKeysObject", &[]),
    ("PyDictObject", &[]),
    ("PyDictValues", &[]),
    ("PyGenObject", &[]),
    ("PyListObject", &[]),
    ("PyMethodDescrObject", &[]),
    ("PyMethodObject", &[]),
    ("PyModuleObject", &[]),
    ("PySetObject", &[]),
    ("PySliceObject", &[]),
    ("_PyListIterObject", &[]),
    ("_PyRangeIterObject", &[]),
    ("_PyTupleIterObject", &[]),
];

/// A build that a table is made from, and others that it must be right for too.
struct Build {
    version: u64,
    architecture: Architecture,
    debug: bool,
    table: &'static str,
    files: &'static [&'static str],
}

const BUILDS: [Build; 6] = [
    Build {
        version: 0x030e_0000,
        architecture: Architecture::X86_64,
        debug: false,
        table: "3.14.layout",
        files: &[
            "targets/usr/bin/python3.14",
            "targets/usr/lib/x86_64-linux-gnu/libpython3.14.so.1.0",
        ],
    },
    Build {
        version: 0x030f_0000,
        architecture: Architecture::X86_64,
        debug: false,
        table: "3.15.layout",
        files: &[
            "targets/usr/bin/python3.15",
            "targets/usr/lib/x86_64-linux-gnu/libpython3.15.so.1.0",
        ],
    },
    Build {
        version: 0x030e_0000,
        architecture: Architecture::X86_64,
        debug: true,
        table: "3.14d.layout",
        files: &[
            "targets/usr/bin/python3.14d",
            "targets/usr/lib/x86_64-linux-gnu/libpython3.14d.so.1.0",
        ],
    },
    Build {
        version: 0x030f_0000,
        architecture: Architecture::X86_64,
        debug: true,
        table: "3.15d.layout",
        files: &[
            "targets/usr/bin/python3.15d",
            "targets/usr/lib/x86_64-linux-gnu/libpython3.15d.so.1.0",
        ],
    },
    Build {
        version: 0x030e_0000,
        architecture: Architecture::Aarch64,
        debug: false,
        table: "3.14-aarch64.layout",
        files: &["emulated/usr/bin/python3.14"],
    },
    Build {
        version: 0x030f_0000,
        architecture: Architecture::Aarch64,
        debug: false,
        table: "3.15-aarch64.layout",
        files: &["emulated/usr/bin/python3.15"],
    },
];

fn testbed() -> PathBuf {
    let testbed = std::env::var_os("CPYJIT_TESTBED").expect(
        "this test needs real CPythons: run scripts/test, which makes them and sets CPYJIT_TESTBED",
    );
    PathBuf::from(testbed)
}

fn open(file: &str) -> Image {
    let search = DebugSearch {
        debug_files: Vec::new(),
        debug_directories: ["targets", "emulated"]
            .map(|tree| testbed().join(tree).join("usr/lib/debug"))
            .to_vec(),
    };
    Image::open(&testbed().join(file), &search, &Cache::off()).unwrap()
}

/// What the DWARF of a file says of all structures of a table.
fn from_dwarf(image: &Image) -> Table {
    let names: Vec<&str> = SHAPES.iter().map(|(name, _)| *name).collect();
    let found = image.shapes(&names);
    let shapes = SHAPES.iter().filter_map(|(name, fields)| {
        let shape = found.find(name)?;
        Some(((*name).to_owned(), chosen(shape, fields)))
    });
    Table {
        version_hex: version(image),
        debug_build: false,
        shapes: shapes.collect(),
    }
}

fn chosen(shape: &Shape, fields: &[&str]) -> Shape {
    let wanted = |path: &str| {
        fields.is_empty()
            || fields.iter().any(|name| {
                path.strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
    };
    let mut shape = shape.clone();
    shape.fields.retain(|field| wanted(&field.name));
    shape
}

/// `PY_VERSION_HEX`, the second word of `_PyRuntime`.
fn version(image: &Image) -> u64 {
    let runtime = image.symbol("_PyRuntime").unwrap();
    let content = image.content();
    content
        .pointer(cpyjit::address::Address(runtime.address.0 + 8))
        .unwrap()
        .0
}

#[test]
fn the_tables_are_what_dwarf_says() {
    if std::env::var_os("BLESS").is_some() {
        bless();
    }
    let mut fields = 0;
    for build in &BUILDS {
        let table = Table::of_build(build.version, build.architecture, build.debug).unwrap();
        for file in build.files {
            let dwarf = from_dwarf(&open(file));
            assert!(dwarf.shapes.len() > 20, "{file} has DWARF");
            for (name, expected) in &dwarf.shapes {
                let shape = table.shapes.get(name);
                let shape = shape.unwrap_or_else(|| panic!("{}: no {name}", build.table));
                assert_eq!(shape.size, expected.size, "{} {name} {file}", build.table);
                assert_eq!(
                    shape.fields, expected.fields,
                    "{} {name} {file}",
                    build.table
                );
                fields += shape.fields.len();
            }
            let more: Vec<_> = (table.shapes.keys())
                .filter(|name| !dwarf.shapes.contains_key(*name))
                .collect();
            assert!(
                more.is_empty(),
                "{} has {more:?}, {file} has not",
                build.table
            );
            assert_eq!(
                dwarf.version_hex >> 16,
                table.version_hex >> 16,
                "{} {file}",
                build.table
            );
        }
    }
    println!("{fields} fields of tables are those of the DWARF");
}

#[test]
fn everything_that_the_library_reads_is_in_each_table() {
    for build in &BUILDS {
        let table = Table::of_build(build.version, build.architecture, build.debug).unwrap();
        let wanted = cpyjit::cpython::SHAPES;
        for name in open(build.files.first().unwrap())
            .shapes(wanted)
            .shapes
            .into_keys()
        {
            assert!(table.shapes.contains_key(&name), "{} {name}", build.table);
        }
    }
}

/// Writes the tables: of debug builds only the structures that differ from those of release builds.
fn bless() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/layout/tables");
    for build in &BUILDS {
        let mut table = from_dwarf(&open(build.files.first().unwrap()));
        let kind = if build.debug { "debug" } else { "release" };
        let release = build
            .table
            .replace("d.layout", ".layout")
            .replace("-aarch64", "");
        let is_whole = release == build.table;
        if !is_whole {
            let base =
                Table::parse(&std::fs::read_to_string(directory.join(&release)).unwrap()).unwrap();
            table
                .shapes
                .retain(|name, shape| base.shapes.get(name) != Some(shape));
        }
        let head = format!(
            "# Layouts of CPython, a {kind} build for {} Linux{}.\n\
             # Made from its DWARF by `BLESS=1 cargo test --test layout_tables`; src/layout/table.rs explains the form.\n",
            build.architecture.platform().title,
            match is_whole {
                true => "",
                false => "; all others are those of the release build for x86-64",
            }
        );
        std::fs::write(directory.join(build.table), head + &table.text()).unwrap();
    }
    println!("written; build again to use them");
}
