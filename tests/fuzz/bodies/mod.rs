//! What the fuzz targets do with their bytes: each body a plain function, used by cargo-fuzz (`tests/fuzz/fuzz_targets`)
//! and, for a second each, by `cargo test` (`tests/fuzz_bodies.rs`).
//!
//! A body fails by a panic: one of the library, or an assertion of what must hold for any bytes.

pub mod choices;
mod command_line;
mod control;
mod core;
mod damage;
mod executors;
mod file;
pub mod front_end;
pub mod image;
mod location_table;
mod machine_code;
mod meter;
mod restitch;
mod session;
pub mod stripped;
mod trace;
pub mod views;

/// A fuzz target.
pub struct Body {
    /// The name, that of the file and of its directory in `tests/fuzz/corpus` too.
    pub name: &'static str,
    /// Tries these bytes.
    pub run: fn(&[u8]),
    /// Bytes to begin with, besides those in the corpus.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const BODIES: &[Body] = &[
    command_line::BODY,
    control::BODY,
    core::BODY,
    executors::BODY,
    image::BODY,
    location_table::BODY,
    machine_code::BODY,
    restitch::BODY,
    session::BODY,
    stripped::BODY,
    trace::BODY,
];
