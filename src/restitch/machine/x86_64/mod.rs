//! An interpreter of x86-64: the 47 mnemonics that compilers make of CPython's emitters.

mod decode;
mod execute;
mod flags;
mod instruction;
mod integer;
mod opcodes;
mod opcodes_0f;
mod processor;
mod vector;

#[cfg(test)]
mod tests;

pub use processor::Processor;
