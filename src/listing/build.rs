//! Map and machine code → rows.

use super::edges::edges;
use super::holes::{Provenance, remark_on_origins};
use super::model::{ExecutorListing, Finding};
use super::notes::{Annotator, Own, Remarks, SymbolNames};
use super::rows::{
    Bytecode, Code, CodeRef, Entry, ExecutorHeader, ExitKind, ExitRef, Parent, RangeRow,
    StackEffect, StateRow, UopRow,
};
use super::source::SourceFiles;
use crate::address::{Address, Range, UopIndex};
use crate::cpython::{CPython, CodeObject, Executor, Found, Uop, UopKind};
use crate::disasm::{Disassembler, Instruction, Syntax};
use crate::map::{MappedExecutor, Origin, code_size};
use crate::target::Reader;
use std::collections::HashMap;
use std::sync::Arc;

/// What is known of an executor besides what it says itself.
#[derive(Clone, Debug, Default)]
pub struct Header {
    /// Its place in the list.
    pub index: Option<u32>,
    /// How it was found.
    pub found: Vec<Found>,
    /// The exits that lead to it.
    pub parents: Vec<Parent>,
    /// The threads that are in it.
    pub running_in: Vec<u64>,
}

/// How much of a listing is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Detail {
    /// Machine code.
    pub instructions: bool,
    /// Remarks on instructions.
    pub notes: bool,
    /// The text of source lines.
    pub source: bool,
    /// The exits that lead to each executor; they take reading all executors.
    pub parents: bool,
    /// Its exits.
    pub exits: bool,
    /// Whether machine code that differs from what the emitters write is marked.
    pub verify: bool,
    /// How machine code is written.
    pub syntax: Syntax,
}

/// Builds listings of one target at one stop.
pub struct ListingBuilder<'t> {
    /// The CPython.
    pub python: &'t CPython,
    /// Its memory.
    pub reader: Reader<'t>,
    /// Machine code → instructions.
    pub disassembler: &'t mut Disassembler,
    /// Remarks on instructions, if any can be made.
    pub annotator: Option<&'t mut Annotator>,
    /// Names of functions and variables.
    pub symbols: SymbolNames<'t>,
    /// Source files.
    pub sources: &'t SourceFiles,
    /// Room for the instructions of one uop, used again for the next.
    pub decoded: Vec<Instruction>,
    /// Room for their remarks.
    pub remarks: Vec<Remarks>,
    /// Rows that refer to the same code object share its names.
    pub code_refs: HashMap<Address, CodeRef>,
}

impl ListingBuilder<'_> {
    /// The listing of one executor: the uops for which `wanted` holds; with what its emitters tell of
    /// its code.
    pub fn listing(
        &mut self,
        mapped: &MappedExecutor,
        header: &Header,
        provenance: Provenance<'_>,
        detail: Detail,
        wanted: impl Fn(UopIndex) -> bool,
    ) -> ExecutorListing {
        let mut findings: Vec<Finding> = mapped
            .findings
            .iter()
            .map(|what| Finding::warning(what.clone()).at(mapped.executor.address))
            .collect();
        let code = self.code(mapped, detail, &mut findings);
        let own = Own::new(self.python, mapped);
        if let Some(code) = code.as_ref().filter(|_| detail.notes) {
            self.check_registers(&own, code, &mut findings);
        }
        let uops: Vec<UopRow> = mapped
            .uops()
            .filter(|(index, _, _)| wanted(*index))
            .map(|(index, uop, origin)| {
                let mut row = self.row(mapped, index, uop, origin);
                row.instructions = code.as_ref().map(|code| {
                    let mut rows = self.uop_instructions(&own, &mut row, code, detail.notes);
                    remark_on_origins(provenance, mapped, &row, uop, code, &mut rows);
                    rows
                });
                row
            })
            .collect();
        ExecutorListing {
            executor: executor_header(
                self.python,
                &mapped.executor,
                mapped.function().map(AsRef::as_ref),
                header,
            ),
            edges: edges(mapped, &uops),
            exits: None,
            regions: self.regions(mapped, code.as_ref(), provenance, detail),
            source: match detail.source {
                true => self.source_lines(&uops),
                false => Vec::new(),
            },
            uops,
            findings,
        }
    }

    /// The row of one uop, without machine code.
    pub fn row(
        &mut self,
        mapped: &MappedExecutor,
        index: UopIndex,
        uop: &Uop,
        origin: &Origin,
    ) -> UopRow {
        let ranges = mapped.map.uops.get(index.0 as usize);
        UopRow {
            index,
            ranges: ranges.into_iter().flatten().map(range_row).collect(),
            code: origin.code.as_ref().map(|code| self.code_ref(code)),
            bytecode: bytecode(origin),
            line: origin.line(),
            depth: origin.depth,
            exit: self.exit(mapped, uop),
            is_stub: index.0 as usize >= mapped.body,
            ..loose_uop(self.python, uop)
        }
    }

    fn code_ref(&mut self, code: &CodeObject) -> CodeRef {
        self.code_refs
            .entry(code.address)
            .or_insert_with(|| CodeRef {
                object: code.address,
                qualname: code.qualname.as_str().into(),
                filename: code.filename.as_str().into(),
            })
            .clone()
    }

    /// Where a uop leaves the main part of the trace; the jump counts before the error.
    fn exit(&self, mapped: &MappedExecutor, uop: &Uop) -> Option<ExitRef> {
        let body = mapped.body;
        let stub = [uop.jumps.jump, uop.jumps.error]
            .into_iter()
            .flatten()
            .find(|stub| stub.0 as usize >= body)?;
        let target = mapped.executor.uops.get(stub.0 as usize)?;
        let kind = match &*self.python.uops.kind(target.opcode)?.base {
            "_EXIT_TRACE" | "_DYNAMIC_EXIT" => ExitKind::Side,
            "_ERROR_POP_N" => ExitKind::Error,
            _ => ExitKind::Deopt,
        };
        Some(ExitRef {
            kind,
            index: match kind {
                ExitKind::Side => mapped.exit_index(Address(target.operand0)),
                _ => None,
            },
            uop: stub,
        })
    }

    /// The text of all lines that the rows refer to.
    fn source_lines(&self, uops: &[UopRow]) -> Vec<(String, i32, String)> {
        let mut lines: Vec<(&str, i32)> = uops
            .iter()
            .filter_map(|row| Some((&*row.code.as_ref()?.filename, row.line?)))
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines
            .into_iter()
            .filter_map(|(file, line)| {
                Some((file.to_owned(), line, self.sources.line(file, line)?))
            })
            .collect()
    }
}

