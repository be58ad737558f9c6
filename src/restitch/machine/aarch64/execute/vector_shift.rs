//! Elements that are shifted, made narrower or made wider.

use super::super::decode::{Kind, Lanes, Shifted};
use super::super::state::State;
use super::vector::{each, element, extend};
use crate::restitch::{Value, Vector};

pub(super) fn run(state: &mut State, shifted: &Shifted) {
    let from = state.vector(shifted.rn);
    let amount = shifted.amount;
    let result = match shifted.kind {
        Kind::Left(lanes) => each(lanes, |index| {
            left(element(&from, index, lanes.size), amount)
        }),
        Kind::Right(lanes) => each(lanes, |index| {
            right(element(&from, index, lanes.size), amount)
        }),
        Kind::Narrow { size, upper } => {
            let old = state.vector(shifted.rd);
            narrow(&from, upper.then_some(old), size, amount)
        }
        Kind::Lengthen {
            size,
            signed,
            upper,
        } => {
            let count = 8 / size;
            let first = if upper { count } else { 0 };
            let wide = Lanes {
                size: 2 * size,
                count,
            };
            each(wide, |index| {
                let narrow = element(&from, first + index, size);
                left(extend(narrow, size, signed), amount)
            })
        }
    };
    state.set_vector(shifted.rd, result);
}

fn left(value: Value, amount: u32) -> Value {
    Value::new(value.number.unbounded_shl(amount), value.tag)
}

fn right(value: Value, amount: u32) -> Value {
    Value::new(value.number.unbounded_shr(amount), value.tag)
}

/// Into the upper half of `old`, or alone into the lower half.
fn narrow(from: &Vector, old: Option<Vector>, size: usize, amount: u32) -> Vector {
    let count = 8 / size;
    let first = if old.is_some() { count } else { 0 };
    let mut result = old.unwrap_or_default();
    for index in 0..count {
        let value = right(element(from, index, 2 * size), amount);
        result.set_number((first + index) * size, size, value);
    }
    result
}
