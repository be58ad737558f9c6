//! Case files: a synthetic target, commands, and what they answer.
//!
//! `cargo test --test cases` compares; `BLESS=1 cargo test --test cases` writes the answers into the files, to be read
//! before they are committed; `CASE=loop` takes only the files with that in their name.
//!
//! # The file
//!
//! A file `tests/cases/NAME.case` begins with a comment that says what it shows, then describes a target, then holds
//! commands with their replies:
//!
//! ```text
//! > jit-where {A:3+2}
//! | 0x7f0000010014 is in uop 3 _LOAD_FAST_r01+2
//!
//! > pc={A:3} width=80 jit-dis f --json
//! failed with status 2
//! | …
//! ```
//!
//! Before the name of the command may stand `pc=ADDRESS` and `thread=ID` (what is selected), `width=COLUMNS`, `color`, and
//! `complete` (then the lines of the reply are the candidates). `{…}` stands for an address: `{A}` of an object,
//! `{A:3}` of the code of uop 3, `{A:label}` of the uop with that label, `{A:3.data}` of its data, `{A.code}` of the whole
//! allocation, `{A.guard}`, `{A.trampolines}`, `{A.padding}` (before the data), `{A.data}`, `{A.got}`, `{A.rest}` (behind
//! the GOT), `{A.end}`, and each of them with `+N`; `{}` for nothing, so that a blank before it
//! stays at the end of a line.
//!
//! A reply is text behind `|`; `failed with status N` stands before it where the command failed, and `writes FILE` before
//! the content of a file that the front-end is to write. JSON has line breaks added. Control characters are shown as
//! pictures (␛), those that hide or turn text as ␦, and the number of memory requests as ….
//!
//! # The description
//!
//! Blocks of a line at the margin and indented items; `#` begins a comment. `include FILE` takes in
//! `tests/cases/targets/FILE`. Later lines add to earlier ones; a `struct` replaces one of its name.
//!
//! ```text
//! target ARCHITECTURE VERSION [kind=core] [pid=N] [debug-build] [without-cpython]
//! struct NAME SIZE
//!   MEMBER @OFFSET SIZE [signed] [bits=LOWEST:COUNT] [element=SIZE]
//! without symbol NAME | struct NAME | member STRUCT MEMBER
//! uops [data-align=N]
//!   NAME [none] [opcode=N] [data=SIZE] [got=K,…] [trampolines=K,…] : 49 89 06 0f 85 <jump>
//! shim … : 55 48 89 e5
//! opcodes
//!   NAME [opcode=N] [caches=N] [base=NAME]
//! code NAME [name=…] [qualname=…] [file=…] [firstlineno=N] [names=A,B,…] [locals=A,B,…]
//!   [LABEL:] LINE|- OPNAME [OPARG | ->LABEL [wide]]
//! executor NAME [entry=CODE.LABEL] [invalid] [not-warm] [unlisted] [deleted] [tracked] [freed] [chain=N] [as=cold|dynamic]
//!   [LABEL:] UOP|?OPCODE [oparg=N] [@CODE.LABEL] [ip=CODE.LABEL] [unit=CODE.LABEL] [operand0=N|NAME] [operand1=N]
//!            [jump=LABEL] [error=LABEL] [exit=EXECUTOR|cold|dynamic] [control-flow] [temperature=N]
//! interpreter [none] [jit=off]
//! thread ID [running=EXECUTOR]
//!   frame | entry EXECUTOR|none
//! value EXPRESSION NUMBER|NAME
//! registered [without=EXECUTOR]
//! functions
//! lie OBJECT MEMBER NUMBER|NAME
//! poke PLACE HEX…
//! ```
//!
//! * Machine code has holes: x86's `<jump> <error> <guard> <own+N> <data+N> <gotK>` are distances of 4 bytes, `<oparg>` 4
//!   and `<operand0>` 8 bytes of value, AArch64's `<b PLACE>` and `<bl PLACE>` whole instructions, also to
//!   `trampolineK`. `none` is a uop without a stencil.
//! * Numbers of instructions and uops are given in order. `data-align` says that zeros stand before the data (3.15).
//! * `@f.loop+2` is the code unit 2 bytes behind the label `loop` of `f` (`@f+12` also works, `@12` is not checked),
//!   `ip=` its address and `unit=` its index as operand0; an `exit` gives the uop the next exit record and its address as operand0.
//! * `entry=` puts ENTER_EXECUTOR into the bytecode. `as=cold` makes an executor the one that `exit=cold` leads to.
//! * A lie overwrites a member at the very end. Objects are executors, code objects, `f:co_linetable` (also `co_name`,
//!   `co_qualname`, `co_filename`, `co_executors`), `interpreter`, `thread0`, `thread0.frame0`, `A.uop3`, `A.exit0`, and
//!   `gc0` for the head of the garbage collector's list, `gc1` … for the executors in it that are `tracked`. A poke
//!   overwrites bytes at a place of a command, such as `A:3+2`.
//! * `registered` makes `__jit_debug_descriptor` lead to a file in memory for each executor (3.15); `A.copy` is the code in it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

