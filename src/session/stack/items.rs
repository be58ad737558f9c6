//! Which items are on an evaluation stack, where they are, and how certain that is.

use super::registers::{Cached, Registers};
use super::selected::{Evidence, Here, Selected};
use crate::address::Address;
use crate::cpython::{Frame, Variables};
use crate::error::Result;
use crate::listing::SinceItem;
use crate::session::Session;

/// A result may be pushed while the operands are kept: one item more than `co_stacksize` says.
const ROOM_BEHIND: u64 = 1;

/// How certain an item is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is there.
    Certain,
    /// It was there when the uop began, and may have been taken and freed since.
    Former,
    /// It is not known.
    Unknown,
}

impl State {
    /// The word of reports.
    pub fn word(self) -> &'static str {
        match self {
            State::Certain => "certain",
            State::Former => "former",
            State::Unknown => "unknown",
        }
    }
}

/// The bits of an item.
#[derive(Clone, Copy)]
pub(super) enum Bits {
    /// In a word of memory, which has not been read.
    At(Address),
    /// These; whether the tag is as it was.
    Are(u64, bool),
    /// Not known.
    Unknown,
}

/// An item.
#[derive(Clone, Copy)]
pub(super) struct Item {
    pub register: Option<&'static str>,
    pub address: Option<Address>,
    pub cached: Option<u8>,
    pub state: State,
    pub bits: Bits,
    /// Whether its object may have been freed.
    pub may_be_freed: bool,
}

/// The items of one frame, from the bottom.
pub(super) struct Items {
    /// `now`, or `uop`: when the uop began.
    pub as_of: &'static str,
    pub all: Vec<Item>,
}

impl Items {
    /// Those below the pointer that the frame has saved, which must be up to date.
    pub fn saved(frame: &Frame, variables: &Variables) -> Result<Items, String> {
        Items::below(frame, variables, frame.stackpointer).ok_or_else(|| {
            format!(
                "the frame has saved {} as the end of its stack, where that cannot be",
                frame.stackpointer
            )
        })
    }

    fn below(frame: &Frame, variables: &Variables, top: Address) -> Option<Items> {
        let depth = depth(frame, variables, top)?;
        let all = (0..depth)
            .map(|index| Item::in_memory(frame.slot(variables.count() + index), State::Certain));
        Some(Items {
            as_of: "now",
            all: all.collect(),
        })
    }
}

fn depth(frame: &Frame, variables: &Variables, top: Address) -> Option<u64> {
    frame.depth(top, variables.count(), variables.stack_size + ROOM_BEHIND)
}

impl Item {
    fn in_memory(address: Address, state: State) -> Item {
        Item {
            register: None,
            address: Some(address),
            cached: None,
            state,
            bits: match state {
                State::Unknown => Bits::Unknown,
                _ => Bits::At(address),
            },
            may_be_freed: false,
        }
    }

    fn in_register(number: u8, cached: &Cached, registers: &Registers) -> Item {
        let nowhere = Item {
            register: Some(cached.register),
            address: None,
            cached: Some(number),
            state: State::Unknown,
            bits: Bits::Unknown,
            may_be_freed: false,
        };
        cached.found.map_or(nowhere, |found| Item {
            register: found.register,
            address: found.address,
            cached: Some(number),
            state: registers.state(SinceItem::Cached(number)),
            bits: Bits::Are(found.bits, found.is_whole),
            may_be_freed: registers.may_have_freed(SinceItem::Cached(number)),
        })
    }
}

impl Session {
    /// The items of the frame in which the uop at the pc began.
    pub(super) fn items_of_uop(
        &self,
        here: &Here,
        frame: &Frame,
        variables: &Variables,
    ) -> Result<Items, String> {
        let registers = match &here.evidence {
            Evidence::Registers(registers) => registers,
            Evidence::Frame => return Items::saved(frame, variables),
            Evidence::None(_) if here.in_call && self.is_surely_saved(frame) => {
                return Items::saved(frame, variables);
            }
            Evidence::None(why) => return Err(why.clone()),
        };
        let is_start = here.uop.as_ref().is_some_and(|(_, offset)| *offset == 0);
        match registers.saved_items(frame, variables) {
            Some(items) => Ok(items),
            None => registers.items(frame, variables, is_start),
        }
    }

