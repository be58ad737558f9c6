//! Data processing with an immediate.

use super::super::decode::{Field, Fill, Immediate, Width};
use super::super::flags::{self, Flags};
use super::super::state::State;
use super::shift::rotated;
use crate::restitch::Value;

/// What `adrp` counts in.
const PAGE: u64 = 4096;

pub(super) fn run(state: &mut State, pc: u64, immediate: &Immediate) {
    match *immediate {
        Immediate::Address { rd, page, offset } => {
            let base = if page { pc & !(PAGE - 1) } else { pc };
            state.set(rd, Value::body(base.wrapping_add_signed(offset)));
        }
        Immediate::Add {
            width,
            subtract,
            flags,
            rd,
            rn,
            value,
        } => {
            let left = state.get_or_stack(rn);
            let (sum, of_sum) = flags::add(left.number, value, subtract, width);
            result(
                state,
                rd,
                Value::new(sum, left.tag),
                flags.then_some(of_sum),
            );
        }
        Immediate::Logical {
            width,
            logic,
            flags,
            rd,
            rn,
            mask,
        } => {
            let left = state.get_part(rn, width);
            let value = logic.apply(left.number, mask);
            let of_value = flags.then(|| Flags::of_result(value, width));
            result(state, rd, Value::new(value, left.tag), of_value);
        }
        Immediate::Move { rd, value } => state.set(rd, Value::body(value)),
        Immediate::Keep {
            width,
            rd,
            value,
            shift,
        } => {
            let old = state.get(rd);
            let number = (old.number & !(0xffff << shift)) | value;
            state.set_part(rd, width, Value::new(number, old.tag));
        }
        Immediate::BitField {
            width,
            fill,
            rd,
            rn,
            field,
        } => bit_field(state, (rd, rn), width, fill, field),
        Immediate::Extract {
            width,
            rd,
            rn,
            rm,
            low,
        } => extract(state, rd, (rn, rm), width, low),
    }
}

/// A result goes to the stack pointer only where no flags are set.
fn result(state: &mut State, rd: usize, value: Value, flags: Option<Flags>) {
    match flags {
        Some(flags) => {
            state.flags = flags;
            state.set(rd, value);
        }
        None => state.set_or_stack(rd, value),
    }
}

fn bit_field(state: &mut State, (rd, rn): (usize, usize), width: Width, fill: Fill, field: Field) {
    let (from, old) = (state.get_part(rn, width), state.get_part(rd, width));
    let moved = rotated(from.number, field.rotate, width) & field.moved;
    let negative = from.number >> field.sign & 1 == 1;
    let (around, inside, tag) = match fill {
        Fill::Zero => (0, 0, from.tag),
        Fill::Sign => (if negative { u64::MAX } else { 0 }, 0, from.tag),
        Fill::Old => (old.number, old.number & !field.moved, from.tag | old.tag),
    };
    let value = (around & !field.top) | ((inside | moved) & field.top);
    state.set_part(rd, width, Value::new(value, tag));
}

fn extract(state: &mut State, rd: usize, (rn, rm): (usize, usize), width: Width, low: u32) {
    let (upper, lower) = (state.get_part(rn, width), state.get_part(rm, width));
    let number = match low {
        0 => lower.number,
        _ => lower.number >> low | upper.number << (width.bits() - low),
    };
    state.set_part(rd, width, Value::new(number, upper.tag | lower.tag));
}
