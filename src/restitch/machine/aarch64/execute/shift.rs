//! Shifts and rotations of a part of a register.

use super::super::decode::{Extend, Shift, Width, sign_extend};

/// Shifts the part of `value` that the width has; `amount` is less than its bits.
pub(super) fn shifted(value: u64, shift: Shift, amount: u32, width: Width) -> u64 {
    let value = width.cut(value);
    let result = match shift {
        Shift::Left => value << amount,
        Shift::Right => value >> amount,
        Shift::Signed => (sign_extend(value, width.bits()) >> amount).cast_unsigned(),
        Shift::Rotate => return rotated(value, amount, width),
    };
    width.cut(result)
}

/// Rotates to the right.
pub(super) fn rotated(value: u64, amount: u32, width: Width) -> u64 {
    let value = width.cut(value);
    match width {
        Width::Whole => value.rotate_right(amount),
        // The amount is less than 32.
        Width::Half => width.cut((value | value << 32) >> amount),
    }
}

/// The second operand of an addition or of an address.
pub(super) fn extended(value: u64, extend: Extend) -> u64 {
    let bits = match extend.bytes {
        1 => 8,
        2 => 16,
        4 => 32,
        _ => 64,
    };
    let signed = sign_extend(value, bits).cast_unsigned();
    let value = if extend.signed {
        signed
    } else {
        value & (u64::MAX >> (64 - bits))
    };
    value << extend.shift
}
