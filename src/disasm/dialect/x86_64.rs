//! The code of x86-64.

use super::Dialect;
use crate::disasm::engine::Decoded;
use crate::disasm::flow::Flow;
use crate::disasm::lift;
use crate::disasm::pattern::Hole;
use crate::disasm::text::Number;

/// Three bytes hold prefix, opcode and operands of most instructions; fewer are left before a hole or in a short one.
const KEYS: &[u32] = &[0x00ff_ffff, 0x0000_ffff, 0x0000_00ff];

pub(super) const DIALECT: Dialect = Dialect {
    arch: capstone::Arch::X86,
    mode: capstone::Mode::Mode64,
    has_syntax: true,
    keys: KEYS,
    flow,
    candidates,
    lift: lift::x86_64,
};

/// By name, not by capstone's number, because the AT&T names differ only in a suffix (`jmpq`, `callq`, `retq`).
fn flow(name: &str, operands: &str) -> Flow {
    // A far jump or call has no target that is one address.
    let direct =
        operands.starts_with(|first: char| first.is_ascii_digit()) && !operands.contains(':');
    let begins = |names: &[&str]| names.iter().any(|begin| name.starts_with(begin));
    if begins(&["jmp", "ljmp"]) {
        return if direct {
            Flow::Jump
        } else {
            Flow::IndirectJump
        };
    }
    if begins(&["call", "lcall"]) {
        return if direct {
            Flow::Call
        } else {
            Flow::IndirectCall
        };
    }
    if begins(&["j", "loop", "xbegin"]) {
        Flow::ConditionalJump
    } else if begins(&["ret", "lret", "iret", "sysret", "sysexit"]) {
        Flow::Return
    } else if matches!(name, "ud0" | "ud1" | "ud2" | "int1" | "int3" | "hlt") {
        Flow::Trap
    } else {
        Flow::Next
    }
}

fn candidates(decoded: &Decoded, flow: Flow) -> Vec<(Hole, Number)> {
    let length = decoded.length;
    let bias = length;
    if flow.is_direct() {
        let bytes = if length < 5 { 1 } else { 4 };
        let hole = tail(length, bytes, bytes, true);
        return pair(hole, Number::Relative { scale: 0, bias });
    }
    if decoded.operands.contains("rip") {
        let number = if decoded.operands.contains("%rip") {
            Number::RipAtt
        } else {
            Number::RipIntel
        };
        // The displacement is followed by nothing, or by an immediate of 1, 2 or 4 bytes.
        let holes = [4, 5, 6, 8].map(|from_end| tail(length, from_end, 4, true));
        return holes
            .into_iter()
            .flat_map(|hole| pair(hole, number))
            .collect();
    }
    if decoded.mnemonic.starts_with("mov") && length >= 5 {
        // `mov r64, imm64` and `mov r32, imm32`: pointers, opargs and operands.
        let bytes = if length >= 10 { 8 } else { 4 };
        return pair(tail(length, bytes, bytes, false), Number::Immediate);
    }
    Vec::new()
}

/// `bytes` bytes, the first of them `from_end` before the end of the instruction, and an opcode before them.
fn tail(length: u8, from_end: u8, bytes: u8, signed: bool) -> Option<Hole> {
    let offset = length.checked_sub(from_end).filter(|&offset| offset > 0)?;
    Some(Hole {
        shift: offset.checked_mul(8)?,
        width: bytes * 8,
        signed,
    })
}

fn pair(hole: Option<Hole>, number: Number) -> Vec<(Hole, Number)> {
    hole.map(|hole| (hole, number)).into_iter().collect()
}
