//! The kernel's own library, which every process has in memory and no disk has: clocks are read in it.

use super::LinkMap;
use super::elf_file::Elf;
use crate::address::Address;
use crate::target::Reader;
use object::read::{Object, ObjectSection, ObjectSymbol};

/// How glibc calls it in its list; it has this name on x86-64 and AArch64.
const NAME: &str = "linux-vdso.so.1";

/// Sizes of it, in bytes, the largest first: two pages on x86-64, up to two of 64 KiB on AArch64.
const SIZES: [u64; 4] = [1 << 17, 1 << 14, 1 << 13, 1 << 12];

/// The library as it is in memory.
#[derive(Debug)]
pub struct Vdso {
    base: Address,
    bytes: Vec<u8>,
}

impl Vdso {
    /// The one that the dynamic linker lists, if it can be read.
    pub fn read(reader: Reader<'_>, linked: &LinkMap) -> Option<Vdso> {
        let base = Address(linked.bias(NAME.as_ref())?);
        let bytes = SIZES
            .into_iter()
            .find_map(|size| reader.bytes(base, size, NAME).ok())?;
        Elf::parse(&bytes).ok()?;
        Some(Vdso { base, bytes })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        NAME
    }

    /// How far from its own addresses it lies.
    pub fn bias(&self) -> u64 {
        self.base.0
    }

    /// Whether it has code at one of its own addresses.
    pub fn has_code(&self, address: Address) -> bool {
        self.section(".text").is_some_and(|(start, code)| {
            let offset = address
                .offset_from(start)
                .and_then(|at| usize::try_from(at).ok());
            offset.is_some_and(|offset| offset < code.len())
        })
    }

    /// The bytes of a section, and where it is.
    pub fn section(&self, name: &str) -> Option<(Address, &[u8])> {
        let elf = Elf::parse(&*self.bytes).ok()?;
        let section = elf.section_by_name(name)?;
        Some((Address(section.address()), section.data().ok()?))
    }

    /// The function at one of its own addresses, and bytes from its start.
    pub fn nearest(&self, address: Address) -> Option<(String, u64)> {
        let elf = Elf::parse(&*self.bytes).ok()?;
        elf.dynamic_symbols().find_map(|symbol| {
            let offset = address.offset_from(Address(symbol.address()))?;
            let name = symbol.name().ok().filter(|_| offset < symbol.size())?;
            Some((name.to_owned(), offset))
        })
    }
}
