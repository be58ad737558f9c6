//! Why an entry of the DWARF could not be read.

use std::fmt;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// The bytes are no DWARF.
    Malformed(gimli::Error),
    /// A reference leads to a part of `.debug_info` that is not uncompressed yet.
    NotReady,
    /// Something that exists and is not supported.
    Unsupported(&'static str),
    /// A limit that protects against hostile data was reached.
    Limit(&'static str),
}

impl From<gimli::Error> for Trouble {
    fn from(error: gimli::Error) -> Trouble {
        Trouble::Malformed(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Malformed(error) => write!(f, "the DWARF is malformed: {error}"),
            Trouble::NotReady => write!(f, "the DWARF refers to an entry outside .debug_info"),
            Trouble::Unsupported(what) => {
                write!(f, "the DWARF has {what}, which is not supported")
            }
            Trouble::Limit(what) => write!(f, "the DWARF has {what}"),
        }
    }
}
