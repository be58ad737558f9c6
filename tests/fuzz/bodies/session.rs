//! Every command on a target with damage anywhere: objects, lists, traces, machine code, tables.

use super::Body;
use super::choices::Choices;
use super::damage::{Damaged, session, targets};
use super::meter::LONGEST_REPLY;
use cpyjit::command::{self, Reply, TextStyle};
use cpyjit::session::Session;
use cpyjit::target::Kind;

pub const BODY: Body = Body {
    name: "session",
    run,
    seeds,
};

/// Arguments for every command; a command refuses those that it does not have.
const ARGUMENTS: [&str; 7] = [
    "",
    "--all",
    "#0",
    "f",
    "0x10000000",
    "--all --json",
    "--all --html -o page.html",
];

fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let parts = choices.one(targets());
    let damaged_tables = choices.u8() % 4 == 1;
    let mut memory = Damaged::new(&parts.memory);
    memory.damage(parts, &mut choices);
    let session = match damaged_tables {
        true => {
            let mut tables = Damaged::new(&parts.memory);
            let mut again = Choices::new(bytes.get(3..).unwrap_or_default());
            tables.damage(parts, &mut again);
            session(parts, &tables, memory, Kind::Core)
        }
        false => session(parts, &parts.memory, memory, Kind::Core),
    };
    if let Some(session) = session {
        every_command(&session);
    }
}

/// Runs all commands and looks at what any reply must be.
pub fn every_command(session: &Session) {
    for manual in command::manuals() {
        for arguments in ARGUMENTS {
            answer(session, manual.name, arguments);
        }
        let json = answer(session, manual.name, "--json");
        assert!(
            serde_json::from_str::<serde_json::Value>(&json.text).is_ok(),
            "{} --json: {}",
            manual.name,
            json.text
        );
        command::complete(Some(session), manual.name, "");
    }
    check_executors(session);
}

pub fn answer(session: &Session, name: &str, arguments: &str) -> Reply {
    let style = TextStyle {
        width: 100,
        ..TextStyle::default()
    };
    let reply = command::run(Ok(session), name, arguments, style);
    assert!(!reply.failed || reply.status != 0, "{name} {arguments}");
    assert!(
        reply.text.len() < LONGEST_REPLY,
        "{name} {arguments}: {} characters",
        reply.text.len()
    );
    let control = |c: char| c.is_control() && c != '\n';
    assert!(
        !reply.text.contains(control),
        "{name} {arguments}: a control character reaches the terminal: {:?}",
        reply.text
    );
    reply
}

/// Each executor is listed once, under its own number.
fn check_executors(session: &Session) {
    let Ok(executors) = session.executors() else {
        return;
    };
    let mut addresses = std::collections::HashSet::new();
    for (place, known) in executors.iter().enumerate() {
        assert!(addresses.insert(known.address), "{} twice", known.address);
        assert_eq!(known.header.index, u32::try_from(place).ok());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = (0..targets().len() as u8)
        .map(|target| vec![target, 0, 0])
        .collect();
    // Some damage of each kind.
    seeds.extend((0..8).map(|kind| vec![0, 0, 0, 0, kind, 1, 0, 96, 0, 3, 0, 0, 0, 0, 0, 0, 0]));
    // Pages everywhere that are full of pointers to the executor's type.
    let mut pages = vec![0, 0, 0, 1, 8];
    pages.extend(0x40_1000u64.to_le_bytes());
    seeds.push(pages);
    seeds
}
