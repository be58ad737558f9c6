//! What an instruction word means, by classes of encodings; the names are the architecture manual's where it has some.
//!
//! Only what compilers make of CPython's emitters is known. What the architecture leaves undefined is not decoded.

mod branch;
mod immediate;
mod memory;
mod operation;
mod register;
mod vector;
mod vector_constant;
mod vector_move;
mod vector_shift;
mod word;

pub(super) use branch::Branch;
pub(super) use immediate::{Field, Fill, Immediate};
pub(super) use memory::{Memory, Place, Transfer};
pub(super) use operation::{Condition, Extend, Logic, Shift, Width};
pub(super) use register::{Operands, Register};
pub(super) use vector::{Each, Lanes, Pairwise, Vector};
pub(super) use vector_constant::{Change, Constant};
pub(super) use vector_move::{Element, Move};
pub(super) use vector_shift::{Kind, Shifted};
pub(super) use word::sign_extend;

use word::Word;

/// An instruction.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Instruction {
    Immediate(Immediate),
    Branch(Branch),
    Memory(Memory),
    Register(Register),
    Vector(Vector),
}

/// The instruction of a word; `None` if it is not known.
pub(super) fn decode(word: u32) -> Option<Instruction> {
    let word = Word(word);
    match word.bits(25, 4) {
        0b1000 | 0b1001 => immediate::decode(word).map(Instruction::Immediate),
        0b1010 | 0b1011 => branch::decode(word).map(Instruction::Branch),
        0b0100 | 0b0110 | 0b1100 | 0b1110 => memory::decode(word).map(Instruction::Memory),
        0b0101 | 0b1101 => register::decode(word).map(Instruction::Register),
        0b0111 | 0b1111 => vector::decode(word).map(Instruction::Vector),
        _ => None,
    }
}
