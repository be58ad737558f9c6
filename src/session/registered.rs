//! The copies of machine code that CPython hands to debuggers.

use crate::address::Address;
use crate::cpython::Registration;
use crate::image::RegisteredElf;
use crate::target::Reader;

/// The code in a registered file.
pub struct RegisteredCode {
    /// Where the code is.
    pub address: Address,
    /// The copy of it.
    pub text: Vec<u8>,
    /// How many bytes its symbol covers.
    pub size: u64,
}

impl RegisteredCode {
    /// Reads the file of a registration.
    ///
    /// # Errors
    /// A sentence, if it cannot be read or is not of CPython's JIT.
    pub fn read(reader: Reader<'_>, registration: &Registration) -> Result<RegisteredCode, String> {
        let file = registration.file;
        let bytes = reader
            .bytes(file.start, file.size, "file registered for debuggers")
            .map_err(|error| error.to_string())?;
        let elf = RegisteredElf::parse(&bytes)?;
        Ok(RegisteredCode {
            address: elf.address,
            text: elf.text.to_vec(),
            size: elf.size,
        })
    }
}
