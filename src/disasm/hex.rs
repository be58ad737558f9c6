//! Numbers as capstone writes them, without the cost of `write!`.

/// Appends `0x` and the digits of `value`.
pub(super) fn push_hex(out: &mut String, value: u64) {
    let mut digits = [0u8; 16];
    let mut rest = value;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = hex_digit(rest);
        used += 1;
        rest >>= 4;
        if rest == 0 {
            break;
        }
    }
    let text = digits.get(digits.len() - used..).unwrap_or_default();
    out.push_str("0x");
    out.push_str(std::str::from_utf8(text).unwrap_or_default());
}

fn hex_digit(value: u64) -> u8 {
    match value & 0xf {
        0 => b'0',
        1 => b'1',
        2 => b'2',
        3 => b'3',
        4 => b'4',
        5 => b'5',
        6 => b'6',
        7 => b'7',
        8 => b'8',
        9 => b'9',
        10 => b'a',
        11 => b'b',
        12 => b'c',
        13 => b'd',
        14 => b'e',
        _ => b'f',
    }
}

/// Appends `value` as capstone does: one decimal digit up to 9, hexadecimal above.
pub(super) fn push_number(out: &mut String, value: u64) {
    if value <= 9 {
        out.push(char::from(hex_digit(value)));
    } else {
        push_hex(out, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_formatter_writes() {
        for value in [0, 1, 9, 10, 0x10, 0xabcd_ef12_3456, u64::MAX] {
            let mut out = String::new();
            push_hex(&mut out, value);
            assert_eq!(out, format!("{value:#x}"));
        }
    }

    #[test]
    fn small_numbers_are_decimal() {
        let mut out = String::new();
        push_number(&mut out, 9);
        push_number(&mut out, 10);
        assert_eq!(out, "90xa");
    }
}
