//! Cores that are compressed, cut off, large, or from another machine.

use super::harness::{Crash, complaint, debug_directory, json, on_core, program, text};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Only framed: the encoder takes a minute for a core when it is not optimised.
fn zstandard(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Uncompressed)
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A core of a program in a directory that this machine does not have: its name in the core is another.
fn core_from_elsewhere(core: &Path) -> (Vec<u8>, PathBuf) {
    let directory = program("").to_string_lossy().into_owned();
    let elsewhere = format!("/{:x<1$}/", "elsewhere", directory.len() - 2);
    assert_eq!(directory.len(), elsewhere.len());
    let mut bytes = fs::read(core).unwrap();
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, directory.as_bytes()).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place..place + directory.len()].copy_from_slice(elsewhere.as_bytes());
    }
    (bytes, PathBuf::from(elsewhere))
}

#[test]
fn compressed_and_cut_off_cores_are_read() {
    let crash = Crash::new();
    let whole = text(&crash.ask(&["dis", "f"]));
    let bytes = fs::read(&crash.core).unwrap();
    let packed = crash.scratch.path().join("packed");
    let zipped = gzip(&bytes);
    for content in [zipped.clone(), zstandard(&bytes), lz4(&bytes)] {
        fs::write(&packed, &content).unwrap();
        assert_eq!(
            text(&on_core(&crash.scratch, &packed, &["dis", "f"])),
            whole
        );
    }
    // Half of the memory is gone; what is said of the rest says so, and nothing is made up.
    for content in [&bytes[..bytes.len() / 2], &zipped[..zipped.len() / 2]] {
        fs::write(&packed, content).unwrap();
        let found = json(&on_core(&crash.scratch, &packed, &["list", "--json"]));
        let findings = found["findings"].to_string();
        assert!(findings.contains("cut off"), "{found}");
    }
    fs::write(&packed, &zipped[..12]).unwrap();
    assert!(complaint(&on_core(&crash.scratch, &packed, &["list"]), 1).contains("gzip"));
}

#[test]
fn a_core_from_elsewhere_says_what_to_add() {
    let crash = Crash::new();
    let whole = text(&crash.ask(&["trace", "f"]));
    let alone = TempDir::new().unwrap();
    let core = alone.path().join("core");
    let (bytes, elsewhere) = core_from_elsewhere(&crash.core);
    fs::write(&core, bytes).unwrap();
    let trace = |options: &[&str]| on_core(&alone, &core, &[&["trace", "f"], options].concat());

    let said = complaint(&trace(&[]), 1);
    for expected in ["python3.15", "build id", "--exe", "--sysroot"] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let said = complaint(
        &trace(&["--exe", &program("python3.14").to_string_lossy()]),
        1,
    );
    assert!(
        said.contains("another build") && said.contains("python3.14 has build id"),
        "{said}"
    );
    let right = program("python3.15");
    assert_eq!(text(&trace(&["--exe", &right.to_string_lossy()])), whole);

    let root = alone.path().join("root");
    let place = root.join(elsewhere.strip_prefix("/").unwrap());
    fs::create_dir_all(&place).unwrap();
    std::os::unix::fs::symlink(&right, place.join("python3.15")).unwrap();
    assert_eq!(text(&trace(&["--sysroot", &root.to_string_lossy()])), whole);

    fs::copy(&right, alone.path().join("python3.15")).unwrap();
    assert_eq!(text(&trace(&[])), whole);
}

#[test]
fn a_wrong_executable_is_not_used() {
    let crash = Crash::new();
    let wrong = program("python3.14");
    let found = json(&crash.ask(&["list", "--json", "--exe", &wrong.to_string_lossy()]));
    let right = json(&crash.ask(&["list", "--json"]));
    assert_eq!(found["data"], right["data"]);
    let finding = &found["findings"][0];
    assert_eq!(finding["severity"], "warning");
    assert!(
        finding["what"].as_str().unwrap().contains("is not used"),
        "{finding}"
    );
}

#[test]
fn a_core_of_twenty_gigabytes_costs_no_more_than_a_small_one() {
    let crash = Crash::new();
    let whole = text(&crash.ask(&["dis", "f"]));
    // A hole behind the end: a mapping of 20 GB that was never touched would look so.
    let large = crash.scratch.path().join("large");
    fs::copy(&crash.core, &large).unwrap();
    fs::OpenOptions::new()
        .write(true)
        .open(&large)
        .unwrap()
        .set_len(20 << 30)
        .unwrap();
    let mut limited = Command::new("sh");
    // Memory that is not a map of a file: 400 MB are allowed (the debug file is 24 MB, uncompressed in part).
    limited.args([
        "-c",
        "ulimit -d 400000 && exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_cpyjit"),
        "dis",
        "--core",
    ]);
    limited
        .arg(&large)
        .arg("--debug-dir")
        .arg(debug_directory())
        .arg("f");
    assert_eq!(
        text(&limited.env("CPYJIT_CACHE", "off").output().unwrap()),
        whole
    );
}
