//! Debug information of executors for debuggers that know nothing of them: what is read for it.

mod slots;

use super::Session;
use crate::address::{Address, Range};
use crate::error::Result;
use crate::listing::{Detail, Syntax};
use crate::map::{MappedExecutor, RegionKind};
use crate::symbols::{ExecutorCode, Piece, PieceKind, SymbolOptions, Symbols, write};

impl Session {
    /// The object and the listing that make a debugger understand the code of the executor at `executor`.
    ///
    /// # Errors
    /// If the executor or its machine code cannot be read, or it has none.
    pub fn symbols(&self, executor: Address, options: &SymbolOptions) -> Result<Symbols> {
        write(&self.executor_code(executor)?, options)
    }

    /// What [`Session::symbols`] writes.
    ///
    /// # Errors
    /// If the executor or its machine code cannot be read, or it has none.
    pub fn executor_code(&self, executor: Address) -> Result<ExecutorCode> {
        let mapped = self.mapped(executor)?;
        let allocation = Range::new(mapped.executor.jit_code, mapped.executor.jit_size);
        let what = "machine code of an executor";
        let bytes = self
            .reader()
            .bytes(allocation.start, allocation.size, what)?;
        let header = self.known(executor, false)?;
        let mut disassembler = self.disassembler(Syntax::default())?;
        let mut builder = self.builder(&mut disassembler, None)?;
        Ok(ExecutorCode {
            architecture: self.program()?.architecture,
            listing: builder.listing(&mapped, &header, DETAIL, |_| true),
            allocation,
            pieces: pieces(&mapped),
            slots: self.slots(&mapped, allocation, &bytes)?,
            bytes,
        })
    }
}

/// A listing without machine code, but with source lines.
const DETAIL: Detail = Detail {
    instructions: false,
    notes: false,
    source: true,
    parents: false,
    exits: false,
    syntax: Syntax::Intel,
};

/// The machine code of an executor, by address.
fn pieces(mapped: &MappedExecutor) -> Vec<Piece> {
    let regions = mapped.map.regions.iter();
    let shim = regions
        .filter(|region| region.kind == RegionKind::Shim)
        .map(|region| (region.range, PieceKind::Shim));
    let uops = mapped
        .uops()
        .zip(&mapped.map.uops)
        .flat_map(|((index, _, _), ranges)| {
            ranges
                .iter()
                .map(move |range| (*range, PieceKind::Uop(index)))
        });
    let guard = mapped.map.guard.map(|(_, range)| (range, PieceKind::Guard));
    let mut pieces: Vec<Piece> = shim
        .chain(uops)
        .chain(guard)
        .filter(|(range, _)| range.size != 0)
        .map(|(range, kind)| Piece { range, kind })
        .collect();
    pieces.sort_by_key(|piece| piece.range.start);
    pieces
}
