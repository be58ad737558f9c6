//! What AArch64 instructions do.

use super::super::operation::{Base, Expression, Memory, Operand, Step};
use super::single;
use crate::platform::{Register, RegisterSet};
use capstone::InsnDetail;
use capstone::RegId;
use capstone::arch::arm64::{
    Arm64Extender, Arm64InsnDetail, Arm64OpMem, Arm64Operand, Arm64OperandType, Arm64Reg,
    Arm64Shift,
};
use capstone::arch::{ArchDetail, DetailsArchInsn};

/// Calls `push` with each step. `None` if the details cannot be had.
pub(in crate::disasm) fn lift(
    mnemonic: &str,
    detail: &InsnDetail<'_>,
    push: &mut dyn FnMut(Step),
) -> Option<()> {
    let ArchDetail::Arm64Detail(arm) = detail.arch_detail() else {
        return None;
    };
    let operands: Vec<Arm64Operand> = arm.operands().collect();
    if known(mnemonic, &arm, &operands, push).is_none() {
        unknown(mnemonic, &operands, push);
    }
    Some(())
}

/// The instructions that are followed.
fn known(
    name: &str,
    detail: &Arm64InsnDetail<'_>,
    operands: &[Arm64Operand],
    push: &mut dyn FnMut(Step),
) -> Option<()> {
    match (name, operands) {
        ("mov" | "movz", [to, from]) => set(to, Expression::Value(read(from)?), push),
        ("mvn", [to, from]) => set(to, Expression::Not(read(from)?), push),
        ("sxtw", [to, from]) => set(to, Expression::SignExtended(read(from)?), push),
        ("movk", [to, from]) => {
            let shift = left_shift(from)?;
            let Arm64OperandType::Imm(value) = from.op_type else {
                return None;
            };
            let old = read(to)?;
            set(
                to,
                Expression::Insert(old, value.cast_unsigned(), shift),
                push,
            )
        }
        ("adr", [to, _]) => set(to, Expression::Value(Operand::PcRelative), push),
        ("adrp", [to, _]) => set(to, Expression::Value(Operand::Page), push),
        ("add" | "sub" | "and" | "orr" | "adds" | "subs" | "ands", [to, left, right]) => {
            let (left, right) = (read(left)?, read(right)?);
            let value = match name {
                "add" | "adds" => Expression::Add(left, right),
                "orr" => Expression::Or(left, right),
                "and" | "ands" => Expression::And(left, right),
                _ => Expression::Subtract(left, right),
            };
            set(to, value, push)?;
            if name.ends_with('s') {
                push(Step::LoseFlags);
            }
            Some(())
        }
        ("lsl", [to, from, by]) => {
            let Arm64OperandType::Imm(by) = by.op_type else {
                return None;
            };
            let shift = u8::try_from(by).ok()?;
            set(to, Expression::ShiftLeft(read(from)?, shift), push)
        }
        ("cmp", [left, right]) => single(push, Step::Compare(read(left)?, read(right)?)),
        ("bl", _) => single(push, Step::Call(Operand::Unknown)),
        ("blr", [target]) => single(push, Step::Call(read(target)?)),
        ("br", [target]) => single(push, Step::Jump(read(target)?)),
        ("b" | "ret" | "nop" | "brk" | "cbz" | "cbnz" | "tbz" | "tbnz", _) => Some(()),
        _ if name.starts_with("b.") => Some(()),
        _ => transfer(name, detail, operands, push),
    }
}

/// Loads and stores.
fn transfer(
    name: &str,
    detail: &Arm64InsnDetail<'_>,
    operands: &[Arm64Operand],
    push: &mut dyn FnMut(Step),
) -> Option<()> {
    let (is_load, unit) = unit(name)?;
    let place = operands
        .iter()
        .position(|operand| matches!(operand.op_type, Arm64OperandType::Mem(_)));
    let Some(place) = place else {
        // `ldr x0, label`: a literal.
        let [to, _] = operands else { return None };
        let memory = Memory {
            base: Base::Pc,
            index: None,
            displacement: 0,
            size: unit.unwrap_or(width(to)?),
        };
        return load(name, to, memory, push);
    };
    let (registers, behind) = operands.split_at(place);
    let (memory, behind) = behind.split_first()?;
    let post = behind.first().and_then(|operand| match operand.op_type {
        Arm64OperandType::Imm(value) => Some(value),
        _ => None,
    });
    let size = unit.unwrap_or(width(registers.first()?)?);
    let mut at = memory_operand(memory, size)?;
    let writeback = detail.writeback() || post.is_some();
    if writeback && post.is_none() {
        move_base(at, at.displacement, push)?;
        at.displacement = 0;
    }
    // A register that is loaded may be the base: a pair that begins with it is not followed.
    let loads_base = |operand: &&Arm64Operand| {
        register_of(operand).is_some_and(|(register, _)| Base::Register(register) == at.base)
    };
    if is_load && registers.first().as_ref().is_some_and(loads_base) && registers.len() > 1 {
        return None;
    }
    for register in registers {
        match is_load {
            true => load(name, register, at, push)?,
            false => push(Step::Store {
                to: at,
                value: read(register).unwrap_or(Operand::Unknown),
            }),
        }
        at.displacement = at.displacement.checked_add(i64::from(size))?;
    }
    if let Some(post) = post {
        move_base(memory_operand(memory, size)?, post, push)?;
    }
    Some(())
}

