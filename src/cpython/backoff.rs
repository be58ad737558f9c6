//! `_Py_BackoffCounter`: how often something must still happen before CPython tries to compile it
//! (`Include/internal/pycore_backoff.h`).

use crate::shape::{Field, Shape};

/// A counter, as it stands in memory and as CPython reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackoffCounter {
    /// The 16 bits.
    pub raw: u16,
    /// The parts; `None` where it is not known how this CPython divides them.
    pub parts: Option<BackoffParts>,
}

/// The parts of a counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackoffParts {
    /// It triggers when this has been counted down to 0.
    pub value: u16,
    /// It starts again the higher, the more often it triggered in vain.
    pub backoff: u16,
    /// Whether it never triggers (`UNREACHABLE_BACKOFF`).
    pub unreachable: bool,
}

/// How a counter is stored in a field of a structure.
pub struct BackoffFormat<'s> {
    raw: &'s Field,
    /// Bits of `backoff`, the lowest of the 16.
    bits: Option<u32>,
}

impl<'s> BackoffFormat<'s> {
    /// The counter `name` of a structure; `None` if it has none.
    ///
    /// 3.13 has bit-fields for the two parts. Since 3.14 they are one number, and only a macro (`BACKOFF_BITS`) says
    /// where it is divided: 4 bits in 3.14, 3 in 3.15. No layout tells, so the version has to; it is asked for nothing
    /// but the two versions in which it was looked up.
    pub fn of(shape: &'s Shape, name: &str, version_hex: u64) -> Option<BackoffFormat<'s>> {
        let raw = shape.find(name).filter(|field| field.size == 2)?;
        let divided = shape.find(&format!("{name}.backoff"));
        let bits = match divided.and_then(|field| field.bits) {
            Some(bits) => (bits.shift == 0).then_some(u32::from(bits.width)),
            None => match version_hex >> 16 {
                0x030e => Some(4),
                0x030f => Some(3),
                _ => None,
            },
        };
        Some(BackoffFormat {
            raw,
            bits: bits.filter(|bits| *bits < u16::BITS),
        })
    }

    /// The counter in a structure that consists of these bytes.
    pub fn read(&self, bytes: &[u8]) -> Option<BackoffCounter> {
        let raw = u16::try_from(self.raw.unsigned(bytes)?).ok()?;
        Some(BackoffCounter {
            raw,
            parts: self.bits.map(|bits| parts(raw, bits)),
        })
    }
}

fn parts(raw: u16, bits: u32) -> BackoffParts {
    let highest = (1u16 << bits) - 1;
    let backoff = raw & highest;
    BackoffParts {
        value: raw >> bits,
        backoff,
        unreachable: backoff == highest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(backoff: Option<crate::shape::Bits>) -> Shape {
        let field = |name: &str, bits| Field {
            name: name.to_owned(),
            offset: 0,
            size: 2,
            bits,
            element: None,
            signed: false,
        };
        let mut fields = vec![field("temperature", None)];
        fields.extend(backoff.map(|bits| field("temperature.backoff", Some(bits))));
        Shape {
            name: "_PyExitData".to_owned(),
            size: 2,
            fields,
        }
    }

    fn read(shape: &Shape, version_hex: u64, raw: u16) -> Option<(u16, u16, bool)> {
        let format = BackoffFormat::of(shape, "temperature", version_hex).unwrap();
        let parts = format.read(&raw.to_le_bytes()).unwrap().parts?;
        Some((parts.value, parts.backoff, parts.unreachable))
    }

    #[test]
    fn divides_the_number_as_each_version_does() {
        let plain = shape(None);
        assert_eq!(read(&plain, 0x030e_0af0, 0xfffc), Some((4095, 12, false)));
        assert_eq!(
            read(&plain, 0x030f_02f0, 4000 << 3 | 6),
            Some((4000, 6, false))
        );
        assert_eq!(read(&plain, 0x030f_02f0, 7), Some((0, 7, true)));
        assert_eq!(read(&plain, 0x0310_00a1, 7), None);
    }

    #[test]
    fn believes_bit_fields_before_the_version() {
        let bits = crate::shape::Bits { shift: 0, width: 4 };
        assert_eq!(
            read(&shape(Some(bits)), 0x0310_00a1, 0x0146),
            Some((20, 6, false))
        );
        let odd = crate::shape::Bits {
            shift: 12,
            width: 4,
        };
        assert_eq!(read(&shape(Some(odd)), 0x030f_02f0, 1), None);
    }
}
