//! `jit-stack`.

use crate::executor::PLACE;
use crate::listing::UOP;
use crate::schema::Is::{self, Bool, Hex, List, Null, Object, OneOf, Or, Size};
use crate::schema::{NUMBER_OR_NULL, SIZE_OR_NULL, TEXT_OR_NULL};
use serde_json::Value;

const VALUE: Is = Object(&[
    ("bits", Or(&Hex, &Null)),
    (
        "tag",
        OneOf(&[
            "null",
            "owned",
            "borrowed",
            "int",
            "frame",
            "reference",
            "other",
        ]),
    ),
    ("object", Or(&Hex, &Null)),
    ("type", TEXT_OR_NULL),
    ("repr", TEXT_OR_NULL),
]);

const ITEM: Is = Object(&[
    ("index", Size),
    ("register", TEXT_OR_NULL),
    ("address", Or(&Hex, &Null)),
    ("cached", SIZE_OR_NULL),
    ("state", OneOf(&["certain", "former", "unknown"])),
    ("value", Or(&VALUE, &Null)),
]);

const LOCAL: Is = Object(&[
    ("index", Size),
    ("name", TEXT_OR_NULL),
    ("kind", OneOf(&["local", "cell", "free", "hidden"])),
    ("value", VALUE),
    ("content", Or(&VALUE, &Null)),
]);

pub const STACK: Is = Object(&[(
    "threads",
    List(&Object(&[
        ("thread", SIZE_OR_NULL),
        ("pc", Or(&Hex, &Null)),
        (
            "inside",
            OneOf(&["uop", "jit", "c", "interpreter", "unknown"]),
        ),
        ("executor", Or(&Hex, &Null)),
        ("uop", Or(&UOP, &Null)),
        ("offset", SIZE_OR_NULL),
        ("in_call", Bool),
        (
            "frames",
            List(&Object(&[
                ("level", Size),
                ("address", Hex),
                ("code", Or(&Hex, &Null)),
                ("function", TEXT_OR_NULL),
                ("filename", TEXT_OR_NULL),
                ("line", NUMBER_OR_NULL),
                ("bytecode", Or(&PLACE, &Null)),
                ("position", OneOf(&["uop", "frame"])),
                ("activation", Size),
                ("locals", Or(&List(&LOCAL), &Null)),
                ("stack", Or(&List(&ITEM), &Null)),
                ("stack_as_of", Or(&OneOf(&["now", "uop"]), &Null)),
                ("why", TEXT_OR_NULL),
            ])),
        ),
        ("more", Bool),
    ])),
)]);

/// A stack or variables that are not known have a reason; what is not certain is not told as if it were.
pub fn stacks_have_reasons(data: &Value, wrong: &mut Vec<String>) {
    let threads = data["threads"].as_array().into_iter().flatten();
    for frame in threads.flat_map(|thread| thread["frames"].as_array().unwrap()) {
        if frame["stack"].is_null() == frame["why"].is_null() {
            wrong.push(format!("a stack and its reason do not fit: {frame}"));
        }
        let items = frame["stack"].as_array().into_iter().flatten();
        for item in items {
            if (item["state"] == "unknown") != item["value"].is_null() {
                wrong.push(format!("state and value do not fit: {item}"));
            }
        }
    }
}
