//! From capstone's answer to a form that can be reused.
//!
//! Nothing here is believed because an encoding table says so: a form is kept only if it writes, for a number of
//! addresses and for numbers around every border of formatting, exactly what capstone writes. Which numbers are
//! worth trying is only a guess about what the JIT patches; a wrong guess costs a few decodes.

use super::architecture::Architecture;
use super::engine::{Decoded, Engine};
use super::flow::Flow;
use super::pattern::{Hole, Pattern, window};
use super::text::{Form, Number, page};

/// Made-up addresses of an instruction; far from 0, with different places in their pages, aligned for AArch64.
const PROBES: [u64; 3] = [0x5ace_1234_5010, 0x2bad_4321_8ff4, 0x13_3756_7a08];

/// What the hole is given to see where its number stands in the text: distinctive and positive in any width.
const DISTINCTIVE: u64 = 0x1a2b_3c4d_5e6f_7081;

/// Numbers around the borders of formatting, cut to the width of the hole: decimal and hexadecimal, sign, extremes.
const BORDERS: [u64; 13] = [
    0,
    1,
    9,
    10,
    16,
    u64::MAX,
    u64::MAX - 8,
    u64::MAX - 9,
    u64::MAX >> 1,
    1 << 63,
    0x7f,
    0x7fff_ffff,
    0x8000_0000,
];

/// The form of the instruction at the beginning of `code`, which capstone decoded at `address`.
pub(super) fn learn(engine: &Engine, code: &[u8], address: u64, decoded: Decoded) -> Form {
    let window = window(code);
    let sample = Sample {
        engine,
        window,
        flow: Flow::of(engine.architecture, &decoded.mnemonic, &decoded.operands),
        decoded,
    };
    let patched = candidates(&sample)
        .into_iter()
        .find_map(|(hole, number)| sample.with_hole(hole, number));
    patched
        .or_else(|| sample.exact(address))
        .unwrap_or_else(|| sample.only_here(address))
}

/// The form of bytes that are no instruction. What follows them may decide that, so it is never reused.
pub(super) fn bad(length: u8) -> Form {
    Form {
        pattern: Pattern::NEVER,
        length,
        flow: Flow::Bad,
        number: Number::Absent,
        hole: None,
        constant: 0,
        mnemonic: "(bad)".into(),
        before: "".into(),
        after: "".into(),
    }
}

/// One instruction, and how capstone decodes its like.
struct Sample<'a> {
    engine: &'a Engine,
    window: u128,
    flow: Flow,
    decoded: Decoded,
}

