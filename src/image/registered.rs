//! The ELF files in memory that a JIT registers for debuggers.

use super::elf_file::Elf;
use crate::address::Address;
use object::read::{Object, ObjectSection, ObjectSymbol};

/// How CPython names the function in them (`Python/jit_unwind.c`); other JITs of the process have other names.
const SYMBOL: &str = "py::jit:executor";

/// What such a file says of a piece of code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegisteredElf<'data> {
    /// Where the code is.
    pub address: Address,
    /// The copy of it.
    pub text: &'data [u8],
    /// How many bytes the symbol says that the code has.
    pub size: u64,
}

impl RegisteredElf<'_> {
    /// Reads the file in `bytes`.
    ///
    /// # Errors
    /// A sentence, if it is none that CPython's JIT makes.
    pub fn parse(bytes: &[u8]) -> Result<RegisteredElf<'_>, String> {
        let elf = Elf::parse(bytes).map_err(|error| format!("it is no ELF file: {error}"))?;
        let symbol = elf
            .symbols()
            .find(|symbol| symbol.name() == Ok(SYMBOL))
            .ok_or_else(|| format!("it has no symbol {SYMBOL}"))?;
        let text = elf
            .section_by_name(".text")
            .ok_or_else(|| "it has no section .text".to_owned())?;
        let data = text
            .data()
            .map_err(|error| format!("its .text cannot be read: {error}"))?;
        Ok(RegisteredElf {
            address: Address(text.address()),
            text: data,
            size: symbol.size(),
        })
    }
}
