//! How `cpyjit` is called and how it answers: statuses, help, completions, files, blobs.

use super::harness::{Crash, complaint, cpyjit, json, program, text};
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};
use tempfile::TempDir;

#[test]
fn wrong_calls_and_failures_have_their_status() {
    let scratch = TempDir::new().unwrap();
    let call = |arguments: &[&str]| cpyjit(&scratch).args(arguments).output().unwrap();
    assert!(complaint(&call(&[]), 2).contains("cpyjit list --core core"));
    assert!(complaint(&call(&["lst"]), 2).contains("list"));
    assert!(complaint(&call(&["list"]), 2).contains("--core CORE or --pid PID"));
    assert!(complaint(&call(&["list", "--core", "x", "--pid", "1"]), 2).contains("cannot be used"));
    assert!(complaint(&call(&["list", "--core", "/nowhere"]), 1).contains("/nowhere"));
    assert!(complaint(&call(&["list", "--core", "/dev/null"]), 1).contains("no regular file"));
    assert!(complaint(&call(&["list", "--core", "/bin/sh"]), 1).contains("no core"));
    assert!(complaint(&call(&["list", "--pid", "4194305"]), 1).contains("no process"));
    for (arguments, status) in [
        (&["dis", "--json", "--bogus"][..], 2),
        (&["dis", "--json", "--core", "/x"], 1),
    ] {
        let output = call(arguments);
        assert_eq!(output.status.code(), Some(status));
        assert!(output.stderr.is_empty());
        assert_eq!(json(&output)["report"], "error");
    }
}

#[test]
fn help_names_commands_as_they_are_typed() {
    let scratch = TempDir::new().unwrap();
    let call = |arguments: &[&str]| text(&cpyjit(&scratch).args(arguments).output().unwrap());
    assert!(call(&["--version"]).starts_with("cpyjit "));
    let overview = call(&["--help"]);
    for manual in cpyjit::command::manuals() {
        let name = manual.name.strip_prefix("jit-").unwrap();
        assert!(overview.contains(&format!("  {name} ")), "{overview}");
        assert!(overview.contains(&manual.summary), "{overview}");
        for help in [call(&[name, "--help"]), call(&[name, "-h"])] {
            assert!(
                help.contains(&format!("cpyjit {name} --core CORE")),
                "{help}"
            );
            assert!(!help.contains("jit-"), "{help}");
        }
    }
}

#[test]
fn shells_accept_the_completions() {
    let scratch = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = text(
            &cpyjit(&scratch)
                .args(["completions", shell])
                .output()
                .unwrap(),
        );
        assert!(
            script.contains("debug-dir") && script.contains("trace"),
            "{shell}"
        );
        if shell == "bash" {
            let file = scratch.path().join("completions");
            fs::write(&file, script).unwrap();
            assert!(
                Command::new("bash")
                    .arg("-n")
                    .arg(file)
                    .status()
                    .unwrap()
                    .success()
            );
        }
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let scratch = TempDir::new().unwrap();
    let mut command = cpyjit(&scratch);
    command
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}

#[test]
fn reports_go_into_files() {
    let crash = Crash::new();
    let file = crash.scratch.path().join("report.json");
    let name = file.to_string_lossy();
    let output = crash.ask(&["list", "--json", "-o", &name]);
    assert_eq!(text(&output), "");
    let report: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(report["report"], "executors");
    let output = crash.ask(&["list", "-o", "/nowhere/x"]);
    assert!(complaint(&output, 1).contains("cannot write /nowhere/x"));
}

#[test]
fn a_saved_blob_is_disassembled_and_nothing_is_claimed() {
    let scratch = TempDir::new().unwrap();
    let save = "
import _opcode, sys
def f(rounds):
    total = 0
    for i in range(rounds):
        total += i & 3
    return total
f(100000)
for offset in range(0, len(f.__code__.co_code), 2):
    try:
        executor = _opcode.get_executor(f.__code__, offset)
    except ValueError:
        continue
    open(sys.argv[1], 'wb').write(executor.get_jit_code())
    break
";
    let blob = scratch.path().join("blob");
    let mut python = Command::new(program("python3.15"));
    python.args(["-c", save]).arg(&blob).env("PYTHON_JIT", "1");
    assert!(python.status().unwrap().success());
    let size = fs::metadata(&blob).unwrap().len();
    let call = |arguments: &[&str]| {
        let mut command = cpyjit(&scratch);
        command
            .args(["dis", "--raw"])
            .arg(&blob)
            .args(arguments)
            .output()
            .unwrap()
    };
    let report = json(&call(&["--json", "--arch", "x86_64", "--base", "0x7f0000"]));
    assert_eq!(
        (&report["report"], &report["data"]["size"]),
        (&Value::from("raw"), &Value::from(size))
    );
    let instructions = report["data"]["instructions"].as_array().unwrap();
    // _START_EXECUTOR begins so: mov rbx, rdi.
    assert_eq!(
        (&instructions[0]["address"], &instructions[0]["mnemonic"]),
        (&"0x7f0000".into(), &"mov".into())
    );
    let decoded: u64 = instructions
        .iter()
        .map(|one| one["size"].as_u64().unwrap())
        .sum();
    assert_eq!(decoded + report["data"]["zeros"].as_u64().unwrap(), size);
    let listing = text(&call(&["--arch", "x86_64"]));
    assert!(
        !listing.contains("uop _") && listing.contains("which uops these are is not told"),
        "{listing}"
    );
    assert!(complaint(&call(&["f"]), 2).contains("--raw"));
    assert!(complaint(&call(&["--arch", "vax"]), 2).contains("vax"));
}
