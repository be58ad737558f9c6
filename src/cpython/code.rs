//! `PyCodeObject`: names, bytecode and lines (`Include/cpython/code.h`).

use super::location_table;
use super::{CPython, Objects, OpcodeTable, proof_of_code};
use crate::address::{Address, BytecodeOffset, Range};
use crate::error::{Error, Result};
use crate::target::{Reader, Record};
use std::collections::BTreeSet;
use std::sync::Arc;

/// `sizeof(_Py_CODEUNIT)`.
const CODE_UNIT: u64 = 2;

/// More code units than any real function has.
const MOST_UNITS: u64 = 1 << 24;

/// `MAX_EXECUTORS_SIZE` in `Python/optimizer.c`.
const MOST_EXECUTORS: u64 = 256;

/// A code object.
#[derive(Clone, Debug)]
pub struct CodeObject {
    /// Where it is.
    pub address: Address,
    /// `co_name`.
    pub name: String,
    /// `co_qualname`.
    pub qualname: String,
    /// `co_filename`.
    pub filename: String,
    /// `co_firstlineno`.
    pub firstlineno: i32,
    /// Where its bytecode is.
    pub bytecode: Address,
    /// The instructions in order. Where tracing tools have replaced one, the list ends before it.
    pub instructions: Vec<BytecodeInstruction>,
    /// How many code units the bytecode has.
    pub units: u32,
    lines: Vec<Option<i32>>,
}

/// One instruction, with its `EXTENDED_ARG` prefixes; behind `ENTER_EXECUTOR` the one that was there before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BytecodeInstruction {
    /// Where it begins, at its first prefix.
    pub offset: BytecodeOffset,
    /// Where its opcode stands, behind the prefixes.
    pub at: BytecodeOffset,
    /// The opcode, specialised as it stands in memory.
    pub opcode: u8,
    /// The argument, prefixes included.
    pub oparg: u32,
    /// The code unit after it and its inline caches.
    pub end: u32,
    /// The name, if the target tells it.
    pub name: Option<Arc<str>>,
}

impl CodeObject {
    /// The line of the instruction at this offset.
    pub fn line(&self, offset: BytecodeOffset) -> Option<i32> {
        let unit = usize::try_from(offset.code_unit()).ok()?;
        self.lines.get(unit).copied().flatten()
    }

    /// All lines with bytecode, ascending.
    pub fn all_lines(&self) -> BTreeSet<i32> {
        self.lines.iter().copied().flatten().collect()
    }

    /// Whether an instruction can stand at this offset. Nothing is known behind one that a tracing tool has replaced.
    pub fn may_have_instruction(&self, offset: BytecodeOffset) -> bool {
        let known = self.instructions.last().map_or(0, |last| last.end);
        let unit = offset.code_unit();
        self.instruction(offset).is_some() || (known..self.units).contains(&unit)
    }

    /// The instruction that begins at this offset, or whose opcode stands there: CPython names instructions with
    /// prefixes both ways (uops by their first prefix, the start of a trace by the opcode).
    pub fn instruction(&self, offset: BytecodeOffset) -> Option<&BytecodeInstruction> {
        let behind = self
            .instructions
            .partition_point(|instruction| instruction.offset <= offset);
        let instruction = self.instructions.get(behind.checked_sub(1)?)?;
        (instruction.offset == offset || instruction.at == offset).then_some(instruction)
    }
}

/// Reads the code object at `address`.
pub(super) fn read(python: &CPython, reader: Reader<'_>, address: Address) -> Result<CodeObject> {
    let (record, units) = head(python, reader, address)?;
    let bytecode = record.address_of("co_code_adaptive")?;
    let read = Bytecode::read(python, reader, &record, bytecode, units)?;
    Ok(CodeObject {
        instructions: read.instructions(),
        ..named(python, reader, &record, units)?
    })
}

/// The same without its instructions.
pub(super) fn read_named(
    python: &CPython,
    reader: Reader<'_>,
    address: Address,
) -> Result<CodeObject> {
    let (record, units) = head(python, reader, address)?;
    named(python, reader, &record, units)
}

