//! JIT code for debuggers that know nothing of it: an ELF object with symbols, lines, inlined frames, variables and unwind
//! rules of one executor, made on the debugger's side. Nothing here reads memory.
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
mod lines;
mod model;
mod names;
mod perf_map;
#[cfg(test)]
mod tests;
mod units;
mod unwinding;
mod variables;

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

/// How an object is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SymbolOptions {
    /// For which debugger.
    pub debugger: Debugger,
    /// With which lines.
    pub view: View,
    /// The folder that the listing will be in.
    pub folder: String,
    /// A number that makes the name of the listing unlike all others: debuggers keep the text of a file by its name.
    pub number: u64,
}

/// What a debugger is given for one executor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbols {
    /// The object.
    pub elf: Vec<u8>,
    /// The text of the source file that its lines refer to.
    pub listing: String,
    /// The name of that file, safe for any file system.
    pub listing_name: String,
    /// What the executor is called: `f@18`.
    pub name: String,
    /// The allocation of the executor.
    pub range: Range,
    /// What the object's section of code covers; never a byte of another executor's.
    pub section: Range,
    /// The line in the listing of each uop.
    pub lines: Vec<(UopIndex, u32)>,
}

/// DWARF 5, as all debuggers that are supported read it.
const ENCODING: Encoding = Encoding {
    format: Format::Dwarf32,
    version: 5,
    address_size: 8,
};

/// The object and the listing of an executor.
///
/// # Errors
/// If the parts do not fit together, as of a damaged target.
pub fn write(code: &ExecutorCode, options: &SymbolOptions) -> Result<Symbols> {
    let name = names::executor(&code.listing);
    let source = uop_source(&code.listing, &names::title(&code.listing, &name));
    let listing_name = names::listing(&name, options.number);
    let section = elf::section(code, options.debugger);
    let elf = Object {
        code,
        options,
        source: &source,
        name: &name,
        listing_name: &listing_name,
        section,
    }
    .write()
    .map_err(|error| unwritable(code, &error))?;
    Ok(Symbols {
        elf,
        listing: source.text,
        listing_name,
        name,
        range: code.allocation,
        section,
        lines: source.lines,
    })
}

/// An object that is to be written.
struct Object<'m> {
    code: &'m ExecutorCode,
    options: &'m SymbolOptions,
    source: &'m UopSource,
    name: &'m str,
    listing_name: &'m str,
    section: Range,
}

/// The lines of an executor in a perf map (`/tmp/perf-PID.map`), from which `perf report` has names.
pub fn perf_map(code: &ExecutorCode) -> String {
    perf_map::lines(code, &names::executor(&code.listing))
}

fn unwritable(code: &ExecutorCode, reason: &str) -> Error {
    Error::Inconsistent {
        what: "symbols of an executor".to_owned(),
        address: code.listing.executor.address,
        reason: reason.to_owned(),
    }
}
