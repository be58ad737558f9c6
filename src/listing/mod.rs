//! What the commands show, as plain data: the model that all renderers share.

mod backtrace;
mod build;
mod bytecode;
mod code_bytes;
mod different;
mod doctor;
mod edges;
mod exits;
mod graph;
mod held;
mod holes;
mod level;
mod machine_code;
mod model;
mod note;
mod notes;
mod page;
mod raw;
mod rows;
mod source;
mod stack;
mod stop;
mod verify;

pub use backtrace::{Activation, BacktraceData, CallFrame, CallStack, PythonFrame};
pub use build::{Detail, Header, ListingBuilder, executor_header, loose_uop};
pub use bytecode::{BytecodeData, BytecodeRow, EntryMark, ExitMark, HandlerRow};
pub use code_bytes::{Against, ByteDifference, BytesSummary, Cause, CodeBytes, GapRow, Verdict};
pub use different::different_bytes;
pub use doctor::{DoctorCheck, DoctorData, DoctorSubject, Health, SubjectKind};
pub use edges::{Edge, EdgeKind};
pub use exits::{ExecutorExits, ExitRecordKind, ExitRow, ExitsData, Link, Temperature, UopName};
pub use graph::{Drawing, GraphData, GraphLink, GraphNode, Hottest};
pub use holes::Provenance;
pub use level::Level;
pub use model::{
    Data, ExecutorListing, ExecutorsData, Finding, InfoData, Layout, LayoutField, ListingData,
    Report, Severity, SymbolRow, TargetFacts, View, WhereData,
};
pub use note::{AccessKind, Facts, Note, NoteKind};
pub use notes::{
    Annotator, Held, HeldIn, Holder, Remarks, Role, SHAPES as NOTE_SHAPES, Since, SinceItem,
    SymbolNames, Tag, register_roles,
};
pub use page::{PageData, PageFunction};
pub use raw::RawData;
pub use rows::{
    Bytecode, Code, CodeRef, Entry, ExecutorHeader, ExitKind, ExitRef, FrameRef, Hex,
    InstructionRow, Parent, RangeRow, RegionRow, StackEffect, StateRow, UopRow, write_hex,
};
pub use source::{SourceFile, SourceFiles};
pub use stack::{ItemRow, LocalRow, StackData, StackFrame, StackView, ThreadStack, ValueRow};
pub use stop::StopData;
pub use verify::{CheckRow, CheckStatus, Failure, VerifiedExecutor, VerifyData, VerifySummary};

pub use crate::disasm::{Architecture, Syntax};
