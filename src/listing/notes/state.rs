//! What is known at one place of a stencil.

use super::since::Since;
use super::value::{NumberId, Tag, Terms, Thing, ThingId, Value};
use crate::disasm::{Register, RegisterSet};

/// Memory slots that are remembered at a time; more than any stencil spills.
const MOST_SLOTS: usize = 64;

/// Facts about types that are remembered at a time.
const MOST_TYPES: usize = 16;

/// A word of memory that was written: a fixed number of bytes into a thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// The thing: the machine stack or the frame.
    pub thing: ThingId,
    /// Bytes into it.
    pub offset: i64,
    /// What was written.
    pub value: Value,
}

/// What is known at one place of a stencil.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    registers: [Value; Register::COUNT],
    slots: Vec<Slot>,
    /// Things whose type is the object at this address.
    types: Vec<(ThingId, NumberId)>,
    /// The lowest address of the machine stack that has become known to others, from its pointer at the uop's start.
    pub escaped: Option<i64>,
    /// What the last comparison compared.
    pub compared: Option<(Value, Value)>,
    /// What the uop may have done by now.
    pub since: Since,
}

impl State {
    /// Nothing is known.
    pub fn unknown() -> State {
        State {
            registers: [Value::Unknown; Register::COUNT],
            slots: Vec::new(),
            types: Vec::new(),
            escaped: None,
            compared: None,
            since: Since::default(),
        }
    }

    /// The words of memory whose content is known.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }

    /// What a register holds.
    pub fn register(&self, register: Register) -> Value {
        let value = self.registers.get(register.number());
        value.copied().unwrap_or(Value::Unknown)
    }

    /// Sets a register.
    pub fn set(&mut self, register: Register, value: Value) {
        if let Some(slot) = self.registers.get_mut(register.number()) {
            *slot = value;
        }
    }

    /// Forgets registers.
    pub fn forget(&mut self, registers: RegisterSet) {
        for (number, value) in (0..).zip(&mut self.registers) {
            if registers.contains(Register::new(number)) {
                *value = Value::Unknown;
            }
        }
    }

    /// What was written to a word of memory.
    pub fn slot(&self, thing: ThingId, offset: i64) -> Option<Value> {
        let found = self.slots.iter();
        let mut found = found.filter(|slot| slot.thing == thing && slot.offset == offset);
        found.next().map(|slot| slot.value)
    }

    /// Remembers what was written to a word of memory; what overlaps it must have been forgotten.
    pub fn remember(&mut self, slot: Slot) {
        if self.slots.len() < MOST_SLOTS {
            self.slots.push(slot);
        }
    }

    /// Forgets the memory for which this holds.
    pub fn forget_slots(&mut self, which: impl Fn(&Slot) -> bool) {
        self.slots.retain(|slot| !which(slot));
    }

    /// Remembers the type of a thing.
    pub fn learn_type(&mut self, thing: ThingId, is: NumberId) {
        self.types.retain(|(known, _)| *known != thing);
        if self.types.len() < MOST_TYPES {
            self.types.push((thing, is));
        }
    }

    /// The address of the type of a thing, where it is known.
    pub fn type_of(&self, thing: ThingId) -> Option<NumberId> {
        let mut types = self.types.iter();
        types.find(|(known, _)| *known == thing).map(|(_, is)| *is)
    }

    /// Things for which this holds may have been replaced in their slots: they lose the names of the slots.
    pub fn outdate(&mut self, terms: &mut Terms, which: impl Fn(&Terms, Thing) -> bool) {
        let mut change = |value: &mut Value| {
            if let Value::Pointer(thing, offset, tag) = *value
                && let Some(former) = former(terms, thing, &which)
            {
                *value = Value::Pointer(former, offset, tag);
            }
        };
        self.registers.iter_mut().for_each(&mut change);
        self.slots
            .iter_mut()
            .for_each(|slot| change(&mut slot.value));
        if let Some((left, right)) = &mut self.compared {
            change(left);
            change(right);
        }
        let types = std::mem::take(&mut self.types);
        for (thing, is) in types {
            let thing = former(terms, thing, &which).unwrap_or(thing);
            self.learn_type(thing, is);
        }
    }

    /// Keeps what this and the other agree on; whether anything changed.
    pub fn join(&mut self, other: &State, terms: &mut Terms) -> bool {
        let before = self.clone();
        for (own, other) in self.registers.iter_mut().zip(&other.registers) {
            *own = common(terms, *own, *other);
        }
        self.slots
            .retain_mut(|slot| match other.slot(slot.thing, slot.offset) {
                Some(value) => {
                    slot.value = common(terms, slot.value, value);
                    true
                }
                None => false,
            });
        self.types.retain(|fact| other.types.contains(fact));
        if self.compared != other.compared {
            self.compared = None;
        }
        self.escaped = match (self.escaped, other.escaped) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
        self.since.join(&other.since);
        *self != before
    }
}

/// What two ways agree on: a thing keeps the name of its slot only if it has it on both.
fn common(terms: &mut Terms, one: Value, other: Value) -> Value {
    if one == other {
        return one;
    }
    let (Value::Pointer(one, offset, tag), Value::Pointer(other, at, other_tag)) = (one, other)
    else {
        return Value::Unknown;
    };
    let inner = |terms: &Terms, thing| match terms.get(thing) {
        Some(Thing::Former(inner)) => inner,
        _ => thing,
    };
    let (plain, other_plain) = (inner(terms, one), inner(terms, other));
    if plain != other_plain || offset != at {
        return Value::Unknown;
    }
    let thing = match one == other {
        true => one,
        false => terms.thing(Thing::Former(plain)),
    };
    let tag = if tag == other_tag { tag } else { Tag::Maybe };
    Value::Pointer(thing, offset, tag)
}

/// The same thing without the name of its slot, if it or what it was reached through is one of these.
fn former(
    terms: &mut Terms,
    thing: ThingId,
    which: &impl Fn(&Terms, Thing) -> bool,
) -> Option<ThingId> {
    let is = terms.get(thing)?;
    if matches!(is, Thing::Former(_)) {
        return None;
    }
    if which(terms, is) {
        return Some(terms.thing(Thing::Former(thing)));
    }
    let Thing::Pointee(outer, _) = is else {
        return None;
    };
    // What was reached through something outdated keeps its structure only.
    former(terms, outer, which)?;
    Some(terms.thing(Thing::Former(thing)))
}
