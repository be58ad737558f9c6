//! `cpyjit bt`: stacks without a debugger.

use super::harness::{Crash, json, on_core, text};
use super::processes::Worker;
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// The names of the functions and of the Python frames, the innermost first.
fn names(thread: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for frame in thread["frames"].as_array().unwrap() {
        let name = match frame["kind"].as_str() {
            Some("jit") => format!("jit {}", frame["uop"]["base"].as_str().unwrap()),
            _ => frame["symbol"].as_str().unwrap_or("?").to_owned(),
        };
        names.push(name.split('.').next().unwrap().to_owned());
        let python = frame["python"].as_array().unwrap().iter();
        names.extend(python.map(|frame| format!("py {}", frame["function"].as_str().unwrap())));
    }
    names
}

#[test]
fn a_core_has_one_stack_from_the_signal_to_the_start() {
    let crash = Crash::new();
    let found = json(&crash.ask(&["bt", "--json"]));
    let thread = &found["data"]["threads"][0];
    assert_eq!(thread["cut_off"], Value::Null, "{found}");
    assert_eq!(thread["remaining"], Value::Array(Vec::new()), "{found}");
    let names = names(thread);
    let expected = [
        "kill",
        "os_kill",
        "_Py_BuiltinCallFast_StackRef",
        "jit _CALL_BUILTIN_FAST",
        "py f",
        "_PyEval_EvalFrameDefault",
        "py <module>",
        "PyEval_EvalCode",
    ];
    assert_eq!(names[..expected.len()], expected, "{found}");
    assert_eq!(names.last().unwrap(), "_start", "{found}");
    assert!(text(&crash.ask(&["bt", "--limit", "1"])).contains("more frames"));
}

#[test]
fn a_core_that_is_cut_off_has_an_honest_end() {
    let crash = Crash::new();
    let bytes = fs::read(&crash.core).unwrap();
    let cut = crash.scratch.path().join("cut");
    for part in 2..8 {
        // The stack lies at the end of the memory.
        fs::write(&cut, &bytes[..bytes.len() - bytes.len() / part / 8]).unwrap();
        let found = json(&on_core(&crash.scratch, &cut, &["bt", "--json"]));
        let reason = found["data"]["threads"][0]["cut_off"].as_str();
        let error = found["report"] == "error";
        assert!(error || reason.is_some(), "{found}");
    }
}

#[test]
fn a_process_shows_the_stacks_of_all_its_threads() {
    let worker = Worker::of("python3.14");
    let found = worker.ask(&TempDir::new().unwrap(), &["bt", "--stop", "--all"]);
    let threads = found["data"]["threads"].as_array().unwrap();
    assert!(threads.len() > 1, "{found}");
    for thread in threads {
        // One that is in the kernel's own page, where no file says how to go on, still has its Python frames.
        let remaining = thread["remaining"].as_array().unwrap().iter();
        let python: usize = remaining
            .chain(thread["frames"].as_array().unwrap())
            .map(|part| part["python"].as_array().unwrap().len())
            .sum();
        assert!(python > 0, "{found}");
        let is_whole = thread["frames"].as_array().unwrap().len() > 5;
        assert!(is_whole || thread["cut_off"].is_string(), "{found}");
    }
}

#[test]
fn a_process_that_is_not_held_has_no_registers() {
    let worker = Worker::of("python3.15");
    let found = worker.ask(&TempDir::new().unwrap(), &["bt"]);
    let findings = found["findings"].to_string();
    assert!(findings.contains("--stop"), "{found}");
}
