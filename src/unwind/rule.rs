//! How to get from a place in JIT code to its caller, in the terms of unwind tables: everything by its distance from the
//! canonical frame address (CFA), or in a register.

use super::shim::Shim;
use super::stack_flow::StackFlow;
use super::stack_state::{Place, StackState};
use crate::address::Address;
use crate::platform::{Link, Register};

/// The caller, from a place on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnwindRule {
    /// The CFA: so many bytes from what is in this register.
    pub cfa: (Register, i64),
    /// Where the return address is.
    pub return_address: ReturnAddress,
    /// Where the registers of the caller are; those that are not named are unchanged.
    pub registers: Vec<(Register, SavedAt)>,
}

/// Where a return address is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReturnAddress {
    /// In memory, so many bytes from the CFA.
    Memory(i64),
    /// In a register.
    Register(Register),
}

/// Where a register of the caller is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SavedAt {
    /// In memory, so many bytes from the CFA.
    Memory(i64),
    /// Nowhere.
    Lost,
}

/// The rules of a uop, each with where in it they begin to hold. Code that is never reached has the rule of what is in
/// front of it.
pub fn uop_rules(shim: &Shim, flow: &StackFlow) -> Vec<(u64, UnwindRule)> {
    changes(flow, |state| in_uop(shim, state))
}

/// The same of the shim itself.
pub fn shim_rules(shim: &Shim, flow: &StackFlow) -> Vec<(u64, UnwindRule)> {
    changes(flow, |state| in_shim(shim, state))
}

fn changes(
    flow: &StackFlow,
    rule: impl Fn(&StackState) -> Option<UnwindRule>,
) -> Vec<(u64, UnwindRule)> {
    let mut rules: Vec<(u64, UnwindRule)> = Vec::new();
    for (offset, state) in flow.states() {
        let Some(rule) = state.and_then(&rule) else {
            continue;
        };
        if rules.last().is_none_or(|(_, last)| *last != rule) {
            rules.push((offset, rule));
        }
    }
    rules
}

fn in_uop(shim: &Shim, state: &StackState) -> Option<UnwindRule> {
    let frame_pointer = shim.architecture.platform().frame_pointer;
    let above = i64::try_from(shim.cfa(Address(0)).0).ok()?;
    let cfa = match (shim.cfa_by_frame_pointer(), state.place(frame_pointer)) {
        (Some(offset), Place::Unchanged) => (frame_pointer, offset),
        _ => (stack_pointer(shim), state.depth()?.checked_add(above)?),
    };
    let mut registers: Vec<(Register, SavedAt)> = shim
        .offsets()
        .map(|(register, offset)| (register, SavedAt::Memory(offset)))
        .collect();
    for register in shim.unchanged() {
        add(&mut registers, register, state.place(register), above)?;
    }
    Some(UnwindRule {
        cfa,
        return_address: ReturnAddress::Memory(shim.return_offset()?),
        registers,
    })
}

fn in_shim(shim: &Shim, state: &StackState) -> Option<UnwindRule> {
    let platform = shim.architecture.platform();
    let (above, return_address) = match platform.link {
        Link::Pushed(size) => {
            let size = i64::try_from(size).ok()?;
            (size, ReturnAddress::Memory(size.checked_neg()?))
        }
        Link::Register(link) => match state.place(link) {
            Place::Unchanged => (0, ReturnAddress::Register(link)),
            Place::Saved(at) => (0, ReturnAddress::Memory(at)),
            Place::Lost => return None,
        },
    };
    let mut registers = Vec::new();
    for register in platform.callee_saved {
        add(&mut registers, *register, state.place(*register), above)?;
    }
    Some(UnwindRule {
        cfa: (stack_pointer(shim), state.depth()?.checked_add(above)?),
        return_address,
        registers,
    })
}

/// Adds a register unless it is unchanged; `above` is the CFA, in bytes from the stack pointer at the entry.
fn add(
    registers: &mut Vec<(Register, SavedAt)>,
    register: Register,
    place: Place,
    above: i64,
) -> Option<()> {
    match place {
        Place::Unchanged => {}
        Place::Saved(at) => registers.push((register, SavedAt::Memory(at.checked_sub(above)?))),
        Place::Lost => registers.push((register, SavedAt::Lost)),
    }
    Some(())
}

fn stack_pointer(shim: &Shim) -> Register {
    shim.architecture.platform().stack_pointer
}
