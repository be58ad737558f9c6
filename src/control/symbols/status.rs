//! What people are told of symbols.

use super::{MOST_EXECUTORS, Mode, Symbols, Wishes};
use crate::control::Told;

const KEPT: &str = "  none came at this stop, at a breakpoint with several locations: the debugger would not know any more which was hit";

const ALL: &str =
    "  all executors get some: a breakpoint of yours names a line of Python, a listing or a uop";

impl Symbols {
    /// What there is, in lines for people.
    pub fn status(&self) -> Told {
        let mut lines = vec![self.summary()];
        for met in self.met.values() {
            let what = match &met.listing {
                Ok(shown) => shown.name.clone(),
                Err(reason) => format!("no symbols: {reason}"),
            };
            let range = met.code.range;
            lines.push(format!("  {}-{}  {what}", range.start, range.end()));
        }
        if self.left_out > 0 {
            lines.push(format!(
                "  {} more executors have none: more than {MOST_EXECUTORS} would slow the debugger down",
                self.left_out
            ));
        }
        match (self.way.mode, self.wishes) {
            (Mode::Auto, Wishes { all: true, .. }) => lines.push(ALL.to_owned()),
            (Mode::Auto, Wishes { keep: true, .. }) => lines.push(KEPT.to_owned()),
            _ => {}
        }
        Told {
            lines,
            ..Told::default()
        }
    }

    /// How many executors have symbols, in a line.
    pub fn summary(&self) -> String {
        let count = self.met.values().filter(|met| met.listing.is_ok()).count();
        let with = match count {
            1 => "1 executor has symbols".to_owned(),
            _ => format!("{count} executors have symbols"),
        };
        match self.way.mode {
            Mode::Off => "symbols off".to_owned(),
            Mode::On => format!("symbols on, view {}: {with}", self.way.view_word()),
            Mode::Auto => format!("symbols auto, view {}: {with}", self.way.view_word()),
        }
    }
}
