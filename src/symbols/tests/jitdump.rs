//! A jitdump, read back by the words of its specification.

use super::sample::code;
use crate::platform::Architecture;
use crate::symbols::{Jitdump, perf_map};
use std::fmt::Write as _;

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
fn each_uop_is_loaded_with_its_code_behind_its_line() {
    let code = code();
    let mut dump = Jitdump::new(code.architecture, 4242);
    dump.add(&code, LISTING);
    let dump = dump.finish();
    let records = records(&dump);
    let mut map = String::new();
    for (number, pair) in (0..).zip(records.chunks(2)) {
        let [(2, lines), (0, load)] = pair else {
            panic!("{pair:?}");
        };
        let (start, size) = (u64_at(load, 16), u64_at(load, 24));
        assert_eq!(
            (u32_at(load, 0), u64_at(load, 8), u64_at(load, 32)),
            (4242, start, number)
        );
        let name = string(&load[40..]);
        let offset = usize::try_from(start - code.allocation.start.0).unwrap();
        let expected = &code.bytes[offset..offset + usize::try_from(size).unwrap()];
        assert_eq!(&load[40 + name.len() + 1..], expected);
        assert_eq!(
            (u64_at(lines, 0), u64_at(lines, 8), u64_at(lines, 16)),
            (start, 1, start)
        );
        assert!(u32_at(lines, 24) > 0);
        assert_eq!(string(&lines[32..]), LISTING);
        writeln!(map, "{start:x} {size:x} {name}").unwrap();
    }
    assert_eq!(map, perf_map(&code));
}

#[test]
fn code_that_was_not_read_is_left_out() {
    let mut code = code();
    code.bytes.clear();
    let mut dump = Jitdump::new(code.architecture, 4242);
    dump.add(&code, LISTING);
    assert_eq!(dump.finish().len(), 40);
}
