//! Which parts of the code run in which frames of Python.

use super::model::{ExecutorCode, Piece, PieceKind};

/// Frames below a uop that are told. The optimizer follows no more than 16 (`MAX_ABSTRACT_FRAME_DEPTH` in
/// `Python/optimizer_analysis.c`); a damaged trace may push as many as it has uops.
const MOST_FRAMES: usize = 32;

/// A part of the code, in bytes from the start of the allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its first byte.
    pub start: u64,
    /// The byte behind it.
    pub end: u64,
    /// How many frames have been pushed on top of the one that it is a part of.
    pub depth: usize,
}

/// The parts of one frame, by address.
#[derive(Clone, Debug, Default)]
pub struct FrameParts {
    /// Where it is current or has called what is.
    pub code: Vec<Part>,
    /// Where its variables can be found.
    pub variables: Vec<Part>,
    /// The uop that it begins with.
    pub first_uop: Option<usize>,
}

impl FrameParts {
    /// The code, without regard to what has been called.
    pub fn ranges(&self) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for part in &self.code {
            match ranges.last_mut() {
                Some((_, end)) if *end == part.start => *end = part.end,
                _ => ranges.push((part.start, part.end)),
            }
        }
        ranges
    }
}

/// The parts of each frame.
pub fn parts(code: &ExecutorCode) -> Vec<FrameParts> {
    let mut frames = vec![FrameParts::default(); code.frames.len()];
    for piece in &code.pieces {
        let PieceKind::Uop(index) = piece.kind else {
            continue;
        };
        let index = index.0 as usize;
        for (depth, frame) in chain(code, index) {
            if let Some(parts) = frames.get_mut(frame) {
                parts.first_uop.get_or_insert(index);
                add(parts, code, piece, depth);
            }
        }
    }
    frames
}

/// The frames that a uop certainly runs in, from the innermost on, and how many others lie on top of each.
pub fn chain(code: &ExecutorCode, index: usize) -> impl Iterator<Item = (usize, usize)> {
    let place = code.places.get(index).copied().unwrap_or_default();
    let parent = |frame: &usize| code.frames.get(*frame)?.parent;
    std::iter::successors(place.frame, parent)
        .take(MOST_FRAMES)
        .enumerate()
        .skip(usize::from(!place.is_certain))
}

fn add(parts: &mut FrameParts, code: &ExecutorCode, piece: &Piece, depth: usize) {
    let start = code.offset(piece.range.start);
    let whole = (0, piece.range.size);
    push(&mut parts.code, start, whole, depth);
    for part in &piece.facts.frame {
        push(&mut parts.variables, start, *part, depth);
    }
}

fn push(parts: &mut Vec<Part>, start: u64, (from, to): (u64, u64), depth: usize) {
    let (start, end) = (start.saturating_add(from), start.saturating_add(to));
    match parts.last_mut() {
        Some(last) if last.end == start && last.depth == depth => last.end = end,
        _ => parts.push(Part { start, end, depth }),
    }
}
