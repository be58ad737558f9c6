//! Cores and processes, compared with what GDB says of the same process.

use super::harness::{
    Crash, ROOT, TARGETS, debug_directory, json, kernel_core, on_core, program, script, testbed,
    text, with_cores,
};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// What is compared with GDB: a function that runs in the JIT when the program aborts, what there is besides, and the pc.
const COMMANDS: [&[&str]; 4] = [&["dis", "f"], &["trace", "--all"], &["list"], &["where"]];

/// A process of CPython that aborted in its JIT: what GDB said of it while it lived, and what `cpyjit --pid` said then;
/// and its cores.
struct Abort {
    scratch: TempDir,
    live: Vec<Value>,
    by_pid: Vec<Value>,
    from_kernel: PathBuf,
    from_gdb: PathBuf,
}

impl Abort {
    fn of(name: &str) -> Abort {
        let scratch = TempDir::new().unwrap();
        let file = |kind: &str, index: usize| scratch.path().join(format!("{kind}-{index}.json"));
        let mut gdb = gdb(&scratch);
        gdb.args(["-ex", "set environment PYTHON_JIT=1", "-ex", "run"]);
        for (index, arguments) in COMMANDS.iter().enumerate() {
            let (call, file) = (arguments.join(" "), |kind| file(kind, index));
            gdb.arg("-ex")
                .arg(format!("jit-{call} --json -o {}", file("gdb").display()));
            let pid = "%d' % gdb.selected_inferior().pid";
            gdb.arg("-ex").arg(format!(
                "python gdb.execute('shell {} {call} --json --debug-dir {} -o {} --pid {pid})",
                env!("CARGO_BIN_EXE_cpyjit"),
                debug_directory().display(),
                file("pid").display(),
            ));
        }
        let from_gdb = scratch.path().join("by-gdb");
        gdb.arg("-ex").arg(format!("gcore {}", from_gdb.display()));
        gdb.args(["-ex", "continue", "--args"])
            .arg(program(name))
            .arg(script());
        let output = gdb.output().unwrap();
        let read = |kind: &str| {
            let files = (0..COMMANDS.len()).map(|index| fs::read(file(kind, index)));
            let found = files.filter_map(|content| serde_json::from_slice(&content.ok()?).ok());
            found.collect::<Vec<Value>>()
        };
        let (live, by_pid) = (read("gdb"), read("pid"));
        assert_eq!(
            live.len(),
            COMMANDS.len(),
            "GDB could not tell (scripts/build): {output:?}"
        );
        // Without --stop, which GDB's own hold does not allow, there is no pc to ask for.
        assert_eq!(by_pid.len(), COMMANDS.len() - 1, "{output:?}");
        Abort {
            live,
            by_pid,
            from_kernel: kernel_core(scratch.path()),
            from_gdb,
            scratch,
        }
    }

    fn on_core(&self, core: &Path, arguments: &[&str]) -> Output {
        on_core(&self.scratch, core, arguments)
    }
}

/// GDB in the scratch folder, in which the kernel may leave cores.
fn gdb(scratch: &TempDir) -> Command {
    let mut command = with_cores(&testbed().join("bin/gdb-18"));
    command.args([
        "-nx",
        "-batch",
        "-iex",
        "set debuginfod enabled off",
        "-iex",
        "set auto-load off",
    ]);
    command.arg("-iex").arg(format!(
        "set debug-file-directory {}",
        debug_directory().display()
    ));
    for variable in ["PYTHONHOME", "PYTHONPATH", "PYTHONNOUSERSITE"] {
        command
            .arg("-ex")
            .arg(format!("unset environment {variable}"));
    }
    command
        .arg("-ex")
        .arg(format!("source {ROOT}/gdb/cpyjit_gdb.py"));
    command.env("CPYJIT_CACHE", scratch.path().join("cache"));
    command.current_dir(scratch.path());
    command
}

/// Without what must differ between a process and its cores.
fn comparable(report: &Value) -> Value {
    let mut report = report.clone();
    report["target"]["kind"] = Value::Null;
    report["findings"] = Value::Null;
    report
}

#[test]
fn cores_and_processes_tell_what_gdb_told() {
    for target in TARGETS {
        let abort = Abort::of(target);
        for (by_pid, live) in abort.by_pid.iter().zip(&abort.live) {
            assert!(
                comparable(by_pid) == comparable(live),
                "{target}:\n{by_pid}\n{live}"
            );
            let (last, others) = by_pid["findings"].as_array().unwrap().split_last().unwrap();
            assert!(last["what"].as_str().unwrap().contains("goes on"), "{last}");
            assert_eq!(others, live["findings"].as_array().unwrap(), "{target}");
        }
        for (arguments, live) in COMMANDS.iter().zip(&abort.live) {
            assert_ne!(live["report"], "error", "{target} {arguments:?}: {live}");
            for core in [&abort.from_kernel, &abort.from_gdb] {
                let found = json(&abort.on_core(core, &[*arguments, &["--json"]].concat()));
                assert_eq!(found["target"]["kind"], "core");
                let core = core.display();
                assert!(
                    comparable(&found) == comparable(live),
                    "{target} {arguments:?} {core}:\n{found}\n{live}"
                );
                assert_eq!(
                    found["findings"], live["findings"],
                    "{target} {arguments:?} {core}"
                );
            }
        }
    }
}

#[test]
fn the_text_is_that_of_gdb_on_the_core() {
    let crash = Crash::new();
    let mut gdb = gdb(&crash.scratch);
    gdb.args([
        "-ex",
        "set width 0",
        "-ex",
        "echo @@\\n",
        "-ex",
        "jit-dis f",
        "-ex",
        "echo @@\\n",
    ]);
    let output = gdb
        .arg(program("python3.15"))
        .arg(&crash.core)
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let listing = output.split("@@\n").nth(1).expect("GDB printed no listing");
    assert!(
        listing.contains("=> ") || listing.contains("_START_EXECUTOR"),
        "{listing}"
    );
    assert_eq!(text(&crash.ask(&["dis", "f"])), listing);
}

#[test]
fn the_running_executor_needs_no_name() {
    let crash = Crash::new();
    let named = text(&crash.ask(&["dis", "f"]));
    assert_eq!(text(&crash.ask(&["dis"])), named);
}
