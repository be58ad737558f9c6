//! How long the first look at a CPython takes without debug information, against the same with it.
//!
//! `CPYJIT_TESTBED=$(scripts/testbed --path) cargo bench --bench start`. Nothing is kept on disk; the files are in the
//! system's page cache. Goal: at most 3 times.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use cpyjit::cpython::{SHAPES, SYMBOLS};
use cpyjit::error::Fault;
use cpyjit::image::{Cache, DebugSearch, Image};
use cpyjit::layout::{DebugOffsets, load_layouts, load_symbols, load_tables, scan_symbols};
use cpyjit::target::{Memory, Reader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const ROUNDS: usize = 9;

/// Only `_PyRuntime` is read of it.
struct Runtime(cpyjit::address::Address, Vec<u8>);

impl Memory for Runtime {
    fn read(&self, address: cpyjit::address::Address, into: &mut [u8]) -> Result<(), Fault> {
        let bytes = (address.offset_from(self.0))
            .and_then(|offset| self.1.get(usize::try_from(offset).ok()?..))
            .and_then(|bytes| bytes.get(..into.len()));
        into.copy_from_slice(bytes.ok_or(Fault {
            address,
            length: 0,
            readable: 0,
        })?);
        Ok(())
    }
}

/// The best of some rounds of finding all layouts and symbols.
fn start(path: &Path, debug: &[PathBuf]) -> Duration {
    let open = || {
        let search = DebugSearch {
            debug_files: vec![],
            debug_directories: debug.to_vec(),
        };
        Image::open(path, &search, &Cache::off()).unwrap()
    };
    let image = open();
    let architecture = image.machine().architecture().unwrap();
    let runtime = image.symbol("_PyRuntime").unwrap().address;
    let memory = Runtime(runtime, image.content().from(runtime).to_vec());
    let reader = Reader::new(&memory);
    let offsets = DebugOffsets::read(reader, runtime).unwrap();
    let round = |_| {
        let begin = Instant::now();
        let image = open();
        let mut symbols = load_symbols(&image, 0, SYMBOLS);
        let (mut layouts, _) = load_layouts(&image, SHAPES);
        load_tables(&mut layouts, reader, runtime, offsets, architecture, SHAPES).unwrap();
        let reasons = scan_symbols(&mut symbols, &image, 0, &layouts, offsets);
        assert!(reasons.is_empty() && symbols.find("stencil_groups").is_some());
        begin.elapsed()
    };
    (0..ROUNDS).map(round).min().unwrap()
}

fn main() {
    let testbed = std::env::var_os("CPYJIT_TESTBED").expect("CPYJIT_TESTBED: see scripts/testbed");
    let usr = Path::new(&testbed).join("targets/usr");
    let directory = tempfile::tempdir().unwrap();
    let stripped = directory.path().join("python");
    for file in [
        "bin/python3.14",
        "bin/python3.15",
        "bin/python3.14d",
        "bin/python3.15d",
        "lib/x86_64-linux-gnu/libpython3.14.so.1.0",
        "lib/x86_64-linux-gnu/libpython3.15.so.1.0",
    ] {
        let whole = usr.join(file);
        let status = (Command::new("strip").arg("--strip-all").arg("-o"))
            .args([&stripped, &whole])
            .status();
        assert!(status.expect("strip, of binutils").success());
        let with = start(&whole, &[usr.join("lib/debug")]);
        let without = start(&stripped, &[]);
        println!(
            "{file}: {:.1} ms without debug information, {:.1} ms with it: {:.2} times",
            without.as_secs_f64() * 1e3,
            with.as_secs_f64() * 1e3,
            without.as_secs_f64() / with.as_secs_f64()
        );
    }
}
