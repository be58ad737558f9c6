//! A made-up executor.

use crate::address::{Address, BytecodeOffset, Range, UopIndex};
use crate::listing::{
    Architecture, Bytecode, Code, CodeRef, Entry, ExecutorHeader, ExecutorListing, Hex, RangeRow,
    StackEffect, StateRow, UopRow,
};
use crate::platform::Register;
use crate::symbols::*;
use crate::unwind::{ReturnAddress, SavedAt, UnwindRule};
use std::sync::Arc;

pub const BASE: u64 = 0x7000_0000_1000;
pub const UOP: u64 = 16;
pub const LOCALSPLUS: u64 = 0x50;

const FILE: &str = "/src/loop.py";

/// x86-64's r12 … r15 in DWARF are their own numbers; 3.15 keeps the frame in r13, and the first stack item in rdi.
const FRAME: Register = Register::new(13);
const RDI: Register = Register::new(7);

fn row(index: u32, name: &str, line: i32, function: &str) -> UopRow {
    UopRow {
        index: UopIndex(index),
        name: format!("{name}_r11").into(),
        base: name.into(),
        opcode: 1,
        oparg: 0,
        operand0: Hex(0),
        operand1: Hex(0),
        target: Some(0),
        jump_target: None,
        error_target: None,
        ranges: vec![RangeRow {
            address: Address(BASE + u64::from(index) * UOP),
            size: UOP,
        }],
        code: Some(CodeRef {
            object: Address(1),
            qualname: function.into(),
            filename: FILE.into(),
        }),
        bytecode: Some(Bytecode {
            offset: BytecodeOffset(0),
            opname: None,
            oparg: None,
        }),
        line: Some(line),
        depth: i32::from(function == "leaf"),
        exit: None,
        is_stub: false,
        stack: Some(StackEffect {
            cached_before: 1,
            cached_after: 1,
            effect: None,
        }),
        instructions: None,
    }
}

fn listing(uops: Vec<UopRow>) -> ExecutorListing {
    let executor = ExecutorHeader {
        index: Some(1),
        address: Address(0x5000),
        function: Some("outer".to_owned()),
        qualname: Some("outer".to_owned()),
        filename: Some(FILE.to_owned()),
        firstlineno: Some(7),
        entry: Some(Entry {
            bytecode_offset: BytecodeOffset(0),
            line: Some(8),
        }),
        uop_count: uops.len() as u64,
        exit_count: 0,
        code: Code {
            address: Address(BASE),
            size: UOP * 5,
            mapped: 4096,
        },
        state: StateRow {
            valid: true,
            linked: None,
            warm: None,
            pending_deletion: false,
            running_in: Vec::new(),
        },
        chain_depth: None,
        parents: Vec::new(),
        found_by: Vec::new(),
    };
    ExecutorListing {
        executor,
        uops,
        regions: Vec::new(),
        edges: Vec::new(),
        exits: None,
        source: vec![(FILE.to_owned(), 9, "    x = leaf(y)".to_owned())],
        findings: Vec::new(),
    }
}

fn function(code: u64, name: &str, line: i32, variables: &[(&str, bool)]) -> Arc<Function> {
    let variables = (0..)
        .zip(variables)
        .map(|(slot, (name, is_argument))| Variable {
            slot,
            name: (*name).to_owned(),
            is_argument: *is_argument,
        });
    Arc::new(Function {
        code: Address(code),
        name: name.to_owned(),
        filename: FILE.into(),
        firstlineno: line,
        lines: Vec::new(),
        variables: variables.collect(),
    })
}

fn rule(register: u8, offset: i64, saved: SavedAt) -> UnwindRule {
    UnwindRule {
        cfa: (Register::new(register), offset),
        return_address: ReturnAddress::Memory(-8),
        registers: vec![(FRAME, saved)],
    }
}

/// Five uops: two of `outer`, two of `leaf`, which the second pushes, and again one of `outer`. The second overwrites the
/// register of the frame at its fifth byte; the third pushes something at its second and the fourth is not understood.
pub fn code() -> ExecutorCode {
    let usual = rule(5, 16, SavedAt::Memory(-40));
    let facts = |rules: Vec<(u64, UnwindRule)>, end: u64| PieceFacts {
        rules,
        frame: vec![(0, end)],
        returns: Vec::new(),
    };
    let all = [
        facts(vec![(0, usual.clone())], UOP),
        facts(vec![(0, usual.clone())], 4),
        facts(
            vec![(0, usual.clone()), (2, rule(4, 0x40, SavedAt::Lost))],
            UOP,
        ),
        facts(Vec::new(), UOP),
        facts(vec![(0, usual)], UOP),
    ];
    let pieces = (0..).zip(all).map(|(index, facts)| Piece {
        range: Range::new(Address(BASE + u64::from(index) * UOP), UOP),
        kind: PieceKind::Uop(UopIndex(index)),
        facts: Arc::new(facts),
    });
    let place = |frame| UopPlace {
        frame: Some(frame),
        is_certain: true,
        leaves_frame: false,
    };
    ExecutorCode {
        architecture: Architecture::X86_64,
        listing: listing(vec![
            row(0, "_START", 8, "outer"),
            row(1, "_PUSH_FRAME", 9, "outer"),
            row(2, "_LOAD", 2, "leaf"),
            row(3, "_RETURN_VALUE", 2, "leaf"),
            row(4, "_JUMP_TO_TOP", 9, "outer"),
        ]),
        allocation: Range::new(Address(BASE), 4096),
        bytes: (0..4096u32).map(|byte| byte.to_le_bytes()[0]).collect(),
        pieces: pieces.collect(),
        slots: vec![Slot {
            range: Range::new(Address(BASE + 0x100), 8),
            name: "PyNumber_Add".to_owned(),
            is_code: false,
        }],
        frames: vec![
            InlinedFrame {
                parent: None,
                function: Some(function(1, "outer", 7, &[("n", true), ("x", false)])),
                is_hidden: false,
            },
            InlinedFrame {
                parent: Some(0),
                function: Some(function(2, "leaf", 1, &[("a", true)])),
                is_hidden: false,
            },
        ],
        places: [0, 0, 1, 1, 0].map(place).to_vec(),
        convention: Some(Convention {
            frame: FRAME,
            cached: vec![RDI],
            localsplus: LOCALSPLUS,
            previous: 8,
        }),
    }
}

/// The same executor at another place.
pub fn move_by(code: &mut ExecutorCode, bytes: u64) {
    let moved = |address: &mut Address| address.0 += bytes;
    moved(&mut code.allocation.start);
    moved(&mut code.listing.executor.address);
    code.pieces
        .iter_mut()
        .for_each(|one| moved(&mut one.range.start));
    code.slots
        .iter_mut()
        .for_each(|one| moved(&mut one.range.start));
}
