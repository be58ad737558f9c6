//! Lines for `perf` (tools/perf/Documentation/jit-interface.txt of Linux): start, size, name.

use super::model::{ExecutorCode, PieceKind};
use std::fmt::Write as _;

/// The lines of an executor: a uop each.
pub fn lines(code: &ExecutorCode, name: &str) -> String {
    let mut lines = String::new();
    for piece in &code.pieces {
        let inside = match piece.kind {
            PieceKind::Shim => "shim",
            PieceKind::Guard => "_FATAL_ERROR",
            PieceKind::Uop(index) => match code.listing.uops.get(index.0 as usize) {
                Some(row) => &row.name,
                None => continue,
            },
        };
        let (start, size) = (piece.range.start.0, piece.range.size);
        // Writing to a string does not fail.
        let _ = writeln!(lines, "{start:x} {size:x} {inside} in {name}");
    }
    lines
}
