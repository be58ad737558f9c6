//! Instructions on general registers that compute.

use super::flags::{mask, signed};
use super::instruction::{Arithmetic, Instruction, Operand, Operation};
use super::processor::Processor;
use crate::restitch::{Bus, Stop, Tag, Value};

impl Processor {
    /// Carries out an instruction that computes a number.
    pub(super) fn integer(
        &mut self,
        bus: &mut Bus<'_>,
        instruction: &Instruction,
    ) -> Result<(), Stop> {
        let width = instruction.width;
        let value = match instruction.operation {
            Operation::Arithmetic(what) => return self.arithmetic(bus, instruction, what),
            Operation::ZeroExtend => self.get(bus, instruction.from, instruction.source_width)?,
            Operation::SignExtend => {
                let value = self.get(bus, instruction.from, instruction.source_width)?;
                extended(value, instruction.source_width)
            }
            Operation::ExtendAccumulator => {
                let value = extended(self.register(0), width / 2);
                return self.set(bus, Operand::Register(0), width, value);
            }
            Operation::Address => match instruction.from {
                Operand::Memory(place) => self.address_of(place),
                _ => Value::default(),
            },
            Operation::Multiply => {
                let left = self.get(bus, instruction.from, width)?;
                let right = self.get(bus, instruction.by, width)?;
                let product = left.number.wrapping_mul(right.number);
                Value::new(product, left.tag | right.tag)
            }
            Operation::CountBits => {
                let value = self.get(bus, instruction.from, width)?;
                Value::new(u64::from(value.number.count_ones()), value.tag)
            }
            Operation::MoveIf(condition) => {
                // The source is read, and four bytes clear the rest of the register, even if it is not moved.
                let moved = self.get(bus, instruction.from, width)?;
                match self.flags.holds(condition) {
                    true => moved,
                    false => self.get(bus, instruction.to, width)?,
                }
            }
            Operation::SetIf(condition) => Value::body(u64::from(self.flags.holds(condition))),
            _ => self.one_operand(bus, instruction)?,
        };
        self.set(bus, instruction.to, width, value)
    }

    fn arithmetic(
        &mut self,
        bus: &mut Bus<'_>,
        instruction: &Instruction,
        what: Arithmetic,
    ) -> Result<(), Stop> {
        let width = instruction.width;
        let left = self.get(bus, instruction.to, width)?;
        let right = self.get(bus, instruction.from, width)?;
        let result = self
            .flags
            .arithmetic(what, left.number, right.number, width);
        if matches!(what, Arithmetic::Compare | Arithmetic::Test) {
            return Ok(());
        }
        // What is combined with itself in these ways owes nothing to what it was.
        let cancels = matches!(what, Arithmetic::Xor | Arithmetic::Subtract);
        let tag = match cancels && instruction.to == instruction.from {
            true => Tag::BODY,
            false => left.tag | right.tag,
        };
        self.set(bus, instruction.to, width, Value::new(result, tag))
    }

    /// What reads and writes the same operand.
    fn one_operand(&mut self, bus: &mut Bus<'_>, instruction: &Instruction) -> Result<Value, Stop> {
        let width = instruction.width;
        let value = self.get(bus, instruction.to, width)?;
        let (number, mut tag) = (value.number, value.tag);
        let result = match instruction.operation {
            Operation::Increment => self.flags.step(number, false, width),
            Operation::Decrement => self.flags.step(number, true, width),
            Operation::Negate => self.flags.negate(number, width),
            Operation::Not => !number & mask(width),
            Operation::Shift(what) => {
                let by = self.get(bus, instruction.from, 1)?;
                tag |= by.tag;
                self.flags.shift(what, number, by.number, width)
            }
            _ => number,
        };
        Ok(Value::new(result, tag))
    }
}

fn extended(value: Value, width: u8) -> Value {
    Value::new(signed(value.number, width).cast_unsigned(), value.tag)
}
