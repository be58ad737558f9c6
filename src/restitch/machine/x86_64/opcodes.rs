//! The opcodes of one byte.

use super::decode::Decoder;
use super::instruction::{Arithmetic, Condition, Operand, Operation, Shift};

/// Completes the instruction with this opcode; `None` if it is none that is known.
pub fn decode(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    match opcode {
        0x00..=0x3d if opcode & 7 < 6 => two_operands(decoder, opcode),
        0x50..=0x5f | 0x68 | 0x6a | 0xc9 => stack(decoder, opcode),
        0x63 | 0x69 | 0x6b | 0x8d | 0x98 => wide(decoder, opcode),
        0x70..=0x7f | 0xc3 | 0xe8 | 0xe9 | 0xeb => branch(decoder, opcode),
        0x80 | 0x81 | 0x83 => with_number(decoder, opcode),
        0x84 | 0x85 | 0xa8 | 0xa9 => test(decoder, opcode),
        0x88..=0x8b | 0xb0..=0xbf | 0xc6 | 0xc7 => moves(decoder, opcode),
        // Without REX.B, which makes it an exchange with r8, and with `f3`, `pause`: also nothing.
        0x90 if decoder.register_in(opcode) == Operand::Register(0) => Some(()),
        0xa4 | 0xa5 | 0xaa | 0xab => strings(decoder, opcode),
        0xc0 | 0xc1 | 0xd0..=0xd3 => shift(decoder, opcode),
        0xf6 | 0xf7 => unary(decoder, opcode),
        0xfe | 0xff => last(decoder, opcode),
        _ => None,
    }
}

/// Opcodes whose lowest bit is clear work on bytes.
fn set_width(decoder: &mut Decoder<'_>, opcode: u8) -> bool {
    let is_byte = opcode & 1 == 0;
    if is_byte {
        decoder.instruction.width = 1;
    }
    is_byte
}

/// Reads operand and register; of the size that the lowest bit of the opcode tells.
fn pair(decoder: &mut Decoder<'_>, opcode: u8) -> Option<(Operand, Operand)> {
    let is_byte = set_width(decoder, opcode);
    let modrm = decoder.modrm()?;
    Some(match is_byte {
        true => (
            decoder.as_byte(modrm.operand),
            decoder.byte_register(modrm.register),
        ),
        false => (modrm.operand, Operand::Register(modrm.register)),
    })
}

/// Reads an operand and the part of the opcode behind it.
fn digit(decoder: &mut Decoder<'_>, opcode: u8) -> Option<(u8, Operand)> {
    let is_byte = set_width(decoder, opcode);
    let modrm = decoder.modrm()?;
    let operand = match is_byte {
        true => decoder.as_byte(modrm.operand),
        false => modrm.operand,
    };
    Some((modrm.register & 7, operand))
}

fn arithmetic(number: u8) -> Option<Operation> {
    Some(Operation::Arithmetic(match number & 7 {
        0 => Arithmetic::Add,
        1 => Arithmetic::Or,
        4 => Arithmetic::And,
        5 => Arithmetic::Subtract,
        6 => Arithmetic::Xor,
        7 => Arithmetic::Compare,
        // adc and sbb
        _ => return None,
    }))
}

fn two_operands(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    decoder.instruction.operation = arithmetic(opcode >> 3)?;
    if opcode & 7 >= 4 {
        set_width(decoder, opcode);
        decoder.instruction.to = Operand::Register(0);
        decoder.instruction.from = decoder.immediate()?;
        return Some(());
    }
    let (operand, register) = pair(decoder, opcode)?;
    let (to, from) = match opcode & 2 {
        0 => (operand, register),
        _ => (register, operand),
    };
    (decoder.instruction.to, decoder.instruction.from) = (to, from);
    Some(())
}

fn stack(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    decoder.instruction.width = 8;
    match opcode {
        0x50..=0x57 => {
            decoder.instruction.operation = Operation::Push;
            decoder.instruction.from = decoder.register_in(opcode);
        }
        0x58..=0x5f => {
            decoder.instruction.operation = Operation::Pop;
            decoder.instruction.to = decoder.register_in(opcode);
        }
        0x68 | 0x6a => {
            decoder.instruction.operation = Operation::Push;
            let size = if opcode == 0x6a { 1 } else { 4 };
            decoder.instruction.from = decoder.number(size)?;
        }
        _ => decoder.instruction.operation = Operation::Leave,
    }
    Some(())
}

