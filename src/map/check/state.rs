//! The flags of an executor, and the lists that they go with.

use super::Subject;
use super::tally::Tally;

/// `invalidate_executor` and `_Py_ExecutorDetach` in `Python/optimizer.c` change flags, lists and bytecode together.
pub(super) fn state(subject: &Subject<'_>, tally: &mut Tally) {
    let executor = &subject.mapped.executor;
    let roots = &subject.neighbours.roots;
    let state = executor.state;
    let code_is_null = executor.code.is_null();
    if roots.is_cold {
        tally.that(
            state.valid,
            "vm_data.valid",
            "true for a cold executor",
            false,
        );
        let what = "NULL for a cold executor";
        return tally.that(code_is_null, "vm_data.code", what, executor.code);
    }
    let listed = roots.listed.is_some();
    let place = match listed {
        true => "in the interpreter's list",
        false => "not in the interpreter's list",
    };
    let has = |field| {
        let shape = subject.python.layouts.find("_PyExecutorObject");
        shape.is_some_and(|shape| shape.find(field).is_some())
    };
    let what = format_args!("{listed}, as it is {place}").to_string();
    tally.that(state.valid == listed, "vm_data.valid", &what, state.valid);
    // 3.15 has a place in an array instead, which the check of the list looks at.
    if let Some(linked) = state.linked.filter(|_| has("vm_data.linked")) {
        tally.that(linked == listed, "vm_data.linked", &what, linked);
    }
    if has("vm_data.pending_deletion") {
        let (found, waits) = (state.pending_deletion, roots.waits);
        tally.same("vm_data.pending_deletion", waits, found);
    }
    if !state.valid {
        let what = "NULL for an invalid executor";
        tally.that(code_is_null, "vm_data.code", what, executor.code);
        invalid_exits(subject, tally);
    }
}

/// The exits of an invalid executor lead to none, so that nothing is kept alive by it.
fn invalid_exits(subject: &Subject<'_>, tally: &mut Tally) {
    let cold = &subject.neighbours.cold;
    for (index, exit) in subject.mapped.executor.exits.iter().enumerate() {
        let reset = exit.executor.is_null() || cold.contains(&exit.executor);
        tally.at(exit.address, None).that(
            reset,
            format_args!("exits[{index}].executor"),
            "NULL or a cold executor, as this one is invalid",
            exit.executor,
        );
    }
}
