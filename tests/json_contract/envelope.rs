//! What every reply has around its data.

use crate::schema::Is::{self, Any, Hex, List, Null, Object, OneOf, Or, Text};
use crate::schema::{BOOL_OR_NULL, SIZE_OR_NULL, TEXT_OR_NULL};

pub const ENVELOPE: Is = Object(&[
    ("schema", OneOf(&["cpyjit/1"])),
    (
        "report",
        OneOf(&[
            "listing",
            "executors",
            "where",
            "info",
            "verify",
            "exits",
            "graph",
            "bytecode",
            "stack",
            "backtrace",
            "error",
        ]),
    ),
    ("target", Or(&TARGET, &Null)),
    ("data", Any),
    ("findings", List(&FINDING)),
]);

pub const TARGET: Is = Object(&[
    ("cpython", TEXT_OR_NULL),
    ("arch", OneOf(&["x86_64", "aarch64"])),
    ("kind", OneOf(&["live", "core", "self"])),
    ("pid", SIZE_OR_NULL),
    ("debug_build", BOOL_OR_NULL),
]);

pub const FINDING: Is = Object(&[
    ("severity", OneOf(&["error", "warning", "note"])),
    ("what", Text),
    ("address", Or(&Hex, &Null)),
    ("hint", TEXT_OR_NULL),
]);
