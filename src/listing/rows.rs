//! The rows of a listing (`json-contract.md`, headers, uops, instructions, regions).

use super::note::Note;
use crate::address::{Address, BytecodeOffset, UopIndex};
use crate::disasm::Instruction;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use std::sync::Arc;

/// A 64-bit value that is no address; in JSON a string `0x…`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hex(pub u64);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

/// What is said of an executor as a whole.
#[derive(Clone, Debug, Serialize)]
pub struct ExecutorHeader {
    /// `#N`, its place in `jit-list` at this stop; `None` for one that is in no list.
    pub index: Option<u32>,
    /// Where it is.
    pub address: Address,
    /// `co_name` of the function in which its trace begins.
    pub function: Option<String>,
    /// `co_qualname`.
    pub qualname: Option<String>,
    /// `co_filename`.
    pub filename: Option<String>,
    /// `co_firstlineno`.
    pub firstlineno: Option<i32>,
    /// Where bytecode enters it; `None` if only exits do.
    pub entry: Option<Entry>,
    /// Uops of the trace, stubs included.
    pub uop_count: u64,
    /// Side exits.
    pub exit_count: u64,
    /// Its machine code.
    pub code: Code,
    /// Its flags.
    pub state: StateRow,
    /// Executors between it and one in bytecode; `None` for cold executors, which have no place in a chain.
    pub chain_depth: Option<u32>,
    /// The exits that lead to it.
    pub parents: Vec<Parent>,
    /// How it was found.
    pub found_by: Vec<&'static str>,
}

/// Where bytecode enters an executor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Entry {
    /// The offset of the instruction that the executor replaced.
    pub bytecode_offset: BytecodeOffset,
    /// Its line.
    pub line: Option<i32>,
}

/// Where the machine code of an executor is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Code {
    /// The start of the allocation.
    pub address: Address,
    /// Bytes of uops, stubs, shim and guard.
    pub size: u64,
    /// Bytes of the allocation.
    pub mapped: u64,
}

/// The flags of an executor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StateRow {
    /// It may be entered.
    pub valid: bool,
    /// It is in the interpreter's lists.
    pub linked: Option<bool>,
    /// It ran lately.
    pub warm: Option<bool>,
    /// It waits for being freed.
    pub pending_deletion: bool,
    /// The kernel's ids of the threads that are in it.
    pub running_in: Vec<u64>,
}

/// An exit that leads to an executor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Parent {
    /// The executor that has the exit.
    pub executor: Address,
    /// The index of the exit.
    pub exit: u32,
}

/// A uop and its machine code.
#[derive(Clone, Debug, Serialize)]
pub struct UopRow {
    /// Its place in the trace.
    pub index: UopIndex,
    /// `_GUARD_TOS_INT_r22`.
    pub name: Arc<str>,
    /// `_GUARD_TOS_INT`.
    pub base: Arc<str>,
    /// The number.
    pub opcode: u16,
    /// The argument.
    pub oparg: u16,
    /// The first operand; uninitialised for uops that do not use it.
    pub operand0: Hex,
    /// The second operand; the same holds.
    pub operand1: Hex,
    /// The code unit it carries as its target, if it carries one.
    pub target: Option<u32>,
    /// The uop it jumps to when its guess was wrong.
    pub jump_target: Option<UopIndex>,
    /// The uop it jumps to when Python raises.
    pub error_target: Option<UopIndex>,
    /// Where its machine code is.
    pub ranges: Vec<RangeRow>,
    /// The code object it runs in.
    pub code: Option<CodeRef>,
    /// The instruction it is a part of; of a stub, where the interpreter goes on.
    pub bytecode: Option<Bytecode>,
    /// The source line of that instruction.
    pub line: Option<i32>,
    /// Inlined frames below it.
    pub depth: i32,
    /// What it jumps to when its guess was wrong or Python raises.
    pub exit: Option<ExitRef>,
    /// Whether it is a stub behind the main part of the trace.
    #[serde(skip)]
    pub is_stub: bool,
    /// What it does to the evaluation stack.
    pub stack: Option<StackEffect>,
    /// Its machine code; `None` if it was not asked for.
    pub instructions: Option<Vec<InstructionRow>>,
}

