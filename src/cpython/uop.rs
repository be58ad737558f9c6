//! `_PyUOpInstruction`: one element of a trace (`Include/internal/pycore_uop.h`).

use crate::address::UopIndex;
use crate::error::{Error, Result};
use crate::shape::{Field, Shape};

/// One uop of a trace, as the executor keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Uop {
    /// The index into the tables of names and stencils; on 3.15 that of the register variant.
    pub opcode: u16,
    /// The argument.
    pub oparg: u16,
    /// The code unit that it belongs to, for `UOP_FORMAT_TARGET`.
    pub target: Option<u32>,
    /// The stubs that it jumps to, for `UOP_FORMAT_JUMP`.
    pub jumps: Jumps,
    /// The first operand. Uops that do not use it leave it uninitialised.
    pub operand0: u64,
    /// The second operand; the same holds.
    pub operand1: u64,
}

/// Where a uop can go besides the next one: indices into the same trace, always of stubs behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Jumps {
    /// Where it goes when its guess was wrong.
    pub jump: Option<UopIndex>,
    /// Where it goes when Python raises.
    pub error: Option<UopIndex>,
}

/// The fields of `_PyUOpInstruction`, looked up once for all uops.
struct Fields<'s> {
    opcode: &'s Field,
    format: &'s Field,
    oparg: &'s Field,
    target: &'s Field,
    jump_target: &'s Field,
    error_target: &'s Field,
    operand0: &'s Field,
    operand1: Option<&'s Field>,
}

impl<'s> Fields<'s> {
    fn of(shape: &'s Shape) -> Result<Fields<'s>> {
        Ok(Fields {
            opcode: shape.field("opcode")?,
            format: shape.field("format")?,
            oparg: shape.field("oparg")?,
            target: shape.field("target")?,
            jump_target: shape.field("jump_target")?,
            error_target: shape.field("error_target")?,
            operand0: shape.field("operand0")?,
            operand1: shape.find("operand1"),
        })
    }

    fn uop(&self, bytes: &[u8]) -> Option<Uop> {
        let small = |field: &Field| u16::try_from(field.unsigned(bytes)?).ok();
        // 0 is never a stub: it is the first uop of the trace.
        let stub = |field| {
            let index = small(field)?;
            (index != 0).then_some(UopIndex(u32::from(index)))
        };
        let jumps = self.format.unsigned(bytes)? == 1;
        Some(Uop {
            opcode: small(self.opcode)?,
            oparg: small(self.oparg)?,
            target: match jumps {
                true => None,
                false => Some(u32::try_from(self.target.unsigned(bytes)?).ok()?),
            },
            jumps: match jumps {
                true => Jumps {
                    jump: stub(self.jump_target),
                    error: stub(self.error_target),
                },
                false => Jumps::default(),
            },
            operand0: self.operand0.unsigned(bytes)?,
            operand1: self
                .operand1
                .map_or(Some(0), |field| field.unsigned(bytes))?,
        })
    }
}

/// The uops in the bytes of a trace.
pub fn uops(shape: &Shape, bytes: &[u8]) -> Result<Vec<Uop>> {
    let fields = Fields::of(shape)?;
    let size = usize::try_from(shape.size).unwrap_or(0).max(1);
    bytes
        .chunks_exact(size)
        .map(|bytes| {
            fields.uop(bytes).ok_or_else(|| Error::NoField {
                shape: shape.name.clone(),
                field: "opcode … operand1, as numbers of their sizes".to_owned(),
            })
        })
        .collect()
}
