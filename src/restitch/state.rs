//! `jit_state` in `Python/jit.c`: what all emitters of an executor share.
//!
//! `trampolines { mem, mask, size }`, then `got { mem, mask, size }` where there is one (3.15), then
//! `instruction_starts[]`. The only thing in it that differs between CPythons is the size of the masks, which that of the
//! table of stencils tells.

use super::plan::{Plan, SymbolState};
use super::{STATE, Tag, Value, Window};

/// A pointer and a size have so many bytes, and a word of a mask.
const WORD: usize = 8;

/// The state at the start of a compilation.
pub(super) fn state(plan: &Plan<'_>) -> Window {
    let symbols = std::iter::once((&plan.trampolines, Tag::TRAMPOLINE));
    let symbols: Vec<_> = symbols
        .chain(plan.got.iter().map(|got| (got, Tag::GOT)))
        .collect();
    let words = symbols
        .iter()
        .map(|(symbols, _)| symbols.mask.len().saturating_add(2));
    let words = words.sum::<usize>().saturating_add(plan.starts.len());
    let mut writer = Writer {
        window: Window::new(STATE, words.saturating_mul(WORD)),
        place: 0,
    };
    for (symbols, tag) in symbols {
        writer.symbols(symbols, tag);
    }
    for start in &plan.starts {
        writer.word(Value::new(start.0, Tag::UOP_START));
    }
    writer.window
}

struct Writer {
    window: Window,
    place: usize,
}

impl Writer {
    fn symbols(&mut self, symbols: &SymbolState, tag: Tag) {
        self.word(Value::new(symbols.memory.start.0, tag));
        for word in &symbols.mask {
            self.word(Value::body(*word));
        }
        self.word(Value::body(symbols.memory.size));
    }

    fn word(&mut self, value: Value) {
        if let Some((bytes, tags)) = self.window.get_mut(self.place, WORD) {
            bytes.copy_from_slice(&value.number.to_le_bytes());
            tags.fill(value.tag);
        }
        self.place = self.place.saturating_add(WORD);
    }
}
