//! `jit-dis`, `jit-trace` and the uops that other reports show.

use crate::executor::HEADER;
use crate::exits::EXIT;
use crate::schema::Is::{self, Bytes, Hex, List, Null, Number, Object, OneOf, Or, Size, Text};
use crate::schema::{BOOL_OR_NULL, NUMBER_OR_NULL, SIZE_OR_NULL, TEXT_OR_NULL};

pub const UOP: Is = Object(&[
    ("index", Size),
    ("name", Text),
    ("base", Text),
    ("opcode", Size),
    ("oparg", Size),
    ("operand0", Hex),
    ("operand1", Hex),
    ("target", SIZE_OR_NULL),
    ("jump_target", SIZE_OR_NULL),
    ("error_target", SIZE_OR_NULL),
    ("ranges", List(&Object(&[("address", Hex), ("size", Size)]))),
    (
        "code",
        Or(
            &Object(&[("object", Hex), ("qualname", Text), ("filename", Text)]),
            &Null,
        ),
    ),
    (
        "bytecode",
        Or(
            &Object(&[("offset", Size), ("opname", TEXT_OR_NULL)]),
            &Null,
        ),
    ),
    ("line", NUMBER_OR_NULL),
    ("depth", Number),
    (
        "exit",
        Or(
            &Object(&[
                ("kind", OneOf(&["side", "deopt", "error"])),
                ("index", SIZE_OR_NULL),
                ("uop", Size),
            ]),
            &Null,
        ),
    ),
    (
        "stack",
        Or(
            &Object(&[
                ("cached_before", Size),
                ("cached_after", Size),
                ("effect", NUMBER_OR_NULL),
            ]),
            &Null,
        ),
    ),
    ("instructions", Or(&List(&INSTRUCTION), &Null)),
]);

pub const INSTRUCTION: Is = Object(&[
    ("address", Hex),
    ("size", Size),
    ("bytes", Bytes),
    ("mnemonic", Text),
    ("operands", Text),
    ("notes", List(&Object(&[("kind", Text), ("text", Text)]))),
]);

pub const REGION: Is = Object(&[
    (
        "kind",
        OneOf(&[
            "shim",
            "uops",
            "guard",
            "trampolines",
            "data",
            "got",
            "padding",
            "unknown",
        ]),
    ),
    ("address", Hex),
    ("size", Size),
]);

pub const LISTING: Is = Object(&[(
    "executors",
    List(&Object(&[
        ("executor", HEADER),
        ("uops", List(&UOP)),
        ("regions", List(&REGION)),
        ("edges", List(&EDGE)),
        ("exits", Or(&List(&EXIT), &Null)),
    ])),
)]);

pub const EDGE: Is = Object(&[
    ("from", Or(&Hex, &Null)),
    ("from_uop", Size),
    ("to", Or(&Hex, &Null)),
    ("to_uop", Size),
    ("kind", OneOf(&["within", "forward", "back", "stub"])),
    ("conditional", BOOL_OR_NULL),
]);
