//! A maker of synthetic targets: lays out, byte for byte, what a description in a case file says.
//!
//! It takes nothing from the library but the types that things are handed over in (`Shape`, `Field`, `Layouts`,
//! `Symbols`, `Address`): no table, no constant, no encoder. Its structures have offsets of their own, so that a reader
//! that knows CPython's by heart fails. `tests/cases.rs` documents the descriptions.

// Each of the test programs that have this module uses a part of it.
#![allow(dead_code)]

pub mod bytecode;
pub mod case;
pub mod control;
pub mod executor;
pub mod json;
pub mod linetable;
pub mod memory;
pub mod registered;
pub mod stencil;
pub mod strings;
pub mod structures;
pub mod target;
pub mod text;
mod view;
