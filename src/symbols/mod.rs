//! JIT code for debuggers that know nothing of it: ELF objects with symbols, lines, inlined frames, variables and unwind
//! rules of executors, made on the debugger's side. Nothing here reads memory.
//!
//! All addresses are absolute and there are no relocations, so that a debugger takes the object as it is
//! (`add-symbol-file FILE` in GDB, `target modules add` and `load --slide 0` in LLDB). What the two need differently is
//! told apart by [`Debugger`] and written down where it is done.

mod attributes;
mod elf;
mod entries;
mod expressions;
mod files;
mod inlined;
mod jitdump;
mod lines;
mod model;
mod names;
mod perf_map;
#[cfg(test)]
mod tests;
mod units;
mod unwinding;
mod variables;

pub use jitdump::Jitdump;
pub use lines::PythonLine;
pub use model::{
    Convention, ExecutorCode, Function, InlinedFrame, Piece, PieceFacts, PieceKind, Slot, UopPlace,
    Variable,
};

use crate::address::{Range, UopIndex};
use crate::error::{Error, Result};
use crate::render::{UopSource, uop_source};
use gimli::{Encoding, Format};

/// The debugger that an object is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Debugger {
    /// GDB, and other tools.
    Gdb,
    /// LLDB.
    Lldb,
}

/// What a debugger takes for a source line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum View {
    /// A uop is a line of the listing; Python functions are inlined frames.
    #[default]
    Frames,
    /// Lines are those of the Python source.
    Python,
    /// As `Frames`, and each uop is an inlined frame too.
    Both,
}

impl Debugger {
    /// How many executors an object is about at most. GDB takes a file of many about as fast as one of few; but when one of
    /// them is freed the others are written again. LLDB makes a single place of all lines of Python in a module.
    pub fn most_together(self) -> usize {
        match self {
            Debugger::Gdb => 32,
            Debugger::Lldb => 1,
        }
    }
}

/// How an object is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SymbolOptions {
    /// For which debugger.
    pub debugger: Debugger,
    /// With which lines.
    pub view: View,
    /// The folder that the listings will be in.
    pub folder: String,
    /// The debugger finds wrong registers in frames that have called a function: these show no variables.
    pub loses_registers: bool,
}

/// An executor that an object is about.
#[derive(Clone, Copy, Debug)]
pub struct Member<'m> {
    /// What is known of it.
    pub code: &'m ExecutorCode,
    /// A number that makes the name of its listing unlike all others: debuggers keep the text of a file by its name.
    pub number: u64,
}

/// What a debugger is given for some executors.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbols {
    /// The object.
    pub elf: Vec<u8>,
    /// What it refers to, one for each executor.
    pub listings: Vec<Listing>,
}

/// The source file of an executor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// Its text.
    pub text: String,
    /// The name of the file, safe for any file system.
    pub name: String,
    /// What the executor is called: `f@18`.
    pub executor: String,
    /// The allocation of the executor.
    pub range: Range,
    /// What the object's section of its code covers; never a byte of another executor's.
    pub section: Range,
    /// The line of each uop.
    pub lines: Vec<(UopIndex, u32)>,
}

/// DWARF 5, as all debuggers that are supported read it.
const ENCODING: Encoding = Encoding {
    format: Format::Dwarf32,
    version: 5,
    address_size: 8,
};

/// One object about these executors, and their listings.
///
/// # Errors
/// If the parts do not fit together, as of a damaged target; or if there are none.
pub fn write(members: &[Member<'_>], options: &SymbolOptions) -> Result<Symbols> {
    let parts: Vec<Part<'_>> = members
        .iter()
        .map(|member| Part::new(member, options))
        .collect();
    let elf = elf::write(&parts, options.debugger).map_err(|error| unwritable(members, &error))?;
    Ok(Symbols {
        elf,
        listings: parts.into_iter().map(Part::into_listing).collect(),
    })
}

/// One executor in an object that is to be written.
struct Part<'m> {
    code: &'m ExecutorCode,
    options: &'m SymbolOptions,
    source: UopSource,
    name: String,
    listing_name: String,
    section: Range,
}

impl<'m> Part<'m> {
    fn new(member: &Member<'m>, options: &'m SymbolOptions) -> Part<'m> {
        let code = member.code;
        let name = names::executor(&code.listing);
        Part {
            code,
            options,
            source: uop_source(&code.listing, &names::title(&code.listing, &name)),
            listing_name: names::listing(&name, member.number),
            section: elf::section(code, options.debugger),
            name,
        }
    }

    fn into_listing(self) -> Listing {
        Listing {
            text: self.source.text,
            name: self.listing_name,
            executor: self.name,
            range: self.code.allocation,
            section: self.section,
            lines: self.source.lines,
        }
    }
}

/// The lines of an executor in a perf map (`/tmp/perf-PID.map`), from which `perf report` has names.
pub fn perf_map(code: &ExecutorCode) -> String {
    perf_map::lines(code, &names::executor(&code.listing))
}

fn unwritable(members: &[Member<'_>], reason: &str) -> Error {
    let executors = members
        .iter()
        .map(|member| member.code.listing.executor.address);
    Error::Inconsistent {
        what: "symbols of an executor".to_owned(),
        address: executors.min().unwrap_or_default(),
        reason: reason.to_owned(),
    }
}
