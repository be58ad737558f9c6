//! Lines → `co_linetable`, written after CPython's `Objects/locations.md`. Uses every kind of entry somewhere.

/// The table for instructions given as (line or none, code units).
pub fn encode(firstlineno: i64, instructions: &[(Option<i64>, usize)]) -> Vec<u8> {
    let mut table = Vec::new();
    let mut line = firstlineno;
    for (own, units) in instructions {
        let mut left = *units;
        while left > 0 {
            let units = left.min(8);
            left -= units;
            match own {
                None => head(&mut table, 15, units),
                Some(own) => {
                    with_line(&mut table, own - line, units);
                    line = *own;
                }
            }
        }
    }
    table
}

/// No line: 15; long form: 14; no columns: 13; one line with columns: 10 + delta; short form: column / 8.
fn with_line(table: &mut Vec<u8>, delta: i64, units: usize) {
    match delta {
        0 => {
            head(table, 2, units);
            table.push(0x35); // columns 19 to 24
        }
        1 | 2 => {
            head(table, 10 + delta as u8, units);
            table.extend([4, 9]);
        }
        ..0 => {
            head(table, 14, units);
            signed(table, delta);
            varint(table, 1); // ends a line further on
            varint(table, 5);
            varint(table, 70);
        }
        _ => {
            head(table, 13, units);
            signed(table, delta);
        }
    }
}

fn head(table: &mut Vec<u8>, kind: u8, units: usize) {
    table.push(0x80 | (kind << 3) | (units as u8 - 1));
}

fn varint(table: &mut Vec<u8>, mut value: u64) {
    while value >= 64 {
        table.push(0x40 | (value & 0x3f) as u8);
        value >>= 6;
    }
    table.push(value as u8);
}

fn signed(table: &mut Vec<u8>, value: i64) {
    varint(table, (value.unsigned_abs() << 1) | u64::from(value < 0));
}