/// What a uop does to the evaluation stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct StackEffect {
    /// Items in registers before it.
    pub cached_before: u8,
    /// Items in registers behind it.
    pub cached_after: u8,
    /// By how many items the stack grows, those in registers counted; `None` where its code does not tell.
    pub effect: Option<i64>,
}

/// A range of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct RangeRow {
    /// The first byte.
    pub address: Address,
    /// How many bytes.
    pub size: u64,
}

/// A code object.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CodeRef {
    /// Where it is.
    pub object: Address,
    /// `co_qualname`.
    pub qualname: Arc<str>,
    /// `co_filename`.
    pub filename: Arc<str>,
}

/// A bytecode instruction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Bytecode {
    /// Where it begins.
    pub offset: BytecodeOffset,
    /// Its name as it stands in memory (specialised); behind `ENTER_EXECUTOR` what was there before.
    pub opname: Option<Arc<str>>,
    /// Its argument, prefixes included.
    pub oparg: Option<u32>,
}

/// Where a uop leaves the main part of its trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ExitRef {
    /// How it leaves.
    pub kind: ExitKind,
    /// Of a side exit, which.
    pub index: Option<u32>,
    /// The stub.
    pub uop: UopIndex,
}

/// How a uop leaves the main part of its trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExitKind {
    /// To another executor, or one that may come to be.
    Side,
    /// To the interpreter.
    Deopt,
    /// To the handler of an exception.
    Error,
}

/// A part of an executor's allocation.
#[derive(Clone, Debug, Serialize)]
pub struct RegionRow {
    /// What it holds.
    pub kind: &'static str,
    /// The first byte.
    pub address: Address,
    /// How many bytes.
    pub size: u64,
    /// The machine code of a shim or guard; `None` if it was not asked for, and for data.
    pub instructions: Option<Vec<InstructionRow>>,
}

/// The frame of a Python function.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FrameRef {
    /// `co_qualname`.
    pub function: Arc<str>,
    /// `co_filename`.
    pub filename: Arc<str>,
    /// The line that it is at.
    pub line: Option<i32>,
}

/// A machine instruction.
#[derive(Clone, Debug)]
pub struct InstructionRow {
    /// The instruction.
    pub instruction: Instruction,
    bytes: [u8; InstructionRow::MOST_BYTES],
    /// Remarks, shared with instructions that get the same.
    pub remarks: Option<Arc<[Note]>>,
}

impl InstructionRow {
    /// x86 has the longest instructions.
    const MOST_BYTES: usize = 15;

    /// A row without notes; `bytes` are those of the instruction.
    pub fn new(instruction: Instruction, bytes: &[u8]) -> InstructionRow {
        let mut own = [0; InstructionRow::MOST_BYTES];
        own.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        InstructionRow {
            instruction,
            bytes: own,
            remarks: None,
        }
    }

    /// What it means, the best remark first.
    pub fn notes(&self) -> &[Note] {
        self.remarks.as_deref().unwrap_or_default()
    }

    /// Adds a remark before the others.
    pub fn add_first(&mut self, note: Note) {
        let others = self.notes().iter().cloned();
        self.remarks = Some(std::iter::once(note).chain(others).collect());
    }

    /// The machine code.
    pub fn bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.instruction.length()))
            .unwrap_or_default()
    }
}

impl Serialize for InstructionRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = String::with_capacity(2 * InstructionRow::MOST_BYTES);
        write_hex(&mut bytes, self.bytes());
        let mut row = serializer.serialize_struct("instruction", 6)?;
        row.serialize_field("address", &self.instruction.address())?;
        row.serialize_field("size", &self.instruction.length())?;
        row.serialize_field("bytes", &bytes)?;
        row.serialize_field("mnemonic", self.instruction.mnemonic())?;
        row.serialize_field("operands", &self.instruction.operands())?;
        row.serialize_field("notes", self.notes())?;
        row.end()
    }
}

/// Appends bytes as lower-case hexadecimal digits.
pub fn write_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('?'));
        }
    }
}
