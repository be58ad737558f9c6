//! Arrays of pointers to names: `_PyOpcode_uop_name` and `_PyOpcode_OpName`.

use super::{Names, POINTER, before, only};
use crate::address::{Address, Range};
use crate::image::Content;

/// More entries than either table has.
const MOST_NAMES: u64 = 1 << 15;

/// Longer than any name in them.
const LONGEST_NAME: usize = 96;

/// Strings that end like a name are fewer in a CPython.
const MOST_STRINGS: usize = 64;

/// A table that was found, with its names.
pub(super) struct NameTable<'c> {
    pub(super) range: Range,
    pub(super) names: Vec<Option<&'c str>>,
}

impl NameTable<'_> {
    /// The names of the opcodes that can stand in bytecode.
    pub(super) fn by_opcode(&self) -> Names<'_> {
        (0..=u8::MAX)
            .zip(&self.names)
            .filter_map(|(opcode, name)| Some((opcode, (*name)?)))
            .collect()
    }
}

/// What tells a table: two names that follow each other in it and nowhere else, and the index of the first.
struct Signature {
    names: [&'static str; 2],
    index: u64,
    is_name: fn(&str) -> bool,
    what: &'static str,
}

/// `_PyOpcode_uop_name`: uops begin at 300 with these two (`Include/internal/pycore_uop_ids.h`, 3.13 to 3.16).
pub(super) fn uop_names<'c>(content: &'c Content<'_>) -> Result<NameTable<'c>, String> {
    find(
        content,
        &Signature {
            names: ["_EXIT_TRACE", "_SET_IP"],
            index: 300,
            is_name: is_uop_name,
            what: "table of uop names (_EXIT_TRACE, _SET_IP, …)",
        },
    )
}

/// `_PyOpcode_OpName`: the first two instructions have had no other numbers since 3.13 (`Include/opcode_ids.h`).
pub(super) fn opcode_names<'c>(content: &'c Content<'_>) -> Result<NameTable<'c>, String> {
    find(
        content,
        &Signature {
            names: ["CACHE", "BINARY_SLICE"],
            index: 0,
            is_name: is_upper_case,
            what: "table of instruction names (CACHE, BINARY_SLICE, …)",
        },
    )
}

fn find<'c>(content: &'c Content<'_>, signature: &Signature) -> Result<NameTable<'c>, String> {
    let [first, second] = signature.names;
    let follows = |place: &Address| {
        (content.pointer(place.wrapping_add(POINTER)))
            .and_then(|next| content.c_string(next, LONGEST_NAME))
            == Some(second.as_bytes())
    };
    let places = (content.find_string(first).take(MOST_STRINGS))
        .flat_map(|string| content.find_pointers(string))
        .filter(follows)
        .collect();
    let hit = only(places, signature.what)?;
    let start = before(hit, signature.index.saturating_mul(POINTER))
        .ok_or("its start would be below address 0")?;
    let names = names(content, start, signature.is_name);
    let size = u64::try_from(names.len())
        .unwrap_or(0)
        .saturating_mul(POINTER);
    if hit.offset_from(start).is_none_or(|offset| offset >= size) {
        return Err(format!("the entries before {first} are no names"));
    }
    Ok(NameTable {
        range: Range::new(start, size),
        names,
    })
}

/// The entries up to the first that is no name, without the empty ones at the end.
fn names<'c>(
    content: &'c Content<'_>,
    start: Address,
    is_name: fn(&str) -> bool,
) -> Vec<Option<&'c str>> {
    let name = |address| {
        let bytes = content.c_string(address, LONGEST_NAME)?;
        std::str::from_utf8(bytes).ok().filter(|name| is_name(name))
    };
    let mut names: Vec<Option<&str>> = (0..MOST_NAMES)
        .map_while(|index| {
            match content.pointer(start.wrapping_add(index.saturating_mul(POINTER)))? {
                Address::NULL => Some(None),
                address => name(address).map(Some),
            }
        })
        .collect();
    while let Some(None) = names.last() {
        names.pop();
    }
    names
}

/// `_LOAD_FAST`, `_LOAD_FAST_r01`.
fn is_uop_name(name: &str) -> bool {
    let base = match name.rsplit_once("_r") {
        Some((base, digits)) if digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            base
        }
        _ => name,
    };
    base.strip_prefix('_').is_some_and(is_upper_case)
}

fn is_upper_case(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_uops() {
        for name in ["_LOAD_FAST", "_LOAD_FAST_7_r23", "_NOP_r00"] {
            assert!(is_uop_name(name), "{name}");
        }
        for name in ["", "_", "LOAD_FAST", "_load", "_NOP_r0", "_NOP_rab"] {
            assert!(!is_uop_name(name), "{name}");
        }
    }
}
