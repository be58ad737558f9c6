//! Which byte of an executor's allocation belongs to what (`_PyJIT_Compile` in `Python/jit.c`).
//!
//! 3.14: `[shim][uop 0]…[uop n-1][guard][trampolines][data][zeros to the page]`;
//! 3.15: `[uop 0]…[uop n-1][guard][trampolines][1..align zeros][data][GOT][zeros to the page]`.
//! What is emitted for a uop never depends on its operands, so sizes alone give all addresses.

use crate::address::{Address, Range, UopIndex};
use crate::cpython::{Executor, Stencil, UopTable};
use crate::disasm::Architecture;

/// A trampoline: `ldr x8, 8; br x8; .quad target` (`patch_aarch64_trampoline` in `Python/jit.c`).
pub const TRAMPOLINE: u64 = 16;

/// A slot of the GOT holds one pointer.
pub const GOT_SLOT: u64 = 8;

/// What a part of the allocation holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionKind {
    /// The entry from C, before the first uop (3.14).
    Shim,
    /// The uops.
    Uops,
    /// The `_FATAL_ERROR` behind the last uop, which is never reached.
    Guard,
    /// Jumps to C functions that are out of reach of a call (AArch64).
    Trampolines,
    /// The constants of the uops.
    Data,
    /// Pointers to C functions and objects, one for each that the trace uses (3.15).
    Got,
    /// Zeros.
    Padding,
    /// Bytes that the table of stencils does not explain.
    Unknown,
}

impl RegionKind {
    /// The word that the JSON uses.
    pub const fn word(self) -> &'static str {
        match self {
            RegionKind::Shim => "shim",
            RegionKind::Uops => "uops",
            RegionKind::Guard => "guard",
            RegionKind::Trampolines => "trampolines",
            RegionKind::Data => "data",
            RegionKind::Got => "got",
            RegionKind::Padding => "padding",
            RegionKind::Unknown => "unknown",
        }
    }
}

/// A part of the allocation. The regions of an executor tile it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// What it holds.
    pub kind: RegionKind,
    /// Where it is.
    pub range: Range,
}

/// What an address inside an executor's allocation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Machine code of a uop, so many bytes into it.
    Uop(UopIndex, u64),
    /// Data of a uop, so many bytes into it.
    Data(UopIndex, u64),
    /// So many bytes into another region.
    Region(RegionKind, u64),
}

/// The map of one executor's allocation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeMap {
    /// Its parts, by address, without the empty ones.
    pub regions: Vec<Region>,
    /// The machine code of each uop. One without code of its own keeps an empty range at its place; one that the
    /// table of stencils does not explain has none.
    pub uops: Vec<Vec<Range>>,
    /// The data of each uop.
    pub data: Vec<Range>,
    /// The opcode and the code of the guard.
    pub guard: Option<(u16, Range)>,
    /// A bit for each symbol that has a trampoline.
    pub trampoline_mask: Vec<u64>,
    /// A bit for each symbol that has a slot in the GOT.
    pub got_mask: Vec<u64>,
    /// What does not add up.
    pub findings: Vec<String>,
    /// The ranges that are not empty, by address.
    by_address: Vec<(Range, UopIndex)>,
}

impl CodeMap {
    /// Lays out what the JIT emitted for `executor`.
    pub fn new(table: &UopTable, architecture: Architecture, executor: &Executor) -> CodeMap {
        if executor.jit_code.is_null() {
            return CodeMap::without_code(executor);
        }
        let mut layout = Layout::new(executor);
        let shim = shim_size(table, executor);
        layout.push(RegionKind::Shim, shim);
        let stencils = Stencils::of(table, executor);
        let uops = layout.lay(0, &stencils.code);
        let uops = uops.into_iter().map(|range| vec![range]).collect();
        layout.push(RegionKind::Uops, stencils.code.iter().sum());
        if stencils.code.len() < executor.uops.len() {
            return layout.stop_at_unknown(uops, executor);
        }
        let guard = table.guard().map(|(opcode, kind)| {
            let range = layout.push(RegionKind::Guard, kind.stencil.code_size);
            (opcode, range)
        });
        let trampolines = trampoline_mask(table, &stencils);
        layout.push(RegionKind::Trampolines, ones(&trampolines) * TRAMPOLINE);
        if table.has_got {
            // `DATA_ALIGN - (size & (DATA_ALIGN - 1))`: a whole unit if the size is a multiple already.
            let align = architecture.platform().data_align;
            layout.push(RegionKind::Padding, align - layout.size % align);
        }
        let shim_data = table.shim.as_ref().map_or(0, |shim| shim.data_size);
        let data = layout.lay(shim_data, &stencils.data);
        layout.push(RegionKind::Data, data_size(table, &stencils));
        let got = got_mask(table, &stencils);
        if table.has_got {
            layout.push(RegionKind::Got, ones(&got) * GOT_SLOT);
        }
        CodeMap {
            trampoline_mask: trampolines,
            got_mask: got,
            ..layout.finish(uops, data, guard, executor)
        }
    }

