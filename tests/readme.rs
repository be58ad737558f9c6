//! The README's table of commands is that of the library. `BLESS=1 cargo test --test readme` rewrites it.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- commands: generated, `BLESS=1 cargo test --test readme` -->\n";
const END: &str = "<!-- end of commands -->";

#[test]
fn the_table_of_commands_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", commands())).unwrap();
    } else {
        assert_eq!(table, commands(), "run BLESS=1 cargo test --test readme");
    }
}

#[test]
fn every_command_has_a_manual_with_examples() {
    for manual in all() {
        assert!(manual.name.starts_with("jit-"));
        assert!(
            !manual.summary.is_empty() && !manual.summary.ends_with('.'),
            "{}",
            manual.name
        );
        assert!(
            manual.help.contains("Examples:"),
            "{} has no examples",
            manual.name
        );
        assert!(manual.usage.starts_with(manual.name), "{}", manual.usage);
    }
}

fn all() -> impl Iterator<Item = cpyjit::command::Manual> {
    let looking = cpyjit::command::manuals().into_iter();
    looking.chain(cpyjit::command::control_manuals())
}

fn commands() -> String {
    let mut table = String::from("\n| command | what it does |\n|---|---|\n");
    for manual in all() {
        // A bar would end the column.
        let usage = manual.usage.replace('|', "\\|");
        writeln!(table, "| `{usage}` | {} |", manual.summary).unwrap();
    }
    table.push('\n');
    table
}
