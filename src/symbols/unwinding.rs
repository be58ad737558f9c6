//! Unwind rules (`.debug_frame`): uops lie in one function each executor, the shim in another.

use super::expressions::number;
use super::model::{ExecutorCode, Piece, PieceKind};
use crate::listing::Architecture;
use crate::platform::{Link, Register};
use crate::unwind::{ReturnAddress, SavedAt, UnwindRule};
use gimli::write::{
    Address, CallFrameInstruction, CommonInformationEntry, Expression, FrameDescriptionEntry,
    FrameTable,
};
use gimli::{Encoding, Format};
use std::collections::BTreeMap;

/// `.debug_frame` of DWARF 4 and 5.
const ENCODING: Encoding = Encoding {
    format: Format::Dwarf32,
    version: 4,
    address_size: 8,
};

/// Words of the stack: offsets from the CFA are multiples of it.
const WORD: i8 = -8;

/// Adds the rules of an executor; none where they are not known.
pub fn add(table: &mut FrameTable, code: &ExecutorCode) {
    let (shim, uops): (Vec<&Piece>, Vec<&Piece>) =
        (code.pieces.iter()).partition(|piece| piece.kind == PieceKind::Shim);
    add_pieces(table, code.architecture, &uops);
    add_pieces(table, code.architecture, &shim);
    add_trampolines(table, code);
}

/// One description of these pieces, which lie behind each other.
fn add_pieces(table: &mut FrameTable, architecture: Architecture, pieces: &[&Piece]) -> Option<()> {
    let (first, last) = (pieces.first()?, pieces.last()?);
    let (_, rule) = pieces.iter().find_map(|piece| piece.facts.rules.first())?;
    let columns = Columns::of(architecture)?;
    let initial = columns.state(rule)?;
    let mut entry = columns.information();
    for instruction in initial.all() {
        entry.add_instruction(instruction);
    }
    let start = first.range.start;
    let size = u32::try_from(last.range.end().offset_from(start)?).ok()?;
    let mut description = FrameDescriptionEntry::new(Address::Constant(start.0), size);
    let (mut now, mut last) = (initial.clone(), Some(rule));
    for piece in pieces {
        let at = piece.range.start.offset_from(start)?;
        if piece.facts.rules.is_empty() {
            // Nothing is known: no rule is better than that of the piece in front.
            let lost = now.without_caller(columns.return_address);
            for instruction in lost.since(&now, &initial) {
                description.add_instruction(u32::try_from(at).ok()?, instruction);
            }
            (now, last) = (lost, None);
        }
        for (offset, rule) in &piece.facts.rules {
            if last == Some(rule) {
                continue;
            }
            last = Some(rule);
            let offset = u32::try_from(at.checked_add(*offset)?).ok()?;
            let next = columns.state(rule)?;
            for instruction in next.since(&now, &initial) {
                description.add_instruction(offset, instruction);
            }
            now = next;
        }
    }
    let id = table.add_cie(entry);
    table.add_fde(id, description);
    Some(())
}

/// A trampoline jumps on to a function with the return address of the uop's call still in its register.
fn add_trampolines(table: &mut FrameTable, code: &ExecutorCode) -> Option<()> {
    let platform = code.architecture.platform();
    let Link::Register(link) = platform.link else {
        return None;
    };
    let trampolines = code.slots.iter().filter(|slot| slot.is_code);
    let columns = Columns::of(code.architecture)?;
    let rule = UnwindRule {
        cfa: (platform.stack_pointer, 0),
        return_address: ReturnAddress::Register(link),
        registers: Vec::new(),
    };
    let mut entry = columns.information();
    for instruction in columns.state(&rule)?.all() {
        entry.add_instruction(instruction);
    }
    let id = table.add_cie(entry);
    for slot in trampolines {
        let size = u32::try_from(slot.range.size).ok()?;
        let start = Address::Constant(slot.range.start.0);
        table.add_fde(id, FrameDescriptionEntry::new(start, size));
    }
    Some(())
}

