//! Python objects of the target, as far as text is needed of them.

use super::CPython;
use crate::address::Address;
use crate::error::{Error, Result};
use crate::target::Reader;

/// The longest string that is read; names and file names are shorter, and a longer length is garbage.
const LONGEST_TEXT: u64 = 1 << 16;

/// The longest `tp_name` that is read.
const LONGEST_TYPE_NAME: usize = 256;

/// Reads objects of one CPython.
#[derive(Clone, Copy)]
pub struct Objects<'t> {
    python: &'t CPython,
    reader: Reader<'t>,
}

impl<'t> Objects<'t> {
    /// Reads with `reader` what `python` describes.
    pub fn new(python: &'t CPython, reader: Reader<'t>) -> Objects<'t> {
        Objects { python, reader }
    }

    /// The type of the object at `address`.
    pub fn type_of(&self, address: Address) -> Result<Address> {
        let offset = self
            .python
            .layouts
            .shape("PyObject")?
            .field("ob_type")?
            .offset;
        self.reader
            .pointer(address.wrapping_add(offset), "type of an object")
    }

    /// The reference count of the object at `address`; `None` where the layout does not tell.
    pub fn references(&self, address: Address) -> Result<Option<u64>> {
        let shape = self.python.layouts.shape("PyObject")?;
        let Some(field) = shape.find("ob_refcnt") else {
            return Ok(None);
        };
        self.reader.record(address, shape)?.optional(&field.name)
    }

    /// Whether the object at `address` has certainly not been freed: it is referred to, and its first word is no link to
    /// the next free block, whose upper half is not empty (`Objects/obmalloc.c`; its arenas lie above 4 GiB).
    pub fn is_alive(&self, address: Address) -> Result<bool> {
        let record = self
            .reader
            .record(address, self.python.layouts.shape("PyObject")?)?;
        Ok(record.unsigned("ob_refcnt")? != 0 && record.unsigned("ob_overflow")? == 0)
    }

    /// The `tp_name` of the type of the object at `address`.
    pub fn type_name(&self, address: Address) -> Result<String> {
        self.name_of_type(self.type_of(address)?)
    }

    /// The `tp_name` of the type at `kind`.
    pub fn name_of_type(&self, kind: Address) -> Result<String> {
        let offset = self
            .python
            .layouts
            .shape("PyTypeObject")?
            .field("tp_name")?
            .offset;
        let name = kind.wrapping_add(offset);
        let name = self.reader.pointer(name, "name of a type")?;
        self.reader
            .c_string(name, LONGEST_TYPE_NAME, "name of a type")
    }

    /// The text of the `str` at `address` (`PEP 393`, compact strings only: names are always compact).
    pub fn text(&self, address: Address) -> Result<String> {
        let head = self
            .reader
            .record(address, self.python.layouts.shape("PyASCIIObject")?)?;
        let length = head.unsigned("length")?;
        let inconsistent = |reason: &str| Error::Inconsistent {
            what: "str".to_owned(),
            address,
            reason: reason.to_owned(),
        };
        if head.unsigned("state.compact")? == 0 {
            return Err(inconsistent("not a compact string"));
        }
        if length > LONGEST_TEXT {
            return Err(inconsistent("its length is that of no name"));
        }
        let ascii = head.unsigned("state.ascii")? == 1;
        let shape = if ascii {
            "PyASCIIObject"
        } else {
            "PyCompactUnicodeObject"
        };
        let start = address.wrapping_add(self.python.layouts.shape(shape)?.size);
        let kind = head.unsigned("state.kind")?;
        let bytes = self
            .reader
            .bytes(start, length * kind.min(4), "text of a str")?;
        decode(kind, &bytes).ok_or_else(|| inconsistent("unknown kind of string"))
    }

    /// The bytes of the `bytes` object at `address`, of at most `limit` bytes.
    pub fn byte_string(&self, address: Address, limit: u64) -> Result<Vec<u8>> {
        let shape = self.python.layouts.shape("PyBytesObject")?;
        let size = self
            .reader
            .record(address, shape)?
            .unsigned("ob_base.ob_size")?;
        if size > limit {
            return Err(Error::Inconsistent {
                what: "bytes".to_owned(),
                address,
                reason: format!("{size} bytes are too many"),
            });
        }
        let start = address.wrapping_add(shape.field("ob_sval")?.offset);
        self.reader.bytes(start, size, "bytes")
    }
}

/// `kind` bytes a character: Latin-1, UCS-2 or UCS-4; what is no character (a lone surrogate) is replaced.
fn decode(kind: u64, bytes: &[u8]) -> Option<String> {
    let character = |code: u32| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some(match kind {
        1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
        2 => bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| character(u32::from(u16::from_le_bytes(*pair))))
            .collect(),
        4 => bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|word| character(u32::from_le_bytes(*word)))
            .collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decodes_each_width() {
        assert_eq!(decode(1, b"f\xe9").as_deref(), Some("fé"));
        assert_eq!(
            decode(2, &[0x42, 0x04, 0x00, 0xd8]).as_deref(),
            Some("т\u{fffd}")
        );
        assert_eq!(
            decode(4, &[0x0a, 0xf4, 0x01, 0x00]).as_deref(),
            Some("\u{1f40a}")
        );
        assert_eq!(decode(3, b"abc"), None);
    }
}
