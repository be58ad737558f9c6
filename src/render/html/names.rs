//! The names (`id`) of the elements of a page, by which its links and its script find them:
//!
//! | name | element |
//! |---|---|
//! | `x3`, `x-47b5c00` | executor #3; one without a number, by its address |
//! | `x3u14`, `x3e2` | its uop 14, its exit 2 |
//! | `s2-8` | line 8 of function 2 of the page |
//! | `b2-40` | the bytecode instruction of function 2 at offset 40 |

use crate::address::{Address, BytecodeOffset};
use crate::listing::{Bytecode, CodeRef, ExecutorHeader, ExecutorListing, PageData};
use std::collections::{HashMap, HashSet};

/// Which executors and functions the page has.
pub struct Names {
    executors: HashMap<Address, String>,
    functions: HashMap<Address, usize>,
    instructions: HashSet<(usize, BytecodeOffset)>,
}

impl Names {
    /// Of a page.
    pub fn new(executors: &[ExecutorListing], data: &PageData) -> Names {
        let executors = executors.iter().map(|one| &one.executor);
        let functions = data.functions.iter().map(|one| one.code.object);
        let instructions = data.functions.iter().enumerate().flat_map(|(index, one)| {
            let rows = one.bytecode.iter().flat_map(|data| &data.instructions);
            rows.map(move |row| (index, row.offset))
        });
        Names {
            instructions: instructions.collect(),
            executors: executors.map(|one| (one.address, executor(one))).collect(),
            functions: functions.zip(0..).collect(),
        }
    }

    /// The name of an executor that is on the page.
    pub fn executor(&self, address: Address) -> Option<&str> {
        self.executors.get(&address).map(String::as_str)
    }

    /// What people call an executor: `#3`, or its address.
    pub fn number(&self, address: Address) -> String {
        let number = self.executor(address).and_then(|id| id.strip_prefix('x'));
        match number.filter(|number| !number.starts_with('-')) {
            Some(number) => format!("#{number}"),
            None => address.to_string(),
        }
    }

    /// The place of a function on the page.
    pub fn function(&self, code: &CodeRef) -> Option<usize> {
        self.functions.get(&code.object).copied()
    }

    /// The name of an instruction that is on the page, without the `b`, as uops refer to it.
    pub fn bytecode(&self, code: Option<&CodeRef>, bytecode: Option<&Bytecode>) -> Option<String> {
        let (function, offset) = (self.function(code?)?, bytecode?.offset);
        self.has(function, offset).then(|| place(function, offset))
    }

    /// The name of a link to an instruction.
    pub fn link(&self, function: usize, offset: BytecodeOffset) -> Option<String> {
        self.has(function, offset)
            .then(|| format!("b{}", place(function, offset)))
    }

    fn has(&self, function: usize, offset: BytecodeOffset) -> bool {
        self.instructions.contains(&(function, offset))
    }
}

/// The name of an instruction of a function known by its place, without the `b`.
pub fn place(function: usize, offset: BytecodeOffset) -> String {
    format!("{function}-{}", offset.0)
}

/// The name of an executor.
pub fn executor(header: &ExecutorHeader) -> String {
    match header.index {
        Some(index) => format!("x{index}"),
        None => format!("x-{:x}", header.address.0),
    }
}