    fn without_code(executor: &Executor) -> CodeMap {
        CodeMap {
            regions: Vec::new(),
            uops: vec![Vec::new(); executor.uops.len()],
            data: Vec::new(),
            guard: None,
            trampoline_mask: Vec::new(),
            got_mask: Vec::new(),
            by_address: Vec::new(),
            findings: vec!["it has no machine code (jit_code is NULL)".to_owned()],
        }
    }

    /// The uop, data or region that `address` belongs to; `None` outside the allocation.
    pub fn locate(&self, address: Address) -> Option<Place> {
        let region = self
            .regions
            .iter()
            .find(|region| region.range.contains(address))?;
        let found = match region.kind {
            RegionKind::Uops => self.uop_at(address),
            RegionKind::Data => self.data_at(address),
            _ => None,
        };
        let offset = address.offset_from(region.range.start)?;
        Some(found.unwrap_or(Place::Region(region.kind, offset)))
    }

    /// All of the allocation that is explained or known to exist.
    pub fn range(&self) -> Option<Range> {
        let start = self.regions.first()?.range.start;
        let end = self.regions.last()?.range.end();
        Some(Range::new(start, end.offset_from(start)?))
    }

    fn uop_at(&self, address: Address) -> Option<Place> {
        let behind = self
            .by_address
            .partition_point(|(range, _)| range.start <= address);
        let (range, index) = self.by_address.get(behind.checked_sub(1)?)?;
        let offset = address.offset_from(range.start)?;
        (offset < range.size).then_some(Place::Uop(*index, offset))
    }

    fn data_at(&self, address: Address) -> Option<Place> {
        (0..)
            .zip(&self.data)
            .find(|(_, range)| range.contains(address))
            .and_then(|(index, range)| {
                Some(Place::Data(
                    UopIndex(index),
                    address.offset_from(range.start)?,
                ))
            })
    }
}

fn by_address(uops: &[Vec<Range>]) -> Vec<(Range, UopIndex)> {
    let all = (0..).zip(uops);
    let mut ranges: Vec<_> = all
        .flat_map(|(index, ranges)| ranges.iter().map(move |range| (*range, UopIndex(index))))
        .filter(|(range, _)| range.size != 0)
        .collect();
    ranges.sort_by_key(|(range, _)| range.start);
    ranges
}

/// Bytes of machine code of an executor: shim, uops, stubs and guard, as far as the table of stencils explains them.
pub fn code_size(table: &UopTable, executor: &Executor) -> u64 {
    if executor.jit_code.is_null() {
        return 0;
    }
    let stencils = Stencils::of(table, executor);
    let uops: u64 = stencils.code.iter().sum();
    let guard = match stencils.code.len() < executor.uops.len() {
        true => 0,
        false => table.guard().map_or(0, |(_, kind)| kind.stencil.code_size),
    };
    shim_size(table, executor) + uops + guard
}

/// How long the code before the first uop is. Libraries built with LTO may have lost the symbol of the shim's stencil;
/// the executor itself tells where its first uop is.
fn shim_size(table: &UopTable, executor: &Executor) -> u64 {
    match (&table.shim, executor.side_entry) {
        (Some(shim), _) => shim.code_size,
        (None, Some(entry)) => entry.offset_from(executor.jit_code).unwrap_or(0),
        (None, None) => 0,
    }
}

/// The sizes of a trace's stencils, up to the first uop without one.
struct Stencils<'t> {
    code: Vec<u64>,
    data: Vec<u64>,
    kinds: Vec<&'t Stencil>,
}

