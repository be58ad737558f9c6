//! The trace: uops, where they jump to, and the exits.

use super::Subject;
use super::tally::Tally;
use crate::address::{Address, UopIndex};
use crate::cpython::{Uop, UopKind};

/// Stubs that leave by a record of `exits` (`prepare_for_execution` in `Python/optimizer.c`).
const EXIT_STUBS: [&str; 2] = ["_EXIT_TRACE", "_DYNAMIC_EXIT"];

/// Executors for exits without one have a single uop and no start.
const COLD: [&str; 2] = ["_COLD_EXIT", "_COLD_DYNAMIC_EXIT"];

impl Subject<'_> {
    /// The uops of the trace with index, address and kind.
    fn trace(&self) -> impl Iterator<Item = (UopIndex, Address, &Uop, Option<&UopKind>)> {
        let shape = self.python.layouts.find("_PyUOpInstruction");
        let size = shape.map_or(0, |shape| shape.size);
        let start = self.mapped.executor.trace;
        (0..)
            .zip(&self.mapped.executor.uops)
            .map(move |(index, uop)| {
                let at = start.wrapping_add(u64::from(index) * size);
                (UopIndex(index), at, uop, self.python.uops.kind(uop.opcode))
            })
    }

    fn is_stub(&self, index: UopIndex) -> bool {
        let index = index.0 as usize;
        (self.mapped.body..self.mapped.executor.uops.len()).contains(&index)
    }
}

/// `_START_EXECUTOR` has its own executor as operand.
pub(super) fn start(subject: &Subject<'_>, tally: &mut Tally) {
    let executor = &subject.mapped.executor;
    let first = subject.trace().next();
    let Some((index, at, uop, kind)) = first else {
        return tally.that(false, "code_size", "at least one uop", 0);
    };
    let base = kind.map_or("?", |kind| &*kind.base);
    tally.at(at, Some(index));
    if COLD.contains(&base) {
        return tally.same("code_size", 1, executor.uops.len());
    }
    tally.same("opcode", "_START_EXECUTOR", base);
    if base == "_START_EXECUTOR" {
        tally.same("operand0", executor.address, Address(uop.operand0));
    }
}

/// Only `_JUMP_TO_TOP` jumps back; all others to stubs behind the main part.
pub(super) fn jumps(subject: &Subject<'_>, tally: &mut Tally) {
    if subject.neighbours.roots.is_cold {
        return tally.cannot(super::links::COLD);
    }
    let count = subject.mapped.executor.uops.len();
    for (index, at, uop, kind) in subject.trace() {
        tally.at(at, Some(index));
        let expected = format!("a stub ({}..{count})", subject.mapped.body);
        if let Some(target) = uop.jumps.jump {
            let loops = kind.is_some_and(|kind| &*kind.base == "_JUMP_TO_TOP");
            let holds = match loops {
                true => (target.0 as usize) < subject.mapped.body,
                false => subject.is_stub(target),
            };
            tally.that(holds, "jump_target", &expected, target);
        }
        if let Some(target) = uop.jumps.error {
            tally.that(subject.is_stub(target), "error_target", &expected, target);
        }
    }
}

/// The j-th stub that leaves by an exit has `&exits[j]` as its operand, and both go on at the same instruction.
pub(super) fn exits(subject: &Subject<'_>, tally: &mut Tally) {
    let executor = &subject.mapped.executor;
    let stubs: Vec<_> = subject
        .trace()
        .filter(|(_, _, _, kind)| kind.is_some_and(|kind| EXIT_STUBS.contains(&&*kind.base)))
        .collect();
    tally.same("exit_count", stubs.len(), executor.exits.len());
    for (place, (exit, (index, at, uop, _))) in (0u64..).zip(executor.exits.iter().zip(stubs)) {
        tally.at(at, Some(index));
        tally.same("operand0", exit.address, Address(uop.operand0));
        tally.at(exit.address, Some(index));
        if let Some(target) = uop.target {
            tally.same(format_args!("exits[{place}].target"), target, exit.target);
        }
        if let Some(found) = exit.index {
            tally.same(format_args!("exits[{place}].index"), place, found);
        }
    }
}

/// Register variants chain: `_rIO` takes I items and leaves O.
pub(super) fn registers(subject: &Subject<'_>, tally: &mut Tally) {
    let cached = |kind: Option<&UopKind>| kind.and_then(|kind| kind.cached);
    let body = subject.mapped.body;
    let all: Vec<_> = subject.trace().take(body).collect();
    if all.iter().all(|(_, _, _, kind)| cached(*kind).is_none()) {
        return tally.cannot("its uops have no register variants");
    }
    for (one, next) in all.iter().zip(all.iter().skip(1)) {
        let (Some((_, left)), Some((taken, _))) = (cached(one.3), cached(next.3)) else {
            continue;
        };
        tally.at(next.1, Some(next.0));
        tally.same("stack items in registers before it", left, taken);
    }
    // A loop leads from its end to the uop that it names.
    let last = all
        .last()
        .filter(|last| last.3.is_some_and(|kind| &*kind.base == "_JUMP_TO_TOP"));
    let top = last.and_then(|last| all.get(last.2.jumps.jump?.0 as usize));
    if let (Some(last), Some(top)) = (last, top)
        && let (Some((_, left)), Some((taken, _))) = (cached(last.3), cached(top.3))
    {
        tally.at(top.1, Some(top.0));
        tally.same("stack items in registers at the top", left, taken);
    }
}
