//! `jit-bytecode`.

use crate::executor::CODE;
use crate::exits::{EXIT_KIND, LINK, TEMPERATURE};
use crate::schema::Is::{self, Bool, Hex, List, Null, Number, Object, Or, Size};
use crate::schema::{BOOL_OR_NULL, NUMBER_OR_NULL, SIZE_OR_NULL, TEXT_OR_NULL};

pub const BYTECODE: Is = Object(&[
    ("code", CODE),
    ("firstlineno", Number),
    (
        "instructions",
        List(&Object(&[
            ("offset", Size),
            ("opcode", Size),
            ("opname", TEXT_OR_NULL),
            ("oparg", SIZE_OR_NULL),
            ("argrepr", TEXT_OR_NULL),
            ("line", NUMBER_OR_NULL),
            ("label", SIZE_OR_NULL),
            ("jump_target", SIZE_OR_NULL),
            (
                "entries",
                List(&Object(&[
                    ("executor", Hex),
                    ("index", SIZE_OR_NULL),
                    ("uop_count", Size),
                    ("valid", Bool),
                    ("warm", BOOL_OR_NULL),
                    ("running_in", List(&Size)),
                ])),
            ),
            (
                "exits",
                List(&Object(&[
                    ("executor", Hex),
                    ("index", SIZE_OR_NULL),
                    ("exit", Size),
                    ("kind", EXIT_KIND),
                    ("temperature", Or(&TEMPERATURE, &Null)),
                    ("linked_to", Or(&LINK, &Null)),
                ])),
            ),
        ])),
    ),
    (
        "handlers",
        List(&Object(&[
            ("start", Size),
            ("end", Size),
            ("target", Size),
            ("depth", Size),
            ("lasti", Bool),
        ])),
    ),
    ("complete", Bool),
]);
