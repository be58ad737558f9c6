//! The local variables of a code object: what stands in a frame's `localsplus` before the evaluation stack.

use super::literal::Literals;
use super::{CPython, Objects};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::target::Reader;

/// More variables than a function has, or items of its stack; generated code has some hundred.
const MOST_SLOTS: u64 = 1 << 14;

/// `CO_FAST_HIDDEN`, `CO_FAST_CELL`, `CO_FAST_FREE` (`Include/internal/pycore_code.h`).
const HIDDEN: u8 = 0x10;
const CELL: u8 = 0x40;
const FREE: u8 = 0x80;

/// `CO_FAST_ARG_POS`, `CO_FAST_ARG_KW` and `CO_FAST_ARG_VAR`: the caller gives it.
const ARGUMENT: u8 = 0x0e;

/// How a variable is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VariableKind {
    /// In the frame.
    Local,
    /// In a cell, for functions inside to share.
    Cell,
    /// In a cell of a function outside.
    Free,
    /// In the frame, of a comprehension that was put into the function.
    Hidden,
}

impl VariableKind {
    /// The word of reports.
    pub fn word(self) -> &'static str {
        match self {
            VariableKind::Local => "local",
            VariableKind::Cell => "cell",
            VariableKind::Free => "free",
            VariableKind::Hidden => "hidden",
        }
    }

    fn of(kind: u8) -> VariableKind {
        match kind {
            kind if kind & FREE != 0 => VariableKind::Free,
            kind if kind & CELL != 0 => VariableKind::Cell,
            kind if kind & HIDDEN != 0 => VariableKind::Hidden,
            _ => VariableKind::Local,
        }
    }
}

/// What the slots of a frame are for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Variables {
    /// Name (`None`: it cannot be read) and kind of each variable, by slot.
    pub all: Vec<(Option<String>, VariableKind)>,
    /// Whether it is an argument, of each variable, as far as the code object tells.
    pub arguments: Vec<bool>,
    /// `co_stacksize`: items that the evaluation stack has room for.
    pub stack_size: u64,
}

impl Variables {
    /// Reads the variables of the code object at `code`.
    pub fn read(python: &CPython, reader: Reader<'_>, code: Address) -> Result<Variables> {
        let record = reader.record(code, python.layouts.shape("PyCodeObject")?)?;
        let size = |field: &str| -> Result<u64> {
            let number = record.unsigned(field)?;
            match number <= MOST_SLOTS {
                true => Ok(number),
                false => Err(Error::Inconsistent {
                    what: "code object".to_owned(),
                    address: code,
                    reason: format!("{field} {number} is that of no function"),
                }),
            }
        };
        let (count, stack_size) = (size("co_nlocalsplus")?, size("co_stacksize")?);
        let objects = Objects::new(python, reader);
        let names = record.pointer("co_localsplusnames")?;
        let names = Literals::new(python, reader).items(names, count);
        let names = names.unwrap_or_default();
        let kinds = objects.byte_string(record.pointer("co_localspluskinds")?, count);
        let kinds = kinds.unwrap_or_default();
        let slots = 0..usize::try_from(count).unwrap_or_default();
        let all = slots.clone().map(|slot| {
            let name = names.get(slot).and_then(|name| objects.text(*name).ok());
            let kind = kinds.get(slot).copied().unwrap_or_default();
            (name, VariableKind::of(kind))
        });
        let arguments = slots.map(|slot| kinds.get(slot).is_some_and(|kind| kind & ARGUMENT != 0));
        Ok(Variables {
            arguments: arguments.collect(),
            all: all.collect(),
            stack_size,
        })
    }

    /// How many slots they take.
    pub fn count(&self) -> u64 {
        self.all.len() as u64
    }
}
