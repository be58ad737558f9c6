//! What one step does to what is known.

use super::convention::Convention;
use super::fact::{Access, Fact, Place, Question};
use super::state::State;
use super::value::{Number, NumberId, Tag, Terms, Thing, ThingId, Value};
use crate::disasm::{Base, Expression, Instruction, Memory, Operand, Register, Step};

/// Follows the steps of one instruction.
pub struct Execution<'a> {
    /// The calling convention.
    pub convention: &'a Convention,
    /// The terms of the analysis.
    pub terms: &'a mut Terms,
    /// The index of the instruction.
    pub index: u16,
    /// The instruction.
    pub instruction: &'a Instruction,
    /// Takes the facts; `None` while they are not final.
    pub facts: Option<&'a mut Vec<(u16, Fact)>>,
}

impl Execution<'_> {
    /// Changes `state` as `step` does.
    pub fn step(&mut self, state: &mut State, step: &Step) {
        match *step {
            Step::Set { to, bits, value } => self.set(state, to, bits, value),
            Step::Store { to, value } => {
                let value = self.read(state, value);
                self.store(state, to, value, false);
            }
            Step::Change { at, reads } => self.store(state, at, Value::Unknown, reads),
            Step::Use(operand) => {
                self.read(state, operand);
            }
            Step::Compare(left, right) => {
                state.compared = Some((self.read(state, left), self.read(state, right)));
                self.tell_question(state, left, right, Question::Null);
            }
            Step::Test(left, right) => {
                self.read(state, left);
                self.read(state, right);
                self.tell_question(state, left, right, Question::Borrowed);
                state.compared = None;
            }
            Step::LoseFlags => state.compared = None,
            Step::Forget(registers) => state.forget(registers),
            Step::Call(target) => {
                self.target(state, target);
                self.call(state);
            }
            Step::Jump(target) => self.target(state, target),
        }
    }

    fn target(&mut self, state: &State, target: Operand) {
        if target != Operand::Unknown {
            let target = self.read(state, target);
            self.tell(Fact::Target(target));
        }
    }

    fn set(&mut self, state: &mut State, to: Register, bits: u8, expression: Expression) {
        let old = state.register(to);
        let value = self.evaluate(state, expression);
        let value = if bits == 64 {
            value
        } else {
            self.low(value, u32::MAX.into())
        };
        if let Value::Pointer(thing, offset, _) = value {
            match self.terms.get(thing) {
                Some(Thing::MachineStack)
                    if to != self.convention.machine_stack
                        && to != self.convention.frame_pointer =>
                {
                    self.escape(state, offset);
                }
                Some(Thing::Stack) if matches!(old, Value::Pointer(was, ..) if was == thing) => {
                    self.tell(Fact::Stack(offset));
                }
                _ => {}
            }
        }
        self.tell_expression(state, expression, value);
        state.set(to, value);
    }

    fn tell_expression(&mut self, state: &State, expression: Expression, value: Value) {
        match expression {
            Expression::Value(Operand::Register { register, bits: 64 }) => {
                let copied = state.register(register);
                if matches!(copied, Value::Pointer(..)) {
                    self.tell(Fact::Copy(copied));
                }
            }
            Expression::And(..) | Expression::Or(..) => {
                if let Value::Pointer(thing, _, tag) = value {
                    self.tell(Fact::Tagged(thing, tag));
                } else if let Expression::Or(Operand::Register { register, bits: 64 }, bit) =
                    expression
                    && let Value::Number(number) = state.register(register)
                    && bit == Operand::Immediate(1)
                {
                    self.tell(Fact::TaggedNumber(number));
                }
            }
            Expression::Add(to, Operand::Immediate(added)) => match value {
                Value::Pointer(thing, offset, _) => {
                    let added = self.immediate(added);
                    self.tell(Fact::Inside(thing, offset, added));
                }
                Value::Number(whole) if self.is_page(state, to) => {
                    self.tell(Fact::Number(whole));
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn is_page(&self, state: &State, operand: Operand) -> bool {
        let Operand::Register { register, .. } = operand else {
            return false;
        };
        let Value::Number(number) = state.register(register) else {
            return false;
        };
        matches!(self.terms.of(number), Some(Number::Page(_)))
    }

    /// What is asked of an item of the stack or a local variable: both hold references, and are compared with 1 for
    /// nothing else.
    fn tell_question(&mut self, state: &State, left: Operand, right: Operand, question: Question) {
        let (Operand::Register { register, bits }, Operand::Immediate(1)) = (left, right) else {
            return;
        };
        let Value::Pointer(thing, offset, Tag::Maybe) = state.register(register) else {
            return;
        };
        let is_slot = matches!(
            self.terms.get(thing),
            Some(Thing::Cached(_) | Thing::Local(_) | Thing::Item(_))
        );
        let is_whole = question == Question::Borrowed || bits == 64;
        if is_slot && is_whole && self.terms.fixed(offset) == Some(0) {
            self.tell(Fact::Asked(thing, question));
        }
    }

    pub(super) fn tell(&mut self, fact: Fact) {
        if let Some(facts) = &mut self.facts {
            facts.push((self.index, fact));
        }
    }

    fn evaluate(&mut self, state: &State, expression: Expression) -> Value {
        match expression {
            Expression::Value(operand) => self.read(state, operand),
            Expression::SignExtended(operand) => self.sign_extended(state, operand),
            Expression::AddressOf(memory) => self.address(state, memory),
            Expression::Add(left, right) => {
                let (left, right) = (self.read(state, left), self.read(state, right));
                self.add(left, right)
            }
            Expression::Subtract(left, right) => {
                let (left, right) = (self.read(state, left), self.read(state, right));
                let negative = self.number(right, Number::Negate);
                self.add(left, negative)
            }
            Expression::And(left, right) => {
                let (left, right) = (self.read(state, left), self.read(state, right));
                self.and(left, right)
            }
            Expression::Or(left, right) => {
                let (left, right) = (self.read(state, left), self.read(state, right));
                self.or(left, right)
            }
            Expression::ShiftLeft(operand, bits) => {
                let value = self.read(state, operand);
                match 1u8.checked_shl(bits.into()) {
                    Some(by) => self.number(value, |number| Number::Multiply(number, by)),
                    None => Value::Unknown,
                }
            }
            Expression::Not(operand) => {
                let value = self.read(state, operand);
                let negative = self.number(value, Number::Negate);
                let minus_one = Value::Number(self.terms.constant(u64::MAX));
                self.add(negative, minus_one)
            }
            Expression::Insert(old, new, shift) => self.inserted(state, old, new, shift),
        }
    }

    fn sign_extended(&mut self, state: &State, operand: Operand) -> Value {
        let value = self.read(state, operand);
        match operand {
            Operand::Register { bits, .. } if bits != 0 => {
                self.number(value, |number| Number::SignExtend(number, bits))
            }
            _ => Value::Unknown,
        }
    }

    /// `movk`: the highest bits come last, and then the number is whole.
    fn inserted(&mut self, state: &State, old: Operand, new: u64, shift: u8) -> Value {
        let new = self.immediate(new);
        let old = self.read(state, old);
        let value = self.number(old, |old| Number::Insert(old, new, shift));
        if let (Value::Number(whole), 48) = (value, shift) {
            self.tell(Fact::Number(whole));
        }
        value
    }

    /// The value of an operand; what is read is told.
    fn read(&mut self, state: &State, operand: Operand) -> Value {
        match operand {
            Operand::Register { register, bits } => {
                let value = state.register(register);
                match bits {
                    64 => value,
                    32 => self.low(value, u32::MAX.into()),
                    16 => self.low(value, u16::MAX.into()),
                    8 => self.low(value, u8::MAX.into()),
                    _ => Value::Unknown,
                }
            }
            Operand::Immediate(value) => {
                let number = self.immediate(value);
                self.tell(Fact::Number(number));
                Value::Number(number)
            }
            Operand::PcRelative => {
                let number = self.terms.number(Number::PcRelative(self.index));
                self.tell(Fact::Number(number));
                Value::Number(number)
            }
            // Half of an address names nothing.
            Operand::Page => Value::Number(self.terms.number(Number::Page(self.index))),
            Operand::Memory(memory) => self.load(state, memory),
            Operand::Unknown => Value::Unknown,
        }
    }

    /// The address of a memory operand.
    fn address(&mut self, state: &State, memory: Memory) -> Value {
        let base = match memory.base {
            Base::Nothing => Value::Number(self.terms.constant(0)),
            Base::Register(register) => state.register(register),
            Base::Pc => {
                let number = self.terms.number(Number::PcRelative(self.index));
                self.tell(Fact::Number(number));
                return Value::Number(number);
            }
            Base::Unknown => return Value::Unknown,
        };
        let mut address = base;
        if let Some((register, scale)) = memory.index {
            let index = match state.register(register) {
                Value::Number(index) => {
                    Value::Number(self.terms.number(Number::Multiply(index, scale)))
                }
                pointer if scale == 1 => pointer,
                _ => Value::Unknown,
            };
            address = self.add(address, index);
        }
        let displacement = self.terms.constant(memory.displacement.cast_unsigned());
        self.add(address, Value::Number(displacement))
    }

    /// Where a memory operand points. What is read through a reference whose tag is not known has none: with one, the
    /// address would not be aligned.
    pub(super) fn place(&mut self, state: &State, memory: Memory) -> Place {
        if memory.base == Base::Pc {
            return Place::At(self.terms.number(Number::PcRelative(self.index)));
        }
        match self.address(state, memory) {
            Value::Pointer(_, _, Tag::Set) | Value::Unknown => Place::Unknown,
            Value::Pointer(thing, offset, _) => Place::In(thing, offset),
            Value::Number(number) => Place::At(number),
        }
    }

    fn load(&mut self, state: &State, memory: Memory) -> Value {
        let place = self.place(state, memory);
        let value = match memory.size {
            8 => self.loaded(state, place),
            _ => Value::Unknown,
        };
        self.tell_access(state, place, memory.size, (true, false), value);
        value
    }

    /// What is in a word of memory.
    fn loaded(&mut self, state: &State, place: Place) -> Value {
        let zero = self.terms.constant(0);
        let (thing, offset) = match place {
            Place::In(thing, offset) => (thing, offset),
            Place::At(number) => {
                let thing = self.terms.thing(Thing::Global(number));
                return Value::Pointer(thing, zero, Tag::Maybe);
            }
            Place::Unknown => return Value::Unknown,
        };
        let fixed = self.terms.fixed(offset).map(u64::cast_signed);
        if let Some(value) = fixed.and_then(|fixed| state.slot(thing, fixed)) {
            return value;
        }
        let at_least = self.terms.at_least(offset);
        let inner = match self.terms.get(thing) {
            None | Some(Thing::MachineStack) => return Value::Unknown,
            Some(Thing::Frame) if at_least.is_some_and(|at| self.convention.is_local(at)) => {
                Thing::Local(offset)
            }
            Some(Thing::Stack) => Thing::Item(offset),
            Some(_) => Thing::Pointee(thing, offset),
        };
        Value::Pointer(self.terms.thing(inner), zero, Tag::Maybe)
    }

    pub(super) fn tell_access(
        &mut self,
        state: &State,
        place: Place,
        size: u8,
        (reads, writes): (bool, bool),
        value: Value,
    ) {
        if self.facts.is_some() {
            let types = match place {
                Place::In(thing, _) => self.types(state, thing),
                _ => Vec::new(),
            };
            self.tell(Fact::Access(Access {
                place,
                size,
                reads,
                writes,
                value,
                types,
            }));
        }
    }

    /// The known types of a thing and of those it was reached through.
    fn types(&self, state: &State, thing: ThingId) -> Vec<(ThingId, NumberId)> {
        let mut found = Vec::new();
        let mut next = Some(thing);
        while let Some(thing) = next {
            found.extend(state.type_of(thing).map(|is| (thing, is)));
            next = match self.terms.get(thing) {
                // Ids of outer things are lower: this ends.
                Some(Thing::Pointee(outer, _) | Thing::Former(outer)) => Some(outer),
                _ => None,
            };
        }
        found
    }
}
