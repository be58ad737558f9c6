//! The machine code of an executor, and what holds in each piece of it.

use super::super::Session;
use crate::address::Range;
use crate::error::Result;
use crate::map::{MappedExecutor, RegionKind};
use crate::platform::Register;
use crate::symbols::{Piece, PieceFacts, PieceKind};
use crate::unwind::{shim_rules, uop_rules};
use std::sync::Arc;

/// Different stencils that are remembered: 3.15 has 939.
const MOST_STENCILS: usize = 1 << 14;

impl Session {
    /// The pieces by address; `frame` is the register that uops find their frame in.
    pub(super) fn code_pieces(
        &self,
        mapped: &MappedExecutor,
        frame: Option<Register>,
    ) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = ranges(mapped)
            .into_iter()
            .map(|(range, kind)| Piece {
                range,
                kind,
                // What is not understood has no rules; the rest is as good as before.
                facts: self
                    .piece_facts(mapped, range, kind, frame)
                    .unwrap_or_default(),
            })
            .collect();
        pieces.sort_by_key(|piece| piece.range.start);
        pieces
    }

    fn piece_facts(
        &self,
        mapped: &MappedExecutor,
        range: Range,
        kind: PieceKind,
        frame: Option<Register>,
    ) -> Result<Arc<PieceFacts>> {
        let opcode = match kind {
            PieceKind::Shim => {
                let (shim, flow) = self.shim(&mapped.map)?;
                return Ok(Arc::new(PieceFacts {
                    rules: shim_rules(shim, flow),
                    ..PieceFacts::default()
                }));
            }
            PieceKind::Uop(index) => {
                let uop = mapped.executor.uops.get(index.0 as usize);
                uop.map(|uop| uop.opcode).unwrap_or_default()
            }
            PieceKind::Guard => mapped
                .map
                .guard
                .map(|(opcode, _)| opcode)
                .unwrap_or_default(),
        };
        let key = (opcode, range.size);
        if let Some(known) = self.symbols.stencils.borrow().get(&key) {
            return Ok(Arc::clone(known));
        }
        let flow = self.flow(opcode, range)?;
        let (shim, _) = self.shim(&mapped.map)?;
        let facts = Arc::new(PieceFacts {
            rules: uop_rules(shim, &flow),
            frame: frame.map_or_else(Vec::new, |frame| flow.unchanged(frame, range.size)),
            returns: flow.returns().collect(),
        });
        let mut stencils = self.symbols.stencils.borrow_mut();
        if stencils.len() >= MOST_STENCILS {
            stencils.clear();
        }
        stencils.insert(key, Arc::clone(&facts));
        Ok(facts)
    }
}

fn ranges(mapped: &MappedExecutor) -> Vec<(Range, PieceKind)> {
    let regions = mapped.map.regions.iter();
    let shim = regions
        .filter(|region| region.kind == RegionKind::Shim)
        .map(|region| (region.range, PieceKind::Shim));
    let uops = mapped.uops().zip(&mapped.map.uops);
    let uops = uops.flat_map(|((index, _, _), ranges)| {
        let ranges = ranges.iter();
        ranges.map(move |range| (*range, PieceKind::Uop(index)))
    });
    let guard = mapped.map.guard.map(|(_, range)| (range, PieceKind::Guard));
    shim.chain(uops)
        .chain(guard)
        .filter(|(range, _)| range.size != 0)
        .collect()
}
