//! Executors that are linked as the bytes say: exits, lists, children in circles, counts of anything.

use super::Body;
use super::choices::Choices;
use super::damage::{Damaged, session, targets};
use super::session::every_command;
use crate::synthetic::target::Parts;
use cpyjit::target::Kind;

pub const BODY: Body = Body {
    name: "executors",
    run,
    seeds,
};

/// Where the executors are made: nothing of the synthetic targets is there.
const START: u64 = 0x5000_0000;

/// Bytes from one to the next. Traces and exits are large enough to overlap if the counts say so.
const STEP: u64 = 0x400;

fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    // The first two are a 3.15 with its array and a 3.14 with its list.
    let parts = choices.one(&targets()[..2]);
    let count = 1 + u64::from(choices.u8() % 64);
    let mut memory = Damaged::new(&parts.memory);
    // An executor's trace and exits may reach beyond the last one.
    memory.put(START, &vec![0; ((count + 4) * STEP) as usize]);
    for index in 0..count {
        executor(&mut memory, parts, index, count, &mut choices);
    }
    enter(&mut memory, parts, count, &mut choices);
    if let Some(session) = session(parts, &parts.memory, memory, Kind::Core) {
        every_command(&session);
    }
}

fn executor(
    memory: &mut Damaged,
    parts: &Parts,
    index: u64,
    count: u64,
    choices: &mut Choices<'_>,
) {
    let shape = parts.layouts.find("_PyExecutorObject").unwrap();
    let exit = parts.layouts.find("_PyExitData").unwrap();
    let at = START + index * STEP;
    let any = |choices: &mut Choices<'_>| START + u64::from(choices.u8()) % count * STEP;
    let python = parts.symbols.find("_PyUOpExecutor_Type").unwrap().address.0;
    let object = parts.layouts.find("PyObject").unwrap();
    memory.set(object, at, "ob_type", python);
    let exits = u64::from(choices.u8() % 8);
    let uops = u64::from(choices.u8() % 16);
    let first = shape.find("exits").unwrap().offset;
    let trace = at + first + exits * exit.size;
    for (field, value) in [
        ("exit_count", exits),
        ("code_size", uops),
        ("trace", trace),
        ("jit_code", 0x7f00_0001_0000),
        ("jit_size", 4096),
        ("vm_data.valid", u64::from(choices.u8() & 1)),
        ("vm_data.links.next", any(choices)),
        ("vm_data.links.previous", any(choices)),
        ("vm_data.code", parts.names.get("f").copied().unwrap_or(0)),
    ] {
        memory.set(shape, at, field, value);
    }
    // Now and then a number that is no good.
    if choices.u8() > 240 {
        let field = *choices.one(&["exit_count", "code_size", "jit_size", "trace"]);
        memory.set(shape, at, field, choices.u64());
    }
    for slot in 0..exits {
        memory.set(
            exit,
            at + first + slot * exit.size,
            "executor",
            any(choices),
        );
    }
}

/// Makes the interpreter know some of them.
fn enter(memory: &mut Damaged, parts: &Parts, count: u64, choices: &mut Choices<'_>) {
    let shape = parts.layouts.find("PyInterpreterState").unwrap();
    let interpreter = parts.names.get("interpreter").copied().unwrap_or(0);
    let array = START + (count + 2) * STEP;
    let known = u64::from(choices.u8() % 32);
    for slot in 0..known {
        let executor = START + u64::from(choices.u8()) % count * STEP;
        memory.put(array + 8 * slot, &executor.to_le_bytes());
    }
    for (field, value) in [
        ("executor_ptrs", array),
        ("executor_count", known),
        ("executor_list_head", START),
        ("executor_deletion_list_head", START + (count - 1) * STEP),
    ] {
        memory.set(shape, interpreter, field, value);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let circle = |target: u8| {
        let mut seed = vec![target, 0, 3];
        for next in [1, 2, 0, 1] {
            // Exits, uops, valid, next, previous, a sound executor, children.
            seed.extend([2, 4, 1, next, 0, 0, next, next]);
        }
        seed.extend([3, 0, 1, 2]);
        seed
    };
    vec![circle(0), circle(1), vec![0, 0, 63], vec![1, 0, 63]]
}
