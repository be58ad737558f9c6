//! What a byte was computed from.

use std::ops::{BitOr, BitOrAssign};

/// A set of origins. Empty for what is the same in every instance of a stencil: its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Tag(u16);

impl Tag {
    /// No origin: body.
    pub const BODY: Tag = Tag(0);
    /// `oparg` of the uop.
    pub const OPARG: Tag = Tag(1);
    /// `operand0` of the uop.
    pub const OPERAND0: Tag = Tag(1 << 1);
    /// `operand1` of the uop.
    pub const OPERAND1: Tag = Tag(1 << 2);
    /// `target` of the uop.
    pub const TARGET: Tag = Tag(1 << 3);
    /// `jump_target` of the uop.
    pub const JUMP_TARGET: Tag = Tag(1 << 4);
    /// `error_target` of the uop.
    pub const ERROR_TARGET: Tag = Tag(1 << 5);
    /// Where a uop's code begins (`state->instruction_starts`).
    pub const UOP_START: Tag = Tag(1 << 6);
    /// The address of a slot of the GOT.
    pub const GOT: Tag = Tag(1 << 7);
    /// The address of the uop's own code.
    pub const CODE: Tag = Tag(1 << 8);
    /// The address of the uop's data.
    pub const DATA: Tag = Tag(1 << 9);
    /// The address of the executor.
    pub const EXECUTOR: Tag = Tag(1 << 10);
    /// The address of a trampoline.
    pub const TRAMPOLINE: Tag = Tag(1 << 11);
    /// The opcode of the uop.
    pub const OPCODE: Tag = Tag(1 << 12);

    /// The fields of a uop.
    pub const OF_TRACE: Tag = Tag(0b11_1111 | 1 << 12);

    /// Each origin and its name, in CPython's words.
    pub const NAMES: [(Tag, &'static str); 13] = [
        (Tag::OPARG, "oparg"),
        (Tag::OPERAND0, "operand0"),
        (Tag::OPERAND1, "operand1"),
        (Tag::TARGET, "target"),
        (Tag::JUMP_TARGET, "jump_target"),
        (Tag::ERROR_TARGET, "error_target"),
        (Tag::UOP_START, "uop start"),
        (Tag::GOT, "GOT"),
        (Tag::CODE, "code"),
        (Tag::DATA, "data"),
        (Tag::EXECUTOR, "executor"),
        (Tag::TRAMPOLINE, "trampoline"),
        (Tag::OPCODE, "opcode"),
    ];

    /// Whether there is no origin.
    pub fn is_body(self) -> bool {
        self == Tag::BODY
    }

    /// Whether any of `others` is in it.
    pub fn has(self, others: Tag) -> bool {
        self.0 & others.0 != 0
    }

    /// Those that are in `others` too.
    pub fn only(self, others: Tag) -> Tag {
        Tag(self.0 & others.0)
    }

    /// The names of the origins.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let named = Tag::NAMES.into_iter();
        named
            .filter(move |(tag, _)| self.has(*tag))
            .map(|(_, name)| name)
    }
}

impl BitOr for Tag {
    type Output = Tag;

    fn bitor(self, other: Tag) -> Tag {
        Tag(self.0 | other.0)
    }
}

impl BitOrAssign for Tag {
    fn bitor_assign(&mut self, other: Tag) {
        self.0 |= other.0;
    }
}

/// A number and what it was computed from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Value {
    /// The number.
    pub number: u64,
    /// Its origins.
    pub tag: Tag,
}

impl Value {
    /// A number with these origins.
    pub fn new(number: u64, tag: Tag) -> Value {
        Value { number, tag }
    }

    /// A number that is the same in every instance.
    pub fn body(number: u64) -> Value {
        Value::new(number, Tag::BODY)
    }
}

/// What a vector register holds, with the origins of each byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Vector {
    /// The bytes.
    pub bytes: [u8; 16],
    /// Their origins.
    pub tags: [Tag; 16],
}

impl Vector {
    /// The number in `length` bytes from `start` on, at most eight; bytes beyond the end are zero.
    pub fn number(&self, start: usize, length: usize) -> Value {
        let mut value = Value::default();
        let bytes = self.bytes.iter().zip(&self.tags).skip(start);
        for (place, (byte, tag)) in (0..8).zip(bytes.take(length)) {
            value.number |= u64::from(*byte) << (8 * place);
            value.tag |= *tag;
        }
        value
    }

    /// Puts a number of `length` bytes at `start`, as far as there is room.
    pub fn set_number(&mut self, start: usize, length: usize, value: Value) {
        let to = self.bytes.iter_mut().zip(&mut self.tags).skip(start);
        let from = value.number.to_le_bytes();
        for ((byte, tag), new) in to.take(length).zip(from) {
            *byte = new;
            *tag = value.tag;
        }
    }
}
