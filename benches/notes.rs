//! How long `jit-dis --all` takes with remarks on instructions, against the same without them, and against capstone
//! decoding the same bytes with all details; and how long it takes to rebuild all machine code and to compare every byte,
//! against reading the map of it alone.
//!
//! `cargo bench --bench notes -- CORE [DEBUG-DIRECTORY]`; CORE is a core dump of a CPython 3.15 on x86-64. Each round reads
//! the core anew, as at the next stop of a debugger; the sides take turns, and the medians of their processor times are
//! compared: nothing waits here, and what else the machine does disturbs them less. Prints one JSON object. scripts/bench
//! runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::indexing_slicing
)]

use capstone::arch::DetailsArchInsn;
use capstone::{Capstone, Mode, NO_EXTRA_MODE};
use cpu_time::ThreadTime;
use cpyjit::address::Address;
use cpyjit::command::{self, TextStyle};
use cpyjit::image::Cache;
use cpyjit::session::Session;
use cpyjit::target::{Core, Dump, FileSearch, NoExpressions};
use serde_json::Value;
use std::hint::black_box;
use std::path::PathBuf;

const ROUNDS: usize = 15;

/// What is run, by the name under which it is told.
const COMMANDS: [(&str, &str); 3] = [
    ("without_notes", "--all --no-notes"),
    ("default", "--all"),
    ("all_notes", "--all --all-notes"),
];

fn open(core: PathBuf, debug: Vec<PathBuf>) -> Session {
    let core = Core::open(&core, &mut |_| {}).unwrap();
    let search = FileSearch {
        debug_directories: debug.clone(),
        ..FileSearch::default()
    };
    let dump = Dump::new(core, &search);
    let description = dump.description(&[], debug);
    Session::new(Box::new(dump), Box::new(NoExpressions), description).with_cache(Cache::off())
}

fn dis(session: &Session, arguments: &str) -> String {
    let reply = command::run(Ok(session), "jit-dis", arguments, TextStyle::default());
    assert!(!reply.failed, "{}", reply.text);
    reply.text
}

/// The machine code of the uops of each executor, and how many instructions it has.
fn code(session: &Session) -> (Vec<(u64, Vec<u8>)>, usize) {
    let document: Value = serde_json::from_str(&dis(session, "--all --json")).unwrap();
    let mut count = 0;
    let mut all = Vec::new();
    for listing in document["data"]["executors"].as_array().unwrap() {
        let uops = listing["uops"].as_array().unwrap();
        let rows: Vec<&Value> = uops
            .iter()
            .flat_map(|uop| uop["instructions"].as_array().unwrap())
            .collect();
        let Some(first) = rows.first() else { continue };
        let start = first["address"].as_str().unwrap().trim_start_matches("0x");
        let hex: String = rows
            .iter()
            .filter_map(|row| row["bytes"].as_str())
            .collect();
        let bytes =
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..][..2], 16).unwrap());
        count += rows.len();
        all.push((u64::from_str_radix(start, 16).unwrap(), bytes.collect()));
    }
    (all, count)
}

/// Decodes all with details and looks at each operand; how many instructions there were.
fn detailed(capstone: &Capstone, code: &[(u64, Vec<u8>)]) -> usize {
    let mut count = 0;
    for (start, bytes) in code {
        let mut instructions = capstone.disasm_iter(bytes, *start).unwrap();
        while let Some(instruction) = instructions.next() {
            black_box((instruction.mnemonic(), instruction.op_str()));
            let detail = capstone.insn_detail(&instruction).unwrap();
            let architecture = detail.arch_detail();
            for operand in architecture.x86().unwrap().operands() {
                black_box(operand);
            }
            count += 1;
        }
    }
    count
}

/// Reads the executors and makes their maps; how many uops they have.
fn maps(session: &Session) -> usize {
    let executors = session.executors().unwrap().iter();
    let executors = executors.filter_map(|known| known.executor.as_ref().ok());
    let mut uops = 0;
    for executor in executors {
        black_box(session.uop_at(executor.jit_code).unwrap());
        uops += executor.uops.len();
    }
    uops
}

/// The same, and rebuilds and compares their machine code.
fn rebuilt(session: &Session) {
    let executors = session.executors().unwrap().iter();
    let executors: Vec<Address> = executors.map(|known| known.address).collect();
    let summary = session.compare_code(&executors).unwrap();
    assert_eq!(summary.identical, executors.len() as u64, "{summary:?}");
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = ThreadTime::now();
    work();
    start.elapsed().as_secs_f64()
}

fn main() {
    let mut arguments = std::env::args_os().skip(1).filter(|word| word != "--bench");
    let core = arguments.next().expect("a core dump").into();
    let mut session = open(core, arguments.map(PathBuf::from).collect());
    let (code, instructions) = code(&session);
    let mut capstone =
        Capstone::new_raw(capstone::Arch::X86, Mode::Mode64, NO_EXTRA_MODE, None).unwrap();
    capstone.set_detail(true).unwrap();
    assert_eq!(detailed(&capstone, &code), instructions);
    let uops = maps(&session);
    let mut seconds = vec![Vec::new(); COMMANDS.len() + 1];
    let (mut of_maps, mut of_rebuilt) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for ((_, words), into) in COMMANDS.iter().zip(&mut seconds) {
            session.invalidate();
            into.push(timed(|| drop(black_box(dis(&session, words)))));
        }
        seconds[COMMANDS.len()].push(timed(|| {
            black_box(detailed(&capstone, &code));
        }));
        session.invalidate();
        of_maps.push(timed(|| {
            black_box(maps(&session));
        }));
        session.invalidate();
        of_rebuilt.push(timed(|| rebuilt(&session)));
    }
    let names = COMMANDS.iter().map(|(name, _)| *name).chain(["capstone"]);
    let names = names.chain(["maps", "rebuilt"]);
    let medians: serde_json::Map<String, Value> = names
        .zip(seconds.into_iter().chain([of_maps, of_rebuilt]))
        .map(|(name, seconds)| (name.to_owned(), median(seconds).into()))
        .collect();
    let told = serde_json::json!({
        "executors": code.len(), "instructions": instructions, "uops": uops, "rounds": ROUNDS, "seconds": medians,
    });
    println!("{told}");
}
