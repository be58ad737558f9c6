//! `co_linetable`: which source line each code unit comes from (`Objects/locations.md`, `Python/location.c`).

/// No code object has more code units; a longer table is damaged.
const MOST_UNITS: usize = 1 << 24;

/// The line of each code unit; `None` for instructions that have no line.
///
/// A truncated table gives the lines up to the break.
pub fn lines(table: &[u8], firstlineno: i32) -> Vec<Option<i32>> {
    let mut cursor = Cursor { bytes: table };
    let mut line = firstlineno;
    let mut lines = Vec::new();
    while let Some(entry) = cursor.entry() {
        line = line.wrapping_add(entry.delta);
        lines.resize(lines.len() + entry.units, entry.has_line.then_some(line));
        if lines.len() > MOST_UNITS {
            break;
        }
    }
    lines
}

struct Entry {
    units: usize,
    delta: i32,
    has_line: bool,
}

struct Cursor<'b> {
    bytes: &'b [u8],
}

impl Cursor<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    /// Six bits a byte, the least significant first; bit 6 says that more follow.
    fn varint(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for shift in (0..32).step_by(6) {
            let byte = self.byte()?;
            value |= u32::from(byte & 63).wrapping_shl(shift);
            if byte & 64 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A varint with the sign in bit 0.
    fn signed_varint(&mut self) -> Option<i32> {
        let value = self.varint()?;
        let magnitude = (value >> 1).cast_signed();
        Some(if value & 1 == 1 {
            -magnitude
        } else {
            magnitude
        })
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.bytes = self.bytes.get(count..)?;
        Some(())
    }

    /// `_PyCodeLocationInfoKind`: 0–9 short, 10–12 one line, 13 no columns, 14 long, 15 none.
    fn entry(&mut self) -> Option<Entry> {
        let head = self.byte()?;
        let (delta, has_line) = match (head >> 3) & 15 {
            15 => (0, false),
            14 => {
                let delta = self.signed_varint()?;
                for _ in 0..3 {
                    self.varint()?; // end line, column, end column
                }
                (delta, true)
            }
            13 => (self.signed_varint()?, true),
            kind @ 10..=12 => {
                self.skip(2)?;
                (i32::from(kind) - 10, true)
            }
            _ => {
                self.skip(1)?;
                (0, true)
            }
        };
        Some(Entry {
            units: usize::from(head & 7) + 1,
            delta,
            has_line,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(kind: u8, units: u8) -> u8 {
        0x80 | kind << 3 | (units - 1)
    }

    #[test]
    fn follows_each_kind_of_entry() {
        let table = [
            [head(15, 2)].as_slice(),        // no line, 2 units
            &[head(11, 1), 4, 8],            // one line on
            &[head(3, 3), 0x21],             // short: same line
            &[head(14, 1), 2 << 1, 1, 5, 6], // long: +2
            &[head(13, 2), (3 << 1) | 1],    // no columns: -3
            &[head(13, 1), 0x40 | 8, 1],     // +36: (8 | 1 << 6) >> 1
        ]
        .concat();
        let expected = [
            None,
            None,
            Some(11),
            Some(11),
            Some(11),
            Some(11),
            Some(13),
            Some(10),
            Some(10),
            Some(46),
        ];
        assert_eq!(lines(&table, 10), expected);
    }

    #[test]
    fn a_truncated_table_keeps_what_came_before() {
        assert_eq!(lines(&[head(11, 1), 4, 8, head(14, 1), 0x7f], 1), [Some(2)]);
        assert_eq!(
            lines(&[head(13, 1), 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f], 1),
            []
        );
        assert_eq!(lines(&[], 1), []);
    }

    #[test]
    fn lines_at_the_ends_of_the_range_do_not_overflow() {
        assert_eq!(lines(&[head(12, 1), 0, 0], i32::MAX), [Some(i32::MIN + 1)]);
    }
}
