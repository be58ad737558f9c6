//! `_PyOpcode_Caches` and `_PyOpcode_Deopt` (`Include/internal/pycore_opcode_metadata.h`).

use super::{Names, only};
use crate::address::{Address, Range};
use crate::image::Content;

/// Both tables have a byte for each opcode.
const OPCODES: usize = 256;

/// Instructions with inline caches, and how many code units they have, in 3.14.
const CACHES: [(&str, u8); 19] = [
    ("BINARY_OP", 5),
    ("CALL", 3),
    ("CALL_KW", 3),
    ("COMPARE_OP", 1),
    ("CONTAINS_OP", 1),
    ("FOR_ITER", 1),
    ("JUMP_BACKWARD", 1),
    ("LOAD_ATTR", 9),
    ("LOAD_GLOBAL", 4),
    ("LOAD_SUPER_ATTR", 1),
    ("POP_JUMP_IF_FALSE", 1),
    ("POP_JUMP_IF_NONE", 1),
    ("POP_JUMP_IF_NOT_NONE", 1),
    ("POP_JUMP_IF_TRUE", 1),
    ("SEND", 1),
    ("STORE_ATTR", 4),
    ("STORE_SUBSCR", 1),
    ("TO_BOOL", 3),
    ("UNPACK_SEQUENCE", 1),
];

/// Those that have some since 3.15.
const MORE_CACHES: [(&str, u8); 3] = [("CALL_FUNCTION_EX", 1), ("GET_ITER", 1), ("RESUME", 1)];

/// Instructions that stand for themselves: from here on …
const FIRST_PLAIN: u8 = 4;
/// … to here, in 3.14 and 3.15. Other tables of bytes are ascending too, but not also right for the specialised ones.
const LAST_PLAIN: u8 = 120;

/// The inline caches: the very table that the names demand, in one version or the other.
pub(super) fn caches(content: &Content<'_>, names: &Names<'_>) -> Result<Range, String> {
    let older = cache_table(&CACHES, names)?;
    let newer = cache_table(&[&CACHES[..], &MORE_CACHES].concat(), names)?;
    let places: Vec<Address> = content.find(&older).chain(content.find(&newer)).collect();
    only(places, "table of inline caches").map(range)
}

fn cache_table(caches: &[(&str, u8)], names: &Names<'_>) -> Result<[u8; OPCODES], String> {
    let mut table = [0; OPCODES];
    for (name, units) in caches {
        let opcode = names
            .iter()
            .find_map(|(opcode, known)| (known == name).then_some(*opcode))
            .ok_or_else(|| format!("the opcode of {name} is not known"))?;
        if let Some(slot) = table.get_mut(usize::from(opcode)) {
            *slot = *units;
        }
    }
    Ok(table)
}

/// What each instruction stands for: itself, or one with the same first word in its name (`CALL_EX_PY` is a
/// `CALL_FUNCTION_EX`).
pub(super) fn deopt(content: &Content<'_>, names: &Names<'_>) -> Result<Range, String> {
    if names.is_empty() {
        return Err("the names of bytecode instructions are not known".to_owned());
    }
    let plain: Vec<u8> = (FIRST_PLAIN..=LAST_PLAIN).collect();
    let places = (content.find(&plain))
        .filter_map(|place| super::before(place, u64::from(FIRST_PLAIN)))
        .filter(|start| {
            let table = content.from(*start).first_chunk::<OPCODES>();
            table.is_some_and(|table| is_deopt(table, names))
        })
        .collect();
    only(places, "table of base instructions").map(range)
}

fn is_deopt(table: &[u8; OPCODES], names: &Names<'_>) -> bool {
    let specialised = (0..=u8::MAX)
        .zip(table)
        .filter(|(opcode, base)| opcode != *base);
    let fits = |(opcode, base): (u8, &u8)| {
        let word = |opcode| Some(names.get(opcode)?.split('_').next());
        word(&opcode).is_some() && word(&opcode) == word(base)
    };
    // Without any specialised instruction it is some other ascending table.
    specialised.clone().next().is_some() && specialised.into_iter().all(fits)
}

fn range(start: Address) -> Range {
    Range::new(start, OPCODES as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> [u8; OPCODES] {
        std::array::from_fn(|index| u8::try_from(index).unwrap())
    }

    #[test]
    fn specialised_instructions_begin_like_their_base() {
        let names: Names<'_> = [(44, "BINARY_OP"), (52, "CALL"), (130, "BINARY_OP_ADD_INT")].into();
        let mut table = identity();
        assert!(
            !is_deopt(&table, &names),
            "an ascending table is no such one"
        );
        table[130] = 44;
        assert!(is_deopt(&table, &names));
        table[130] = 52;
        assert!(!is_deopt(&table, &names));
        table[130] = 44;
        table[140] = 44;
        assert!(!is_deopt(&table, &names), "140 has no name");
    }
}
