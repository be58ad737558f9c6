//! The code that enters JIT code from C, and its frame, which lies below all uops.
//!
//! 3.14 emits it in front of each executor (`shim` in `Tools/jit/shim.c`), 3.15 has one function for all
//! (`_PyJIT_Entry` in `Python/jit_entry.c`). Uops go on to each other by jumps, so the stack at the start of each uop is
//! as this code left it when it called the first, whichever executor that was in. What it saved where is read from its
//! own instructions.

use super::stack_flow::StackFlow;
use super::stack_state::{Place, StackState};
use crate::address::Address;
use crate::platform::{Architecture, Link, Register};

/// Executors start on pages: each has a mapping of its own (`jit_alloc` in `Python/jit.c`).
const PAGE: u64 = 4096;

/// Larger than the frame of any shim, in bytes.
const LARGEST_FRAME: u64 = 1 << 12;

/// Where the code lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Home {
    /// In front of the uops of each executor.
    EachExecutor,
    /// A function.
    Function(Address),
}

/// What a shim leaves on the stack.
#[derive(Clone, Debug)]
pub struct Shim {
    /// The machine.
    pub architecture: Architecture,
    home: Home,
    /// Bytes from the stack pointer at the start of a uop to that at the start of the shim.
    frame: u64,
    /// Bytes from the start of the shim to where uops return to.
    returns_to: u64,
    /// Where the frame pointer points while uops run, from the stack pointer at the start of the shim.
    frame_pointer: Option<i64>,
    saved: Vec<(Register, Place)>,
    /// Where the shim itself returns to; not where calls push that, so that it lies at its start of the stack.
    link: Option<Place>,
}

impl Shim {
    /// What can be told from the instructions of the shim; `None` if they call nothing or leave the stack unknown.
    pub fn new(architecture: Architecture, home: Home, flow: &StackFlow) -> Option<Shim> {
        let (state, returns_to) = flow.first_call()?;
        let depth = u64::try_from(state.depth()?).ok()?;
        let platform = architecture.platform();
        let (pushed, link) = match platform.link {
            Link::Pushed(size) => (size, None),
            Link::Register(register) => (0, Some(place_in(state, register))),
        };
        let frame = depth
            .checked_add(pushed)
            .filter(|size| *size <= LARGEST_FRAME)?;
        Some(Shim {
            architecture,
            home,
            frame,
            returns_to,
            frame_pointer: state.distance(platform.frame_pointer),
            saved: (platform.callee_saved.iter())
                .map(|register| (*register, place_in(state, *register)))
                .collect(),
            link,
        })
    }

    /// Whether uops may return there: a place behind the call of a shim. `starts_executor` tells whether the code of an
    /// executor starts at an address.
    pub fn is_returned_to(
        &self,
        address: Address,
        starts_executor: &dyn Fn(Address) -> bool,
    ) -> bool {
        let start = Address(address.0.wrapping_sub(self.returns_to));
        match self.home {
            Home::EachExecutor => start.0.is_multiple_of(PAGE) && starts_executor(start),
            Home::Function(function) => start == function,
        }
    }

    /// The stack pointer at the start of the shim, by that at the start of a uop.
    pub fn entry(&self, boundary: Address) -> Address {
        boundary.wrapping_add(self.frame)
    }

    /// The stack pointer at the start of a uop, by the frame pointer; `None` where the shim keeps none.
    pub fn boundary_by_frame_pointer(&self, frame_pointer: u64) -> Option<Address> {
        let entry = frame_pointer.wrapping_sub(self.frame_pointer?.cast_unsigned());
        Some(Address(entry.wrapping_sub(self.frame)))
    }

    /// The canonical frame address: the stack pointer of the caller of the shim, once it is back there.
    pub fn cfa(&self, boundary: Address) -> Address {
        let entry = self.entry(boundary);
        entry.wrapping_add(self.pushed())
    }

    /// What a call takes of the stack.
    fn pushed(&self) -> u64 {
        match self.architecture.platform().link {
            Link::Pushed(size) => size,
            Link::Register(_) => 0,
        }
    }

    /// Where the address that the shim returns to is in memory; `None` where it is not known.
    pub fn return_address(&self, boundary: Address) -> Option<Address> {
        let entry = self.entry(boundary);
        match self.link {
            None => Some(entry),
            Some(Place::Saved(at)) => Some(entry.wrapping_add(at.cast_unsigned())),
            Some(_) => None,
        }
    }

    /// The registers that the shim gives back, and where they are: in memory, or unchanged since before the shim.
    pub fn saved(&self, boundary: Address) -> impl Iterator<Item = (Register, At)> {
        let entry = self.entry(boundary);
        self.saved.iter().map(move |(register, place)| {
            let at = match place {
                Place::Unchanged => At::Register,
                Place::Saved(at) => At::Memory(entry.wrapping_add(at.cast_unsigned())),
                Place::Lost => At::Nowhere,
            };
            (*register, at)
        })
    }

    /// The registers that are the same while uops run as before the shim, unless a uop keeps them elsewhere.
    pub fn unchanged(&self) -> impl Iterator<Item = Register> {
        let saved = self.saved.iter();
        saved.filter_map(|(register, place)| (*place == Place::Unchanged).then_some(*register))
    }

    /// How much of the stack the frame takes, in bytes.
    pub fn size(&self) -> u64 {
        self.frame
    }

    /// Where each register is, in bytes from the canonical frame address; `None` for one that is unchanged or lost.
    pub fn offsets(&self) -> impl Iterator<Item = (Register, i64)> {
        let to_cfa = self.entry_to_cfa();
        self.saved
            .iter()
            .filter_map(move |(register, place)| match place {
                Place::Saved(at) => Some((*register, at.wrapping_sub(to_cfa))),
                _ => None,
            })
    }

    /// The canonical frame address less the frame pointer while uops run; `None` where the shim keeps none.
    pub fn cfa_by_frame_pointer(&self) -> Option<i64> {
        self.entry_to_cfa().checked_sub(self.frame_pointer?)
    }

    fn entry_to_cfa(&self) -> i64 {
        let start = Address(0);
        let bytes = self.cfa(start).0.wrapping_sub(self.entry(start).0);
        bytes.cast_signed()
    }

    /// Where the return address is, in bytes from the canonical frame address.
    pub fn return_offset(&self) -> Option<i64> {
        let entry = self.return_address(Address(0))?.0;
        Some(entry.wrapping_sub(self.cfa(Address(0)).0).cast_signed())
    }
}

/// What the shim has put aside, uops may change: they give back nothing but the frame pointer (`preserve_none`).
fn place_in(state: &StackState, register: Register) -> Place {
    let saved = state.saved(register).map(Place::Saved);
    saved.unwrap_or_else(|| state.place(register))
}

/// Where a register of the caller is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// In the register, as at the start of the uop.
    Register,
    /// In memory.
    Memory(Address),
    /// Not known.
    Nowhere,
}
