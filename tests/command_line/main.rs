//! The program `cpyjit` on cores and processes of real CPythons.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod against_gdb;
mod backtraces;
mod calls;
mod cores;
mod harness;
mod processes;
