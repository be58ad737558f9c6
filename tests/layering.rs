//! Layers go one way: each module imports only what its row allows (the list in `src/lib.rs`, top to bottom).

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Module, and the modules of this crate and outside crates that it may import. Everything may import layer 0.
const ROWS: &[(&str, &[&str], &[&str])] = &[
    // 0
    ("error", &["address"], &["thiserror"]),
    ("address", &[], &["serde"]),
    ("shape", &[], &["serde"]),
    // Registers of threads, files, instructions and stacks are all a machine's: what differs is said once, for all.
    ("platform", &["address", "error"], &[]),
    // 1
    (
        "target",
        &[],
        &[
            "flate2",
            "libc",
            "lz4_flex",
            "lzma_rust2",
            "memchr",
            "memmap2",
            "object",
            "ruzstd",
            "tempfile",
        ],
    ),
    // 2
    (
        "image",
        &["target"],
        &[
            "flate2",
            "gimli",
            "memchr",
            "memmap2",
            "object",
            "ruzstd",
            "serde",
            "serde_json",
        ],
    ),
    // 3
    ("layout", &["target", "image"], &[]),
    // 4
    ("cpython", &["target", "layout"], &["memchr"]),
    ("disasm", &[], &["capstone"]),
    // 5
    ("map", &["target", "layout", "cpython", "disasm"], &[]),
    // Runs the emitters of the target; what is emitted, and where, it has from the map.
    (
        "restitch",
        &["target", "layout", "cpython", "disasm", "map"],
        &["thiserror"],
    ),
    // From a frame to its caller: follows instructions and unwind tables of files; knows no structures of CPython.
    ("unwind", &["target", "image", "disasm"], &["gimli"]),
    // 6
    (
        "listing",
        &[
            "target", "image", "layout", "cpython", "disasm", "map", "restitch",
        ],
        &["serde"],
    ),
    // 7
    (
        "render",
        &["listing"],
        &[
            "anstyle",
            "base64",
            "serde",
            "serde_json",
            "sha2",
            "unicode_width",
        ],
    ),
    // Beside render: model → ELF. It takes the text of the listing from there, and unwind rules as facts.
    (
        "symbols",
        &["listing", "unwind", "render"],
        &["gimli", "object"],
    ),
    // 8
    (
        "session",
        // It gathers the model of an executor's symbols, of which reading and writing make one answer.
        &[
            "target", "image", "layout", "cpython", "disasm", "map", "restitch", "unwind",
            "listing", "symbols",
        ],
        &[],
    ),
    // Steers a debugger: state that outlives a stop.
    (
        "control",
        &[
            "target", "cpython", "disasm", "map", "listing", "symbols", "session",
        ],
        &["strsim"],
    ),
    // 9
    (
        "command",
        &["listing", "render", "session", "control"],
        &["clap"],
    ),
    // 10
    (
        "python",
        // The console command of an installed package is the command line in the extension.
        &["target", "session", "control", "command", "command_line"],
        &["pyo3"],
    ),
    // The symbols of expressions are the image's; debuggers have their own.
    (
        "command_line",
        // The doctor's report is a model like any other, and it tells whether built-in layouts will do.
        &[
            "target", "image", "layout", "listing", "session", "symbols", "command",
        ],
        &[
            "anstream",
            "clap",
            "clap_complete",
            "serde",
            "serde_json",
            "tempfile",
            "terminal_size",
        ],
    ),
];

const LAYER_0: [&str; 4] = ["error", "address", "shape", "platform"];

