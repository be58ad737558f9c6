//! What an object is, in a few words: for remarks on machine code.

use super::{CPython, Objects};
use crate::address::Address;
use crate::error::Result;
use crate::target::Reader;

/// Characters of a string or name that are shown.
const MOST_CHARACTERS: usize = 40;

/// Digits of an `int` that are shown as a number: what 128 bits hold.
const MOST_DIGITS: u64 = 4;

/// `PyLong_SHIFT`: bits of a digit. `_PyLong_NON_SIZE_BITS`: of `lv_tag`, those that are not the number of digits.
const DIGIT_BITS: u64 = 30;
const NON_SIZE_BITS: u64 = 3;
/// `SIGN_MASK` and its value for negative numbers (`Include/cpython/longintrepr.h`).
const SIGN_MASK: u64 = 3;
const SIGN_NEGATIVE: u64 = 2;

/// An object in a few words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Description {
    /// What it is: `int`, `str`, `type`, `function`, …: the name of its type.
    pub kind: String,
    /// Its value or name, where it has one that is short: `1000`, `'abc'`, `C.f`.
    pub value: Option<String>,
}

/// Whether an object can be there: not where no program has memory (`vm.mmap_min_addr`), and not where addresses are the
/// kernel's.
fn is_plausible(address: Address) -> bool {
    (1 << 16..1 << 56).contains(&address.0) && address.0.is_multiple_of(8)
}

/// A type of which something is known without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KnownType {
    /// Its name.
    Named(&'static str),
    /// It is a variable of CPython: its name never changes.
    Static,
}

/// What is at `address`, if an object certainly is. `known_type` may tell something of a type without reading it.
pub fn describe(
    python: &CPython,
    reader: Reader<'_>,
    address: Address,
    known_type: &dyn Fn(Address) -> Option<KnownType>,
) -> Option<Description> {
    if !is_plausible(address) {
        return None;
    }
    let objects = Objects::new(python, reader);
    let kind = objects.type_of(address).ok()?;
    let name = match known_type(kind) {
        Some(KnownType::Named(name)) => name.to_owned(),
        Some(KnownType::Static) => {
            let read = || checked_name(objects, kind);
            reader.lasting(kind, || Some(Vec::new()), read)?
        }
        None => checked_name(objects, kind)?,
    };
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || "_. ".contains(c))
    };
    if !is_name(&name) {
        return None;
    }
    let value = value(python, reader, objects, address, &name);
    Some(Description {
        value: value.ok().flatten(),
        kind: name,
    })
}

/// The name of the type at `kind`, if there is one.
fn checked_name(objects: Objects<'_>, kind: Address) -> Option<String> {
    is_type(objects, kind)?
        .then(|| objects.name_of_type(kind).ok())
        .flatten()
}

/// Whether a type is at `kind`. The type of a type is `type` or a class derived from it, whose type is `type`: from one
/// of them on, the type is always the same.
fn is_type(objects: Objects<'_>, kind: Address) -> Option<bool> {
    let type_of = |object| objects.type_of(object).ok().filter(|of| is_plausible(*of));
    if !is_plausible(kind) {
        return Some(false);
    }
    let metatype = type_of(kind)?;
    let above = type_of(metatype)?;
    Some(metatype == above || type_of(above)? == above)
}

fn value(
    python: &CPython,
    reader: Reader<'_>,
    objects: Objects<'_>,
    address: Address,
    kind: &str,
) -> Result<Option<String>> {
    let text_in = |shape: &str, field: &str| -> Result<Option<String>> {
        let record = reader.record(address, python.layouts.shape(shape)?)?;
        Ok(Some(shortened(&objects.text(record.pointer(field)?)?)))
    };
    Ok(match kind {
        "type" => {
            let shape = python.layouts.shape("PyTypeObject")?;
            let name = reader.record(address, shape)?.pointer("tp_name")?;
            Some(shortened(&reader.c_string(name, 256, "name of a type")?))
        }
        "int" => int(python, reader, address)?,
        "bool" => int(python, reader, address)?.map(|digits| match digits.as_str() {
            "0" => "False".to_owned(),
            _ => "True".to_owned(),
        }),
        "float" => {
            let shape = python.layouts.shape("PyFloatObject")?;
            let bits = reader.record(address, shape)?.unsigned("ob_fval")?;
            Some(format!("{:?}", f64::from_bits(bits)))
        }
        "str" => Some(format!("'{}'", shortened(&objects.text(address)?))),
        "code" => text_in("PyCodeObject", "co_qualname")?,
        "function" => text_in("PyFunctionObject", "func_qualname")?,
        _ => None,
    })
}

/// An `int`, if it is not too long (`_PyLongValue` in `Include/cpython/longintrepr.h`, since 3.12).
fn int(python: &CPython, reader: Reader<'_>, address: Address) -> Result<Option<String>> {
    let shape = python.layouts.shape("PyLongObject")?;
    let tag = reader
        .record(address, shape)?
        .unsigned("long_value.lv_tag")?;
    let count = tag >> NON_SIZE_BITS;
    if count > MOST_DIGITS {
        return Ok(None);
    }
    let start = shape.field("long_value.ob_digit")?.offset;
    let bytes = reader.bytes(address.wrapping_add(start), count * 4, "digits of an int")?;
    let (digits, _) = bytes.as_chunks::<4>();
    let magnitude = digits.iter().rev().fold(0u128, |sum, digit| {
        (sum << DIGIT_BITS) | u128::from(u32::from_le_bytes(*digit))
    });
    let sign = match tag & SIGN_MASK {
        SIGN_NEGATIVE => "-",
        _ => "",
    };
    Ok(Some(format!("{sign}{magnitude}")))
}

/// The beginning of a text, without characters that would disturb a terminal.
fn shortened(text: &str) -> String {
    let mut short = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == MOST_CHARACTERS {
            short.push_str("...");
            break;
        }
        if character.is_control() {
            short.extend(character.escape_default());
        } else {
            short.push(character);
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_and_escapes() {
        assert_eq!(shortened("a\x1b[1m\n"), "a\\u{1b}[1m\\n");
        let long = "x".repeat(100);
        assert_eq!(shortened(&long).chars().count(), MOST_CHARACTERS + 3);
    }
}
