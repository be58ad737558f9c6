//! Holds what was rebuilt against what is in memory.

use super::{Part, Plan, Rebuilt, Tag};
use crate::address::{Address, Range};
use crate::map::{GOT_SLOT, MappedExecutor, Place, RegionKind};

/// The longest hole: two operands that are copied together.
const LONGEST_HOLE: usize = 16;

/// What the comparison of all bytes gave.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Comparison {
    /// How many bytes were compared.
    pub compared: u64,
    /// How many could not be, since they could not be rebuilt.
    pub unknown: u64,
    /// What differs.
    pub difference: Option<Difference>,
}

/// Where memory is not what the emitters write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// How many bytes differ.
    pub count: u64,
    /// The first byte that differs and that no operand is in; if there is none, the first of a hole.
    pub address: Address,
    /// That byte, or the hole that it is in.
    pub range: Range,
    /// What is emitted there.
    pub part: Option<Part>,
    /// What the byte belongs to.
    pub place: Option<Place>,
    /// Where it comes from.
    pub origins: Tag,
    /// What the emitters write into the range.
    pub expected: Vec<u8>,
    /// What is there.
    pub found: Vec<u8>,
}

/// Compares the bytes of an allocation with what was rebuilt. The longer of both counts: what is missing differs.
pub fn compare(
    rebuilt: &Rebuilt,
    found: &[u8],
    plan: &Plan<'_>,
    mapped: &MappedExecutor,
) -> Comparison {
    let unknown = unknown(rebuilt);
    let wrong = different(rebuilt, found, &unknown);
    let length = rebuilt.bytes.len().min(found.len());
    let unknown = unknown.iter().filter(|unknown| **unknown).count();
    let body = |place: &&usize| rebuilt.tags.get(**place).is_some_and(|tag| tag.is_body());
    // A hole differs wherever something before it has another size; a body only where it was changed itself.
    let first = wrong.iter().find(body).or(wrong.first());
    Comparison {
        compared: length.saturating_sub(unknown) as u64,
        unknown: unknown as u64,
        difference: first.map(|first| {
            let address = rebuilt.start.wrapping_add(*first as u64);
            let place = mapped.locate(address);
            let at = match pointer_offset(place) {
                Some(offset) => word_at(*first, offset),
                None => hole_at(rebuilt, *first),
            };
            Difference {
                count: wrong.len() as u64,
                address,
                range: Range::new(rebuilt.start.wrapping_add(at.start as u64), at.len() as u64),
                part: plan.emission_at(address).map(|emission| emission.part),
                place,
                origins: rebuilt.tags.get(*first).copied().unwrap_or_default(),
                expected: part_of(&rebuilt.bytes, &at),
                found: part_of(found, &at),
            }
        }),
    }
}

/// For each byte, whether it could not be rebuilt; empty if all could.
pub fn unknown(rebuilt: &Rebuilt) -> Vec<bool> {
    if rebuilt.gaps.is_empty() {
        return Vec::new();
    }
    let mut unknown = vec![false; rebuilt.bytes.len()];
    for range in rebuilt.gaps.iter().flat_map(|gap| &gap.ranges) {
        let start = range.start.offset_from(rebuilt.start);
        let start = start.and_then(|start| usize::try_from(start).ok());
        let size = usize::try_from(range.size).ok();
        let end = start
            .zip(size)
            .and_then(|(start, size)| start.checked_add(size));
        if let Some(bytes) = start
            .zip(end)
            .and_then(|(start, end)| unknown.get_mut(start..end))
        {
            bytes.fill(true);
        }
    }
    unknown
}

/// The places of bytes that differ.
fn different(rebuilt: &Rebuilt, found: &[u8], unknown: &[bool]) -> Vec<usize> {
    if unknown.is_empty() && rebuilt.bytes == found {
        return Vec::new();
    }
    let is_known = |place: &usize| unknown.get(*place) != Some(&true);
    let pairs = rebuilt.bytes.iter().zip(found).enumerate();
    let wrong = pairs.filter(|(_, (expected, found))| expected != found);
    wrong.map(|(place, _)| place).filter(is_known).collect()
}

/// How far a byte is from the start of words that hold pointers, if it is in one.
fn pointer_offset(place: Option<Place>) -> Option<u64> {
    match place? {
        Place::Data(_, offset) | Place::Region(RegionKind::Got, offset) => Some(offset),
        _ => None,
    }
}

/// The word that the byte at `place` is in, so many bytes behind the first word.
fn word_at(place: usize, offset: u64) -> std::ops::Range<usize> {
    let within = usize::try_from(offset % GOT_SLOT).unwrap_or(0);
    let start = place.saturating_sub(within);
    start..start.saturating_add(8)
}

/// The bytes around `place` that have the same origins; the byte alone if it is body.
fn hole_at(rebuilt: &Rebuilt, place: usize) -> std::ops::Range<usize> {
    let tag = |place: usize| rebuilt.tags.get(place).copied();
    let own = tag(place).unwrap_or_default();
    let (mut start, mut end) = (place, place.saturating_add(1));
    if own.is_body() {
        return start..end;
    }
    // Each turn takes in a byte.
    while end.saturating_sub(start) < LONGEST_HOLE
        && let Some(before) = start.checked_sub(1)
        && tag(before) == Some(own)
    {
        start = before;
    }
    while end.saturating_sub(start) < LONGEST_HOLE && tag(end) == Some(own) {
        end = end.saturating_add(1);
    }
    start..end
}

/// What there is of these bytes.
fn part_of(bytes: &[u8], range: &std::ops::Range<usize>) -> Vec<u8> {
    let end = range.end.min(bytes.len());
    bytes.get(range.start..end).unwrap_or_default().to_vec()
}
