//! What all tests of the command line need: the CPythons of the testbed, cores of them, and calls of `cpyjit`.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The CPythons of the testbed, by their programs.
pub const TARGETS: [&str; 5] = [
    "python3.14",
    "python3.15",
    "python3.14d",
    "python3.15d",
    "embed3.15",
];

pub fn testbed() -> PathBuf {
    let testbed = std::env::var_os("CPYJIT_TESTBED").expect(
        "this test needs real CPythons: run scripts/test, which makes them and sets CPYJIT_TESTBED",
    );
    PathBuf::from(testbed)
}

pub fn program(name: &str) -> PathBuf {
    testbed().join("targets/usr/bin").join(name)
}

pub fn debug_directory() -> PathBuf {
    testbed().join("targets/usr/lib/debug")
}

pub fn script() -> PathBuf {
    Path::new(ROOT).join("tests/debugger/programs/stop_in_loop.py")
}

/// `cpyjit` with its cache in a folder of the test.
pub fn cpyjit(scratch: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cpyjit"));
    command.env("CPYJIT_CACHE", scratch.path().join("cache"));
    command.env_remove("CLICOLOR_FORCE");
    command.stdin(Stdio::null());
    command
}

/// `cpyjit NAME --core CORE …` with the debug files of the testbed.
pub fn on_core(scratch: &TempDir, core: &Path, arguments: &[&str]) -> Output {
    let mut command = cpyjit(scratch);
    command.arg(arguments[0]).arg("--core").arg(core);
    command.arg("--debug-dir").arg(debug_directory());
    command.args(&arguments[1..]).output().unwrap()
}

pub fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

pub fn complaint(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A core of python3.15, which aborted in its JIT.
pub struct Crash {
    pub scratch: TempDir,
    pub core: PathBuf,
}

impl Crash {
    pub fn new() -> Crash {
        let scratch = TempDir::new().unwrap();
        let mut python = with_cores(&program("python3.15"));
        python.arg(script()).env("PYTHON_JIT", "1");
        let output = python.current_dir(scratch.path()).output().unwrap();
        assert!(!output.status.success());
        Crash {
            core: kernel_core(scratch.path()),
            scratch,
        }
    }

    pub fn ask(&self, arguments: &[&str]) -> Output {
        on_core(&self.scratch, &self.core, arguments)
    }
}

/// A program of which the kernel writes a core.
pub fn with_cores(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -c unlimited && exec \"$0\" \"$@\""]);
    command.arg(program).stdin(Stdio::null());
    command
}

/// The core that the kernel wrote into a folder.
pub fn kernel_core(directory: &Path) -> PathBuf {
    let files = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cores = files.filter(|path| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("core")
    });
    cores.next().unwrap_or_else(|| {
        let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
        panic!("the kernel left no core here: its core_pattern is {pattern}; this test needs sysctl kernel.core_pattern=core")
    })
}
