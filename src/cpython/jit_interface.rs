//! What CPython tells debuggers of its JIT code: `__jit_debug_descriptor` (GDB's JIT compilation interface; 3.15, in
//! `Python/jit_unwind.c`).
//!
//! The structures belong to GDB's manual, not to CPython, and have version 1 since 2009; so they are written down here.

use super::CPython;
use crate::address::{Address, Range};
use crate::error::Result;
use crate::target::Reader;
use std::collections::HashSet;

/// More than a process has executors.
const MOST_ENTRIES: usize = 1 << 20;

/// The only version there is.
const VERSION: u64 = 1;

/// `JIT_REGISTER_FN`: a debugger is being told of `relevant_entry`.
const REGISTER: u64 = 1;

/// `JIT_UNREGISTER_FN`: a debugger is being told that `relevant_entry` goes.
const UNREGISTER: u64 = 2;

/// Of CPython's own `code_addr` in `struct jit_code_entry`.
const CODE_ADDRESS: u64 = 32;

/// Of `relevant_entry` in `struct jit_descriptor`.
const RELEVANT_ENTRY: u64 = 8;

/// Of `first_entry` in `struct jit_descriptor` { version u32, action_flag u32, relevant_entry, first_entry }.
const FIRST_ENTRY: u64 = 16;

/// `struct jit_code_entry` { next, prev, symfile_addr, symfile_size u64, and behind it CPython's own code_addr }.
const ENTRY: u64 = 40;

/// The largest file that is believed: an executor's code, its frames and one symbol.
const LARGEST_FILE: u64 = 64 << 20;

/// A piece of code that was announced to debuggers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The `jit_code_entry`.
    pub entry: Address,
    /// CPython's own member behind it, `code_addr`. Other JITs in the process have something else there.
    pub code: Address,
    /// The ELF file in memory that describes the code and holds a copy of it.
    pub file: Range,
}

/// What a debugger is being told at this moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Announced {
    /// Code has come: where it is.
    Code(Address),
    /// Code is about to go.
    Gone(Address),
}

impl Announced {
    /// What `__jit_debug_register_code` is being called for; `None` if it is not.
    pub fn read(python: &CPython, reader: Reader<'_>) -> Result<Option<Announced>> {
        let descriptor = python.symbols.symbol("__jit_debug_descriptor")?.address;
        let words = reader.pointers(descriptor, 2, "__jit_debug_descriptor")?;
        let [Address(head), entry] = words.as_slice() else {
            return Ok(None);
        };
        let code = || reader.pointer(entry.wrapping_add(CODE_ADDRESS), "jit_code_entry.code_addr");
        match head >> 32 {
            REGISTER => code().map(Announced::Code).map(Some),
            UNREGISTER => code().map(Announced::Gone).map(Some),
            _ => Ok(None),
        }
    }
}

/// All that is registered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Registrations {
    /// The entries, in the order of the list.
    pub entries: Vec<Registration>,
    /// The entry that is being registered at this moment: its executor is not finished.
    pub current: Option<Address>,
    /// What is missing, and why.
    pub findings: Vec<String>,
}

impl Registrations {
    /// Reads the list; `None` if this CPython has none.
    pub fn read(python: &CPython, reader: Reader<'_>) -> Option<Registrations> {
        let descriptor = python.symbols.find("__jit_debug_descriptor")?.address;
        let mut found = Registrations::default();
        if let Err(reason) = found.follow(reader, descriptor) {
            found.findings.push(format!(
                "the list of code that CPython registers for debuggers could not be read as a whole: {reason}"
            ));
        }
        Some(found)
    }

    fn follow(&mut self, reader: Reader<'_>, descriptor: Address) -> Result<(), String> {
        let text = |error: crate::error::Error| error.to_string();
        let head = reader
            .u64(descriptor, "__jit_debug_descriptor")
            .map_err(text)?;
        let (version, action) = (head & u64::from(u32::MAX), head >> 32);
        if version != VERSION {
            return Err(format!("its version is {version}, not {VERSION}"));
        }
        if action == REGISTER {
            let relevant = descriptor.wrapping_add(RELEVANT_ENTRY);
            let relevant = reader.pointer(relevant, "__jit_debug_descriptor.relevant_entry");
            self.current = Some(relevant.map_err(text)?);
        }
        let first = descriptor.wrapping_add(FIRST_ENTRY);
        let mut next = reader
            .pointer(first, "__jit_debug_descriptor.first_entry")
            .map_err(text)?;
        let mut seen = HashSet::new();
        while !next.is_null() {
            if !seen.insert(next) || seen.len() > MOST_ENTRIES {
                return Err(format!("it runs in a circle at {next}"));
            }
            next = self.entry(reader, next).map_err(text)?;
        }
        Ok(())
    }

    fn entry(&mut self, reader: Reader<'_>, entry: Address) -> Result<Address> {
        let words = reader.pointers(entry, ENTRY / 8, "jit_code_entry")?;
        let word = |index: usize| words.get(index).copied().unwrap_or_default();
        self.entries.push(Registration {
            entry,
            code: word(4),
            file: Range::new(word(2), word(3).0.min(LARGEST_FILE)),
        });
        Ok(word(0))
    }
}