/// What has no form for bytes.
fn wide(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    if opcode == 0x98 {
        decoder.instruction.operation = Operation::ExtendAccumulator;
        return Some(());
    }
    let modrm = decoder.modrm()?;
    decoder.instruction.to = Operand::Register(modrm.register);
    decoder.instruction.from = modrm.operand;
    match opcode {
        0x63 => {
            decoder.instruction.operation = Operation::SignExtend;
            decoder.instruction.source_width = 4;
        }
        0x8d => {
            decoder.instruction.operation = Operation::Address;
            matches!(modrm.operand, Operand::Memory(_)).then_some(())?;
        }
        _ => {
            decoder.instruction.operation = Operation::Multiply;
            decoder.instruction.by = match opcode {
                0x6b => decoder.number(1)?,
                _ => decoder.immediate()?,
            };
        }
    }
    Some(())
}

fn branch(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    decoder.instruction.width = 8;
    let (operation, size) = match opcode {
        0xc3 => (Operation::Return, 0),
        0xe8 => (Operation::Call, 4),
        0xe9 => (Operation::Jump, 4),
        0xeb => (Operation::Jump, 1),
        _ => (Operation::JumpIf(Condition::of(opcode)?), 1),
    };
    decoder.instruction.operation = operation;
    if size != 0 {
        decoder.instruction.from = decoder.distance(size)?;
    }
    Some(())
}

fn with_number(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    let (number, operand) = digit(decoder, opcode)?;
    decoder.instruction.operation = arithmetic(number)?;
    decoder.instruction.to = operand;
    decoder.instruction.from = match opcode {
        0x81 => decoder.immediate()?,
        _ => decoder.number(1)?,
    };
    Some(())
}

fn test(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    decoder.instruction.operation = Operation::Arithmetic(Arithmetic::Test);
    let (to, from) = match opcode {
        0xa8 | 0xa9 => {
            set_width(decoder, opcode);
            (Operand::Register(0), decoder.immediate()?)
        }
        _ => pair(decoder, opcode)?,
    };
    (decoder.instruction.to, decoder.instruction.from) = (to, from);
    Some(())
}

fn moves(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    decoder.instruction.operation = Operation::Move;
    let (to, from) = match opcode {
        0x88 | 0x89 => pair(decoder, opcode)?,
        0x8a | 0x8b => {
            let (operand, register) = pair(decoder, opcode)?;
            (register, operand)
        }
        0xb0..=0xb7 => {
            decoder.instruction.width = 1;
            let to = decoder.as_byte(decoder.register_in(opcode));
            (to, decoder.number(1)?)
        }
        0xb8..=0xbf => {
            // The only numbers of eight bytes (`movabs`).
            let from = decoder.number(decoder.instruction.width)?;
            (decoder.register_in(opcode), from)
        }
        _ => {
            let (number, operand) = digit(decoder, opcode)?;
            (number == 0).then_some(())?;
            (operand, decoder.immediate()?)
        }
    };
    (decoder.instruction.to, decoder.instruction.from) = (to, from);
    Some(())
}

fn strings(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    set_width(decoder, opcode);
    decoder.instruction.operation = match opcode {
        0xa4 | 0xa5 => Operation::CopyString,
        _ => Operation::FillString,
    };
    Some(())
}

fn shift(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    let (number, operand) = digit(decoder, opcode)?;
    decoder.instruction.operation = Operation::Shift(match number {
        4 => Shift::Left,
        5 => Shift::Right,
        7 => Shift::Arithmetic,
        _ => return None,
    });
    decoder.instruction.to = operand;
    decoder.instruction.from = match opcode {
        0xc0 | 0xc1 => decoder.number(1)?,
        0xd0 | 0xd1 => Operand::Immediate(1),
        // cl
        _ => Operand::Register(1),
    };
    Some(())
}

fn unary(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    let (number, operand) = digit(decoder, opcode)?;
    decoder.instruction.to = operand;
    decoder.instruction.operation = match number {
        0 | 1 => {
            decoder.instruction.from = decoder.immediate()?;
            Operation::Arithmetic(Arithmetic::Test)
        }
        2 => Operation::Not,
        3 => Operation::Negate,
        _ => return None,
    };
    Some(())
}

fn last(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    let (number, operand) = digit(decoder, opcode)?;
    let operation = match number {
        0 => Operation::Increment,
        1 => Operation::Decrement,
        2 | 4 | 6 if opcode == 0xff => {
            decoder.instruction.width = 8;
            decoder.instruction.from = operand;
            match number {
                2 => Operation::Call,
                4 => Operation::Jump,
                _ => Operation::Push,
            }
        }
        _ => return None,
    };
    decoder.instruction.operation = operation;
    decoder.instruction.to = operand;
    Some(())
}
