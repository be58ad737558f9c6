//! How an ELF file calls a function of another one.

use super::elf_file::Elf;
use crate::address::Address;
use object::LittleEndian;
use object::read::elf::{Rela, SectionHeader, Sym};

/// More relocations than a program has.
const MOST_RELOCATIONS: usize = 1 << 20;

/// The slot through which a file calls a function of another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Import {
    /// Where the function's address stands once the dynamic linker has put it there, at the addresses of the file.
    pub slot: Address,
    /// Whether that may be as late as the first call (`JUMP_SLOT`); such calls go through the procedure linkage table.
    pub is_lazy: bool,
}

/// The slot for the function with this name; of two, the one of the procedure linkage table.
pub(super) fn import(elf: &Elf<'_>, name: &str) -> Option<Import> {
    let mut found: Option<Import> = None;
    let sections = elf.elf_section_table();
    let symbols = elf.elf_dynamic_symbol_table();
    for section in sections.iter() {
        let Ok(Some((relocations, _))) = section.rela(LittleEndian, elf.data()) else {
            continue;
        };
        for relocation in relocations.iter().take(MOST_RELOCATIONS) {
            let Some(index) = relocation.symbol(LittleEndian, false) else {
                continue;
            };
            let symbol = symbols.symbol(index).ok();
            let is_wanted = symbol
                .and_then(|symbol| symbol.name(LittleEndian, symbols.strings()).ok())
                == Some(name.as_bytes());
            if is_wanted && !found.is_some_and(|found| found.is_lazy) {
                found = Some(Import {
                    slot: Address(relocation.r_offset(LittleEndian)),
                    is_lazy: is_jump_slot(elf, relocation.r_type(LittleEndian, false)),
                });
            }
        }
    }
    found
}

fn is_jump_slot(elf: &Elf<'_>, kind: object::elf::RelocationType) -> bool {
    let architecture = super::elf_file::machine(elf).architecture();
    architecture.is_some_and(|architecture| architecture.platform().jump_slot == kind.0)
}
