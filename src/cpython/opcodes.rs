//! Bytecode: names, inline caches and base instructions, read from the target's own tables.

use super::UopTable;
use super::uop_table::is_name;
use crate::error::Result;
use crate::layout::{Symbols, opcode_names};
use crate::target::Reader;
use std::sync::Arc;

/// Opcodes that can stand in bytecode; the names above 255 are of pseudo instructions.
const OPCODES: usize = 256;

/// Longer than any name of an instruction.
const LONGEST_NAME: usize = 64;

/// The instructions of one CPython.
#[derive(Clone, Debug)]
pub struct OpcodeTable {
    names: Vec<Option<Arc<str>>>,
    caches: Vec<u8>,
    deopt: Vec<u8>,
    /// Why names are missing, if they are.
    pub finding: Option<String>,
}

impl OpcodeTable {
    /// Reads `_PyOpcode_Caches`, `_PyOpcode_Deopt` and the names.
    ///
    /// CPython 3.14's release builds contain no names of instructions: there a built-in table serves, if it agrees
    /// with the uops of the target that are named after instructions.
    pub fn read(
        reader: Reader<'_>,
        symbols: &Symbols,
        version_hex: u64,
        uops: &UopTable,
    ) -> Result<OpcodeTable> {
        let table = |name: &str| {
            let symbol = symbols.symbol(name)?;
            reader.bytes(symbol.address, OPCODES as u64, name)
        };
        let mut finding = None;
        let names = match symbols.find("_PyOpcode_OpName") {
            Some(_) => read_names(reader, symbols)?,
            None => built_in_names(version_hex, uops).unwrap_or_else(|reason| {
                finding = Some(reason);
                vec![None; OPCODES]
            }),
        };
        Ok(OpcodeTable {
            names,
            caches: table("_PyOpcode_Caches")?,
            deopt: table("_PyOpcode_Deopt")?,
            finding,
        })
    }

    /// The name of an instruction.
    pub fn name(&self, opcode: u8) -> Option<&Arc<str>> {
        self.names.get(usize::from(opcode))?.as_ref()
    }

    /// The opcode with this name.
    pub fn opcode(&self, name: &str) -> Option<u8> {
        let found = self
            .names
            .iter()
            .position(|known| known.as_deref() == Some(name))?;
        u8::try_from(found).ok()
    }

    /// The instruction that a specialised one stands for.
    pub fn base(&self, opcode: u8) -> u8 {
        match self.deopt.get(usize::from(opcode)) {
            Some(0) | None => opcode,
            Some(base) => *base,
        }
    }

    /// How many code units of inline cache follow the instruction; `None` if a tracing tool has put an instruction in
    /// the place of one that only the tool knows (`INSTRUMENTED_LINE`).
    pub fn caches(&self, opcode: u8) -> Option<u8> {
        let base = match self
            .name(opcode)
            .and_then(|name| name.strip_prefix("INSTRUMENTED_"))
        {
            Some(instrumented) => self.opcode(instrumented)?,
            None => self.base(opcode),
        };
        Some(self.caches.get(usize::from(base)).copied().unwrap_or(0))
    }
}

fn read_names(reader: Reader<'_>, symbols: &Symbols) -> Result<Vec<Option<Arc<str>>>> {
    let table = symbols.symbol("_PyOpcode_OpName")?;
    let pointers = reader.pointers(table.address, OPCODES as u64, "_PyOpcode_OpName")?;
    pointers
        .into_iter()
        .map(|address| match address.is_null() {
            true => Ok(None),
            false => reader
                .c_string(address, LONGEST_NAME, "name of an instruction")
                .map(|name| Some(name.into()).filter(|name: &Arc<str>| is_name(name))),
        })
        .collect()
}

/// The built-in names of this version, if no uop of the target contradicts them.
fn built_in_names(version_hex: u64, uops: &UopTable) -> Result<Vec<Option<Arc<str>>>, String> {
    let names =
        opcode_names(version_hex).ok_or("this build contains no names of bytecode instructions")?;
    let mut table: Vec<Option<Arc<str>>> = vec![None; OPCODES];
    for (opcode, name) in names {
        let uop = uops.kind(u16::from(*opcode)).map(|kind| &kind.name);
        if let Some(uop) = uop.filter(|uop| uop.strip_prefix('_') != Some(*name)) {
            return Err(format!(
                "the built-in names of bytecode instructions do not fit this build: {opcode} is {uop}, not {name}"
            ));
        }
        if let Some(slot) = table.get_mut(usize::from(*opcode)) {
            *slot = Some((*name).into());
        }
    }
    Ok(table)
}
