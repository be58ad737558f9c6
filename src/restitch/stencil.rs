//! The holes of a stencil, known from one instance: others of the same body have them at the same places, so that a
//! listing need not rebuild every executor.

use super::{Rebuilt, Tag};
use crate::address::Range;
use crate::cpython::Uop;
use std::sync::Arc;

/// What is added to an operand is the offset of a field; of an exit, for example.
const MOST_ADDED: u64 = 4096;

/// Bytes of a stencil that depend on the instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StencilHole {
    /// Bytes from the start of the code.
    pub offset: usize,
    /// How many.
    pub length: usize,
    /// Where they come from.
    pub origins: Tag,
    /// Of an address of the uop's data: what that comes from, if all of it comes from one place (AArch64 loads operands
    /// from there).
    pub data: Tag,
    /// Of a hole that an operand fills as a whole: what is added to it.
    added: Option<u64>,
}

impl StencilHole {
    /// Whether the bytes in the code of an instance are those that its operand gives. Others come from elsewhere: the
    /// code was changed, or the trace was.
    pub fn agrees(self, code: &[u8], uop: &Uop) -> bool {
        self.added.is_none() || self.added == self.difference(code, uop)
    }

    /// The number in the hole less the operand that alone it comes from.
    fn difference(self, code: &[u8], uop: &Uop) -> Option<u64> {
        let operand = match self.origins {
            Tag::OPERAND0 => uop.operand0,
            Tag::OPERAND1 => uop.operand1,
            _ => return None,
        };
        let bytes = code.get(self.offset..self.offset.checked_add(self.length)?)?;
        let added = u64::from_le_bytes(bytes.try_into().ok()?).wrapping_sub(operand);
        // Where an operand is spread over instructions, their words are no number.
        (added < MOST_ADDED).then_some(added)
    }
}

/// A stencil as it was emitted. One with several forms (short and long jumps, relaxed loads) is several of these: they
/// differ in their bodies.
#[derive(Clone, Debug)]
pub struct StencilForm {
    code: Box<[u8]>,
    holes: Arc<[StencilHole]>,
}

impl StencilForm {
    /// The stencil that was emitted for `uop` at `range` and with this data, if all of it could be rebuilt.
    pub fn new(rebuilt: &Rebuilt, range: Range, data: Range, uop: &Uop) -> Option<StencilForm> {
        let start = range.start.offset_from(rebuilt.start)?;
        let code = rebuilt.known(start, range.size)?;
        let data = data_origins(rebuilt, data);
        let place = |offset: u64| usize::try_from(offset.checked_sub(start)?).ok();
        let holes = rebuilt.holes(start, range.size).filter_map(|hole| {
            let hole = StencilHole {
                offset: place(hole.offset)?,
                length: usize::try_from(hole.length).ok()?,
                origins: hole.origins,
                data: match hole.origins.has(Tag::DATA) {
                    true => data,
                    false => Tag::BODY,
                },
                added: None,
            };
            let added = hole.difference(code, uop);
            Some(StencilHole { added, ..hole })
        });
        Some(StencilForm {
            holes: holes.collect(),
            code: code.into(),
        })
    }

    /// Its holes, in order.
    pub fn holes(&self) -> &Arc<[StencilHole]> {
        &self.holes
    }

    /// Whether `code` is an instance of it: all bytes that are no hole are the same.
    pub fn fits(&self, code: &[u8]) -> bool {
        let mut at = 0;
        let mut same = |end: usize, next: usize| {
            let body = std::mem::replace(&mut at, next)..end;
            self.code.get(body.clone()) == code.get(body)
        };
        code.len() == self.code.len()
            && (self.holes.iter()).all(|hole| same(hole.offset, hole.offset + hole.length))
            && same(code.len(), code.len())
    }
}

