//! What is known of one executor, gathered before anything is written.

use crate::address::{Address, Range, UopIndex};
use crate::listing::{Architecture, ExecutorListing};

/// An executor.
#[derive(Clone, Debug)]
pub struct ExecutorCode {
    /// The machine.
    pub architecture: Architecture,
    /// All its uops, with the text of their source lines but without instructions.
    pub listing: ExecutorListing,
    /// Its allocation.
    pub allocation: Range,
    /// The bytes of the allocation.
    pub bytes: Vec<u8>,
    /// Its machine code, by address.
    pub pieces: Vec<Piece>,
    /// What of its data has a name.
    pub slots: Vec<Slot>,
}

impl ExecutorCode {
    /// Where the last piece of machine code ends.
    pub fn code_end(&self) -> Address {
        let ends = self.pieces.iter().map(|piece| piece.range.end());
        ends.max().unwrap_or(self.allocation.start)
    }
}

/// A piece of machine code.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where it is; never empty.
    pub range: Range,
    /// What it is.
    pub kind: PieceKind,
}

/// What a piece of machine code is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PieceKind {
    /// The entry from C in front of the uops.
    Shim,
    /// Of a uop, by its place in the listing.
    Uop(UopIndex),
    /// What stands behind the last uop and is never reached.
    Guard,
}

/// A pointer in the data of an executor, or a piece of code that goes on where one points.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Where it is.
    pub range: Range,
    /// The function or variable.
    pub name: String,
    /// Whether it is code.
    pub is_code: bool,
}
