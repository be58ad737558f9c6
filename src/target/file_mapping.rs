//! Which part of which file lies where in the memory of a target.

use crate::address::Range;
use std::path::PathBuf;

/// A piece of a file in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileMapping {
    /// Where it lies.
    pub range: Range,
    /// Where its bytes begin in the file.
    pub offset: u64,
    /// The name of the file when it was mapped, as the target saw it.
    pub path: PathBuf,
}
