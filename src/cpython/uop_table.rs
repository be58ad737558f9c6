//! What the target itself says of its uops: names (`_PyOpcode_uop_name`) and stencils (`stencil_groups`).

use crate::address::Address;
use crate::error::{Error, Result};
use crate::layout::{Layouts, Symbols};
use crate::shape::Shape;
use crate::target::Reader;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// More uops than any CPython has (3.15: 1,664 with register variants).
const MOST_UOPS: u64 = 1 << 15;

/// Longer than any name of a uop.
const LONGEST_NAME: usize = 128;

/// The strings of the name table lie together in `.rodata`; farther apart than this they are read one by one.
const LARGEST_NAME_POOL: u64 = 1 << 18;

/// What the JIT emits for one kind of uop (`StencilGroup` in the generated `jit_stencils.h`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stencil {
    /// The emitter; null where the JIT has no stencil for this uop.
    pub emit: Address,
    /// Bytes of machine code. Never depends on operands.
    pub code_size: u64,
    /// Bytes of data, which lie behind the code of the whole trace.
    pub data_size: u64,
    /// A bit for each symbol that is called through a trampoline.
    pub trampoline_mask: Vec<u64>,
    /// A bit for each symbol that is reached through the GOT; `None` where stencils keep such pointers in their data.
    pub got_mask: Option<Vec<u64>>,
}

/// One kind of uop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UopKind {
    /// `_LOAD_FAST_r01`.
    pub name: Arc<str>,
    /// `_LOAD_FAST`.
    pub base: Arc<str>,
    /// For a register variant: how many stack items are in registers before and after it.
    pub cached: Option<(u8, u8)>,
    /// What is emitted for it.
    pub stencil: Stencil,
}

/// All kinds of uops of one CPython, by opcode.
#[derive(Clone, Debug)]
pub struct UopTable {
    kinds: Vec<Option<UopKind>>,
    by_name: HashMap<Arc<str>, u16>,
    /// The stencil before the first uop, where the target has one (3.14).
    pub shim: Option<Stencil>,
    /// Whether pointers to C functions lie in a common GOT behind the data (3.15).
    pub has_got: bool,
}

impl UopTable {
    /// Reads both tables, in a handful of reads.
    pub fn read(reader: Reader<'_>, layouts: &Layouts, symbols: &Symbols) -> Result<UopTable> {
        let group = layouts.shape("StencilGroup")?;
        let stencils = read_stencils(reader, group, symbols)?;
        let names = read_names(reader, symbols)?;
        let has_got = group.find("got_mask").is_some();
        let shim = match symbols.find("shim") {
            Some(shim) => {
                let bytes = reader.bytes(shim.address, group.size, "shim")?;
                Some(stencil(group, &bytes)?)
            }
            None => None,
        };
        Ok(UopTable::new(names, stencils, shim, has_got))
    }

    /// A table of these names and stencils, both by opcode.
    pub fn new(
        names: Vec<Option<String>>,
        stencils: Vec<Stencil>,
        shim: Option<Stencil>,
        has_got: bool,
    ) -> UopTable {
        let mut stencils = stencils.into_iter();
        let kinds: Vec<_> = names
            .into_iter()
            .map(|name| {
                let stencil = stencils.next().unwrap_or_default();
                name.map(|name| kind(&name, stencil))
            })
            .collect();
        let by_name = (0..)
            .zip(&kinds)
            .filter_map(|(opcode, kind)| Some((kind.as_ref()?.name.clone(), opcode)))
            .collect();
        UopTable {
            kinds,
            by_name,
            shim,
            has_got,
        }
    }

    /// The kind with this opcode.
    pub fn kind(&self, opcode: u16) -> Option<&UopKind> {
        self.kinds.get(usize::from(opcode))?.as_ref()
    }

    /// The opcode of the kind with this full name.
    pub fn opcode(&self, name: &str) -> Option<u16> {
        self.by_name.get(name).copied()
    }

    /// The `_FATAL_ERROR` that the JIT puts behind each trace (`_PyJIT_Compile` in `Python/jit.c`).
    pub fn guard(&self) -> Option<(u16, &UopKind)> {
        ["_FATAL_ERROR_r00", "_FATAL_ERROR"]
            .iter()
            .find_map(|name| self.opcode(name))
            .and_then(|opcode| Some((opcode, self.kind(opcode)?)))
    }

    /// All kinds, with their opcodes.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &UopKind)> {
        (0..)
            .zip(&self.kinds)
            .filter_map(|(opcode, kind)| Some((opcode, kind.as_ref()?)))
    }
}

fn kind(name: &str, stencil: Stencil) -> UopKind {
    let (base, cached) = split_variant(name);
    UopKind {
        name: name.into(),
        base: base.into(),
        cached,
        stencil,
    }
}

/// `_LOAD_FAST_r01` is `_LOAD_FAST` with 0 items in registers before and 1 after it (`_rIO`).
fn split_variant(name: &str) -> (&str, Option<(u8, u8)>) {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
    let split = name
        .rsplit_once("_r")
        .and_then(|(base, digits)| match digits.as_bytes() {
            [before, after] => Some((base, (digit(*before)?, digit(*after)?))),
            _ => None,
        });
    split.map_or((name, None), |(base, cached)| (base, Some(cached)))
}