/// The code object itself, and how many code units it has.
fn head<'p>(
    python: &'p CPython,
    reader: Reader<'_>,
    address: Address,
) -> Result<(Record<'p>, u32)> {
    check_code(python, reader, address)?;
    let record = reader.record(address, python.layouts.shape("PyCodeObject")?)?;
    let units = record.unsigned("ob_base.ob_size")?;
    let units = u32::try_from(units).ok().filter(|_| units <= MOST_UNITS);
    let units = units.ok_or_else(|| Error::Inconsistent {
        what: "code object".to_owned(),
        address,
        reason: "its length is that of no function".to_owned(),
    })?;
    Ok((record, units))
}

fn named(
    python: &CPython,
    reader: Reader<'_>,
    record: &Record<'_>,
    units: u32,
) -> Result<CodeObject> {
    let objects = Objects::new(python, reader);
    let proof = || proof_of_code(python, reader, record.address);
    let fixed = reader.lasting(record.address, proof, || {
        fixed_parts(objects, record, units)
    })?;
    let firstlineno = i32::try_from(record.signed("co_firstlineno")?).unwrap_or_default();
    Ok(CodeObject {
        address: record.address,
        name: fixed.name,
        qualname: fixed.qualname,
        filename: fixed.filename,
        firstlineno,
        bytecode: record.address_of("co_code_adaptive")?,
        instructions: Vec::new(),
        units,
        lines: location_table::lines(&fixed.table, firstlineno),
    })
}

/// What stays the same while a code object lives.
struct FixedParts {
    name: String,
    qualname: String,
    filename: String,
    table: Vec<u8>,
}

fn fixed_parts(objects: Objects<'_>, record: &Record<'_>, units: u32) -> Result<FixedParts> {
    // A damaged name or table is no reason to lose the rest.
    let text = |field: &str| -> Result<String> {
        let name = objects.text(record.pointer(field)?);
        Ok(name.unwrap_or_else(|_| "<unreadable>".to_owned()))
    };
    let table = objects.byte_string(record.pointer("co_linetable")?, u64::from(units) * 16 + 64);
    Ok(FixedParts {
        name: text("co_name")?,
        qualname: text("co_qualname")?,
        filename: text("co_filename")?,
        table: table.unwrap_or_default(),
    })
}

/// The executors that a code object names, by slot, as it stands in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecutorSlots {
    /// `co_executors`: by slot, null where an executor was taken away again.
    pub slots: Vec<Address>,
}

impl ExecutorSlots {
    /// Reads the slots of the code object at `code`; none if it has no array of executors.
    ///
    /// # Errors
    /// If there is no code object, or its array cannot be read.
    pub fn read(python: &CPython, reader: Reader<'_>, code: Address) -> Result<ExecutorSlots> {
        check_code(python, reader, code)?;
        let record = reader.record(code, python.layouts.shape("PyCodeObject")?)?;
        let array = record.pointer("co_executors")?;
        let slots = match array.is_null() {
            true => Vec::new(),
            false => slots(python, reader, array)?,
        };
        Ok(ExecutorSlots { slots })
    }

    /// Opcode and argument of the code unit of `code` at `offset`, as they stand in memory.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn instruction(
        reader: Reader<'_>,
        code: &CodeObject,
        offset: BytecodeOffset,
    ) -> Result<(u8, u8)> {
        let at = code.bytecode.wrapping_add(u64::from(offset.0));
        let bytes = reader.bytes(at, CODE_UNIT, "bytecode")?;
        match bytes.as_slice() {
            [opcode, oparg] => Ok((*opcode, *oparg)),
            _ => Ok((0, 0)),
        }
    }
}

/// An error unless the object at `address` is a code object.
fn check_code(python: &CPython, reader: Reader<'_>, address: Address) -> Result<()> {
    let objects = Objects::new(python, reader);
    if address.0.is_multiple_of(8)
        && objects.type_of(address)? == python.symbols.symbol("PyCode_Type")?.address
    {
        return Ok(());
    }
    Err(Error::Inconsistent {
        what: "code object".to_owned(),
        address,
        reason: "not a code object".to_owned(),
    })
}

