//! An executor, and the places in bytecode that it and its parts are at.

use crate::schema::Is::{self, Bool, Hex, List, Null, Object, Or, Size, Text};
use crate::schema::{BOOL_OR_NULL, NUMBER_OR_NULL, SIZE_OR_NULL, TEXT_OR_NULL};

pub const HEADER: Is = Object(&[
    ("index", SIZE_OR_NULL),
    ("address", Hex),
    ("function", TEXT_OR_NULL),
    ("qualname", TEXT_OR_NULL),
    ("filename", TEXT_OR_NULL),
    ("firstlineno", NUMBER_OR_NULL),
    (
        "entry",
        Or(
            &Object(&[("bytecode_offset", Size), ("line", NUMBER_OR_NULL)]),
            &Null,
        ),
    ),
    ("uop_count", Size),
    ("exit_count", Size),
    (
        "code",
        Object(&[("address", Hex), ("size", Size), ("mapped", Size)]),
    ),
    (
        "state",
        Object(&[
            ("valid", Bool),
            ("linked", BOOL_OR_NULL),
            ("warm", BOOL_OR_NULL),
            ("pending_deletion", Bool),
            ("running_in", List(&Size)),
        ]),
    ),
    ("chain_depth", SIZE_OR_NULL),
    (
        "parents",
        List(&Object(&[("executor", Hex), ("exit", Size)])),
    ),
    ("found_by", List(&Text)),
]);

pub const EXECUTORS: Is = Object(&[("executors", List(&HEADER))]);

pub const CODE: Is = Object(&[("object", Hex), ("qualname", Text), ("filename", Text)]);

pub const PLACE: Is = Object(&[("offset", Size), ("opname", TEXT_OR_NULL)]);

pub const ENTRY: Is = Object(&[("bytecode_offset", Size), ("line", NUMBER_OR_NULL)]);
