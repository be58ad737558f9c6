//! Data processing with registers.

use super::super::decode::{Extend, Logic, Operands, Register, Shift, Width};
use super::super::flags::{self, Flags};
use super::super::state::State;
use super::shift::{extended, shifted};
use crate::restitch::Value;

pub(super) fn run(state: &mut State, register: &Register) {
    match *register {
        Register::Logical {
            width,
            logic,
            inverted,
            flags,
            operands,
            shift,
            amount,
        } => {
            let second = shifted(state.get(operands.rm).number, shift, amount, width);
            let second = if inverted { !second } else { second };
            logical(state, operands, width, logic, second, flags);
        }
        Register::AddShifted {
            width,
            subtract,
            flags,
            operands,
            shift,
            amount,
        } => {
            let second = shifted(state.get(operands.rm).number, shift, amount, width);
            let (sum, of_sum) = flags::add(state.get(operands.rn).number, second, subtract, width);
            state.set(operands.rd, Value::new(sum, tags(state, operands)));
            set_flags(state, flags, of_sum);
        }
        Register::AddExtended {
            width,
            subtract,
            flags,
            operands,
            extend,
        } => add_extended(state, operands, width, extend, (subtract, flags)),
        Register::Multiply {
            width,
            subtract,
            operands,
            ra,
        } => multiply(state, operands, ra, width, subtract),
        Register::ShiftBy {
            width,
            operands,
            shift,
        } => shift_by(state, operands, width, shift),
        Register::Select { .. } | Register::Compare { .. } => conditional(state, register),
    }
}

/// The origins of both operands.
fn tags(state: &State, operands: Operands) -> crate::restitch::Tag {
    state.get(operands.rn).tag | state.get(operands.rm).tag
}

fn set_flags(state: &mut State, wanted: bool, flags: Flags) {
    if wanted {
        state.flags = flags;
    }
}

fn logical(
    state: &mut State,
    operands: Operands,
    width: Width,
    logic: Logic,
    second: u64,
    flags: bool,
) {
    let value = width.cut(logic.apply(state.get(operands.rn).number, second));
    let tag = tags(state, operands);
    state.set(operands.rd, Value::new(value, tag));
    set_flags(state, flags, Flags::of_result(value, width));
}

fn add_extended(
    state: &mut State,
    operands: Operands,
    width: Width,
    extend: Extend,
    (subtract, flags): (bool, bool),
) {
    let (left, right) = (state.get_or_stack(operands.rn), state.get(operands.rm));
    let second = extended(right.number, extend);
    let (sum, of_sum) = flags::add(left.number, second, subtract, width);
    let value = Value::new(sum, left.tag | right.tag);
    if flags {
        state.set(operands.rd, value);
        state.flags = of_sum;
    } else {
        state.set_or_stack(operands.rd, value);
    }
}

fn multiply(state: &mut State, operands: Operands, ra: usize, width: Width, subtract: bool) {
    let addend = state.get(ra);
    let (left, right) = (state.get(operands.rn), state.get(operands.rm));
    let product = left.number.wrapping_mul(right.number);
    let number = if subtract {
        addend.number.wrapping_sub(product)
    } else {
        addend.number.wrapping_add(product)
    };
    let value = Value::new(number, left.tag | right.tag | addend.tag);
    state.set_part(operands.rd, width, value);
}

fn shift_by(state: &mut State, operands: Operands, width: Width, shift: Shift) {
    // Of the amount, only as many bits count as the width needs.
    let [amount, ..] = state.get(operands.rm).number.to_le_bytes();
    let amount = u32::from(amount) % width.bits();
    let value = shifted(state.get(operands.rn).number, shift, amount, width);
    let tag = tags(state, operands);
    state.set(operands.rd, Value::new(value, tag));
}

fn conditional(state: &mut State, register: &Register) {
    match *register {
        Register::Select {
            width,
            operands,
            condition,
            inverted,
            incremented,
        } => {
            let (then, otherwise) = (state.get(operands.rn), state.get(operands.rm));
            let value = if state.flags.hold(condition) {
                then
            } else {
                let number = otherwise.number ^ if inverted { u64::MAX } else { 0 };
                Value::new(number.wrapping_add(u64::from(incremented)), otherwise.tag)
            };
            state.set_part(operands.rd, width, value);
        }
        Register::Compare {
            width,
            subtract,
            rn,
            second,
            immediate,
            condition,
            otherwise,
        } => {
            let right = if immediate {
                second as u64
            } else {
                state.get(second).number
            };
            state.flags = if state.flags.hold(condition) {
                flags::add(state.get(rn).number, right, subtract, width).1
            } else {
                Flags::of(otherwise)
            };
        }
        _ => {}
    }
}
