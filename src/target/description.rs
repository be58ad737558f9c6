//! What a front-end tells about its target, as plain data.

use std::path::PathBuf;

/// Whether the target runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A process.
    Live,
    /// A core dump.
    Core,
    /// The very process that this library runs in.
    Own,
}

impl Kind {
    /// The word that the JSON uses.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Live => "live",
            Kind::Core => "core",
            Kind::Own => "self",
        }
    }
}

/// A file that is loaded into the target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadedFile {
    /// The executable or library.
    pub path: PathBuf,
    /// Separate debug files that the debugger found for it.
    pub debug_files: Vec<PathBuf>,
    /// Load address minus address in the file, if it is known.
    pub bias: Option<u64>,
}

/// A target, for as long as the same program is loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// The debugger's name of the processor: `i386:x86-64`, `aarch64`, …
    pub architecture: String,
    /// Process or core.
    pub kind: Kind,
    /// The process id, if there is one.
    pub pid: Option<u64>,
    /// The loaded files, the executable first.
    pub files: Vec<LoadedFile>,
    /// Where separate debug files are looked for besides the usual places.
    pub debug_directories: Vec<PathBuf>,
    /// How much memory one packet brings, where each request is a packet over a connection.
    pub packet: Option<u64>,
}

/// What the user has selected at this stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stop {
    /// The program counter of the selected frame.
    pub pc: Option<crate::address::Address>,
    /// The kernel's id of the selected thread.
    pub thread: Option<u64>,
    /// Whether the front-end knows that this program counter is in the code of a loaded file, so in that of no executor.
    pub in_file: bool,
}
