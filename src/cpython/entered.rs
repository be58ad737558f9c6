//! Which executors the bytecode of a code object enters, as it stands in memory.

use super::{CPython, CodeObject};
use crate::address::{Address, BytecodeOffset};
use crate::error::Result;
use crate::target::Reader;

/// `MAX_EXECUTORS_SIZE` in `Python/optimizer.c`.
const MOST_EXECUTORS: u64 = 256;

/// Where `ENTER_EXECUTOR` stands among these places, and the executor in the slot that its argument names. That may be
/// one which no list of the interpreter has any more: 3.14 takes executors that ran cold out of its list, and the
/// bytecode notices only when it comes by.
pub fn entered_executors(
    python: &CPython,
    reader: Reader<'_>,
    code: &CodeObject,
    places: impl Iterator<Item = BytecodeOffset>,
) -> Result<Vec<(BytecodeOffset, Address)>> {
    let Some(enter) = python.opcodes.opcode("ENTER_EXECUTOR") else {
        return Ok(Vec::new());
    };
    let slots = slots(python, reader, code.address)?;
    let bytes = reader.bytes(code.bytecode, u64::from(code.units) * 2, "bytecode")?;
    let (units, _) = bytes.as_chunks::<2>();
    Ok(places
        .filter_map(|offset| {
            let [opcode, slot] = *units.get(usize::try_from(offset.code_unit()).ok()?)?;
            let executor = *slots.get(usize::from(slot))?;
            (opcode == enter && !executor.is_null()).then_some((offset, executor))
        })
        .collect())
}

/// The slots of `co_executors`; none if there is no such array.
fn slots(python: &CPython, reader: Reader<'_>, code: Address) -> Result<Vec<Address>> {
    let field = python
        .layouts
        .shape("PyCodeObject")?
        .field("co_executors")?;
    let array = reader.pointer(code.wrapping_add(field.offset), "co_executors")?;
    if array.is_null() {
        return Ok(Vec::new());
    }
    let record = reader.record(array, python.layouts.shape("_PyExecutorArray")?)?;
    let count = record.unsigned("size")?.min(MOST_EXECUTORS);
    let start = record.address_of("executors")?;
    reader.pointers(start, count, "executors of a code object")
}
