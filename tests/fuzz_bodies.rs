//! The bodies of the fuzz targets, a second each: bytes from the seeds and the corpus, varied by chance, which is the same
//! in every run. `scripts/fuzz` is for longer.
//!
//! `FUZZ_SECONDS=N` takes longer, `FUZZ_SEED=N` other bytes, `FUZZ_BODY=NAME` only that body. A body that fails leaves its
//! bytes in `target/tmp/fuzz-NAME` (`FUZZ_INPUT=FILE` tries those again). `FUZZ_WRITE_SEEDS=DIR` writes the seeds into
//! `DIR/NAME`, for cargo-fuzz.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

#[path = "fuzz/bodies/mod.rs"]
mod bodies;
mod synthetic;

use bodies::choices::Dice;
use bodies::{BODIES, Body};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// No input may take longer, in a build that is not optimised.
const SLOWEST: Duration = Duration::from_secs(5);

/// Bytes of an input that is made by chance.
const LONGEST: usize = 2048;

#[test]
fn no_bytes_are_too_bad() {
    if let Some(directory) = variable("FUZZ_WRITE_SEEDS") {
        return write_seeds(Path::new(&directory));
    }
    let wanted = variable("FUZZ_BODY").unwrap_or_default();
    let mut tried = 0;
    for body in BODIES.iter().filter(|body| body.name.contains(&wanted)) {
        tried += match variable("FUZZ_INPUT") {
            Some(file) => {
                attempt(body, &std::fs::read(file).unwrap());
                1
            }
            None => try_for_a_while(body),
        };
    }
    assert!(tried > 0, "no body is called so");
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn number(name: &str, default: u64) -> u64 {
    variable(name).map_or(default, |text| text.parse().unwrap())
}

fn try_for_a_while(body: &Body) -> u64 {
    let seeds = seeds(body);
    for seed in &seeds {
        attempt(body, seed);
    }
    let limit = Duration::from_secs(number("FUZZ_SECONDS", 1));
    let mut dice = Dice::new(number("FUZZ_SEED", 1));
    let start = Instant::now();
    let mut tried = seeds.len() as u64;
    while start.elapsed() < limit {
        let bytes = match (dice.below(4), seeds.is_empty()) {
            (0, _) | (_, true) => dice.bytes(LONGEST),
            _ => {
                let seed = dice.below(seeds.len());
                dice.vary(&seeds[seed])
            }
        };
        attempt(body, &bytes);
        tried += 1;
    }
    // Not `println`, which the test harness swallows.
    let _ = writeln!(std::io::stderr(), "{}: {tried} inputs", body.name);
    tried
}

/// Runs a body; keeps the bytes if it fails.
fn attempt(body: &Body, bytes: &[u8]) {
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (body.run)(bytes)));
    let took = start.elapsed();
    if outcome.is_ok() && took <= SLOWEST {
        return;
    }
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{}", body.name));
    std::fs::write(&kept, bytes).unwrap();
    panic!(
        "{}: {} after {took:?}; its bytes are in {}",
        body.name,
        if outcome.is_ok() { "hang" } else { "panic" },
        kept.display()
    );
}

/// What a body names itself, and the files of the corpus, by name.
fn seeds(body: &Body) -> Vec<Vec<u8>> {
    let mut seeds = (body.seeds)();
    seeds.extend(corpus(body.name));
    seeds
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let Ok(entries) = std::fs::read_dir(corpus.join(name)) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn write_seeds(directory: &Path) {
    for body in BODIES {
        let directory = directory.join(body.name);
        std::fs::create_dir_all(&directory).unwrap();
        for (index, seed) in seeds(body).iter().enumerate() {
            std::fs::write(directory.join(format!("seed-{index:03}")), seed).unwrap();
        }
    }
}

/// What is varied has to be sound: damage to what nothing is read from would show nothing.
#[test]
fn the_corpus_is_sound() {
    let images = corpus("image");
    let shapes: Vec<usize> = images
        .iter()
        .map(|seed| bodies::image::shapes(seed))
        .collect();
    // All but one: type units are not read.
    let sound = shapes.iter().filter(|count| **count > 5).count();
    assert_eq!(sound, images.len() - 1, "{shapes:?}");
    let stripped = corpus("stripped");
    let tables: Vec<usize> = stripped
        .iter()
        .map(|seed| bodies::stripped::tables(seed))
        .collect();
    // The last one is damaged: what looks like a type in it begins outside of all segments.
    assert_eq!(tables, [7, 7, 1]);
}
