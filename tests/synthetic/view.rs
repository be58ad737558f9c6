//! What the debuggers' own commands show of JIT code, as text for case files.

use cpyjit::address::Address;
use cpyjit::command::{self, Settings, TextStyle};
use cpyjit::session::Session;

/// The answer to `view-notes LEVEL ADDRESS`, `view-frame PC`, `view-value STRUCTURE ADDRESS` or `view-window`.
pub fn answer(session: &Session, style: TextStyle, name: &str, arguments: &str) -> String {
    let words: Vec<&str> = arguments.split_whitespace().collect();
    match (name, words.as_slice()) {
        ("view-notes", [level, at]) => notes(session, level, address(at)),
        ("view-frame", [pc]) => frame(session, address(pc)),
        ("view-value", [structure, at]) => value(session, structure, address(at)),
        ("view-window", []) => window(session, style),
        _ => panic!("no such view: {name} {arguments}"),
    }
}

fn address(text: &str) -> Address {
    Address(u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap())
}

fn notes(session: &Session, level: &str, address: Address) -> String {
    let mut settings = Settings::default();
    settings.set("notes", level).unwrap();
    match command::notes(session, address, settings) {
        Ok(None) => "none\n".to_owned(),
        Err(error) => format!("error: {error}\n"),
        Ok(Some(found)) => {
            let range = format!("{} +{}\n", found.range.start, found.range.size);
            let lines = found.notes.iter();
            range
                + &lines
                    .map(|(at, text)| format!("{at}  {text}\n"))
                    .collect::<String>()
        }
    }
}

fn frame(session: &Session, pc: Address) -> String {
    match command::frame(session, pc) {
        Ok(None) => "none\n".to_owned(),
        Err(error) => format!("error: {error}\n"),
        Ok(Some(found)) => {
            let filename = found.filename.as_deref().unwrap_or("?");
            let line = found.line.map_or("?".to_owned(), |line| line.to_string());
            format!("{} at {filename}:{line}\n", found.name)
        }
    }
}

fn value(session: &Session, structure: &str, address: Address) -> String {
    match command::describe(session, structure, address) {
        Ok(text) => text.unwrap_or_else(|| "none".to_owned()) + "\n",
        Err(error) => format!("error: {error}\n"),
    }
}

fn window(session: &Session, style: TextStyle) -> String {
    let window = command::window(Ok(session), style);
    let mut text = format!("== {} ==\n", window.title);
    for (index, line) in window.lines.iter().enumerate() {
        let mark = if window.mark == Some(index) { '*' } else { ' ' };
        text.push_str(&format!("{mark}{line}\n"));
    }
    text
}
