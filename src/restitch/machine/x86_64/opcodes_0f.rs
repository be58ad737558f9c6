//! The opcodes behind the byte 0f.

use super::decode::{Decoder, ModRm};
use super::instruction::{Condition, Operand, Operation};

/// `f3`, which is a part of some opcodes.
const REPEAT: Option<u8> = Some(0xf3);

/// Completes the instruction with this opcode; `None` if it is none that is known.
pub fn decode(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    match opcode {
        0x1e if decoder.prefixes.repeat == REPEAT && decoder.cursor.peek() == Some(0xfa) => {
            decoder.cursor.byte().map(|_| ())
        }
        0x1e | 0x1f => decoder.modrm().map(|_| ()),
        0x40..=0x4f => two(decoder, Operation::MoveIf(Condition::of(opcode)?)),
        0x80..=0x8f => {
            decoder.instruction.width = 8;
            decoder.instruction.operation = Operation::JumpIf(Condition::of(opcode)?);
            decoder.instruction.from = decoder.distance(4)?;
            Some(())
        }
        0x90..=0x9f => {
            decoder.instruction.width = 1;
            decoder.instruction.operation = Operation::SetIf(Condition::of(opcode)?);
            let modrm = decoder.modrm()?;
            decoder.instruction.to = decoder.as_byte(modrm.operand);
            Some(())
        }
        0xaf => {
            two(decoder, Operation::Multiply)?;
            decoder.instruction.by = decoder.instruction.to;
            Some(())
        }
        0xb6 | 0xb7 | 0xbe | 0xbf => extend(decoder, opcode),
        0xb8 if decoder.prefixes.repeat == REPEAT => two(decoder, Operation::CountBits),
        _ => vectors(decoder, opcode),
    }
}

/// A register, and a register or memory.
fn two(decoder: &mut Decoder<'_>, operation: Operation) -> Option<()> {
    let modrm = decoder.modrm()?;
    decoder.instruction.operation = operation;
    decoder.instruction.to = Operand::Register(modrm.register);
    decoder.instruction.from = modrm.operand;
    Some(())
}

fn extend(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    let operation = match opcode {
        0xb6 | 0xb7 => Operation::ZeroExtend,
        _ => Operation::SignExtend,
    };
    two(decoder, operation)?;
    decoder.instruction.source_width = 1 + (opcode & 1);
    if opcode & 1 == 0 {
        decoder.instruction.from = decoder.as_byte(decoder.instruction.from);
    }
    Some(())
}

fn vectors(decoder: &mut Decoder<'_>, opcode: u8) -> Option<()> {
    let is_double = decoder.prefixes.operand_size;
    let operation = match (opcode, decoder.prefixes.repeat) {
        // movups, movupd, movaps, movapd; movdqa (66) and movdqu (f3), of which the one without is of MMX.
        (0x10 | 0x11 | 0x28 | 0x29, None) => Operation::MoveVector,
        (0x6f | 0x7f, None) if is_double => Operation::MoveVector,
        (0x6f | 0x7f, REPEAT) => Operation::MoveVector,
        (0x12 | 0x13, None) => Operation::MoveHalf(0),
        (0x16 | 0x17, None) => Operation::MoveHalf(8),
        (0x6e, None) if is_double => Operation::MoveToVector,
        (0x7e, None) if is_double => Operation::MoveFromVector,
        (0x7e, REPEAT) => Operation::MoveToVector,
        (0xd6, None) if is_double => Operation::MoveFromVector,
        (0x57, None) => Operation::XorVector,
        (0xef, None) if is_double => Operation::XorVector,
        (0x6c, None) if is_double => Operation::UnpackLow,
        _ => return None,
    };
    let modrm = decoder.modrm()?;
    decoder.instruction.operation = operation;
    operands(decoder, opcode, &modrm)
}

fn operands(decoder: &mut Decoder<'_>, opcode: u8, modrm: &ModRm) -> Option<()> {
    // The other operand of these two is a general register; of the others, a vector register.
    let general = matches!(opcode, 0x6e) || opcode == 0x7e && decoder.prefixes.repeat.is_none();
    let other = match modrm.operand {
        Operand::Register(number) if !general => Operand::Vector(number),
        operand => operand,
    };
    // With a register, the halves are other instructions (movhlps, movlhps).
    let is_half = matches!(decoder.instruction.operation, Operation::MoveHalf(_));
    (!is_half || matches!(other, Operand::Memory(_))).then_some(())?;
    let stores = matches!(opcode, 0x11 | 0x13 | 0x17 | 0x29 | 0x7f | 0xd6)
        || opcode == 0x7e && decoder.prefixes.repeat.is_none();
    let vector = Operand::Vector(modrm.register);
    let (to, from) = match stores {
        true => (other, vector),
        false => (vector, other),
    };
    (decoder.instruction.to, decoder.instruction.from) = (to, from);
    decoder.instruction.width = match general && !decoder.prefixes.is_wide() {
        true => 4,
        false => 8,
    };
    Some(())
}
