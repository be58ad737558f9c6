//! What registers hold at a place in the machine code of a uop.

use super::build::{Detail, ListingBuilder};
use super::machine_code::MachineCode;
use super::notes::{Held, Here, Own};
use crate::address::{Address, UopIndex};
use crate::disasm::{Flow, Instruction, Syntax};
use crate::map::MappedExecutor;

/// Only the machine code is needed.
const CODE: Detail = Detail {
    instructions: true,
    notes: false,
    source: false,
    parents: false,
    exits: false,
    verify: false,
    syntax: Syntax::Intel,
};

const NOT_UNDERSTOOD: &str = "the machine code of this uop is not understood";

impl ListingBuilder<'_> {
    /// What is certain where `pc` is in the code of the uop with this index: where the values are that it began with.
    /// If the frame `waits` for a function that it has called, `pc` is where that one will return to.
    ///
    /// # Errors
    /// A sentence that says why nothing is certain.
    pub fn held(
        &mut self,
        mapped: &MappedExecutor,
        index: UopIndex,
        pc: Address,
        waits: bool,
    ) -> Result<Held, String> {
        let own = Own::new(self.python, mapped);
        let mut findings = Vec::new();
        let code = self.code(mapped, CODE, &mut findings);
        if let Some(code) = &code {
            self.check_registers(&own, code, &mut findings);
        }
        if let Some(finding) = findings.first() {
            return Err(finding.what.clone());
        }
        let decoded = code.and_then(|code| self.decoded_uop(mapped, index, &code));
        let (decoded, bytes) = decoded.ok_or(NOT_UNDERSTOOD)?;
        let (number, waits) = instruction(&decoded, pc, waits)
            .ok_or_else(|| format!("{pc} is in the middle of an instruction"))?;
        let uop = mapped.executor.uops.get(index.0 as usize);
        let here = uop.and_then(|uop| {
            let (reader, symbols) = (self.reader, self.symbols);
            Here::new(self.python, reader, symbols, &own, uop, None, &decoded)
        });
        let annotator = self.annotator.as_deref();
        let held = here
            .zip(annotator)
            .and_then(|(here, annotator)| annotator.held(&here, &bytes, number, waits));
        held.ok_or_else(|| NOT_UNDERSTOOD.to_owned())
    }

    /// The instructions of a uop, and its bytes.
    fn decoded_uop(
        &mut self,
        mapped: &MappedExecutor,
        index: UopIndex,
        code: &MachineCode,
    ) -> Option<(Vec<Instruction>, Vec<u8>)> {
        let uop = mapped.executor.uops.get(index.0 as usize)?;
        let mut decoded: Vec<Instruction> = Vec::new();
        let mut bytes: Vec<u8> = Vec::new();
        for range in mapped.map.uops.get(index.0 as usize)? {
            let piece = code.slice(*range)?;
            let stencil = Some(u32::from(uop.opcode));
            self.disassembler
                .decode(stencil, range.start, piece, &mut decoded);
            bytes.extend_from_slice(piece);
        }
        Some((decoded, bytes))
    }
}

/// The instruction at `pc`, or the call that will return there. A signal may have come where there is no call.
fn instruction(decoded: &[Instruction], pc: Address, waits: bool) -> Option<(usize, bool)> {
    let call = decoded.iter().position(|instruction| {
        let end = instruction
            .address()
            .wrapping_add(instruction.length().into());
        end == pc && matches!(instruction.flow(), Flow::Call | Flow::IndirectCall)
    });
    if let Some(call) = call.filter(|_| waits) {
        return Some((call, true));
    }
    let mut all = decoded.iter();
    let at = all.position(|instruction| instruction.address() == pc)?;
    Some((at, false))
}
