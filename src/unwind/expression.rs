//! DWARF expressions in unwind tables: signal trampolines and procedure linkage tables have some.

use crate::address::Address;
use crate::target::Reader;
use gimli::{EndianSlice, EvaluationResult, Expression, LittleEndian, Value};

/// Operations that one expression may take: those of linkers take ten.
const MOST_OPERATIONS: u32 = 1000;

/// The value of an expression. In rules of registers the canonical frame address is on the stack at first.
///
/// # Errors
/// A sentence that says why it has none.
pub fn evaluate(
    expression: Expression<EndianSlice<'_, LittleEndian>>,
    encoding: gimli::Encoding,
    cfa: Option<u64>,
    register: &dyn Fn(gimli::Register) -> Option<u64>,
    reader: Reader<'_>,
) -> Result<u64, String> {
    let damaged = |error| format!("an expression of the unwind table is damaged: {error}");
    let mut evaluation = expression.evaluation(encoding);
    evaluation.set_max_iterations(MOST_OPERATIONS);
    if let Some(cfa) = cfa {
        evaluation.set_initial_value(cfa);
    }
    let mut result = evaluation.evaluate().map_err(damaged)?;
    // Ends: each turn takes at least one of the operations that are counted.
    loop {
        result = match result {
            EvaluationResult::Complete => break,
            EvaluationResult::RequiresRegister {
                register: number, ..
            } => {
                let value =
                    register(number).ok_or("a register in its unwind table is not known")?;
                evaluation.resume_with_register(Value::Generic(value))
            }
            EvaluationResult::RequiresMemory { address, size, .. } => {
                let word = memory(reader, address, size)?;
                evaluation.resume_with_memory(Value::Generic(word))
            }
            _ => {
                return Err(
                    "an expression of the unwind table asks for what is not known here".to_owned(),
                );
            }
        }
        .map_err(damaged)?;
    }
    let value = evaluation
        .value_result()
        .ok_or("an expression of the unwind table has no value")?;
    // Generic values are as wide as addresses.
    value.to_u64(u64::MAX).map_err(damaged)
}

fn memory(reader: Reader<'_>, address: u64, size: u8) -> Result<u64, String> {
    let bytes = reader
        .bytes(
            Address(address),
            u64::from(size.min(8)),
            "word of the stack",
        )
        .map_err(|error| error.to_string())?;
    let mut word = [0; 8];
    word.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    Ok(u64::from_le_bytes(word))
}
