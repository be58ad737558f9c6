//! A symbol file of an executor for debuggers whose unwinding cannot be scripted.

use super::Session;
use crate::address::{Address, Range};
use crate::error::Result;
use crate::map::{MappedExecutor, Origin, RegionKind};
use crate::unwind::{Piece, breakpad, code_elf};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// A small ELF file and the symbols that belong to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breakpad {
    /// The ELF file: the machine code of the executor at its address.
    pub elf: Vec<u8>,
    /// The symbol file in Breakpad's form: a function for each uop, source lines, and how to unwind.
    pub text: String,
    /// The code that they are about.
    pub code: Range,
}

impl Session {
    /// Symbols for the code of the executor at `address`: a frame in it is called `f [uop 12 _GUARD_TOS_INT]`, its line
    /// is that of the Python source, and its caller has the right registers.
    ///
    /// # Errors
    /// If the executor cannot be read or has no code.
    pub fn breakpad(&self, address: Address) -> Result<Breakpad> {
        let architecture = self.program()?.architecture;
        let mapped = self.mapped(address)?;
        let start = mapped.executor.jit_code;
        let pieces = self.pieces(&mapped)?;
        let end = pieces
            .iter()
            .map(|piece| piece.start.saturating_add(piece.size))
            .max();
        let code = Range::new(start, end.unwrap_or_default());
        let bytes = self
            .reader()
            .bytes(start, code.size, "machine code of an executor")?;
        let id = build_id(&mapped, &bytes);
        let (shim, _) = self.shim(&mapped.map)?;
        let module = format!("cpyjit-{:x}", address.0);
        Ok(Breakpad {
            text: breakpad(shim, &module, &id, &pieces),
            elf: code_elf(architecture, start, &bytes, &id),
            code,
        })
    }

    /// The shim and the uops that have code, by address.
    fn pieces(&self, mapped: &MappedExecutor) -> Result<Vec<Piece>> {
        let base = mapped.executor.jit_code;
        let offset = |range: Range| range.start.offset_from(base).unwrap_or_default();
        let mut pieces = Vec::new();
        let function = mapped.function().map_or("?", |code| code.qualname.as_str());
        let regions = mapped.map.regions.iter();
        if let Some(region) = { regions }.find(|region| region.kind == RegionKind::Shim) {
            pieces.push(Piece {
                start: offset(region.range),
                size: region.range.size,
                name: format!("{function} [shim]"),
                source: None,
                flow: Arc::clone(&self.shim(&mapped.map)?.1),
                is_shim: true,
            });
        }
        for ((index, uop, origin), ranges) in mapped.uops().zip(&mapped.map.uops) {
            let kind = self.python()?.uops.kind(uop.opcode);
            let uop_name = kind.map_or("?", |kind| &*kind.name);
            for range in ranges.iter().filter(|range| range.size != 0) {
                pieces.push(Piece {
                    start: offset(*range),
                    size: range.size,
                    name: format!("{} [uop {index} {uop_name}]", name_of(origin, function)),
                    source: source_of(origin),
                    flow: self.flow(uop.opcode, *range)?,
                    is_shim: false,
                });
            }
        }
        Ok(pieces)
    }
}

fn name_of<'m>(origin: &'m Origin, function: &'m str) -> &'m str {
    let code = origin.code.as_ref();
    code.map_or(function, |code| code.qualname.as_str())
}

fn source_of(origin: &Origin) -> Option<(String, u32)> {
    let file = origin.code.as_ref()?.filename.clone();
    Some((file.to_string(), u32::try_from(origin.line()?).ok()?))
}

/// Different for each code at each place: debuggers keep what they have read by this number.
fn build_id(mapped: &MappedExecutor, code: &[u8]) -> [u8; 20] {
    let mut hasher = DefaultHasher::new();
    (mapped.executor.address, mapped.executor.jit_code, code).hash(&mut hasher);
    let first = hasher.finish();
    mapped.executor.trace.hash(&mut hasher);
    let mut id = [0; 20];
    let words = [first, hasher.finish(), mapped.executor.jit_code.0];
    let bytes = words.iter().flat_map(|word| word.to_le_bytes());
    id.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    id
}
