//! How long it takes to make the symbols of all executors of a core: to read what they are about, and to write them.
//!
//! `cargo bench --bench symbols -- CORE [DEBUG-DIRECTORY]`. Each round reads the core anew, as at the next stop of a
//! debugger; medians of processor times. Prints one JSON object. scripts/bench runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::indexing_slicing
)]

use cpu_time::ThreadTime;
use cpyjit::image::Cache;
use cpyjit::session::Session;
use cpyjit::symbols::{Debugger, ExecutorCode, Member, SymbolOptions, View, write};
use cpyjit::target::{Core, Dump, FileSearch, NoExpressions};
use std::hint::black_box;
use std::path::PathBuf;

const ROUNDS: usize = 25;

/// What is written, by the name under which it is told.
const VIEWS: [(&str, View); 2] = [("frames", View::Frames), ("both", View::Both)];

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

fn read(session: &Session) -> Vec<ExecutorCode> {
    let known = session.executors().unwrap().iter();
    known
        .map(|known| session.executor_code(known.address).unwrap())
        .collect()
}

fn write_all(all: &[ExecutorCode], view: View) -> usize {
    let options = SymbolOptions {
        debugger: Debugger::Gdb,
        view,
        folder: "/tmp".to_owned(),
        loses_registers: false,
    };
    let members: Vec<Member<'_>> = (1..)
        .zip(all)
        .map(|(number, code)| Member { code, number })
        .collect();
    let files = members.chunks(options.debugger.most_together());
    let written = files.map(|some| write(some, &options).unwrap());
    written.map(|symbols| symbols.elf.len()).sum()
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
    let all = read(&session);
    let uops: usize = all.iter().map(|code| code.listing.uops.len()).sum();
    let mut reading = Vec::new();
    let mut writing = vec![Vec::new(); VIEWS.len()];
    for _ in 0..ROUNDS {
        session.invalidate();
        // The lists of executors are any command's.
        session.executors().unwrap();
        reading.push(timed(|| drop(black_box(read(&session)))));
        for ((_, view), into) in VIEWS.iter().zip(&mut writing) {
            into.push(timed(|| {
                black_box(write_all(&all, *view));
            }));
        }
    }
    let names = VIEWS.iter().map(|(name, _)| (*name).to_owned());
    let mut seconds: serde_json::Map<String, serde_json::Value> = names
        .zip(writing.into_iter().map(|seconds| median(seconds).into()))
        .collect();
    seconds.insert("read".to_owned(), median(reading).into());
    let bytes = write_all(&all, View::Frames);
    let told = serde_json::json!({
        "executors": all.len(), "uops": uops, "bytes": bytes, "rounds": ROUNDS, "seconds": seconds,
    });
    println!("{told}");
}
