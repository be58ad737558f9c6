//! Machine code: whole instructions, and where they branch to.

use super::Subject;
use super::layout::slice;
use super::tally::Tally;
use crate::address::{Address, Range, UopIndex};
use crate::disasm::{Disassembler, Instruction};
use crate::map::{Place, RegionKind};

/// A piece of machine code as instructions.
pub(super) struct Piece {
    uop: Option<UopIndex>,
    what: String,
    instructions: Vec<Instruction>,
}

/// All code of an executor, or why it cannot be decoded.
pub(super) type Decoded = Result<Vec<Piece>, String>;

/// Decodes each uop by itself, so that none reaches into the next; shim and guard too.
pub(super) fn decode(subject: &Subject<'_>, disassembler: &mut Disassembler) -> Decoded {
    let bytes = subject.bytes.map_err(ToOwned::to_owned)?;
    let mapped = subject.mapped;
    let start = mapped.executor.jit_code;
    let mut pieces = Vec::new();
    let mut add = |key: Option<u32>, uop, what: String, range: Range| {
        if let Some(code) = slice(bytes, start, range) {
            let mut instructions = Vec::new();
            disassembler.decode(key, range.start, code, &mut instructions);
            pieces.push(Piece {
                uop,
                what,
                instructions,
            });
        }
    };
    let indices = (0..).map(UopIndex);
    for (index, (uop, ranges)) in indices.zip(mapped.executor.uops.iter().zip(&mapped.map.uops)) {
        let name = subject.python.uops.kind(uop.opcode).map(|kind| &*kind.name);
        for range in ranges {
            let what = name.unwrap_or("?").to_owned();
            add(Some(u32::from(uop.opcode)), Some(index), what, *range);
        }
    }
    for region in &mapped.map.regions {
        if matches!(region.kind, RegionKind::Shim | RegionKind::Guard) {
            add(None, None, region.kind.word().to_owned(), region.range);
        }
    }
    Ok(pieces)
}

/// The code of each uop ends with the end of an instruction, and has nothing else in it.
pub(super) fn whole(decoded: &Decoded, tally: &mut Tally) {
    let pieces = match decoded {
        Ok(pieces) => pieces,
        Err(reason) => return tally.cannot(reason),
    };
    for piece in pieces {
        let wrong = piece.instructions.iter().find(|one| !one.is_valid());
        match wrong {
            None => tally.held(1),
            Some(wrong) => tally.at(wrong.address(), piece.uop).that(
                false,
                format_args!("code of {}", piece.what),
                "an instruction that ends within it",
                "bytes that are none",
            ),
        }
    }
}

/// Within the allocation a branch leads to the start of an instruction; outside, to code that is known.
pub(super) fn branches(subject: &Subject<'_>, decoded: &Decoded, tally: &mut Tally) {
    let pieces = match decoded {
        Ok(pieces) => pieces,
        Err(reason) => return tally.cannot(reason),
    };
    let all = || pieces.iter().flat_map(|piece| &piece.instructions);
    // Sorted, not hashed: there are some 60,000 of them in a long trace of a debug build.
    let mut starts: Vec<Address> = all().map(Instruction::address).collect();
    starts.sort_unstable();
    for piece in pieces {
        for instruction in &piece.instructions {
            let Some(target) = instruction.target() else {
                continue;
            };
            tally.at(instruction.address(), piece.uop);
            let field = format_args!("branch target in {}", piece.what).to_string();
            if starts.binary_search(&target).is_ok() {
                tally.held(1);
                continue;
            }
            match subject.mapped.locate(target) {
                // A trampoline is entered at its start.
                Some(Place::Region(RegionKind::Trampolines, offset)) => {
                    tally.that(offset % 16 == 0, field, "the start of a trampoline", target);
                }
                Some(Place::Region(
                    RegionKind::Data | RegionKind::Got | RegionKind::Padding,
                    _,
                ))
                | Some(Place::Data(..)) => tally.that(false, field, "code", target),
                // Behind the last uop, where nothing follows, begins what lies there.
                Some(_) => tally.that(false, field, "the start of an instruction", target),
                None => {
                    let known = (subject.is_code)(target);
                    tally.that(known, field, "code that is known", target);
                }
            }
        }
    }
}
