//! Which parts of the code run in which frames of Python.

use super::model::{ExecutorCode, Piece, PieceKind, UopPlace};

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
    /// Where it is current, but may execute something else than its trace expects.
    pub doubtful: Vec<Part>,
    /// Where its variables can be found.
    pub variables: Vec<Part>,
    /// The uop that it begins with.
    pub first_uop: Option<usize>,
}

/// The code of some parts, without regard to what has been called.
pub fn ranges(parts: &[Part]) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for part in parts {
        match ranges.last_mut() {
            Some((_, end)) if *end == part.start => *end = part.end,
            _ => ranges.push((part.start, part.end)),
        }
    }
    ranges
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
                add(parts, code, piece, code.place(index), depth);
            }
        }
    }
    frames
}

/// The frames that a uop runs in, from the innermost on, and how many others lie on top of each.
pub fn chain(code: &ExecutorCode, index: usize) -> impl Iterator<Item = (usize, usize)> {
    let parent = |frame: &usize| code.frames.get(*frame)?.parent;
    std::iter::successors(code.place(index).frame, parent)
        .take(MOST_FRAMES)
        .enumerate()
}

fn add(parts: &mut FrameParts, code: &ExecutorCode, piece: &Piece, place: UopPlace, depth: usize) {
    let start = code.offset(piece.range.start);
    let whole = (0, piece.range.size);
    if depth == 0 && !place.is_certain {
        push(&mut parts.doubtful, start, whole, depth);
        return;
    }
    push(&mut parts.code, start, whole, depth);
    // Only where a uop begins that leaves its frame, the others are certainly found through it.
    let is_cut = depth > 0 && place.leaves_frame;
    for (from, to) in piece.facts.frame.iter().copied() {
        match (is_cut, from) {
            (false, _) => push(&mut parts.variables, start, (from, to), depth),
            (true, 0) => push(&mut parts.variables, start, (0, to.min(1)), depth),
            (true, _) => {}
        }
    }
}

fn push(parts: &mut Vec<Part>, start: u64, (from, to): (u64, u64), depth: usize) {
    let (start, end) = (start.saturating_add(from), start.saturating_add(to));
    match parts.last_mut() {
        Some(last) if last.end == start && last.depth == depth => last.end = end,
        _ => parts.push(Part { start, end, depth }),
    }
}