/// Where the data comes from, if all of it comes from one place.
fn data_origins(rebuilt: &Rebuilt, data: Range) -> Tag {
    let start = data.start.offset_from(rebuilt.start);
    let hole = start.and_then(|start| rebuilt.hole(start, data.size));
    let whole = hole.filter(|hole| hole.length == data.size);
    whole.map_or(Tag::BODY, |hole| hole.origins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::cpython::Jumps;

    const NONE: Range = Range {
        start: Address(0x1000),
        size: 0,
    };

    fn uop(operand0: u64) -> Uop {
        Uop {
            opcode: 1,
            oparg: 0,
            target: None,
            jumps: Jumps::default(),
            operand0,
            operand1: 0,
        }
    }

    #[test]
    fn an_instance_differs_in_holes_only() {
        let tags = [Tag::BODY, Tag::OPARG, Tag::OPARG, Tag::BODY, Tag::TARGET];
        let rebuilt = Rebuilt {
            start: Address(0x1000),
            bytes: vec![9, 1, 2, 3, 4, 5],
            tags: tags.into_iter().chain([Tag::BODY]).collect(),
            gaps: Vec::new(),
            steps: 0,
        };
        let range = Range::new(Address(0x1000), 5);
        let form = StencilForm::new(&rebuilt, range, NONE, &uop(0)).unwrap();
        let found = form.holes().iter();
        let found: Vec<_> = found
            .map(|hole| (hole.offset, hole.length, hole.origins))
            .collect();
        assert_eq!(found, [(1, 2, Tag::OPARG), (4, 1, Tag::TARGET)]);
        assert!(form.fits(&[9, 7, 7, 3, 7]));
        assert!(!form.fits(&[9, 1, 2, 7, 4]));
        assert!(!form.fits(&[7, 1, 2, 3, 4]));
        assert!(!form.fits(&[9, 1, 2, 3]));
        assert!(!form.fits(&[9, 1, 2, 3, 4, 5]));
        let behind = Range::new(Address(0x1002), 5);
        assert!(StencilForm::new(&rebuilt, behind, NONE, &uop(0)).is_none());
    }

    #[test]
    fn words_of_instructions_are_no_number() {
        let rebuilt = Rebuilt {
            start: Address(0x1000),
            bytes: vec![0x69, 0x99, 0xb4, 0xf2, 0x69, 0x99, 0xb4, 0xf2, 7, 0],
            tags: [[Tag::OPERAND0; 8].as_slice(), &[Tag::OPARG; 2]].concat(),
            gaps: Vec::new(),
            steps: 0,
        };
        let range = Range::new(Address(0x1000), 8);
        let data = Range::new(Address(0x1008), 2);
        let form = StencilForm::new(&rebuilt, range, data, &uop(5)).unwrap();
        let [hole] = form.holes()[..] else { panic!() };
        assert!(hole.agrees(&[0; 8], &uop(7)));
        assert_eq!(hole.data, Tag::BODY);
        assert_eq!(data_origins(&rebuilt, data), Tag::OPARG);
        assert_eq!(
            data_origins(&rebuilt, Range::new(Address(0x1006), 4)),
            Tag::BODY
        );
    }

    #[test]
    fn an_operand_that_fills_a_hole_must_be_there() {
        let code = |number: u64| [&[0x48, 0xb8][..], &number.to_le_bytes()].concat();
        let rebuilt = Rebuilt {
            start: Address(0x1000),
            bytes: code(0x5008),
            tags: [[Tag::BODY; 2].as_slice(), &[Tag::OPERAND0; 8]].concat(),
            gaps: Vec::new(),
            steps: 0,
        };
        let range = Range::new(Address(0x1000), 10);
        let form = StencilForm::new(&rebuilt, range, NONE, &uop(0x5000)).unwrap();
        let [hole] = form.holes()[..] else { panic!() };
        assert!(form.fits(&code(0x7008)));
        assert!(hole.agrees(&code(0x7008), &uop(0x7000)));
        assert!(!hole.agrees(&code(0x7008), &uop(0x7008)));
    }
}
