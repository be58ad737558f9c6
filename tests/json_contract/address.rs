//! `jit-where`.

use crate::executor::HEADER;
use crate::listing::UOP;
use crate::schema::Is::{self, Hex, Null, Object, OneOf, Or, Text};
use crate::schema::{NUMBER_OR_NULL, SIZE_OR_NULL};

pub const WHERE: Is = Object(&[
    ("address", Hex),
    (
        "inside",
        OneOf(&[
            "uop",
            "shim",
            "trampoline",
            "data",
            "freed",
            "none",
            "guard",
            "got",
            "padding",
            "unknown",
        ]),
    ),
    ("executor", Or(&HEADER, &Null)),
    ("uop", Or(&UOP, &Null)),
    ("offset", SIZE_OR_NULL),
    ("thread", SIZE_OR_NULL),
    (
        "frame",
        Or(
            &Object(&[("function", Text), ("line", NUMBER_OR_NULL)]),
            &Null,
        ),
    ),
]);
