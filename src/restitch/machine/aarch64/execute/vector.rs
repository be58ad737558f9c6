//! Arithmetic of vectors.

use super::super::decode::{self, Change, Constant, Each, Lanes, Operands, Pairwise, sign_extend};
use super::super::state::State;
use super::{vector_move, vector_shift};
use crate::restitch::{Value, Vector};

pub(super) fn run(state: &mut State, vector: &decode::Vector) {
    match vector {
        decode::Vector::Move(moved) => vector_move::run(state, moved),
        decode::Vector::Shift(shifted) => vector_shift::run(state, shifted),
        decode::Vector::Constant(number) => constant(state, *number),
        decode::Vector::CountBits { rd, rn, lanes } => {
            let from = state.vector(*rn);
            let counted = each(*lanes, |index| {
                let value = element(&from, index, lanes.size);
                Value::new(u64::from(value.number.count_ones()), value.tag)
            });
            state.set_vector(*rd, counted);
        }
        decode::Vector::Pairwise {
            operation,
            operands,
            lanes,
        } => pairwise(state, *operation, *operands, *lanes),
        decode::Vector::Sum { rd, rn, lanes } => sum(state, *rd, *rn, *lanes),
        decode::Vector::Each {
            operation,
            operands,
            lanes,
        } => {
            let (left, right) = (state.vector(operands.rn), state.vector(operands.rm));
            let result = each(*lanes, |index| {
                let (left, right) = (
                    element(&left, index, lanes.size),
                    element(&right, index, lanes.size),
                );
                both(left, right, |left, right| combine(*operation, left, right))
            });
            state.set_vector(operands.rd, result);
        }
        decode::Vector::AddLong { .. } => add_long(state, vector),
    }
}

/// The element at an index.
pub(super) fn element(vector: &Vector, index: usize, size: usize) -> Value {
    vector.number(index * size, size)
}

/// A vector of these elements; the rest is zero.
pub(super) fn each(lanes: Lanes, value: impl Fn(usize) -> Value) -> Vector {
    let mut result = Vector::default();
    for index in 0..lanes.count {
        result.set_number(index * lanes.size, lanes.size, value(index));
    }
    result
}

/// The element as a number of 64 bits.
pub(super) fn extend(value: Value, size: usize, signed: bool) -> Value {
    let bits = match size {
        1 => 8,
        2 => 16,
        4 => 32,
        _ => 64,
    };
    if signed {
        let number = sign_extend(value.number, bits).cast_unsigned();
        Value::new(number, value.tag)
    } else {
        value
    }
}

fn both(left: Value, right: Value, operation: impl Fn(u64, u64) -> u64) -> Value {
    let number = operation(left.number, right.number);
    Value::new(number, left.tag | right.tag)
}

fn combine(operation: Each, left: u64, right: u64) -> u64 {
    match operation {
        Each::Add => left.wrapping_add(right),
        Each::Subtract => left.wrapping_sub(right),
        Each::And => left & right,
        Each::AndNot => left & !right,
        Each::Or => left | right,
        Each::OrNot => left | !right,
        Each::Xor => left ^ right,
    }
}

fn constant(state: &mut State, constant: Constant) {
    let old = state.vector(constant.rd);
    let value = constant.value;
    let result = each(constant.lanes, |index| {
        let old = element(&old, index, constant.lanes.size);
        match constant.change {
            Change::Set => Value::body(value),
            Change::Add => Value::new(old.number | value, old.tag),
            Change::Remove => Value::new(old.number & !value, old.tag),
        }
    });
    state.set_vector(constant.rd, result);
}

fn pairwise(state: &mut State, operation: Pairwise, operands: Operands, lanes: Lanes) {
    let (first, second) = (state.vector(operands.rn), state.vector(operands.rm));
    let pair = |vector: &Vector, index: usize| {
        let (left, right) = (2 * index, 2 * index + 1);
        both(
            element(vector, left, lanes.size),
            element(vector, right, lanes.size),
            u64::wrapping_add,
        )
    };
    let half = lanes.count / 2;
    let result = match operation {
        Pairwise::AddLong => {
            let wide = Lanes {
                size: 2 * lanes.size,
                count: half,
            };
            each(wide, |index| pair(&first, index))
        }
        Pairwise::Add => each(lanes, |index| match index.checked_sub(half) {
            None => pair(&first, index),
            Some(index) => pair(&second, index),
        }),
    };
    state.set_vector(operands.rd, result);
}

fn sum(state: &mut State, rd: usize, rn: usize, lanes: Lanes) {
    let from = state.vector(rn);
    let elements = (0..lanes.count).map(|index| element(&from, index, lanes.size));
    let total = elements.fold(Value::default(), |left, right| {
        both(left, right, u64::wrapping_add)
    });
    let mut result = Vector::default();
    result.set_number(0, lanes.size, total);
    state.set_vector(rd, result);
}

fn add_long(state: &mut State, vector: &decode::Vector) {
    let decode::Vector::AddLong {
        operands,
        size,
        signed,
        wide,
        upper,
    } = *vector
    else {
        return;
    };
    let (left, right) = (state.vector(operands.rn), state.vector(operands.rm));
    let count = 8 / size;
    let first = if upper { count } else { 0 };
    let narrow =
        |vector: &Vector, index| extend(element(vector, first + index, size), size, signed);
    let lanes = Lanes {
        size: 2 * size,
        count,
    };
    let result = each(lanes, |index| {
        let left = if wide {
            element(&left, index, 2 * size)
        } else {
            narrow(&left, index)
        };
        both(left, narrow(&right, index), u64::wrapping_add)
    });
    state.set_vector(operands.rd, result);
}
