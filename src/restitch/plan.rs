//! What the JIT emits for an executor, and where (`_PyJIT_Compile` in `Python/jit.c`).

use crate::address::{Address, Range, UopIndex};
use crate::cpython::{CPython, Stencil};
use crate::map::{GOT_SLOT, MappedExecutor, RegionKind, TRAMPOLINE};
use std::fmt;

/// More than any executor has by far (debug builds: 1 MiB); a wrong size ends here.
const MOST_BYTES: u64 = 16 << 20;

/// What an emitter is called for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The entry from C (3.14).
    Shim,
    /// A uop.
    Uop(UopIndex),
    /// The `_FATAL_ERROR` behind the last uop.
    Guard,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Shim => f.write_str("the shim"),
            Part::Uop(index) => write!(f, "uop {index}"),
            Part::Guard => f.write_str("the guard behind the last uop"),
        }
    }
}

/// A call of an emitter.
#[derive(Clone, Debug)]
pub struct Emission<'t> {
    /// What for.
    pub part: Part,
    /// The function; null if it is not known.
    pub emitter: Address,
    /// Where its code goes.
    pub code: Range,
    /// Where its data goes.
    pub data: Range,
    /// The uop's instruction in the trace; null for shim and guard.
    pub instruction: Address,
    /// Which symbols it needs; not known for a shim without a symbol.
    pub stencil: Option<&'t Stencil>,
}

/// Trampolines or GOT: a piece of memory with one entry for each symbol of a set.
#[derive(Clone, Debug)]
pub struct SymbolState {
    /// Where it is.
    pub memory: Range,
    /// The symbols.
    pub mask: Vec<u64>,
    /// Bytes of one entry.
    pub entry: u64,
}

/// All that is emitted for an executor.
#[derive(Clone, Debug)]
pub struct Plan<'t> {
    /// The calls, in the JIT's order.
    pub emissions: Vec<Emission<'t>>,
    /// Where the code of each uop begins.
    pub starts: Vec<Address>,
    /// The trampolines.
    pub trampolines: SymbolState,
    /// The GOT, where there is one (3.15).
    pub got: Option<SymbolState>,
    /// The allocation; longer if what is emitted does not fit.
    pub allocation: Range,
}

impl<'t> Plan<'t> {
    /// The plan for an executor. `shim` is the emitter of the shim, should the table not tell.
    ///
    /// # Errors
    /// A sentence, if it has no code or the table of stencils does not explain it.
    pub fn new(
        python: &'t CPython,
        mapped: &MappedExecutor,
        shim: Option<Address>,
    ) -> Result<Plan<'t>, String> {
        let table = &python.uops;
        let (executor, map) = (&mapped.executor, &mapped.map);
        if executor.jit_code.is_null() {
            return Err("it has no machine code (jit_code is NULL)".to_owned());
        }
        let (Some((_, guard_code)), Some((_, guard))) = (map.guard, table.guard()) else {
            let why = map.findings.first().cloned();
            return Err(why.unwrap_or_else(|| "this CPython has no _FATAL_ERROR".to_owned()));
        };
        let emissions = emissions(python, mapped, shim, guard_code, &guard.stencil)?;
        let data_end = emissions.last().map_or(guard_code, |last| last.data).end();
        let trampolines = symbols(guard_code.end(), &map.trampoline_mask, TRAMPOLINE);
        let got = table
            .has_got
            .then(|| symbols(data_end, &map.got_mask, GOT_SLOT));
        let end = got.as_ref().map_or(data_end, |got| got.memory.end());
        let size = end.offset_from(executor.jit_code).unwrap_or(u64::MAX);
        let size = size.max(executor.jit_size);
        if size > MOST_BYTES {
            return Err(format!(
                "{size} bytes of code are more than any executor has"
            ));
        }
        Ok(Plan {
            starts: (map.uops.iter())
                .map(|ranges| ranges.first().map_or(Address::NULL, |range| range.start))
                .collect(),
            emissions,
            trampolines,
            got,
            allocation: Range::new(executor.jit_code, size),
        })
    }

    /// The emission whose code or data contains `address`.
    pub fn emission_at(&self, address: Address) -> Option<&Emission<'t>> {
        let mut all = self.emissions.iter();
        all.find(|one| one.code.contains(address) || one.data.contains(address))
    }
}

fn emissions<'t>(
    python: &'t CPython,
    mapped: &MappedExecutor,
    shim: Option<Address>,
    guard_code: Range,
    guard: &'t Stencil,
) -> Result<Vec<Emission<'t>>, String> {
    let (executor, map) = (&mapped.executor, &mapped.map);
    let mut emissions = Vec::with_capacity(executor.uops.len().saturating_add(2));
    let first_data = map
        .data
        .first()
        .map_or(guard_code.end(), |first| first.start);
    if let Some(region) = map.regions.iter().find(|one| one.kind == RegionKind::Shim) {
        let stencil = python.uops.shim.as_ref();
        let data = stencil.map_or(0, |stencil| stencil.data_size);
        let data_start = Address(first_data.0.wrapping_sub(data));
        emissions.push(Emission {
            part: Part::Shim,
            emitter: stencil.map_or(shim.unwrap_or_default(), |stencil| stencil.emit),
            code: region.range,
            data: Range::new(data_start, data),
            instruction: Address::NULL,
            stencil,
        });
    }
    let mut instruction = executor.trace;
    let table = &python.uops;
    let shape = python.layouts.shape("_PyUOpInstruction");
    let size = shape.map_err(|error| error.to_string())?.size;
    let ranges = map.uops.iter().zip(&map.data);
    for (index, (uop, (code, data))) in (0..).zip(executor.uops.iter().zip(ranges)) {
        let kind = table.kind(uop.opcode).zip(code.first());
        let (kind, code) = kind.ok_or_else(|| format!("uop {index} has no stencil"))?;
        emissions.push(Emission {
            part: Part::Uop(UopIndex(index)),
            emitter: kind.stencil.emit,
            code: *code,
            data: *data,
            instruction,
            stencil: Some(&kind.stencil),
        });
        instruction = instruction.wrapping_add(size);
    }
    let behind = map.data.last().map_or(first_data, |last| last.end());
    emissions.push(Emission {
        part: Part::Guard,
        emitter: guard.emit,
        code: guard_code,
        data: Range::new(behind, guard.data_size),
        instruction: Address::NULL,
        stencil: Some(guard),
    });
    Ok(emissions)
}

fn symbols(start: Address, mask: &[u64], entry: u64) -> SymbolState {
    let count: u64 = mask.iter().map(|word| u64::from(word.count_ones())).sum();
    SymbolState {
        memory: Range::new(start, count.saturating_mul(entry)),
        mask: mask.to_vec(),
        entry,
    }
}