#[test]
fn every_module_has_a_row() {
    let rows: Vec<&str> = ROWS.iter().map(|(name, _, _)| *name).collect();
    for module in modules().into_keys() {
        assert!(
            rows.contains(&module.as_str()),
            "src/{module} has no row in tests/layering.rs"
        );
    }
    for name in rows {
        assert!(
            modules().contains_key(name),
            "row {name} of tests/layering.rs has no module"
        );
    }
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for (module, files) in modules() {
        let Some((_, inside, outside)) = ROWS.iter().find(|(name, _, _)| *name == module) else {
            continue;
        };
        for file in files {
            let source = code(&fs::read_to_string(&file).unwrap());
            for name in after("crate::", &source) {
                let allowed = name == module
                    || LAYER_0.contains(&name.as_str())
                    || inside.contains(&name.as_str());
                if is_module(&name) && !allowed {
                    wrong.push(format!(
                        "{}: {module} may not import {name}; its row allows {inside:?}",
                        file.display()
                    ));
                }
            }
            for name in dependencies() {
                if uses(&source, &name) && !outside.contains(&name.as_str()) {
                    wrong.push(format!(
                        "{}: {module} may not use {name}; its row allows {outside:?}",
                        file.display()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The only places that may tell one machine from another.
const OF_MACHINES: [&str; 3] = [
    "src/platform/",
    "src/disasm/dialect/",
    "src/restitch/machine/",
];

#[test]
fn nothing_else_asks_which_machine_it_is() {
    let mut wrong = Vec::new();
    let mut asked = 0;
    for file in modules().into_values().flatten() {
        let path = file.to_str().unwrap();
        if path.contains("/tests/") {
            continue;
        }
        let source = code(&fs::read_to_string(&file).unwrap());
        let names = after("Architecture::", &source);
        let mut machines =
            (names.iter()).filter(|name| ["X86_64", "Aarch64"].contains(&name.as_str()));
        if OF_MACHINES.iter().any(|place| path.contains(place)) {
            asked += machines.count();
        } else if let Some(machine) = machines.next() {
            wrong.push(format!(
                "{path} names {machine}: make it a fact of `Platform`"
            ));
        }
    }
    assert!(asked > 0, "the test no longer sees names of machines");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_test_sees_imports() {
    let source = code(
        "use crate::map::{A};\n// crate::python\nfn f() { crate::render::text(); }\n#[cfg(test)]\nmod t { use crate::x::Y; }",
    );
    assert_eq!(after("crate::", &source), ["map", "render"]);
    assert!(
        uses("let x = object::File::parse();", "object")
            && uses("use ::gimli::X;\ngimli::Y", "gimli")
    );
    assert!(!uses(
        "use self::object::Objects; use my_object::X;",
        "object"
    ));
    assert!(dependencies().contains(&"unicode_width".to_owned()));
}

/// The crates under `[dependencies]`, as code writes them.
fn dependencies() -> Vec<String> {
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let section = manifest.split("[dependencies]\n").nth(1).unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let names = lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name.trim().replace('-', "_"));
    names.collect()
}

/// Whether `name::` stands in the source, and not as a part of a longer path or name.
fn uses(source: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let mut pieces = source.split(&path).peekable();
    while let Some(before) = pieces.next() {
        let last = before.chars().next_back().unwrap_or(' ');
        if pieces.peek().is_some() && !(last.is_alphanumeric() || last == '_' || last == ':') {
            return true;
        }
    }
    false
}

fn is_module(name: &str) -> bool {
    ROWS.iter().any(|(module, _, _)| *module == name)
}

/// The source files of each module.
fn modules() -> BTreeMap<String, Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut modules = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            modules.insert(name, files(&path));
        } else if !["lib", "main"].contains(&name.as_str()) {
            modules.insert(name, vec![path]);
        }
    }
    modules
}

/// All but files of tests, which may make what they need.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("tests.rs")
        {
            found.push(path);
        }
    }
    found
}

/// The source without comments and without the tests at its end, which may make what they need.
fn code(source: &str) -> String {
    let source = source
        .split("#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default();
    let lines = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The names that stand behind each occurrence of `prefix`.
fn after(prefix: &str, source: &str) -> Vec<String> {
    let name = |rest: &str| {
        rest.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    source.split(prefix).skip(1).map(name).collect()
}