/// The registers of a machine as DWARF counts them.
struct Columns {
    architecture: Architecture,
    return_address: gimli::Register,
}

/// The rules that hold at a place.
#[derive(Clone, PartialEq)]
struct State {
    cfa: (gimli::Register, i64),
    columns: BTreeMap<u16, Column>,
}

/// Where a register of the caller is.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    Memory(i64),
    Register(gimli::Register),
    Lost,
}

impl Columns {
    fn of(architecture: Architecture) -> Option<Columns> {
        let platform = architecture.platform();
        let return_address = match (platform.dwarf_return_address, platform.link) {
            (Some(column), _) => gimli::Register(column),
            (None, Link::Register(link)) => number(architecture, link)?,
            (None, Link::Pushed(_)) => return None,
        };
        Some(Columns {
            architecture,
            return_address,
        })
    }

    fn information(&self) -> CommonInformationEntry {
        CommonInformationEntry::new(ENCODING, 1, WORD, self.return_address)
    }

    fn number(&self, register: Register) -> Option<gimli::Register> {
        number(self.architecture, register)
    }

    fn state(&self, rule: &UnwindRule) -> Option<State> {
        let mut columns = BTreeMap::new();
        for (register, saved) in &rule.registers {
            let column = match saved {
                SavedAt::Memory(at) if at % i64::from(WORD) == 0 => Column::Memory(*at),
                SavedAt::Memory(_) | SavedAt::Lost => Column::Lost,
            };
            columns.insert(self.number(*register)?.0, column);
        }
        let returns = match rule.return_address {
            ReturnAddress::Memory(at) => Column::Memory(at),
            ReturnAddress::Register(register) => Column::Register(self.number(register)?),
        };
        columns.insert(self.return_address.0, returns);
        Some(State {
            cfa: (self.number(rule.cfa.0)?, rule.cfa.1),
            columns,
        })
    }
}

impl State {
    /// What makes this of nothing.
    fn all(&self) -> Vec<CallFrameInstruction> {
        let columns = self.columns.iter();
        let columns = columns.map(|(register, column)| column.instruction(*register));
        std::iter::once(self.cfa()).chain(columns).collect()
    }

    /// The CFA as an expression: LLDB takes rules of which it thinks that they are a compiler's usual ones for incomplete,
    /// and guesses instead.
    fn cfa(&self) -> CallFrameInstruction {
        let mut expression = Expression::new();
        expression.op_breg(self.cfa.0, self.cfa.1);
        CallFrameInstruction::CfaExpression(expression)
    }

    /// The same, with no way to the caller.
    fn without_caller(&self, return_address: gimli::Register) -> State {
        let mut state = self.clone();
        state.columns.insert(return_address.0, Column::Lost);
        state
    }

    /// What makes this of another state.
    fn since(&self, other: &State, initial: &State) -> Vec<CallFrameInstruction> {
        let mut instructions = Vec::new();
        if self.cfa != other.cfa {
            instructions.push(self.cfa());
        }
        for (register, column) in &self.columns {
            if other.columns.get(register) != Some(column) {
                instructions.push(column.instruction(*register));
            }
        }
        for register in other.columns.keys() {
            if !self.columns.contains_key(register) {
                let register = gimli::Register(*register);
                instructions.push(match initial.columns.contains_key(&register.0) {
                    true => CallFrameInstruction::SameValue(register),
                    false => CallFrameInstruction::Restore(register),
                });
            }
        }
        instructions
    }
}

impl Column {
    fn instruction(self, register: u16) -> CallFrameInstruction {
        let register = gimli::Register(register);
        match self {
            Column::Register(link) if link == register => CallFrameInstruction::SameValue(register),
            Column::Memory(at) => i32::try_from(at)
                .map_or(CallFrameInstruction::Undefined(register), |at| {
                    CallFrameInstruction::Offset(register, at)
                }),
            Column::Register(link) => CallFrameInstruction::Register(register, link),
            Column::Lost => CallFrameInstruction::Undefined(register),
        }
    }
}
