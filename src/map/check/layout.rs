//! The object and the allocation: sizes and places.

use super::Subject;
use super::tally::Tally;
use crate::address::{Address, Range};
use crate::map::RegionKind;

/// What is mapped for code is a multiple of this everywhere; AArch64 has larger pages too.
const PAGES: [u64; 3] = [4096, 16_384, 65_536];

/// `trace == &exits[exit_count]`, and `ob_size` counts the bytes of both (`allocate_executor` in `Python/optimizer.c`).
pub(super) fn object(subject: &Subject<'_>, tally: &mut Tally) {
    let executor = &subject.mapped.executor;
    let layouts = &subject.python.layouts;
    let size = |name| layouts.find(name).map(|shape| shape.size);
    let exits = layouts
        .find("_PyExecutorObject")
        .and_then(|shape| shape.find("exits"));
    let (Some(exits), Some(exit), Some(uop)) =
        (exits, size("_PyExitData"), size("_PyUOpInstruction"))
    else {
        return tally.cannot("the layout of executors, exits or uops is not known");
    };
    let exits_size = (executor.exits.len() as u64).saturating_mul(exit);
    let start = executor.address.wrapping_add(exits.offset);
    tally.same("trace", start.wrapping_add(exits_size), executor.trace);
    if let Some(found) = executor.claims.object_size {
        let uops = (executor.uops.len() as u64).saturating_mul(uop);
        tally.same("ob_size", exits_size.saturating_add(uops), found);
    }
}

/// Each region begins where the one before ends, from the first byte of the allocation to the last.
pub(super) fn regions(subject: &Subject<'_>, tally: &mut Tally) {
    let mapped = subject.mapped;
    let Some(whole) = allocation(subject, tally) else {
        return;
    };
    let mut next = whole.start;
    for region in &mapped.map.regions {
        let start = region.range.start;
        tally.at(start, None);
        tally.same(format_args!("start of {}", region.kind.word()), next, start);
        let what = "bytes that a stencil explains";
        tally.that(
            region.kind != RegionKind::Unknown,
            "region",
            what,
            region.kind.word(),
        );
        next = region.range.end();
    }
    tally.at(next, None).same("end", whole.end(), next);
    uops_tile(subject, tally);
}

/// The uops fill their region without gaps.
fn uops_tile(subject: &Subject<'_>, tally: &mut Tally) {
    let map = &subject.mapped.map;
    let region = map
        .regions
        .iter()
        .find(|region| region.kind == RegionKind::Uops);
    let Some(region) = region.map(|region| region.range) else {
        return;
    };
    let mut next = region.start;
    for range in map.uops.iter().flatten() {
        tally
            .at(range.start, None)
            .same("start of a uop", next, range.start);
        next = range.end();
    }
    tally
        .at(next, None)
        .same("end of the uops", region.end(), next);
}

/// `_PyJIT_Compile` in `Python/jit.c` adds a page less what is over a whole number of pages.
pub(super) fn sizes(subject: &Subject<'_>, tally: &mut Tally) {
    let Some(whole) = allocation(subject, tally) else {
        return;
    };
    let map = &subject.mapped.map;
    if map
        .regions
        .iter()
        .any(|region| region.kind == RegionKind::Unknown)
    {
        return tally.cannot("a uop has no stencil, so its size is not known");
    }
    let used = used(subject);
    let possible = PAGES.map(|page| used.saturating_add(page - used % page));
    tally.that(
        possible.contains(&whole.size),
        "jit_size",
        format_args!("{} for {used} bytes in use", possible[0]),
        whole.size,
    );
}

/// Bytes from the start of the allocation to the padding at its end.
fn used(subject: &Subject<'_>) -> u64 {
    let regions = &subject.mapped.map.regions;
    let mut all = regions.iter().map(|region| region.range.size).sum();
    if let Some(last) = regions
        .last()
        .filter(|last| last.kind == RegionKind::Padding)
    {
        all -= last.range.size;
    }
    all
}

/// 3.14: behind the shim.
pub(super) fn side_entry(subject: &Subject<'_>, tally: &mut Tally) {
    let executor = &subject.mapped.executor;
    let Some(found) = executor.side_entry else {
        return tally.cannot("this CPython has no jit_side_entry");
    };
    let first = subject.mapped.map.uops.first().and_then(|uop| uop.first());
    match first {
        Some(first) => tally.same("jit_side_entry", first.start, found),
        None => tally.cannot("it has no machine code"),
    }
}

/// Zeros between code and data, and behind all.
pub(super) fn padding(subject: &Subject<'_>, tally: &mut Tally) {
    let bytes = match subject.bytes {
        Ok(bytes) => bytes,
        Err(reason) => return tally.cannot(reason),
    };
    let start = subject.mapped.executor.jit_code;
    let all = subject.mapped.map.regions.iter();
    for region in all.filter(|region| region.kind == RegionKind::Padding) {
        let Some(zeros) = slice(bytes, start, region.range) else {
            continue;
        };
        let wrong = (0..).zip(zeros).find(|(_, byte)| **byte != 0);
        match wrong {
            None => tally.held(1),
            Some((offset, byte)) => tally
                .at(region.range.start.wrapping_add(offset), None)
                .that(false, "padding", "0x0", format_args!("{byte:#x}")),
        }
    }
}

/// The allocation; without code there is none, which the check says.
fn allocation(subject: &Subject<'_>, tally: &mut Tally) -> Option<Range> {
    let executor = &subject.mapped.executor;
    if executor.jit_code.is_null() {
        tally.cannot("it has no machine code (jit_code is NULL)");
        return None;
    }
    Some(Range::new(executor.jit_code, executor.jit_size))
}

/// The bytes of a range, of bytes that begin at `start`.
pub(super) fn slice(bytes: &[u8], start: Address, range: Range) -> Option<&[u8]> {
    let from = usize::try_from(range.start.offset_from(start)?).ok()?;
    let to = from.checked_add(usize::try_from(range.size).ok()?)?;
    bytes.get(from..to)
}
