//! A trace of any bytes over the machine code of a sound executor.

use super::Body;
use super::choices::Choices;
use super::damage::{Damaged, session, targets};
use super::session::{answer, every_command};
use cpyjit::target::Kind;
use serde_json::Value;

pub const BODY: Body = Body {
    name: "trace",
    run,
    seeds,
};

/// Where the trace is put: there is room for any.
const TRACE: u64 = 0x6000_0000;

fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let parts = choices.one(&targets()[..4]);
    let shape = parts.layouts.find("_PyExecutorObject").unwrap();
    let executor = parts.names["A"];
    let trace = choices.rest();
    let uops = trace.len() as u64 / parts.layouts.find("_PyUOpInstruction").unwrap().size;
    let mut memory = Damaged::new(&parts.memory);
    memory.put(TRACE, trace);
    memory.set(shape, executor, "trace", TRACE);
    memory.set(shape, executor, "code_size", uops);
    let Some(session) = session(parts, &parts.memory, memory, Kind::Core) else {
        panic!("the tables are sound");
    };
    let reply = answer(&session, "jit-trace", &format!("{executor:#x} --json"));
    let report: Value = serde_json::from_str(&reply.text).unwrap();
    assert!(!reply.failed, "{}", reply.text);
    assert_eq!(count_of_uops(&report), Some(uops), "{report}");
    every_command(&session);
}

/// What the report says of the executor.
fn count_of_uops(report: &Value) -> Option<u64> {
    report
        .pointer("/data/executors/0/executor/uop_count")?
        .as_u64()
}

fn seeds() -> Vec<Vec<u8>> {
    (0..4)
        .map(|target| {
            let parts = &targets()[usize::from(target)];
            let mut seed = vec![target, 0];
            seed.extend(real_trace(parts));
            seed
        })
        .collect()
}

/// The trace as it was described.
fn real_trace(parts: &crate::synthetic::target::Parts) -> Vec<u8> {
    use cpyjit::address::Address;
    use cpyjit::target::Reader;
    let reader = Reader::new(&parts.memory);
    let shape = parts.layouts.find("_PyExecutorObject").unwrap();
    let record = reader.record(Address(parts.names["A"]), shape).unwrap();
    let size = parts.layouts.find("_PyUOpInstruction").unwrap().size;
    let length = record.unsigned("code_size").unwrap() * size;
    let trace = record.pointer("trace").unwrap();
    reader.bytes(trace, length, "trace").unwrap()
}
