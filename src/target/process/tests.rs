use super::*;
use std::process::{Child, Command};

/// A process that sleeps, ended with the test.
struct Sleeper(Child);

impl Sleeper {
    fn new() -> Sleeper {
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        // It is ours until it has become `sleep`.
        while !state(child.id()).starts_with("(sleep) S") {
            std::thread::yield_now();
        }
        Sleeper(child)
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `(command) state …`
fn state(id: u32) -> String {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    text.split_once(' ')
        .map_or_else(String::new, |(_, rest)| rest.to_owned())
}

#[test]
fn reads_memory_and_finds_files() {
    let sleeper = Sleeper::new();
    let process = Process::open(sleeper.0.id(), false, &FileSearch::default()).unwrap();
    let main = &process.files().found(&[])[0];
    assert!(main.path.ends_with("sleep"), "{main:?}");
    let mut magic = [0; 4];
    process
        .read(Address(main.bias.unwrap()), &mut magic)
        .unwrap();
    assert_eq!(&magic, b"\x7fELF");
    assert!(process.read(Address(8), &mut magic).is_err());
    assert!(
        process.findings()[0].what.contains("goes on"),
        "{:?}",
        process.findings()
    );
    assert_eq!(process.registers(sleeper.0.id().into()), None);
}

#[test]
fn holds_all_threads_and_lets_them_go() {
    let sleeper = Sleeper::new();
    let id = sleeper.0.id();
    let process = Process::open(id, true, &FileSearch::default()).unwrap();
    assert!(state(id).starts_with("(sleep) t"), "{}", state(id));
    assert_eq!(process.findings(), []);
    let pc = process
        .registers(process.threads()[0])
        .unwrap()
        .pc()
        .unwrap();
    let mut code = [0; 2];
    process
        .read(pc.wrapping_add(0u64.wrapping_sub(2)), &mut code)
        .unwrap();
    // It sleeps in the kernel: behind the instruction that called it.
    if process.architecture() == Architecture::X86_64 {
        assert_eq!(code, [0x0f, 0x05]);
    }
    drop(process);
    // It runs for a moment and sleeps on.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !state(id).starts_with("(sleep) S") && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(state(id).starts_with("(sleep) S"), "{}", state(id));
}

#[test]
fn says_what_cannot_be_read() {
    let refused = |id| {
        Process::open(id, false, &FileSearch::default())
            .unwrap_err()
            .to_string()
    };
    assert!(refused(u32::MAX).contains("no process"));
    // Nobody may hold itself.
    let own = Process::open(std::process::id(), true, &FileSearch::default()).unwrap_err();
    assert!(own.to_string().contains("cannot be read"), "{own}");
}

#[test]
fn a_process_reads_itself() {
    let own = Process::own(&FileSearch::default()).unwrap();
    let number = std::hint::black_box(0x1234_5678_u32);
    let mut bytes = [0; 4];
    own.read(Address((&raw const number).addr() as u64), &mut bytes)
        .unwrap();
    assert_eq!(u32::from_le_bytes(bytes), number);
    let fault = own.read(Address(8), &mut bytes).unwrap_err();
    assert_eq!(fault.readable, 0);
    assert!(own.threads().contains(&current_thread()));
    assert_eq!(own.findings(), []);
}
