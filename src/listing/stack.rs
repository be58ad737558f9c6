//! `jit-stack`: the Python frames of a thread, with what is on their evaluation stacks and in their variables.

use super::rows::{Bytecode, Hex, UopRow};
use crate::address::Address;
use serde::Serialize;

/// The frames of a thread, the innermost first.
#[derive(Clone, Debug, Serialize)]
pub struct StackData {
    /// One for each thread that was asked for.
    pub threads: Vec<ThreadStack>,
    /// What of it text shows.
    #[serde(skip)]
    pub view: StackView,
}

/// What the text form shows; JSON has it all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StackView {
    /// All frames with their variables and stacks; otherwise the first.
    pub all: bool,
}

/// The frames of one thread.
#[derive(Clone, Debug, Serialize)]
pub struct ThreadStack {
    /// The kernel's id of it.
    pub thread: Option<u64>,
    /// The pc of the selected frame; `None` for threads that are not selected.
    pub pc: Option<Address>,
    /// `uop`: the pc is in the machine code of one; `jit`: elsewhere in that of an executor; `c`: in C code that JIT
    /// code has called; `interpreter`: no JIT code runs; `unknown`: the pc is not known.
    pub inside: &'static str,
    /// The executor that runs.
    pub executor: Option<Address>,
    /// The uop that the pc is in.
    pub uop: Option<UopRow>,
    /// Bytes from its start.
    pub offset: Option<u64>,
    /// Whether the selected frame waits for a C function that it has called.
    pub in_call: bool,
    /// The frames that were asked for.
    pub frames: Vec<StackFrame>,
    /// How many frames there are behind them, if they were counted.
    pub more: bool,
}

/// A Python frame.
#[derive(Clone, Debug, Serialize)]
pub struct StackFrame {
    /// Frames that it has called and that have not returned.
    pub level: u64,
    /// Where it is.
    pub address: Address,
    /// The code object.
    pub code: Option<Address>,
    /// `co_qualname`.
    pub function: Option<String>,
    /// `co_filename`.
    pub filename: Option<String>,
    /// The source line it is at.
    pub line: Option<i32>,
    /// The instruction it is at.
    pub bytecode: Option<Bytecode>,
    /// `uop`: line and instruction are those of the uop; `frame`: those that the frame has saved.
    pub position: &'static str,
    /// How many activations of the interpreter by C code lie between it and the innermost.
    pub activation: u64,
    /// Its variables; `None` if they are not known.
    pub locals: Option<Vec<LocalRow>>,
    /// What is on its evaluation stack, the top first; `None` if that is not known.
    pub stack: Option<Vec<ItemRow>>,
    /// Since when the stack is so: `now`, or `uop`: what the uop found when it began.
    pub stack_as_of: Option<&'static str>,
    /// Why `locals` or `stack` is not known.
    pub why: Option<String>,
}

/// A local variable.
#[derive(Clone, Debug, Serialize)]
pub struct LocalRow {
    /// Its slot.
    pub index: u64,
    /// Its name.
    pub name: Option<String>,
    /// `local`, `cell`, `free`, `hidden`.
    pub kind: &'static str,
    /// The slot's content.
    pub value: ValueRow,
    /// What the cell in it holds.
    pub content: Option<ValueRow>,
}

/// An item of an evaluation stack.
#[derive(Clone, Debug, Serialize)]
pub struct ItemRow {
    /// Its place, from 0 at the bottom.
    pub index: u64,
    /// The register that holds it.
    pub register: Option<&'static str>,
    /// The word of memory that holds it.
    pub address: Option<Address>,
    /// Its number among the items that uops keep in registers: `tosN`.
    pub cached: Option<u8>,
    /// `certain`: it is there; `former`: it was there when the uop began, and may have been used up and freed since;
    /// `unknown`.
    pub state: &'static str,
    /// What it is; `None` if that is not known.
    pub value: Option<ValueRow>,
}

/// The content of a slot.
#[derive(Clone, Debug, Serialize)]
pub struct ValueRow {
    /// All its bits; `None` where the tag is not known.
    pub bits: Option<Hex>,
    /// `null`, `owned`, `borrowed`, `int` (a number in the slot itself), `frame` (one that is about to be entered),
    /// `reference` (it is not known of which kind), `other`.
    pub tag: &'static str,
    /// The object.
    pub object: Option<Address>,
    /// The name of its type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What it is, in words.
    pub repr: Option<String>,
}
