//! The commands on one target, damaged or not.

use cpyjit::address::Address;
use cpyjit::command::{self, TextStyle};
use cpyjit::image::Cache;
use cpyjit::session::Session;
use cpyjit::target::{Core, Description, Dump, Evaluate, FileSearch, Kind, Stop};
use std::path::Path;

/// The files of a case.
pub struct Files<'f> {
    pub core: &'f Path,
    pub executable: &'f Path,
    pub debug_file: Option<&'f Path>,
    /// Whether what the cache on disk says of these files may be believed.
    pub cache: bool,
}

/// Opens them as the command line does.
pub fn open(files: &Files<'_>) -> Result<Session, String> {
    let core = Core::open(files.core, &mut |_| ()).map_err(|error| error.to_string())?;
    let search = FileSearch {
        named: vec![files.executable.to_owned()],
        ..FileSearch::default()
    };
    let dump = Dump::new(core, &search);
    let debug_files: Vec<_> = files.debug_file.map(Path::to_owned).into_iter().collect();
    let thread = dump.core().thread(None);
    let stop = Stop {
        pc: thread.and_then(|thread| thread.registers.pc()),
        thread: thread.map(|thread| thread.id),
        in_file: false,
    };
    let description = Description {
        architecture: dump
            .core()
            .architecture()
            .platform()
            .debugger_name
            .to_owned(),
        kind: Kind::Core,
        pid: dump.core().notes().process,
        files: dump.files().found(&debug_files),
        debug_directories: Vec::new(),
        packet: None,
    };
    let mut session = Session::new(Box::new(dump), Box::new(Nobody), description);
    session.select(stop);
    Ok(match files.cache {
        true => session,
        false => session.with_cache(Cache::off()),
    })
}

struct Nobody;

impl Evaluate for Nobody {
    fn evaluate(&self, expression: &str) -> Result<Address, String> {
        Err(format!("{expression} is no number"))
    }
}

/// The commands of a case. Each is there or not; those that are not, are refused.
const CALLS: [(&str, &str); 11] = [
    ("jit-info", "--json"),
    ("jit-list", "--json"),
    ("jit-list", ""),
    ("jit-dis", "--all --json"),
    ("jit-dis", "#0"),
    ("jit-trace", "#0"),
    ("jit-trace", "f --json"),
    ("jit-verify", ""),
    ("jit-verify", "--json"),
    ("jit-stack", "--full"),
    ("jit-stack", "--all-threads --json"),
];

/// Runs the commands. How many of them answered, that is did not fail.
///
/// # Panics
/// Where the library does, and where a reply cannot be right.
pub fn run(session: &Session, addresses: &[u64]) -> usize {
    let there: Vec<&str> = command::manuals()
        .iter()
        .map(|manual| manual.name)
        .collect();
    let calls = CALLS.iter().filter(|(name, _)| there.contains(name));
    let mut answered = calls
        .filter(|(name, arguments)| call(session, name, arguments))
        .count();
    for address in addresses {
        let arguments = format!("{address:#x} --json");
        answered += usize::from(call(session, "jit-where", &arguments));
    }
    answered
}

fn call(session: &Session, name: &str, arguments: &str) -> bool {
    let style = TextStyle::default();
    let reply = command::run(Ok(session), name, arguments, style);
    assert!(!reply.failed || reply.status != 0, "{name} {arguments}");
    if arguments.contains("--json") {
        let parsed = serde_json::from_str::<serde::de::IgnoredAny>(&reply.text);
        assert!(parsed.is_ok(), "{name} {arguments} is no JSON: {parsed:?}");
    }
    let control = |c: char| c.is_control() && c != '\n';
    assert!(
        !reply.text.contains(control),
        "{name} {arguments}: a control character: {:?}",
        reply.text.lines().find(|line| line.contains(control))
    );
    !reply.failed
}
