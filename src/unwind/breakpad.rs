//! A Breakpad symbol file of JIT code (<https://chromium.googlesource.com/breakpad/breakpad/+/main/docs/symbol_files.md>):
//! names, lines and exact unwinding for LLDB, which has no unwinder that can be scripted.
//!
//! LLDB takes the `STACK CFI` rows of the first function only, unless each function has an `INIT` row of its own.

use super::rule::{ReturnAddress, SavedAt, UnwindRule, shim_rules, uop_rules};
use super::shim::Shim;
use super::stack_flow::StackFlow;
use crate::platform::Register;
use std::fmt::Write;
use std::sync::Arc;

/// A piece of JIT code with a name: a uop, or the shim.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where it starts, in bytes from the start of the executor's code.
    pub start: u64,
    /// Its bytes.
    pub size: u64,
    /// What a frame in it is called.
    pub name: String,
    /// The source line that it belongs to.
    pub source: Option<(String, u32)>,
    /// Its stack.
    pub flow: Arc<StackFlow>,
    /// Whether it is the shim.
    pub is_shim: bool,
}

/// The text. `build_id` is that of the ELF file which it is for, `module` the name of it.
pub fn text(shim: &Shim, module: &str, build_id: &[u8; 20], pieces: &[Piece]) -> String {
    let mut text = String::new();
    let mut files = Files::default();
    let mut body = String::new();
    for piece in pieces {
        let (start, size) = (piece.start, piece.size);
        let name = one_line(&piece.name);
        // Writing to a string does not fail. A function without a line would be shown at line 0 of the first file.
        let Some((file, line)) = &piece.source else {
            let _ = writeln!(body, "PUBLIC {start:x} 0 {name}");
            continue;
        };
        let file = files.number(file);
        let _ = writeln!(body, "FUNC {start:x} {size:x} 0 {name}");
        let _ = writeln!(body, "{start:x} {size:x} {line} {file}");
    }
    let machine = shim.architecture.platform().breakpad;
    let _ = writeln!(
        text,
        "MODULE Linux {machine} {} {module}",
        debug_id(build_id)
    );
    let _ = writeln!(text, "INFO CODE_ID {}", hex(build_id));
    for (number, file) in files.names.iter().enumerate() {
        let _ = writeln!(text, "FILE {number} {}", one_line(file));
    }
    text.push_str(&body);
    for piece in pieces {
        rows(shim, piece, &mut text);
    }
    text
}

/// The rows of one piece: one where it starts, and one wherever something changes.
fn rows(shim: &Shim, piece: &Piece, text: &mut String) {
    let rules = match piece.is_shim {
        true => shim_rules(shim, &piece.flow),
        false => uop_rules(shim, &piece.flow),
    };
    let mut last = String::new();
    for (offset, rule) in rules {
        // Registers that are lost are not told, so that other rules may come to the same words.
        let rule = words(shim, &rule);
        if rule == last {
            continue;
        }
        let at = piece.start.saturating_add(offset);
        let size = piece.size;
        let _ = match last.is_empty() {
            true => writeln!(text, "STACK CFI INIT {at:x} {size:x} {rule}"),
            false => writeln!(text, "STACK CFI {at:x} {rule}"),
        };
        last = rule;
    }
}

fn words(shim: &Shim, rule: &UnwindRule) -> String {
    let name = |register: Register| register.name(shim.architecture);
    let (base, offset) = (name(rule.cfa.0), rule.cfa.1);
    let return_address = match rule.return_address {
        ReturnAddress::Memory(at) => in_memory(at),
        ReturnAddress::Register(register) => format!("${}", name(register)),
    };
    let mut words = format!(".cfa: ${base} {offset} + .ra: {return_address}");
    for (register, saved) in &rule.registers {
        if let SavedAt::Memory(at) = saved {
            let _ = write!(words, " ${}: {}", name(*register), in_memory(*at));
        }
    }
    words
}

/// What is in memory, so many bytes from the canonical frame address.
fn in_memory(offset: i64) -> String {
    format!(".cfa {} - ^", offset.saturating_neg())
}

/// Source files by number.
#[derive(Default)]
struct Files {
    names: Vec<String>,
}

impl Files {
    fn number(&mut self, file: &str) -> usize {
        match self.names.iter().position(|known| known == file) {
            Some(number) => number,
            None => {
                self.names.push(file.to_owned());
                self.names.len() - 1
            }
        }
    }
}

/// A name of the target, which may contain anything, as a part of a line.
fn one_line(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// A GUID of the first 16 bytes, the fields of which are little-endian, and an age of 0.
fn debug_id(build_id: &[u8; 20]) -> String {
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let bytes: Vec<u8> = (order.into_iter())
        .filter_map(|index: usize| build_id.get(index).copied())
        .collect();
    format!("{}0", hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
