//! cpyjit lets a debugger see into CPython's copy-and-patch JIT: which uop, bytecode and source line every byte of
//! machine code belongs to, in a stopped process, a core dump, or a running interpreter looking at itself.
//!
//! The modules are layers; each may use only those above it in this list (`tests/layering.rs` checks it).

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod address;
pub mod command;
pub mod command_line;
pub mod control;
pub mod cpython;
pub mod disasm;
pub mod error;
pub mod image;
pub mod layout;
pub mod listing;
pub mod map;
pub mod platform;

#[cfg(feature = "python")]
mod python;
pub mod render;
pub mod restitch;
pub mod session;
pub mod shape;
pub mod symbols;
pub mod target;
pub mod unwind;
