//! Which field of which uop of a trace an emitter reads.

use super::Tag;
use crate::address::Range;
use crate::error::Result;
use crate::shape::{Field, Shape};

/// Where the trace of an executor is, and where its uops have their fields.
#[derive(Clone, Debug, Default)]
pub struct TraceFields {
    start: u64,
    size: u64,
    /// The origin of each byte of one uop. Of the union of `target` and the two jump targets, that of the latter.
    bytes: Vec<Tag>,
    /// `target` as a whole.
    target: (u64, u64),
}

impl TraceFields {
    /// The uops of this shape in `trace`.
    ///
    /// # Errors
    /// If the shape lacks a field.
    pub fn new(trace: Range, shape: &Shape) -> Result<TraceFields> {
        let size = usize::try_from(shape.size).unwrap_or(0);
        let mut bytes = vec![Tag::BODY; size];
        let target = shape.field("target")?;
        // In an order in which later ones of a union count.
        let fields = [
            ("target", Tag::TARGET),
            ("opcode", Tag::OPCODE),
            ("oparg", Tag::OPARG),
            ("jump_target", Tag::JUMP_TARGET),
            ("error_target", Tag::ERROR_TARGET),
            ("operand0", Tag::OPERAND0),
        ];
        for (name, tag) in fields {
            mark(&mut bytes, shape.field(name)?, tag);
        }
        if let Some(operand1) = shape.find("operand1") {
            mark(&mut bytes, operand1, Tag::OPERAND1);
        }
        Ok(TraceFields {
            start: trace.start.0,
            size: trace.size,
            bytes,
            target: (target.offset, target.size),
        })
    }

    /// The origins of the number in `length` bytes at `address`.
    #[inline]
    pub fn tag(&self, address: u64, length: usize) -> Tag {
        let Some(offset) = self.offset(address) else {
            return Tag::BODY;
        };
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        if (offset, length) == self.target {
            return Tag::TARGET;
        }
        let bytes = (offset..offset.saturating_add(length)).map(|at| self.byte(at));
        bytes.fold(Tag::BODY, |all, tag| all | tag)
    }

    /// The origins of each byte from `address` on.
    pub fn tags(&self, address: u64, into: &mut [Tag]) {
        match self.offset(address) {
            None => into.fill(Tag::BODY),
            Some(offset) => {
                for (at, tag) in (offset..).zip(into) {
                    *tag = self.byte(at);
                }
            }
        }
    }

    /// How far into its uop a byte of the trace is.
    #[inline]
    fn offset(&self, address: u64) -> Option<u64> {
        let offset = address.wrapping_sub(self.start);
        (offset < self.size)
            .then(|| offset.checked_rem(self.bytes.len() as u64))
            .flatten()
    }

    fn byte(&self, offset: u64) -> Tag {
        let found = usize::try_from(offset)
            .ok()
            .and_then(|at| self.bytes.get(at));
        found.copied().unwrap_or_default()
    }
}

fn mark(bytes: &mut [Tag], field: &Field, tag: Tag) {
    let (Ok(start), Ok(size)) = (usize::try_from(field.offset), usize::try_from(field.size)) else {
        return;
    };
    let end = start.saturating_add(size);
    if let Some(of_field) = bytes.get_mut(start..end) {
        of_field.fill(tag);
    }
}