impl Sample<'_> {
    /// The form with `hole` left open, if it holds for everything that is tried.
    fn with_hole(&self, hole: Hole, number: Number) -> Option<Form> {
        let value = DISTINCTIVE >> (64 - hole.width.clamp(1, 64));
        let patched = hole.patch(self.window, value);
        let mut form = self.form(number, Some(hole), 0);
        self.split(&mut form, patched, PROBES[0])?;
        let original = std::iter::once(self.window);
        let borders = BORDERS.iter().flat_map(|&border| {
            let top = border >> (64 - hole.width.clamp(1, 64));
            [
                hole.patch(self.window, border),
                hole.patch(self.window, top),
            ]
        });
        let mut all = original.chain(borders).zip(PROBES.iter().cycle());
        all.all(|(window, &probe)| self.agrees(&form, window, probe))
            .then_some(form)
    }

    /// The form of exactly these bytes, at any address.
    fn exact(&self, address: u64) -> Option<Form> {
        let mut fixed = self.form(Number::Absent, None, 0);
        fixed.before = self.decoded.operands.as_str().into();
        // It was decoded at `address`; the same text on another page depends on no address.
        let elsewhere = PROBES.iter().find(|&&probe| page(probe) != page(address));
        if elsewhere.is_some_and(|&probe| self.agrees(&fixed, self.window, probe)) {
            return Some(fixed);
        }
        let there = self.at(self.window, PROBES[0])?;
        let named = last_number(&there.operands)?;
        [
            (Number::Relative { scale: 0, bias: 0 }, PROBES[0]),
            (Number::Page, page(PROBES[0])),
        ]
        .into_iter()
        .find_map(|(number, base)| {
            let mut form = self.form(number, None, named.wrapping_sub(base));
            self.split(&mut form, self.window, PROBES[0])?;
            self.holds_anywhere(&form).then_some(form)
        })
    }

    /// The text as it is at `address`, not to be used anywhere else.
    fn only_here(&self, address: u64) -> Form {
        let mut form = self.form(Number::Absent, None, 0);
        form.pattern = Pattern::NEVER;
        form.before = self.decoded.operands.as_str().into();
        if let (true, Some(target)) = (self.flow.is_direct(), last_number(&form.before)) {
            form.number = Number::Relative { scale: 0, bias: 0 };
            form.constant = target.wrapping_sub(address);
            form.before = "".into();
        }
        form
    }

    fn form(&self, number: Number, hole: Option<Hole>, constant: u64) -> Form {
        Form {
            pattern: Pattern::new(self.window, self.decoded.length, hole),
            length: self.decoded.length,
            flow: self.flow,
            number,
            hole,
            constant,
            mnemonic: self.decoded.mnemonic.as_str().into(),
            before: "".into(),
            after: "".into(),
        }
    }

    /// Puts the text around the number of `form` into it, from the text of an instruction with that number.
    fn split(&self, form: &mut Form, window: u128, address: u64) -> Option<()> {
        let text = self.at(window, address)?.operands;
        let mut number = String::new();
        form.write_operands(address, form.value(window), &mut number);
        let (before, after) = text.rsplit_once(&number)?;
        form.before = before.into();
        form.after = after.into();
        Some(())
    }

    fn holds_anywhere(&self, form: &Form) -> bool {
        PROBES
            .iter()
            .all(|&probe| self.agrees(form, self.window, probe))
    }

    /// Whether `form` writes what capstone writes.
    fn agrees(&self, form: &Form, window: u128, address: u64) -> bool {
        let Some(decoded) = self.at(window, address) else {
            return false;
        };
        let mut operands = String::new();
        form.write_operands(address, form.value(window), &mut operands);
        decoded.length == form.length
            && *decoded.mnemonic == *form.mnemonic
            && decoded.operands == operands
    }

    /// Decodes these bytes and no further ones.
    fn at(&self, window: u128, address: u64) -> Option<Decoded> {
        let bytes = window.to_le_bytes();
        let own = bytes.get(..usize::from(self.decoded.length))?;
        self.engine.decode(own, address)
    }
}

/// The value of the last `0x…` in a text.
fn last_number(operands: &str) -> Option<u64> {
    let (_, digits) = operands.rsplit_once("0x")?;
    u64::from_str_radix(digits, 16).ok()
}

/// What may be left open in an instruction like this one.
fn candidates(sample: &Sample<'_>) -> Vec<(Hole, Number)> {
    match sample.engine.architecture {
        Architecture::X86_64 => x86_candidates(sample),
        Architecture::Aarch64 => aarch64_candidates(sample),
    }
}

fn x86_candidates(sample: &Sample<'_>) -> Vec<(Hole, Number)> {
    let length = sample.decoded.length;
    let bias = length;
    if sample.flow.is_direct() {
        let bytes = if length < 5 { 1 } else { 4 };
        let hole = tail(length, bytes, bytes, true);
        return pair(hole, Number::Relative { scale: 0, bias });
    }
    if sample.decoded.operands.contains("rip") {
        let number = if sample.decoded.operands.contains("%rip") {
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
    if sample.decoded.mnemonic.starts_with("mov") && length >= 5 {
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

fn aarch64_candidates(sample: &Sample<'_>) -> Vec<(Hole, Number)> {
    let words = Number::Relative { scale: 2, bias: 0 };
    let field = |shift, width, signed| Hole {
        shift,
        width,
        signed,
    };
    match sample.decoded.mnemonic.as_str() {
        "b" | "bl" => vec![(field(0, 26, true), words)],
        "tbz" | "tbnz" => vec![(field(5, 14, true), words)],
        "mov" | "movk" => vec![(field(5, 16, false), Number::Immediate)],
        // Of the loads, only those from a literal pool name no base register.
        "ldr" | "ldrsw" if !sample.decoded.operands.contains('[') => {
            vec![(field(5, 19, true), words)]
        }
        _ if sample.flow == Flow::ConditionalJump => vec![(field(5, 19, true), words)],
        _ => Vec::new(),
    }
}
