//! The commands, and a debugger that follows executors, on one target, damaged or not.

use super::front_end::FrontEnd;
use super::views;
use cpyjit::address::Address;
use cpyjit::command::{self, TextStyle};
use cpyjit::control::stepping::{Event, Reason};
use cpyjit::control::symbols::{Carrier, Mode, Wishes};
use cpyjit::control::{Control, Debugger};
use cpyjit::image::Cache;
use cpyjit::session::Session;
use cpyjit::target::{Core, Dump, FileSearch, Kind, NoExpressions};
use std::collections::BTreeMap;
use std::path::Path;

/// The files of a case.
pub struct Files<'f> {
    pub core: &'f Path,
    pub executable: &'f Path,
    pub debug_file: Option<&'f Path>,
    /// Whether what the cache on disk says of these files may be believed.
    pub cache: bool,
    /// Whether it is taken for a process, in which executors may come and go.
    pub live: bool,
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
    let stop = dump.stop();
    let mut description = dump.description(&debug_files, Vec::new());
    if files.live {
        description.kind = Kind::Live;
    }
    let mut session = Session::new(Box::new(dump), Box::new(NoExpressions), description);
    session.select(stop);
    Ok(match files.cache {
        true => session,
        false => session.with_cache(Cache::off()),
    })
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

/// The addresses that a debugger looks at by itself, which takes as long as two commands: an executor, its trace, its machine
/// code and its code object.
const LOOKED_AT: usize = 4;

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
    for address in addresses.iter().take(LOOKED_AT) {
        views::look(session, Address(*address));
    }
    follow(session, Debugger::Gdb, &DEBUGGING);
    // What differs there are the files.
    follow(session, Debugger::Lldb, &DEBUGGING[..1]);
    answered
}

/// What a user of a debugger does. In a core most of it is refused.
const DEBUGGING: [(&str, &str); 8] = [
    ("jit-symbols", "on"),
    ("jit-break-uop", "*"),
    ("jit-break-exit", ""),
    ("jit-catch", "compile"),
    ("jit-catch", "invalidate"),
    ("jit-step-uop", ""),
    ("jit-finish", ""),
    ("jit-symbols", "on --view both"),
];

/// The same in a debugger that does what it is asked for.
fn follow(session: &Session, debugger: Debugger, commands: &[(&str, &str)]) {
    let mut control = Control::default();
    let carrier = Carrier {
        debugger,
        folder: "/listings".to_owned(),
        loses_registers: false,
        next: None,
    };
    control.begin_symbols(carrier, Mode::Auto);
    let mut front_end = FrontEnd::default();
    let style = TextStyle::default();
    for (name, arguments) in commands {
        let reply = command::run_in_debugger(Ok(session), &mut control, name, arguments, style);
        front_end.carry_out(&reply);
        if let Some(address) = front_end.wanted() {
            let event = Event {
                reason: Reason::Place,
                address: Some(address),
                hits: BTreeMap::from([(address, 1)]),
                text: String::new(),
            };
            front_end.carry_out(&command::resume(session, &mut control, &event, style));
        }
        let wishes = Wishes::default();
        front_end.carry_out(&command::refresh(session, &mut control, wishes, style));
    }
    for hook in front_end.hooks().to_vec() {
        // An executor was compiled, or one that is not known is freed.
        let registers = hook.registers.iter().map(|name| ((*name).to_owned(), 1));
        let hit = (hook.kind, &registers.collect());
        front_end.carry_out(&command::hook(session, &mut control, hit, true, style));
    }
    front_end.carry_out(&command::process_gone(&mut control, true));
    front_end.ended();
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
