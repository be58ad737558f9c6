//! What a value of the contract can be, and the check of it.

use Is::{Any, Bool, Bytes, Hex, List, Null, Number, Object, OneOf, Or, Size, Text};
use serde_json::Value;

/// What a value has to be.
pub enum Is {
    Text,
    /// `0x…`, lower case, without padding: addresses, operands and other 64-bit values.
    Hex,
    /// Two lower-case digits a byte.
    Bytes,
    /// Not negative.
    Size,
    Number,
    Bool,
    OneOf(&'static [&'static str]),
    List(&'static Is),
    Or(&'static Is, &'static Is),
    Null,
    Object(&'static [(&'static str, Is)]),
    /// Any object or none: checked elsewhere.
    Any,
}

pub const TEXT_OR_NULL: Is = Or(&Text, &Null);
pub const SIZE_OR_NULL: Is = Or(&Size, &Null);
pub const NUMBER_OR_NULL: Is = Or(&Number, &Null);
pub const BOOL_OR_NULL: Is = Or(&Bool, &Null);

impl Is {
    /// Notes in `wrong` what is not as it has to be, with the path to it.
    pub fn check(&self, value: &Value, path: &str, wrong: &mut Vec<String>) {
        match (self, value) {
            (Object(members), Value::Object(object)) => {
                for (key, is) in *members {
                    let path = format!("{path}.{key}");
                    match object.get(*key) {
                        Some(value) => is.check(value, &path, wrong),
                        None => wrong.push(format!("{path} is missing")),
                    }
                }
            }
            (List(is), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    is.check(item, &format!("{path}[{index}]"), wrong);
                }
            }
            (Or(_, other), Value::Null) => other.check(value, path, wrong),
            (Or(one, _), _) => one.check(value, path, wrong),
            _ if self.holds(value) => {}
            _ => wrong.push(format!("{path} is {value}")),
        }
    }

    /// Whether a value without parts is as it has to be.
    fn holds(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Any => true,
            Null => value.is_null(),
            Bool => value.is_boolean(),
            Size => value.is_u64(),
            Number => value.is_i64(),
            Text => text.is_some(),
            Hex => text.is_some_and(|text| hex(text).is_some()),
            Bytes => text.is_some_and(|text| text.len() % 2 == 0 && text.chars().all(is_digit)),
            OneOf(words) => text.is_some_and(|text| words.contains(&text)),
            List(_) | Or(..) | Object(_) => false,
        }
    }
}

fn is_digit(character: char) -> bool {
    matches!(character, '0'..='9' | 'a'..='f')
}

/// The number in `0x…` as the contract writes it.
pub fn hex(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x")?;
    let plain = digits.chars().all(is_digit) && (digits == "0" || !digits.starts_with('0'));
    plain
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten()
}
