//! Remarks that follow from the emitters of stencils: which operand the number in an instruction came from, and whether
//! its bytes are what the emitters write.

use super::machine_code::MachineCode;
use super::note::{Facts, Note, NoteKind};
use super::rows::{Hex, InstructionRow, UopRow, write_hex};
use crate::address::{Address, Range};
use crate::cpython::Uop;
use crate::disasm::Instruction;
use crate::map::MappedExecutor;
use crate::restitch::{Rebuilt, StencilHole, Tag};
use std::sync::Arc;

/// Origins by what they tell a reader: operands first, then what the JIT knows itself. Addresses are computed from
/// that of the code, so what else is among their origins counts.
const BY_WORTH: [(Tag, &str); 12] = [
    (Tag::OPARG, "oparg"),
    (Tag::OPERAND0, "operand0"),
    (Tag::OPERAND1, "operand1"),
    (Tag::TARGET, "target"),
    (Tag::ERROR_TARGET, "error_target"),
    (Tag::JUMP_TARGET, "jump_target"),
    (Tag::EXECUTOR, "executor"),
    (Tag::TRAMPOLINE, "trampoline"),
    (Tag::GOT, "GOT"),
    (Tag::DATA, "data"),
    (Tag::UOP_START, "uop start"),
    (Tag::CODE, "code"),
];

/// What the emitters tell of the code of an executor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Provenance<'p> {
    /// The holes of each uop; none for those of which the bytes are not those of an emitter.
    pub holes: &'p [Option<Arc<[StencilHole]>>],
    /// All bytes, if they are to be compared.
    pub rebuilt: Option<&'p Rebuilt>,
}

/// Remarks on the instructions of a uop; they and the holes are in order.
pub(super) fn remark_on_origins(
    provenance: Provenance<'_>,
    mapped: &MappedExecutor,
    row: &UopRow,
    uop: &Uop,
    code: &MachineCode,
    rows: &mut [InstructionRow],
) {
    // Stencils are in one piece as yet.
    let [range] = row.ranges.as_slice() else {
        return;
    };
    let holes = provenance.holes.get(row.index.0 as usize);
    let code = code.slice(Range::new(range.address, range.size));
    if let Some((Some(holes), code)) = holes.zip(code) {
        let start = range.address;
        let holes = UopHoles {
            holes,
            start,
            code,
            mapped,
            uop,
        };
        holes.remark(rows);
    }
    if let Some(rebuilt) = provenance.rebuilt {
        mark_different(rows, rebuilt);
    }
}

/// The holes in the code of one uop.
struct UopHoles<'p> {
    holes: &'p [StencilHole],
    start: Address,
    code: &'p [u8],
    mapped: &'p MappedExecutor,
    uop: &'p Uop,
}

impl UopHoles<'_> {
    fn remark(&self, rows: &mut [InstructionRow]) {
        let mut first = 0;
        for hole in self.holes {
            let start = self.start.wrapping_add(hole.offset as u64);
            let behind = start.wrapping_add(hole.length as u64);
            let rest = rows.get(first..).unwrap_or_default().iter();
            first += rest.take_while(|row| end(row) <= start).count();
            // A number that is spread over instructions is one hole.
            let rest = rows.get_mut(first..).unwrap_or_default().iter_mut();
            for row in rest.take_while(|row| row.instruction.address() < behind) {
                if let Some(note) = self.note(*hole, &row.instruction)
                    && !row.notes().contains(&note)
                {
                    add(row, note);
                }
            }
        }
    }

    fn note(&self, hole: StencilHole, instruction: &Instruction) -> Option<Note> {
        if !hole.agrees(self.code, self.uop) {
            return None;
        }
        let (origin, operand) = most_worth(hole.origins)?;
        let value = self.value(origin, instruction).map(Hex);
        let facts = Facts::Hole { operand, value };
        let text: Arc<str> = match most_worth(hole.data) {
            Some((_, behind)) if origin == Tag::DATA => format!("{operand}: {behind}").into(),
            _ => operand.into(),
        };
        Some(Note::new(NoteKind::Hole, text, facts))
    }

    fn value(&self, origin: Tag, instruction: &Instruction) -> Option<u64> {
        let uop = self.uop;
        match origin {
            Tag::OPARG => Some(uop.oparg.into()),
            Tag::OPERAND0 => Some(uop.operand0),
            Tag::OPERAND1 => Some(uop.operand1),
            Tag::TARGET => uop.target.map(u64::from),
            Tag::ERROR_TARGET => Some(uop.jumps.error?.0.into()),
            Tag::JUMP_TARGET => Some(uop.jumps.jump?.0.into()),
            Tag::EXECUTOR => Some(self.mapped.executor.address.0),
            _ => {
                let address = instruction.pc_relative().or(instruction.target());
                address.map(|at| at.0).or(instruction.immediate())
            }
        }
    }
}

fn most_worth(origins: Tag) -> Option<(Tag, &'static str)> {
    let mut all = BY_WORTH.into_iter();
    all.find(|(tag, _)| origins.has(*tag))
}

fn end(row: &InstructionRow) -> Address {
    let length = row.instruction.length();
    row.instruction.address().wrapping_add(length.into())
}

/// A constant is named together with the operand that it came from; any other remark says more than where a number
/// came from.
fn add(row: &mut InstructionRow, mut hole: Note) {
    match row.notes() {
        [constant, ..] if constant.kind == NoteKind::Constant => {
            hole.text = format!("{}: {}", hole.text, constant.text).into();
            row.add_first(hole);
        }
        notes => row.remarks = Some(notes.iter().cloned().chain([hole]).collect()),
    }
}

/// Marks instructions of which the bytes are not those that were rebuilt.
pub(super) fn mark_different(rows: &mut [InstructionRow], rebuilt: &Rebuilt) {
    for row in rows {
        let length = u64::from(row.instruction.length());
        let offset = row.instruction.address().offset_from(rebuilt.start);
        let expected = offset.and_then(|offset| rebuilt.known(offset, length));
        if let Some(expected) = expected.filter(|expected| *expected != row.bytes()) {
            row.add_first(differs(expected));
        }
    }
}

fn differs(expected: &[u8]) -> Note {
    let mut bytes = String::with_capacity(2 * expected.len());
    write_hex(&mut bytes, expected);
    let expected: Arc<str> = bytes.into();
    Note::new(
        NoteKind::Differs,
        format!("DIFFERS: the emitter writes {expected}"),
        Facts::Differs { expected },
    )
}
