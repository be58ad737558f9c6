//! Moves of elements.

use super::super::decode::{Element, Lanes, Move, Operands};
use super::super::state::State;
use super::vector::{each, element};
use crate::restitch::{Value, Vector};

pub(super) fn run(state: &mut State, moved: &Move) {
    match *moved {
        Move::In {
            rd,
            rn,
            element,
            keep,
        } => {
            let old = if keep {
                state.vector(rd)
            } else {
                Vector::default()
            };
            let value = state.get(rn);
            state.set_vector(rd, with(old, element, value));
        }
        Move::Out { rd, rn, element } => {
            let value = of(&state.vector(rn), element);
            state.set(rd, value);
        }
        Move::Alone { rd, rn, element } => {
            let value = of(&state.vector(rn), element);
            let first = Element {
                index: 0,
                ..element
            };
            state.set_vector(rd, with(Vector::default(), first, value));
        }
        Move::Spread { rd, rn, lanes } => {
            let value = state.get(rn);
            state.set_vector(rd, each(lanes, |_| value));
        }
        Move::SpreadElement {
            rd,
            rn,
            element,
            lanes,
        } => {
            let value = of(&state.vector(rn), element);
            state.set_vector(rd, each(lanes, |_| value));
        }
        Move::Insert { rd, rn, to, from } => {
            let value = of(&state.vector(rn), from);
            let old = state.vector(rd);
            state.set_vector(rd, with(old, to, value));
        }
        Move::Permute {
            operands,
            lanes,
            zip,
            second,
        } => permute(state, operands, lanes, (zip, second)),
    }
}

fn of(vector: &Vector, element: Element) -> Value {
    vector.number(element.start(), element.size)
}

fn with(mut vector: Vector, element: Element, value: Value) -> Vector {
    vector.set_number(element.start(), element.size, value);
    vector
}

fn permute(state: &mut State, operands: Operands, lanes: Lanes, (zip, second): (bool, bool)) {
    let sources = (state.vector(operands.rn), state.vector(operands.rm));
    let half = lanes.count / 2;
    let result = each(lanes, |index| {
        let (from_second, place) = if zip {
            (index % 2 == 1, index / 2 + if second { half } else { 0 })
        } else {
            // The elements of both in a row: every other one.
            let place = 2 * index + usize::from(second);
            (place >= lanes.count, place % lanes.count)
        };
        let source = if from_second { &sources.1 } else { &sources.0 };
        element(source, place, lanes.size)
    });
    state.set_vector(operands.rd, result);
}
