//! Where the stack pointer is, and where the registers of the caller are, while a piece of code runs.

use crate::disasm::{Base, Expression, Memory, Operand, Register, RegisterSet, Step};
use std::collections::BTreeMap;

/// Words of the stack that are followed: a function saves a dozen registers, the largest uop (3.14d) keeps 20 words.
const MOST_SLOTS: usize = 128;

/// What a register or a word of the stack holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value {
    /// What this register held when the code was entered.
    Entry(Register),
    /// The stack pointer at the entry, and so many bytes.
    Stack(i64),
    /// Something else.
    Other,
}

/// Where to find what a register held when the code was entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Still in the register.
    Unchanged,
    /// In memory, so many bytes from the stack pointer at the entry.
    Saved(i64),
    /// Nowhere.
    Lost,
}

/// What is known before one instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StackState {
    registers: [Value; Register::COUNT],
    /// Words by where they are, relative to the stack pointer at the entry.
    slots: BTreeMap<i64, Value>,
    stack_pointer: Register,
}

impl StackState {
    /// At the entry: all registers as they are.
    pub(super) fn entry(stack_pointer: Register) -> StackState {
        let mut registers = [Value::Other; Register::COUNT];
        for (number, value) in (0u8..).zip(&mut registers) {
            *value = Value::Entry(Register::new(number));
        }
        let mut state = StackState {
            registers,
            slots: BTreeMap::new(),
            stack_pointer,
        };
        state.set(stack_pointer, Value::Stack(0));
        state
    }

    /// How many bytes the stack has grown since the entry, if that is known.
    pub fn depth(&self) -> Option<i64> {
        self.distance(self.stack_pointer)
            .and_then(i64::checked_neg)
            .filter(|depth| *depth >= 0)
    }

    /// How many bytes a register points behind the stack pointer at the entry, if it is known to point there.
    pub fn distance(&self, register: Register) -> Option<i64> {
        match self.get(register) {
            Value::Stack(distance) => Some(distance),
            _ => None,
        }
    }

    /// Where a register of the caller is.
    pub fn place(&self, register: Register) -> Place {
        if self.get(register) == Value::Entry(register) {
            return Place::Unchanged;
        }
        self.saved(register).map_or(Place::Lost, Place::Saved)
    }

    /// Where a register of the caller was put, in bytes from the stack pointer at the entry.
    pub fn saved(&self, register: Register) -> Option<i64> {
        let depth = self.depth()?;
        // What lies below the stack pointer may be overwritten by a signal handler at any time.
        let mut live = self.slots.range(-depth..);
        let found = live.find(|(_, value)| **value == Value::Entry(register));
        found.map(|(at, _)| *at)
    }

    /// Forgets what the other state contradicts; whether that was anything.
    pub(super) fn meet(&mut self, other: &StackState) -> bool {
        let mut changed = false;
        for (own, other) in self.registers.iter_mut().zip(&other.registers) {
            if own != other && *own != Value::Other {
                *own = Value::Other;
                changed = true;
            }
        }
        let before = self.slots.len();
        self.slots
            .retain(|at, value| other.slots.get(at) == Some(value));
        changed || self.slots.len() != before
    }

    /// What a part of an instruction does. `clobbered` are the registers that a call may change.
    pub(super) fn execute(&mut self, step: &Step, clobbered: RegisterSet) {
        match step {
            Step::Set { to, bits, value } => {
                let value = match bits {
                    64 => self.evaluate(value),
                    _ => Value::Other,
                };
                self.set(*to, value);
            }
            Step::Store { to, value } => {
                let value = self.read(value);
                self.store(to, value);
            }
            Step::Change { at, .. } => self.store(at, Value::Other),
            Step::Forget(registers) => self.forget(*registers),
            Step::Call(_) => self.forget(clobbered),
            Step::Use(_) | Step::Compare(..) | Step::Test(..) | Step::LoseFlags | Step::Jump(_) => {
            }
        }
    }

    fn get(&self, register: Register) -> Value {
        let value = self.registers.get(register.number());
        value.copied().unwrap_or(Value::Other)
    }

    fn set(&mut self, register: Register, value: Value) {
        if let Some(place) = self.registers.get_mut(register.number()) {
            *place = value;
        }
    }

    fn forget(&mut self, registers: RegisterSet) {
        for (number, value) in (0u8..).zip(&mut self.registers) {
            if registers.contains(Register::new(number)) {
                *value = Value::Other;
            }
        }
    }

    fn evaluate(&self, expression: &Expression) -> Value {
        let moved = |value: Value, bytes: i64| match value {
            Value::Stack(distance) => distance
                .checked_add(bytes)
                .map_or(Value::Other, Value::Stack),
            _ => Value::Other,
        };
        match expression {
            Expression::Value(operand) => self.read(operand),
            Expression::AddressOf(memory) => {
                self.address(memory).map_or(Value::Other, Value::Stack)
            }
            Expression::Add(left, Operand::Immediate(bytes)) => {
                moved(self.read(left), bytes.cast_signed())
            }
            Expression::Subtract(left, Operand::Immediate(bytes)) => {
                moved(self.read(left), bytes.cast_signed().wrapping_neg())
            }
            _ => Value::Other,
        }
    }

    fn read(&self, operand: &Operand) -> Value {
        match operand {
            Operand::Register { register, bits: 64 } => self.get(*register),
            Operand::Memory(memory) if memory.size == 8 => {
                let slot = self.address(memory).and_then(|at| self.slots.get(&at));
                slot.copied().unwrap_or(Value::Other)
            }
            _ => Value::Other,
        }
    }

    /// Where a memory operand is, relative to the stack pointer at the entry. What is not known to be on this stack is
    /// taken for other memory: compilers write to saved registers through nothing else.
    fn address(&self, memory: &Memory) -> Option<i64> {
        let Base::Register(base) = memory.base else {
            return None;
        };
        if memory.index.is_some() {
            return None;
        }
        self.distance(base)?.checked_add(memory.displacement)
    }

    fn store(&mut self, to: &Memory, value: Value) {
        let Some(at) = self.address(to) else { return };
        let end = at.saturating_add(i64::from(to.size.max(1)));
        self.slots
            .retain(|slot, _| *slot >= end || slot.saturating_add(8) <= at);
        if to.size == 8 && value != Value::Other && self.slots.len() < MOST_SLOTS {
            self.slots.insert(at, value);
        }
    }
}
