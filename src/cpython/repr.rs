//! What an object is, for people: `repr()` where it is known and short, and otherwise what can be said without running
//! code in the target.

use super::describe::describe;
use super::literal::Literals;
use super::{CPython, Objects, StackRef};
use crate::address::Address;
use crate::error::Result;
use crate::target::Reader;
use std::cell::Cell;

/// How much is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Characters of a text.
    pub characters: usize,
    /// Items of a container.
    pub items: u64,
    /// Containers in containers.
    pub depth: u32,
}

impl Limits {
    /// For lists of many objects.
    pub const SHORT: Limits = Limits {
        characters: 60,
        items: 4,
        depth: 2,
    };
    /// When more is asked for. Not all: an object of a damaged target may be of any size.
    pub const LONG: Limits = Limits {
        characters: 2000,
        items: 100,
        depth: 4,
    };
}

/// `Py_TPFLAGS_HEAPTYPE`: the type was made by a class statement, or like by one, and may be called like a built-in one.
const HEAP_TYPE: u64 = 1 << 9;

/// Objects that are looked at for one text, and for all texts of one report, whatever the limits of containers allow.
const MOST_OBJECTS: u32 = 400;
const MOST_IN_ALL: u32 = 20_000;

/// An object in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repr {
    /// The name of its type.
    pub kind: String,
    /// What `repr()` would say, shortened; what Python code would have to be run for is in `<…>`.
    pub text: String,
}

/// Reads objects of one CPython.
pub struct Reprs<'t> {
    python: &'t CPython,
    reader: Reader<'t>,
    limits: Limits,
    /// Objects that may still be looked at.
    left: Cell<u32>,
}

