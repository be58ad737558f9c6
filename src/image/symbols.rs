//! Addresses by name, from the symbol tables.

use super::elf_file::Elf;
use crate::address::Address;
use object::LittleEndian;
use object::read::elf::{Sym, SymbolTable};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;

/// What a link-time optimiser appends to the name of a static that it had to make visible to other parts of the program.
const PRIVATE_SUFFIXES: [&[u8]; 2] = [b"lto_priv.", b"llvm."];

/// A function or variable of an ELF file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Symbol {
    /// Where it is, at the addresses of the file.
    pub address: Address,
    /// Bytes; 0 if the file does not say.
    pub size: u64,
    /// Where it was found.
    pub source: SymbolSource,
}

/// A symbol table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SymbolSource {
    /// `.symtab` of the separate debug file.
    DebugFile,
    /// `.symtab` of the file itself.
    File,
    /// `.dynsym` of the file itself: only what other files may use.
    Dynamic,
}

impl fmt::Display for SymbolSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SymbolSource::DebugFile => ".symtab of the debug file",
            SymbolSource::File => ".symtab",
            SymbolSource::Dynamic => ".dynsym",
        })
    }
}

/// How well a symbol answers a question for its name; the greater one wins, of equals the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    Suffixed,
    Local,
    Global,
}

/// The symbols with these names in one table, in a single pass over it.
pub(super) fn find(
    table: &SymbolTable<'_, object::elf::FileHeader64<LittleEndian>>,
    source: SymbolSource,
    wanted: &[&str],
) -> HashMap<String, Symbol> {
    let mut best: HashMap<&str, (Match, Symbol)> = HashMap::new();
    for entry in table
        .iter()
        .filter(|entry| !entry.is_undefined(LittleEndian))
    {
        let Ok(name) = entry.name(LittleEndian, table.strings()) else {
            continue;
        };
        let Some((wanted, quality)) = matching(entry, name, wanted) else {
            continue;
        };
        let symbol = Symbol {
            address: Address(entry.st_value(LittleEndian)),
            size: entry.st_size(LittleEndian),
            source,
        };
        let slot = best.entry(wanted).or_insert((quality, symbol));
        if quality > slot.0 {
            *slot = (quality, symbol);
        }
    }
    (best.into_iter())
        .map(|(name, (_, symbol))| (name.to_owned(), symbol))
        .collect()
}

/// Whether the dynamic symbol table defines this name.
pub(super) fn defines(elf: &Elf<'_>, name: &str) -> bool {
    let table = elf.elf_dynamic_symbol_table();
    table.iter().any(|entry| {
        !entry.is_undefined(LittleEndian)
            && entry.name(LittleEndian, table.strings()) == Ok(name.as_bytes())
    })
}

fn matching<'name>(
    entry: &object::elf::Sym64<LittleEndian>,
    name: &[u8],
    wanted: &[&'name str],
) -> Option<(&'name str, Match)> {
    let (stem, suffixed) = without_private_suffix(name);
    let wanted = wanted.iter().find(|wanted| wanted.as_bytes() == stem)?;
    // Sections, files and thread-local offsets are no addresses.
    let is_address = matches!(
        entry.st_type(),
        object::elf::STT_NOTYPE
            | object::elf::STT_OBJECT
            | object::elf::STT_FUNC
            | object::elf::STT_GNU_IFUNC
    );
    let quality = match (suffixed, entry.is_local()) {
        (true, _) => Match::Suffixed,
        (false, true) => Match::Local,
        (false, false) => Match::Global,
    };
    is_address.then_some((*wanted, quality))
}

fn without_private_suffix(name: &[u8]) -> (&[u8], bool) {
    let Some(dot) = memchr::memchr(b'.', name) else {
        return (name, false);
    };
    match name.split_at_checked(dot) {
        Some((stem, [_, suffix @ ..]))
            if PRIVATE_SUFFIXES
                .iter()
                .any(|private| suffix.starts_with(private)) =>
        {
            (stem, true)
        }
        _ => (name, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_suffixes_of_link_time_optimisers_are_taken_off() {
        let stem = without_private_suffix;
        assert_eq!(stem(b"shim.lto_priv.0"), (&b"shim"[..], true));
        assert_eq!(stem(b"shim.llvm.123"), (&b"shim"[..], true));
        assert_eq!(stem(b"f.cold"), (&b"f.cold"[..], false));
        assert_eq!(stem(b"f.constprop.0"), (&b"f.constprop.0"[..], false));
        assert_eq!(stem(b"."), (&b"."[..], false));
        assert_eq!(stem(b""), (&b""[..], false));
    }
}
