//! Where the parts of a listing's lines stand, and how much room remarks have.

use crate::address::Address;
use crate::listing::View;

/// Columns of a mnemonic.
const MNEMONIC: usize = 8;

/// Columns of operands before a remark, where there is room: few are longer.
const OPERANDS: usize = 36;

/// What is left of them on a narrow terminal: `rdi, qword ptr [r14]`.
const SHORT_OPERANDS: usize = 22;

/// Columns that most remarks fit into; operands give way for them on a narrow terminal.
const REMARK: usize = 30;

/// Columns of the bytes of an instruction; the longest usual one has 10.
const BYTES: usize = 2 * 10 + 1;

/// Columns of the name of a uop and of its arguments before a remark, with what stands before the name.
const UOP_NAME: usize = 40 + super::UOP_INDENT;
const ARGUMENTS: usize = 27;

/// The same on a narrow terminal: some names are longer and push the arguments on.
const SHORT_NAME: usize = 26 + super::UOP_INDENT;

/// Columns of the lines of one executor, from the left edge of the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Columns {
    /// The gutter's width.
    pub gutter: usize,
    /// Where bytes or the mnemonic begin.
    pub code: usize,
    /// Where the mnemonic begins.
    pub mnemonic: usize,
    /// Where operands begin.
    pub operands: usize,
    /// Where remarks on instructions begin.
    pub remarks: usize,
    /// Where the arguments of uops begin.
    pub arguments: usize,
    /// Where remarks on uops begin; `None` right behind the arguments.
    pub uop_remarks: Option<usize>,
}

impl Columns {
    /// The columns of code at `address` on a terminal of this width, if it has one, behind a gutter.
    pub fn new(width: Option<usize>, gutter: usize, view: View, address: Address) -> Columns {
        let code = gutter + super::CODE_INDENT + place(view, address);
        let mnemonic = code + if view.bytes { BYTES } else { 0 };
        let operands = mnemonic + MNEMONIC;
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(operands));
        let wanted = room.saturating_sub(REMARK).clamp(SHORT_OPERANDS, OPERANDS);
        let narrow = room < OPERANDS + REMARK;
        Columns {
            gutter,
            code,
            mnemonic,
            operands,
            remarks: operands + wanted,
            arguments: gutter + if narrow { SHORT_NAME } else { UOP_NAME },
            uop_remarks: (!narrow).then_some(gutter + UOP_NAME + ARGUMENTS),
        }
    }
}

/// Columns of addresses, or of offsets.
fn place(view: View, address: Address) -> usize {
    match view.offsets {
        true => 6,
        false => format!("{address}").len() + 2,
    }
}
