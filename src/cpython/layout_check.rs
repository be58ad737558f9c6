//! Whether layouts that were not learned from this very build are right for it: its executors must be consistent.

use super::{CPython, Interpreter};
use crate::address::Address;
use crate::error::Result;
use crate::layout::Layouts;
use crate::target::Reader;

/// So many executors are looked at: one that is right proves the layout, and a target may hold a few damaged ones.
const MOST_CHECKED: usize = 8;

/// Why no executor of the target agrees with the layouts; `None` if one does, or if there is none yet.
pub fn layouts_misfit(python: &CPython, reader: Reader<'_>) -> Option<String> {
    let interpreters = Interpreter::read_all(python, reader).ok()?;
    let mut first = None;
    let executors = interpreters.iter().flat_map(|one| &one.executors);
    for (executor, _) in executors.take(MOST_CHECKED) {
        match misfit(&python.layouts, reader, *executor) {
            Ok(None) => return None,
            Ok(Some(reason)) => first = first.or(Some(reason)),
            Err(error) => first = first.or(Some(error.to_string())),
        }
    }
    first
}

/// One allocation holds the executor, its exits and its trace (`allocate_executor` in `Python/optimizer.c`).
fn misfit(layouts: &Layouts, reader: Reader<'_>, address: Address) -> Result<Option<String>> {
    let record = reader.record(address, layouts.shape("_PyExecutorObject")?)?;
    let exits = record
        .unsigned("exit_count")?
        .saturating_mul(layouts.shape("_PyExitData")?.size);
    let trace = record
        .unsigned("code_size")?
        .saturating_mul(layouts.shape("_PyUOpInstruction")?.size);
    let expected = record.address_of("exits")?.wrapping_add(exits);
    let found = record.pointer("trace")?;
    if found != expected {
        return Ok(Some(format!(
            "the trace of executor {address} is at {found} instead of behind its exits at {expected}"
        )));
    }
    let (size, expected) = (
        record.unsigned("ob_base.ob_size")?,
        exits.saturating_add(trace),
    );
    Ok((size != expected).then(|| {
        format!("executor {address} has {size} bytes of exits and uops instead of {expected}")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;
    use crate::layout::{Provenance, Table};
    use crate::target::Memory;

    const EXECUTOR: u64 = 0x1000;

    /// An executor of 3.15 with two exits and three uops, and other numbers at some of its offsets.
    struct Executor(Vec<u8>);

    impl Executor {
        fn with(changes: &[(usize, u64)]) -> Executor {
            let mut bytes = vec![0; 0x200];
            let own = [
                (0x10, 2 * 16 + 3 * 24),
                (0x18, EXECUTOR + 0x68 + 2 * 16),
                (0x48, 2 | 3 << 32),
            ];
            for (offset, number) in own.iter().chain(changes) {
                bytes[*offset..offset + 8].copy_from_slice(&number.to_le_bytes());
            }
            Executor(bytes)
        }
    }

    impl Memory for Executor {
        fn read(&self, address: Address, into: &mut [u8]) -> Result<(), Fault> {
            let start = usize::try_from(address.0 - EXECUTOR).unwrap();
            into.copy_from_slice(&self.0[start..start + into.len()]);
            Ok(())
        }
    }

    fn said_of(changes: &[(usize, u64)]) -> Option<String> {
        let mut layouts = Layouts::default();
        for shape in Table::of_build(0x030f_0000, crate::platform::Architecture::default(), false)
            .unwrap()
            .shapes
            .into_values()
        {
            layouts.add(shape, Provenance::Derived("test"));
        }
        let memory = Executor::with(changes);
        misfit(&layouts, Reader::new(&memory), Address(EXECUTOR)).unwrap()
    }

    #[test]
    fn an_executor_is_one_allocation() {
        assert_eq!(said_of(&[]), None);
        let expected =
            "the trace of executor 0x1000 is at 0x1080 instead of behind its exits at 0x1088";
        assert_eq!(said_of(&[(0x18, 0x1080)]).as_deref(), Some(expected));
        let expected = "executor 0x1000 has 105 bytes of exits and uops instead of 104";
        assert_eq!(said_of(&[(0x10, 105)]).as_deref(), Some(expected));
        assert!(said_of(&[(0x48, u64::MAX)]).is_some());
    }
}
