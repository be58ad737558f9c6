//! `jit-verify`.

use crate::executor::HEADER;
use crate::schema::Is::{self, Hex, List, Null, Object, OneOf, Or, Size, Text};
use crate::schema::{SIZE_OR_NULL, TEXT_OR_NULL};
use serde_json::Value;

pub const VERIFY: Is = Object(&[
    (
        "executors",
        List(&Object(&[
            ("executor", HEADER),
            (
                "checks",
                List(&Object(&[
                    ("name", Text),
                    ("status", OneOf(&["passed", "failed", "could-not-run"])),
                    ("compared", Size),
                    ("failed", Size),
                    ("reason", TEXT_OR_NULL),
                ])),
            ),
            (
                "failures",
                List(&Object(&[
                    ("check", Text),
                    ("address", Hex),
                    ("uop", SIZE_OR_NULL),
                    ("name", TEXT_OR_NULL),
                    ("field", Text),
                    ("expected", Text),
                    ("found", Text),
                ])),
            ),
            ("bytes", BYTES),
        ])),
    ),
    ("unreadable", Size),
    (
        "summary",
        Object(&[
            ("executors", Size),
            ("compared", Size),
            ("passed", Size),
            ("failed", Size),
            ("could_not_run", Size),
        ]),
    ),
    (
        "bytes",
        Object(&[
            ("identical", Size),
            ("different", Size),
            ("not_checkable", Size),
            ("uops", Size),
            ("compared", Size),
        ]),
    ),
]);

/// The machine code of one executor.
const BYTES: Is = Object(&[
    ("verdict", OneOf(&["identical", "differs", "not-checkable"])),
    ("against", OneOf(&["emitters", "copy"])),
    ("compared", Size),
    ("unknown", Size),
    ("reason", TEXT_OR_NULL),
    (
        "gaps",
        List(&Object(&[
            ("uop", SIZE_OR_NULL),
            ("name", TEXT_OR_NULL),
            ("reason", Text),
        ])),
    ),
    ("difference", Or(&DIFFERENCE, &Null)),
]);

const DIFFERENCE: Is = Object(&[
    ("count", Size),
    ("address", Hex),
    ("range", Object(&[("address", Hex), ("size", Size)])),
    ("region", Text),
    ("uop", SIZE_OR_NULL),
    ("name", TEXT_OR_NULL),
    ("offset", Size),
    ("hole", List(&Text)),
    ("expected", Text),
    ("found", Text),
    ("expected_symbol", TEXT_OR_NULL),
    ("found_symbol", TEXT_OR_NULL),
    (
        "cause",
        OneOf(&["breakpoint", "overwritten", "trace", "either"]),
    ),
    ("explanation", Text),
]);

/// A check that failed has a failure that says where; each executor tells of every check, and why one was not run.
pub fn failures_are_told(data: &Value, wrong: &mut Vec<String>) {
    for executor in data["executors"].as_array().unwrap() {
        let failures = executor["failures"].as_array().unwrap();
        let checks = executor["checks"].as_array().unwrap();
        if checks.len() != 17 {
            wrong.push(format!("{} checks", checks.len()));
        }
        for check in checks {
            let told = failures.iter().any(|one| one["check"] == check["name"]);
            let failed = check["status"] == "failed";
            let reason = check["reason"].is_string();
            let compared = check["compared"].as_u64().unwrap();
            let fits = told == failed
                && failed == (check["failed"] != 0)
                && (check["status"] != "could-not-run" || reason)
                && (check["status"] != "passed" || compared != 0);
            if !fits {
                wrong.push(format!("check {check}"));
            }
        }
    }
}