/// Whether an instruction loads, and the bytes that it moves if its name says so; else its register does.
fn unit(name: &str) -> Option<(bool, Option<u8>)> {
    let size = match name {
        "ldrb" | "ldurb" | "strb" | "sturb" | "ldrsb" | "ldursb" => Some(1),
        "ldrh" | "ldurh" | "strh" | "sturh" | "ldrsh" | "ldursh" => Some(2),
        "ldrsw" | "ldursw" => Some(4),
        "ldr" | "ldur" | "ldp" | "str" | "stur" | "stp" => None,
        _ => return None,
    };
    Some((name.starts_with("ld"), size))
}

fn load(name: &str, to: &Arm64Operand, from: Memory, push: &mut dyn FnMut(Step)) -> Option<()> {
    let memory = Operand::Memory(from);
    if register_of(to).is_none() {
        // A vector register is not followed.
        push(Step::Use(memory));
        return Some(());
    }
    let is_signed = name.starts_with("ldrs") || name.starts_with("ldurs");
    set(
        to,
        match is_signed {
            true => Expression::SignExtended(memory),
            false => Expression::Value(memory),
        },
        push,
    )
}

fn move_base(memory: Memory, bytes: i64, push: &mut dyn FnMut(Step)) -> Option<()> {
    let Base::Register(base) = memory.base else {
        return None;
    };
    push(Step::Set {
        to: base,
        bits: 64,
        value: Expression::AddressOf(Memory {
            base: memory.base,
            index: None,
            displacement: bytes,
            size: memory.size,
        }),
    });
    Some(())
}

/// Sets a register; writing to the zero register does nothing.
fn set(to: &Arm64Operand, value: Expression, push: &mut dyn FnMut(Step)) -> Option<()> {
    let Arm64OperandType::Reg(id) = to.op_type else {
        return None;
    };
    if is_zero(id) {
        if let Expression::Value(operand) | Expression::SignExtended(operand) = value {
            push(Step::Use(operand));
        }
        return Some(());
    }
    let (to, bits) = register(id)?;
    push(Step::Set { to, bits, value });
    Some(())
}

/// What writes its first operand and nothing else but flags.
const COMPUTES: [&str; 48] = [
    "add", "adds", "and", "ands", "asr", "bfi", "bfxil", "bic", "bics", "cinc", "cinv", "clz",
    "cneg", "csel", "cset", "csetm", "csinc", "csinv", "csneg", "eon", "eor", "extr", "lsl", "lsr",
    "madd", "mov", "movn", "movz", "msub", "mul", "mvn", "neg", "orn", "orr", "rbit", "rev", "ror",
    "sbfiz", "sbfx", "sdiv", "smull", "sub", "subs", "sxtw", "ubfiz", "ubfx", "udiv", "umull",
];

/// Whatever an instruction may write is forgotten: of most, all registers that they name. Selections leave the flags
/// alone.
fn unknown(name: &str, operands: &[Arm64Operand], push: &mut dyn FnMut(Step)) {
    let mut written = RegisterSet::default();
    let most = if COMPUTES.contains(&name) {
        1
    } else {
        usize::MAX
    };
    for operand in operands.iter().take(most) {
        if let Some((register, _)) = register_of(operand) {
            written.insert(register);
        }
        if let Some(at) = memory_operand(operand, 0) {
            // Atomic and exclusive accesses, and all others that have no line of their own above.
            push(Step::Change { at, reads: true });
            if let Base::Register(base) = at.base {
                written.insert(base);
            }
        }
    }
    push(Step::Forget(written));
    if !name.starts_with("cs") && !name.starts_with("cin") {
        push(Step::LoseFlags);
    }
}

