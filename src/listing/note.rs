//! Remarks on instructions: a short text for people, and the same as data.

use super::Hex;
use crate::address::{Address, UopIndex};
use serde::Serialize;
use std::sync::Arc;

/// A remark on an instruction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Note {
    /// What the remark is about.
    pub kind: NoteKind,
    /// The remark.
    pub text: Arc<str>,
    /// The remark as data.
    #[serde(flatten)]
    pub facts: Facts,
}

/// What a remark is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoteKind {
    /// Where a jump goes.
    Branch,
    /// Which function is called.
    Call,
    /// A field of a structure that is read or written.
    Field,
    /// A slot of the evaluation stack.
    Stack,
    /// What is written to a scratch slot of the machine stack, or read back.
    Spill,
    /// What a number in the code is.
    Constant,
    /// Where a number in the code came from.
    Hole,
    /// Bytes that are not those that the emitters write.
    Differs,
    /// What a register holds.
    Register,
    /// What an operand points at.
    Data,
}

/// How memory is accessed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessKind {
    /// It is read.
    Read,
    /// It is written.
    Write,
    /// It is read and written.
    Update,
}

/// The data of a remark.
///
/// Things are named by paths: `frame`, `tstate`, `executor`, `stack[-1]` and `localsplus[2]` (the objects there),
/// `tstate->interp`. Items of the evaluation stack are counted as they were when the uop began: -1 is the top, 0 the
/// first that is pushed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Facts {
    /// Nothing beyond the text.
    None {},
    /// A jump.
    Branch {
        /// Where to.
        target: Address,
        /// The uop there.
        uop: Option<UopIndex>,
        /// Bytes from its start, or from that of the region.
        offset: u64,
        /// The side exit that the stub there belongs to.
        exit: Option<u32>,
        /// The source line of the uop there; of a stub, the one at which the interpreter goes on.
        line: Option<i32>,
        /// The executor that the side exit is linked to; a cold one if there is none yet.
        linked: Option<Address>,
    },
    /// A call.
    Call {
        /// The function.
        target: Address,
        /// Its symbol.
        symbol: Option<Arc<str>>,
        /// Bytes from its start.
        offset: u64,
    },
    /// A field.
    Field {
        /// The thing that it is in; `null` if it is known by its structure only.
        base: Option<Arc<str>>,
        /// The structure.
        structure: Arc<str>,
        /// The dotted name of the field.
        field: Arc<str>,
        /// The name of the local variable, for slots of `localsplus`.
        local: Option<Arc<str>>,
        /// Bytes from the start of the thing.
        offset: u64,
        /// Bytes that are accessed.
        size: u8,
        /// How.
        access: AccessKind,
    },
    /// A slot of the evaluation stack.
    Stack {
        /// Which.
        index: i64,
        /// Bytes that are accessed.
        size: u8,
        /// How.
        access: AccessKind,
    },
    /// A slot of the machine stack.
    Spill {
        /// Bytes from where the machine's stack pointer was when the uop began.
        offset: i64,
        /// What is in it.
        holds: Option<Arc<str>>,
        /// How it is accessed.
        access: AccessKind,
    },
    /// A constant, or the memory at a fixed address.
    Constant {
        /// The number.
        value: Hex,
        /// What it is: the name of a type for objects, `symbol`, `bytecode`, `executor`, `exit`.
        what: Arc<str>,
    },
    /// What the emitter computed the number from.
    Hole {
        /// An operand of the uop, or `executor`, `trampoline`, `GOT`, `data`, `uop start`, `code`: an address there.
        operand: &'static str,
        /// The operand, or the address that the instruction names.
        value: Option<Hex>,
    },
    /// Bytes that were changed.
    Differs {
        /// Those that belong there, as hexadecimal digits.
        expected: Arc<str>,
    },
    /// What a register holds that is copied.
    Register {
        /// The thing.
        holds: Arc<str>,
    },
    /// How many items of the evaluation stack in memory are dropped (negative) or added.
    StackPointer {
        /// Words from where the pointer was when the uop began.
        words: i64,
    },
    /// Data of the executor.
    Data {
        /// Where.
        address: Address,
    },
}

impl Note {
    /// Whether a reader of this remark need not be told the other one, too.
    pub fn tells(&self, other: &Note) -> bool {
        self.text == other.text
            || (self.kind == NoteKind::Hole && self.text.ends_with(&*other.text))
    }

    /// A remark.
    pub fn new(kind: NoteKind, text: impl Into<Arc<str>>, facts: Facts) -> Note {
        Note {
            kind,
            text: text.into(),
            facts,
        }
    }
}
