//! What only the debugger can do.

use crate::address::{Address, Range};
use crate::symbols::Symbols;

/// Something for the front-end to carry out; the head of [`super`] says how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// `set-breakpoint`
    SetBreakpoint(Box<UserBreakpoint>),
    /// `update-region`
    UpdateRegion(RegionPlaces),
    /// `hooks`: all that there are to be.
    Hooks(Vec<Hook>),
    /// `run`
    Run(Run),
    /// `single-step`, of the thread with this native id.
    SingleStep {
        /// None: the selected one.
        thread: Option<u64>,
    },
    /// `add-symbols`
    AddSymbols(Box<SymbolFile>),
    /// `remove-symbols`: the file with this number.
    RemoveSymbols(u64),
    /// `choose`: a setting has another value from now on.
    Choose {
        /// Its name.
        name: &'static str,
        /// What it is now.
        value: &'static str,
    },
}

/// An object file with debug information of executors, for the debugger to load.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SymbolFile {
    /// That of its first listing, which no other file in the debugger has at the same time.
    pub number: u64,
    /// The ELF file, whose sections are where the code is, and what the debugger shows as the source of each executor. No
    /// other listing has had the same name with another text: debuggers keep sources by name.
    pub symbols: Symbols,
}

/// A breakpoint that the user sees, with any number of places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UserBreakpoint {
    /// The core's own number of it, unique in the whole debugger.
    pub id: u32,
    /// Short and unique, without blanks and colons: the name of its probes.
    pub label: String,
    /// What it is, for people.
    pub text: String,
    /// Where it is now.
    pub places: Vec<Place>,
    /// Whether it goes away with its first stop.
    pub temporary: bool,
    /// Whether it uses debug registers of the processor.
    pub hardware: bool,
    /// An expression of the debugger.
    pub condition: Option<String>,
    /// How many hits do not stop.
    pub ignore: u64,
    /// The debugger's number of the only thread that it stops.
    pub thread: Option<String>,
    /// Commands of the debugger to be run at each stop, one a line.
    pub commands: Vec<String>,
    /// Whether a hit has to be judged.
    pub catch: Option<Catch>,
    /// An ELF file with one probe of this label, for GDB to have while it makes a breakpoint without places: one that
    /// was pending when it was made is never shown with its label.
    pub probes: Vec<u8>,
}

/// How hits of a catch are judged: the front-end hands over these registers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Catch {
    /// To be told with each hit.
    pub kind: &'static str,
    /// Their names.
    pub registers: Vec<&'static str>,
}

/// One place of a user breakpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// [`UserBreakpoint::id`]
    pub breakpoint: u32,
    /// [`UserBreakpoint::label`]
    pub label: String,
    /// Where the breakpoint is.
    pub address: Address,
    /// Operands of an SDT probe (`8@%rdi`), for `$_probe_arg0`.
    pub arguments: String,
}

/// All places in one region.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegionPlaces {
    /// The memory that the executor's code owns.
    pub range: Range,
    /// None: it is left.
    pub places: Vec<Place>,
    /// An ELF file with these places as probes; nothing without any.
    pub probes: Vec<u8>,
}

/// An internal breakpoint at which the core has to look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    /// To be told when it is hit.
    pub kind: &'static str,
    /// Where.
    pub address: Address,
    /// What to hand over.
    pub registers: Vec<&'static str>,
}

/// A stretch to be run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// The native id of the thread that may stop; None: the selected one.
    pub thread: Option<u64>,
    /// Where it is to stop.
    pub places: Vec<RunPlace>,
    /// Whether the debugger is to say nothing of the stop.
    pub suppress: bool,
}

/// A temporary breakpoint of a [`Run`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RunPlace {
    /// Where.
    pub address: Address,
    /// How many hits do not stop.
    pub ignore: u64,
    /// Whether it stops any thread, not only the one that the run is of.
    pub any_thread: bool,
}
