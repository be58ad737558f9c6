//! Where variables are, in DWARF's expressions: values that cannot be assigned to, so that no debugger writes the target.

use super::model::Convention;
use crate::listing::Architecture;
use crate::platform::Register;
use gimli::constants;
use gimli::write::Expression;

/// The bits of a `_PyStackRef` that are no address, all set where it is a number (`Py_INT_TAG`).
const TAG_BITS: u64 = 3;

/// Bytes of a pointer.
const WORD: u64 = 8;

/// DWARF's number of a register.
pub fn number(architecture: Architecture, register: Register) -> Option<gimli::Register> {
    let mut all = architecture.platform().dwarf_registers.iter();
    let number = all.position(|known| *known == register)?;
    u16::try_from(number).ok().map(gimli::Register)
}

/// The value of a local variable of a frame that lies `depth` frames below the current one.
pub fn local(
    frame: gimli::Register,
    convention: &Convention,
    slot: u64,
    depth: usize,
) -> Option<Expression> {
    let offset = convention.localsplus.checked_add(slot.checked_mul(WORD)?)?;
    let mut expression = Expression::new();
    if depth == 0 {
        expression.op_breg(frame, i64::try_from(offset).ok()?);
    } else {
        expression.op_breg(frame, i64::try_from(convention.previous).ok()?);
        expression.op_deref();
        for _ in 1..depth {
            expression.op_plus_uconst(convention.previous);
            expression.op_deref();
        }
        expression.op_plus_uconst(offset);
    }
    expression.op_deref();
    untag(&mut expression);
    Some(expression)
}

/// The stack item in a register: without its tag, unless it is a number and no object.
pub fn cached(register: gimli::Register) -> Expression {
    let mut expression = Expression::new();
    expression.op_breg(register, 0);
    expression.op(constants::DW_OP_dup);
    expression.op_constu(TAG_BITS);
    expression.op(constants::DW_OP_and);
    expression.op_constu(TAG_BITS);
    expression.op(constants::DW_OP_eq);
    let branch = expression.op_bra();
    expression.op_constu(TAG_BITS);
    expression.op(constants::DW_OP_not);
    expression.op(constants::DW_OP_and);
    let end = expression.next_index();
    expression.op(constants::DW_OP_stack_value);
    expression.set_target(branch, end);
    expression
}

/// What is in a register.
pub fn value(register: gimli::Register) -> Expression {
    let mut expression = Expression::new();
    expression.op_breg(register, 0);
    expression.op(constants::DW_OP_stack_value);
    expression
}

fn untag(expression: &mut Expression) {
    expression.op_constu(TAG_BITS);
    expression.op(constants::DW_OP_not);
    expression.op(constants::DW_OP_and);
    expression.op(constants::DW_OP_stack_value);
}
