//! Machine code → instructions with the remarks that follow from the map.

use super::build::{Detail, ListingBuilder};
use super::holes::{Provenance, mark_different};
use super::model::Finding;
use super::note::{Facts, Note, NoteKind};
use super::notes::{Here, Own, Remarks};
use super::rows::{InstructionRow, RegionRow, StackEffect, UopRow};
use crate::address::{Address, Range, UopIndex};
use crate::cpython::{Executor, Uop};
use crate::disasm::Instruction;
use crate::error::Result;
use crate::map::{MappedExecutor, Origin, Place, RegionKind, code_size};
use std::fmt::Write as _;

/// The machine code of an executor, read as one block.
pub(super) struct MachineCode {
    start: Address,
    bytes: Vec<u8>,
}

impl MachineCode {
    pub(super) fn slice(&self, range: Range) -> Option<&[u8]> {
        let start = usize::try_from(range.start.offset_from(self.start)?).ok()?;
        let end = start.checked_add(usize::try_from(range.size).ok()?)?;
        self.bytes.get(start..end)
    }
}

impl ListingBuilder<'_> {
    /// The machine code, if it is wanted; what cannot be read is a finding.
    pub(super) fn code(
        &self,
        mapped: &MappedExecutor,
        detail: Detail,
        findings: &mut Vec<Finding>,
    ) -> Option<MachineCode> {
        if !detail.instructions {
            return None;
        }
        let start = mapped.executor.jit_code;
        match self.code_bytes(&mapped.executor) {
            Ok(bytes) => Some(MachineCode { start, bytes }),
            Err(error) => {
                findings.push(Finding::warning(error.to_string()).at(start));
                None
            }
        }
    }

    /// Code is mapped without the right to write: as long as the executor has it, it is what was made from the trace.
    fn code_bytes(&self, executor: &Executor) -> Result<Vec<u8>> {
        let size = code_size(&self.python.uops, executor);
        let read = || {
            let what = format_args!("machine code of executor {}", executor.address);
            self.reader.bytes(executor.jit_code, size, what)
        };
        let proof = || executor.proof(self.python, self.reader);
        self.reader.lasting(executor.address, proof, read)
    }

    /// The instructions of a uop.
    pub(super) fn uop_instructions(
        &mut self,
        own: &Own<'_>,
        row: &mut UopRow,
        code: &MachineCode,
        notes: bool,
    ) -> Vec<InstructionRow> {
        let mut decoded = std::mem::take(&mut self.decoded);
        let mut bytes: Vec<&[u8]> = Vec::new();
        for range in &row.ranges {
            let range = Range::new(range.address, range.size);
            if let Some(piece) = code.slice(range) {
                let stencil = Some(u32::from(row.opcode));
                self.disassembler
                    .decode(stencil, range.start, piece, &mut decoded);
                bytes.push(piece);
            }
        }
        let mut remarks = std::mem::take(&mut self.remarks);
        if notes {
            let grows = self.annotate(own, row, &decoded, &bytes, &mut remarks);
            row.stack = with_effect(row, grows);
        }
        let mut rows = instruction_rows(decoded.drain(..), &bytes);
        for (new, remarks) in rows.iter_mut().zip(remarks.drain(..)) {
            new.remarks = remarks;
        }
        for new in rows.iter_mut().filter(|_| notes) {
            self.remark_on_place(own.mapped, row.index, new);
        }
        self.decoded = decoded;
        self.remarks = remarks;
        rows
    }

    /// Looks at a `_SET_IP` first: if it does not write to the frame where it should, registers have another meaning
    /// than is known, and no remark would be right.
    pub(super) fn check_registers(
        &mut self,
        own: &Own<'_>,
        code: &MachineCode,
        findings: &mut Vec<Finding>,
    ) {
        let agrees = |builder: &Self| Some(builder.annotator.as_ref()?.agrees());
        if agrees(self) == Some(None) {
            let is_set_ip = |uop: &Uop| {
                let kind = self.python.uops.kind(uop.opcode);
                kind.is_some_and(|kind| &*kind.base == "_SET_IP")
            };
            let mut uops = own.mapped.uops();
            if let Some((index, uop, origin)) = uops.find(|(_, uop, _)| is_set_ip(uop)) {
                let mut row = self.row(own.mapped, index, uop, origin);
                self.uop_instructions(own, &mut row, code, true);
            }
        }
        if agrees(self) == Some(Some(false)) {
            findings.push(Finding::warning(
                "the registers of this CPython's JIT code have another meaning than is known: few remarks are made",
            ));
        }
    }

    /// The remarks that take understanding what the code of the uop does.
    fn annotate(
        &mut self,
        own: &Own<'_>,
        row: &UopRow,
        instructions: &[Instruction],
        bytes: &[&[u8]],
        remarks: &mut Vec<Remarks>,
    ) -> Option<i64> {
        let uop = own.mapped.executor.uops.get(row.index.0 as usize);
        let (Some(annotator), Some(uop)) = (self.annotator.as_deref_mut(), uop) else {
            return None;
        };
        // Several uops share a stub, and they need not have the same frame.
        let frame = row.code.as_ref().filter(|_| !row.is_stub);
        let here = Here::new(
            self.python,
            self.reader,
            self.symbols,
            own,
            uop,
            frame.map(|code| code.object),
            instructions,
        );
        match bytes {
            [whole] => annotator.annotate(here?, whole, remarks),
            pieces => annotator.annotate(here?, &pieces.concat(), remarks),
        }
    }

    /// The remarks that follow from the map alone: where a jump goes, and if nothing better is known, what an operand
    /// points at.
    fn remark_on_place(&self, mapped: &MappedExecutor, own: UopIndex, new: &mut InstructionRow) {
        if let Some(target) = new.instruction.target() {
            if let Some(note) = self.branch_note(mapped, Some(own), target) {
                new.add_first(note);
            }
        } else if new.remarks.is_none()
            && let Some(address) = new.instruction.pc_relative()
            && let Some(note) = data_note(mapped, Some(own), address)
        {
            new.add_first(note);
        }
    }

    /// The parts of the allocation; those that hold machine code of no uop with their instructions.
    pub(super) fn regions(
        &mut self,
        mapped: &MappedExecutor,
        code: Option<&MachineCode>,
        provenance: Provenance<'_>,
        detail: Detail,
    ) -> Vec<RegionRow> {
        let mut rows = Vec::new();
        for region in &mapped.map.regions {
            let is_code = matches!(region.kind, RegionKind::Shim | RegionKind::Guard);
            let instructions = code.filter(|_| is_code).map(|code| {
                let bytes = code.slice(region.range).unwrap_or_default();
                let mut decoded = Vec::new();
                self.disassembler
                    .decode(None, region.range.start, bytes, &mut decoded);
                let mut rows = instruction_rows(decoded.drain(..), &[bytes]);
                for new in rows.iter_mut().filter(|_| detail.notes) {
                    if let Some(note) = self.note(mapped, None, &new.instruction) {
                        new.add_first(note);
                    }
                }
                if let Some(rebuilt) = provenance.rebuilt {
                    mark_different(&mut rows, rebuilt);
                }
                rows
            });
            rows.push(RegionRow {
                kind: region.kind.word(),
                address: region.range.start,
                size: region.range.size,
                instructions,
            });
        }
        rows
    }

    /// The remark that follows from the map alone: which uop a jump goes to, what a pc-relative operand points at.
    fn note(
        &self,
        mapped: &MappedExecutor,
        own: Option<UopIndex>,
        instruction: &Instruction,
    ) -> Option<Note> {
        match instruction.target() {
            Some(target) => self.branch_note(mapped, own, target),
            None => data_note(mapped, own, instruction.pc_relative()?),
        }
    }

    /// The function behind a trampoline.
    fn trampoline_note(&self, trampoline: Address) -> Option<Note> {
        let slot = trampoline.wrapping_add(TRAMPOLINE_TARGET);
        let target = self.reader.pointer(slot, "a trampoline").ok()?;
        self.symbols.call(target)
    }

    fn branch_note(
        &self,
        mapped: &MappedExecutor,
        own: Option<UopIndex>,
        target: Address,
    ) -> Option<Note> {
        let place = mapped.locate(target)?;
        if let Place::Region(RegionKind::Trampolines, _) = place
            && let Some(note) = self.trampoline_note(target)
        {
            return Some(note);
        }
        let mut exit = None;
        let mut line = None;
        let (text, uop, offset) = match place {
            Place::Uop(index, _) if Some(index) == own => return None,
            Place::Uop(index, offset) => {
                let uop = mapped.executor.uops.get(index.0 as usize)?;
                let name = &self.python.uops.kind(uop.opcode)?.name;
                let mut text = format!("uop {index} {name}");
                if offset != 0 {
                    let _ = write!(text, "+{offset}");
                }
                if name.starts_with("_EXIT_TRACE") || name.starts_with("_DYNAMIC_EXIT") {
                    exit = mapped.exit_index(Address(uop.operand0));
                }
                let origin = mapped.origins.get(index.0 as usize);
                line = origin.and_then(Origin::line);
                (text, Some(index), offset)
            }
            Place::Data(..) => return None,
            Place::Region(kind, offset) => (in_region(kind, offset), None, offset),
        };
        let linked = exit.and_then(|exit| {
            let exit = mapped.executor.exits.get(usize::try_from(exit).ok()?)?;
            (!exit.executor.is_null()).then_some(exit.executor)
        });
        let facts = Facts::Branch {
            target,
            uop,
            offset,
            exit,
            line,
            linked,
        };
        Some(Note::new(NoteKind::Branch, text, facts))
    }
}

