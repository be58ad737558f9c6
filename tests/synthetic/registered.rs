//! `__jit_debug_descriptor` with an ELF file in memory for each executor, as GDB's JIT interface wants them.

use super::memory::{Segment, Segments};
use std::collections::HashMap;

const ENTRIES: u64 = 0x5000_0000;
const FILES: u64 = 0x6000_0000;

/// What is registered of one executor.
pub struct RegisteredCode {
    pub name: String,
    pub start: u64,
    /// Bytes that the symbol covers.
    pub size: u64,
    pub text: Vec<u8>,
}

/// Writes all; gives the places of the copies.
pub fn put(
    memory: &mut Segments,
    descriptor: u64,
    codes: &[RegisteredCode],
) -> HashMap<String, u64> {
    let mut entries = Segment::new(ENTRIES);
    let places: Vec<u64> = codes.iter().map(|_| entries.take(40, 64)).collect();
    memory.add(entries);
    let mut files = Segment::new(FILES);
    let contents: Vec<Vec<u8>> = codes.iter().map(elf).collect();
    let starts: Vec<u64> = contents
        .iter()
        .map(|content| files.take(content.len() as u64, 64))
        .collect();
    memory.add(files);
    let mut names = HashMap::new();
    for (index, code) in codes.iter().enumerate() {
        let next = places.get(index + 1).copied().unwrap_or(0);
        let previous = index.checked_sub(1).map_or(0, |index| places[index]);
        let size = contents[index].len() as u64;
        for (word, value) in (0..).zip([next, previous, starts[index], size, code.start]) {
            memory.put_u64(places[index] + 8 * word, value);
        }
        memory.put(starts[index], &contents[index]);
        names.insert(format!("{}.copy", code.name), starts[index] + HEADER);
        names.insert(format!("{}.entry", code.name), places[index]);
    }
    memory.put_u64(descriptor, 1); // version 1, no action
    memory.put_u64(descriptor + 16, places.first().copied().unwrap_or(0));
    names.insert("descriptor".to_owned(), descriptor);
    names
}

const HEADER: u64 = 64;
const STRINGS: &[u8] = b"\0.text\0.symtab\0.strtab\0py::jit:executor\0";

/// Header, code, symbols, strings, section headers.
fn elf(code: &RegisteredCode) -> Vec<u8> {
    let text = code.text.len() as u64;
    let symbols = (HEADER + text).next_multiple_of(8);
    let strings = symbols + 48;
    let sections = (strings + STRINGS.len() as u64).next_multiple_of(8);
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    for half in [1u16, 62] {
        out.extend(half.to_le_bytes()); // relocatable, x86-64
    }
    out.extend(1u32.to_le_bytes());
    for word in [0, 0, sections] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0u32.to_le_bytes());
    for half in [64u16, 0, 0, 64, 4, 3] {
        out.extend(half.to_le_bytes());
    }
    out.extend(&code.text);
    out.resize(symbols as usize + 24, 0);
    out.extend(23u32.to_le_bytes());
    out.extend([0x12, 0, 1, 0]); // a global function in section 1
    out.extend(code.start.to_le_bytes());
    out.extend(code.size.to_le_bytes());
    out.extend(STRINGS);
    out.resize(sections as usize, 0);
    let section = |name: u32, kind: u32, rest: [u64; 4], link: u32, info: u32, each: u64| {
        let mut row = Vec::new();
        row.extend(name.to_le_bytes());
        row.extend(kind.to_le_bytes());
        rest.iter().for_each(|word| row.extend(word.to_le_bytes()));
        row.extend(link.to_le_bytes());
        row.extend(info.to_le_bytes());
        row.extend(1u64.to_le_bytes());
        row.extend(each.to_le_bytes());
        row
    };
    out.extend([0; 64]);
    // Flags, address, offset, size.
    out.extend(section(1, 1, [6, code.start, HEADER, text], 0, 0, 0));
    out.extend(section(7, 2, [0, 0, symbols, 48], 3, 1, 24));
    out.extend(section(
        15,
        3,
        [0, 0, strings, STRINGS.len() as u64],
        0,
        0,
        0,
    ));
    out
}