fn entries(size: u64, entry: u64, what: &str, address: Address) -> Result<u64> {
    let count = size.checked_div(entry).unwrap_or(0);
    if (1..=MOST_UOPS).contains(&count) {
        return Ok(count);
    }
    Err(Error::Inconsistent {
        what: what.to_owned(),
        address,
        reason: format!("{size} bytes of {entry} bytes each are no table of uops"),
    })
}

fn read_stencils(reader: Reader<'_>, group: &Shape, symbols: &Symbols) -> Result<Vec<Stencil>> {
    let table = symbols.symbol("stencil_groups")?;
    let count = entries(table.size, group.size, "stencil_groups", table.address)?;
    let bytes = reader.bytes(table.address, count * group.size, "stencil_groups")?;
    let size = usize::try_from(group.size).unwrap_or(0).max(1);
    bytes
        .chunks_exact(size)
        .map(|bytes| stencil(group, bytes))
        .collect()
}

fn stencil(group: &Shape, bytes: &[u8]) -> Result<Stencil> {
    let number = |name: &str| -> Result<u64> {
        let field = group.field(name)?;
        field.unsigned(bytes).ok_or_else(|| Error::NoField {
            shape: group.name.clone(),
            field: name.to_owned(),
        })
    };
    Ok(Stencil {
        emit: Address(number("emit")?),
        code_size: number("code_size")?,
        data_size: number("data_size")?,
        trampoline_mask: mask(group, "trampoline_mask", bytes).unwrap_or_default(),
        got_mask: mask(group, "got_mask", bytes),
    })
}

/// A `symbol_mask`: an array of words, of which each bit stands for one symbol.
fn mask(group: &Shape, name: &str, bytes: &[u8]) -> Option<Vec<u64>> {
    let field = group.find(name)?;
    let start = usize::try_from(field.offset).ok()?;
    let size = usize::try_from(field.size).ok()?;
    let bytes = bytes.get(start..start.checked_add(size)?)?;
    let word = |bytes: &[u8]| {
        let mut word = [0; 8];
        word.iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        u64::from_le_bytes(word)
    };
    Some(bytes.chunks(8).map(word).collect())
}

fn read_names(reader: Reader<'_>, symbols: &Symbols) -> Result<Vec<Option<String>>> {
    let table = symbols.symbol("_PyOpcode_uop_name")?;
    let count = entries(table.size, 8, "_PyOpcode_uop_name", table.address)?;
    let pointers = reader.pointers(table.address, count, "_PyOpcode_uop_name")?;
    let pool = name_pool(&pointers).and_then(|pool| {
        let size = pool.end().0 - pool.start().0 + LONGEST_NAME as u64;
        let bytes = reader.bytes(*pool.start(), size, "names of uops").ok()?;
        Some((*pool.start(), bytes))
    });
    let read = |address: Address| match &pool {
        Some((start, bytes)) => Ok(name_in_pool(*start, bytes, address)),
        None => reader.c_string(address, LONGEST_NAME, "name of a uop"),
    };
    pointers
        .into_iter()
        .map(|address| match address.is_null() {
            true => Ok(None),
            false => read(address).map(|name| Some(name).filter(|name| is_name(name))),
        })
        .collect()
}

/// Whether this can be the name of a uop or an instruction. Anything else is what a damaged table leads to.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// From the first string to the last, if they lie together.
fn name_pool(pointers: &[Address]) -> Option<RangeInclusive<Address>> {
    let names = || {
        pointers
            .iter()
            .copied()
            .filter(|address| !address.is_null())
    };
    let (first, last) = (names().min()?, names().max()?);
    (last.0 - first.0 <= LARGEST_NAME_POOL).then_some(first..=last)
}

fn name_in_pool(start: Address, bytes: &[u8], address: Address) -> String {
    let name = address
        .offset_from(start)
        .and_then(|offset| bytes.get(usize::try_from(offset).ok()?..))
        .unwrap_or_default();
    let end = memchr::memchr(0, name).unwrap_or(name.len());
    String::from_utf8_lossy(name.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_register_variants() {
        assert_eq!(
            split_variant("_LOAD_FAST_r01"),
            ("_LOAD_FAST", Some((0, 1)))
        );
        assert_eq!(
            split_variant("_LOAD_FAST_7_r23"),
            ("_LOAD_FAST_7", Some((2, 3)))
        );
        assert_eq!(split_variant("_POP_TOP"), ("_POP_TOP", None));
        assert_eq!(split_variant("_FOO_r1"), ("_FOO_r1", None));
        assert_eq!(split_variant("_FOO_r123"), ("_FOO_r123", None));
        assert_eq!(split_variant("_FOO_rab"), ("_FOO_rab", None));
    }

    #[test]
    fn finds_kinds_by_name_and_the_guard() {
        let stencil = |code_size| Stencil {
            code_size,
            ..Stencil::default()
        };
        let names = vec![
            None,
            Some("_NOP_r00".to_owned()),
            Some("_FATAL_ERROR_r00".to_owned()),
        ];
        let table = UopTable::new(names, vec![stencil(1), stencil(0), stencil(14)], None, true);
        assert_eq!(table.opcode("_NOP_r00"), Some(1));
        assert_eq!(table.kind(0), None);
        assert_eq!(table.kind(3), None);
        assert_eq!(table.guard().unwrap().1.stencil.code_size, 14);
    }
}
