//! The reports of the commands (`json-contract.md`).

use super::backtrace::BacktraceData;
use super::bytecode::BytecodeData;
use super::doctor::DoctorData;
use super::edges::Edge;
use super::exits::{ExitRow, ExitsData};
use super::graph::GraphData;
use super::level::Level;
use super::page::PageData;
use super::raw::RawData;
use super::rows::{ExecutorHeader, FrameRef, RegionRow, UopRow};
use super::stack::StackData;
use super::verify::VerifyData;
use crate::address::Address;
use serde::Serialize;

/// What a command has to say.
#[derive(Clone, Debug)]
pub struct Report {
    /// Of what.
    pub target: Option<TargetFacts>,
    /// The content.
    pub data: Data,
    /// What was missing or odd.
    pub findings: Vec<Finding>,
}

/// The target, in a few words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TargetFacts {
    /// The version of CPython.
    pub cpython: Option<String>,
    /// `x86_64` or `aarch64`.
    pub arch: String,
    /// `live`, `core` or `self`.
    pub kind: &'static str,
    /// The process id.
    pub pid: Option<u64>,
    /// Whether it is a debug build.
    pub debug_build: Option<bool>,
}

/// The content of a report.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Data {
    /// `jit-dis`, `jit-trace`.
    Listing(ListingData),
    /// `jit-list`.
    Executors(ExecutorsData),
    /// `jit-where`.
    Where(Box<WhereData>),
    /// `jit-info`.
    Info(Box<InfoData>),
    /// `cpyjit dis --raw`.
    Raw(Box<RawData>),
    /// `jit-verify`.
    Verify(VerifyData),
    /// `jit-exits`.
    Exits(ExitsData),
    /// `jit-graph`.
    Graph(GraphData),
    /// `jit-bytecode`.
    Bytecode(Box<BytecodeData>),
    /// `jit-stack`.
    Stack(Box<StackData>),
    /// `jit-bt`.
    Backtrace(BacktraceData),
    /// `cpyjit doctor`.
    Doctor(DoctorData),
    /// A command that failed.
    Error {},
}

impl Data {
    /// The word under `report`.
    pub fn word(&self) -> &'static str {
        match self {
            Data::Listing(_) => "listing",
            Data::Executors(_) => "executors",
            Data::Where(_) => "where",
            Data::Info(_) => "info",
            Data::Raw(_) => "raw",
            Data::Verify(_) => "verify",
            Data::Exits(_) => "exits",
            Data::Graph(_) => "graph",
            Data::Bytecode(_) => "bytecode",
            Data::Stack(_) => "stack",
            Data::Backtrace(_) => "backtrace",
            Data::Doctor(_) => "doctor",
            Data::Error {} => "error",
        }
    }

    /// The exit status of a command that reports this.
    pub fn status(&self) -> u8 {
        match self {
            Data::Verify(data) if !data.is_sound() => 1,
            Data::Doctor(data) if data.problems() != 0 => 1,
            Data::Error {} => 1,
            _ => 0,
        }
    }
}

/// Something missing or odd.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub what: String,
    /// Where it is.
    pub address: Option<Address>,
    /// What to do.
    pub hint: Option<String>,
}

impl Finding {
    /// Something that makes a part of the answer doubtful or missing.
    pub fn warning(what: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Warning,
            what: what.into(),
            address: None,
            hint: None,
        }
    }

    /// Something worth knowing.
    pub fn note(what: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Note,
            ..Finding::warning(what)
        }
    }

    /// The same, with where it is.
    pub fn at(self, address: Address) -> Finding {
        Finding {
            address: Some(address),
            ..self
        }
    }

    /// The same, with what to do.
    pub fn hint(self, hint: impl Into<String>) -> Finding {
        Finding {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The command failed.
    Error,
    /// A part of the answer is missing or doubtful.
    Warning,
    /// Worth knowing.
    Note,
}

/// Listings of executors.
#[derive(Clone, Debug, Serialize)]
pub struct ListingData {
    /// One for each executor.
    pub executors: Vec<ExecutorListing>,
    /// What of it text shows.
    #[serde(skip)]
    pub view: View,
    /// The rest of a page, if it is to be drawn as one.
    #[serde(skip)]
    pub page: Option<Box<PageData>>,
}

/// What the text form of a listing shows; JSON has it all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// The pc of the selected frame, to be marked.
    pub pc: Option<Address>,
    /// Source lines.
    pub source: bool,
    /// Bytecode instructions.
    pub bytecode: bool,
    /// Bytes of the machine code.
    pub bytes: bool,
    /// Offsets instead of addresses.
    pub offsets: bool,
    /// Machine code; otherwise one line a uop.
    pub machine_code: bool,
    /// Which remarks, and whether anything beyond uops and machine code.
    pub level: Level,
    /// Arrows of jumps.
    pub arrows: bool,
    /// No characters of our own beyond ASCII.
    pub ascii: bool,
}