impl<'t> Reprs<'t> {
    /// Reads with `reader` what `python` describes.
    pub fn new(python: &'t CPython, reader: Reader<'t>, limits: Limits) -> Reprs<'t> {
        Reprs {
            python,
            reader,
            limits,
            left: Cell::new(MOST_IN_ALL),
        }
    }

    /// The object at `address`; `None` if there certainly is none.
    pub fn of(&self, address: Address) -> Option<Repr> {
        let all = self.left.get();
        let most = all.min(MOST_OBJECTS);
        let mut left = most;
        let repr = self.within(address, self.limits.depth, &mut left);
        self.left.set(all.saturating_sub(most.saturating_sub(left)));
        let mut repr = repr?;
        repr.text = shortened(&repr.text, self.limits.characters);
        Some(repr)
    }

    /// What the cell at `address` holds: `None` if it is no cell, `Some(None)` if it is empty.
    pub fn cell(&self, address: Address) -> Option<Option<Address>> {
        if describe(self.python, self.reader, address, &|_| None)?.kind != "cell" {
            return None;
        }
        let held = self.pointer(address, "PyCellObject", "ob_ref").ok()?;
        Some((!held.is_null()).then_some(held))
    }

    /// The function whose frame is at `address`, as code between `_PyFrame_PushUnchecked` and `_PUSH_FRAME` passes it on
    /// the stack; `None` if no frame is there.
    pub fn frame(&self, address: Address) -> Option<String> {
        let code = self
            .pointer(address, "_PyInterpreterFrame", "f_executable")
            .ok()?;
        let code = match StackRef::of_bits(code.0) {
            StackRef::Owned(code) | StackRef::Borrowed(code) => code,
            _ => return None,
        };
        let described = describe(self.python, self.reader, code, &|_| None)?;
        (described.kind == "code")
            .then_some(described.value)
            .flatten()
    }

    fn within(&self, address: Address, depth: u32, left: &mut u32) -> Option<Repr> {
        *left = left.checked_sub(1)?;
        let described = describe(self.python, self.reader, address, &|_| None)?;
        let kind = described.kind;
        if !self.is_built_in(address)? {
            let text = format!("<{kind} object at {address}>");
            return Some(Repr { kind, text });
        }
        let text = match kind.as_str() {
            "list" => self.list(address, depth, left).ok(),
            "tuple" => self.tuple(address, depth, left).ok(),
            "dict" => self.counted(address, "PyDictObject", "ma_used", "dict"),
            "set" => self.counted(address, "PySetObject", "used", "set"),
            "frozenset" => self.counted(address, "PySetObject", "used", "frozenset"),
            "int" if described.value.is_none() => Some("<int of many digits>".to_owned()),
            "str" | "bytes" | "int" | "float" | "bool" | "NoneType" | "ellipsis" => {
                Literals::new(self.python, self.reader).repr(address)
            }
            "function" => self.named(address, "function", described.value.as_deref()),
            "code" => self.named(address, "code object", described.value.as_deref()),
            "type" => described
                .value
                .as_ref()
                .map(|name| format!("<class '{name}'>")),
            _ => None,
        };
        let otherwise = || match &described.value {
            Some(value) if kind == "str" => value.clone(),
            _ => format!("<{kind} object at {address}>"),
        };
        Some(Repr {
            text: text.unwrap_or_else(otherwise),
            kind,
        })
    }

    /// Whether the structure of the object is what the name of its type says.
    fn is_built_in(&self, address: Address) -> Option<bool> {
        let objects = Objects::new(self.python, self.reader);
        let kind = objects.type_of(address).ok()?;
        let flags = self.number(kind, "PyTypeObject", "tp_flags").ok()?;
        Some(flags & HEAP_TYPE == 0)
    }

    fn named(&self, address: Address, what: &str, name: Option<&str>) -> Option<String> {
        name.map(|name| format!("<{what} {name} at {address}>"))
    }

    fn pointer(&self, address: Address, shape: &str, field: &str) -> Result<Address> {
        self.number(address, shape, field).map(Address)
    }

    fn number(&self, address: Address, shape: &str, field: &str) -> Result<u64> {
        let offset = self.python.layouts.shape(shape)?.field(field)?.offset;
        self.reader.u64(address.wrapping_add(offset), field)
    }

    fn counted(&self, address: Address, shape: &str, field: &str, what: &str) -> Option<String> {
        let count = self.number(address, shape, field).ok()?;
        Some(format!("<{what} of {count} at {address}>"))
    }

    /// `PyListObject`.
    fn list(&self, address: Address, depth: u32, left: &mut u32) -> Result<String> {
        let count = self.number(address, "PyListObject", "ob_base.ob_size")?;
        let items = self.pointer(address, "PyListObject", "ob_item")?;
        let items = self
            .reader
            .pointers(items, count.min(self.limits.items), "items of a list")?;
        Ok(format!("[{}]", self.items(&items, count, depth, left)))
    }

    /// `PyTupleObject`.
    fn tuple(&self, address: Address, depth: u32, left: &mut u32) -> Result<String> {
        let count = self.number(address, "PyVarObject", "ob_size")?;
        let shape = self.python.layouts.shape("PyTupleObject")?;
        let start = address.wrapping_add(shape.field("ob_item")?.offset);
        let shown = count.min(self.limits.items);
        let items = self.reader.pointers(start, shown, "items of a tuple")?;
        let comma = if count == 1 { "," } else { "" };
        let items = self.items(&items, count, depth, left);
        Ok(format!("({items}{comma})"))
    }

    fn items(&self, items: &[Address], count: u64, depth: u32, left: &mut u32) -> String {
        let Some(depth) = depth.checked_sub(1).filter(|_| count > 0) else {
            return if count == 0 { "" } else { "..." }.to_owned();
        };
        let mut texts: Vec<String> = Vec::new();
        for item in items {
            texts.push(match self.within(*item, depth, left) {
                Some(item) => item.text,
                None => format!("<{item}>"),
            });
        }
        if count > items.len() as u64 {
            texts.push(format!("... {} more", count - items.len() as u64));
        }
        texts.join(", ")
    }
}

/// The beginning of a text, without characters that would disturb a terminal.
fn shortened(text: &str, most: usize) -> String {
    let mut short = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == most {
            short.push_str("...");
            break;
        }
        match character.is_control() {
            true => short.extend(character.escape_default()),
            false => short.push(character),
        }
    }
    short
}
