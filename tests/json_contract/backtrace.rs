//! `jit-bt`.

use crate::executor::HEADER;
use crate::listing::UOP;
use crate::schema::Is::{self, Bool, Hex, List, Null, Object, OneOf, Or, Size};
use crate::schema::{NUMBER_OR_NULL, SIZE_OR_NULL, TEXT_OR_NULL};

const PYTHON_FRAMES: Is = List(&Object(&[
    ("frame", Hex),
    ("function", TEXT_OR_NULL),
    ("filename", TEXT_OR_NULL),
    ("line", NUMBER_OR_NULL),
    ("bytecode_offset", SIZE_OR_NULL),
    ("code", Or(&Hex, &Null)),
]));

pub const BACKTRACE: Is = Object(&[(
    "threads",
    List(&Object(&[
        ("thread", SIZE_OR_NULL),
        ("selected", Bool),
        ("state", Or(&Hex, &Null)),
        (
            "frames",
            List(&Object(&[
                ("level", Size),
                ("kind", OneOf(&["c", "jit"])),
                ("signal", Bool),
                ("pc", Hex),
                ("sp", Or(&Hex, &Null)),
                (
                    "found_by",
                    OneOf(&["registers", "unwind-table", "jit-code", "stack-top"]),
                ),
                ("symbol", TEXT_OR_NULL),
                ("offset", SIZE_OR_NULL),
                ("file", TEXT_OR_NULL),
                ("file_address", Or(&Hex, &Null)),
                ("executor", Or(&HEADER, &Null)),
                ("uop", Or(&UOP, &Null)),
                ("inside", TEXT_OR_NULL),
                ("python", PYTHON_FRAMES),
            ])),
        ),
        ("frame_count", Size),
        ("cut_off", TEXT_OR_NULL),
        (
            "remaining",
            List(&Object(&[
                ("entry_frame", Or(&Hex, &Null)),
                ("executor", Or(&HEADER, &Null)),
                ("python", PYTHON_FRAMES),
            ])),
        ),
    ])),
)]);
