//! Instructions on vector registers: compilers copy stencils and clear memory with them.

use super::instruction::{Instruction, Operand, Operation};
use super::processor::Processor;
use crate::restitch::{Bus, Stop, Tag, Value, Vector};

impl Processor {
    /// Carries out an instruction on vector registers.
    pub(super) fn vectors(
        &mut self,
        bus: &mut Bus<'_>,
        instruction: &Instruction,
    ) -> Result<(), Stop> {
        let width = instruction.width;
        match instruction.operation {
            Operation::MoveVector => {
                let vector = self.get_vector(bus, instruction.from)?;
                self.put_vector(bus, instruction.to, &vector)
            }
            Operation::MoveHalf(start) => self.move_half(bus, instruction, usize::from(start)),
            Operation::MoveToVector => {
                let value = self.get(bus, instruction.from, width)?;
                let mut vector = Vector::default();
                vector.set_number(0, usize::from(width), value);
                self.put_vector(bus, instruction.to, &vector)
            }
            Operation::MoveFromVector => {
                let value = self.get(bus, instruction.from, width)?;
                self.put_number(bus, instruction, value)
            }
            Operation::XorVector => self.xor_vector(bus, instruction),
            _ => {
                let low = self.get_vector(bus, instruction.from)?.number(0, 8);
                let mut vector = self.get_vector(bus, instruction.to)?;
                vector.set_number(8, 8, low);
                self.put_vector(bus, instruction.to, &vector)
            }
        }
    }

    /// To a vector register `movq` clears the upper half; to memory and general registers it is a plain move.
    fn put_number(
        &mut self,
        bus: &mut Bus<'_>,
        instruction: &Instruction,
        value: Value,
    ) -> Result<(), Stop> {
        match instruction.to {
            Operand::Vector(number) => {
                let mut vector = Vector::default();
                vector.set_number(0, 8, value);
                self.set_vector(number, vector);
                Ok(())
            }
            to => self.set(bus, to, instruction.width, value),
        }
    }

    /// Eight bytes between memory and a part of a vector register.
    fn move_half(
        &mut self,
        bus: &mut Bus<'_>,
        instruction: &Instruction,
        start: usize,
    ) -> Result<(), Stop> {
        if let Operand::Vector(number) = instruction.to {
            let value = self.get(bus, instruction.from, 8)?;
            let mut vector = self.vector(number);
            vector.set_number(start, 8, value);
            self.set_vector(number, vector);
            return Ok(());
        }
        let (Operand::Memory(place), Operand::Vector(number)) = (instruction.to, instruction.from)
        else {
            return Ok(());
        };
        let vector = self.vector(number);
        let half = start..start.saturating_add(8);
        let bytes = vector.bytes.get(half.clone()).unwrap_or_default();
        let tags = vector.tags.get(half).unwrap_or_default();
        bus.write_bytes(self.address_of(place).number, bytes, tags)
    }

    fn xor_vector(&mut self, bus: &mut Bus<'_>, instruction: &Instruction) -> Result<(), Stop> {
        if instruction.to == instruction.from {
            return self.put_vector(bus, instruction.to, &Vector::default());
        }
        let mut vector = self.get_vector(bus, instruction.to)?;
        let other = self.get_vector(bus, instruction.from)?;
        for (byte, by) in vector.bytes.iter_mut().zip(other.bytes) {
            *byte ^= by;
        }
        for (tag, by) in vector.tags.iter_mut().zip(other.tags) {
            *tag |= by;
        }
        self.put_vector(bus, instruction.to, &vector)
    }

    fn get_vector(&self, bus: &mut Bus<'_>, operand: Operand) -> Result<Vector, Stop> {
        match operand {
            Operand::Vector(number) => Ok(self.vector(number)),
            Operand::Memory(place) => {
                let mut vector = Vector::default();
                let address = self.address_of(place).number;
                bus.read_bytes(address, &mut vector.bytes, &mut vector.tags)?;
                Ok(vector)
            }
            _ => Ok(Vector {
                tags: [Tag::BODY; 16],
                ..Vector::default()
            }),
        }
    }

    fn put_vector(
        &mut self,
        bus: &mut Bus<'_>,
        operand: Operand,
        vector: &Vector,
    ) -> Result<(), Stop> {
        match operand {
            Operand::Vector(number) => {
                self.set_vector(number, *vector);
                Ok(())
            }
            Operand::Memory(place) => {
                let address = self.address_of(place).number;
                bus.write_bytes(address, &vector.bytes, &vector.tags)
            }
            _ => Ok(()),
        }
    }
}
