//! `co_exceptiontable`: which handler each part of the bytecode has (`InternalDocs/exception_handling.md`).

use super::{CPython, Objects};
use crate::address::{Address, BytecodeOffset};
use crate::error::Result;
use crate::target::Reader;

/// No code object has more handlers; a longer table is damaged.
const MOST_HANDLERS: usize = 1 << 16;

/// More bytes than so many handlers need.
const LONGEST_TABLE: u64 = 1 << 20;

/// A part of the bytecode and its handler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExceptionHandler {
    /// The first instruction that it protects.
    pub start: BytecodeOffset,
    /// Behind the last.
    pub end: BytecodeOffset,
    /// Where it begins.
    pub target: BytecodeOffset,
    /// How many values stay on the stack.
    pub depth: u32,
    /// Whether the offset of the instruction that raised is pushed.
    pub lasti: bool,
}

/// The handlers of the code object at `code`.
pub fn exception_handlers(
    python: &CPython,
    reader: Reader<'_>,
    code: Address,
) -> Result<Vec<ExceptionHandler>> {
    let field = "co_exceptiontable";
    let place = python.layouts.shape("PyCodeObject")?.field(field)?;
    let table = reader.pointer(code.wrapping_add(place.offset), field)?;
    let table = Objects::new(python, reader).byte_string(table, LONGEST_TABLE)?;
    Ok(handlers(&table))
}

/// The entries of a table; of a damaged one those before the damage.
fn handlers(table: &[u8]) -> Vec<ExceptionHandler> {
    let mut bytes = table.iter().copied();
    let mut handlers = Vec::new();
    while handlers.len() < MOST_HANDLERS
        && let Some(handler) = handler(&mut bytes)
    {
        handlers.push(handler);
    }
    handlers
}

fn handler(bytes: &mut impl Iterator<Item = u8>) -> Option<ExceptionHandler> {
    let start = varint(bytes)?;
    let end = start.checked_add(varint(bytes)?)?;
    let target = varint(bytes)?;
    let depth = varint(bytes)?;
    Some(ExceptionHandler {
        start: BytecodeOffset::of_code_unit(start)?,
        end: BytecodeOffset::of_code_unit(end)?,
        target: BytecodeOffset::of_code_unit(target)?,
        depth: depth >> 1,
        lasti: depth & 1 == 1,
    })
}

/// Six bits a byte, the most significant first; bit 6 says that more follow, bit 7 that an entry begins.
fn varint(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut byte = bytes.next()?;
    let mut value = u32::from(byte & 63);
    while byte & 64 != 0 {
        byte = bytes.next()?;
        value = value.checked_mul(64)? | u32::from(byte & 63);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entries_up_to_the_damage() {
        // 4 units from unit 65 on, handler at unit 3, depth 2 with lasti; then a cut one.
        let table = [0x80 | 0x41, 1, 4, 3, 5, 0x80 | 9, 0x41];
        let expected = ExceptionHandler {
            start: BytecodeOffset(130),
            end: BytecodeOffset(138),
            target: BytecodeOffset(6),
            depth: 2,
            lasti: true,
        };
        assert_eq!(handlers(&table), [expected]);
        assert_eq!(handlers(&[0xff; 64]), []);
    }
}
