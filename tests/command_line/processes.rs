//! Running processes, which must go on unharmed.

use super::harness::{TARGETS, cpyjit, debug_directory, json, program};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// A process of CPython that works on and on, and counts aloud; ended with the test.
pub struct Worker {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Worker {
    pub fn of(name: &str) -> Worker {
        let mut command = Command::new(program(name));
        command.args(["-c", WORK]).env("PYTHON_JIT", "1");
        let mut child = command
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut worker = Worker { child, output };
        worker.count();
        worker
    }

    /// Waits until it has worked some more.
    fn count(&mut self) -> u64 {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().parse().unwrap()
    }

    /// `cpyjit NAME --pid … --json`
    pub fn ask(&self, scratch: &TempDir, arguments: &[&str]) -> Value {
        let mut command = cpyjit(scratch);
        command
            .arg(arguments[0])
            .args(["--json", "--pid", &self.child.id().to_string()]);
        command.arg("--debug-dir").arg(debug_directory());
        json(&command.args(&arguments[1..]).output().unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every thread is compiled code and sleep by turns; each round in all of them is counted.
const WORK: &str = "
import threading, time
def f(rounds):
    total = 0
    for i in range(rounds):
        total += i & 3
    return total
def work():
    while True:
        f(5000)
        time.sleep(0.001)
f(100000)
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
for count in range(10 ** 9):
    f(5000)
    print(count, flush=True)
    time.sleep(0.01)
";

#[test]
fn processes_are_read_and_go_on() {
    let scratch = TempDir::new().unwrap();
    for target in TARGETS {
        let mut worker = Worker::of(target);
        for arguments in [&["list"][..], &["list", "--stop"]] {
            let found = worker.ask(&scratch, arguments);
            assert_eq!(found["target"]["pid"], worker.child.id(), "{found}");
            assert_eq!(found["target"]["kind"], "live");
            let executors = found["data"]["executors"].as_array().unwrap();
            assert!(
                executors.iter().any(|executor| executor["function"] == "f"),
                "{found}"
            );
            let warned = found["findings"]
                .to_string()
                .contains("goes on while it is read");
            assert_eq!(warned, arguments.len() == 1, "{found}");
            let before = worker.count();
            while worker.count() < before + 5 {}
        }
        let found = worker.ask(&scratch, &["where", "$pc", "--stop"]);
        assert_eq!(found["report"], "where", "{found}");
        let found = worker.ask(&scratch, &["where", "$pc"]);
        assert!(found["findings"].to_string().contains("--stop"), "{found}");
    }
}

#[test]
fn a_process_goes_on_when_its_reader_is_killed() {
    let scratch = TempDir::new().unwrap();
    let mut worker = Worker::of("python3.15");
    for _ in 0..10 {
        let mut command = cpyjit(&scratch);
        command.args([
            "dis",
            "--all",
            "--stop",
            "--pid",
            &worker.child.id().to_string(),
        ]);
        let mut reader = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        reader.kill().unwrap();
        reader.wait().unwrap();
    }
    let before = worker.count();
    while worker.count() < before + 20 {}
}
