//! Registers, and the loop over instructions.

use super::decode::decode;
use super::flags::Flags;
use super::instruction::Instruction;
use crate::address::Address;
use crate::restitch::machine::{ARGUMENTS, Machine};
use crate::restitch::{Bus, RETURN, Stop, Value, Vector};
use std::collections::HashMap;
use std::rc::Rc;

/// The stack pointer.
pub(super) const RSP: u8 = 4;

/// rdi, rsi, rdx, rcx, r8: the arguments of a function, in order (System V x86-64 ABI, 3.2.3).
const ARGUMENT_REGISTERS: [u8; ARGUMENTS] = [7, 6, 2, 1, 8];

/// The longest run of instructions without a branch that is decoded at once.
const LONGEST_BLOCK: usize = 64;

/// More instructions than the emitters of any CPython have (debug builds: 188,000): what is decoded is kept.
const MOST_DECODED: usize = 1 << 20;

/// Blocks that are found without the map, by the low bits of their addresses: emitters share a few functions.
const RECENT: usize = 1024;

/// Instructions without a branch between them.
type Block = Rc<[Instruction]>;

/// An x86-64.
#[derive(Debug, Default)]
pub struct Processor {
    registers: [Value; 16],
    vectors: [Vector; 16],
    pub(super) flags: Flags,
    /// Instructions up to the next branch, by the address of the first.
    blocks: HashMap<u64, Block>,
    /// Those that ran last, in front of the map; empty until the first did.
    recent: Vec<(u64, Block)>,
    decoded: usize,
}

impl Machine for Processor {
    fn call(
        &mut self,
        bus: &mut Bus<'_>,
        function: Address,
        arguments: &[Value; ARGUMENTS],
    ) -> Result<(), Stop> {
        self.registers = [Value::default(); 16];
        self.vectors = [Vector::default(); 16];
        for (number, argument) in ARGUMENT_REGISTERS.into_iter().zip(arguments) {
            self.set_register(number, *argument);
        }
        let stack = bus.begin();
        self.set_register(RSP, Value::body(stack));
        self.push(bus, Value::body(RETURN))?;
        let mut at = function.0;
        // Each turn counts a step at least.
        while at != RETURN {
            at = self.run_block(bus, at)?;
        }
        Ok(())
    }
}

impl Processor {
    /// Runs up to the next branch; gives back where it goes on.
    fn run_block(&mut self, bus: &mut Bus<'_>, address: u64) -> Result<u64, Stop> {
        let block = self.block(bus, address)?;
        let mut next = address;
        for instruction in block.iter() {
            bus.step()?;
            next = self.execute(bus, instruction)?;
        }
        Ok(next)
    }

    fn block(&mut self, bus: &Bus<'_>, address: u64) -> Result<Block, Stop> {
        let place = usize::try_from(address).unwrap_or(0) % RECENT;
        if let Some((at, block)) = self.recent.get(place)
            && *at == address
        {
            return Ok(Rc::clone(block));
        }
        let block = match self.blocks.get(&address) {
            Some(block) => Rc::clone(block),
            None => self.decode_block(bus, address)?,
        };
        if self.recent.is_empty() {
            // Nothing runs at the address that all calls return to.
            self.recent.resize(RECENT, (RETURN, Rc::new([])));
        }
        if let Some(recent) = self.recent.get_mut(place) {
            *recent = (address, Rc::clone(&block));
        }
        Ok(block)
    }

    fn decode_block(&mut self, bus: &Bus<'_>, address: u64) -> Result<Block, Stop> {
        let mut block = vec![instruction(bus, address)?];
        while let Some(last) = block.last()
            && block.len() < LONGEST_BLOCK
            && !last.operation.ends_block()
            && let Ok(following) = instruction(bus, last.next)
        {
            block.push(following);
        }
        if self.decoded >= MOST_DECODED {
            self.blocks.clear();
            self.decoded = 0;
        }
        self.decoded = self.decoded.saturating_add(block.len());
        let block: Block = block.into();
        self.blocks.insert(address, Rc::clone(&block));
        Ok(block)
    }

    /// What a general register holds.
    #[inline]
    pub(super) fn register(&self, number: u8) -> Value {
        let found = self.registers.get(usize::from(number));
        found.copied().unwrap_or_default()
    }

    /// Gives a general register all its eight bytes.
    #[inline]
    pub(super) fn set_register(&mut self, number: u8, value: Value) {
        if let Some(register) = self.registers.get_mut(usize::from(number)) {
            *register = value;
        }
    }

    /// What a vector register holds.
    pub(super) fn vector(&self, number: u8) -> Vector {
        let found = self.vectors.get(usize::from(number));
        found.copied().unwrap_or_default()
    }

    /// Gives a vector register all its bytes.
    pub(super) fn set_vector(&mut self, number: u8, vector: Vector) {
        if let Some(register) = self.vectors.get_mut(usize::from(number)) {
            *register = vector;
        }
    }

    /// Puts eight bytes onto the stack.
    pub(super) fn push(&mut self, bus: &mut Bus<'_>, value: Value) -> Result<(), Stop> {
        let top = self.register(RSP).number.wrapping_sub(8);
        self.set_register(RSP, Value::body(top));
        bus.write(top, 8, value)
    }

    /// Takes eight bytes from the stack.
    pub(super) fn pop(&mut self, bus: &mut Bus<'_>) -> Result<Value, Stop> {
        let top = self.register(RSP).number;
        let value = bus.read(top, 8)?;
        self.set_register(RSP, Value::body(top.wrapping_add(8)));
        Ok(value)
    }
}

fn instruction(bus: &Bus<'_>, address: u64) -> Result<Instruction, Stop> {
    let mut bytes = [0; 16];
    let length = bus.fetch(address, &mut bytes)?;
    let bytes = bytes.get(..length).unwrap_or_default();
    decode(bytes, address).ok_or_else(|| Stop::unsupported(address, bytes))
}
