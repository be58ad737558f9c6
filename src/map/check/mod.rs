//! Whether an executor is whole: what it says twice is compared, what must hold is looked at.
//!
//! Data in, violations out: what lies outside the executor is handed in as [`Neighbours`]. A check that lacks what it needs
//! says so and is not counted as passed.

mod code;
mod layout;
mod links;
mod state;
mod tally;
mod trace;

pub use links::{Child, Entered, Neighbours, NoCopy, RegisteredCopy, Roots};
pub use tally::{CheckResult, Violation};

use super::MappedExecutor;
use crate::address::Address;
use crate::cpython::CPython;
use crate::disasm::Disassembler;
use tally::Tally;

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Check {
    /// Exits and trace follow the head as one object.
    Object,
    /// The trace begins with a `_START_EXECUTOR` that names its own executor.
    Start,
    /// Jump and error targets are stubs of the trace.
    Jumps,
    /// Each side exit has a stub, and both name the same record and destination.
    Exits,
    /// A uop takes as many stack items in registers as the one before leaves.
    Registers,
    /// The regions tile the allocation.
    Regions,
    /// The sizes of the stencils add up to the size of the allocation.
    Sizes,
    /// Where other executors enter is the first uop (3.14).
    SideEntry,
    /// Machine code is made of whole instructions.
    Decode,
    /// Branches lead to instructions of the allocation, or to known code.
    Branches,
    /// What is not used is zero.
    Padding,
    /// Bytecode and executor name each other.
    Bytecode,
    /// The interpreter's list and the executor agree on its place.
    List,
    /// What an exit leads to begins where the exit goes on.
    Children,
    /// The flags fit together, and to the lists.
    State,
    /// The copy that was registered for debuggers equals the code (3.15).
    Copy,
}

impl Check {
    /// All checks, in the order in which they are reported.
    pub const ALL: [Check; 16] = [
        Check::Object,
        Check::Start,
        Check::Jumps,
        Check::Exits,
        Check::Registers,
        Check::Regions,
        Check::Sizes,
        Check::SideEntry,
        Check::Decode,
        Check::Branches,
        Check::Padding,
        Check::Bytecode,
        Check::List,
        Check::Children,
        Check::State,
        Check::Copy,
    ];

    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Check::Object => "object",
            Check::Start => "start",
            Check::Jumps => "jumps",
            Check::Exits => "exits",
            Check::Registers => "registers",
            Check::Regions => "regions",
            Check::Sizes => "sizes",
            Check::SideEntry => "side-entry",
            Check::Decode => "decode",
            Check::Branches => "branches",
            Check::Padding => "padding",
            Check::Bytecode => "bytecode",
            Check::List => "list",
            Check::Children => "children",
            Check::State => "state",
            Check::Copy => "copy",
        }
    }
}

/// An executor and what it is held against.
pub struct Subject<'t> {
    /// The CPython.
    pub python: &'t CPython,
    /// The executor.
    pub mapped: &'t MappedExecutor,
    /// All bytes of its allocation, or why they cannot be read.
    pub bytes: Result<&'t [u8], &'t str>,
    /// What lies around it.
    pub neighbours: &'t Neighbours,
    /// Whether there is code at an address outside of the allocation.
    pub is_code: &'t dyn Fn(Address) -> bool,
}

/// Runs all checks on one executor.
pub fn check(subject: &Subject<'_>, disassembler: &mut Disassembler) -> Vec<CheckResult> {
    let decoded = code::decode(subject, disassembler);
    Check::ALL
        .into_iter()
        .map(|check| {
            let mut tally = Tally::new(check, subject.mapped.executor.address);
            match check {
                Check::Object => layout::object(subject, &mut tally),
                Check::Start => trace::start(subject, &mut tally),
                Check::Jumps => trace::jumps(subject, &mut tally),
                Check::Exits => trace::exits(subject, &mut tally),
                Check::Registers => trace::registers(subject, &mut tally),
                Check::Regions => layout::regions(subject, &mut tally),
                Check::Sizes => layout::sizes(subject, &mut tally),
                Check::SideEntry => layout::side_entry(subject, &mut tally),
                Check::Decode => code::whole(&decoded, &mut tally),
                Check::Branches => code::branches(subject, &decoded, &mut tally),
                Check::Padding => layout::padding(subject, &mut tally),
                Check::Bytecode => links::bytecode(subject, &mut tally),
                Check::List => links::list(subject, &mut tally),
                Check::Children => links::children(subject, &mut tally),
                Check::State => state::state(subject, &mut tally),
                Check::Copy => links::copy(subject, &mut tally),
            }
            tally.result()
        })
        .collect()
}
