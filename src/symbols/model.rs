//! What is known of one executor, gathered before anything is written.

use crate::address::{Address, Range, UopIndex};
use crate::listing::{Architecture, ExecutorListing};
use crate::platform::Register;
use crate::unwind::UnwindRule;
use std::sync::Arc;

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
    /// The frames of Python that its trace runs in; one that another has pushed stands behind that.
    pub frames: Vec<InlinedFrame>,
    /// Where each uop runs, in the order of the listing.
    pub places: Vec<UopPlace>,
    /// Where frames are found; `None` if this CPython's registers are not understood.
    pub convention: Option<Convention>,
}

impl ExecutorCode {
    /// Bytes from the start of the allocation.
    pub fn offset(&self, address: Address) -> u64 {
        address
            .offset_from(self.allocation.start)
            .unwrap_or_default()
    }

    /// Where a uop runs.
    pub fn place(&self, index: usize) -> UopPlace {
        self.places.get(index).copied().unwrap_or_default()
    }

    /// Where the code behind the shim begins.
    pub fn uops_start(&self) -> Address {
        let mut pieces = self.pieces.iter();
        let first = pieces.find(|piece| piece.kind != PieceKind::Shim);
        first.map_or(self.allocation.start, |piece| piece.range.start)
    }

    /// Where the last piece of machine code ends.
    pub fn code_end(&self) -> Address {
        let ends = self.pieces.iter().map(|piece| piece.range.end());
        ends.max().unwrap_or(self.allocation.start)
    }
}

/// A piece of machine code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Where it is; never empty.
    pub range: Range,
    /// What it is.
    pub kind: PieceKind,
    /// What holds while it runs, the same for all copies of a stencil.
    pub facts: Arc<PieceFacts>,
}

/// What holds while a piece of code runs, by bytes from its start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PieceFacts {
    /// How to get to its caller, from there on; none if that is not known.
    pub rules: Vec<(u64, UnwindRule)>,
    /// From where to where the register of the frame certainly holds the frame that the piece began with.
    pub frame: Vec<(u64, u64)>,
    /// Where the functions that it calls return to.
    pub returns: Vec<u64>,
}

/// A frame of Python in a trace.
#[derive(Clone, Debug)]
pub struct InlinedFrame {
    /// The frame below, if the trace has run in it: its place among the frames, before this one's.
    pub parent: Option<usize>,
    /// What it executes, if that is known.
    pub function: Option<Arc<Function>>,
    /// Whether Python never shows it.
    pub is_hidden: bool,
}

/// A Python function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Where its code object is.
    pub code: Address,
    /// `co_name`.
    pub name: String,
    /// `co_filename`.
    pub filename: Arc<str>,
    /// `co_firstlineno`.
    pub firstlineno: i32,
    /// The lines that have bytecode, ascending.
    pub lines: Vec<u32>,
    /// Its variables that have a name, by slot.
    pub variables: Vec<Variable>,
}

/// A local variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Variable {
    /// Its place in the frame.
    pub slot: u64,
    /// Its name.
    pub name: String,
    /// Whether the caller gives it.
    pub is_argument: bool,
}

/// Where a uop runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UopPlace {
    /// The frame; `None` where several may be.
    pub frame: Option<usize>,
    /// Whether that frame certainly executes what it is said to.
    pub is_certain: bool,
    /// Whether it leaves that frame.
    pub leaves_frame: bool,
}

/// How uops find frames and stack items.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Convention {
    /// The register with the address of the frame.
    pub frame: Register,
    /// The registers for stack items, the lowest item first.
    pub cached: Vec<Register>,
    /// Bytes from a frame to its first variable.
    pub localsplus: u64,
    /// Bytes from a frame to the pointer to the frame below.
    pub previous: u64,
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
