//! Tables of CPython in a file that has no symbols for them, by what they look like.
//!
//! Each is believed only if exactly one place of the file fits.

mod bytecode;
mod names;
mod stencils;
mod type_object;

use super::Layouts;
use crate::address::{Address, Range};
use crate::image::{Content, Scanned};
use std::collections::BTreeMap;

/// The rules of this module and the built-in tables that they use, for answers that are kept. To be changed with them.
pub(super) const RULES: &str = concat!(env!("CARGO_PKG_VERSION"), " 2");

/// What a scan is for. If it is made, it looks for `_PyOpcode_OpName` too, which not every build has.
pub(super) const NEEDED: [&str; 6] = [
    "PyCode_Type",
    "_PyOpcode_Caches",
    "_PyOpcode_Deopt",
    "_PyOpcode_uop_name",
    "_PyUOpExecutor_Type",
    "stencil_groups",
];

/// Size of a pointer of the target.
const POINTER: u64 = 8;

/// Looks for all of [`NEEDED`].
pub(super) fn scan(content: &Content<'_>, layouts: &Layouts, version_hex: u64) -> Scanned {
    let mut scanned = Scanned::default();
    let uops = names::uop_names(content);
    let stencils = match &uops {
        Ok(uops) => stencils::stencil_groups(content, layouts, &uops.names),
        Err(_) => Err("not to be told without those names".to_owned()),
    };
    let opcodes = names::opcode_names(content);
    let known = match &opcodes {
        Ok(table) => table.by_opcode(),
        Err(_) => super::opcode_names(version_hex)
            .map(|names| names.iter().copied().collect())
            .unwrap_or_default(),
    };
    let found = [
        ("_PyOpcode_uop_name", uops.map(|table| table.range)),
        ("stencil_groups", stencils),
        ("_PyOpcode_Caches", bytecode::caches(content, &known)),
        ("_PyOpcode_Deopt", bytecode::deopt(content, &known)),
        (
            "_PyUOpExecutor_Type",
            type_object::find(content, layouts, &type_object::EXECUTOR),
        ),
        (
            "PyCode_Type",
            type_object::find(content, layouts, &type_object::CODE),
        ),
    ];
    for (name, result) in found {
        note(&mut scanned, name, result);
    }
    // Release builds of 3.14 have no names of instructions: that they are not found is no news.
    if let Ok(table) = opcodes {
        note(&mut scanned, "_PyOpcode_OpName", Ok(table.range));
    }
    scanned
}

fn note(scanned: &mut Scanned, name: &str, result: Result<Range, String>) {
    match result {
        Ok(range) => drop(scanned.found.insert(name.to_owned(), range)),
        Err(reason) => drop(scanned.reasons.insert(name.to_owned(), reason)),
    }
}

/// Names of bytecode instructions by opcode.
type Names<'n> = BTreeMap<u8, &'n str>;

/// The only one, or how many there are.
fn only<T>(mut found: Vec<T>, what: &str) -> Result<T, String> {
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(format!("the file contains no {what}")),
        (Some(_), others) => Err(format!(
            "{} places in the file could be the {what}",
            others.saturating_add(1)
        )),
    }
}

/// The address `bytes` before this one.
fn before(address: Address, bytes: u64) -> Option<Address> {
    address.0.checked_sub(bytes).map(Address)
}