/// What an operand reads; `None` if it is something that is not followed.
fn read(operand: &Arm64Operand) -> Option<Operand> {
    let shift = left_shift(operand)?;
    match operand.op_type {
        Arm64OperandType::Reg(id) if is_zero(id) => Some(Operand::Immediate(0)),
        Arm64OperandType::Reg(id)
            if shift == 0 && operand.ext == Arm64Extender::ARM64_EXT_INVALID =>
        {
            let (register, bits) = register(id)?;
            Some(Operand::Register { register, bits })
        }
        Arm64OperandType::Imm(value) => Some(Operand::Immediate(
            value.cast_unsigned().checked_shl(shift.into())?,
        )),
        _ => None,
    }
}

fn left_shift(operand: &Arm64Operand) -> Option<u8> {
    match operand.shift {
        Arm64Shift::Invalid => Some(0),
        Arm64Shift::Lsl(bits) => u8::try_from(bits).ok().filter(|bits| *bits < 64),
        _ => None,
    }
}

fn memory_operand(operand: &Arm64Operand, size: u8) -> Option<Memory> {
    let Arm64OperandType::Mem(memory) = operand.op_type else {
        return None;
    };
    let base = match register(memory.base()) {
        Some((register, 64)) => Base::Register(register),
        _ => Base::Unknown,
    };
    let plain = Memory {
        base,
        index: None,
        displacement: memory.disp().into(),
        size,
    };
    Some(match index(operand, &memory) {
        Index::None => plain,
        Index::Scaled(register, scale) => Memory {
            index: Some((register, scale)),
            ..plain
        },
        Index::Unknown => Memory {
            base: Base::Unknown,
            ..plain
        },
    })
}

enum Index {
    None,
    Scaled(Register, u8),
    Unknown,
}

fn index(operand: &Arm64Operand, memory: &Arm64OpMem) -> Index {
    if memory.index().0 == 0 {
        return Index::None;
    }
    let scale = left_shift(operand).and_then(|shift| 1u8.checked_shl(shift.into()));
    let is_plain = operand.ext == Arm64Extender::ARM64_EXT_INVALID;
    match (register(memory.index()), scale) {
        (Some((register, 64)), Some(scale)) if is_plain => Index::Scaled(register, scale),
        _ => Index::Unknown,
    }
}

/// Bytes of a register, vector registers included.
fn width(operand: &Arm64Operand) -> Option<u8> {
    let Arm64OperandType::Reg(id) = operand.op_type else {
        return None;
    };
    if let Some((_, bits)) = register(id) {
        return Some(bits / 8);
    }
    let id = u32::from(id.0);
    use Arm64Reg::*;
    Some(match id {
        ARM64_REG_XZR => 8,
        ARM64_REG_WZR => 4,
        ARM64_REG_B0..=ARM64_REG_B31 => 1,
        ARM64_REG_H0..=ARM64_REG_H31 => 2,
        ARM64_REG_S0..=ARM64_REG_S31 => 4,
        ARM64_REG_D0..=ARM64_REG_D31 => 8,
        ARM64_REG_Q0..=ARM64_REG_Q31 => 16,
        _ => return None,
    })
}

fn is_zero(id: RegId) -> bool {
    matches!(
        u32::from(id.0),
        Arm64Reg::ARM64_REG_XZR | Arm64Reg::ARM64_REG_WZR
    )
}

fn register_of(operand: &Arm64Operand) -> Option<(Register, u8)> {
    match operand.op_type {
        Arm64OperandType::Reg(id) => register(id),
        _ => None,
    }
}

/// The register with this id, and how many of its bits are meant.
fn register(id: RegId) -> Option<(Register, u8)> {
    use Arm64Reg::*;
    let id = u32::from(id.0);
    let numbered = |first: u32, last: u32| {
        (first..=last)
            .contains(&id)
            .then(|| u8::try_from(id - first).ok())
            .flatten()
            .map(Register::new)
    };
    match id {
        ARM64_REG_X29 => return Some((Register::new(29), 64)),
        ARM64_REG_X30 => return Some((Register::new(30), 64)),
        ARM64_REG_SP => return Some((Register::new(31), 64)),
        _ => {}
    }
    let wide = numbered(ARM64_REG_X0, ARM64_REG_X28).map(|register| (register, 64));
    wide.or_else(|| numbered(ARM64_REG_W0, ARM64_REG_W30).map(|register| (register, 32)))
}
