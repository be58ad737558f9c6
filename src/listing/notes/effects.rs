//! What writing to memory and calling functions take away from what is known.

use super::convention::Convention;
use super::execute::Execution;
use super::fact::Place;
use super::since::Item;
use super::state::{Slot, State};
use super::value::{NumberId, Tag, Terms, Thing, ThingId, Value};
use crate::disasm::Memory;

/// Compilers pass the address of a local array's second element, too (`args + 1`): this much below an address that
/// others know may be theirs.
const ROOM_BELOW_ESCAPED: i64 = 16;

/// The count of references takes the first bytes of an object.
const HEAD: i64 = 8;

impl Execution<'_> {
    pub(super) fn store(&mut self, state: &mut State, to: Memory, value: Value, reads: bool) {
        let place = self.place(state, to);
        self.tell_access(state, place, to.size, (reads, true), value);
        if let Value::Pointer(thing, offset, _) = value
            && self.terms.get(thing) == Some(Thing::MachineStack)
        {
            self.escape(state, offset);
        }
        match place {
            Place::In(thing, offset) => self.store_in(state, thing, offset, to.size, value),
            Place::At(_) => {
                let convention = self.convention;
                state.outdate(self.terms, |terms, thing| {
                    matches!(thing, Thing::Pointee(..) | Thing::Global(_))
                        && !lasts(convention, terms, thing)
                });
            }
            Place::Unknown => self.store_anywhere(state),
        }
    }

    fn store_in(
        &mut self,
        state: &mut State,
        thing: ThingId,
        offset: NumberId,
        size: u8,
        value: Value,
    ) {
        let kind = self.terms.get(thing);
        let at = self.terms.fixed(offset).map(u64::cast_signed);
        let own = [
            Some(Thing::MachineStack),
            Some(Thing::Stack),
            Some(Thing::Frame),
        ];
        let is_own = own.contains(&kind);
        self.note_store(state, thing, at, size, value);
        let hits = |other: i64| at.is_none_or(|at| overlap((at, size.into()), (other, 8)));
        // Through another pointer the frame's own fields may be reached, but not the stacks.
        let is_frame = |terms: &Terms, slot: &Slot| terms.get(slot.thing) == Some(Thing::Frame);
        state.forget_slots(|slot| {
            (slot.thing == thing || (!is_own && is_frame(self.terms, slot))) && hits(slot.offset)
        });
        let convention = self.convention;
        state.outdate(self.terms, |terms, other| {
            if !is_own && lasts(convention, terms, other) {
                return false;
            }
            let at = |offset: NumberId| terms.fixed(offset).map(u64::cast_signed);
            match other {
                Thing::Local(slot) => kind == Some(Thing::Frame) && at(slot).is_none_or(hits),
                Thing::Item(slot) => kind == Some(Thing::Stack) && at(slot).is_none_or(hits),
                Thing::Pointee(of, slot) => (of == thing || !is_own) && at(slot).is_none_or(hits),
                _ => false,
            }
        });
        let remembers = matches!(kind, Some(Thing::MachineStack | Thing::Frame));
        if let (Some(offset), 8, true) = (at, size, remembers) {
            state.remember(Slot {
                thing,
                offset,
                value,
            });
        }
    }

    /// What a store means for the items of the stack.
    fn note_store(
        &self,
        state: &mut State,
        thing: ThingId,
        at: Option<i64>,
        size: u8,
        value: Value,
    ) {
        match self.terms.get(thing) {
            Some(Thing::Stack) => state.since.write(at, size),
            Some(Thing::Frame) if at.map(i64::cast_unsigned) == self.convention.stackpointer => {
                let is_stack = |thing| self.terms.get(thing) == Some(Thing::Stack);
                state.since.saved = matches!(value, Value::Pointer(thing, ..) if is_stack(thing));
            }
            _ if self.may_be_stack(thing) => state.since.write(None, size),
            _ => {
                let is_count = at.is_some_and(|at| (0..HEAD).contains(&at));
                if let Some(item) = self.item(thing).filter(|_| is_count) {
                    state.since.count(item);
                }
            }
        }
    }

    /// The stack item that a thing is the object of.
    fn item(&self, thing: ThingId) -> Option<Item> {
        match self.terms.get(thing)? {
            Thing::Cached(number) => Some(Item::Cached(number)),
            Thing::Item(offset) => Some(Item::At(self.terms.fixed(offset)?.cast_signed())),
            // Ids of outer things are lower: this ends.
            Thing::Former(inner) => self.item(inner),
            _ => None,
        }
    }

    /// Whether a thing may be the evaluation stack under another name: reached through the frame or the thread state.
    fn may_be_stack(&self, thing: ThingId) -> bool {
        match self.terms.get(thing) {
            Some(Thing::Former(inner)) => self.may_be_stack(inner),
            Some(Thing::Pointee(of, offset)) => {
                let place = self.terms.get(of).zip(self.terms.fixed(offset));
                place.is_none_or(|place| self.convention.to_frame.contains(&place))
                    || self.may_be_stack(of)
            }
            Some(_) => false,
            None => true,
        }
    }

    fn store_anywhere(&mut self, state: &mut State) {
        state.since.write(None, 8);
        let convention = self.convention;
        state.outdate(self.terms, |terms, thing| {
            may_change(thing) && !lasts(convention, terms, thing)
        });
        self.forget_escaped(state);
        let terms = &*self.terms;
        state.forget_slots(|slot| terms.get(slot.thing) == Some(Thing::Frame));
    }

    fn forget_escaped(&mut self, state: &mut State) {
        let Some(escaped) = state.escaped else { return };
        let terms = &*self.terms;
        state.forget_slots(|slot| {
            terms.get(slot.thing) == Some(Thing::MachineStack)
                && slot.offset >= escaped.saturating_sub(ROOM_BELOW_ESCAPED)
        });
    }

    pub(super) fn call(&mut self, state: &mut State) {
        let convention = self.convention;
        state.outdate(self.terms, |terms, thing| {
            may_change(thing) && !lasts(convention, terms, thing)
        });
        self.forget_escaped(state);
        let bottom = match state.register(convention.machine_stack) {
            Value::Pointer(_, offset, _) => self.terms.fixed(offset).map(u64::cast_signed),
            _ => None,
        };
        let terms = &*self.terms;
        state.forget_slots(|slot| match terms.get(slot.thing) {
            Some(Thing::MachineStack) => bottom.is_none_or(|bottom| slot.offset < bottom),
            _ => Some(slot.offset.cast_unsigned()) != convention.stackpointer,
        });
        state.forget(convention.lost_by_calls);
        state.compared = None;
        state.since.called = true;
        state.since.saved = false;
        let result = self.terms.thing(Thing::Result(self.index));
        let zero = self.terms.constant(0);
        state.set(convention.result, Value::Pointer(result, zero, Tag::None));
    }

    pub(super) fn escape(&mut self, state: &mut State, offset: NumberId) {
        let lowest = self.terms.fixed(offset).map_or(i64::MIN, u64::cast_signed);
        state.escaped = Some(state.escaped.map_or(lowest, |known| known.min(lowest)));
    }
}

/// Whether the slot that a thing was loaded from may get another value.
fn may_change(thing: Thing) -> bool {
    matches!(
        thing,
        Thing::Local(_) | Thing::Item(_) | Thing::Pointee(..) | Thing::Global(_)
    )
}

fn lasts(convention: &Convention, terms: &Terms, thing: Thing) -> bool {
    let Thing::Pointee(of, offset) = thing else {
        return false;
    };
    let place = terms.get(of).zip(terms.fixed(offset));
    place.is_some_and(|place| convention.lasting.contains(&place))
}

fn overlap((one, one_size): (i64, i64), (other, other_size): (i64, i64)) -> bool {
    one < other.saturating_add(other_size) && other < one.saturating_add(one_size)
}