/// One executor and its uops.
#[derive(Clone, Debug, Serialize)]
pub struct ExecutorListing {
    /// The executor.
    pub executor: ExecutorHeader,
    /// Its uops, in the order of the trace.
    pub uops: Vec<UopRow>,
    /// The parts of its allocation.
    pub regions: Vec<RegionRow>,
    /// Jumps of these uops inside its code.
    pub edges: Vec<Edge>,
    /// Its exits; `None` if they were not asked for, or if the listing has only a part of its uops.
    pub exits: Option<Vec<ExitRow>>,
    /// Text of source lines, by file and line, where it could be read.
    #[serde(skip)]
    pub source: Vec<(String, i32, String)>,
    /// What of it is odd.
    #[serde(skip)]
    pub findings: Vec<Finding>,
}

impl ExecutorListing {
    /// Its exits, as far as they were asked for.
    pub fn exits(&self) -> &[ExitRow] {
        self.exits.as_deref().unwrap_or_default()
    }

    /// Whether it has all uops of its executor.
    pub fn is_whole(&self) -> bool {
        self.uops.len() as u64 == self.executor.uop_count
    }
}

/// A list of executors.
#[derive(Clone, Debug, Serialize)]
pub struct ExecutorsData {
    /// The executors.
    pub executors: Vec<ExecutorHeader>,
    /// How many there are before filtering.
    pub total: u64,
}

/// What an address is.
#[derive(Clone, Debug, Serialize)]
pub struct WhereData {
    /// The address.
    pub address: Address,
    /// `uop`, `shim`, `guard`, `trampoline`, `data`, `got`, `padding`, `freed`, `none`.
    pub inside: &'static str,
    /// The executor whose allocation it is in.
    pub executor: Option<ExecutorHeader>,
    /// The uop that it belongs to.
    pub uop: Option<UopRow>,
    /// Bytes from the start of the uop or region.
    pub offset: Option<u64>,
    /// The thread whose pc it is.
    pub thread: Option<u64>,
    /// The Python function it runs in.
    pub frame: Option<FrameRef>,
    /// What speaks for `freed` or `none`.
    #[serde(skip)]
    pub evidence: Vec<Finding>,
}

/// What is known of the CPython and how.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InfoData {
    /// The file that contains it.
    pub file: Option<String>,
    /// Its build id.
    pub build_id: Option<String>,
    /// The separate debug file that is used.
    pub debug_file: Option<String>,
    /// Whether the JIT was compiled in.
    pub jit_compiled_in: bool,
    /// Whether it is switched on, for each interpreter.
    pub jit_enabled: Vec<Option<bool>>,
    /// Interpreters.
    pub interpreters: u64,
    /// Threads.
    pub threads: u64,
    /// Executors.
    pub executors: u64,
    /// Kinds of uops, register variants counted.
    pub uop_kinds: u64,
    /// Bytes of machine code that are mapped.
    pub code_mapped: u64,
    /// Requests that were sent to the debugger for memory so far.
    pub memory_requests: u64,
    /// The layouts in use.
    pub layouts: Vec<Layout>,
    /// The symbols in use.
    pub symbols: Vec<SymbolRow>,
    /// Whether text shows each field.
    #[serde(skip)]
    pub show_fields: bool,
}

/// The layout of a structure.
#[derive(Clone, Debug, Serialize)]
pub struct Layout {
    /// The structure.
    pub shape: String,
    /// Its size in bytes.
    pub size: u64,
    /// Where the layout was learned.
    pub provenance: String,
    /// Its fields.
    pub fields: Vec<LayoutField>,
}

/// A field of a structure.
#[derive(Clone, Debug, Serialize)]
pub struct LayoutField {
    /// The dotted name.
    pub name: String,
    /// Bytes from the start.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// For a bit-field: lowest bit and number of bits.
    pub bits: Option<crate::shape::Bits>,
}

/// The address of a symbol.
#[derive(Clone, Debug, Serialize)]
pub struct SymbolRow {
    /// The symbol.
    pub name: String,
    /// Where it is in the target.
    pub address: Address,
    /// Its size in bytes.
    pub size: u64,
    /// Where this was learned.
    pub provenance: String,
}