/// The slots of a `_PyExecutorArray`.
fn slots(python: &CPython, reader: Reader<'_>, array: Address) -> Result<Vec<Address>> {
    let record = reader.record(array, python.layouts.shape("_PyExecutorArray")?)?;
    let count = record.unsigned("size")?.min(MOST_EXECUTORS);
    reader.pointers(
        record.address_of("executors")?,
        count,
        "executors of a code object",
    )
}

/// The code units of a code object and what stands in its executor slots.
struct Bytecode<'t> {
    opcodes: &'t OpcodeTable,
    units: Vec<[u8; 2]>,
    /// By slot: the instruction that the executor replaced.
    replaced: Vec<Option<[u8; 2]>>,
}

impl<'t> Bytecode<'t> {
    fn read(
        python: &'t CPython,
        reader: Reader<'_>,
        record: &Record<'_>,
        start: Address,
        units: u32,
    ) -> Result<Bytecode<'t>> {
        let bytes = reader.bytes(start, u64::from(units) * CODE_UNIT, "bytecode")?;
        let executors = record.pointer("co_executors")?;
        Ok(Bytecode {
            opcodes: &python.opcodes,
            units: bytes.as_chunks::<2>().0.to_vec(),
            replaced: match executors.is_null() {
                true => Vec::new(),
                false => replaced(python, reader, executors).unwrap_or_default(),
            },
        })
    }

    fn instructions(&self) -> Vec<BytecodeInstruction> {
        let enter = self.opcodes.opcode("ENTER_EXECUTOR");
        let extended = self.opcodes.opcode("EXTENDED_ARG");
        let mut instructions = Vec::new();
        let mut unit = 0u32;
        let (mut start, mut prefix) = (0u32, 0u32);
        while let Some([opcode, argument]) = self.unit(unit, enter) {
            let oparg = prefix << 8 | u32::from(argument);
            let Some(caches) = self.opcodes.caches(opcode) else {
                break;
            };
            let at = unit;
            unit += 1 + u32::from(caches);
            if Some(opcode) == extended {
                prefix = oparg;
                continue;
            }
            let place = BytecodeOffset::of_code_unit(start).zip(BytecodeOffset::of_code_unit(at));
            let Some((offset, at)) = place else {
                break;
            };
            instructions.push(BytecodeInstruction {
                offset,
                at,
                opcode,
                oparg,
                end: unit,
                name: self.opcodes.name(opcode).cloned(),
            });
            (start, prefix) = (unit, 0);
        }
        instructions
    }

    /// The code unit, the original one where an executor was put.
    fn unit(&self, unit: u32, enter: Option<u8>) -> Option<[u8; 2]> {
        let found = self.units.get(usize::try_from(unit).ok()?).copied()?;
        if Some(found[0]) != enter {
            return Some(found);
        }
        let original = self.replaced.get(usize::from(found[1])).copied().flatten();
        Some(original.unwrap_or(found))
    }
}

/// What the executors of a `_PyExecutorArray` replaced (`vm_data.opcode`, `vm_data.oparg`).
fn replaced(python: &CPython, reader: Reader<'_>, array: Address) -> Result<Vec<Option<[u8; 2]>>> {
    let executor = python.layouts.shape("_PyExecutorObject")?;
    let slots = slots(python, reader, array)?;
    let heads: Vec<Range> = slots
        .iter()
        .map(|address| Range::new(*address, executor.size))
        .collect();
    reader.prefetch(&heads);
    let original = |address: Address| {
        let record = reader.record(address, executor).ok()?;
        let byte = |field| u8::try_from(record.unsigned(field).ok()?).ok();
        Some([byte("vm_data.opcode")?, byte("vm_data.oparg")?])
    };
    Ok(slots
        .into_iter()
        .map(|address| (!address.is_null()).then(|| original(address)).flatten())
        .collect())
}
