//! The code of AArch64.

use super::Dialect;
use crate::disasm::engine::Decoded;
use crate::disasm::flow::Flow;
use crate::disasm::lift;
use crate::disasm::pattern::Hole;
use crate::disasm::text::Number;

/// All; all but the hole of `mov`; of `tbz`; of `cbz`, `b.cond` and literal loads; of `b` and `bl`.
const KEYS: &[u32] = &[
    0xffff_ffff,
    0xffe0_001f,
    0xfff8_001f,
    0xff00_001f,
    0xfc00_0000,
];

pub(super) const DIALECT: Dialect = Dialect {
    arch: capstone::Arch::ARM64,
    mode: capstone::Mode::Arm,
    has_syntax: false,
    keys: KEYS,
    flow,
    candidates,
    lift: lift::aarch64,
};

fn flow(name: &str, _operands: &str) -> Flow {
    match name {
        "b" => Flow::Jump,
        "bl" => Flow::Call,
        "cbz" | "cbnz" | "tbz" | "tbnz" => Flow::ConditionalJump,
        "br" | "braa" | "braaz" | "brab" | "brabz" => Flow::IndirectJump,
        "blr" | "blraa" | "blraaz" | "blrab" | "blrabz" => Flow::IndirectCall,
        "ret" | "retaa" | "retab" | "eret" | "eretaa" | "eretab" => Flow::Return,
        "brk" | "hlt" | "udf" => Flow::Trap,
        _ if name.starts_with("b.") || name.starts_with("bc.") => Flow::ConditionalJump,
        _ => Flow::Next,
    }
}

fn candidates(decoded: &Decoded, flow: Flow) -> Vec<(Hole, Number)> {
    let words = Number::Relative { scale: 2, bias: 0 };
    let field = |shift, width, signed| Hole {
        shift,
        width,
        signed,
    };
    match decoded.mnemonic.as_str() {
        "b" | "bl" => vec![(field(0, 26, true), words)],
        "tbz" | "tbnz" => vec![(field(5, 14, true), words)],
        "mov" | "movk" => vec![(field(5, 16, false), Number::Immediate)],
        // Of the loads, only those from a literal pool name no base register.
        "ldr" | "ldrsw" if !decoded.operands.contains('[') => {
            vec![(field(5, 19, true), words)]
        }
        _ if flow == Flow::ConditionalJump => vec![(field(5, 19, true), words)],
        _ => Vec::new(),
    }
}
