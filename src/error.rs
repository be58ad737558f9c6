//! The few errors of the library. They carry what is needed to act on them; sentences for people are made at the edge.

use crate::address::Address;
use std::path::PathBuf;

/// A read that the target could not answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("cannot read {length} bytes at {address}")]
pub struct Fault {
    /// Where the read began.
    pub address: Address,
    /// How many bytes were asked for.
    pub length: u64,
    /// How many bytes from `address` on are known to be readable.
    pub readable: u64,
}

/// What can go wrong below the commands.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Target memory that could not be read, and what was expected there.
    #[error("{fault} ({what})")]
    Memory {
        /// The read.
        fault: Fault,
        /// What was being read, in CPython's words: `executor`, `trace of executor 0x…`.
        what: String,
    },
    /// A structure without a field that is needed.
    #[error("{shape} has no field {field}")]
    NoField {
        /// The structure.
        shape: String,
        /// The dotted name.
        field: String,
    },
    /// A structure whose layout was found nowhere.
    #[error("the layout of {shape} is not known")]
    NoShape {
        /// The structure.
        shape: String,
    },
    /// A symbol that no loaded file has.
    #[error("there is no symbol {name}")]
    NoSymbol {
        /// The symbol.
        name: String,
    },
    /// A file that could not be used.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Target data that contradicts itself.
    #[error("{what} at {address}: {reason}")]
    Inconsistent {
        /// What it should have been.
        what: String,
        /// Where it is.
        address: Address,
        /// Why it cannot be that.
        reason: String,
    },
    /// A call that cannot be carried out as it was written; the text is for the user.
    #[error("{message}")]
    Usage {
        /// What is wrong with the call.
        message: String,
        /// What to do, if that is known.
        hint: Option<String>,
    },
    /// What the user asked for is not there; the text is for the user.
    #[error("{message}")]
    NotFound {
        /// What was not found.
        message: String,
        /// What to do, if that is known.
        hint: Option<String>,
    },
}

/// The result of everything below the commands.
pub type Result<T, E = Error> = std::result::Result<T, E>;
