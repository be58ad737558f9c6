//! `jit-exits`, `jit-graph` and the exits that other reports show.

use crate::executor::{CODE, ENTRY, HEADER, PLACE};
use crate::schema::Is::{self, Bool, Hex, List, Null, Number, Object, OneOf, Or, Size, Text};
use crate::schema::{BOOL_OR_NULL, NUMBER_OR_NULL, SIZE_OR_NULL, TEXT_OR_NULL};

pub const EXIT_KIND: Is = OneOf(&["side", "control-flow", "dynamic", "end"]);

pub const TEMPERATURE: Is = Object(&[
    ("raw", Size),
    ("value", SIZE_OR_NULL),
    ("backoff", SIZE_OR_NULL),
    ("unreachable", BOOL_OR_NULL),
]);

pub const LINK: Is = Object(&[
    ("executor", Hex),
    ("index", SIZE_OR_NULL),
    ("qualname", TEXT_OR_NULL),
    ("entry", Or(&ENTRY, &Null)),
    ("chain_depth", SIZE_OR_NULL),
    ("valid", BOOL_OR_NULL),
]);

pub const EXIT: Is = Object(&[
    ("index", Size),
    ("address", Hex),
    ("kind", EXIT_KIND),
    ("stub", SIZE_OR_NULL),
    ("uops", List(&Object(&[("index", Size), ("name", Text)]))),
    ("target", Size),
    ("code", Or(&CODE, &Null)),
    ("bytecode", Or(&PLACE, &Null)),
    ("line", NUMBER_OR_NULL),
    ("depth", Number),
    ("temperature", Or(&TEMPERATURE, &Null)),
    ("linked_to", Or(&LINK, &Null)),
]);

pub const EXITS: Is = Object(&[(
    "executors",
    List(&Object(&[("executor", HEADER), ("exits", List(&EXIT))])),
)]);

pub const GRAPH: Is = Object(&[
    (
        "executors",
        List(&Object(&[
            ("executor", HEADER),
            ("entry_opname", TEXT_OR_NULL),
            ("loops", Bool),
            ("cold_exits", Size),
            (
                "hottest",
                Or(&Object(&[("exit", Size), ("left", Size)]), &Null),
            ),
        ])),
    ),
    (
        "links",
        List(&Object(&[
            ("from", Hex),
            ("exit", Size),
            ("to", Hex),
            ("kind", EXIT_KIND),
            ("code", Or(&CODE, &Null)),
            ("bytecode", Or(&PLACE, &Null)),
            ("line", NUMBER_OR_NULL),
        ])),
    ),
    ("left_out", Size),
]);
