//! Tries the library on thousands of damaged cores, executables and debug files of real CPythons. `scripts/mutate --help`.
//!
//! A supervisor makes the files and watches worker processes; each worker damages its own copies in place, case by case,
//! runs the commands on them and mends them again. What a case does depends on the seed and its number alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

#[path = "../bodies/choices.rs"]
#[allow(dead_code)]
mod choices;
mod elf;
mod files;
#[path = "../bodies/front_end.rs"]
mod front_end;
mod heap;
mod made;
mod mutation;
mod options;
mod places;
mod supervisor;
mod totals;
mod trial;
#[path = "../bodies/views.rs"]
mod views;
mod worker;

use options::{Options, Role};
use std::process::ExitCode;

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(reason) => {
            eprintln!("mutate: {reason}");
            return ExitCode::from(2);
        }
    };
    let outcome = match &options.role {
        Role::Supervisor => supervisor::run(&options),
        Role::Worker { first, step } => worker::run(&options, *first, *step).map(|()| true),
        Role::Replay(case) => worker::replay(&options, *case).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            eprintln!("mutate: {reason}");
            ExitCode::from(2)
        }
    }
}