/// Where the address is in a trampoline: `ldr x8, 8; br x8; .quad target` (`patch_aarch64_trampoline` in
/// `Python/jit.c`).
const TRAMPOLINE_TARGET: u64 = 8;

/// Instructions with their bytes, which lie in these pieces one behind the other.
fn instruction_rows(
    instructions: impl ExactSizeIterator<Item = Instruction>,
    pieces: &[&[u8]],
) -> Vec<InstructionRow> {
    let mut rows = Vec::with_capacity(instructions.len());
    let mut pieces = pieces.iter();
    let mut rest: &[u8] = &[];
    for instruction in instructions {
        while rest.is_empty()
            && let Some(piece) = pieces.next()
        {
            rest = piece;
        }
        let length = usize::from(instruction.length()).min(rest.len());
        let (own, behind) = rest.split_at(length);
        rest = behind;
        rows.push(InstructionRow::new(instruction, own));
    }
    rows
}

/// The effect of a uop on the evaluation stack, of which so many items more are in memory behind it. Stubs leave the
/// code, and where the frame changes, so does the stack.
fn with_effect(row: &UopRow, grows: Option<i64>) -> Option<StackEffect> {
    let known = row.stack.unwrap_or(StackEffect {
        cached_before: 0,
        cached_after: 0,
        effect: None,
    });
    let cached = i64::from(known.cached_after) - i64::from(known.cached_before);
    let effect = grows
        .filter(|_| !row.is_stub)
        .and_then(|grows| grows.checked_add(cached));
    let effect = StackEffect { effect, ..known };
    (row.stack.is_some() || effect.effect.is_some()).then_some(effect)
}

fn data_note(mapped: &MappedExecutor, own: Option<UopIndex>, address: Address) -> Option<Note> {
    let text = match mapped.locate(address)? {
        Place::Data(index, offset) if Some(index) == own => format!("data+{offset}"),
        Place::Data(index, offset) => format!("data of uop {index}+{offset}"),
        Place::Region(RegionKind::Got, offset) => format!("got[{}]", offset / 8),
        Place::Region(kind, offset) => in_region(kind, offset),
        Place::Uop(..) => return None,
    };
    Some(Note::new(NoteKind::Data, text, Facts::Data { address }))
}

fn in_region(kind: RegionKind, offset: u64) -> String {
    match offset {
        0 => kind.word().to_owned(),
        offset => format!("{}+{offset}", kind.word()),
    }
}