mod synthetic;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use synthetic::case::{Case, all};

/// Unchanged lines shown around a difference.
const CONTEXT: usize = 2;

#[test]
fn replies_are_as_the_case_files_say() {
    let bless = std::env::var_os("BLESS").is_some();
    let wanted = std::env::var("CASE").unwrap_or_default();
    let cases: Vec<Case> = all()
        .into_iter()
        .filter(|case| case.name().contains(&wanted))
        .collect();
    assert!(!cases.is_empty(), "no case file is called so");
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case, bless)).collect();
    let commands: usize = cases.iter().map(|case| case.exchanges.len()).sum();
    // Not `println`, which the test harness swallows.
    let _ = writeln!(
        std::io::stderr(),
        "{} case files with {commands} commands, {} failed",
        cases.len(),
        failures.len()
    );
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// What is wrong with a case, if something is.
fn check(case: &Case, bless: bool) -> Option<String> {
    let replies = match catch_unwind(AssertUnwindSafe(|| run(case))) {
        Ok(replies) => replies,
        Err(_) => return Some(format!("{}: panicked, see above", case.name())),
    };
    if case.exchanges.is_empty() {
        return Some(format!("{}: there is no command", case.name()));
    }
    if !case.preamble.starts_with("# ") {
        return Some(format!(
            "{}: a comment has to say what it shows",
            case.name()
        ));
    }
    if bless {
        let text = case.text(&replies);
        std::fs::write(&case.path, text).unwrap();
        return None;
    }
    let differences: Vec<String> = case
        .exchanges
        .iter()
        .zip(&replies)
        .filter(|(exchange, reply)| exchange.expected.is_empty() || exchange.expected != **reply)
        .map(|(exchange, reply)| {
            let difference = difference(&exchange.expected, reply);
            format!("{}: > {}\n{difference}", case.name(), exchange.command)
        })
        .collect();
    (!differences.is_empty()).then(|| differences.join("\n"))
}

fn run(case: &Case) -> Vec<String> {
    let mut made = case.make();
    let answers = case.exchanges.iter().map(|exchange| {
        let reply = exchange.answer(&mut made);
        assert!(!reply.is_empty(), "an empty reply: > {}", exchange.command);
        reply
    });
    answers.collect()
}

/// The lines that differ: `-` expected, `+` answered.
fn difference(expected: &str, answered: &str) -> String {
    let old: Vec<&str> = expected.lines().collect();
    let new: Vec<&str> = answered.lines().collect();
    let lines = aligned(&old, &new);
    let near = |index: usize| {
        let from = index.saturating_sub(CONTEXT);
        let to = (index + CONTEXT + 1).min(lines.len());
        lines[from..to].iter().any(|(sign, _)| *sign != ' ')
    };
    let shown = lines.iter().enumerate().filter(|(index, _)| near(*index));
    shown
        .map(|(_, (sign, line))| format!("    {sign} {line}\n"))
        .collect()
}

/// Both texts in one, by their longest common subsequence of lines.
fn aligned<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<(char, &'t str)> {
    let mut common = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = match old[i] == new[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', old[i]));
            i += 1;
        } else {
            lines.push(('+', new[j]));
            j += 1;
        }
    }
    lines
}
