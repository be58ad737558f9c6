//! From capstone's answer to a form that can be reused.
//!
//! Nothing here is believed because an encoding table says so: a form is kept only if it writes, for a number of
//! addresses and for numbers around every border of formatting, exactly what capstone writes. Which numbers are
//! worth trying is only a guess about what the JIT patches; a wrong guess costs a few decodes.

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
        flow: engine.dialect().flow(&decoded),
        decoded,
    };
    let patched = (engine.dialect().candidates)(&sample.decoded, sample.flow)
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
