//! What the user can choose of symbols.

use crate::symbols::View;

/// Which executors have symbols.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// None.
    #[default]
    Off,
    /// All, from before their code runs for the first time.
    On,
    /// Those that run when the program stops, from then on.
    Auto,
}

/// Which executors have symbols, and what these show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Way {
    /// Which.
    pub mode: Mode,
    /// What.
    pub view: View,
}

impl Default for Way {
    fn default() -> Way {
        Way {
            mode: Mode::default(),
            view: View::Frames,
        }
    }
}

impl Mode {
    /// The words for all of them.
    pub const WORDS: &'static [&'static str] = &["off", "on", "auto"];

    /// The one with this word.
    pub fn of_word(word: &str) -> Option<Mode> {
        let mut all = [Mode::Off, Mode::On, Mode::Auto].into_iter();
        all.find(|mode| mode.word() == word)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::On => "on",
            Mode::Auto => "auto",
        }
    }
}

impl Way {
    pub(super) fn view_word(self) -> &'static str {
        match self.view {
            View::Frames => "frames",
            View::Python => "py",
            View::Both => "both",
        }
    }
}
