//! `str` objects as PEP 393 lays them out, and `bytes` objects.

use super::memory::Segments;
use super::structures::Structures;

/// The code points of a quoted word; `\u{…}` can write any, also lone surrogates.
pub fn code_points(word: &str) -> Vec<u32> {
    let mut text = word.trim_matches('"');
    let mut points = Vec::new();
    while let Some(first) = text.chars().next() {
        if let Some((digits, rest)) = text.strip_prefix("\\u{").and_then(|t| t.split_once('}')) {
            points.push(u32::from_str_radix(digits, 16).unwrap());
            text = rest;
        } else {
            points.push(u32::from(first));
            text = &text[first.len_utf8()..];
        }
    }
    points
}

/// The narrowest width that holds all code points.
fn width(points: &[u32]) -> usize {
    match points.iter().max() {
        Some(0x1_0000..) => 4,
        Some(0x100..) => 2,
        _ => 1,
    }
}

fn is_ascii(points: &[u32]) -> bool {
    points.iter().all(|point| *point < 0x80)
}

/// How many bytes the object takes, with the zero at its end.
pub fn str_size(structures: &Structures, points: &[u32]) -> u64 {
    head_size(structures, points) + ((points.len() + 1) * width(points)) as u64
}

fn head_size(structures: &Structures, points: &[u32]) -> u64 {
    structures.size(match is_ascii(points) {
        true => "PyASCIIObject",
        false => "PyCompactUnicodeObject",
    })
}

/// Writes a `str` at `address`.
pub fn put_str(memory: &mut Segments, structures: &Structures, address: u64, points: &[u32]) {
    let bytes = memory.slice(address, str_size(structures, points) as usize);
    let mut set = |member, value| structures.set(bytes, "PyASCIIObject", member, value);
    set("length", points.len() as u64);
    set("state.compact", 1);
    set("state.ascii", u64::from(is_ascii(points)));
    set("state.kind", width(points) as u64);
    let text = &mut bytes[head_size(structures, points) as usize..];
    for (place, point) in text.chunks_exact_mut(width(points)).zip(points) {
        place.copy_from_slice(&point.to_le_bytes()[..place.len()]);
    }
}

/// How many bytes a `tuple` of so many items takes.
pub fn tuple_size(structures: &Structures, count: usize) -> u64 {
    structures.offset("PyTupleObject", "ob_item") + 8 * count as u64
}

/// Writes a `tuple` at `address`.
pub fn put_tuple(memory: &mut Segments, structures: &Structures, address: u64, items: &[u64]) {
    let size = tuple_size(structures, items.len()) as usize;
    let bytes = memory.slice(address, size);
    let count = items.len() as u64;
    structures.set(bytes, "PyVarObject", "ob_size", count);
    let start = structures.offset("PyTupleObject", "ob_item") as usize;
    for (place, item) in bytes[start..].chunks_exact_mut(8).zip(items) {
        place.copy_from_slice(&item.to_le_bytes());
    }
}

/// How many bytes a `bytes` object takes.
pub fn bytes_size(structures: &Structures, content: &[u8]) -> u64 {
    structures.size("PyBytesObject") + content.len() as u64
}

/// Writes a `bytes` object at `address`.
pub fn put_bytes(memory: &mut Segments, structures: &Structures, address: u64, content: &[u8]) {
    let bytes = memory.slice(address, bytes_size(structures, content) as usize);
    structures.set(
        bytes,
        "PyBytesObject",
        "ob_base.ob_size",
        content.len() as u64,
    );
    let start = structures.offset("PyBytesObject", "ob_sval") as usize;
    bytes[start..start + content.len()].copy_from_slice(content);
}
