//! Where the values that a uop began with are at a place in its code.

use super::analysis::{self, Around};
use super::annotate::{Annotator, Here};
use super::convention::Convention;
use super::since::Since;
use super::state::State;
use super::value::{NumberId, Tag, Terms, Thing, ThingId, Value};
use crate::disasm::{Architecture, Instruction, Register};

/// A value that the registers hold where a uop begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The executor.
    Executor,
    /// The frame.
    Frame,
    /// The thread state.
    ThreadState,
    /// The pointer of the evaluation stack in memory.
    Stack,
    /// The stack item in register `tosN`.
    Cached(u8),
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeldIn {
    /// In the register with this name.
    Register(&'static str),
    /// On the machine stack, so many bytes from where its pointer is now.
    MachineStack(i64),
}

/// One place that certainly holds a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The value.
    pub role: Role,
    /// Where it is.
    pub place: HeldIn,
    /// What must be taken from what is there to get the value.
    pub minus: u64,
    /// Of a reference: whether its tag was taken off or put on there. `Maybe`: it is as it was.
    pub tag: Tag,
}

/// What is certain at a place in the code of a uop.
#[derive(Clone, PartialEq, Debug)]
pub struct Held {
    /// What is where.
    pub holders: Vec<Holder>,
    /// What the uop may have done so far.
    pub since: Since,
    /// What it saved as the stack's pointer before it called the function that is running: bytes from where the pointer
    /// was when it began. All below is then kept alive by the frame (`_PyFrame_SetStackPointer`).
    pub saved: Option<i64>,
    /// Whether a function runs that was called here.
    pub in_call: bool,
    /// Where the machine stack's pointer is, in bytes from where it was when the uop began.
    pub machine_stack: Option<i64>,
    /// Where the registers hold stack items, in their order.
    pub cached: Vec<&'static str>,
}

impl Annotator {
    /// What is certain before the instruction with this index, or, if `waits`, while the function runs that it calls.
    /// `None` if the code was not understood.
    pub fn held(&self, here: &Here<'_>, code: &[u8], index: usize, waits: bool) -> Option<Held> {
        if self.agrees() == Some(false) {
            return None;
        }
        let operations = self.lifter.lift(here.instructions, code);
        let around = analysis::around(
            &self.convention,
            here.instructions,
            &operations,
            here.cached,
            index,
        )?;
        let search = Search {
            convention: &self.convention,
            architecture: self.lifter.architecture(),
            instance: here.instructions,
            terms: &around.terms,
            state: if waits {
                &around.behind
            } else {
                &around.before
            },
        };
        Some(Held {
            holders: search.holders(),
            since: around.before.since.clone(),
            in_call: waits,
            machine_stack: search.machine_stack(),
            saved: waits.then(|| search.saved(&around)).flatten(),
            cached: search.cached_registers(),
        })
    }
}

struct Search<'a> {
    convention: &'a Convention,
    architecture: Architecture,
    instance: &'a [Instruction],
    terms: &'a Terms,
    state: &'a State,
}

impl Search<'_> {
    fn holders(&self) -> Vec<Holder> {
        let numbers = 0..u8::try_from(Register::COUNT).unwrap_or(u8::MAX);
        let registers = numbers.map(Register::new).filter_map(|register| {
            let place = HeldIn::Register(register.name(self.architecture));
            self.holder(place, self.state.register(register))
        });
        registers.chain(self.spilled()).collect()
    }

    /// What was saved on the machine stack. What lies below its pointer is nobody's.
    fn spilled(&self) -> Vec<Holder> {
        let Some(now) = self.machine_stack() else {
            return Vec::new();
        };
        let is_stack = |thing| self.terms.get(thing) == Some(Thing::MachineStack);
        let slots = self.state.slots().filter(|slot| is_stack(slot.thing));
        slots
            .filter_map(|slot| Some((slot.offset.checked_sub(now)?, slot.value)))
            .filter(|(from_pointer, _)| *from_pointer >= 0)
            .filter_map(|(offset, value)| self.holder(HeldIn::MachineStack(offset), value))
            .collect()
    }

    fn machine_stack(&self) -> Option<i64> {
        match self.state.register(self.convention.machine_stack) {
            Value::Pointer(thing, offset, _)
                if self.terms.get(thing) == Some(Thing::MachineStack) =>
            {
                Some(self.number(offset)?.cast_signed())
            }
            _ => None,
        }
    }

    fn holder(&self, place: HeldIn, value: Value) -> Option<Holder> {
        let Value::Pointer(thing, offset, tag) = value else {
            return None;
        };
        Some(Holder {
            role: self.role(thing)?,
            place,
            minus: self.number(offset)?,
            tag,
        })
    }

    /// A thing that the slot need not hold any more from which it was loaded is still the same thing.
    fn role(&self, thing: ThingId) -> Option<Role> {
        Some(match self.terms.get(thing)? {
            Thing::Executor => Role::Executor,
            Thing::Frame => Role::Frame,
            Thing::ThreadState => Role::ThreadState,
            Thing::Stack => Role::Stack,
            Thing::Cached(number) => Role::Cached(number),
            _ => return None,
        })
    }

    fn number(&self, number: NumberId) -> Option<u64> {
        self.terms.value(number, self.instance)
    }

    fn saved(&self, around: &Around) -> Option<i64> {
        let field = self.convention.stackpointer?.cast_signed();
        let is_frame = |thing| self.terms.get(thing) == Some(Thing::Frame);
        let mut slots = around.before.slots();
        let slot = slots.find(|slot| is_frame(slot.thing) && slot.offset == field)?;
        match slot.value {
            Value::Pointer(thing, offset, _)
                if around.before.since.saved && self.terms.get(thing) == Some(Thing::Stack) =>
            {
                Some(self.number(offset)?.cast_signed())
            }
            _ => None,
        }
    }

    fn cached_registers(&self) -> Vec<&'static str> {
        let registers = self.convention.cached_registers();
        registers
            .map(|register| register.name(self.architecture))
            .collect()
    }
}
