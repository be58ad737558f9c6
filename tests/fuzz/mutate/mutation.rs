//! What is done to a file.

use super::choices::{Dice, INTERESTING};
use super::files::Edit;
use super::places::Places;
use std::ops::Range;

const PAGE: usize = 4096;

/// All that is done to a file in one case.
pub struct Mutation {
    pub edits: Vec<Edit>,
    /// To how many bytes it is cut.
    pub length: Option<usize>,
    /// In words.
    pub what: Vec<String>,
}

impl Mutation {
    pub fn choose(dice: &mut Dice, whole: &[u8], places: &Places) -> Mutation {
        let mut mutation = Mutation {
            edits: Vec::new(),
            length: None,
            what: Vec::new(),
        };
        // Mostly one change: two hide each other.
        for _ in 0..=dice.below(2) * dice.below(8) {
            mutation.change(dice, whole, places);
        }
        mutation
    }

    fn change(&mut self, dice: &mut Dice, whole: &[u8], places: &Places) {
        let (kind, ranges) = &places.kinds[dice.below(places.kinds.len())];
        let range = &ranges[dice.below(ranges.len())];
        match dice.below(20) {
            0 => self.cut(dice, whole, range),
            1 => self.swap_pages(dice, whole),
            2 => self.copy(dice, whole, kind, range),
            3 => self.fill(dice, kind, range),
            4 | 5 => self.flip(dice, whole, kind, range),
            _ => self.overwrite(dice, whole, kind, range, &places.values),
        }
    }

    fn edit(&mut self, what: &str, kind: &str, offset: usize, bytes: Vec<u8>) {
        let shown: String = bytes
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let text = format!(
            "{what} in {kind} at {offset:#x}: {} bytes {shown}",
            bytes.len()
        );
        self.what.push(text);
        self.edits.push(Edit { offset, bytes });
    }

    fn cut(&mut self, dice: &mut Dice, whole: &[u8], range: &Range<usize>) {
        let length = match dice.below(3) {
            0 => range.start,
            1 => place(dice, range),
            _ => dice.below(whole.len()),
        };
        self.what.push(format!("cut to {length} bytes"));
        self.length = Some(self.length.map_or(length, |other| other.min(length)));
    }

    fn swap_pages(&mut self, dice: &mut Dice, whole: &[u8]) {
        let pages = whole.len() / PAGE;
        let (one, other) = (dice.below(pages) * PAGE, dice.below(pages) * PAGE);
        let page = |at: usize| whole[at..at + PAGE].to_vec();
        self.edit("page swapped", "anything", one, page(other));
        self.edit("page swapped", "anything", other, page(one));
    }

    fn copy(&mut self, dice: &mut Dice, whole: &[u8], kind: &str, range: &Range<usize>) {
        let from = place(dice, range) & !7;
        let to = place(dice, range) & !7;
        let length = (8 << dice.below(8)).min(whole.len() - from);
        self.edit("copy", kind, to, whole[from..from + length].to_vec());
    }

    fn fill(&mut self, dice: &mut Dice, kind: &str, range: &Range<usize>) {
        let at = place(dice, range);
        let byte = *[0, 0xff, 0x41, 0x80].get(dice.below(4)).unwrap_or(&0);
        self.edit("fill", kind, at, vec![byte; 1 << dice.below(13)]);
    }

    fn flip(&mut self, dice: &mut Dice, whole: &[u8], kind: &str, range: &Range<usize>) {
        let at = place(dice, range);
        let old = whole.get(at).copied().unwrap_or(0);
        self.edit("bit", kind, at, vec![old ^ 1 << dice.below(8)]);
    }

    /// A number where one may stand: aligned to its size, as numbers in structures are.
    fn overwrite(
        &mut self,
        dice: &mut Dice,
        whole: &[u8],
        kind: &str,
        range: &Range<usize>,
        values: &[u64],
    ) {
        let size = 1 << dice.below(4);
        let at = place(dice, range) & !(size - 1);
        let mut old = [0; 8];
        if let Some(bytes) = whole.get(at..at + size) {
            old[..size].copy_from_slice(bytes);
        }
        let old = u64::from_le_bytes(old);
        let step = [1, 2, 8, 16, 64, 4096][dice.below(6)];
        let new = match dice.below(7) {
            0 => dice.roll(),
            1 => INTERESTING[dice.below(INTERESTING.len())],
            2 => old.wrapping_add(step),
            3 => old.wrapping_sub(step),
            4 => old.wrapping_mul(step),
            5 if !values.is_empty() => values[dice.below(values.len())],
            _ => u64::from(dice.roll() as u8),
        };
        self.edit("number", kind, at, new.to_le_bytes()[..size].to_vec());
    }
}

fn place(dice: &mut Dice, range: &Range<usize>) -> usize {
    range.start + dice.below(range.len().max(1))
}
