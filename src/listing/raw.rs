//! Machine code without its executor: what `executor.get_jit_code()` returned.

use super::model::View;
use super::rows::InstructionRow;
use crate::address::Address;
use crate::disasm::{Architecture, Disassembler, Syntax};
use crate::error::Result;
use serde::Serialize;

/// A blob of machine code.
#[derive(Clone, Debug, Serialize)]
pub struct RawData {
    /// The address of its first byte, as far as anybody said.
    pub base: Address,
    /// Its bytes.
    pub size: u64,
    /// How many of them are zeros at the end; these are not decoded.
    pub zeros: u64,
    /// The rest as instructions, one behind the other.
    pub instructions: Vec<InstructionRow>,
    /// What of it text shows.
    #[serde(skip)]
    pub view: View,
}

impl RawData {
    /// Decodes `code` from its first byte on.
    pub fn new(
        code: &[u8],
        base: Address,
        architecture: Architecture,
        syntax: Syntax,
        view: View,
    ) -> Result<RawData> {
        let zeros = code.iter().rev().take_while(|byte| **byte == 0).count();
        let used = code
            .get(..code.len().saturating_sub(zeros))
            .unwrap_or_default();
        let mut instructions = Vec::new();
        Disassembler::new(architecture, syntax)?.decode(None, base, used, &mut instructions);
        let mut rest = used;
        let rows = instructions.into_iter().map(|instruction| {
            let length = usize::from(instruction.length());
            let (bytes, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = behind;
            InstructionRow::new(instruction, bytes)
        });
        Ok(RawData {
            base,
            size: code.len() as u64,
            zeros: zeros as u64,
            instructions: rows.collect(),
            view,
        })
    }
}