/// The row of a uop that is in no trace of an executor: only what it says itself.
pub fn loose_uop(python: &CPython, uop: &Uop) -> UopRow {
    let kind = python.uops.kind(uop.opcode);
    let unknown = || Arc::from(format!("<unknown uop {}>", uop.opcode));
    UopRow {
        index: UopIndex(0),
        name: kind.map_or_else(unknown, |kind| kind.name.clone()),
        base: kind.map_or_else(unknown, |kind| kind.base.clone()),
        opcode: uop.opcode,
        oparg: uop.oparg,
        operand0: super::Hex(uop.operand0),
        operand1: super::Hex(uop.operand1),
        target: uop.target,
        jump_target: uop.jumps.jump,
        error_target: uop.jumps.error,
        ranges: Vec::new(),
        code: None,
        bytecode: None,
        line: None,
        depth: 0,
        exit: None,
        is_stub: false,
        stack: kind.and_then(stack_effect),
        instructions: None,
    }
}

/// As far as the name of a register variant tells.
fn stack_effect(kind: &UopKind) -> Option<StackEffect> {
    let (cached_before, cached_after) = kind.cached?;
    Some(StackEffect {
        cached_before,
        cached_after,
        effect: None,
    })
}

fn bytecode(origin: &Origin) -> Option<Bytecode> {
    let offset = origin.bytecode?;
    let instruction = origin
        .code
        .as_ref()
        .and_then(|code| code.instruction(offset));
    Some(Bytecode {
        offset,
        opname: instruction.and_then(|instruction| instruction.name.clone()),
        oparg: instruction.map(|instruction| instruction.oparg),
    })
}

fn range_row(range: &Range) -> RangeRow {
    RangeRow {
        address: range.start,
        size: range.size,
    }
}

/// What is said of an executor as a whole, with the function in which its trace begins.
pub fn executor_header(
    python: &CPython,
    executor: &Executor,
    function: Option<&CodeObject>,
    header: &Header,
) -> ExecutorHeader {
    let entry = executor.entry.map(|offset| Entry {
        bytecode_offset: offset,
        line: function.and_then(|code| code.line(offset)),
    });
    ExecutorHeader {
        index: header.index,
        address: executor.address,
        function: function.map(|code| code.name.clone()),
        qualname: function.map(|code| code.qualname.clone()),
        filename: function.map(|code| code.filename.clone()),
        firstlineno: function.map(|code| code.firstlineno),
        entry,
        uop_count: executor.uops.len() as u64,
        exit_count: executor.exits.len() as u64,
        code: Code {
            address: executor.jit_code,
            size: code_size(&python.uops, executor),
            mapped: executor.jit_size,
        },
        state: StateRow {
            valid: executor.state.valid,
            linked: executor.state.linked,
            warm: executor.state.warm,
            pending_deletion: executor.state.pending_deletion
                || header.found.contains(&Found::DeletionList),
            running_in: header.running_in.clone(),
        },
        // CPython never sets that of cold executors.
        chain_depth: (!header.found.contains(&Found::Cold)).then_some(executor.chain_depth),
        parents: header.parents.clone(),
        found_by: header.found.iter().map(|found| found.word()).collect(),
    }
}
