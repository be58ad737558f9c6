//! What `repr()` says of the constants of code objects: exactly that, or nothing.

use super::{CPython, Objects};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::target::Reader;

/// Longer text and tuples are not written out.
const MOST_CHARACTERS: usize = 4096;
const MOST_ITEMS: u64 = 512;

/// Tuples of tuples end somewhere, but not in a damaged target.
const DEEPEST: usize = 8;

/// Digits of an `int` that 128 bits hold; `PyLong_SHIFT`, the bits of one; `_PyLong_NON_SIZE_BITS` of `lv_tag`, and
/// `SIGN_MASK` with its value for negative numbers (`Include/cpython/longintrepr.h`).
const MOST_DIGITS: u64 = 4;
const DIGIT_BITS: u64 = 30;
const NON_SIZE_BITS: u64 = 3;
const SIGN_MASK: u64 = 3;
const SIGN_NEGATIVE: u64 = 2;

/// From which exponents on `repr(float)` uses one (`float_repr_style` short: `'r'` in `Python/pystrtod.c`).
const FIRST_LARGE_EXPONENT: i32 = 16;
const LAST_SMALL_EXPONENT: i32 = -5;

/// Reads constants of one CPython.
#[derive(Clone, Copy)]
pub struct Literals<'t> {
    python: &'t CPython,
    reader: Reader<'t>,
}

impl<'t> Literals<'t> {
    /// Reads with `reader` what `python` describes.
    pub fn new(python: &'t CPython, reader: Reader<'t>) -> Literals<'t> {
        Literals { python, reader }
    }

    /// The `repr()` of the object at `address`; `None` if it is of a kind that is not known here, too long, or damaged.
    pub fn repr(&self, address: Address) -> Option<String> {
        let text = self.nested(address, DEEPEST).ok().flatten()?;
        (text.len() <= MOST_CHARACTERS).then_some(text)
    }

    /// The objects in the `tuple` at `address`; an error if there are more than `limit`.
    pub fn items(&self, address: Address, limit: u64) -> Result<Vec<Address>> {
        let count = self.number(address, "PyVarObject", "ob_size")?;
        if count > limit {
            return Err(Error::Inconsistent {
                what: "tuple".to_owned(),
                address,
                reason: format!("{count} items are too many"),
            });
        }
        let start = self
            .python
            .layouts
            .shape("PyTupleObject")?
            .field("ob_item")?;
        let start = address.wrapping_add(start.offset);
        self.reader.pointers(start, count, "items of a tuple")
    }

    fn nested(&self, address: Address, depth: usize) -> Result<Option<String>> {
        let objects = Objects::new(self.python, self.reader);
        Ok(match objects.type_name(address)?.as_str() {
            "NoneType" => Some("None".to_owned()),
            "ellipsis" => Some("Ellipsis".to_owned()),
            "bool" => self.int(address)?.map(|value| match value {
                0 => "False".to_owned(),
                _ => "True".to_owned(),
            }),
            "int" => self.int(address)?.map(|value| value.to_string()),
            "float" => {
                let bits = self.number(address, "PyFloatObject", "ob_fval")?;
                Some(float(f64::from_bits(bits)))
            }
            "str" => text(&objects.text(address)?),
            "bytes" => Some(bytes(
                &objects.byte_string(address, MOST_CHARACTERS as u64)?,
            )),
            "code" => Some(self.code(address)?),
            "tuple" => self.tuple(address, depth)?,
            _ => None,
        })
    }

    fn number(&self, address: Address, shape: &str, field: &str) -> Result<u64> {
        let shape = self.python.layouts.shape(shape)?;
        let field = shape.field(field)?;
        let end = field.offset + field.size;
        let bytes = self.reader.bytes(address, end, "constant")?;
        Ok(field.unsigned(&bytes).unwrap_or_default())
    }

    /// `_PyLongValue`, since 3.12; `None` if it is longer than 128 bits hold.
    fn int(&self, address: Address) -> Result<Option<i128>> {
        let tag = self.number(address, "PyLongObject", "long_value.lv_tag")?;
        let count = tag >> NON_SIZE_BITS;
        if count > MOST_DIGITS {
            return Ok(None);
        }
        let shape = self.python.layouts.shape("PyLongObject")?;
        let start = address.wrapping_add(shape.field("long_value.ob_digit")?.offset);
        let bytes = self.reader.bytes(start, count * 4, "digits of an int")?;
        let (digits, _) = bytes.as_chunks::<4>();
        let magnitude = digits.iter().rev().fold(0i128, |sum, digit| {
            (sum << DIGIT_BITS) | i128::from(u32::from_le_bytes(*digit))
        });
        Ok(Some(match tag & SIGN_MASK {
            SIGN_NEGATIVE => -magnitude,
            _ => magnitude,
        }))
    }

    /// `code_repr` in `Objects/codeobject.c`.
    fn code(&self, address: Address) -> Result<String> {
        let objects = Objects::new(self.python, self.reader);
        let shape = self.python.layouts.shape("PyCodeObject")?;
        let record = self.reader.record(address, shape)?;
        Ok(format!(
            "<code object {} at {address}, file \"{}\", line {}>",
            objects.text(record.pointer("co_name")?)?,
            objects.text(record.pointer("co_filename")?)?,
            record.signed("co_firstlineno")?
        ))
    }

    fn tuple(&self, address: Address, depth: usize) -> Result<Option<String>> {
        if depth == 0 {
            return Ok(None);
        }
        let items = self.items(address, MOST_ITEMS)?;
        let mut written = Vec::new();
        for item in items {
            match self.nested(item, depth - 1)? {
                Some(item) => written.push(item),
                None => return Ok(None),
            }
        }
        Ok(Some(match written.as_slice() {
            [one] => format!("({one},)"),
            several => format!("({})", several.join(", ")),
        }))
    }
}

