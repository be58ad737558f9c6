//! What a page shows beside the listings of executors: the functions that their uops come from.

use super::bytecode::BytecodeData;
use super::rows::CodeRef;

/// The rest of a page.
#[derive(Clone, Debug)]
pub struct PageData {
    /// The functions, in the order in which the uops first come to them.
    pub functions: Vec<PageFunction>,
}

/// A function.
#[derive(Clone, Debug)]
pub struct PageFunction {
    /// Its code object.
    pub code: CodeRef,
    /// Its bytecode; why it is not known otherwise.
    pub bytecode: Result<BytecodeData, String>,
    /// Its lines, the first to the last that an instruction comes from.
    pub source: Vec<(i32, String)>,
    /// What is missing of the source, or speaks against its being what the process runs.
    pub source_doubt: Option<String>,
}
