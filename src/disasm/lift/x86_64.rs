//! What x86-64 instructions do.

use super::super::operation::{Base, Expression, Memory, Operand, Step};
use super::single;
use crate::platform::{Register, RegisterSet};
use capstone::InsnDetail;
use capstone::RegId;
use capstone::arch::x86::{X86OpMem, X86Operand, X86OperandType, X86Reg};
use capstone::arch::{ArchDetail, DetailsArchInsn};

const STACK_POINTER: Register = Register::new(4);

/// Bytes of a pushed word.
const WORD: u8 = 8;

/// Calls `push` with each step. `None` if the details cannot be had.
pub(in crate::disasm) fn lift(
    mnemonic: &str,
    detail: &InsnDetail<'_>,
    push: &mut dyn FnMut(Step),
) -> Option<()> {
    let ArchDetail::X86Detail(x86) = detail.arch_detail() else {
        return None;
    };
    let operands: Vec<X86Operand> = x86.operands().collect();
    let has_prefix = mnemonic.contains(' ');
    let name = mnemonic.rsplit(' ').next().unwrap_or_default();
    let understood = !has_prefix && known(name, &operands, push).is_some();
    if !understood {
        unknown(name, detail, &operands, push);
    }
    Some(())
}

/// The instructions that are followed.
fn known(name: &str, operands: &[X86Operand], push: &mut dyn FnMut(Step)) -> Option<()> {
    match (name, operands) {
        ("mov" | "movabs", [to, from]) => set_or_store(to, Expression::Value(read(from)), push),
        ("movzx", [to, from]) => set_or_store(to, Expression::Value(read(from)), push),
        ("movsx" | "movsxd", [to, from]) => {
            set_or_store(to, Expression::SignExtended(read(from)), push)
        }
        ("lea", [to, from]) => {
            let X86OperandType::Mem(memory) = &from.op_type else {
                return None;
            };
            set_or_store(
                to,
                Expression::AddressOf(memory_operand(memory, from.size)),
                push,
            )
        }
        ("cmp", [left, right]) => single(push, Step::Compare(read(left), read(right))),
        ("test", [left, right]) => single(push, Step::Test(read(left), read(right))),
        ("push", [from]) => push_word(read(from), push),
        ("pop", [to]) => pop_word(to, push),
        ("call", [target]) => single(push, Step::Call(target_operand(target))),
        ("jmp", [target]) => single(push, Step::Jump(target_operand(target))),
        ("nop" | "endbr64" | "ret" | "int3" | "ud2", _) => Some(()),
        (_, [_]) if name.starts_with('j') => Some(()),
        (_, [to, ..]) => arithmetic(name, to, operands.get(1), push),
        _ => None,
    }
}

/// A direct target is no number to be remarked on.
fn target_operand(target: &X86Operand) -> Operand {
    match read(target) {
        Operand::Immediate(_) => Operand::Unknown,
        other => other,
    }
}

fn arithmetic(
    name: &str,
    to: &X86Operand,
    from: Option<&X86Operand>,
    push: &mut dyn FnMut(Step),
) -> Option<()> {
    let left = read(to);
    let right = from.map_or(Operand::Unknown, read);
    let value = match name {
        "xor" if from.is_some() && left == right => Expression::Value(Operand::Immediate(0)),
        "add" => Expression::Add(left, right),
        "sub" => Expression::Subtract(left, right),
        "and" => Expression::And(left, right),
        "or" => Expression::Or(left, right),
        "inc" => Expression::Add(left, Operand::Immediate(1)),
        "dec" => Expression::Subtract(left, Operand::Immediate(1)),
        "not" => Expression::Not(left),
        "shl" => match right {
            Operand::Immediate(bits) => Expression::ShiftLeft(left, u8::try_from(bits).ok()?),
            _ => return None,
        },
        _ => return None,
    };
    if let Operand::Memory(at) = left {
        if from.is_some() {
            push(Step::Use(right));
        }
        push(Step::Change { at, reads: true });
    } else {
        set_or_store(to, value, push)?;
    }
    if name != "not" {
        push(Step::LoseFlags);
    }
    Some(())
}

/// Writes to the whole of a register, or to memory; a part of a register is forgotten.
fn set_or_store(to: &X86Operand, value: Expression, push: &mut dyn FnMut(Step)) -> Option<()> {
    match &to.op_type {
        X86OperandType::Reg(id) => {
            let (register, bits) = register(*id)?;
            if bits < 32 {
                use_expression(value, push);
                let mut set = RegisterSet::default();
                set.insert(register);
                push(Step::Forget(set));
            } else {
                push(Step::Set {
                    to: register,
                    bits,
                    value,
                });
            }
        }
        X86OperandType::Mem(memory) => push(Step::Store {
            to: memory_operand(memory, to.size),
            value: match value {
                Expression::Value(value) => value,
                _ => Operand::Unknown,
            },
        }),
        _ => return None,
    }
    Some(())
}

/// What an expression reads is read even if its result is forgotten.
fn use_expression(value: Expression, push: &mut dyn FnMut(Step)) {
    if let Expression::Value(operand) | Expression::SignExtended(operand) = value {
        push(Step::Use(operand));
    }
}