    /// Builds with assertions clear the saved pointer when it gets out of date (`_PyFrame_GetStackPointer`).
    fn is_surely_saved(&self, frame: &Frame) -> bool {
        let is_debug_build = self.python().is_ok_and(|python| python.debug_build);
        is_debug_build && !frame.stackpointer.is_null()
    }

    /// The items of the innermost frame while the pc is not in JIT code. Only when the thread has given up the GIL it is
    /// certain that the pointer of its stack has been saved.
    pub(super) fn items_of_innermost(
        &self,
        selected: &Selected<'_>,
        frame: &Frame,
        variables: &Variables,
    ) -> Result<Items, String> {
        if selected.current.is_detached == Some(true) || self.is_surely_saved(frame) {
            return Items::saved(frame, variables);
        }
        Err(match selected.inside {
            "c" => {
                "C code that JIT code has called is running: the stack pointer is in a register of the JIT code's frame; \
                 select that frame (up)"
            }
            "interpreter" => {
                "the interpreter keeps the pointer of this stack in a register of its own; what the frame has saved may be \
                 out of date"
            }
            "uop" => "the uop at the pc is leaving its frame and going on in this one",
            "jit" => "the pc is in no uop: the frame is being entered or left",
            _ => "the registers of this thread are not known: select it",
        }
        .to_owned())
    }
}

impl Registers {
    /// What the uop saved before the call that is running is all there is: the garbage collector relies on it.
    fn saved_items(&self, frame: &Frame, variables: &Variables) -> Option<Items> {
        let top = self.stack.as_ref().ok()?;
        let top = top.wrapping_add(self.saved?.cast_unsigned());
        let items = || Items::below(frame, variables, top);
        (top == frame.stackpointer).then(items).flatten()
    }

    /// The items that the uop found when it began.
    fn items(&self, frame: &Frame, variables: &Variables, is_start: bool) -> Result<Items, String> {
        let stack = self.stack.clone()?;
        let depth = depth(frame, variables, stack).ok_or_else(|| {
            format!("the register of the stack pointer holds {stack}, which is not in the stack of this frame")
        })?;
        let place = |index| frame.slot(variables.count() + index);
        let mut all: Vec<Item> = (0..depth)
            .map(|index| self.item(place(index), depth - index))
            .collect();
        let cached = (0..).zip(&self.cached);
        all.extend(cached.map(|(number, cached)| Item::in_register(number, cached, self)));
        Ok(Items {
            as_of: if is_start { "now" } else { "uop" },
            all,
        })
    }

    /// The item in memory that lay so many below the top when the uop began.
    fn item(&self, address: Address, below_top: u64) -> Item {
        let offset = below_top.wrapping_mul(8).cast_signed().wrapping_neg();
        let state = match self.since.has_written(offset) {
            true => State::Unknown,
            false => self.state(SinceItem::At(offset)),
        };
        Item {
            may_be_freed: self.may_have_freed(SinceItem::At(offset)),
            ..Item::in_memory(address, state)
        }
    }

    /// Whether an item is still there that was when the uop began, and that nothing else was put in the place of.
    fn state(&self, item: SinceItem) -> State {
        match self.may_have_freed(item) {
            true => State::Former,
            false => State::Certain,
        }
    }

    /// Whether the uop may have given an item back by now: a function may have done it, or code of its own that counts
    /// references and puts objects into a free list.
    fn may_have_freed(&self, item: SinceItem) -> bool {
        self.since.called || self.in_call || self.since.has_counted(item)
    }
}
