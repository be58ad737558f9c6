//! Lines for `perf` (tools/perf/Documentation/jit-interface.txt of Linux): start, size, name.

use super::model::{ExecutorCode, Piece, PieceKind};
use std::fmt::Write as _;

/// The lines of an executor: a uop each.
pub fn lines(code: &ExecutorCode, name: &str) -> String {
    let mut lines = String::new();
    for piece in &code.pieces {
        let Some(inside) = piece_name(code, piece) else {
            continue;
        };
        let (start, size) = (piece.range.start.0, piece.range.size);
        // Writing to a string does not fail.
        let _ = writeln!(lines, "{start:x} {size:x} {inside} in {name}");
    }
    lines
}

/// What `perf` calls a piece of code within its executor.
fn piece_name<'m>(code: &'m ExecutorCode, piece: &Piece) -> Option<&'m str> {
    match piece.kind {
        PieceKind::Shim => Some("shim"),
        PieceKind::Guard => Some("_FATAL_ERROR"),
        PieceKind::Uop(index) => {
            let row = code.listing.uops.get(index.0 as usize)?;
            Some(&row.name)
        }
    }
}
