//! What an executor and its surroundings say of each other.

use super::Subject;
use super::tally::Tally;
use crate::address::Address;
use crate::map::RegionKind;

/// What lies around an executor.
#[derive(Clone, Debug)]
pub struct Neighbours {
    /// What leads to it.
    pub roots: Roots,
    /// The bytecode that should enter it, or why that cannot be read; `None` if it says that none does.
    pub entered: Option<Result<Entered, String>>,
    /// What its exits lead to besides cold executors.
    pub children: Vec<Child>,
    /// The executors that stand for exits without one.
    pub cold: Vec<Address>,
    /// The copy registered for debuggers, or why there is none.
    pub copy: Result<RegisteredCopy, NoCopy>,
}

/// The copy of an executor's code that was registered for debuggers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisteredCopy {
    /// Where it says that the code is.
    pub address: Address,
    /// The code.
    pub text: Vec<u8>,
    /// How many bytes its symbol covers.
    pub size: u64,
}

/// Why there is no copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoCopy {
    /// It cannot be known: a reason, not a fault.
    NotKnown(String),
    /// There should be one.
    Missing(String),
}

/// The lists of the interpreter, as far as they are about one executor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Roots {
    /// Its place in the list of executors, and the ones before and behind it.
    pub listed: Option<(u64, Address, Address)>,
    /// It was added to that list last.
    pub is_newest: bool,
    /// It is in the list of those that wait for being freed.
    pub waits: bool,
    /// It stands for exits without an executor.
    pub is_cold: bool,
}

/// A code object, as far as it is about one executor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entered {
    /// The slots of `co_executors`.
    pub slots: Vec<Address>,
    /// Where the instruction at `vm_data.index` stands.
    pub at: Address,
    /// Its opcode and argument as they stand in memory.
    pub instruction: (u8, u8),
    /// The opcode of `ENTER_EXECUTOR`.
    pub enter: Option<u8>,
}

/// An executor that an exit leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Child {
    /// Which exit.
    pub exit: usize,
    /// The code unit at which its trace begins, or why it is not known.
    pub start: Result<u32, String>,
}

/// `vm_data.code` ↔ slot of `co_executors` ↔ argument of `ENTER_EXECUTOR`.
pub(super) fn bytecode(subject: &Subject<'_>, tally: &mut Tally) {
    let executor = &subject.mapped.executor;
    let entered = match &subject.neighbours.entered {
        Some(Ok(entered)) => entered,
        // CPython sets it when the executor is in the list already.
        Some(Err(reason)) if subject.neighbours.roots.is_newest => {
            return tally.cannot(format_args!(
                "it is the newest and may be being compiled at this moment: vm_data.code is {reason}"
            ));
        }
        Some(Err(reason)) => {
            return tally.that(false, "vm_data.code", "a code object with bytecode", reason);
        }
        None => return tally.cannot("no bytecode enters it"),
    };
    let slot = entered
        .slots
        .iter()
        .position(|slot| *slot == executor.address);
    let Some(slot) = slot else {
        return tally.that(
            false,
            "vm_data.code",
            "a code object that has it in co_executors",
            executor.code,
        );
    };
    tally.held(1);
    tally.at(entered.at, None);
    if let Some(enter) = entered.enter {
        tally.same("opcode at vm_data.index", enter, entered.instruction.0);
    }
    tally.same(
        "oparg at vm_data.index",
        slot,
        usize::from(entered.instruction.1),
    );
}

/// `make_cold_executor` in `Python/optimizer.c` sets what is used and no more.
pub(super) const COLD: &str = "a cold executor leaves this uninitialised";

/// 3.14: the links of a list in both directions; 3.15: the place in an array.
pub(super) fn list(subject: &Subject<'_>, tally: &mut Tally) {
    if subject.neighbours.roots.is_cold {
        return tally.cannot(COLD);
    }
    let claims = &subject.mapped.executor.claims;
    let Some((place, before, behind)) = subject.neighbours.roots.listed else {
        if let Some(index) = claims.array_index {
            return tally.that(
                index < 0,
                "vm_data.bloom_array_idx",
                "-1, it is in no list",
                index,
            );
        }
        return tally.cannot("it is not in the interpreter's list");
    };
    if let Some(index) = claims.array_index {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        return tally.same("vm_data.bloom_array_idx", place, index);
    }
    if let Some(next) = claims.next {
        tally.same("vm_data.links.next", behind, next);
    }
    if let Some(previous) = claims.previous {
        tally.same("vm_data.links.previous", before, previous);
    }
}

/// What goes on at an exit begins where the exit leads.
pub(super) fn children(subject: &Subject<'_>, tally: &mut Tally) {
    for child in &subject.neighbours.children {
        let Some(exit) = subject.mapped.executor.exits.get(child.exit) else {
            continue;
        };
        tally.at(exit.address, None);
        match &child.start {
            Ok(start) => {
                let field = format_args!("exits[{}].target", child.exit);
                let what = format_args!("{start}, where the executor behind it begins");
                tally.that(*start == exit.target, field, what, exit.target);
            }
            Err(reason) => {
                let field = format_args!("exits[{}].executor", child.exit);
                tally.that(false, field, "an executor", reason);
            }
        }
    }
}

/// The code of 3.15 is registered for debuggers with a copy of code and trampolines.
pub(super) fn copy(subject: &Subject<'_>, tally: &mut Tally) {
    let (address, copy, size) = match &subject.neighbours.copy {
        Err(NoCopy::NotKnown(reason)) => return tally.cannot(reason),
        Err(NoCopy::Missing(reason)) => {
            return tally.that(
                false,
                "__jit_debug_descriptor",
                "a copy of the code",
                reason,
            );
        }
        Ok(copy) => (copy.address, &copy.text, copy.size),
    };
    let live = match subject.bytes {
        Ok(bytes) => bytes,
        Err(reason) => return tally.cannot(reason),
    };
    let start = subject.mapped.executor.jit_code;
    tally.at(start, None);
    tally.same("address of the registered .text", start, address);
    let code: u64 = region_sizes(
        subject,
        &[RegionKind::Shim, RegionKind::Uops, RegionKind::Guard],
    );
    let trampolines = region_sizes(subject, &[RegionKind::Trampolines]);
    let whole = code + trampolines;
    tally.same("size of the registered symbol", whole, size);
    tally.same("size of the registered .text", whole, copy.len() as u64);
    let wrong = (0u64..)
        .zip(copy.iter().zip(live))
        .find(|(_, (copy, live))| copy != live);
    match wrong {
        None => tally.held(copy.len() as u64),
        Some((offset, (copy, live))) => {
            let at = start.wrapping_add(offset);
            tally.at(at, None).that(
                false,
                "byte of the code",
                format_args!("{copy:#x} as in the registered copy"),
                format_args!("{live:#x}"),
            );
        }
    }
}

fn region_sizes(subject: &Subject<'_>, kinds: &[RegionKind]) -> u64 {
    let regions = subject.mapped.map.regions.iter();
    regions
        .filter(|region| kinds.contains(&region.kind))
        .map(|region| region.range.size)
        .sum()
}
