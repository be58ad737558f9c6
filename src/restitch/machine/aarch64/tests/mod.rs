//! What the interpreter is tested with: code at an address, and data that it may write.

mod calls;
mod witness;

use crate::address::Address;
use crate::restitch::{Builtins, Bus, Memory, Piece, STATE, TraceFields, Window};

const CODE: u64 = 0x20000;
const DATA: u64 = 0x10000;
const SIZE: usize = 0x1000;

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Memory with these instructions.
fn memory(code: &[u8]) -> Memory<'_> {
    let piece = Piece {
        start: Address(CODE),
        bytes: code,
        executable: true,
    };
    Memory::new(vec![piece], None)
}

/// With these data.
fn bus<'m>(memory: &'m Memory<'m>, builtins: &'m Builtins, data: Vec<u8>) -> Bus<'m> {
    let mut output = Window::new(DATA, data.len());
    output.bytes = data;
    let state = Window::new(STATE, 64);
    Bus::new(memory, builtins, TraceFields::default(), output, state)
}
