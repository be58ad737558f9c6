//! Sums and masks of values that are known in part.

use super::execute::Execution;
use super::value::{Number, NumberId, Tag, Value};

impl Execution<'_> {
    /// A number made from a number; of anything else nothing is known.
    pub(super) fn number(&mut self, value: Value, make: impl FnOnce(NumberId) -> Number) -> Value {
        match value {
            Value::Number(number) => Value::Number(self.terms.number(make(number))),
            _ => Value::Unknown,
        }
    }

    /// A number in the code: that of the hole, or the same in all instances.
    pub(super) fn immediate(&mut self, value: u64) -> NumberId {
        match self.instruction.immediate() == Some(value) {
            true => self.terms.number(Number::Hole(self.index)),
            false => self.terms.constant(value),
        }
    }

    /// The low bits of a value; of an address nothing is left.
    pub(super) fn low(&mut self, value: Value, mask: u64) -> Value {
        match value {
            Value::Number(number) => Value::Number(self.terms.number(Number::And(number, mask))),
            _ => Value::Unknown,
        }
    }

    pub(super) fn add(&mut self, left: Value, right: Value) -> Value {
        match (left, right) {
            (Value::Number(left), Value::Number(right)) => {
                Value::Number(self.terms.number(Number::Add(left, right)))
            }
            (Value::Pointer(thing, offset, tag), Value::Number(number))
            | (Value::Number(number), Value::Pointer(thing, offset, tag)) => {
                let offset = self.terms.number(Number::Add(offset, number));
                Value::Pointer(thing, offset, tag)
            }
            _ => Value::Unknown,
        }
    }

    /// `Py_TAG_BITS` and `Py_TAG_REFCNT` are masked out of references (`pycore_stackref.h`).
    pub(super) fn and(&mut self, left: Value, right: Value) -> Value {
        let (value, mask) = match (left, right) {
            (value, Value::Number(mask)) | (Value::Number(mask), value) => (value, mask),
            _ => return Value::Unknown,
        };
        let Some(mask) = self.terms.fixed(mask) else {
            return Value::Unknown;
        };
        match value {
            Value::Pointer(thing, offset, _)
                if matches!(!mask, 1 | 3) && self.terms.fixed(offset) == Some(0) =>
            {
                Value::Pointer(thing, offset, Tag::None)
            }
            Value::Number(_) => self.low(value, mask),
            _ => Value::Unknown,
        }
    }

    pub(super) fn or(&mut self, left: Value, right: Value) -> Value {
        match (left, right) {
            (Value::Pointer(thing, offset, _), Value::Number(bits))
                if self.terms.fixed(bits) == Some(1) && self.terms.fixed(offset) == Some(0) =>
            {
                Value::Pointer(thing, offset, Tag::Set)
            }
            _ => Value::Unknown,
        }
    }
}
