//! Capstone, one instruction at a time.

use super::dialect::{Dialect, Syntax};
use super::pattern::WINDOW;
use crate::error::Error;
use crate::platform::Architecture;
use capstone::Capstone;

/// What capstone says about one instruction.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Decoded {
    pub length: u8,
    pub mnemonic: String,
    pub operands: String,
}

/// A capstone handle. It works without capstone's details, which would double its cost.
pub(super) struct Engine {
    capstone: Capstone,
    pub architecture: Architecture,
}

// SAFETY: capstone's wrapper is not `Send` because its methods change the C handle behind `&self`. The handle has no
// tie to the thread that opened it (no thread-local state, no locks), nobody else has it, and `Engine` is not `Sync`,
// so only one thread at a time can reach it.
unsafe impl Send for Engine {}

impl Engine {
    pub fn new(architecture: Architecture, syntax: Syntax) -> Result<Engine, Error> {
        let capstone = Dialect::of(architecture)
            .capstone(syntax)
            .map_err(|error| Error::Usage {
                message: format!("the disassembler for {architecture} cannot start: {error}"),
                hint: None,
            })?;
        Ok(Engine {
            capstone,
            architecture,
        })
    }

    /// What is different about the machine's code.
    pub fn dialect(&self) -> &'static Dialect {
        Dialect::of(self.architecture)
    }

    /// The first instruction of `code`; `None` if it begins with no instruction.
    pub fn decode(&self, code: &[u8], address: u64) -> Option<Decoded> {
        let bytes = code.get(..WINDOW).unwrap_or(code);
        let mut instructions = self.capstone.disasm_iter(bytes, address).ok()?;
        let instruction = instructions.next()?;
        let length = instruction.len();
        if length == 0 || length > bytes.len() {
            return None;
        }
        Some(Decoded {
            length: u8::try_from(length).ok()?,
            mnemonic: instruction.mnemonic()?.to_owned(),
            operands: instruction.op_str().unwrap_or_default().to_owned(),
        })
    }
}
