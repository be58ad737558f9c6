//! Names by address, from the symbol tables.

use super::Image;
use super::elf_file::Elf;
use crate::address::Address;
use object::LittleEndian;
use object::read::Object;
use object::read::elf::Sym;

/// More symbols than any CPython has (3.15: 40,000), so that a damaged file cannot fill the memory.
const MOST_SYMBOLS: usize = 1 << 20;

/// Symbols inside of another one's range that are stepped over to find it (parts of `_PyRuntime`, labels).
const MOST_INSIDE: usize = 64;

/// Longer names are no CPython's.
const LONGEST_NAME: usize = 256;

/// A function or variable around an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nearest<'i> {
    /// Its name.
    pub name: &'i str,
    /// Bytes from its start.
    pub offset: u64,
}

/// The symbols of a file by address.
#[derive(Default, Debug)]
pub(super) struct Names {
    /// Of several at one address, the best.
    entries: Vec<Entry>,
    names: String,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    address: u64,
    size: u64,
    /// The smaller the better, of symbols at the same address.
    rank: u8,
    name: (usize, usize),
}

impl Image {
    /// The function or variable that `address` lies in, at the addresses of the file: from `.symtab` of the debug file,
    /// else of the file, else from `.dynsym`. Symbols without a size are found at their start only.
    pub fn nearest(&self, address: Address) -> Option<Nearest<'_>> {
        self.names.get_or_init(|| self.read_names()).find(address.0)
    }

    fn read_names(&self) -> Names {
        let files = [self.debug.as_ref(), Some(&self.file)];
        for file in files.into_iter().flatten() {
            if let Ok(elf) = file.elf()
                && elf.symbol_table().is_some()
            {
                let names = Names::read(&elf, false);
                if !names.entries.is_empty() {
                    return names;
                }
            }
        }
        self.file
            .elf()
            .map(|elf| Names::read(&elf, true))
            .unwrap_or_default()
    }
}

impl Names {
    fn read(elf: &Elf<'_>, dynamic: bool) -> Names {
        let table = match dynamic {
            true => elf.elf_dynamic_symbol_table(),
            false => elf.elf_symbol_table(),
        };
        let mut names = Names::default();
        for entry in table.iter().take(MOST_SYMBOLS) {
            let is_address = matches!(
                entry.st_type(),
                object::elf::STT_NOTYPE | object::elf::STT_OBJECT | object::elf::STT_FUNC
            );
            if entry.is_undefined(LittleEndian) || !is_address {
                continue;
            }
            let Ok(name) = entry.name(LittleEndian, table.strings()) else {
                continue;
            };
            if let Ok(name) = str::from_utf8(name) {
                names.add(
                    entry.st_value(LittleEndian),
                    entry.st_size(LittleEndian),
                    u8::from(entry.is_local()),
                    name,
                );
            }
        }
        names.sort();
        names
    }

    fn add(&mut self, address: u64, size: u64, rank: u8, name: &str) {
        if name.is_empty() || name.len() > LONGEST_NAME {
            return;
        }
        let start = self.names.len();
        self.names.push_str(name);
        self.entries.push(Entry {
            address,
            size,
            // One with a size says more than a label.
            rank: rank + 2 * u8::from(size == 0),
            name: (start, self.names.len()),
        });
    }

    fn sort(&mut self) {
        self.entries
            .sort_by_key(|entry| (entry.address, entry.rank));
        self.entries.dedup_by_key(|entry| entry.address);
    }

    fn find(&self, address: u64) -> Option<Nearest<'_>> {
        let behind = self
            .entries
            .partition_point(|entry| entry.address <= address);
        let before = self.entries.get(..behind)?.iter().rev().take(MOST_INSIDE);
        for entry in before {
            let offset = address - entry.address;
            if offset == 0 || offset < entry.size {
                let (start, end) = entry.name;
                return Some(Nearest {
                    name: self.names.get(start..end).unwrap_or_default(),
                    offset,
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_inside_a_symbol_has_its_name() {
        let mut names = Names::default();
        names.add(0x100, 0x10, 1, "local");
        names.add(0x100, 0x10, 0, "global");
        names.add(0x200, 0, 0, "label");
        names.add(0x100, 0, 0, "mark");
        names.sort();
        let found = |address| names.find(address).map(|near| (near.name, near.offset));
        assert_eq!(found(0xff), None);
        assert_eq!(found(0x100), Some(("global", 0)));
        assert_eq!(found(0x10f), Some(("global", 15)));
        assert_eq!(found(0x110), None);
        assert_eq!(found(0x200), Some(("label", 0)));
        assert_eq!(found(0x201), None);
    }
}
