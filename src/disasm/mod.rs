//! Machine code as instructions.
//!
//! Capstone decodes about two million instructions a second; the code of a JIT consists of the same few hundred
//! stencils over and over. So an instruction is decoded once and recognised by its own bytes from then on, which is
//! safe because no encoding of x86-64 or AArch64 is the beginning of another. Bytes that the JIT patches (branch
//! displacements, `[rip + …]`, pointers) are left out of the comparison where `learn` could prove that
//! they change one number in the text and nothing else.
//!
//! * `dialect`: what is different from machine to machine;
//! * `engine`: capstone, one instruction at a time;
//! * `flow`: where control goes after an instruction;
//! * `pattern`: recognising an instruction by its bytes, and reading the patched number;
//! * `text`: a decoded instruction's text with room for that number;
//! * `learn`: from capstone's answer to something that can be reused;
//! * `cache`: what was learnt, by stencil and by first bytes;
//! * `disassembler`: the loop over the code;
//! * `operation`, `lift`: what instructions do to registers and memory, by capstone's details.

mod cache;
mod dialect;
mod disassembler;
mod engine;
mod flow;
mod hex;
mod instruction;
mod learn;
mod lift;
mod operation;
mod pattern;
mod text;

#[cfg(test)]
mod tests;

pub use crate::platform::{Architecture, Register, RegisterSet};
pub use dialect::Syntax;
pub use disassembler::Disassembler;
pub use flow::Flow;
pub use instruction::Instruction;
pub use lift::Lifter;
pub use operation::{Base, Expression, Memory, Operand, Operations, Step};