fn push_word(value: Operand, push: &mut dyn FnMut(Step)) -> Option<()> {
    push(move_stack(-i64::from(WORD)));
    push(Step::Store {
        to: top_of_stack(),
        value,
    });
    Some(())
}

fn pop_word(to: &X86Operand, push: &mut dyn FnMut(Step)) -> Option<()> {
    set_or_store(to, Expression::Value(Operand::Memory(top_of_stack())), push)?;
    push(move_stack(i64::from(WORD)));
    Some(())
}

fn move_stack(bytes: i64) -> Step {
    Step::Set {
        to: STACK_POINTER,
        bits: 64,
        value: Expression::AddressOf(Memory {
            displacement: bytes,
            ..top_of_stack()
        }),
    }
}

fn top_of_stack() -> Memory {
    Memory {
        base: Base::Register(STACK_POINTER),
        index: None,
        displacement: 0,
        size: WORD,
    }
}

/// Whatever an instruction may write is forgotten. Conditional moves and `set…` leave the flags alone.
fn unknown(
    name: &str,
    detail: &InsnDetail<'_>,
    operands: &[X86Operand],
    push: &mut dyn FnMut(Step),
) {
    let mut written = RegisterSet::default();
    for operand in operands {
        let access = operand.access;
        match &operand.op_type {
            X86OperandType::Reg(id) => {
                if let Some((register, _)) = register(*id) {
                    written.insert(register);
                }
            }
            X86OperandType::Mem(memory) => {
                let at = memory_operand(memory, operand.size);
                push(match access {
                    Some(access) if !access.is_writable() => Step::Use(Operand::Memory(at)),
                    Some(access) => Step::Change {
                        at,
                        reads: access.is_readable(),
                    },
                    None => Step::Change { at, reads: true },
                });
            }
            X86OperandType::Imm(_) | X86OperandType::Invalid => {}
        }
    }
    for id in detail.regs_write() {
        if let Some((register, _)) = register(*id) {
            written.insert(register);
        }
    }
    if !written.is_empty() {
        push(Step::Forget(written));
    }
    if !name.starts_with("cmov") && !name.starts_with("set") {
        push(Step::LoseFlags);
    }
}

fn read(operand: &X86Operand) -> Operand {
    match &operand.op_type {
        X86OperandType::Reg(id) => match register(*id) {
            Some((register, bits)) => Operand::Register { register, bits },
            None => Operand::Unknown,
        },
        X86OperandType::Imm(value) => Operand::Immediate(value.cast_unsigned()),
        X86OperandType::Mem(memory) => Operand::Memory(memory_operand(memory, operand.size)),
        X86OperandType::Invalid => Operand::Unknown,
    }
}

fn memory_operand(memory: &X86OpMem, size: u8) -> Memory {
    let plain = Memory {
        base: base(memory),
        index: None,
        displacement: memory.disp(),
        size,
    };
    if memory.index().0 == 0 {
        return plain;
    }
    let scale = u8::try_from(memory.scale()).ok();
    match register(memory.index()).zip(scale) {
        Some(((index, 64), scale)) => Memory {
            index: Some((index, scale)),
            ..plain
        },
        _ => Memory {
            base: Base::Unknown,
            ..plain
        },
    }
}

fn base(memory: &X86OpMem) -> Base {
    let id = memory.base();
    if memory.segment().0 != 0 {
        return Base::Unknown;
    }
    match u32::from(id.0) {
        0 => Base::Nothing,
        X86Reg::X86_REG_RIP => Base::Pc,
        _ => match register(id) {
            Some((register, 64)) => Base::Register(register),
            _ => Base::Unknown,
        },
    }
}

/// By number: the names of each register with 64, 32, 16 and 8 bits.
const REGISTERS: [[u32; 4]; 16] = {
    use X86Reg::*;
    [
        [X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL],
        [X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL],
        [X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL],
        [X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL],
        [X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL],
        [X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL],
        [X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL],
        [X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL],
        [X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B],
        [X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B],
        [X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B],
        [X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B],
        [X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B],
        [X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B],
        [X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B],
        [X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B],
    ]
};

/// `ah`, `ch`, `dh`, `bh`: bits 8 to 15 of the first four.
const HIGH: [u32; 4] = [
    X86Reg::X86_REG_AH,
    X86Reg::X86_REG_CH,
    X86Reg::X86_REG_DH,
    X86Reg::X86_REG_BH,
];

/// The register with this id, and how many of its low bits are meant. The high bytes count as 0 bits: unknown to read.
fn register(id: RegId) -> Option<(Register, u8)> {
    let id = u32::from(id.0);
    for (number, names) in (0..).zip(&REGISTERS) {
        if let Some(place) = names.iter().position(|name| *name == id) {
            let bits = [64, 32, 16, 8].get(place).copied()?;
            return Some((Register::new(number), bits));
        }
    }
    let number = HIGH.iter().position(|name| *name == id)?;
    Some((Register::new(u8::try_from(number).ok()?), 0))
}