impl<'t> Stencils<'t> {
    fn of(table: &'t UopTable, executor: &Executor) -> Stencils<'t> {
        let kinds: Vec<_> = executor
            .uops
            .iter()
            .map_while(|uop| table.kind(uop.opcode).map(|kind| &kind.stencil))
            .take_while(|stencil| !stencil.emit.is_null())
            .collect();
        Stencils {
            code: kinds.iter().map(|stencil| stencil.code_size).collect(),
            data: kinds.iter().map(|stencil| stencil.data_size).collect(),
            kinds,
        }
    }

    /// All stencils that the JIT emitted: those of the trace, the guard and the shim.
    fn emitted<'s>(&'s self, table: &'s UopTable) -> impl Iterator<Item = &'s Stencil> {
        let guard = table.guard().map(|(_, kind)| &kind.stencil);
        self.kinds.iter().copied().chain(guard).chain(&table.shim)
    }
}

/// The symbols that any stencil calls through a trampoline: one for each.
fn trampoline_mask(table: &UopTable, stencils: &Stencils<'_>) -> Vec<u64> {
    let emitted = stencils.emitted(table);
    union_of(emitted.map(|stencil| &stencil.trampoline_mask))
}

/// The symbols that any stencil reaches through the GOT: one slot for each.
fn got_mask(table: &UopTable, stencils: &Stencils<'_>) -> Vec<u64> {
    let emitted = stencils.emitted(table);
    union_of(emitted.filter_map(|stencil| stencil.got_mask.as_ref()))
}

fn union_of<'m>(masks: impl Iterator<Item = &'m Vec<u64>>) -> Vec<u64> {
    let mut union: Vec<u64> = Vec::new();
    for mask in masks {
        union.resize(union.len().max(mask.len()), 0);
        union
            .iter_mut()
            .zip(mask)
            .for_each(|(to, from)| *to |= from);
    }
    union
}

fn ones(mask: &[u64]) -> u64 {
    mask.iter().map(|word| u64::from(word.count_ones())).sum()
}

fn data_size(table: &UopTable, stencils: &Stencils<'_>) -> u64 {
    stencils
        .emitted(table)
        .map(|stencil| stencil.data_size)
        .sum()
}

/// Regions put one behind the other.
struct Layout {
    start: Address,
    size: u64,
    regions: Vec<Region>,
    findings: Vec<String>,
}

impl Layout {
    fn new(executor: &Executor) -> Layout {
        Layout {
            start: executor.jit_code,
            size: 0,
            regions: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn push(&mut self, kind: RegionKind, size: u64) -> Range {
        let range = Range::new(self.start.wrapping_add(self.size), size);
        if size != 0 {
            self.regions.push(Region { kind, range });
        }
        self.size = self.size.saturating_add(size);
        range
    }

    /// The ranges of pieces of these sizes, `skip` bytes from here on, without going on.
    fn lay(&self, skip: u64, sizes: &[u64]) -> Vec<Range> {
        let mut at = self.start.wrapping_add(self.size).wrapping_add(skip);
        sizes
            .iter()
            .map(|size| {
                let range = Range::new(at, *size);
                at = range.end();
                range
            })
            .collect()
    }

    fn stop_at_unknown(mut self, mut uops: Vec<Vec<Range>>, executor: &Executor) -> CodeMap {
        let index = uops.len();
        if let Some(uop) = executor.uops.get(index) {
            self.findings.push(format!(
                "uop {index} has opcode {}, for which this CPython has no stencil: the code from there on is not explained",
                uop.opcode
            ));
        }
        uops.resize(executor.uops.len(), Vec::new());
        self.push(
            RegionKind::Unknown,
            executor.jit_size.saturating_sub(self.size),
        );
        CodeMap {
            regions: self.regions,
            by_address: by_address(&uops),
            uops,
            data: Vec::new(),
            guard: None,
            trampoline_mask: Vec::new(),
            got_mask: Vec::new(),
            findings: self.findings,
        }
    }

    fn finish(
        mut self,
        uops: Vec<Vec<Range>>,
        data: Vec<Range>,
        guard: Option<(u16, Range)>,
        executor: &Executor,
    ) -> CodeMap {
        match executor.jit_size.checked_sub(self.size) {
            Some(rest) => {
                self.push(RegionKind::Padding, rest);
            }
            None => self.findings.push(format!(
                "the stencils of the trace add up to {} bytes, but only {} are mapped for it",
                self.size, executor.jit_size
            )),
        }
        CodeMap {
            regions: self.regions,
            by_address: by_address(&uops),
            uops,
            data,
            guard,
            trampoline_mask: Vec::new(),
            got_mask: Vec::new(),
            findings: self.findings,
        }
    }
}
