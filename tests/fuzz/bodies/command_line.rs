//! Command lines of any text on a sound target.

use super::Body;
use super::choices::Choices;
use super::damage::{Damaged, session, targets};
use cpyjit::command::{self, TextStyle};
use cpyjit::target::Kind;

pub const BODY: Body = Body {
    name: "command_line",
    run,
    seeds,
};

fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let manuals = command::manuals();
    let name = choices.one(&manuals).name;
    let style = TextStyle {
        width: usize::from(choices.u8()),
        color: choices.u8() & 1 == 1,
        ascii: choices.u8() & 1 == 1,
    };
    let text = String::from_utf8_lossy(choices.rest());
    let parts = &targets()[0];
    let Some(session) = session(
        parts,
        &parts.memory,
        Damaged::new(&parts.memory),
        Kind::Core,
    ) else {
        panic!("the target is sound");
    };
    let reply = command::run(Ok(&session), name, &text, style);
    assert!(!reply.failed || reply.status != 0, "{name} {text:?}");
    if reply.failed {
        assert!(reply.actions.is_empty(), "{name} {text:?}");
    }
    for candidate in command::complete(Some(&session), name, &text) {
        assert!(!candidate.is_empty());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    const LINES: [&str; 12] = [
        "#0 --json",
        "f -o out.txt",
        "f:5 --att",
        "--all --uop _LOAD*",
        "0x10000000+8 --raw",
        "\"a b\" 'c d' e\\ f",
        "--only valid,warm --sort size",
        "$pc",
        "main.py:7",
        "-- --json",
        "--help",
        "f --stubs --width=3",
    ];
    let commands = command::manuals().len() as u8;
    let lines = LINES.iter().flat_map(|line| {
        (0..commands).map(move |command| [&[command, 0, 80, 0], line.as_bytes()].concat())
    });
    lines.collect()
}
