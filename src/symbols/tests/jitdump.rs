//! A jitdump, read back by the words of its specification.

use super::sample::code;
use crate::platform::Architecture;
use crate::symbols::{Debugger, ExecutorCode, Jitdump, View};

const LISTING: &str = "/listings/f@18.uops";

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Kind and body of each record.
fn records(dump: &[u8]) -> Vec<(u32, &[u8])> {
    let mut rest = &dump[40..];
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (one, behind) = rest.split_at(u32_at(rest, 4) as usize);
        assert_eq!(u64_at(one, 8), 0);
        found.push((u32_at(one, 0), &one[16..]));
        rest = behind;
    }
    found
}

fn string(bytes: &[u8]) -> &str {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap();
    std::str::from_utf8(&bytes[..end]).unwrap()
}

#[test]
fn the_header_names_the_process_and_the_machine() {
    for (architecture, machine) in [(Architecture::X86_64, 62), (Architecture::Aarch64, 183)] {
        let dump = Jitdump::new(architecture, 4242).finish();
        let words: Vec<u32> = (0..10).map(|word| u32_at(&dump, word * 4)).collect();
        assert_eq!(words, [0x4A69_5444, 1, 40, machine, 0, 4242, 0, 0, 0, 0]);
        assert_eq!(dump.len(), 40);
    }
}

#[test]
fn each_executor_is_loaded_with_its_code_behind_its_lines() {
    let code = code();
    let mut dump = Jitdump::new(code.architecture, 4242);
    dump.add(&code, LISTING);
    dump.add(&code, LISTING);
    let dump = dump.finish();
    let records = records(&dump);
    assert_eq!(records.len(), 4);
    let start = code.allocation.start.0;
    let size = code.code_end().0 - start;
    for (number, pair) in (0..).zip(records.chunks(2)) {
        let [(2, lines), (0, load)] = pair else {
            panic!("{pair:?}");
        };
        let words: Vec<u64> = (0..4).map(|word| u64_at(load, 8 + word * 8)).collect();
        assert_eq!(
            (u32_at(load, 0), words),
            (4242, vec![start, start, size, number])
        );
        let name = string(&load[40..]);
        assert_eq!(name, "outer@8");
        let end = usize::try_from(size).unwrap();
        assert_eq!(&load[40 + name.len() + 1..], &code.bytes[..end]);
        assert_eq!(u64_at(lines, 0), start);
        assert_eq!(u64_at(lines, 8), 6);
        assert_eq!(rows(&lines[16..]), expected_rows(&code));
    }
}

/// Address and line; all of the same file.
fn rows(mut rest: &[u8]) -> Vec<(u64, u32)> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let end = 16 + rest[16..].iter().position(|byte| *byte == 0).unwrap();
        assert_eq!(&rest[16..end], LISTING.as_bytes());
        found.push((u64_at(rest, 0), u32_at(rest, 8)));
        rest = &rest[end + 1..];
    }
    found
}

/// Those of the debug information, and the end.
fn expected_rows(code: &ExecutorCode) -> Vec<(u64, u32)> {
    let symbols = super::written(code, Debugger::Gdb, View::Frames);
    let mut rows: Vec<(u64, u32)> = super::rows(&symbols, 0)
        .iter()
        .map(|row| (row.0, u32::try_from(row.2).unwrap()))
        .collect();
    let last = rows.last().unwrap().1;
    rows.push((code.code_end().0, last));
    rows
}

#[test]
fn code_that_was_not_read_is_left_out() {
    let mut code = code();
    code.bytes.clear();
    let mut dump = Jitdump::new(code.architecture, 4242);
    dump.add(&code, LISTING);
    assert_eq!(dump.finish().len(), 40);
}
