//! `co_linetable` of any bytes, against a decoder of its own (`Objects/locations.md`, written down once more).

use super::Body;
use super::choices::Choices;
use super::damage::{Damaged, targets};
use crate::synthetic::target::Parts;
use cpyjit::address::{Address, BytecodeOffset};
use cpyjit::cpython::{CPython, CodeObjects};
use cpyjit::target::Reader;

pub const BODY: Body = Body {
    name: "location_table",
    run,
    seeds,
};

/// Where the table is put.
const TABLE: u64 = 0x6000_0000;

/// Code units that are looked at; the code object of the synthetic target has fewer.
const UNITS: u32 = 4096;

fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let first = i32::from(choices.u16());
    let table = choices.rest();
    let parts = &targets()[0];
    let memory = with_table(parts, first, table);
    let reader = Reader::new(&memory);
    let python = CPython::read(reader, parts.layouts.clone(), parts.symbols.clone()).unwrap();
    let codes = CodeObjects::default();
    let code = codes.get(&python, reader, Address(parts.names["f"]));
    let code = code.expect("the code object is sound");
    // CodeObject gives up on tables that are longer than the code can need.
    let limit = code.units as usize * 16 + 64;
    let expected = match table.len() <= limit {
        true => decode(table, first),
        false => Vec::new(),
    };
    for unit in 0..UNITS {
        let line = code.line(BytecodeOffset::of_code_unit(unit).unwrap());
        let expected = expected.get(unit as usize).copied().flatten();
        assert_eq!(line, expected, "unit {unit}");
    }
}

fn with_table(parts: &'static Parts, first: i32, table: &[u8]) -> Damaged {
    let bytes = parts.layouts.find("PyBytesObject").unwrap();
    let code = parts.layouts.find("PyCodeObject").unwrap();
    let mut memory = Damaged::new(&parts.memory);
    memory.put(TABLE, &vec![0; bytes.size as usize]);
    memory.put(TABLE + bytes.find("ob_sval").unwrap().offset, table);
    memory.set(bytes, TABLE, "ob_base.ob_size", table.len() as u64);
    memory.set(code, parts.names["f"], "co_linetable", TABLE);
    memory.set(
        code,
        parts.names["f"],
        "co_firstlineno",
        first.cast_unsigned().into(),
    );
    memory
}

/// The line of each code unit, up to the first entry that is cut off.
fn decode(table: &[u8], first: i32) -> Vec<Option<i32>> {
    let mut lines = Vec::new();
    let mut line = first;
    let mut rest = table.iter().copied();
    while let Some(head) = rest.next() {
        let entry = match head >> 3 & 15 {
            15 => Some(None),
            14 => long(&mut rest),
            13 => number(&mut rest).map(|delta| Some(signed(delta))),
            code @ 10..=12 => skip(&mut rest, 2).map(|()| Some(i32::from(code) - 10)),
            _ => skip(&mut rest, 1).map(|()| Some(0)),
        };
        let Some(delta) = entry else {
            break;
        };
        line = line.wrapping_add(delta.unwrap_or(0));
        for _ in 0..=head & 7 {
            lines.push(delta.map(|_| line));
        }
    }
    lines
}

fn long(rest: &mut impl Iterator<Item = u8>) -> Option<Option<i32>> {
    let delta = number(rest)?;
    for _ in 0..3 {
        number(rest)?;
    }
    Some(Some(signed(delta)))
}

fn skip(rest: &mut impl Iterator<Item = u8>, count: usize) -> Option<()> {
    for _ in 0..count {
        rest.next()?;
    }
    Some(())
}

/// A varint of at most six bytes.
fn number(rest: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut value = 0u64;
    for index in 0..6 {
        let byte = rest.next()?;
        value += u64::from(byte % 64) << (6 * index);
        if byte & 64 == 0 {
            return Some(value as u32);
        }
    }
    None
}

fn signed(value: u32) -> i32 {
    let size = (value / 2).cast_signed();
    if value % 2 == 1 { -size } else { size }
}

fn seeds() -> Vec<Vec<u8>> {
    vec![
        vec![
            10, 0, 0xf9, 0xd8, 4, 8, 0x9a, 0x21, 0xf0, 4, 1, 5, 6, 0xe9, 7,
        ],
        vec![1, 0, 0xe8, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x3f],
        vec![0, 0x80, 0xe8, 0x48, 1, 0x80, 0],
    ]
}
