//! What each instruction does to registers, memory and the place to go on.

use super::flags::mask;
use super::instruction::{Instruction, Operand, Operation, Place};
use super::processor::{Processor, RSP};
use crate::address::Address;
use crate::restitch::{Builtin, Bus, Stop, THREAD, Tag, Value};

const RAX: u8 = 0;
const RCX: u8 = 1;
const RDX: u8 = 2;
const RBP: u8 = 5;
const RSI: u8 = 6;
const RDI: u8 = 7;

/// Of an address, what a value loaded from there owes to it: which uop's start it is.
fn chosen_by(address: Tag) -> Tag {
    address.only(Tag::JUMP_TARGET | Tag::ERROR_TARGET)
}

impl Processor {
    /// Carries out an instruction; gives back where the next one is.
    #[inline]
    pub(super) fn execute(
        &mut self,
        bus: &mut Bus<'_>,
        instruction: &Instruction,
    ) -> Result<u64, Stop> {
        use Operation::{
            Call, CopyString, FillString, Jump, JumpIf, Leave, Move, MoveFromVector, MoveHalf,
            MoveToVector, MoveVector, Nothing, Pop, Push, Return, UnpackLow, XorVector,
        };
        match instruction.operation {
            Nothing => {}
            Move => {
                let value = self.get(bus, instruction.from, instruction.width)?;
                self.set(bus, instruction.to, instruction.width, value)?;
            }
            Push => {
                let value = self.get(bus, instruction.from, 8)?;
                self.push(bus, value)?;
            }
            Pop => {
                let value = self.pop(bus)?;
                self.set(bus, instruction.to, 8, value)?;
            }
            Leave => {
                let frame = self.register(RBP);
                self.set_register(RSP, frame);
                let value = self.pop(bus)?;
                self.set_register(RBP, value);
            }
            Return => return Ok(self.pop(bus)?.number),
            JumpIf(condition) if !self.flags.holds(condition) => {}
            JumpIf(_) => return Ok(self.get(bus, instruction.from, 8)?.number),
            Call | Jump => return self.transfer(bus, instruction),
            CopyString | FillString => self.string(bus, instruction)?,
            MoveVector | MoveHalf(_) | MoveToVector | MoveFromVector | XorVector | UnpackLow => {
                self.vectors(bus, instruction)?;
            }
            _ => self.integer(bus, instruction)?,
        }
        Ok(instruction.next)
    }

    /// A call or a jump, maybe to a function of another library.
    fn transfer(&mut self, bus: &mut Bus<'_>, instruction: &Instruction) -> Result<u64, Stop> {
        let to = self.get(bus, instruction.from, 8)?.number;
        let is_call = instruction.operation == Operation::Call;
        if let Some(builtin) = bus.builtin(to) {
            self.carry_out(bus, builtin)?;
            return match is_call {
                true => Ok(instruction.next),
                false => Ok(self.pop(bus)?.number),
            };
        }
        if is_call {
            self.push(bus, Value::body(instruction.next))?;
        }
        Ok(to)
    }

    fn carry_out(&mut self, bus: &mut Bus<'_>, builtin: Builtin) -> Result<(), Stop> {
        let (to, from) = (self.register(RDI), self.register(RSI));
        let length = self.register(RDX).number;
        match builtin {
            Builtin::Copy => bus.copy(to.number, from.number, length)?,
            Builtin::Fill => bus.fill(to.number, from, length)?,
            Builtin::StackCheckFailed => return Err(Stop::StackCheckFailed),
        }
        self.set_register(RAX, to);
        Ok(())
    }

    /// `movs` and `stos`. The direction flag is clear, by the ABI.
    fn string(&mut self, bus: &mut Bus<'_>, instruction: &Instruction) -> Result<(), Stop> {
        let count = match instruction.repeated {
            true => self.register(RCX).number,
            false => 1,
        };
        let length = count
            .checked_mul(u64::from(instruction.width))
            .ok_or(Stop::TooLong)?;
        let (to, from) = (self.register(RDI), self.register(RSI));
        if instruction.operation == Operation::CopyString {
            bus.copy(to.number, from.number, length)?;
            let moved = from.number.wrapping_add(length);
            self.set_register(RSI, Value::new(moved, from.tag));
        } else {
            let value = self.repeated_byte(instruction)?;
            bus.fill(to.number, value, length)?;
        }
        let moved = to.number.wrapping_add(length);
        self.set_register(RDI, Value::new(moved, to.tag));
        if instruction.repeated {
            self.set_register(RCX, Value::default());
        }
        Ok(())
    }

    /// What `stos` writes, if it is the same byte over and over: compilers only clear memory with it.
    fn repeated_byte(&self, instruction: &Instruction) -> Result<Value, Stop> {
        let value = self.register(RAX);
        let pattern = (value.number & 0xff).wrapping_mul(0x0101_0101_0101_0101);
        let width = mask(instruction.width);
        match value.number & width == pattern & width {
            true => Ok(value),
            false => Err(Stop::Unsupported {
                address: Address(instruction.address),
                bytes: Vec::new(),
            }),
        }
    }

    /// The address of an operand in memory.
    #[inline]
    pub(super) fn address_of(&self, place: Place) -> Value {
        let mut address = Value::body(place.displacement);
        if let Some(base) = place.base {
            let base = self.register(base);
            address.number = address.number.wrapping_add(base.number);
            address.tag |= base.tag;
        }
        if let Some((index, shift)) = place.index {
            let index = self.register(index);
            let scaled = index.number << (shift & 3);
            address.number = address.number.wrapping_add(scaled);
            address.tag |= index.tag;
        }
        if place.of_thread {
            address.number = address.number.wrapping_add(THREAD);
        }
        address
    }

    /// The value of an operand of `width` bytes.
    #[inline]
    pub(super) fn get(
        &self,
        bus: &mut Bus<'_>,
        operand: Operand,
        width: u8,
    ) -> Result<Value, Stop> {
        let value = match operand {
            Operand::Register(number) => self.register(number),
            Operand::HighByte(number) => {
                let value = self.register(number);
                Value::new(value.number >> 8, value.tag)
            }
            Operand::Immediate(number) => Value::body(number),
            Operand::Memory(place) => {
                let address = self.address_of(place);
                let value = bus.read(address.number, usize::from(width))?;
                Value::new(value.number, value.tag | chosen_by(address.tag))
            }
            Operand::Vector(number) => self.vector(number).number(0, usize::from(width)),
            Operand::None | Operand::Relative(_) => Value::default(),
        };
        Ok(Value::new(value.number & mask(width), value.tag))
    }

    /// Gives an operand of `width` bytes its value: four bytes of a register clear the rest of it, fewer keep it.
    #[inline]
    pub(super) fn set(
        &mut self,
        bus: &mut Bus<'_>,
        operand: Operand,
        width: u8,
        value: Value,
    ) -> Result<(), Stop> {
        match operand {
            Operand::Register(number) if width >= 4 => {
                let whole = Value::new(value.number & mask(width), value.tag);
                self.set_register(number, whole);
            }
            Operand::Register(number) => self.merge(number, mask(width), value.number, value.tag),
            Operand::HighByte(number) => self.merge(number, 0xff00, value.number << 8, value.tag),
            Operand::Memory(place) => {
                bus.write(self.address_of(place).number, usize::from(width), value)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Replaces some bits of a register.
    fn merge(&mut self, number: u8, bits: u64, new: u64, tag: Tag) {
        let old = self.register(number);
        let merged = (old.number & !bits) | (new & bits);
        self.set_register(number, Value::new(merged, old.tag | tag));
    }
}
