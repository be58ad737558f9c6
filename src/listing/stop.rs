//! What is said at a stop in JIT code.

use super::rows::UopRow;
use crate::address::{Address, BytecodeOffset, UopIndex};
use std::sync::Arc;

/// The uop at which a thread has stopped.
#[derive(Clone, Debug)]
pub struct StopData {
    /// Where its executor is.
    pub executor: Address,
    /// `co_qualname` of the function in which that begins.
    pub qualname: Option<String>,
    /// Where bytecode enters it; `None` if only exits do.
    pub entry: Option<BytecodeOffset>,
    /// The uop.
    pub uop: UopRow,
    /// How many bytes of it have been run.
    pub offset: u64,
    /// The uops without code of their own that begin here too.
    pub without_code: Vec<(UopIndex, Arc<str>)>,
    /// The source line.
    pub source: Option<String>,
    /// The top of the evaluation stack in one line, the top first; `None` if it is not asked for or not certain.
    pub stack: Option<String>,
}
