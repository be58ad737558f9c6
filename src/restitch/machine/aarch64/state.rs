//! The registers.

use super::decode::Width;
use super::flags::Flags;
use crate::restitch::{Value, Vector};

/// The number that means zero in most places, and the stack pointer in others.
const ZERO_OR_STACK: usize = 31;

/// What a thread computes with.
#[derive(Clone, Default)]
pub(super) struct State {
    /// The last one is the stack pointer.
    general: [Value; 32],
    vectors: [Vector; 32],
    pub flags: Flags,
}

impl State {
    /// A general register; the last one reads as zero.
    pub fn get(&self, number: usize) -> Value {
        if number == ZERO_OR_STACK {
            return Value::default();
        }
        self.get_or_stack(number)
    }

    /// The part of a general register that an instruction of this width uses.
    pub fn get_part(&self, number: usize, width: Width) -> Value {
        cut(self.get(number), width)
    }

    /// A general register; the last one is the stack pointer.
    pub fn get_or_stack(&self, number: usize) -> Value {
        self.general.get(number).copied().unwrap_or_default()
    }

    /// Sets a general register; what is written to the last one is lost.
    pub fn set(&mut self, number: usize, value: Value) {
        if number != ZERO_OR_STACK {
            self.set_or_stack(number, value);
        }
    }

    /// Sets a general register by an instruction of this width.
    pub fn set_part(&mut self, number: usize, width: Width, value: Value) {
        self.set(number, cut(value, width));
    }

    /// Sets a general register; the last one is the stack pointer.
    pub fn set_or_stack(&mut self, number: usize, value: Value) {
        if let Some(register) = self.general.get_mut(number) {
            *register = value;
        }
    }

    /// A vector register.
    pub fn vector(&self, number: usize) -> Vector {
        self.vectors.get(number).copied().unwrap_or_default()
    }

    /// Sets a vector register.
    pub fn set_vector(&mut self, number: usize, value: Vector) {
        if let Some(register) = self.vectors.get_mut(number) {
            *register = value;
        }
    }
}

fn cut(value: Value, width: Width) -> Value {
    Value::new(width.cut(value.number), value.tag)
}
