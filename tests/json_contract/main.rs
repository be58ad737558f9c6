//! The JSON contract: every command of every case file is run with `--json`, and its reply is held against the rules that
//! readers of the JSON rely on. They are written down here once more, as a schema and as what has to fit together.
//! Keys that are not in the schema are allowed: the contract grows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation
)]

mod address;
mod backtrace;
mod bytecode;
mod envelope;
mod executor;
mod exits;
mod listing;
mod pieces;
mod schema;
mod stack;
#[path = "../synthetic/mod.rs"]
mod synthetic;
mod verify;

use serde_json::Value;
use std::io::Write as _;
use synthetic::case::all;

#[test]
fn every_reply_keeps_the_contract() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in all() {
        let mut made = case.make();
        for exchange in &case.exchanges {
            let Some(reply) = exchange.json(&mut made) else {
                continue;
            };
            count += 1;
            let mut found = Vec::new();
            check_reply(&reply, &mut found);
            wrong.extend(
                found
                    .into_iter()
                    .map(|what| format!("{}: > {}: {what}", case.name(), exchange.command)),
            );
        }
    }
    let _ = writeln!(std::io::stderr(), "{count} JSON replies");
    assert!(count > 0 && wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn check_reply(reply: &cpyjit::command::Reply, wrong: &mut Vec<String>) {
    // With `-o`, the document goes into the file and nothing to the terminal.
    let text = match reply.actions.as_slice() {
        [] => &reply.text,
        [cpyjit::command::Action::WriteFile { content, .. }] if reply.text.is_empty() => content,
        _ => return wrong.push("more than one document".to_owned()),
    };
    if text.matches('\n').count() != 1 || !text.ends_with('\n') {
        return wrong.push(format!("not one document on one line: {text}"));
    }
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => return wrong.push(format!("no JSON: {error}")),
    };
    check_document(&document, wrong);
    let report = document["report"].as_str();
    let unsound = report == Some("verify")
        && (document["data"]["summary"]["failed"] != 0 || document["data"]["unreadable"] != 0);
    let status_fits = (reply.status != 0) == (reply.failed || unsound);
    if reply.failed != (report == Some("error")) || !status_fits {
        wrong.push(format!(
            "failed with status {}, report {report:?}",
            reply.status
        ));
    }
}

fn check_document(document: &Value, wrong: &mut Vec<String>) {
    envelope::ENVELOPE.check(document, "", wrong);
    let data = &document["data"];
    let warned = document["findings"].as_array().is_some_and(|findings| {
        findings
            .iter()
            .any(|finding| finding["severity"] == "warning")
    });
    match document["report"].as_str() {
        Some("listing") => listing::LISTING.check(data, ".data", wrong),
        Some("executors") => executor::EXECUTORS.check(data, ".data", wrong),
        Some("where") => address::WHERE.check(data, ".data", wrong),
        Some("stack") => {
            stack::STACK.check(data, ".data", wrong);
            stack::stacks_have_reasons(data, wrong);
        }
        Some("verify") => {
            verify::VERIFY.check(data, ".data", wrong);
            if wrong.is_empty() {
                verify::failures_are_told(data, wrong);
            }
        }
        Some("exits") => exits::EXITS.check(data, ".data", wrong),
        Some("graph") => exits::GRAPH.check(data, ".data", wrong),
        Some("bytecode") => bytecode::BYTECODE.check(data, ".data", wrong),
        Some("backtrace") => backtrace::BACKTRACE.check(data, ".data", wrong),
        Some("error") => {
            let findings = document["findings"].as_array();
            if findings
                .and_then(|all| all.first())
                .map(|first| &first["severity"])
                != Some(&Value::from("error"))
            {
                wrong.push("an error does not say first what is wrong".to_owned());
            }
        }
        _ => {}
    }
    // Only what has the right form can be looked at further.
    if !wrong.is_empty() || document["report"] != "listing" {
        return;
    }
    for listing in data["executors"].as_array().unwrap() {
        pieces::fit(listing, warned, wrong);
    }
}