/// The shortest digits that give the same number, as Rust and Python both find them, in Python's form.
fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent >= FIRST_LARGE_EXPONENT || exponent <= LAST_SMALL_EXPONENT {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{value}");
    match plain.contains('.') {
        true => plain,
        false => plain + ".0",
    }
}

/// `unicode_repr` in `Objects/unicodeobject.c`; `None` for text with characters of which it is not known here whether
/// Python holds them for printable.
fn text(text: &str) -> Option<String> {
    let quote = quote(text.contains('\''), text.contains('"'));
    let mut repr = String::from(quote);
    for character in text.chars() {
        match character {
            '\t' => repr.push_str("\\t"),
            '\n' => repr.push_str("\\n"),
            '\r' => repr.push_str("\\r"),
            '\\' => repr.push_str("\\\\"),
            _ if character == quote => repr.extend(['\\', quote]),
            ' '..='~' => repr.push(character),
            '\0'..='\u{a0}' | '\u{ad}' => {
                repr.push_str(&format!("\\x{:02x}", u32::from(character)))
            }
            _ if character.is_alphanumeric() => repr.push(character),
            _ => return None,
        }
    }
    repr.push(quote);
    Some(repr)
}

fn quote(single: bool, double: bool) -> char {
    match single && !double {
        true => '"',
        false => '\'',
    }
}

/// `PyBytes_Repr` in `Objects/bytesobject.c`.
fn bytes(bytes: &[u8]) -> String {
    let quote = quote(bytes.contains(&b'\''), bytes.contains(&b'"'));
    let mut repr = format!("b{quote}");
    for byte in bytes {
        match char::from(*byte) {
            '\t' => repr.push_str("\\t"),
            '\n' => repr.push_str("\\n"),
            '\r' => repr.push_str("\\r"),
            '\\' => repr.push_str("\\\\"),
            character if character == quote => repr.extend(['\\', quote]),
            character @ ' '..='~' => repr.push(character),
            _ => repr.push_str(&format!("\\x{byte:02x}")),
        }
    }
    repr.push(quote);
    repr
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_floats_as_python_does() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (2.5, "2.5"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.25e-7, "1.25e-07"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn quotes_text_as_python_does() {
        assert_eq!(text("it's").as_deref(), Some("\"it's\""));
        assert_eq!(text("it's \"x\"").as_deref(), Some("'it\\'s \"x\"'"));
        assert_eq!(text("é\n\x1b\u{a0}").as_deref(), Some("'é\\n\\x1b\\xa0'"));
        assert_eq!(text("\u{200b}"), None);
        assert_eq!(bytes(b"a'\x80\\"), "b\"a'\\x80\\\\\"");
    }
}
