//! The stacks of threads: C, JIT and Python in one (`jit-bt`).

use super::rows::{ExecutorHeader, UopRow};
use crate::address::{Address, BytecodeOffset};
use serde::Serialize;

/// Stacks.
#[derive(Clone, Debug, Serialize)]
pub struct BacktraceData {
    /// One for each thread that was asked for, the selected one first.
    pub threads: Vec<CallStack>,
}

/// The stack of a thread.
#[derive(Clone, Debug, Serialize)]
pub struct CallStack {
    /// The kernel's id of it.
    pub thread: Option<u64>,
    /// Whether it is the selected one.
    pub selected: bool,
    /// Its `PyThreadState`; `None` if it runs no Python.
    pub state: Option<Address>,
    /// Its frames, the innermost first.
    pub frames: Vec<CallFrame>,
    /// How many frames there are, shown or not.
    pub frame_count: u64,
    /// Why the C stack could not be followed to its end.
    pub cut_off: Option<String>,
    /// Python frames behind the place where the C stack could be followed to: from the thread's own chain of frames.
    pub remaining: Vec<Activation>,
}

/// A frame of the C stack: a C function, or JIT code.
#[derive(Clone, Debug, Serialize)]
pub struct CallFrame {
    /// Its number, from 0 for the innermost.
    pub level: u64,
    /// `c` or `jit`.
    pub kind: &'static str,
    /// Whether it is what a signal handler returns to: the next frame was interrupted by the signal.
    pub signal: bool,
    /// Where it is, or goes on when what it called returns.
    pub pc: Address,
    /// The stack pointer.
    pub sp: Option<Address>,
    /// `registers`, `unwind-table`, `jit-code` or `stack-top`.
    pub found_by: &'static str,
    /// The C function.
    pub symbol: Option<String>,
    /// Bytes from the start of that function; for JIT code, from the start of the uop or region.
    pub offset: Option<u64>,
    /// The file that the C function is in.
    pub file: Option<String>,
    /// The same place at the addresses of that file, as `addr2line` and `objdump` want it.
    pub file_address: Option<Address>,
    /// The executor whose code it is in.
    pub executor: Option<Box<ExecutorHeader>>,
    /// The uop.
    pub uop: Option<Box<UopRow>>,
    /// `uop`, `shim`, …: the part of the executor's allocation.
    pub inside: Option<&'static str>,
    /// The Python frames that it runs, the innermost first.
    pub python: Vec<PythonFrame>,
}

/// A Python frame.
#[derive(Clone, Debug, Serialize)]
pub struct PythonFrame {
    /// The `_PyInterpreterFrame`.
    pub frame: Address,
    /// `co_qualname` of what it executes; `None` if that cannot be read.
    pub function: Option<String>,
    /// `co_filename`.
    pub filename: Option<String>,
    /// The line that it is at.
    pub line: Option<i32>,
    /// The instruction that it is at.
    pub bytecode_offset: Option<BytecodeOffset>,
    /// The code object.
    pub code: Option<Address>,
}

/// What is known of an activation of the interpreter that no C frame was found for.
#[derive(Clone, Debug, Serialize)]
pub struct Activation {
    /// Its entry frame, which lies on the C stack; `None` where the chain of frames breaks off before it.
    pub entry_frame: Option<Address>,
    /// The executor that it was in when it called on.
    pub executor: Option<Box<ExecutorHeader>>,
    /// Its Python frames, the innermost first.
    pub python: Vec<PythonFrame>,
}
